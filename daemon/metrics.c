/* SPDX-License-Identifier: MIT */
/* Counters and latency histograms.  See metrics.h. */
#include "daemon/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http/http.h"
#include "daemon/route-info.h"
#include "lib/base/list.h"
#include "lib/base/mem.h"

/* Upper bounds in microseconds: a spawn is at home at 2 ms, an exec of
 * nothing below 1, an image import far to the right. */
static const int64_t bounds_us[] = {
	250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	500000, 1000000, 2500000, 10000000, 60000000,
};
#define BOUNDS ARRAY_SIZE(bounds_us)

struct series {
	struct list link;
	const char *operation;
	char *provider;
	uint64_t count, failures;
	int64_t sum_ns;
	uint64_t buckets[BOUNDS + 1]; /* not cumulative; the last is +Inf */
};

struct metrics {
	struct list all;
};

struct metrics *metrics_new(void)
{
	struct metrics *m = xcalloc(1, sizeof(*m));

	list_init(&m->all);
	return m;
}

void metrics_free(struct metrics *m)
{
	struct list *pos, *tmp;

	if (!m)
		return;
	list_for_each_safe(pos, tmp, &m->all) {
		struct series *s = list_entry(pos, struct series, link);

		free(s->provider);
		free(s);
	}
	free(m);
}

/* Operations and providers are few and known, so the list stays short. */
static struct series *find(struct metrics *m, const char *operation,
			   const char *provider)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->all) {
		struct series *s = list_entry(pos, struct series, link);

		if (strcmp(s->operation, operation) == 0 &&
		    strcmp(s->provider, provider) == 0)
			return s;
	}
	struct series *s = xcalloc(1, sizeof(*s));
	s->operation = operation;
	s->provider = xstrdup(provider);
	list_append(&m->all, &s->link);
	return s;
}

void metrics_add(struct metrics *m, const char *operation,
		 const char *provider, int64_t ns, bool failed)
{
	struct series *s = find(m, operation, provider);
	size_t i = 0;

	while (i < BOUNDS && ns > bounds_us[i] * 1000)
		i++;
	s->buckets[i]++;
	s->count++;
	s->failures += failed;
	s->sum_ns += ns;
}

void metrics_observe(struct metrics *m, const struct http_req *r)
{
	const struct http_route *route = http_route_of(r);
	const struct route_info *info = route ? route_info(route) : NULL;
	const char *provider = http_noted(r, HTTP_NOTE_GROUP);
	int status = http_status(r);

	if (info && !(info->flags & ROUTE_UNTIMED))
		metrics_add(m, info->action, provider ? provider : "",
			    http_took_ns(r),
			    !status || status >= 400 ||
				    http_error_code(r) != SVM_OK);
}

/* Showing. */

static void series_json(const struct series *s, struct json_writer *w)
{
	uint64_t below = 0;

	json_open(w, NULL, '{');
	json_str(w, "operation", s->operation);
	json_str(w, "provider", s->provider);
	json_int(w, "count", (int64_t)s->count);
	json_int(w, "failures", (int64_t)s->failures);
	json_open(w, "latency", '{');
	json_double(w, "sum_ms", (double)s->sum_ns / 1e6);
	json_open(w, "buckets", '[');
	for (size_t i = 0; i <= BOUNDS; i++) {
		below += s->buckets[i];
		json_open(w, NULL, '{');
		if (i < BOUNDS)
			json_double(w, "le_ms", (double)bounds_us[i] / 1e3);
		else
			json_null(w, "le_ms");
		json_int(w, "count", (int64_t)below);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_close(w, '}');
	json_close(w, '}');
}

void metrics_json(const struct metrics *m, struct json_writer *w)
{
	struct list *pos, *tmp;

	json_open(w, "operations", '[');
	list_for_each_safe(pos, tmp, &m->all)
		series_json(list_entry(pos, struct series, link), w);
	json_close(w, ']');
}

static void family(struct buf *out, const char *name, const char *type,
		   const char *help)
{
	buf_addf(out, "# HELP stacyvm_%s %s\n# TYPE stacyvm_%s %s\n", name,
		 help, name, type);
}

static void add_histogram(struct buf *out, const struct series *s)
{
	uint64_t below = 0;

	for (size_t i = 0; i <= BOUNDS; i++) {
		below += s->buckets[i];
		buf_addf(out, "stacyvm_operation_duration_seconds_bucket{"
			 "operation=\"%s\",provider=\"%s\",le=\"",
			 s->operation, s->provider);
		if (i < BOUNDS)
			buf_addf(out, "%g", (double)bounds_us[i] / 1e6);
		else
			buf_addstr(out, "+Inf");
		buf_addf(out, "\"} %" PRIu64 "\n", below);
	}
	buf_addf(out, "stacyvm_operation_duration_seconds_sum{operation=\"%s\""
		 ",provider=\"%s\"} %.9g\n", s->operation, s->provider,
		 (double)s->sum_ns / 1e9);
	buf_addf(out, "stacyvm_operation_duration_seconds_count{operation="
		 "\"%s\",provider=\"%s\"} %" PRIu64 "\n", s->operation,
		 s->provider, s->count);
}

void metrics_text(const struct metrics *m, struct buf *out)
{
	struct list *pos, *tmp;

	family(out, "operations_total", "counter", "Requests that ended.");
	list_for_each_safe(pos, tmp, &m->all) {
		const struct series *s = list_entry(pos, struct series, link);

		buf_addf(out, "stacyvm_operations_total{operation=\"%s\","
			 "provider=\"%s\"} %" PRIu64 "\n", s->operation,
			 s->provider, s->count);
	}
	family(out, "operation_failures_total", "counter",
	       "Of these, those that ended in an error.");
	list_for_each_safe(pos, tmp, &m->all) {
		const struct series *s = list_entry(pos, struct series, link);

		buf_addf(out, "stacyvm_operation_failures_total{operation="
			 "\"%s\",provider=\"%s\"} %" PRIu64 "\n",
			 s->operation, s->provider, s->failures);
	}
	family(out, "operation_duration_seconds", "histogram",
	       "How long requests took.");
	list_for_each_safe(pos, tmp, &m->all)
		add_histogram(out, list_entry(pos, struct series, link));
}
