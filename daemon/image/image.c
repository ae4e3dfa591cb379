/* SPDX-License-Identifier: MIT */
/*
 * The images this daemon has: rows in memory, layers on disk, who uses them.
 * A layer directory is removed by a rename into tmp on the loop, where all
 * references are known, and emptied on a worker afterwards.
 */
#include "daemon/image/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/image/internal.h"
#include "daemon/image/ref.h"
#include "daemon/store.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/rand.h"

/* Sandboxes that live on exactly these layers. */
struct hold {
	struct list link;
	char **layers;
	unsigned count;
};

struct discard {
	struct work work;
	struct image_store *store;
	char name[64];
	int error;
};

static int open_dirs(struct image_store *s, struct svm_err *err)
{
	if (path_make_private_dir(s->layers_path, 0700, err) < 0 ||
	    path_make_private_dir(s->downloads_path, 0700, err) < 0 ||
	    path_make_private_dir(s->tmp_path, 0700, err) < 0)
		return -1;
	s->downloads_fd = open(s->downloads_path,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->layers_fd = open(s->layers_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->tmp_fd = open(s->tmp_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->layers_fd < 0 || s->tmp_fd < 0 || s->downloads_fd < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't open '%s'", s->layers_path);
	return 0;
}

static void load_row(void *data, struct store_image *row)
{
	struct image_store *s = data;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct image *i;

	if (image_from_row(row, &i, &err) < 0)
		log_warn_e(&err, "image=%s is left out", row->ref);
	else
		image_insert(s, i);
}

/* What an earlier daemon left half-made. */
static void sweep_tmp(struct image_store *s)
{
	int fd = dup(s->tmp_fd);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		fd_close(fd);
		return;
	}
	rewinddir(dir);
	for (struct dirent *e; (e = readdir(dir));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			images_discard(s, e->d_name);
	closedir(dir);
}

struct image_store *image_store_new(struct daemon *d, struct svm_err *err)
{
	struct image_store *s = xcalloc(1, sizeof(*s));

	s->daemon = d;
	s->layers_fd = s->tmp_fd = s->downloads_fd = -1;
	s->layers_path = xasprintf("%s/images/layers", d->dirs.state);
	s->tmp_path = xasprintf("%s/images/tmp", d->dirs.state);
	s->downloads_path = xasprintf("%s/images/downloads", d->dirs.state);
	list_init(&s->images);
	list_init(&s->pulls);
	list_init(&s->holds);
	list_init(&s->imports);
	if (open_dirs(s, err) < 0 ||
	    store_each_image(d->store, load_row, s, err) < 0) {
		image_store_free(s);
		return NULL;
	}
	sweep_tmp(s);
	downloads_sweep(s, true);
	images_sweep(s);
	return s;
}

int image_stopping(struct svm_err *err)
{
	svm_err_set(err, SVM_UNAVAILABLE, "the daemon is stopping");
	return svm_err_hint(err, "no image was stored: ask the next one again; "
			    "a pull goes on with what came");
}

void image_store_stop(struct image_store *s)
{
	pulls_stop(s);
	imports_stop(s);
}

void image_store_free(struct image_store *s)
{
	struct list *pos, *tmp;

	if (!s)
		return;
	pulls_abort(s);
	imports_abort(s);
	list_for_each_safe(pos, tmp, &s->images)
		image_free(list_entry(pos, struct image, link));
	list_for_each_safe(pos, tmp, &s->holds) {
		struct hold *h = list_entry(pos, struct hold, link);

		strv_free(h->layers);
		free(h);
	}
	fd_close(s->layers_fd);
	fd_close(s->tmp_fd);
	fd_close(s->downloads_fd);
	free(s->missing);
	free(s->downloads_path);
	free(s->layers_path);
	free(s->tmp_path);
	free(s);
}

bool image_store_busy(const struct image_store *s)
{
	return s->busy > 0;
}

/* Look-up. */

void image_insert(struct image_store *s, struct image *i)
{
	struct list *at = s->images.next;

	while (at != &s->images &&
	       list_entry(at, struct image, link)->created_ns > i->created_ns)
		at = at->next;
	list_append(at, &i->link); /* before `at` */
}

/* Its own, or that of the manifest it was pulled by. */
static bool has_digest(const struct image *i, const char *digest)
{
	const char *by = image_ref_digest(i->ref);

	return strcmp(i->digest, digest) == 0 ||
	       (by && strcmp(by, digest) == 0);
}

struct image *image_find(struct image_store *s, const char *text,
			 struct svm_err *err)
{
	auto_free char *ref = NULL;
	struct list *pos, *tmp;
	struct image *found = NULL;

	if (image_ref_normalise(text, &ref, err) < 0)
		return NULL;
	const char *digest = image_ref_digest(ref);
	list_for_each_safe(pos, tmp, &s->images) {
		struct image *i = list_entry(pos, struct image, link);

		if (strcmp(i->ref, ref) == 0)
			return i;
		if (!found && digest && has_digest(i, digest))
			found = i;
	}
	if (!found) {
		svm_err_set(err, SVM_NOT_FOUND, "no image '%s'", ref);
		svm_err_hint(err, "stacyvm image ls");
	}
	return found;
}

static bool is_private_parent(const char *dir, const char *state)
{
	size_t n = strlen(dir);

	return strncmp(dir, state, n) == 0 && (!state[n] || state[n] == '/');
}

/* A directory of the user's as the one layer. */
static int resolve_dir(struct image_store *s, struct sandbox_spec *spec,
		       struct svm_err *err)
{
	const char *dir = spec->image;
	struct stat st;

	if (path_validate(dir, strlen(dir), err) < 0)
		return svm_err_prefix(err, "image '%.128s'", dir);
	/* The overlay's options are text: these would end the name. */
	if (strpbrk(dir, ":,\\\n"))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "image '%.128s': the path must not contain "
				   "':', ',', '\\' or a newline", dir);
	auto_free char *real = realpath(dir, NULL);
	if (!real || stat(real, &st) < 0) {
		svm_err_sys(err, SVM_UNAVAILABLE, errno, "image '%.256s'", dir);
		return svm_err_hint(err, "give a directory that holds a root "
					 "file system");
	}
	if (!S_ISDIR(st.st_mode)) {
		svm_err_set(err, SVM_UNAVAILABLE,
			    "image '%.256s' is not a directory", dir);
		return svm_err_hint(err, "stacyvm image import '%.256s' "
					 "--name NAME", dir);
	}
	if (access(real, R_OK | X_OK) < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "image '%.256s' can't be read", dir);
	if (strcmp(real, "/") == 0 || strpbrk(real, ":,\\\n") ||
	    is_private_parent(real, s->daemon->dirs.state) ||
	    is_private_parent(s->daemon->dirs.state, real)) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "image '%.256s' would show the machine itself or "
			    "this daemon's own files", dir);
		return svm_err_hint(err, "for the machine's own programs use "
					 "the image 'host'");
	}
	spec->rootfs = SPEC_ROOTFS_LAYERS;
	spec->layers = xcalloc(2, sizeof(*spec->layers));
	spec->layers[0] = steal_ptr(&real);
	return 0;
}

