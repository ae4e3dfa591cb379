/* SPDX-License-Identifier: MIT */
/* Scrollback of an output.  See ring.h. */
#include "agent/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"

#define RING_FIRST 4096
#define RUNS_MAX 1024 /* streams that take turns byte by byte lose the rest */

_Static_assert((LIMIT_AGENT_RING & (LIMIT_AGENT_RING - 1)) == 0,
	       "offsets are masked");

void ring_release(struct ring *r)
{
	free(r->data);
	free(r->runs);
	*r = (struct ring){ .start = r->end, .end = r->end };
}

static size_t at_index(const struct ring *r, uint64_t at)
{
	return (size_t)(at & (r->cap - 1));
}

/* Copy `n` bytes to offset `at`, which has room. */
static void put(struct ring *r, uint64_t at, const char *p, size_t n)
{
	size_t i = at_index(r, at);
	size_t first = MIN(n, r->cap - i);

	memcpy(r->data + i, p, first);
	memcpy(r->data, p + first, n - first);
}

static void grow(struct ring *r, size_t need)
{
	struct ring old = *r;

	while (r->cap < need && r->cap < LIMIT_AGENT_RING)
		r->cap = r->cap ? r->cap * 2 : RING_FIRST;
	if (r->cap == old.cap)
		return;
	r->data = xmalloc(r->cap);
	for (uint64_t at = old.start; at < old.end;) {
		size_t i = at_index(&old, at);
		size_t n = MIN(old.cap - i, (size_t)(old.end - at));

		put(r, at, old.data + i, n);
		at += n;
	}
	free(old.data);
}

static void forget_before(struct ring *r, uint64_t start)
{
	size_t gone = 0;

	r->start = start;
	while (gone + 1 < r->nruns && r->runs[gone + 1].at <= start)
		gone++;
	if (!gone)
		return;
	r->nruns -= gone;
	memmove(r->runs, r->runs + gone, r->nruns * sizeof(*r->runs));
}

/* Make room for n bytes; n <= LIMIT_AGENT_RING. */
static void make_room(struct ring *r, size_t n)
{
	size_t used = (size_t)(r->end - r->start);

	if (used + n > r->cap)
		grow(r, used + n);
	if (used + n > r->cap)
		forget_before(r, r->end + n - r->cap);
}

static void note_run(struct ring *r, unsigned type)
{
	if (r->nruns && r->runs[r->nruns - 1].type == type)
		return;
	if (r->nruns == RUNS_MAX)
		forget_before(r, r->runs[1].at);
	if (r->nruns == r->runs_cap) {
		r->runs_cap = r->runs_cap ? r->runs_cap * 2 : 4;
		r->runs = xreallocarray(r->runs, r->runs_cap,
					sizeof(*r->runs));
	}
	r->runs[r->nruns++] = (struct ring_run){ r->end, type };
}

void ring_add(struct ring *r, unsigned type, const void *data, size_t n)
{
	const char *p = data;

	if (!n)
		return;
	if (n > LIMIT_AGENT_RING) {
		size_t skip = n - LIMIT_AGENT_RING;

		p += skip;
		n = LIMIT_AGENT_RING;
		r->end += skip;
		r->start = r->end;
		r->nruns = 0;
	}
	make_room(r, n);
	note_run(r, type);
	put(r, r->end, p, n);
	r->end += n;
}

/* Nothing is there, or a terminal has it on its way. */
static ssize_t read_few(struct ring *r, unsigned type, int fd)
{
	char few[256];
	ssize_t got;

	do {
		got = read(fd, few, sizeof(few));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	ring_add(r, type, few, (size_t)got);
	return got;
}

ssize_t ring_read_fd(struct ring *r, unsigned type, int fd, size_t max)
{
	int ready = 0;
	ssize_t got;

	/* Forget no more of the old than the new will take. */
	if (ioctl(fd, FIONREAD, &ready) < 0 || ready <= 0)
		return read_few(r, type, fd);
	size_t n = MIN(max, (size_t)ready);
	make_room(r, n);
	size_t i = at_index(r, r->end);
	struct iovec iov[2] = {
		{ r->data + i, MIN(n, r->cap - i) },
		{ r->data, n - MIN(n, r->cap - i) },
	};
	do {
		got = readv(fd, iov, iov[1].iov_len ? 2 : 1);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (got) {
		note_run(r, type);
		r->end += (size_t)got;
	}
	return got;
}

/* The run that offset `at` lies in. */
static size_t find_run(const struct ring *r, uint64_t at)
{
	size_t lo = 0, hi = r->nruns;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->runs[mid].at <= at)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

size_t ring_peek(const struct ring *r, uint64_t at, unsigned *ret_type,
		 const char **ret_p)
{
	if (at >= r->end || at < r->start)
		return 0;
	size_t run = find_run(r, at);
	uint64_t stop = run + 1 < r->nruns ? r->runs[run + 1].at : r->end;
	size_t i = at_index(r, at);

	*ret_type = r->runs[run].type;
	*ret_p = r->data + i;
	return MIN((size_t)(stop - at), r->cap - i);
}
