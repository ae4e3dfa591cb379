/* SPDX-License-Identifier: MIT */
/*
 * GET /sandboxes: the living from memory; with ?all=true also the destroyed
 * that are remembered, which a worker reads from the store.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/api.h"
#include "daemon/auth.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/sandbox.h"
#include "daemon/spec-json.h"
#include "daemon/store.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/work.h"

/* Which sandboxes are wanted, and may be seen; its own, so that a worker can
 * use it while the request goes away. */
struct filter {
	struct caller caller;
	char *caller_owner;
	char *state, *owner, *provider; /* NULL: any */
	char **metadata;                /* "K=V": each of them */
};

static char *wanted(const struct http_req *r, const char *name)
{
	const char *v = http_query(r, name);

	return v && *v ? xstrdup(v) : NULL;
}

static char **wanted_metadata(const struct http_req *r)
{
	const char *name, *value;
	unsigned n = 0;

	while (http_query_prefix(r, "metadata.", n, &name, &value))
		n++;
	char **v = xcalloc(n + 1u, sizeof(*v));
	for (unsigned i = 0; i < n; i++)
		if (http_query_prefix(r, "metadata.", i, &name, &value))
			v[i] = xasprintf("%s=%s", name + strlen("metadata."),
					 value);
	return v;
}

static void filter_release(struct filter *f)
{
	free(f->caller_owner);
	free(f->state);
	free(f->owner);
	free(f->provider);
	strv_free(f->metadata);
}

static int filter_init(struct filter *f, const struct daemon *d,
		       const struct http_req *r, struct svm_err *err)
{
	auto_buf struct buf known = BUF_INIT;
	enum sandbox_state state;
	const char *text = http_query(r, "state");

	*f = (struct filter){ 0 };
	if (text && *text && !sandbox_state_parse(text, &state)) {
		for (unsigned i = 0; i < SANDBOX_STATE_MAX; i++)
			buf_addf(&known, "%s%s", i ? ", " : "",
				 sandbox_state_name((enum sandbox_state)i));
		return svm_err_set(err, SVM_BAD_REQUEST, "no state '%.64s'; "
				   "known are: %s", text, buf_str(&known));
	}
	auth_caller(d, r, &f->caller);
	f->caller_owner = xstrdup(f->caller.owner);
	f->caller.owner = f->caller_owner;
	f->state = wanted(r, "state");
	f->owner = wanted(r, "owner");
	f->provider = wanted(r, "provider");
	f->metadata = wanted_metadata(r);
	return 0;
}

static bool is(const char *want, const char *have)
{
	return !want || strcmp(want, have ? have : "") == 0;
}

static bool has(char *const *metadata, const char *pair)
{
	for (; metadata && *metadata; metadata++)
		if (strcmp(*metadata, pair) == 0)
			return true;
	return false;
}

static bool passes(const struct filter *f, const char *state,
		   const char *owner, const char *provider,
		   char *const *metadata)
{
	if (!auth_may_see(&f->caller, owner) || !is(f->state, state) ||
	    !is(f->owner, owner) || !is(f->provider, provider))
		return false;
	for (char **m = f->metadata; *m; m++)
		if (!has(metadata, *m))
			return false;
	return true;
}

/* The next one that passes. */
static struct sandbox *next_living(struct daemon *d, const struct filter *f,
				   const struct sandbox *s)
{
	struct sandbox *next = sandbox_next(d, s);

	while (next && !passes(f, sandbox_state_name(next->state),
			       next->spec.owner, next->provider_name,
			       next->spec.metadata))
		next = sandbox_next(d, next);
	return next;
}

/* ?all=true. */

struct tombstone {
	int64_t created_ns;
	char *json;
};

struct list_all {
	struct work work;
	struct daemon *d;
	struct http_req *r; /* NULL once gone */
	struct filter filter;
	struct tombstone *dead; /* oldest first, as the store has them */
	size_t n, cap;
	int result;
	struct svm_err err;
};

static void keep(struct list_all *job, const struct store_sandbox *row,
		 const struct sandbox_spec *spec)
{
	struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	sandbox_tombstone_json(row, spec, &w);
	if (job->n == job->cap) {
		job->cap = job->cap ? job->cap * 2 : 16;
		job->dead = xreallocarray(job->dead, job->cap,
					  sizeof(*job->dead));
	}
	job->dead[job->n++] = (struct tombstone){ row->created_ns,
						  buf_steal(&out) };
}

static void add_tombstone(void *data, struct store_sandbox *row)
{
	struct list_all *job = data;
	struct sandbox_spec spec = { 0 };
	auto_err struct svm_err ignored = SVM_ERR_INIT;

	if (strcmp(row->state, "destroyed") != 0)
		return;
	(void)spec_from_json(row->spec, &spec, &ignored);
	if (passes(&job->filter, row->state, row->owner, row->provider,
		   spec.metadata))
		keep(job, row, &spec);
	sandbox_spec_release(&spec);
}

static void run_list(struct work *work)
{
	struct list_all *job = container_of(work, struct list_all, work);

	job->result = store_each_sandbox(job->d->store, add_tombstone, job,
					 &job->err);
}

/* Both are in order; newest first. */
static void merge(struct list_all *job, struct json_writer *w)
{
	struct sandbox *s = next_living(job->d, &job->filter, NULL);
	size_t left = job->n;

	while (s || left) {
		const struct tombstone *t = left ? &job->dead[left - 1] : NULL;

		if (s && (!t || s->created_ns >= t->created_ns)) {
			sandbox_json(s, w, false);
			s = next_living(job->d, &job->filter, s);
		} else {
			json_raw(w, NULL, t->json);
			left--;
		}
	}
}

static void list_done(struct work *work)
{
	struct list_all *job = container_of(work, struct list_all, work);
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	if (job->r && job->result < 0) {
		http_reply_error(job->r, &job->err);
	} else if (job->r) {
		json_open(&w, NULL, '[');
		merge(job, &w);
		json_close(&w, ']');
		http_reply_json(job->r, 200, &out);
	}
	for (size_t i = 0; i < job->n; i++)
		free(job->dead[i].json);
	free(job->dead);
	filter_release(&job->filter);
	svm_err_release(&job->err);
	free(job);
}

static void list_gone(struct http_req *r)
{
	((struct list_all *)http_data(r))->r = NULL;
}

/* Takes what f holds. */
static void start_all(struct http_req *r, struct daemon *d,
		      const struct filter *f)
{
	struct list_all *job = xcalloc(1, sizeof(*job));

	job->work.run = run_list;
	job->work.done = list_done;
	job->d = d;
	job->r = r;
	job->filter = *f;
	http_set_data(r, job);
	http_on_gone(r, list_gone);
	work_submit(d->workers, &job->work);
}

void api_sandbox_list(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	const char *all = http_query(r, "all");
	struct filter f;

	if (filter_init(&f, d, r, &err) < 0) {
		http_reply_error(r, &err);
		return;
	}
	if (all && strcmp(all, "true") == 0) {
		start_all(r, d, &f);
		return;
	}
	json_open(&w, NULL, '[');
	for (struct sandbox *s = NULL; (s = next_living(d, &f, s));)
		sandbox_json(s, &w, false);
	json_close(&w, ']');
	filter_release(&f);
	http_reply_json(r, 200, &out);
}
