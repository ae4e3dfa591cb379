/* SPDX-License-Identifier: MIT */
/*
 * POST /images/import: the body goes into the unpack worker's standard input
 * as fast as it reads, its reports come back, and when it is done the layers
 * are renamed into place (on a worker thread) and the row is stored.
 *
 * Every import has a directory of its own in tmp, so any number may bring the
 * same layers: the first rename wins.  The worker read hostile bytes, so what
 * it reports is hostile too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/http/http.h"
#include "daemon/image/answer.h"
#include "daemon/image/image.h"
#include "daemon/image/internal.h"
#include "daemon/image/ref.h"
#include "daemon/image/worker.h"
#include "daemon/store.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"

struct import {
	struct list link;
	struct image_store *store;
	struct image_answer answer; /* req NULL: the client left, or it is a
				     * pull's */
	const struct import_events *events; /* then */
	void *data;
	char *name;           /* the ref asked for, or NULL */
	char *fallback;       /* the ref if the archive says none, or NULL */
	char dir[24];         /* in tmp */

	struct worker worker;
	int in;               /* its standard input */
	struct loop_fd *in_watch;
	struct buf body;      /* received, not yet taken by the worker */
	bool body_ended;

	struct import_layer {
		struct digest diff;
		bool seen, present;
		int64_t size;
	} *layers;
	size_t n;
	struct image *image;  /* as reported; complete */
	struct svm_err err;   /* why it can't become one */
	struct work work;
};

static void import_free(struct import *m)
{
	worker_release(&m->worker);
	loop_fd_del(m->in_watch);
	fd_close(m->in);
	list_remove(&m->link);
	buf_release(&m->body);
	svm_err_release(&m->err);
	image_free(m->image);
	free(m->layers);
	free(m->name);
	free(m->fallback);
	free(m);
}

/* The end of every import.  stored: borrowed, or NULL with m->err set. */
static void import_end(struct import *m, const struct image *stored)
{
	struct image_store *s = m->store;

	if (m->answer.req && stored)
		image_answer_imported(&m->answer, s, stored);
	else if (m->answer.req)
		image_answer_error(&m->answer, &m->err);
	if (m->events)
		m->events->done(m->data, stored, stored ? NULL : &m->err);
	if (stored)
		log_info("image=%s imported digest=%s", stored->ref,
			 stored->digest);
	else
		log_info("image import failed: %s", m->err.msg);
	images_discard(s, m->dir);
	s->sweep_wanted = true;
	import_free(m);
	images_end(s);
}

/* 3. The row. */

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

static void add_event(struct store_txn *t, const struct image *i)
{
	auto_buf struct buf data = BUF_INIT;
	struct json_writer w = json_writer(&data);

	json_open(&w, NULL, '{');
	json_str(&w, "ref", i->ref);
	json_str(&w, "digest", i->digest);
	json_int(&w, "size_bytes", i->size_bytes);
	json_close(&w, '}');
	store_add_event(t, EVENT_IMAGE_SAVED, NULL, NULL, buf_str(&data));
}

/* Live sandboxes keep the image whose name moved on: under its digest. */
static bool must_keep(const struct image_store *s, const struct image *old,
		      const struct image *fresh)
{
	return old && image_in_use(s, old) &&
	       !image_same_layers(old, fresh) && !find_ref(s, old->digest);
}

