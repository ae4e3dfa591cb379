/* SPDX-License-Identifier: MIT */
/*
 * Pulls: POST /images/pull, and spawns of an image that is not here.  One
 * worker process per reference, however many wait for it; when it has brought
 * the blobs they are unpacked as those of an archive are (import.c).
 *
 * What the worker says comes from a process that spoke with strangers, so it
 * is checked as if they had sent it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/http/http.h"
#include "daemon/image/image.h"
#include "daemon/image/internal.h"
#include "daemon/image/ref.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/proc.h"

struct pull {
	struct list link;
	struct image_store *store;
	char *ref;            /* canonical */
	struct list waiters;
	bool wanted;          /* by a spawn: it goes on without waiters */
	bool newer;           /* than what is here; set at the end */
	char *before;         /* digest of the image of that name, or NULL */
	int64_t begun_ns;
	int64_t told_ns;      /* its last event of progress */

	pid_t pid;
	int pidfd, out, status;
	struct loop_fd *pid_watch, *out_watch;
	struct buf lines;     /* a report's beginning */
	bool unpacking;       /* the worker is done, import.c has it */
	bool pulled;          /* it said so */
	struct digest manifest;
	char *from;
	struct svm_err err;
};

/* Somebody who waits for a pull. */
struct waiter {
	struct list link;
	struct pull *pull;
	struct http_req *req;
	bool frames, begun;
	void (*again)(struct http_req *r, void *app); /* a spawn's, or NULL */
};

static void pull_free(struct pull *p)
{
	loop_fd_del(p->pid_watch);
	loop_fd_del(p->out_watch);
	fd_close(p->pidfd);
	fd_close(p->out);
	list_remove(&p->link);
	buf_release(&p->lines);
	svm_err_release(&p->err);
	free(p->ref);
	free(p->before);
	free(p->from);
	free(p);
}

/* Answers. */

static void send_line(struct waiter *w, struct buf *line)
{
	if (!w->begun) {
		http_reply_header(w->req, "Cache-Control", "no-cache");
		http_reply_header(w->req, "X-Accel-Buffering", "no");
		http_stream_begin(w->req, 200, "application/x-ndjson", -1);
		http_stream_keepalive(w->req, "\n");
		w->begun = true;
	}
	buf_addch(line, '\n');
	http_stream_write(w->req, line->data, line->len);
}

static void answer_error(struct waiter *w, const struct svm_err *err)
{
	auto_buf struct buf line = BUF_INIT;
	struct json_writer j = json_writer(&line);

	if (!w->begun) {
		http_reply_error(w->req, err);
		return;
	}
	json_open(&j, NULL, '{');
	json_str(&j, "type", "error");
	json_str(&j, "code", svm_code_name(err->code));
	json_str(&j, "message", err->msg);
	if (err->hint)
		json_str(&j, "remediation", err->hint);
	json_close(&j, '}');
	send_line(w, &line);
	http_stream_end(w->req);
}

static void answer_image(struct waiter *w, const struct image *i)
{
	auto_buf struct buf line = BUF_INIT;
	struct json_writer j = json_writer(&line);
	struct image_store *s = w->pull->store;

	if (!w->frames) {
		image_write(s, i, &j, NULL);
		http_reply_json(w->req, w->pull->newer ? 201 : 200, &line);
		return;
	}
	json_open(&j, NULL, '{');
	json_str(&j, "type", "image");
	json_bool(&j, "newer", w->pull->newer);
	image_write(s, i, &j, "image");
	json_close(&j, '}');
	send_line(w, &line);
	http_stream_end(w->req);
}

/* That a registry does not know the image is no matter of a sandbox that is
 * not found. */
static void answer_spawn_error(struct waiter *w, const struct svm_err *err)
{
	auto_err struct svm_err e = SVM_ERR_INIT;

	svm_err_set(&e, err->code == SVM_NOT_FOUND ? SVM_UNAVAILABLE :
						     err->code,
		    "the image '%s' is not here and can't be pulled: %s",
		    w->pull->ref, err->msg);
	if (err->hint)
		svm_err_hint(&e, "%s", err->hint);
	http_reply_error(w->req, &e);
}

