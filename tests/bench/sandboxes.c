/* SPDX-License-Identifier: MIT */
/* Sandboxes come, do something, and go. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "tests/bench/bench.h"

#define ID_SIZE 16

/* The id in a sandbox object; where the next one begins. */
static const char *id_in(const char *json, char out[ID_SIZE])
{
	const char *p = strstr(json, "\"id\":\"");

	errno = EPROTO;
	if (!p || sscanf(p + 6, "%15[a-z0-9-]", out) != 1)
		fail("no id in the reply");
	return p + 6;
}

static char *spawn_body(const char *provider)
{
	return xasprintf("{\"provider\":\"%s\",\"ttl\":\"1h\"}", provider);
}

static void exec_true(struct conn *c, struct reply *r, const char *id)
{
	auto_free char *target = xasprintf("/sandboxes/%s/exec", id);

	conn_do(c, r, "POST", target,
		"{\"mode\":\"argv\",\"command\":\"true\"}", 200);
	errno = EPROTO;
	if (!strstr(buf_str(&r->body), "\"exit_code\":0"))
		fail(buf_str(&r->body));
}

static void destroy(struct conn *c, struct reply *r, const char *id)
{
	auto_free char *target = xasprintf("/sandboxes/%s", id);

	conn_do(c, r, "DELETE", target, NULL, 200);
}

/* Until it is `ns`: others come at their time, not when the last is done. */
static void pace(int64_t ns)
{
	const struct timespec t = { ns / SECONDS(1), ns % SECONDS(1) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

void bench_spawn(char **v)
{
	auto_free char *body = spawn_body(v[2]);
	int64_t every = number(v[3]) * INT64_C(1000000);
	int64_t next = clock_mono_ns();
	struct reply r = { 0 };
	struct conn c;

	conn_open(&c, v[0]);
	for (long n = number(v[1]); n > 0; n--) {
		int64_t begin = clock_mono_ns();
		char id[ID_SIZE];

		conn_do(&c, &r, "POST", "/sandboxes", body, 201);
		id_in(buf_str(&r.body), id);
		exec_true(&c, &r, id);
		print_ns(clock_mono_ns() - begin);
		destroy(&c, &r, id);
		next += every;
		if (every)
			pace(next);
	}
	reply_release(&r);
	conn_close(&c);
}

void bench_keep(char **v)
{
	auto_free char *body = spawn_body(v[2]);
	struct reply r = { 0 };
	struct conn c;

	conn_open(&c, v[0]);
	for (long n = number(v[1]); n > 0; n--) {
		int64_t begin = clock_mono_ns(), ns;
		char id[ID_SIZE];

		conn_do(&c, &r, "POST", "/sandboxes", body, 201);
		ns = clock_mono_ns() - begin;
		id_in(buf_str(&r.body), id);
		printf("%lld %s\n", (long long)ns, id);
	}
	reply_release(&r);
	conn_close(&c);
}

void bench_drop(char **v)
{
	struct reply r = { 0 };
	struct conn c;
	long left = number(v[1]);

	conn_open(&c, v[0]);
	while (left > 0) {
		char id[ID_SIZE];

		conn_do(&c, &r, "GET", "/sandboxes", NULL, 200);
		/* Of a long answer only the beginning was kept: the rest
		 * comes with the next one. */
		auto_free char *list = xstrdup(buf_str(&r.body));
		for (const char *p = list; left > 0 &&
		     (p = strstr(p, "\"id\":\"")) && strchr(p + 6, '"');) {
			int64_t begin = clock_mono_ns();

			p = id_in(p, id);
			destroy(&c, &r, id);
			print_ns(clock_mono_ns() - begin);
			left--;
		}
	}
	reply_release(&r);
	conn_close(&c);
}

/* Many at once. */

static void note_spawned(void *data, size_t i, const struct reply *r,
			 int64_t ns)
{
	char (*ids)[ID_SIZE] = data;

	id_in(buf_str(&r->body), ids[i]);
	print_ns(ns);
}

static void ignore(void *data, size_t i, const struct reply *r, int64_t ns)
{
	(void)data;
	(void)i;
	(void)r;
	(void)ns;
}

void bench_spawns(char **v)
{
	size_t n = (size_t)number(v[1]);
	auto_free char *body = spawn_body(v[2]);
	char (*ids)[ID_SIZE] = xcalloc(n, sizeof(*ids));
	struct ask *asks = xcalloc(n, sizeof(*asks));
	struct conn *c = many_open(n, v[0]);

	for (size_t i = 0; i < n; i++)
		asks[i] = (struct ask){ "POST", "/sandboxes", body, 201 };
	many_do(c, n, asks, note_spawned, ids);
	for (size_t i = 0; i < n; i++)
		asks[i] = (struct ask){
			"DELETE", xasprintf("/sandboxes/%s", ids[i]), NULL,
			200,
		};
	many_do(c, n, asks, ignore, NULL);
	for (size_t i = 0; i < n; i++)
		free((char *)(uintptr_t)asks[i].target);
	many_close(c, n);
	free(asks);
	free(ids);
}

/* Warm copies. */

static bool pool_is_full(struct conn *c, struct reply *r)
{
	long ready = 0, wanted = 0;
	const char *p;

	conn_do(c, r, "GET", "/metrics", NULL, 200);
	p = strstr(buf_str(&r->body), "\"warm\":{\"ready\":");
	errno = EPROTO;
	if (!p || sscanf(p, "\"warm\":{\"ready\":%ld,\"making\":%*d,"
			 "\"wanted\":%ld", &ready, &wanted) != 2)
		fail("no pool in /metrics");
	return ready == wanted;
}

void bench_claim(char **v)
{
	auto_free char *target = xasprintf("/templates/%s/spawn", v[1]);
	struct reply r = { 0 };
	struct conn c;

	conn_open(&c, v[0]);
	for (long n = number(v[2]); n > 0; n--) {
		char id[ID_SIZE];
		int64_t begin;

		while (!pool_is_full(&c, &r))
			(void)poll(NULL, 0, 1); /* it is being made */
		begin = clock_mono_ns();
		conn_do(&c, &r, "POST", target, NULL, 201);
		print_ns(clock_mono_ns() - begin);
		id_in(buf_str(&r.body), id);
		destroy(&c, &r, id);
	}
	reply_release(&r);
	conn_close(&c);
}

void bench_exec(char **v)
{
	struct reply r = { 0 };
	struct conn c;

	conn_open(&c, v[0]);
	for (long n = number(v[2]); n > 0; n--) {
		int64_t begin = clock_mono_ns();

		exec_true(&c, &r, v[1]);
		print_ns(clock_mono_ns() - begin);
	}
	reply_release(&r);
	conn_close(&c);
}
