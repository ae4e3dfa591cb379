/* SPDX-License-Identifier: MIT */
/*
 * Counters and latency histograms per operation and provider, since the
 * start.  The loop's thread only: counting is a look-up in a short list and a
 * few additions.
 */
#ifndef SVM_DAEMON_METRICS_H
#define SVM_DAEMON_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/json.h"

struct http_req;
struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* One operation of a provider ("": of none) took ns.  `operation` must stay. */
void metrics_add(struct metrics *m, const char *operation,
		 const char *provider, int64_t ns, bool failed);

/* The end of a request: counted by its route's action. */
void metrics_observe(struct metrics *m, const struct http_req *r);

/* The array `operations`, and the same as Prometheus' text. */
void metrics_json(const struct metrics *m, struct json_writer *w);
void metrics_text(const struct metrics *m, struct buf *out);

#endif