static void answer(struct waiter *w, const struct image *i,
		   const struct svm_err *err)
{
	struct daemon *d = w->pull->store->daemon;

	http_on_gone(w->req, NULL);
	http_set_data(w->req, NULL);
	list_remove(&w->link);
	if (w->again && i)
		w->again(w->req, d);
	else if (w->again)
		answer_spawn_error(w, err);
	else if (i)
		answer_image(w, i);
	else
		answer_error(w, err);
	free(w);
}

static void emit(const struct pull *p, const char *type, struct buf *data)
{
	if (!p->store->daemon->stopping)
		events_emit(p->store->daemon, type, NULL, NULL,
			    buf_str(data));
}

static void emit_failure(const struct pull *p, const struct svm_err *err)
{
	auto_buf struct buf data = BUF_INIT;
	struct json_writer w = json_writer(&data);

	json_open(&w, NULL, '{');
	json_str(&w, "ref", p->ref);
	json_str(&w, "code", svm_code_name(err->code));
	json_str(&w, "error", err->msg);
	json_close(&w, '}');
	emit(p, "image.failed", &data);
}

/* The end of every pull.  i: borrowed, or NULL with err. */
static void pull_end(struct pull *p, const struct image *i,
		     const struct svm_err *err)
{
	struct image_store *s = p->store;

	p->newer = i && (!p->before || strcmp(p->before, i->digest) != 0);
	if (i)
		log_info("image=%s pulled from=%s digest=%s newer=%d ms=%lld",
			 p->ref, p->from, i->digest, p->newer,
			 (long long)((clock_boot_ns() - p->begun_ns) /
				     1000000));
	else {
		log_warn("image=%s pull failed: %s", p->ref, err->msg);
		emit_failure(p, err);
	}
	/* From here on nobody joins, and again() may start others. */
	list_remove(&p->link);
	while (!list_empty(&p->waiters))
		answer(list_entry(p->waiters.next, struct waiter, link), i,
		       err);
	if (list_empty(&s->pulls))
		downloads_sweep(s, !i && !p->unpacking);
	pull_free(p);
	images_end(s);
}

static int pull_fail(struct pull *p, enum svm_code code, const char *what)
{
	if (!p->err.code)
		svm_err_set(&p->err, code, "%s", what);
	if (p->pidfd >= 0)
		proc_pidfd_kill(p->pidfd, SIGKILL);
	return -1;
}

/* The worker's reports. */

struct progress {
	const char *stage;
	int64_t layer, layers, bytes, total;
};

static void add_progress(struct json_writer *j, const struct progress *now)
{
	json_str(j, "stage", now->stage);
	json_int(j, "layer", now->layer);
	json_int(j, "layers", now->layers);
	json_int(j, "bytes", now->bytes);
	if (now->total)
		json_int(j, "total", now->total);
}

/* Those who watch get the first and then a few: events are stored. */
static void emit_progress(struct pull *p, const struct progress *now)
{
	auto_buf struct buf data = BUF_INIT;
	struct json_writer w = json_writer(&data);
	int64_t t = clock_boot_ns();

	if (p->told_ns && t - p->told_ns < LIMIT_TIME_IMAGE_EVENT)
		return;
	p->told_ns = t;
	json_open(&w, NULL, '{');
	json_str(&w, "ref", p->ref);
	add_progress(&w, now);
	json_close(&w, '}');
	emit(p, "image.progress", &data);
}

static void tell(struct pull *p, const struct progress *now)
{
	struct list *pos, *tmp;

	emit_progress(p, now);
	list_for_each_safe(pos, tmp, &p->waiters) {
		struct waiter *w = list_entry(pos, struct waiter, link);
		auto_buf struct buf line = BUF_INIT;
		struct json_writer j = json_writer(&line);

		if (!w->frames || (w->begun && http_stream_queued(w->req) >
						       LIMIT_QUEUE_HIGH))
			continue;
		json_open(&j, NULL, '{');
		json_str(&j, "type", "progress");
		add_progress(&j, now);
		json_close(&j, '}');
		send_line(w, &line);
	}
}

static int protocol_error(struct pull *p)
{
	return pull_fail(p, SVM_INTERNAL, "the pull worker sent a report that "
					  "makes no sense");
}

