/* SPDX-License-Identifier: MIT */
/*
 * Routes about the daemon itself: health, metrics, configuration; and what it
 * says of parts it does not have.
 */
#include "daemon/api.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/auth.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/metrics.h"
#include "daemon/runtimes.h"
#include "daemon/sandbox.h"
#include "daemon/template.h"
#include "daemon/templates.h"
#include "daemon/warm.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/fd.h"
#include "lib/base/json.h"

static void add_uptime(const struct daemon *d, struct json_writer *w)
{
	char text[DURATION_SIZE];
	int64_t ns = clock_boot_ns() - d->started_boot_ns;

	duration_format(ns - ns % 1000000, text);
	json_str(w, "uptime", text);
}

/* Those that somebody has. */
static size_t active(const struct daemon *d)
{
	struct warm_counts warm;

	warm_count(d, &warm);
	return sandbox_count(d) - warm.total;
}

void api_health(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	json_open(&w, NULL, '{');
	json_str(&w, "status", "ok");
	json_str(&w, "version", SVM_VERSION);
	add_uptime(d, &w);
	json_int(&w, "pid", getpid());
	json_int(&w, "port", d->tcp_port);
	if (d->tcp_problem)
		json_str(&w, "tcp_problem", d->tcp_problem);
	json_str(&w, "state_dir", d->dirs.state);
	json_int(&w, "sandboxes", (int64_t)active(d));
	json_close(&w, '}');
	http_reply_json(r, 200, &out);
}

void api_live(struct http_req *r, void *app)
{
	auto_buf struct buf out = BUF_INIT;

	(void)app;
	buf_addstr(&out, "{\"status\":\"live\"}");
	http_reply_json(r, 200, &out);
}

void api_ready(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;

	if (!runtimes_pick(d, NULL, &err)) {
		http_reply_error(r, &err);
		return;
	}
	buf_addstr(&out, "{\"status\":\"ready\"}");
	http_reply_json(r, 200, &out);
}

static void add_by_state(struct daemon *d, struct json_writer *w)
{
	unsigned count[SANDBOX_STATE_MAX] = { 0 };

	for (struct sandbox *s = NULL; (s = sandbox_next(d, s));)
		count[s->state]++;
	json_open(w, "by_state", '{');
	for (unsigned i = 0; i < SANDBOX_STATE_MAX; i++)
		if (count[i])
			json_int(w, sandbox_state_name((enum sandbox_state)i),
				 count[i]);
	json_close(w, '}');
}

static unsigned count_of(struct daemon *d, const char *provider)
{
	unsigned n = 0;

	for (struct sandbox *s = NULL; (s = sandbox_next(d, s));)
		n += strcmp(s->provider_name, provider) == 0;
	return n;
}

static void add_by_provider(struct daemon *d, struct json_writer *w)
{
	struct runtime *rt;

	json_open(w, "by_provider", '{');
	for (size_t i = 0; (rt = runtimes_at(d, i)); i++) {
		unsigned n = count_of(d, rt->ops->name);

		if (n)
			json_int(w, rt->ops->name, n);
	}
	json_close(w, '}');
}

/* Those that are switched on, as GET /providers has them. */
static void add_providers(struct daemon *d, struct json_writer *w)
{
	struct runtime *rt;

	json_open(w, "providers", '{');
	for (size_t i = 0; (rt = runtimes_at(d, i)); i++)
		if (rt->enabled)
			json_bool(w, rt->ops->name, rt->healthy);
	json_close(w, '}');
}

static void text_providers(struct daemon *d, struct buf *out)
{
	struct runtime *rt;

	buf_addstr(out, "# HELP stacyvm_provider_healthy Whether the last "
		   "probe found it usable.\n"
		   "# TYPE stacyvm_provider_healthy gauge\n");
	for (size_t i = 0; (rt = runtimes_at(d, i)); i++)
		if (rt->enabled)
			buf_addf(out, "stacyvm_provider_healthy{provider="
				 "\"%s\"} %d\n", rt->ops->name, rt->healthy);
}

static void add_warm(const struct daemon *d, struct json_writer *w)
{
	struct warm_counts warm;

	warm_count(d, &warm);
	json_open(w, "warm", '{');
	json_int(w, "ready", (int64_t)warm.ready);
	json_int(w, "making", (int64_t)warm.making);
	json_int(w, "wanted", (int64_t)warm.wanted);
	json_int(w, "claims", (int64_t)warm.claims);
	json_int(w, "misses", (int64_t)warm.misses);
	json_int(w, "failures", (int64_t)warm.failures);
	json_close(w, '}');
}

