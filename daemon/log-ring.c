/* SPDX-License-Identifier: MIT */
/*
 * A ring in one file.  See log-ring.h.
 *
 * The file is a header and `CAPACITY` bytes of ring; byte number o of the log
 * stands at o % CAPACITY, for begin <= o < end.  `begin` is moved on disk
 * before the bytes that it gives up are overwritten, `end` after the new ones
 * are there, so a daemon that dies in between leaves whole lines, never a
 * mixture.
 */
#include "daemon/log-ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log-line.h"
#include "lib/api/limits.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define MAGIC UINT64_C(0x32676f4c4d5653) /* "SVMLog2" */
#define CAPACITY ((uint64_t)LIMIT_LOG_RING - sizeof(struct header))

/* Native byte order: the file stays on its machine. */
struct header {
	uint64_t magic, begin, end, agent_at, check;
};

/* The format before: its lines have neither time nor stream. */
#define OLD_MAGIC UINT64_C(0x31676f4c4d5653) /* "SVMLog1" */
#define OLD_CAPACITY ((uint64_t)LIMIT_LOG_RING - sizeof(struct old_header))

struct old_header {
	uint64_t magic, begin, end, check;
};

static uint64_t mix(uint64_t x, uint64_t begin, uint64_t end)
{
	x = (x ^ begin) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 29 ^ end) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 32;
}

static uint64_t checksum(const struct header *h)
{
	return mix(mix(h->magic, h->begin, h->end), h->agent_at, 0);
}

