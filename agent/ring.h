/* SPDX-License-Identifier: MIT */
/*
 * Scrollback: the last LIMIT_AGENT_RING bytes of an output, addressed by their
 * offset since the start, each remembered with the stream it came from.
 *
 * The bytes lie in one circular block that grows only as far as it is needed;
 * the streams are a short list of places where the stream changed.
 */
#ifndef SVM_AGENT_RING_H
#define SVM_AGENT_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ring_run {
	uint64_t at;   /* offset of its first byte */
	unsigned type; /* enum frame_type */
};

struct ring {
	uint64_t start, end; /* offsets of the oldest byte and past the last */
	char *data;
	size_t cap; /* a power of two, or 0 */
	struct ring_run *runs;
	size_t nruns, runs_cap;
};

void ring_release(struct ring *r);
void ring_add(struct ring *r, unsigned type, const void *p, size_t n);

/* Read at most max bytes from fd straight into the ring.  Like read(2), or
 * -errno. */
ssize_t ring_read_fd(struct ring *r, unsigned type, int fd, size_t max);

/* The bytes at offset `at` (start <= at <= end) that lie together and came
 * from one stream; borrowed.  0 at the end. */
size_t ring_peek(const struct ring *r, uint64_t at, unsigned *ret_type,
		 const char **ret_p);

#endif
