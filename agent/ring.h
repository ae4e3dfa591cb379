/* SPDX-License-Identifier: MIT */
/*
 * Scrollback: the last LIMIT_AGENT_RING bytes of an output, addressed by their
 * offset since the start, each remembered with the stream it came from and the
 * time at which it was read.
 *
 * The bytes lie in one circular block that grows only as far as it is needed;
 * streams and times are short lists of places where they changed.  Times are
 * exact to a millisecond; of output in very many pieces the list is thinned,
 * and a byte may then count as older than it is, by the next place at most.
 */
#ifndef SVM_AGENT_RING_H
#define SVM_AGENT_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ring_note {
	uint64_t at; /* offset of the first byte it is about */
	uint64_t value;
};

struct ring_notes {
	struct ring_note *v;
	size_t n, cap;
};

struct ring {
	uint64_t start, end; /* offsets of the oldest byte and past the last */
	char *data;
	size_t cap; /* a power of two, or 0 */
	struct ring_notes types; /* enum frame_type */
	struct ring_notes times; /* boot clock, ns */
};

void ring_release(struct ring *r);
/* seen_ns: when they were read, by the boot clock. */
void ring_add(struct ring *r, unsigned type, int64_t seen_ns, const void *p,
	      size_t n);

/* Read at most max bytes from fd straight into the ring.  Like read(2), or
 * -errno. */
ssize_t ring_read_fd(struct ring *r, unsigned type, int fd, size_t max);

/* The bytes at offset `at` (start <= at <= end) that lie together, came from
 * one stream and were read at one time. */
struct ring_piece {
	const char *p; /* borrowed */
	size_t n;      /* 0 at the end */
	unsigned type;
	int64_t seen_ns;
};
struct ring_piece ring_peek(const struct ring *r, uint64_t at);

#endif