static int on_progress(struct pull *p, const cJSON *o)
{
	struct progress now = { .stage = "download" };

	if (json_get_int(o, "layer", 0, LIMIT_IMAGE_LAYERS, &now.layer,
			 &p->err) < 0 ||
	    json_get_int(o, "layers", 0, LIMIT_IMAGE_LAYERS, &now.layers,
			 &p->err) < 0 ||
	    json_get_int(o, "bytes", 0, LIMIT_IMAGE_BYTES, &now.bytes,
			 &p->err) < 0 ||
	    json_get_int(o, "total", 0, LIMIT_IMAGE_BYTES, &now.total,
			 &p->err) < 0)
		return -1;
	tell(p, &now);
	return 0;
}

static int on_pulled(struct pull *p, const cJSON *o)
{
	const char *manifest = "", *from = "";

	if (json_get_string(o, "manifest", &manifest, &p->err) < 0 ||
	    json_get_string(o, "from", &from, &p->err) < 0)
		return -1;
	if (p->pulled || digest_parse(manifest, &p->manifest) < 0)
		return protocol_error(p);
	p->from = xstrdup(from);
	p->pulled = true;
	return 0;
}

static int on_error(struct pull *p, const cJSON *o)
{
	const char *code = "", *msg = "", *hint = "";
	enum svm_code c;

	if (json_get_string(o, "code", &code, &p->err) < 0 ||
	    json_get_string(o, "message", &msg, &p->err) < 0 ||
	    json_get_string(o, "remediation", &hint, &p->err) < 0)
		return -1;
	c = svm_code_parse(code);
	svm_err_set(&p->err, c == SVM_OK ? SVM_INTERNAL : c, "%.2000s", msg);
	if (*hint)
		svm_err_hint(&p->err, "%.500s", hint);
	else if (c == SVM_UNAVAILABLE)
		svm_err_hint(&p->err, "check the network (https_proxy and "
			     "registries.mirrors are honoured), or bring the "
			     "image from elsewhere: docker save '%.256s' | "
			     "stacyvm image import - --name '%.256s'", p->ref,
			     p->ref);
	return -1;
}

static int on_report(struct pull *p, const char *text, size_t n)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	static const struct {
		const char *type;
		int (*take)(struct pull *p, const cJSON *o);
	} kinds[] = { { "progress", on_progress }, { "pulled", on_pulled },
		      { "error", on_error } };
	const char *type = "";

	if (json_parse_object(&doc, text, n, &p->err) < 0 ||
	    json_get_string(doc.root, "type", &type, &p->err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(type, kinds[i].type) == 0)
			return kinds[i].take(p, doc.root);
	return protocol_error(p);
}

static int take_lines(struct pull *p)
{
	for (char *end; p->lines.len &&
			(end = memchr(p->lines.data, '\n', p->lines.len));) {
		size_t n = (size_t)(end - p->lines.data);

		if (on_report(p, p->lines.data, n) < 0)
			return -1;
		buf_consume(&p->lines, n + 1);
	}
	return p->lines.len > KIB(64) ? protocol_error(p) : 0;
}

/* The blobs are there: unpack. */

static void on_unpacking(void *data, int64_t layer, int64_t layers,
			 int64_t bytes)
{
	tell(data, &(struct progress){ "unpack", layer, layers, bytes, 0 });
}

static void on_imported(void *data, const struct image *i,
			const struct svm_err *err)
{
	pull_end(data, i, err);
}

static void worker_ended(struct pull *p)
{
	static const struct import_events events = { on_unpacking,
						     on_imported };

	if (!p->err.code && p->store->daemon->stopping)
		pull_fail(p, SVM_UNAVAILABLE, "the daemon is stopping");
	if (!p->err.code && (!p->pulled || p->status))
		svm_err_set(&p->err, SVM_INTERNAL,
			    "the pull worker ended without a result (%s %d)",
			    WIFSIGNALED(p->status) ? "signal" : "status",
			    WIFSIGNALED(p->status) ? WTERMSIG(p->status) :
						     WEXITSTATUS(p->status));
	if (p->err.code) {
		pull_end(p, NULL, &p->err);
		return;
	}
	p->unpacking = true;
	import_pulled(p->store, p->ref, &p->manifest, &events, p);
}

static void check_ended(struct pull *p)
{
	if (!p->pid_watch && !p->out_watch)
		worker_ended(p);
}

static void on_pid(struct loop *l, void *data, unsigned events)
{
	struct pull *p = data;

	(void)l;
	(void)events;
	if (waitpid(p->pid, &p->status, WNOHANG) == 0)
		return;
	loop_fd_del(p->pid_watch);
	p->pid_watch = NULL;
	fd_close(steal_fd(&p->pidfd));
	check_ended(p);
}

