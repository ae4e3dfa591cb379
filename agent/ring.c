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
#include "lib/base/bisect.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#define RING_FIRST 4096
#define TYPES_MAX 1024 /* streams that take turns byte by byte lose the rest */
#define TIMES_MAX 1024
#define TIME_STEP INT64_C(1000000) /* ns that two times differ by */

_Static_assert((LIMIT_AGENT_RING & (LIMIT_AGENT_RING - 1)) == 0,
	       "offsets are masked");

void ring_release(struct ring *r)
{
	free(r->data);
	free(r->types.v);
	free(r->times.v);
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

static uint64_t note_at(const void *notes, size_t i)
{
	return ((const struct ring_note *)notes)[i].at;
}

/* The one that is about offset `at`; there is one. */
static size_t notes_find(const struct ring_notes *l, uint64_t at)
{
	return bisect_last(l->v, l->n, at, note_at);
}

/* Where the next one begins, or `end`. */
static uint64_t notes_stop(const struct ring_notes *l, size_t i, uint64_t end)
{
	return i + 1 < l->n ? l->v[i + 1].at : end;
}

static void notes_forget(struct ring_notes *l, uint64_t start)
{
	size_t gone = l->n ? notes_find(l, start) : 0;

	if (!gone)
		return;
	l->n -= gone;
	memmove(l->v, l->v + gone, l->n * sizeof(*l->v));
}

static void notes_add(struct ring_notes *l, uint64_t at, uint64_t value)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 4;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = (struct ring_note){ at, value };
}

/* Every other one goes. */
static void notes_thin(struct ring_notes *l)
{
	for (size_t i = 0; i < l->n; i += 2)
		l->v[i / 2] = l->v[i];
	l->n = (l->n + 1) / 2;
}

static void forget_before(struct ring *r, uint64_t start)
{
	r->start = start;
	notes_forget(&r->types, start);
	notes_forget(&r->times, start);
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

/* What is added next is of this stream, and read at this time. */
static void note(struct ring *r, unsigned type, int64_t seen_ns)
{
	struct ring_notes *types = &r->types, *times = &r->times;

	if (!types->n || types->v[types->n - 1].value != type) {
		if (types->n == TYPES_MAX)
			forget_before(r, types->v[1].at);
		notes_add(types, r->end, type);
	}
	if (times->n &&
	    seen_ns - (int64_t)times->v[times->n - 1].value < TIME_STEP)
		return;
	if (times->n == TIMES_MAX)
		notes_thin(times);
	notes_add(times, r->end, (uint64_t)seen_ns);
}

void ring_add(struct ring *r, unsigned type, int64_t seen_ns,
	      const void *data, size_t n)
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
		r->types.n = r->times.n = 0;
	}
	make_room(r, n);
	note(r, type, seen_ns);
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
	ring_add(r, type, clock_boot_ns(), few, (size_t)got);
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
		note(r, type, clock_boot_ns());
		r->end += (size_t)got;
	}
	return got;
}

struct ring_piece ring_peek(const struct ring *r, uint64_t at)
{
	if (at >= r->end || at < r->start)
		return (struct ring_piece){ 0 };
	size_t type = notes_find(&r->types, at);
	size_t time = notes_find(&r->times, at);
	uint64_t stop = MIN(notes_stop(&r->types, type, r->end),
			    notes_stop(&r->times, time, r->end));
	size_t i = at_index(r, at);

	return (struct ring_piece){
		.p = r->data + i,
		.n = MIN((size_t)(stop - at), r->cap - i),
		.type = (unsigned)r->types.v[type].value,
		.seen_ns = (int64_t)r->times.v[time].value,
	};
}