static int64_t resident_bytes(void)
{
	auto_buf struct buf text = BUF_INIT;
	long pages = 0;

	if (fd_slurp_path(-1, "/proc/self/statm", 256, &text) == 0)
		(void)sscanf(text.data, "%*d %ld", &pages);
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

void api_metrics(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	struct http_counts http;

	http_server_counts(d->http, &http);
	json_open(&w, NULL, '{');
	add_uptime(d, &w);
	json_int(&w, "goroutines", 0);
	json_int(&w, "memory_alloc", (int64_t)mallinfo2().uordblks);
	json_int(&w, "memory_resident", resident_bytes());
	json_int(&w, "active_sandboxes", (int64_t)active(d));
	json_int(&w, "total_sandboxes", (int64_t)sandbox_total(d));
	json_open(&w, "sandboxes", '{');
	json_int(&w, "total", (int64_t)sandbox_total(d));
	json_int(&w, "active", (int64_t)active(d));
	add_by_state(d, &w);
	add_by_provider(d, &w);
	json_close(&w, '}');
	add_warm(d, &w);
	add_providers(d, &w);
	json_open(&w, "http", '{');
	json_int(&w, "requests", (int64_t)http.requests);
	json_int(&w, "refused", (int64_t)http.refused);
	json_int(&w, "connections", http.connections);
	json_int(&w, "streams", http.streams);
	json_int(&w, "websockets", http.websockets);
	json_close(&w, '}');
	metrics_json(d->metrics, &w);
	json_close(&w, '}');
	http_reply_json(r, 200, &out);
}

static void add_metric(struct buf *out, const char *name, const char *type,
		       const char *help, double value)
{
	buf_addf(out, "# HELP stacyvm_%s %s\n# TYPE stacyvm_%s %s\n"
		 "stacyvm_%s %.15g\n", name, help, name, type, name, value);
}

void api_metrics_prometheus(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_buf struct buf out = BUF_INIT;
	struct http_counts http;
	struct warm_counts warm;

	warm_count(d, &warm);
	http_server_counts(d->http, &http);
	add_metric(&out, "uptime_seconds", "gauge", "Time since the start.",
		   (double)(clock_boot_ns() - d->started_boot_ns) / 1e9);
	add_metric(&out, "sandboxes_active", "gauge", "Living sandboxes.",
		   (double)active(d));
	add_metric(&out, "sandboxes_total", "counter",
		   "Sandboxes made or adopted since the start.",
		   (double)sandbox_total(d));
	add_metric(&out, "warm_ready", "gauge",
		   "Warm copies that can be claimed.", (double)warm.ready);
	add_metric(&out, "warm_wanted", "gauge",
		   "Warm copies that templates ask for.",
		   (double)warm.wanted);
	add_metric(&out, "warm_claims_total", "counter",
		   "Spawns that were a claim.", (double)warm.claims);
	add_metric(&out, "warm_failures_total", "counter",
		   "Warm copies that could not be made.",
		   (double)warm.failures);
	add_metric(&out, "warm_misses_total", "counter",
		   "Spawns that found no warm copy to claim.",
		   (double)warm.misses);
	add_metric(&out, "http_requests_total", "counter",
		   "Requests answered.", (double)http.requests);
	add_metric(&out, "http_connections", "gauge", "Open connections.",
		   http.connections);
	add_metric(&out, "resident_bytes", "gauge",
		   "Resident memory of the daemon.", (double)resident_bytes());
	text_providers(d, &out);
	metrics_text(d->metrics, &out);
	http_reply_bytes(r, 200, "text/plain; version=0.0.4", out.data,
			 out.len);
}

void api_config(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_buf struct buf out = BUF_INIT;

	config_json(d->config, &out);
	http_reply_json(r, 200, &out);
}

/* What is kept ready of each template that the caller may use. */
static void add_warm_templates(const struct daemon *d, struct http_req *r,
			       struct json_writer *w)
{
	struct caller c;

	auth_caller(d, r, &c);
	json_open(w, "warm", '[');
	for (struct template *t = NULL; (t = templates_next(d, t));) {
		struct warm_counts n;

		warm_count_of(d, t, &n);
		if (!templates_lists(d, &c, t) || !(t->pool_size || n.total))
			continue;
		json_open(w, NULL, '{');
		json_str(w, "template", t->name);
		if (t->owner)
			json_str(w, "owner_id", t->owner);
		json_int(w, "wanted", (int64_t)n.wanted);
		json_int(w, "ready", (int64_t)n.ready);
		json_int(w, "refilling", (int64_t)n.making);
		json_int(w, "claimed", (int64_t)n.claims);
		json_close(w, '}');
	}
	json_close(w, ']');
}

/* The published clients ask for the first five; this daemon shares no runtime
 * between users. */
void api_pool_status(struct http_req *r, void *app)
{
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	json_open(&w, NULL, '{');
	json_bool(&w, "enabled", false);
	json_int(&w, "vms", 0);
	json_int(&w, "max_vms", 0);
	json_int(&w, "total_users", 0);
	json_int(&w, "max_users_per_vm", 0);
	add_warm_templates(app, r, &w);
	json_close(&w, '}');
	http_reply_json(r, 200, &out);
}

/* No provider of this daemon makes any. */
void api_snapshot_list(struct http_req *r, void *app)
{
	auto_buf struct buf out = BUF_INIT;

	(void)app;
	buf_addstr(&out, "[]");
	http_reply_json(r, 200, &out);
}