static int write_at(int fd, const char *p, size_t n, uint64_t at)
{
	while (n) {
		ssize_t done = pwrite(fd, p, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		p += done;
		n -= (size_t)done;
		at += (uint64_t)done;
	}
	return 0;
}

static int read_at(int fd, char *p, size_t n, uint64_t at)
{
	while (n) {
		ssize_t got = pread(fd, p, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		p += got;
		n -= (size_t)got;
		at += (uint64_t)got;
	}
	return 0;
}

static int write_header(struct log_ring *r, uint64_t begin, uint64_t end,
			uint64_t agent_at)
{
	struct header h = { MAGIC, begin, end, agent_at, 0 };
	int e = fault_errno("log.write");

	h.check = checksum(&h);
	if (e == 0)
		e = write_at(r->fd, (const char *)&h, sizeof(h), 0);
	if (e == 0) {
		r->begin = begin;
		r->end = end;
		r->agent_at = agent_at;
	}
	return e;
}

size_t log_ring_room(void)
{
	return CAPACITY;
}

int log_ring_add(struct log_ring *r, const char *p, size_t n,
		 uint64_t agent_at)
{
	uint64_t end = r->end + n, at = r->end % CAPACITY;
	uint64_t begin = end > CAPACITY ? end - CAPACITY : 0;
	size_t first = (size_t)MIN((uint64_t)n, CAPACITY - at);
	int e = 0;

	if (begin > r->begin)
		e = write_header(r, begin, r->end, r->agent_at);
	if (e == 0)
		e = write_at(r->fd, p, first, sizeof(struct header) + at);
	if (e == 0)
		e = write_at(r->fd, p + first, n - first,
			     sizeof(struct header));
	if (e == 0)
		e = write_header(r, r->begin, end, agent_at);
	return e;
}

/* Of a ring of `capacity` bytes behind a header of `head`. */
static int read_ring(int fd, size_t head, uint64_t capacity, uint64_t from,
		     size_t n, struct buf *out)
{
	uint64_t at = from % capacity;
	size_t first = (size_t)MIN((uint64_t)n, capacity - at);

	if (!n)
		return 0;
	buf_reserve(out, n);
	int e = read_at(fd, out->data + out->len, first, head + at);
	if (e == 0)
		e = read_at(fd, out->data + out->len + first, n - first,
			    head);
	if (e < 0)
		return e;
	out->len += n;
	out->data[out->len] = '\0';
	return 0;
}

int log_ring_read(const struct log_ring *r, uint64_t from, struct buf *out)
{
	return read_ring(r->fd, sizeof(struct header), CAPACITY, from,
			 (size_t)(r->end - from), out);
}

/* Is what a header says possible and is all of it there? */
static bool fits(uint64_t begin, uint64_t end, uint64_t capacity,
		 uint64_t bytes)
{
	return begin <= end && end - begin <= capacity &&
	       bytes <= capacity && bytes >= MIN(end, capacity);
}

static bool is_sound(int fd, uint64_t size, struct header *h)
{
	return size >= sizeof(*h) &&
	       read_at(fd, (char *)h, sizeof(*h), 0) == 0 &&
	       h->magic == MAGIC && h->check == checksum(h) &&
	       fits(h->begin, h->end, CAPACITY, size - sizeof(*h));
}

static bool is_old(int fd, uint64_t size, struct old_header *h)
{
	return size >= sizeof(*h) &&
	       read_at(fd, (char *)h, sizeof(*h), 0) == 0 &&
	       h->magic == OLD_MAGIC &&
	       h->check == mix(h->magic, h->begin, h->end) &&
	       fits(h->begin, h->end, OLD_CAPACITY, size - sizeof(*h));
}

/* Lines of text, as lines that nothing is known about; the newest that have
 * room.  How many bytes had none. */
static size_t convert(const struct buf *text, struct buf *out)
{
	const char *p = buf_str(text), *nl;
	size_t left = text->len, room = log_ring_room();

	for (; left && (nl = memchr(p, '\n', left)); p = nl + 1) {
		size_t n = (size_t)(nl - p) + 1;

		log_line_add_prefix(out, (struct log_time){ 0, 0 },
				    LOG_STREAM_UNKNOWN);
		buf_add(out, p, n);
		left -= n;
	}
	left = out->len - MIN(out->len, room);
	buf_consume(out, left);
	return left;
}

/* Aside and then in its place: a crash leaves one of the two. */
static int rewrite_old(struct log_ring *r, const struct old_header *h,
		       const char *path)
{
	auto_buf struct buf text = BUF_INIT, lines = BUF_INIT;
	auto_free char *aside = xasprintf("%s.new", path);
	auto_close int fd = -1;
	int e = read_ring(r->fd, sizeof(*h), OLD_CAPACITY, h->begin,
			  (size_t)(h->end - h->begin), &text);

	if (e < 0)
		return e;
	/* Past 0 the first line counts as torn, which it is. */
	uint64_t at = h->begin + convert(&text, &lines);
	(void)unlink(aside);
	fd = open(aside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	if (fd < 0 || (at && ftruncate(fd, LIMIT_LOG_RING) < 0))
		return -errno;
	struct log_ring new = { .fd = fd, .begin = at, .end = at };
	e = log_ring_add(&new, buf_str(&lines), lines.len, 0);
	if (e == 0 && rename(aside, path) < 0)
		e = -errno;
	if (e < 0)
		return e;
	fd_close(r->fd);
	(void)steal_fd(&fd);
	*r = new;
	return 0;
}

static int take(struct log_ring *r, uint64_t size, const char *path)
{
	struct old_header old;
	struct header h;

	if (is_sound(r->fd, size, &h)) {
		r->begin = h.begin;
		r->end = h.end;
		r->agent_at = h.agent_at;
		return 0;
	}
	if (is_old(r->fd, size, &old))
		return rewrite_old(r, &old, path);
	return ftruncate(r->fd, 0) < 0 ? -errno : 0;
}

int log_ring_open(const char *dir, struct log_ring *ret, struct svm_err *err)
{
	auto_free char *path = xasprintf("%s/log", dir);
	auto_close int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW |
					       O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't open the log '%s'", path);
	if (!S_ISREG(st.st_mode))
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "the log '%s' is not a regular file", path);
	struct log_ring r = { .fd = fd };
	int e = take(&r, (uint64_t)st.st_size, path);
	if (e < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, -e,
				   "can't begin the log '%s' anew", path);
	(void)steal_fd(&fd);
	*ret = r;
	return 0;
}

void log_ring_close(struct log_ring *r)
{
	fd_close(steal_fd(&r->fd));
}