static void resolve_image(const struct image_store *s, const struct image *i,
			  struct sandbox_spec *spec)
{
	char name[DIGEST_TEXT + 1];

	spec->rootfs = SPEC_ROOTFS_LAYERS;
	spec->layers = xcalloc(i->n + 1, sizeof(*spec->layers));
	for (size_t k = 0; k < i->n; k++) {
		image_layer_name(&i->layers[i->n - 1 - k].diff, name);
		spec->layers[k] = path_join(s->layers_path, name);
	}
	if (i->config.env)
		spec->image_env = strv_dup(i->config.env);
}

int image_resolve(struct image_store *s, struct sandbox_spec *spec,
		  struct svm_err *err)
{
	auto_err struct svm_err why = SVM_ERR_INIT;
	const struct image *i;

	strv_free(spec->layers);
	strv_free(spec->image_env);
	spec->layers = spec->image_env = NULL;
	spec->rootfs = SPEC_ROOTFS_HOST;
	image_pull_forget(s);
	if (strcmp(spec->image, "host") == 0)
		return 0;
	if (*spec->image == '/')
		return resolve_dir(s, spec, err);
	i = image_find(s, spec->image, &why);
	if (i) {
		resolve_image(s, i, spec);
		return 0;
	}
	if (why.code != SVM_NOT_FOUND)
		return svm_err_move(err, &why);
	s->missing = xstrdup(spec->image);
	svm_err_set(err, SVM_UNAVAILABLE, "the image '%.256s' is not here",
		    spec->image);
	return svm_err_hint(err, "docker save '%.256s' | stacyvm image import "
				 "- --name '%.256s' (or import a file, an OCI "
				 "layout or a root file system; `stacyvm image "
				 "ls` shows what is here; the image 'host' "
				 "always is)", spec->image, spec->image);
}

