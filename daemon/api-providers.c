/* SPDX-License-Identifier: MIT */
/* Routes about providers, and what doctor shows. */
#include "daemon/api.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/runtimes.h"
#include "daemon/sandbox.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/work.h"

static void add_capabilities(struct json_writer *w, unsigned caps)
{
	json_open(w, "capabilities", '[');
	for (const struct provider_capability *c = provider_capabilities;
	     c->name; c++)
		if (caps & c->bit)
			json_str(w, NULL, c->name);
	json_close(w, ']');
}

static unsigned boxes_of(struct daemon *d, const char *provider)
{
	unsigned n = 0;

	for (struct sandbox *s = NULL; (s = sandbox_next(d, s));)
		n += strcmp(s->provider_name, provider) == 0;
	return n;
}

static void add_runtime(struct daemon *d, const struct runtime *rt,
			struct json_writer *w)
{
	const char *dflt = runtimes_default(d);
	char when[CLOCK_RFC3339_SIZE] = "";

	json_str(w, "name", rt->ops->name);
	json_str(w, "description", rt->ops->label);
	json_bool(w, "healthy", rt->healthy);
	json_bool(w, "enabled", rt->enabled);
	json_bool(w, "default", dflt && strcmp(dflt, rt->ops->name) == 0);
	json_double(w, "latency_ms", (double)rt->latency_ns / 1e6);
	if (rt->checked_ns)
		clock_format_rfc3339(rt->checked_ns, when);
	json_str(w, "last_checked", when);
	json_str(w, "error", rt->healthy ? "" : rt->why.msg);
	json_str(w, "remediation", rt->healthy ? "" : rt->why.hint);
	add_capabilities(w, rt->ops->caps);
	json_int(w, "runtime_count", boxes_of(d, rt->ops->name));
}

void api_provider_list(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	struct runtime *rt;

	json_open(&w, NULL, '[');
	for (size_t i = 0; (rt = runtimes_at(d, i)); i++) {
		runtimes_probe(rt); /* for the next caller; nobody waits */
		json_open(&w, NULL, '{');
		add_runtime(d, rt, &w);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	http_reply_json(r, 200, &out);
}

static void add_findings(struct json_writer *w,
			 const struct provider_findings *f)
{
	static const char *const levels[] = {
		[FINDING_OK] = "ok",
		[FINDING_NOTE] = "note",
		[FINDING_PROBLEM] = "problem",
	};

	json_open(w, "findings", '[');
	for (size_t i = 0; i < f->n; i++) {
		json_open(w, NULL, '{');
		json_str(w, "level", levels[f->v[i].level]);
		json_str(w, "what", f->v[i].what);
		json_str(w, "detail", f->v[i].detail);
		if (f->v[i].fix)
			json_str(w, "fix", f->v[i].fix);
		json_close(w, '}');
	}
	json_close(w, ']');
}

/* The keys of its own, "enabled" for providers.NAME.enabled. */
static void add_config(const struct config *c, const char *name,
		       struct json_writer *w)
{
	auto_free char *prefix = xasprintf("providers.%s.", name);
	size_t n = strlen(prefix);

	json_open(w, "config", '{');
	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		const char *key = config_key((enum config_id)i)->name;

		if (strncmp(key, prefix, n) == 0)
			config_add_value(c, (enum config_id)i, key + n, w);
	}
	json_close(w, '}');
}

void api_provider_get(struct http_req *r, void *app)
{
	struct daemon *d = app;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	const char *name = http_param(r, "name");
	struct runtime *rt = runtimes_find(d, name);

	if (!rt) {
		svm_err_set(&err, SVM_NOT_FOUND, "no provider '%.64s'", name);
		http_reply_error(r, &err);
		return;
	}
	json_open(&w, NULL, '{');
	add_runtime(d, rt, &w);
	json_int(&w, "sandbox_count", boxes_of(d, rt->ops->name));
	add_config(d->config, rt->ops->name, &w);
	add_findings(&w, &rt->findings);
	json_close(&w, '}');
	http_reply_json(r, 200, &out);
}

/* Probing every provider afresh, for `providers/test` and `doctor`. */

