/* SPDX-License-Identifier: MIT */
/* What happens, told to many: the event stream, and sockets written raw. */
#include <errno.h>
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

struct listener {
	int fd;
	uint64_t got; /* events */
	char last;    /* byte */
};

struct crowd {
	struct listener *l;
	size_t n;
	int ep;
};

static void crowd_init(struct crowd *w, size_t n)
{
	*w = (struct crowd){ .l = xcalloc(n, sizeof(*w->l)), .n = n,
			     .ep = epoll_create1(EPOLL_CLOEXEC) };
	if (w->ep < 0)
		fail("epoll");
}

static void crowd_join(struct crowd *w, size_t i, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &w->l[i] };

	w->l[i].fd = fd;
	if (epoll_ctl(w->ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		fail("epoll");
}

static void crowd_release(struct crowd *w)
{
	for (size_t i = 0; i < w->n; i++)
		close(w->l[i].fd);
	close(w->ep);
	free(w->l);
}

/* An event is a line that begins with 'i', of "id:". */
static uint64_t count_events(struct listener *l, const char *p, size_t n)
{
	uint64_t found = n && l->last == '\n' && *p == 'i';
	const char *end = p + n;

	l->last = n ? end[-1] : l->last;
	while (n && (p = memchr(p, '\n', (size_t)(end - p))) && ++p < end)
		found += *p == 'i';
	return found;
}

/* Until each has as many as that; whoever is cut off ends the program. */
static void crowd_read(struct crowd *w, uint64_t each)
{
	static char block[64 * 1024];
	struct epoll_event ev[64];

	for (size_t left = w->n; left;) {
		int n = epoll_wait(w->ep, ev, 64, -1);

		for (int i = 0; i < n; i++) {
			struct listener *l = ev[i].data.ptr;
			ssize_t r = read(l->fd, block, sizeof(block));

			if (r == 0)
				errno = ECONNRESET;
			if (r <= 0)
				fail("a subscriber");
			bool had = l->got >= each;
			l->got += count_events(l, block, (size_t)r);
			left -= !had && l->got >= each;
		}
	}
}

static void crowd_subscribe(struct crowd *w, const char *address)
{
	static const char ask[] = "GET /api/v1/events HTTP/1.1\r\n"
				  "Host: localhost\r\n\r\n";

	for (size_t i = 0; i < w->n; i++) {
		int fd = address_connect(address);
		char head[12];

		if (fd_write_full(fd, ask, sizeof(ask) - 1) < 0 ||
		    fd_read_full(fd, head, sizeof(head)) < 0)
			fail("subscribe");
		errno = EPROTO;
		if (memcmp(head, "HTTP/1.1 200", sizeof(head)) != 0)
			fail("a subscriber was refused");
		crowd_join(w, i, fd);
	}
}

static void ignore(void *data, size_t i, const struct reply *r, int64_t ns)
{
	(void)data;
	(void)i;
	(void)r;
	(void)ns;
}

/* A quota is saved: one event each, and nothing else to do. */
void bench_events(char **v)
{
	size_t events = (size_t)number(v[2]);
	struct conn *c = many_open(events, v[0]);
	struct ask *asks = xcalloc(events, sizeof(*asks));
	struct crowd w;
	long n = number(v[3]);

	crowd_init(&w, (size_t)number(v[1]));
	crowd_subscribe(&w, v[0]);
	for (size_t i = 0; i < events; i++)
		asks[i] = (struct ask){ "PUT", "/quotas/bench",
					"{\"max_sandboxes\":5000}", 200 };
	for (long round = 1; round <= n; round++) {
		int64_t begin = clock_mono_ns();

		many_do(c, events, asks, ignore, NULL);
		crowd_read(&w, events * (uint64_t)round);
		print_ns(clock_mono_ns() - begin);
	}
	crowd_release(&w);
	many_close(c, events);
	free(asks);
}

static void write_all(const int *fds, size_t n, long writes, size_t bytes)
{
	auto_free char *block = xcalloc(1, bytes);

	memset(block, '.', bytes);
	memcpy(block, "\ni", 2);
	for (long i = 0; i < writes; i++)
		for (size_t k = 0; k < n; k++)
			if (fd_write_full(fds[k], block, bytes) < 0)
				_exit(1);
}

void bench_sockets(char **v)
{
	size_t count = (size_t)number(v[0]), bytes = (size_t)number(v[2]);
	auto_free int *theirs = xcalloc(count, sizeof(int));
	long writes = number(v[1]), n = number(v[3]);
	struct crowd w;

	crowd_init(&w, count);
	for (size_t i = 0; i < count; i++) {
		int ends[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
			fail("socketpair");
		crowd_join(&w, i, ends[0]);
		theirs[i] = ends[1];
	}
	for (long round = 1; round <= n; round++) {
		int64_t begin = clock_mono_ns();
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (!pid) {
			write_all(theirs, count, writes, bytes);
			_exit(0);
		}
		crowd_read(&w, (uint64_t)(writes * round));
		print_ns(clock_mono_ns() - begin);
		waitpid(pid, NULL, 0);
	}
	crowd_release(&w);
	for (size_t i = 0; i < count; i++)
		close(theirs[i]);
}