/* Use. */

static bool same_strv(char *const *a, char *const *b)
{
	for (; *a && *b; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return !*a && !*b;
}

static struct hold *find_hold(const struct image_store *s, char *const *layers)
{
	for (struct list *pos = s->holds.next; pos != &s->holds;
	     pos = pos->next) {
		struct hold *h = list_entry(pos, struct hold, link);

		if (same_strv(h->layers, layers))
			return h;
	}
	return NULL;
}

void image_layers_hold(struct image_store *s, char *const *layers)
{
	struct hold *h = find_hold(s, layers);

	if (!h) {
		h = xcalloc(1, sizeof(*h));
		h->layers = strv_dup(layers);
		list_append(&s->holds, &h->link);
	}
	h->count++;
}

void image_layers_release(struct image_store *s, char *const *layers)
{
	struct hold *h = find_hold(s, layers);

	if (!h)
		BUG("layers were released that nobody held");
	if (--h->count)
		return;
	list_remove(&h->link);
	strv_free(h->layers);
	free(h);
}

bool image_in_use(const struct image_store *s, const struct image *i)
{
	struct sandbox_spec spec = { 0 };

	resolve_image(s, i, &spec);
	bool used = find_hold(s, spec.layers) != NULL;
	strv_free(spec.layers);
	strv_free(spec.image_env);
	return used;
}

/* Layers that nobody has. */

static bool layer_wanted(const struct image_store *s, const char *name)
{
	auto_free char *path = path_join(s->layers_path, name);
	char have[DIGEST_TEXT + 1];

	for (struct list *p = s->images.next; p != &s->images; p = p->next) {
		const struct image *i = list_entry(p, struct image, link);

		for (size_t k = 0; k < i->n; k++) {
			image_layer_name(&i->layers[k].diff, have);
			if (strcmp(have, name) == 0)
				return true;
		}
	}
	for (struct list *p = s->holds.next; p != &s->holds; p = p->next) {
		const struct hold *h = list_entry(p, struct hold, link);

		for (char **l = h->layers; *l; l++)
			if (strcmp(*l, path) == 0)
				return true;
	}
	return false;
}

static void drop_layer(struct image_store *s, const char *name)
{
	char gone[24] = "gone-";

	rand_hex(gone + 5, 16);
	if (renameat(s->layers_fd, name, s->tmp_fd, gone) < 0)
		log_warn("can't remove the layer '%s': %s", name,
			 strerror(errno));
	else
		images_discard(s, gone);
}

void images_sweep(struct image_store *s)
{
	s->sweep_wanted = s->busy > 0;
	if (s->busy || s->daemon->stopping)
		return;
	int fd = dup(s->layers_fd);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		fd_close(fd);
		return;
	}
	rewinddir(dir); /* dup shares the offset */
	for (struct dirent *e; (e = readdir(dir));)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    !layer_wanted(s, e->d_name))
			drop_layer(s, e->d_name);
	closedir(dir);
}

void images_begin(struct image_store *s)
{
	s->busy++;
}

void images_end(struct image_store *s)
{
	if (--s->busy == 0 && s->sweep_wanted)
		images_sweep(s);
}

static void run_discard(struct work *w)
{
	struct discard *d = container_of(w, struct discard, work);

	d->error = path_remove_tree(d->store->tmp_fd, d->name);
}

static void discard_done(struct work *w)
{
	struct discard *d = container_of(w, struct discard, work);

	if (d->error < 0)
		log_warn("can't remove images/tmp/%s: %s", d->name,
			 strerror(-d->error));
	free(d);
}

void images_discard(struct image_store *s, const char *name)
{
	struct discard *d;

	/* The pool may be gone already; the next start sweeps. */
	if (s->daemon->stopping)
		return;
	d = xcalloc(1, sizeof(*d));
	d->work = (struct work){ .run = run_discard, .done = discard_done };
	d->store = s;
	snprintf(d->name, sizeof(d->name), "%s", name);
	work_submit(s->daemon->workers, &d->work);
}
