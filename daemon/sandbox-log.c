/* SPDX-License-Identifier: MIT */
/*
 * A sandbox's log as a ring in one file.  See sandbox-log.h.
 *
 * The file is a header and `CAPACITY` bytes of ring; byte number o of the log
 * stands at o % CAPACITY, for begin <= o < end.  `begin` is moved on disk
 * before the bytes that it gives up are overwritten, `end` after the new ones
 * are there, so a daemon that dies in between leaves whole lines, never a
 * mixture.
 */
#include "daemon/sandbox-log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define MAGIC UINT64_C(0x31676f4c4d5653) /* "SVMLog1" */
#define CAPACITY ((uint64_t)LIMIT_LOG_RING - sizeof(struct header))

/* Native byte order: the file stays on its machine. */
struct header {
	uint64_t magic, begin, end, check;
};

struct sandbox_log {
	int fd;
	uint64_t begin, end; /* what is in the file */
	struct buf pending;  /* whole lines that are not */
	struct buf part[2];  /* the unfinished line of stdout, of stderr */
	uint64_t lost;       /* bytes the disk did not take */
};

static uint64_t checksum(const struct header *h)
{
	uint64_t x = h->magic;

	x = (x ^ h->begin) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 29 ^ h->end) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 32;
}

static int write_at(int fd, const void *p, size_t n, uint64_t at)
{
	while (n) {
		ssize_t done = pwrite(fd, p, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		p = (const char *)p + done;
		n -= (size_t)done;
		at += (uint64_t)done;
	}
	return 0;
}

static int read_at(int fd, void *p, size_t n, uint64_t at)
{
	while (n) {
		ssize_t got = pread(fd, p, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		p = (char *)p + got;
		n -= (size_t)got;
		at += (uint64_t)got;
	}
	return 0;
}

static int write_header(struct sandbox_log *l, uint64_t begin, uint64_t end)
{
	struct header h = { MAGIC, begin, end, 0 };
	int r = fault_errno("log.write");

	h.check = checksum(&h);
	if (r == 0)
		r = write_at(l->fd, &h, sizeof(h), 0);
	if (r == 0) {
		l->begin = begin;
		l->end = end;
	}
	return r;
}

/* Bytes [from, from + n) of the log, in at most two pieces. */
static int ring_io(struct sandbox_log *l, int (*io)(struct sandbox_log *l,
						    char *p, size_t n,
						    uint64_t at),
		   char *p, size_t n, uint64_t from)
{
	uint64_t at = from % CAPACITY;
	size_t first = (size_t)MIN((uint64_t)n, CAPACITY - at);
	int r = io(l, p, first, sizeof(struct header) + at);

	if (r == 0 && first < n)
		r = io(l, p + first, n - first, sizeof(struct header));
	return r;
}

static int io_write(struct sandbox_log *l, char *p, size_t n, uint64_t at)
{
	return write_at(l->fd, p, n, at);
}

static int io_read(struct sandbox_log *l, char *p, size_t n, uint64_t at)
{
	return read_at(l->fd, p, n, at);
}

/* Is what the header says possible and is all of it there? */
static bool is_sound(int fd, uint64_t size, struct header *h)
{
	if (size < sizeof(*h) || size > LIMIT_LOG_RING ||
	    read_at(fd, h, sizeof(*h), 0) < 0 || h->magic != MAGIC ||
	    h->check != checksum(h) || h->begin > h->end ||
	    h->end - h->begin > CAPACITY)
		return false;
	return size - sizeof(*h) >= MIN(h->end, CAPACITY);
}

int sandbox_log_open(const char *dir, struct sandbox_log **ret,
		     struct svm_err *err)
{
	auto_free char *path = xasprintf("%s/log", dir);
	auto_close int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW |
					       O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;
	struct header h;

	if (fd < 0 || fstat(fd, &st) < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't open the log '%s'", path);
	if (!S_ISREG(st.st_mode))
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "the log '%s' is not a regular file", path);
	struct sandbox_log *l = xcalloc(1, sizeof(*l));
	l->fd = fd;
	if (is_sound(fd, (uint64_t)st.st_size, &h)) {
		l->begin = h.begin;
		l->end = h.end;
	} else if (ftruncate(fd, 0) < 0) {
		free(l);
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't empty the damaged log '%s'", path);
	}
	(void)steal_fd(&fd);
	*ret = l;
	return 0;
}

static void add_marker(struct buf *out, uint64_t lost)
{
	buf_addf(out, "[... %" PRIu64 " bytes lost ...]\n", lost);
}

static int write_ring(struct sandbox_log *l, char *p, size_t n)
{
	uint64_t end = l->end + n;
	uint64_t begin = end > CAPACITY ? end - CAPACITY : 0;
	int r = 0;

	if (begin > l->begin)
		r = write_header(l, begin, l->end);
	if (r == 0)
		r = ring_io(l, io_write, p, n, l->end);
	if (r == 0)
		r = write_header(l, l->begin, end);
	return r;
}

/* What the disk does not take is lost, and said so once it takes again. */
static void write_pending(struct sandbox_log *l)
{
	auto_buf struct buf marked = BUF_INIT;
	struct buf *b = &l->pending;

	if (!b->len)
		return;
	if (l->lost) {
		add_marker(&marked, l->lost);
		buf_add(&marked, b->data, b->len);
		b = &marked;
	}
	if (write_ring(l, b->data, b->len) == 0)
		l->lost = 0;
	else
		l->lost += l->pending.len;
	buf_clear(&l->pending);
}

void sandbox_log_flush(struct sandbox_log *l)
{
	write_pending(l);
	buf_release(&l->pending);
	for (int i = 0; i < 2; i++)
		if (!l->part[i].len)
			buf_release(&l->part[i]);
}

void sandbox_log_close(struct sandbox_log *l)
{
	if (!l)
		return;
	for (int i = 0; i < 2; i++) {
		if (l->part[i].len) {
			buf_add(&l->pending, l->part[i].data, l->part[i].len);
			buf_addch(&l->pending, '\n');
		}
		buf_release(&l->part[i]);
	}
	sandbox_log_flush(l);
	fd_close(l->fd);
	free(l);
}

void sandbox_log_add(struct sandbox_log *l, bool is_stderr, const void *p,
		     size_t n)
{
	struct buf *part = &l->part[is_stderr];
	const char *s = p;

	while (n) {
		const char *nl = memchr(s, '\n', n);
		size_t room = LIMIT_LOG_LINE - part->len;
		size_t take = MIN(nl ? (size_t)(nl - s) : n, room);

		buf_add(part, s, take);
		s += take;
		n -= take;
		if (n && *s == '\n') {
			s++;
			n--;
		} else if (!n) {
			break; /* full or not: a newline may come next */
		}
		buf_add(&l->pending, part->data, part->len);
		buf_addch(&l->pending, '\n');
		buf_clear(part);
		if (l->pending.len >= LIMIT_TURN_BYTES)
			write_pending(l);
	}
}

uint64_t sandbox_log_end(const struct sandbox_log *l)
{
	return l->end + l->pending.len;
}

/* Reading. */

/* All bytes from `from` on, which was clipped to what there is. */
static int slurp(struct sandbox_log *l, uint64_t from, struct buf *out)
{
	size_t n = (size_t)(l->end - from);

	if (!n)
		return 0;
	buf_reserve(out, n);
	int r = ring_io(l, io_read, out->data, n, from);
	if (r < 0)
		return r;
	out->len = n;
	out->data[n] = '\0';
	return 0;
}

static void each_line(const char *p, size_t n,
		      void (*fn)(void *data, const char *line, size_t n),
		      void *data)
{
	const char *nl;

	while (n && (nl = memchr(p, '\n', n))) {
		size_t len = (size_t)(nl - p);

		fn(data, p, len);
		p += len + 1;
		n -= len + 1;
	}
}

static void tell_lost(uint64_t lost,
		      void (*fn)(void *data, const char *line, size_t n),
		      void *data)
{
	auto_buf struct buf line = BUF_INIT;

	add_marker(&line, lost);
	fn(data, line.data, line.len - 1);
}

/* When the ring has wrapped, its first bytes are the end of a line whose
 * beginning is gone: how many. */
static size_t torn(const struct sandbox_log *l, const struct buf *b)
{
	const char *nl = l->begin && b->len ?
				 memchr(b->data, '\n', b->len) : NULL;

	return nl ? (size_t)(nl - b->data) + 1 : 0;
}

int sandbox_log_tail(struct sandbox_log *l, unsigned lines,
		     void (*fn)(void *data, const char *line, size_t n),
		     void *data, uint64_t *ret_end)
{
	auto_buf struct buf b = BUF_INIT;

	sandbox_log_flush(l);
	int r = slurp(l, l->begin, &b);
	if (r < 0)
		return r;
	size_t first = torn(l, &b), from = b.len;
	unsigned have = 0;
	while (have < lines && from > first) {
		const char *nl = from - 1 > first ?
			memrchr(b.data + first, '\n', from - 1 - first) : NULL;

		from = nl ? (size_t)(nl - b.data) + 1 : first;
		have++;
	}
	if (have < lines && l->begin)
		tell_lost(l->begin + first, fn, data);
	each_line(b.data + from, b.len - from, fn, data);
	*ret_end = l->end;
	return 0;
}

int sandbox_log_since(struct sandbox_log *l, uint64_t offset,
		      void (*fn)(void *data, const char *line, size_t n),
		      void *data, uint64_t *ret_next)
{
	auto_buf struct buf b = BUF_INIT;

	sandbox_log_flush(l);
	uint64_t from = MIN(MAX(offset, l->begin), l->end);
	int r = slurp(l, from, &b);
	if (r < 0)
		return r;
	size_t skip = offset < l->begin ? torn(l, &b) : 0;
	if (offset < l->begin)
		tell_lost(from + skip - offset, fn, data);
	each_line(buf_str(&b) + skip, b.len - skip, fn, data);
	*ret_next = l->end;
	return 0;
}
