/* SPDX-License-Identifier: MIT */
/*
 * The stop-watch of the benchmarks: does one thing N times and prints each
 * duration in nanoseconds, one a line.  tests/bench/run decides what, in
 * which order, and makes the table.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "lib/base/defs.h"
#include "lib/base/proc.h"
#include "tests/bench/bench.h"

extern char **environ;

static const struct command {
	const char *name, *args, *what;
	void (*run)(char **v);
} commands[] = {
	{ "request", "ADDRESS TARGET CONNS N",
	  "GET on each of CONNS connections at once", bench_request },
	{ "echo", "unix|tcp CONNS ASK REPLY N",
	  "the same bytes, from a bare epoll loop", bench_echo },
	{ "spawn", "SOCKET N PROVIDER EVERY",
	  "spawn and first exec; destroy; one in EVERY milliseconds",
	  bench_spawn },
	{ "spawns", "SOCKET N PROVIDER",
	  "N spawns at once, each from the first request on; destroy",
	  bench_spawns },
	{ "keep", "SOCKET N PROVIDER", "spawn and keep; \"ns id\" a line",
	  bench_keep },
	{ "drop", "SOCKET N", "destroy the N newest", bench_drop },
	{ "claim", "SOCKET TEMPLATE N",
	  "spawn from a template whose pool is full; destroy", bench_claim },
	{ "exec", "SOCKET ID N", "exec of true", bench_exec },
	{ "get", "SOCKET ID PATH N", "download", bench_get },
	{ "put", "SOCKET ID PATH BYTES N", "upload", bench_put },
	{ "stream", "SOCKET ID BYTES N", "streamed output of a command",
	  bench_stream },
	{ "streams", "SOCKET COUNT BYTES N ID...",
	  "COUNT of them at once, in these sandboxes in turn",
	  bench_streams },
	{ "pipe", "BYTES COUNT N", "bytes through COUNT kernel pipes each",
	  bench_pipe },
	{ "events", "SOCKET SUBSCRIBERS EVENTS N",
	  "all EVENTS published and read by all", bench_events },
	{ "sockets", "COUNT WRITES BYTES N",
	  "the same written to COUNT sockets raw", bench_sockets },
	{ "child", "N PROGRAM...", "posix_spawn and wait", bench_child },
};

void fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

long number(const char *text)
{
	return strtol(text, NULL, 10);
}

void print_ns(int64_t ns)
{
	printf("%lld\n", (long long)ns);
}

void bench_child(char **v)
{
	posix_spawn_file_actions_t quiet;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	for (long n = number(*v++); n > 0; n--) {
		int64_t begin = clock_mono_ns();
		int status;
		pid_t pid;

		errno = posix_spawnp(&pid, v[0], &quiet, NULL, v, environ);
		if (errno)
			fail(v[0]);
		if (waitpid(pid, &status, 0) < 0 || status)
			fail("the child failed");
		print_ns(clock_mono_ns() - begin);
	}
	posix_spawn_file_actions_destroy(&quiet);
}

/* As many as there are words; those of "NAME..." are one or more. */
static bool args_fit(const char *words, int n)
{
	int want = 1;

	for (const char *p = words; (p = strchr(p, ' ')); p++)
		want++;
	return strstr(words, "...") ? n >= want : n == want;
}

static int usage(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "bench %s %s\n\t%s\n", commands[i].name,
			commands[i].args, commands[i].what);
	return 2;
}

int main(int argc, char **argv)
{
	proc_raise_nofile();
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0 ||
		    !args_fit(commands[i].args, argc - 2))
			continue;
		commands[i].run(argv + 2);
		return 0;
	}
	return usage();
}
