/* SPDX-License-Identifier: MIT */
/*
 * What the measurements share: a connection that knows just enough HTTP, and
 * a way to ask on many of them at once.  Whatever goes wrong ends the program
 * with the reason: a number is printed only for what succeeded.
 */
#ifndef SVM_TESTS_BENCH_H
#define SVM_TESTS_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct conn {
	int fd;
	struct buf in; /* received, not used yet */
	size_t at;
};

struct reply {
	int status;
	int64_t length; /* -1: chunked */
	struct buf body; /* its first 64 KiB */
	uint64_t bytes;
};

_Noreturn void fail(const char *what); /* with errno */
long number(const char *text);
void print_ns(int64_t ns); /* a line */

/* ADDRESS is the path of a unix socket, or a port of 127.0.0.1. */
int address_connect(const char *address);
void conn_open(struct conn *c, const char *address);
void conn_close(struct conn *c);

/* Target is below /api/v1, body may be NULL; the answer must be `want`. */
void conn_send(struct conn *c, const char *method, const char *target,
	       const char *body);
void conn_reply(struct conn *c, struct reply *r);
void conn_do(struct conn *c, struct reply *r, const char *method,
	     const char *target, const char *body, int want);
void reply_release(struct reply *r);

/* n connections at once. */
struct conn *many_open(size_t n, const char *address);
void many_close(struct conn *c, size_t n);

/* One request on each, sent before any answer is read; `told` gets each
 * answer as it comes, and how long it took from the first request on. */
typedef void (*many_fn)(void *data, size_t i, const struct reply *r,
			int64_t ns);
struct ask {
	const char *method, *target, *body;
	int want;
};
void many_do(struct conn *c, size_t n, const struct ask *asks, many_fn told,
	     void *data);

/* The measurements; bench.c says what their arguments are. */
void bench_request(char **v);
void bench_echo(char **v);
void bench_spawn(char **v);
void bench_spawns(char **v);
void bench_keep(char **v);
void bench_drop(char **v);
void bench_claim(char **v);
void bench_exec(char **v);
void bench_get(char **v);
void bench_put(char **v);
void bench_stream(char **v);
void bench_streams(char **v);
void bench_pipe(char **v);
void bench_events(char **v);
void bench_sockets(char **v);
void bench_child(char **v);

#endif