static void on_out(struct loop *l, void *data, unsigned events)
{
	struct pull *p = data;
	char block[KIB(16)];
	ssize_t n = read(p->out, block, sizeof(block));

	(void)l;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && p->store->daemon->stopping)
		pull_fail(p, SVM_UNAVAILABLE, "the daemon is stopping");
	/* After an error its words are only drained. */
	if (n > 0 && !p->err.code) {
		buf_add(&p->lines, block, (size_t)n);
		if (take_lines(p) < 0)
			pull_fail(p, SVM_INTERNAL, "pulling failed");
	}
	if (n > 0)
		return;
	loop_fd_del(p->out_watch);
	p->out_watch = NULL;
	check_ended(p);
}

/* Start. */

static void add_pair(char ***argv, size_t *n, const char *name,
		     const char *value)
{
	*argv = xreallocarray(*argv, *n + 2, sizeof(**argv));
	(*argv)[(*n)++] = xasprintf("%s=%s", name, value);
	(*argv)[*n] = NULL;
}

static char **worker_argv(const struct pull *p)
{
	const struct config *c = p->store->daemon->config;
	char **argv = xcalloc(7, sizeof(*argv));
	size_t n = 6;

	argv[0] = xstrdup("/proc/self/exe");
	argv[1] = xstrdup("__pull");
	argv[2] = xstrdup(p->store->downloads_path);
	argv[3] = xstrdup(p->store->layers_path);
	argv[4] = xstrdup(p->ref);
	argv[5] = xasprintf("%lld", (long long)(c->registries_timeout /
						SECONDS(1)));
	for (char **m = c->registries_mirrors; *m; m++)
		add_pair(&argv, &n, "mirror", *m);
	for (char **h = c->registries_insecure; *h; h++)
		add_pair(&argv, &n, "insecure", *h);
	return argv;
}

/* Of our environment it gets what it needs. */
static char **worker_env(void)
{
	static const char *const names[] = {
		"HOME", "DOCKER_CONFIG", "SSL_CERT_FILE", "http_proxy",
		"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
		"no_proxy", "NO_PROXY", "ASAN_OPTIONS", "UBSAN_OPTIONS",
	};
	char **env = xcalloc(2, sizeof(*env));
	size_t n = 1;

	env[0] = xstrdup("LC_ALL=C");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value)
			add_pair(&env, &n, names[i], value);
	}
	return env;
}

static int start_worker(struct pull *p, struct svm_err *err)
{
	struct loop *l = p->store->daemon->loop;
	auto_close int out = -1;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "pipe");
	p->out = pair[0];
	out = pair[1];
	(void)fd_set_nonblock(p->out, true);
	const int fds[] = { -1, -1, -1, out };
	char **argv = worker_argv(p), **env = worker_env();
	p->pid = proc_spawn(argv, env, fds, ARRAY_SIZE(fds), 0, &p->pidfd);
	strv_free(argv);
	strv_free(env);
	if (p->pid < 0)
		return svm_err_sys(err, SVM_INTERNAL, p->pid,
				   "can't start the pull worker");
	p->pid_watch = loop_fd_add(l, p->pidfd, LOOP_READ, on_pid, p);
	p->out_watch = loop_fd_add(l, p->out, LOOP_READ, on_out, p);
	return 0;
}

static int may_pull(const struct image_store *s, struct svm_err *err)
{
	size_t n = 0;

	for (const struct list *l = s->pulls.next; l != &s->pulls; l = l->next)
		n++;
	if (s->daemon->stopping)
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "the daemon is stopping");
	if (!s->daemon->config->registries_pull) {
		svm_err_set(err, SVM_UNAVAILABLE,
			    "images are not pulled here");
		return svm_err_hint(err, "set registries.pull, or: stacyvm "
					 "image import FILE");
	}
	if (n < LIMIT_IMAGE_PULLS)
		return 0;
	svm_err_set(err, SVM_RESOURCE_LIMIT,
		    "%d images are being pulled already", LIMIT_IMAGE_PULLS);
	return svm_err_hint(err, "try again when one has finished");
}

static struct pull *pull_new(struct image_store *s, const char *ref)
{
	struct pull *p = xcalloc(1, sizeof(*p));

