/* SPDX-License-Identifier: MIT */
/*
 * POST /images/import: the body goes into the unpack worker's standard input
 * as fast as it reads, its reports come back, and when it is done what it has
 * unpacked becomes an image (unpacked.c).
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
#include "daemon/frames.h"
#include "daemon/http/http.h"
#include "daemon/image/answer.h"
#include "daemon/image/image.h"
#include "daemon/image/internal.h"
#include "daemon/image/ref.h"
#include "daemon/image/unpacked.h"
#include "daemon/image/worker.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
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

	struct unpacked unpacked; /* as reported */
	bool seen[LIMIT_IMAGE_LAYERS];
	struct svm_err err;   /* why it can't become an image */
};

static void import_free(struct import *m)
{
	worker_release(&m->worker);
	loop_fd_del(m->in_watch);
	fd_close(m->in);
	list_remove(&m->link);
	buf_release(&m->body);
	svm_err_release(&m->err);
	unpacked_release(&m->unpacked);
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
		frames_error(m->answer.req, &m->err);
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

/* The worker's reports. */

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
	struct unpacked_layer *l = &m->unpacked.layers[index];
	if (m->seen[index] || digest_parse(diff, &l->diff) < 0)
		return -1;
	m->seen[index] = true;
	l->present = present;
	l->size = size;
	return 0;
}

static int name_image(struct import *m, const cJSON *o, struct svm_err *err)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	char **ref = &m->unpacked.image->ref;
	const char *own = "";

	if (m->name) {
		*ref = steal_ptr(&m->name);
		return 0;
	}
	if (json_get_string(o, "ref", &own, err) < 0)
		return -1;
	if (*own && image_ref_normalise(own, ref, &ignored) == 0)
		return 0;
	if (m->fallback) {
		*ref = steal_ptr(&m->fallback);
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
	m->unpacked.n = (size_t)layers;
	for (size_t i = 0; i < m->unpacked.n; i++)
		if (!m->seen[i])
			return -1;
	if (digest_parse(digest, &d) < 0 ||
	    !cJSON_IsObject(json_get(o, "config")))
		return -1;
	struct image *i = m->unpacked.image = image_new();
	digest_format(&d, i->digest);
	i->full_ids = strcmp(ids, "full") == 0;
	i->created_ns = clock_wall_ns();
	if (image_config_read(json_get(o, "config"), &i->config, err) < 0 ||
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
	unpacked_store(&m->unpacked);
}

static void on_stored(void *data, const struct image *stored)
{
	import_end(data, stored);
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
	rand_hex(m->dir, 16);
	unpacked_init(&m->unpacked, s, m->dir, &m->err, on_stored, m);
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
		return image_stopping(err);
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

void imports_stop(struct image_store *s)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->imports)
		worker_stop(&list_entry(pos, struct import, link)->worker);
}

/* At the end of the daemon, when no request, thread or store is left. */
void imports_abort(struct image_store *s)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->imports)
		import_free(list_entry(pos, struct import, link));
}