struct probe {
	struct work work;
	struct daemon *d;
	struct http_req *r; /* NULL once gone */
	bool doctor;
	size_t n;
	struct probed {
		const struct provider_ops *ops;
		bool enabled, usable;
		int64_t began_ns, took_ns;
		struct svm_err err;
		struct provider_findings findings;
	} v[16];
};

static void run_probes(struct work *work)
{
	struct probe *p = container_of(work, struct probe, work);

	for (size_t i = 0; i < p->n; i++) {
		struct probed *x = &p->v[i];

		x->began_ns = clock_boot_ns();
		x->usable = x->ops->probe(runtimes_host(p->d), &x->findings,
					  &x->err) == 0;
		x->took_ns = clock_boot_ns() - x->began_ns;
	}
}

static void reply_test(struct probe *p)
{
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	json_open(&w, NULL, '{');
	for (size_t i = 0; i < p->n; i++)
		json_bool(&w, p->v[i].ops->name,
			  p->v[i].enabled && p->v[i].usable);
	json_close(&w, '}');
	http_reply_json(p->r, 200, &out);
}

static void reply_doctor(struct probe *p)
{
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	struct daemon *d = p->d;

	json_open(&w, NULL, '{');
	json_str(&w, "version", SVM_VERSION);
	json_str(&w, "state_dir", d->dirs.state);
	json_str(&w, "socket", d->dirs.socket);
	json_int(&w, "port", d->tcp_port);
	if (d->tcp_problem)
		json_str(&w, "tcp_problem", d->tcp_problem);
	json_str(&w, "default_provider",
		 runtimes_default(d) ? runtimes_default(d) : "");
	json_open(&w, "providers", '[');
	for (size_t i = 0; i < p->n; i++) {
		struct probed *x = &p->v[i];

		json_open(&w, NULL, '{');
		json_str(&w, "name", x->ops->name);
		json_str(&w, "description", x->ops->label);
		json_bool(&w, "enabled", x->enabled);
		json_bool(&w, "usable", x->usable);
		json_str(&w, "error", x->err.msg);
		json_str(&w, "remediation", x->err.hint);
		add_findings(&w, &x->findings);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_close(&w, '}');
	http_reply_json(p->r, 200, &out);
}

/* What was found out is what GET /providers says from here on; one that could
 * not be opened before is tried by a probe that opens it. */
static void learn(struct daemon *d, struct probed *x)
{
	struct runtime *rt = runtimes_find(d, x->ops->name);

	if (!x->enabled)
		return;
	if (x->usable && !rt->provider)
		runtimes_probe(rt);
	else
		runtimes_learn(rt, x->usable, x->began_ns, x->took_ns,
			       &x->findings, &x->err);
}

static void probes_done(struct work *work)
{
	struct probe *p = container_of(work, struct probe, work);

	if (p->r && p->doctor)
		reply_doctor(p);
	else if (p->r)
		reply_test(p);
	for (size_t i = 0; i < p->n; i++) {
		learn(p->d, &p->v[i]);
		svm_err_release(&p->v[i].err);
		provider_findings_release(&p->v[i].findings);
	}
	free(p);
}

static void probe_gone(struct http_req *r)
{
	((struct probe *)http_data(r))->r = NULL;
}

static void start_probes(struct http_req *r, struct daemon *d, bool doctor)
{
	struct probe *p = xcalloc(1, sizeof(*p));
	struct runtime *rt;

	p->work.run = run_probes;
	p->work.done = probes_done;
	p->d = d;
	p->r = r;
	p->doctor = doctor;
	for (; p->n < ARRAY_SIZE(p->v) && (rt = runtimes_at(d, p->n)); p->n++)
		p->v[p->n] = (struct probed){ .ops = rt->ops,
					      .enabled = rt->enabled };
	http_set_data(r, p);
	http_on_gone(r, probe_gone);
	work_submit(d->workers, &p->work);
}

void api_provider_test(struct http_req *r, void *app)
{
	start_probes(r, app, false);
}

void api_doctor(struct http_req *r, void *app)
{
	start_probes(r, app, true);
}