static void on_stored(void *data, const struct svm_err *err,
		      const struct store_event *events, size_t n)
{
	struct import *m = data;
	struct image_store *s = m->store;
	struct image *i = m->image, *old;

	if (err) {
		svm_err_set(&m->err, err->code, "can't store the image: %s",
			    err->msg);
		import_end(m, NULL);
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
	m->image = NULL;
	image_insert(s, i);
	import_end(m, i);
}

static void store_row(struct import *m)
{
	struct image_store *s = m->store;
	struct image *old = find_ref(s, m->image->ref);
	int e = fault_errno("import.row");

	if (e < 0)
		svm_err_sys(&m->err, SVM_INTERNAL, e, "import.row");
	else if (s->daemon->stopping)
		svm_err_set(&m->err, SVM_UNAVAILABLE,
			    "the daemon is stopping");
	if (m->err.code) {
		import_end(m, NULL);
		return;
	}
	struct store_txn *t = store_begin(s->daemon->store);
	put_row(t, m->image, m->image->ref);
	add_event(t, m->image);
	if (must_keep(s, old, m->image))
		put_row(t, old, old->digest);
	store_commit(t, on_stored, m);
}

/* 2. The layers, on a worker thread. */

static int place_layer(struct import *m, int dir, size_t i)
{
	struct image_store *s = m->store;
	char name[DIGEST_TEXT + 1], index[24];
	struct stat st;
	int e = fault_errno("import.rename");

	if (e < 0)
		return svm_err_sys(&m->err, SVM_INTERNAL, e, "import.rename");
	image_layer_name(&m->layers[i].diff, name);
	snprintf(index, sizeof(index), "%zu", i);
	if (!m->layers[i].present &&
	    syscall(SYS_renameat2, dir, index, s->layers_fd, name,
		    SVM_RENAME_NOREPLACE) < 0 &&
	    errno != EEXIST && errno != ENOTEMPTY)
		return svm_err_sys(&m->err, SVM_INTERNAL, errno,
				   "can't place layer %zu", i + 1);
	/* Also what the worker said was there: it might have lied. */
	if (fstatat(s->layers_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode))
		return svm_err_set(&m->err, SVM_INTERNAL,
				   "layer %zu is missing after unpacking",
				   i + 1);
	return 0;
}

static void run_place(struct work *w)
{
	struct import *m = container_of(w, struct import, work);
	auto_close int dir = openat(m->store->tmp_fd, m->dir,
				    O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* All of a layer is on disk before its name is. */
	if (dir < 0 || syncfs(dir) < 0) {
		svm_err_sys(&m->err, SVM_INTERNAL, errno,
			    "can't sync the layers");
		return;
	}
	for (size_t i = 0; i < m->n; i++)
		if (place_layer(m, dir, i) < 0)
			return;
	if (fsync(m->store->layers_fd) < 0)
		svm_err_sys(&m->err, SVM_INTERNAL, errno,
			    "can't sync the layers");
}

static void place_done(struct work *w)
{
	struct import *m = container_of(w, struct import, work);

	if (m->err.code)
		import_end(m, NULL);
	else
		store_row(m);
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
static void take_layers(struct import *m)
{
	struct image *i = m->image;

	i->layers = xcalloc(m->n, sizeof(*i->layers));
	for (size_t k = 0; k < m->n; k++) {
		const struct import_layer *l = &m->layers[k];
		bool above = false;

		for (size_t j = k + 1; j < m->n; j++)
			above |= digest_equal(&m->layers[j].diff, &l->diff);
		if (above)
			continue;
		int64_t size = l->present ? known_size(m->store, &l->diff) :
					    l->size;
		i->layers[i->n++] = (struct image_layer){ l->diff, size };
		i->size_bytes += size;
	}
}

/* 1. The worker. */

static int on_progress(void *data, const cJSON *o, struct svm_err *err)
{
	struct import *m = data;
	struct image_progress now = { 0 };
	const char *stage = "";

	if (image_progress_read(&now, o, err) < 0 ||
	    json_get_string(o, "stage", &stage, err) < 0)
		return -1;
	now.stage = strcmp(stage, "receive") == 0 ? "receive" : "unpack";
	if (m->events)
		m->events->progress(m->data, &now);
	if (m->answer.req)
		image_answer_progress(&m->answer, &now);
	return 0;
}

static int on_layer(void *data, const cJSON *o, struct svm_err *err)
{
	struct import *m = data;
	int64_t index = 0, size = 0;
	const char *diff = "";
	bool present = false;
	int e = fault_errno("import.layer");

	if (e < 0)
		return svm_err_sys(err, SVM_INTERNAL, e, "import.layer");
	if (json_get_int(o, "index", 0, LIMIT_IMAGE_LAYERS - 1, &index, err) <
		    0 ||
	    json_get_int(o, "size", 0, LIMIT_IMAGE_BYTES, &size, err) < 0 ||
	    json_get_bool(o, "present", &present, err) < 0 ||
	    json_get_string(o, "diff_id", &diff, err) < 0)
		return -1;
	struct import_layer *l = &m->layers[index];
	if (l->seen || digest_parse(diff, &l->diff) < 0)
		return -1;
	l->seen = true;
	l->present = present;
	l->size = size;
	return 0;
}

static int name_image(struct import *m, const cJSON *o, struct svm_err *err)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	const char *own = "";

	if (m->name) {
		m->image->ref = steal_ptr(&m->name);
		return 0;
	}
	if (json_get_string(o, "ref", &own, err) < 0)
		return -1;
	if (*own && image_ref_normalise(own, &m->image->ref, &ignored) == 0)
		return 0;
	if (m->fallback) {
		m->image->ref = steal_ptr(&m->fallback);
		return 0;
	}
	svm_err_set(err, SVM_BAD_REQUEST,
		    "the archive does not say what the image is called");
	return svm_err_hint(err, "stacyvm image import FILE --name NAME");
}

static int on_image(void *data, const cJSON *o, struct svm_err *err)
{
	struct import *m = data;
	int64_t layers = 0;
	const char *digest = "", *ids = "";
	struct digest d;

	if (json_get_int(o, "layers", 1, LIMIT_IMAGE_LAYERS, &layers, err) <
		    0 ||
	    json_get_string(o, "digest", &digest, err) < 0 ||
	    json_get_string(o, "ids", &ids, err) < 0)
		return -1;
	m->n = (size_t)layers;
	for (size_t i = 0; i < m->n; i++)
		if (!m->layers[i].seen)
			return -1;
	if (!m->n || digest_parse(digest, &d) < 0 ||
	    !cJSON_IsObject(json_get(o, "config")))
		return -1;
	m->image = image_new();
	digest_format(&d, m->image->digest);
	m->image->full_ids = strcmp(ids, "full") == 0;
	m->image->created_ns = clock_wall_ns();
	if (image_config_read(json_get(o, "config"), &m->image->config, err) <
		    0 ||
	    name_image(m, o, err) < 0)
		return -1;
	return 1;
}

static void close_input(struct import *m)
{
	loop_fd_del(m->in_watch);
	m->in_watch = NULL;
	fd_close(steal_fd(&m->in));
	buf_release(&m->body);
}

static void on_worker_gone(void *data)
{
	close_input(data);
}

static void on_worker_ended(void *data)
{
	struct import *m = data;

	if (m->err.code) {
		import_end(m, NULL);
		return;
	}
	take_layers(m);
	m->work = (struct work){ .run = run_place, .done = place_done };
	work_submit(m->store->daemon->workers, &m->work);
}

static const struct worker_kind unpack_kind = {
	.name = "unpack",
	.reports = { { "progress", on_progress },
		     { "layer", on_layer },
		     { "image", on_image } },
	.gone = on_worker_gone,
	.ended = on_worker_ended,
};

/* Body bytes on their way to the worker. */
static void flush_body(struct import *m)
{
	while (m->in >= 0 && m->body.len) {
		ssize_t n = send(m->in, m->body.data, m->body.len,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			close_input(m); /* it has seen enough */
			break;
		}
		if (n < 0)
			break;
		buf_consume(&m->body, (size_t)n);
	}
	if (m->in >= 0 && m->body_ended && !m->body.len)
		close_input(m);
	if (m->in_watch)
		loop_fd_mod(m->in_watch, m->body.len ? LOOP_WRITE : 0);
	if (m->answer.req && !m->body_ended)
		http_body_pause(m->answer.req, m->body.len > 0);
}

static void on_in(struct loop *l, void *data, unsigned events)
{
	struct import *m = data;

	(void)l;
	if (events & (LOOP_HUP | LOOP_ERR))
		close_input(m);
	flush_body(m);
}

static void on_body(struct http_req *r, const void *p, size_t n)
{
	struct import *m = http_data(r);

	if (m->in < 0)
		return;
	buf_add(&m->body, p, n);
	flush_body(m);
}

static void on_body_end(struct http_req *r)
{
	struct import *m = http_data(r);

	m->body_ended = true;
	flush_body(m);
}

/* The client left: a half sent image is of no use to anybody; a whole one is
 * finished and serves the retry. */
static void on_gone(struct http_req *r)
{
	struct import *m = http_data(r);

	m->answer.req = NULL;
	if (!m->body_ended)
		worker_fail(&m->worker, SVM_CANCELLED,
			    "the client went away");
}

/* in: its standard input; option: one more argument, or NULL. */
static int start_worker(struct import *m, int in, char *option)
{
	struct image_store *s = m->store;
	auto_free char *target = xasprintf("%s/%s", s->tmp_path, m->dir);
	char *argv[] = { (char[]){ "/proc/self/exe" }, (char[]){ "__unpack" },
			 target, s->layers_path, option, NULL };
	char *envp[] = { (char[]){ "LC_ALL=C" }, NULL };

	if (mkdirat(s->tmp_fd, m->dir, 0700) < 0)
		return svm_err_sys(&m->err, SVM_INTERNAL, errno,
				   "can't make '%s'", target);
	return worker_start(&m->worker, argv, envp, in);
}

static int start_reading(struct import *m)
{
	auto_close int in = -1;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return svm_err_sys(&m->err, SVM_INTERNAL, errno,
				   "can't make a socket for the archive");
	m->in = pair[0];
	in = pair[1];
	if (start_worker(m, in, NULL) < 0)
		return -1;
	m->in_watch = loop_fd_add(m->store->daemon->loop, m->in, 0, on_in, m);
	return 0;
}

static struct import *import_new(struct image_store *s)
{
	struct import *m = xcalloc(1, sizeof(*m));

	m->store = s;
	m->in = -1;
	worker_init(&m->worker, s->daemon, &unpack_kind, m, &m->err);
	m->layers = xcalloc(LIMIT_IMAGE_LAYERS, sizeof(*m->layers));
	rand_hex(m->dir, 16);
	list_append(&s->imports, &m->link);
	images_begin(s);
	return m;
}

/* A name given in the query; `host` and digests are taken. */
static int read_name(const struct import *m, const char *key, char **ret,
		     struct svm_err *err)
{
	const char *text = http_query(m->answer.req, key);

	if (!text || !*text)
		return 0;
	if (image_ref_normalise(text, ret, err) < 0)
		return -1;
	if (strcmp(*ret, "host:latest") == 0 || image_ref_digest(*ret))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "an image can't be called '%s'", text);
	return 0;
}

static int read_query(struct import *m, struct svm_err *err)
{
	if (m->store->busy > LIMIT_IMAGE_IMPORTS) {
		svm_err_set(err, SVM_RESOURCE_LIMIT,
			    "%d images are being imported already",
			    LIMIT_IMAGE_IMPORTS);
		return svm_err_hint(err, "try again when one has finished");
	}
	if (m->store->daemon->stopping)
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "the daemon is stopping");
	if (read_name(m, "name", &m->name, err) < 0)
		return -1;
	return read_name(m, "fallback", &m->fallback, err);
}

void api_images_import(struct http_req *r, void *app)
{
	static const struct http_body_sink sink = { on_body, on_body_end };
	struct image_store *s = ((struct daemon *)app)->images;
	struct import *m = import_new(s);

	m->answer = image_answer_new(r);
	http_set_data(r, m);
	if (read_query(m, &m->err) < 0 || start_reading(m) < 0) {
		import_end(m, NULL);
		return;
	}
	http_on_gone(r, on_gone);
	http_body_read(r, &sink);
}

void import_pulled(struct image_store *s, const char *ref,
		   const struct digest *manifest,
		   const struct import_events *events, void *data)
{
	struct import *m = import_new(s);
	char digest[DIGEST_TEXT + 1];

	m->events = events;
	m->data = data;
	m->name = xstrdup(ref);
	m->body_ended = true;
	digest_format(manifest, digest);
	auto_free char *option = xasprintf("manifest=%s", digest);
	if (start_worker(m, s->downloads_fd, option) < 0)
		import_end(m, NULL);
}

/* At the end of the daemon, when no request, thread or store is left. */
void imports_abort(struct image_store *s)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->imports)
		import_free(list_entry(pos, struct import, link));
}
