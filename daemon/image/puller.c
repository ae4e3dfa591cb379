/* SPDX-License-Identifier: MIT */
/*
 * Pulls: POST /images/pull, and spawns of an image that is not here.  One
 * worker process per reference, however many wait for it; when it has brought
 * the blobs they are unpacked as those of an archive are (import.c).
 *
 * worker.c hears the worker and doubts it; answer.c answers who waits.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/auth.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/frames.h"
#include "daemon/http/http.h"
#include "daemon/image/answer.h"
#include "daemon/image/image.h"
#include "daemon/image/internal.h"
#include "daemon/image/ref.h"
#include "daemon/image/worker.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

struct pull {
	struct list link;
	struct image_store *store;
	char *ref;            /* canonical */
	char *owner;          /* who asked first: until it is here, it is
			       * their business; NULL: nobody's */
	struct list waiters;
	bool wanted;          /* by a spawn: it goes on without waiters */
	bool newer;           /* than what is here; set at the end */
	char *before;         /* digest of the image of that name, or NULL */
	int64_t begun_ns;
	int64_t told_ns;      /* its last event of progress */

	struct worker worker;
	bool unpacking;       /* the worker is done, import.c has it */
	struct digest manifest;
	char *from;           /* the server, once it is pulled */
	struct svm_err err;
};

/* Somebody who waits for a pull. */
struct waiter {
	struct list link;
	struct pull *pull;
	struct image_answer answer;
	void (*again)(struct http_req *r, void *app); /* a spawn's, or NULL */
};

static void pull_free(struct pull *p)
{
	worker_release(&p->worker);
	list_remove(&p->link);
	svm_err_release(&p->err);
	free(p->ref);
	free(p->owner);
	free(p->before);
	free(p->from);
	free(p);
}

/* Answers. */

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
	frames_error(w->answer.req, &e);
}

static void answer(struct waiter *w, const struct image *i,
		   const struct svm_err *err)
{
	const struct image_store *s = w->pull->store;
	struct http_req *r = w->answer.req;

	http_on_gone(r, NULL);
	http_set_data(r, NULL);
	list_remove(&w->link);
	if (w->again && i)
		w->again(r, s->daemon);
	else if (w->again)
		answer_spawn_error(w, err);
	else if (i)
		image_answer_pulled(&w->answer, s, i, w->pull->newer);
	else
		frames_error(r, err);
	free(w);
}

static void emit(const struct pull *p, enum event_type type, struct buf *data)
{
	if (!p->store->daemon->stopping)
		events_emit(p->store->daemon, type, NULL, p->owner,
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
	emit(p, EVENT_IMAGE_FAILED, &data);
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

/* The worker's reports. */

/* Those who watch get the first and then a few: events are stored. */
static void emit_progress(struct pull *p, const struct image_progress *now)
{
	auto_buf struct buf data = BUF_INIT;
	struct json_writer w = json_writer(&data);
	int64_t t = clock_boot_ns();

	if (p->told_ns && t - p->told_ns < LIMIT_TIME_IMAGE_EVENT)
		return;
	p->told_ns = t;
	json_open(&w, NULL, '{');
	json_str(&w, "ref", p->ref);
	image_progress_write(now, &w);
	json_close(&w, '}');
	emit(p, EVENT_IMAGE_PROGRESS, &data);
}

static void tell(struct pull *p, const struct image_progress *now)
{
	struct list *pos, *tmp;

	emit_progress(p, now);
	list_for_each_safe(pos, tmp, &p->waiters)
		image_answer_progress(&list_entry(pos, struct waiter,
						  link)->answer, now);
}

static int on_progress(void *data, const cJSON *o, struct svm_err *err)
{
	struct image_progress now = { .stage = "download" };

	if (image_progress_read(&now, o, err) < 0)
		return -1;
	tell(data, &now);
	return 0;
}

static int on_pulled(void *data, const cJSON *o, struct svm_err *err)
{
	struct pull *p = data;
	const char *manifest = "", *from = "";

	if (json_get_string(o, "manifest", &manifest, err) < 0 ||
	    json_get_string(o, "from", &from, err) < 0 ||
	    digest_parse(manifest, &p->manifest) < 0)
		return -1;
	p->from = xstrdup(from);
	return 1;
}

/* The blobs are there: unpack. */

static void on_unpacking(void *data, const struct image_progress *now)
{
	tell(data, now);
}

static void on_imported(void *data, const struct image *i,
			const struct svm_err *err)
{
	pull_end(data, i, err);
}

static void on_worker_ended(void *data)
{
	static const struct import_events events = { on_unpacking,
						     on_imported };
	struct pull *p = data;

	if (p->err.code) {
		pull_end(p, NULL, &p->err);
		return;
	}
	p->unpacking = true;
	import_pulled(p->store, p->ref, &p->manifest, &events, p);
}

static const struct worker_kind pull_kind = {
	.name = "pull",
	.reports = { { "progress", on_progress }, { "pulled", on_pulled } },
	.ended = on_worker_ended,
};

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

static int start_worker(struct pull *p)
{
	char **argv = worker_argv(p), **env = worker_env();
	int r = worker_start(&p->worker, argv, env, -1);

	strv_free(argv);
	strv_free(env);
	return r;
}

static int may_pull(const struct image_store *s, struct svm_err *err)
{
	size_t n = 0;

	for (const struct list *l = s->pulls.next; l != &s->pulls; l = l->next)
		n++;
	if (s->daemon->stopping)
		return image_stopping(err);
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
	worker_init(&p->worker, s->daemon, &pull_kind, p, &p->err);
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
	if (start_worker(p) < 0) {
		svm_err_move(err, &p->err);
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
		worker_fail(&p->worker, SVM_CANCELLED,
			    "nobody waits for it any more");
}

/* again: of a spawn, or NULL. */
static void wait_for(struct pull *p, struct http_req *r,
		     void (*again)(struct http_req *r, void *app))
{
	struct waiter *w = xcalloc(1, sizeof(*w));
	struct caller c;

	auth_caller(p->store->daemon, r, &c);
	if (!p->owner)
		p->owner = xstrdup(c.owner);
	w->pull = p;
	w->answer = image_answer_new(r);
	w->again = again;
	list_append(&p->waiters, &w->link);
	http_set_data(r, w);
	http_on_gone(r, on_gone);
}

void api_images_pull(struct http_req *r, void *app)
{
	struct image_store *s = ((struct daemon *)app)->images;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const struct buf *body = http_body(r);
	const char *ref = NULL;
	struct pull *p = NULL;

	if (json_parse_object(&doc, buf_str(body), body->len, &err) == 0 &&
	    json_get_string(doc.root, "ref", &ref, &err) == 0) {
		if (ref)
			p = find_or_start(s, ref, &err);
		else
			svm_err_set(&err, SVM_BAD_REQUEST,
				    "'ref' must say what to pull");
	}
	if (p)
		wait_for(p, r, NULL);
	else
		http_reply_error(r, &err);
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
		frames_error(r, &err);
		return true;
	}
	p->wanted = true;
	wait_for(p, r, again);
	return true;
}

void pulls_stop(struct image_store *s)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->pulls)
		worker_stop(&list_entry(pos, struct pull, link)->worker);
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
		pull_free(p);
	}
}