	p->store = s;
	p->ref = xstrdup(ref);
	p->pidfd = p->out = -1;
	p->begun_ns = clock_boot_ns();
	list_init(&p->waiters);
	for (struct list *l = s->images.next; l != &s->images; l = l->next) {
		const struct image *i = list_entry(l, struct image, link);

		if (strcmp(i->ref, ref) == 0)
			p->before = xstrdup(i->digest);
	}
	list_append(&s->pulls, &p->link);
	images_begin(s); /* what is here must stay until it is stored */
	return p;
}

/* The pull of that ref, running or started now. */
static struct pull *find_or_start(struct image_store *s, const char *text,
				  struct svm_err *err)
{
	struct image_ref parsed = { 0 };
	auto_free char *ref = NULL;

	if (image_ref_parse(text, &parsed, err) < 0)
		return NULL;
	image_ref_release(&parsed);
	if (image_ref_normalise(text, &ref, err) < 0)
		return NULL;
	for (struct list *l = s->pulls.next; l != &s->pulls; l = l->next) {
		struct pull *p = list_entry(l, struct pull, link);

		/* One that was given up is only waiting for its worker. */
		if (strcmp(p->ref, ref) == 0 && !p->err.code)
			return p;
	}
	if (may_pull(s, err) < 0)
		return NULL;
	struct pull *p = pull_new(s, ref);
	if (start_worker(p, err) < 0) {
		pull_free(p);
		images_end(s);
		return NULL;
	}
	log_info("image=%s pull begins", ref);
	return p;
}

/* Waiting. */

static void on_gone(struct http_req *r)
{
	struct waiter *w = http_data(r);
	struct pull *p = w->pull;

	list_remove(&w->link);
	free(w);
	if (list_empty(&p->waiters) && !p->wanted && !p->unpacking)
		pull_fail(p, SVM_CANCELLED, "nobody waits for it any more");
}

static struct waiter *wait_for(struct pull *p, struct http_req *r)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->pull = p;
	w->req = r;
	list_append(&p->waiters, &w->link);
	http_set_data(r, w);
	http_on_gone(r, on_gone);
	return w;
}

void api_images_pull(struct http_req *r, void *app)
{
	struct image_store *s = ((struct daemon *)app)->images;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const struct buf *body = http_body(r);
	const char *ref = NULL, *frames = http_query(r, "frames");
	struct pull *p = NULL;

	if (json_parse_object(&doc, buf_str(body), body->len, &err) == 0 &&
	    json_get_string(doc.root, "ref", &ref, &err) == 0) {
		if (ref)
			p = find_or_start(s, ref, &err);
		else
			svm_err_set(&err, SVM_BAD_REQUEST,
				    "'ref' must say what to pull");
	}
	if (!p) {
		http_reply_error(r, &err);
		return;
	}
	wait_for(p, r)->frames = frames && strcmp(frames, "full") == 0;
}

void image_pull_forget(struct image_store *s)
{
	free(s->missing);
	s->missing = NULL;
}

bool image_pull_wait(struct image_store *s, struct http_req *r,
		     void (*again)(struct http_req *r, void *app))
{
	auto_free char *text = steal_ptr(&s->missing);
	auto_err struct svm_err err = SVM_ERR_INIT, ignored = SVM_ERR_INIT;
	struct image_ref parsed = { 0 };

	/* What no registry can have: the caller's own error says more. */
	if (!text || !s->daemon->config->registries_pull ||
	    image_ref_parse(text, &parsed, &ignored) < 0)
		return false;
	image_ref_release(&parsed);
	struct pull *p = find_or_start(s, text, &err);
	if (!p) {
		http_reply_error(r, &err);
		return true;
	}
	p->wanted = true;
	wait_for(p, r)->again = again;
	return true;
}

/* At the end of the daemon, when no request, thread or store is left. */
void pulls_abort(struct image_store *s)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->pulls) {
		struct pull *p = list_entry(pos, struct pull, link);
		struct list *wait, *next;

		list_for_each_safe(wait, next, &p->waiters)
			free(list_entry(wait, struct waiter, link));
		if (p->pidfd >= 0) {
			proc_pidfd_kill(p->pidfd, SIGKILL);
			(void)waitpid(p->pid, NULL, 0);
		}
		pull_free(p);
	}
}
