/* SPDX-License-Identifier: MIT */
/* The providers of this daemon.  See runtimes.h. */
#include "daemon/runtimes.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/failure-events.h"
#include "daemon/metrics.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

#define PROBE_EVERY SECONDS(30)

struct runtimes {
	struct daemon *daemon;
	bool automatic; /* providers.default is auto */
	struct provider_host host;
	struct runtime *v;
	size_t n;
	struct runtime *chosen; /* the default; NULL: none usable */
};

static bool enabled_in(const struct config *c, const char *name)
{
	auto_free char *key = xasprintf("providers.%s.enabled", name);
	auto_free char *value = config_value(c, key);

	return value && strcmp(value, "true") == 0;
}

void runtimes_learn(struct runtime *rt, bool usable, int64_t began_ns,
		    int64_t took_ns, struct provider_findings *findings,
		    struct svm_err *why)
{
	struct daemon *d = rt->owner->daemon;
	bool was = rt->healthy;

	metrics_add(d->metrics, "provider.probe", rt->ops->name, took_ns,
		    !usable);
	if (began_ns < rt->known_ns) { /* a later one was faster */
		svm_err_release(why);
		provider_findings_release(findings);
		return;
	}
	rt->known_ns = began_ns;
	svm_err_release(&rt->why);
	provider_findings_release(&rt->findings);
	rt->findings = *findings;
	*findings = (struct provider_findings){ 0 };
	rt->healthy = usable;
	if (!usable)
		svm_err_move(&rt->why, why);
	rt->latency_ns = took_ns;
	rt->checked_ns = clock_wall_ns();
	if (was && !usable) {
		log_warn_e(&rt->why, "provider %s is not usable any more",
			   rt->ops->name);
		failure_events_provider(d, rt->ops->name, &rt->why);
	}
}

static void run_probe(struct work *w)
{
	struct runtime *rt = container_of(w, struct runtime, work);
	const struct provider_host *host = &rt->owner->host;

	rt->probe_began_ns = clock_boot_ns();
	rt->probe_result =
		rt->ops->probe(host, &rt->probe_findings, &rt->probe_err);
	rt->probe_ns = clock_boot_ns() - rt->probe_began_ns;
	if (rt->probe_result == 0 && !rt->provider)
		rt->probe_result = provider_open(rt->ops, host, &rt->fresh,
						 &rt->probe_err);
}

static void probe_done(struct work *w)
{
	struct runtime *rt = container_of(w, struct runtime, work);

	rt->probing = false;
	runtimes_learn(rt, rt->probe_result == 0, rt->probe_began_ns,
		       rt->probe_ns, &rt->probe_findings, &rt->probe_err);
	if (!rt->fresh)
		return;
	rt->provider = steal_ptr(&rt->fresh);
	log_info("provider %s has become usable", rt->ops->name);
	if (!rt->owner->chosen && (rt->ops->caps & PROVIDER_ISOLATES) &&
	    rt->owner->automatic)
		rt->owner->chosen = rt;
}

void runtimes_probe(struct runtime *rt)
{
	if (rt->probing || !rt->enabled ||
	    (rt->probed_ns && clock_boot_ns() - rt->probed_ns < PROBE_EVERY))
		return;
	rt->probed_ns = clock_boot_ns();
	rt->probing = true;
	rt->work.run = run_probe;
	rt->work.done = probe_done;
	work_submit(rt->owner->daemon->workers, &rt->work);
}

static void open_one(struct runtimes *r, struct runtime *rt)
{
	struct svm_err err = SVM_ERR_INIT;

	if (!rt->enabled) {
		svm_err_set(&rt->why, SVM_UNAVAILABLE,
			    "provider '%s' is switched off", rt->ops->name);
		svm_err_hint(&rt->why, "set providers.%s.enabled: true",
			     rt->ops->name);
		return;
	}
	rt->checked_ns = clock_wall_ns();
	if (provider_open(rt->ops, &r->host, &rt->provider, &err) < 0) {
		log_warn_e(&err, "provider %s is not usable", rt->ops->name);
		svm_err_move(&rt->why, &err);
		return;
	}
	rt->healthy = true;
}

/* The first usable one that isolates; never mock by itself. */
static int choose_default(struct daemon *d, struct svm_err *err)
{
	struct runtimes *r = d->runtimes;
	auto_free char *want = config_value(d->config, "providers.default");

	if (want && *want && strcmp(want, "auto") != 0) {
		r->chosen = runtimes_find(d, want);
		if (!r->chosen)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "providers.default: no provider "
					   "'%s'", want);
		log_info("default provider is %s, as configured", want);
		return 0;
	}
	r->automatic = true;
	for (size_t i = 0; i < r->n && !r->chosen; i++)
		if (r->v[i].provider &&
		    (r->v[i].ops->caps & PROVIDER_ISOLATES))
			r->chosen = &r->v[i];
	if (r->chosen)
		log_info("default provider is %s: the first usable one",
			 r->chosen->ops->name);
	else
		log_warn("no provider that isolates is usable here; see: "
			 "stacyvm doctor");
	return 0;
}

