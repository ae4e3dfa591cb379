/* SPDX-License-Identifier: MIT */
/* Small requests, beside an epoll loop that moves the same bytes. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "tests/bench/bench.h"

static void last_ns(void *data, size_t i, const struct reply *r, int64_t ns)
{
	(void)i;
	(void)r;
	*(int64_t *)data = ns;
}

void bench_request(char **v)
{
	size_t conns = (size_t)number(v[2]);
	struct conn *c = many_open(conns, v[0]);
	struct ask *asks = xcalloc(conns, sizeof(*asks));
	int64_t ns;

	for (size_t i = 0; i < conns; i++)
		asks[i] = (struct ask){ "GET", v[1], NULL, 200 };
	for (long n = number(v[3]); n > 0; n--) {
		many_do(c, conns, asks, last_ns, &ns);
		print_ns(ns);
	}
	many_close(c, conns);
	free(asks);
}

/* A socket's two ends each, made here: nobody else could connect. */
static void make_pair(bool tcp, int ends[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	auto_close int listener = -1;
	char port[8];

	if (!tcp) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
			fail("socketpair");
		return;
	}
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&a, len) < 0 ||
	    listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&a, &len) < 0)
		fail("listen");
	snprintf(port, sizeof(port), "%u", ntohs(a.sin_port));
	ends[0] = address_connect(port);
	ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (ends[1] < 0)
		fail("accept");
}

/* Answers `reply` bytes to every `ask` bytes, until all have hung up. */
static void echo_serve(const int *fds, size_t n, size_t ask, size_t reply)
{
	char *block = xcalloc(1, MAX(ask, reply));
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev[64];

	for (size_t i = 0; i < n; i++) {
		ev[0] = (struct epoll_event){ .events = EPOLLIN,
					      .data.fd = fds[i] };
		if (epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], ev) < 0)
			_exit(1);
	}
	for (;;) {
		int ready = epoll_wait(ep, ev, 64, -1);

		for (int i = 0; i < ready; i++) {
			int fd = ev[i].data.fd;

			if (fd_read_full(fd, block, ask) != (ssize_t)ask ||
			    fd_write_full(fd, block, reply) < 0)
				_exit(0);
		}
	}
}

static int64_t echo_round(const int *fds, size_t n, char *block, size_t ask,
			  size_t reply)
{
	int64_t begin = clock_mono_ns();

	for (size_t i = 0; i < n; i++)
		if (fd_write_full(fds[i], block, ask) < 0)
			fail("write");
	for (size_t i = 0; i < n; i++)
		if (fd_read_full(fds[i], block, reply) != (ssize_t)reply)
			fail("the echo");
	return clock_mono_ns() - begin;
}

void bench_echo(char **v)
{
	size_t conns = (size_t)number(v[1]);
	size_t ask = (size_t)number(v[2]), reply = (size_t)number(v[3]);
	auto_free char *block = xcalloc(1, MAX(ask, reply));
	auto_free int *ours = xcalloc(conns, sizeof(int));
	auto_free int *theirs = xcalloc(conns, sizeof(int));

	for (size_t i = 0; i < conns; i++) {
		int ends[2];

		make_pair(strcmp(v[0], "tcp") == 0, ends);
		ours[i] = ends[0];
		theirs[i] = ends[1];
	}
	pid_t pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid)
		echo_serve(theirs, conns, ask, reply);
	for (long n = number(v[4]); n > 0; n--)
		print_ns(echo_round(ours, conns, block, ask, reply));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
