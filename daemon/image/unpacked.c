/* SPDX-License-Identifier: MIT */
/* From unpacked layers to an image.  See unpacked.h. */
#include "daemon/image/unpacked.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/image/internal.h"
#include "daemon/store.h"
#include "lib/api/limits.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"

static struct image *find_ref(const struct image_store *s, const char *ref)
{
	for (struct list *p = s->images.next; p != &s->images; p = p->next) {
		struct image *i = list_entry(p, struct image, link);

		if (strcmp(i->ref, ref) == 0)
			return i;
	}
	return NULL;
}

static void put_row(struct store_txn *t, const struct image *i,
		    const char *ref)
{
	struct store_image row;

	image_to_row(i, &row);
	free(row.ref);
	row.ref = xstrdup(ref);
	store_put_image(t, &row);
	store_image_release(&row);
}

/* Live sandboxes keep the image whose name moved on: under its digest. */
static bool must_keep(const struct image_store *s, const struct image *old,
		      const struct image *fresh)
{
	return old && image_in_use(s, old) &&
	       !image_same_layers(old, fresh) && !find_ref(s, old->digest);
}

static void finish(struct unpacked *u, const struct image *stored)
{
	u->done(u->data, stored);
}

static void on_stored(void *data, const struct svm_err *err,
		      const struct store_event *events, size_t n)
{
	struct unpacked *u = data;
	struct image_store *s = u->store;
	struct image *i = u->image, *old;

	if (err) {
		svm_err_set(u->err, err->code, "can't store the image: %s",
			    err->msg);
		finish(u, NULL);
		return;
	}
	events_publish(s->daemon->events, events, n);
	old = find_ref(s, i->ref);
	if (must_keep(s, old, i) && !s->daemon->stopping) {
		/* Again: another import may have brought `old` meanwhile. */
		struct store_txn *t = store_begin(s->daemon->store);

		put_row(t, old, old->digest);
		store_commit(t, NULL, NULL);
		free(old->ref);
		old->ref = xstrdup(old->digest);
	} else {
		image_free(old);
	}
	u->image = NULL;
	image_insert(s, i);
	finish(u, i);
}

static void store_row(struct unpacked *u)
{
	struct image_store *s = u->store;
	struct image *old = find_ref(s, u->image->ref);
	int e = fault_errno("import.row");

	if (e < 0)
		svm_err_sys(u->err, SVM_INTERNAL, e, "import.row");
	else if (s->daemon->stopping)
		image_stopping(u->err);
	if (u->err->code) {
		finish(u, NULL);
		return;
	}
	struct store_txn *t = store_begin(s->daemon->store);
	put_row(t, u->image, u->image->ref);
	image_add_event(t, EVENT_IMAGE_SAVED, u->image);
	if (must_keep(s, old, u->image))
		put_row(t, old, old->digest);
	store_commit(t, on_stored, u);
}

static int place_layer(struct unpacked *u, int dir, size_t i)
{
	struct image_store *s = u->store;
	char name[DIGEST_TEXT + 1], index[24];
	struct stat st;
	int e = fault_errno("import.rename");

	if (e < 0)
		return svm_err_sys(u->err, SVM_INTERNAL, e, "import.rename");
	image_layer_name(&u->layers[i].diff, name);
	snprintf(index, sizeof(index), "%zu", i);
	if (!u->layers[i].present &&
	    syscall(SYS_renameat2, dir, index, s->layers_fd, name,
		    SVM_RENAME_NOREPLACE) < 0 &&
	    errno != EEXIST && errno != ENOTEMPTY)
		return svm_err_sys(u->err, SVM_INTERNAL, errno,
				   "can't place layer %zu", i + 1);
	/* Also what the worker said was there: it might have lied. */
	if (fstatat(s->layers_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode))
		return svm_err_set(u->err, SVM_INTERNAL,
				   "layer %zu is missing after unpacking",
				   i + 1);
	return 0;
}

static void run_place(struct work *w)
{
	struct unpacked *u = container_of(w, struct unpacked, work);
	auto_close int dir = openat(u->store->tmp_fd, u->dir,
				    O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* All of a layer is on disk before its name is. */
	if (dir < 0 || syncfs(dir) < 0) {
		svm_err_sys(u->err, SVM_INTERNAL, errno,
			    "can't sync the layers");
		return;
	}
	for (size_t i = 0; i < u->n; i++)
		if (place_layer(u, dir, i) < 0)
			return;
	if (fsync(u->store->layers_fd) < 0)
		svm_err_sys(u->err, SVM_INTERNAL, errno,
			    "can't sync the layers");
}

static void place_done(struct work *w)
{
	struct unpacked *u = container_of(w, struct unpacked, work);

	if (u->err->code)
		finish(u, NULL);
	else
		store_row(u);
}

static int64_t known_size(const struct image_store *s, const struct digest *d)
{
	for (struct list *p = s->images.next; p != &s->images; p = p->next) {
		const struct image *i = list_entry(p, struct image, link);

		for (size_t k = 0; k < i->n; k++)
			if (digest_equal(&i->layers[k].diff, d))
				return i->layers[k].size;
	}
	return 0;
}

/* Bottom first, each DiffID at its topmost place: an overlay refuses a lower
 * directory that stands twice, and the upper one hides the other whole. */
static void take_layers(struct unpacked *u)
{
	struct image *i = u->image;

	i->layers = xcalloc(u->n, sizeof(*i->layers));
	for (size_t k = 0; k < u->n; k++) {
		const struct unpacked_layer *l = &u->layers[k];
		bool above = false;

		for (size_t j = k + 1; j < u->n; j++)
			above |= digest_equal(&u->layers[j].diff, &l->diff);
		if (above)
			continue;
		int64_t size = l->present ? known_size(u->store, &l->diff) :
					    l->size;
		i->layers[i->n++] = (struct image_layer){ l->diff, size };
		i->size_bytes += size;
	}
}

void unpacked_store(struct unpacked *u)
{
	take_layers(u);
	u->work = (struct work){ .run = run_place, .done = place_done };
	work_submit(u->store->daemon->workers, &u->work);
}

void unpacked_init(struct unpacked *u, struct image_store *s, const char *dir,
		   struct svm_err *err,
		   void (*done)(void *data, const struct image *stored),
		   void *data)
{
	*u = (struct unpacked){
		.store = s, .dir = dir, .err = err, .done = done, .data = data,
		.layers = xcalloc(LIMIT_IMAGE_LAYERS, sizeof(*u->layers)),
	};
}

void unpacked_release(struct unpacked *u)
{
	image_free(u->image);
	free(u->layers);
}