int runtimes_open(struct daemon *d, struct svm_err *err)
{
	struct runtimes *r = xcalloc(1, sizeof(*r));
	auto_free char *uid = config_value(d->config,
					   "providers.native.base_uid");
	auto_free char *ptrace = config_value(d->config,
					      "providers.native.allow_ptrace");

	auto_free char *spares = config_value(d->config,
					      "providers.native.spares");

	d->runtimes = r;
	r->daemon = d;
	r->host = (struct provider_host){
		.state_dir = d->dirs.state,
		.instance_id = d->instance_id,
		.self = "/proc/self/exe",
		.native_base_uid =
			uid ? (uint32_t)strtoul(uid, NULL, 10) : 0,
		.native_allow_ptrace = ptrace && strcmp(ptrace, "true") == 0,
		.native_spares =
			spares ? (uint32_t)strtoul(spares, NULL, 10) : 0,
	};
	while (provider_builtin[r->n])
		r->n++;
	r->v = xcalloc(r->n, sizeof(*r->v));
	for (size_t i = 0; i < r->n; i++) {
		r->v[i].owner = r;
		r->v[i].ops = provider_builtin[i];
		r->v[i].enabled = enabled_in(d->config, r->v[i].ops->name);
		open_one(r, &r->v[i]);
	}
	return choose_default(d, err);
}

void runtimes_close(struct daemon *d)
{
	struct runtimes *r = d->runtimes;

	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		provider_close(r->v[i].provider);
		svm_err_release(&r->v[i].why);
		svm_err_release(&r->v[i].probe_err);
		provider_findings_release(&r->v[i].findings);
		provider_findings_release(&r->v[i].probe_findings);
	}
	free(r->v);
	free(r);
	d->runtimes = NULL;
}

struct runtime *runtimes_at(struct daemon *d, size_t i)
{
	return i < d->runtimes->n ? &d->runtimes->v[i] : NULL;
}

struct runtime *runtimes_find(struct daemon *d, const char *name)
{
	struct runtimes *r = d->runtimes;

	for (size_t i = 0; name && i < r->n; i++)
		if (strcmp(r->v[i].ops->name, name) == 0)
			return &r->v[i];
	return NULL;
}

const struct provider_host *runtimes_host(const struct daemon *d)
{
	return &d->runtimes->host;
}

const char *runtimes_default(const struct daemon *d)
{
	return d->runtimes->chosen ? d->runtimes->chosen->ops->name : NULL;
}

bool runtimes_list(struct daemon *d, unsigned caps, struct buf *out)
{
	size_t before = out->len;

	for (size_t i = 0; i < d->runtimes->n; i++)
		if ((d->runtimes->v[i].ops->caps & caps) == caps)
			buf_addf(out, "%s%s", out->len > before ? ", " : "",
				 d->runtimes->v[i].ops->name);
	if (out->len > before)
		return true;
	buf_addstr(out, "none");
	return false;
}

static struct provider *refuse_unknown(struct daemon *d, const char *name,
				       struct svm_err *err)
{
	auto_buf struct buf known = BUF_INIT;

	(void)runtimes_list(d, 0, &known);
	svm_err_set(err, SVM_BAD_REQUEST,
		    "no provider '%.64s'; known are: %s", name,
		    buf_str(&known));
	return NULL;
}

struct provider *runtimes_pick(struct daemon *d, const char *name,
			       struct svm_err *err)
{
	struct runtime *rt =
		name ? runtimes_find(d, name) : d->runtimes->chosen;

	if (!rt && name)
		return refuse_unknown(d, name, err);
	if (!rt) { /* say why the best candidate is not usable */
		struct runtime *best = &d->runtimes->v[0];

		svm_err_set(err, SVM_UNAVAILABLE,
			    "no provider is usable on this host: %s: %s",
			    best->ops->name,
			    best->why.msg ? best->why.msg : "unknown reason");
		svm_err_hint(err, "%s", best->why.hint ? best->why.hint :
							 "stacyvm doctor");
		return NULL;
	}
	if (rt->provider)
		return rt->provider;
	svm_err_set(err, SVM_UNAVAILABLE, "provider '%s' is not usable: %s",
		    rt->ops->name, rt->why.msg ? rt->why.msg : "it is closed");
	svm_err_hint(err, "%s",
		     rt->why.hint ? rt->why.hint : "stacyvm doctor");
	return NULL;
}

void runtimes_sweep(struct daemon *d, char *const *ids)
{
	for (size_t i = 0; i < d->runtimes->n; i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct runtime *rt = &d->runtimes->v[i];

		if (rt->provider &&
		    provider_sweep(rt->provider, ids, &err) < 0)
			log_warn_e(&err, "the sweep of provider %s left "
				   "something", rt->ops->name);
	}
}
