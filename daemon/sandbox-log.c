/* SPDX-License-Identifier: MIT */
/* A sandbox's log: bytes become lines, lines go into the ring and come out
 * again.  See sandbox-log.h; the file is log-ring.h's. */
#include "daemon/sandbox-log.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log-ring.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/list.h"
#include "lib/base/mem.h"

/* An unfinished line. */
struct part {
	struct list link;
	char source[LIMIT_SESSION_ID + 1];
	enum log_stream stream;
	struct log_time seen; /* the last of it */
	struct buf text;
};

struct sandbox_log {
	struct log_ring ring;
	struct buf pending;  /* whole lines that are not in the file */
	struct list parts;   /* the oldest first */
	unsigned nparts;
	int64_t last_ns;     /* boot time of the newest output */
	uint64_t agent_at;
	uint64_t lost;       /* bytes the disk did not take */
};

int sandbox_log_open(const char *dir, struct sandbox_log **ret,
		     struct svm_err *err)
{
	struct log_ring ring;

	if (log_ring_open(dir, &ring, err) < 0)
		return -1;
	struct sandbox_log *l = xcalloc(1, sizeof(*l));
	l->ring = ring;
	l->agent_at = ring.agent_at;
	list_init(&l->parts);
	*ret = l;
	return 0;
}

/* What claims to be from the future is from now, and nothing is older than
 * what came before it. */
static struct log_time time_of(struct sandbox_log *l, int64_t seen_ns)
{
	int64_t now = clock_boot_ns();

	if (seen_ns <= 0 || seen_ns > now)
		seen_ns = now;
	l->last_ns = MAX(seen_ns, l->last_ns);
	return log_time_at(l->last_ns);
}

/* To the file. */

static void add_marker(struct buf *out, uint64_t lost)
{
	buf_addf(out, "[... %" PRIu64 " bytes lost ...]", lost);
}

/* What the disk does not take is lost, and said so once it takes again. */
static void write_pending(struct sandbox_log *l)
{
	auto_buf struct buf marked = BUF_INIT;
	struct buf *b = &l->pending;

	if (!b->len && l->agent_at == l->ring.agent_at)
		return;
	if (l->lost) {
		log_line_add_prefix(&marked, time_of(l, 0),
				    LOG_STREAM_SYSTEM);
		add_marker(&marked, l->lost);
		buf_addch(&marked, '\n');
		buf_add(&marked, b->data, b->len);
		b = &marked;
	}
	if (log_ring_add(&l->ring, buf_str(b), b->len, l->agent_at) == 0)
		l->lost = 0;
	else
		l->lost += l->pending.len;
	buf_clear(&l->pending);
}

void sandbox_log_flush(struct sandbox_log *l)
{
	write_pending(l);
	buf_release(&l->pending);
}

/* Unfinished lines. */

static struct part *find_part(struct sandbox_log *l, const char *source,
			      enum log_stream stream)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &l->parts) {
		struct part *part = list_entry(pos, struct part, link);

		if (part->stream == stream &&
		    strcmp(part->source, source) == 0)
			return part;
	}
	return NULL;
}

static void free_part(struct sandbox_log *l, struct part *part)
{
	if (!part)
		return;
	list_remove(&part->link);
	buf_release(&part->text);
	free(part);
	l->nparts--;
}

/* part: how the line began; or NULL. */
static void add_line(struct sandbox_log *l, const struct part *part,
		     const char prefix[LOG_LINE_PREFIX],
		     enum log_stream stream, const char *p, size_t n)
{
	buf_add(&l->pending, prefix, LOG_LINE_PREFIX);
	if (part)
		buf_add(&l->pending, part->text.data, part->text.len);
	buf_add(&l->pending, p, n);
	/* A terminal ends its lines with CR LF. */
	if (stream == LOG_STREAM_PTY &&
	    l->pending.data[l->pending.len - 1] == '\r')
		buf_truncate(&l->pending, l->pending.len - 1);
	buf_addch(&l->pending, '\n');
	if (l->pending.len >= LIMIT_TURN_BYTES)
		write_pending(l);
}

static void end_part(struct sandbox_log *l, struct part *part)
{
	char prefix[LOG_LINE_PREFIX];

	log_line_prefix(prefix, part->seen, part->stream);
	add_line(l, part, prefix, part->stream, "", 0);
	free_part(l, part);
}

static void keep_part(struct sandbox_log *l, struct part *part,
		      const char *source, enum log_stream stream,
		      struct log_time seen, const char *p, size_t n)
{
	if (!part) {
		if (l->nparts == LIMIT_LOG_PARTS)
			end_part(l, list_entry(l->parts.next, struct part,
					       link));
		part = xcalloc(1, sizeof(*part));
		(void)snprintf(part->source, sizeof(part->source), "%s",
			       source);
		part->stream = stream;
		list_append(&l->parts, &part->link);
		l->nparts++;
	}
	part->seen = seen;
	buf_add(&part->text, p, n);
}

void sandbox_log_add(struct sandbox_log *l, const char *source,
		     enum log_stream stream, int64_t seen_boot_ns,
		     const void *p, size_t n)
{
	struct part *part = find_part(l, source, stream);
	struct log_time seen = time_of(l, seen_boot_ns);
	char prefix[LOG_LINE_PREFIX]; /* of all its lines, which may be many */
	const char *s = p;

	log_line_prefix(prefix, seen, stream);
	while (n) {
		const char *nl = memchr(s, '\n', n);
		size_t room = LIMIT_LOG_LINE - (part ? part->text.len : 0);
		size_t take = MIN(nl ? (size_t)(nl - s) : n, room);

		if (take == n) { /* full or not: a newline may come next */
			keep_part(l, part, source, stream, seen, s, n);
			break;
		}
		add_line(l, part, prefix, stream, s, take);
		free_part(l, part);
		part = NULL;
		s += take;
		n -= take;
		if (*s == '\n') {
			s++;
			n--;
		}
	}
}

void sandbox_log_finish(struct sandbox_log *l, const char *source)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &l->parts) {
		struct part *part = list_entry(pos, struct part, link);

		if (strcmp(part->source, source) == 0)
			end_part(l, part);
	}
}

void sandbox_log_lost(struct sandbox_log *l, uint64_t n)
{
	auto_buf struct buf text = BUF_INIT;

	char prefix[LOG_LINE_PREFIX];

	log_line_prefix(prefix, time_of(l, 0), LOG_STREAM_SYSTEM);
	add_marker(&text, n);
	add_line(l, NULL, prefix, LOG_STREAM_SYSTEM, text.data, text.len);
}

void sandbox_log_close(struct sandbox_log *l)
{
	if (!l)
		return;
	while (!list_empty(&l->parts))
		end_part(l, list_entry(l->parts.next, struct part, link));
	sandbox_log_flush(l);
	log_ring_close(&l->ring);
	free(l);
}

uint64_t sandbox_log_agent_at(const struct sandbox_log *l)
{
	return l->agent_at;
}

void sandbox_log_set_agent_at(struct sandbox_log *l, uint64_t at)
{
	l->agent_at = at;
}

uint64_t sandbox_log_end(const struct sandbox_log *l)
{
	return l->ring.end + l->pending.len;
}

/* Reading. */

/* Those of p[0..n), which is at `at`, that f wants, `most` at most; how
 * many. */
static unsigned each_line(uint64_t at, const char *p, size_t n, unsigned most,
			  const struct log_filter *f, sandbox_log_fn *fn,
			  void *data)
{
	const char *nl;
	unsigned count = 0;

	for (; n && count < most && (nl = memchr(p, '\n', n)); p = nl + 1) {
		size_t len = (size_t)(nl - p);
		struct log_line line = log_line_decode(p, len);

		line.at = (int64_t)at;
		at += len + 1;
		n -= len + 1;
		if (!log_filter_wants(f, &line))
			continue;
		if (fn)
			fn(data, &line);
		count++;
	}
	return count;
}

/* Of unknown time: it was lost before what follows was written. */
static void tell_lost(uint64_t lost, const struct log_filter *f,
		      sandbox_log_fn *fn, void *data)
{
	auto_buf struct buf text = BUF_INIT;
	struct log_line line = { .stream = LOG_STREAM_SYSTEM, .at = -1 };

	add_marker(&text, lost);
	line.text = text.data;
	line.len = text.len;
	if (log_filter_wants(f, &line))
		fn(data, &line);
}

/* When the ring has wrapped, its first bytes are the end of a line whose
 * beginning is gone: how many. */
static size_t torn(const struct sandbox_log *l, const struct buf *b)
{
	const char *nl = l->ring.begin && b->len ?
				 memchr(b->data, '\n', b->len) : NULL;

	return nl ? (size_t)(nl - b->data) + 1 : 0;
}

/* The first that f wants of what is behind f->after. */
static void first_lines(const struct sandbox_log *l, const struct buf *b,
			const struct log_filter *f, sandbox_log_fn *fn,
			void *data)
{
	size_t skip = torn(l, b);
	uint64_t from = l->ring.begin + skip;

	if ((uint64_t)f->after + 1 < l->ring.begin)
		tell_lost(from - ((uint64_t)f->after + 1), f, fn, data);
	(void)each_line(from, buf_str(b) + skip, b->len - skip, f->lines, f,
			fn, data);
}

int sandbox_log_tail(struct sandbox_log *l, const struct log_filter *f,
		     sandbox_log_fn *fn, void *data, uint64_t *ret_end)
{
	auto_buf struct buf b = BUF_INIT;

	sandbox_log_flush(l);
	int r = log_ring_read(&l->ring, l->ring.begin, &b);
	if (r < 0)
		return r;
	*ret_end = l->ring.end;
	if (f->has_after) {
		first_lines(l, &b, f, fn, data);
		return 0;
	}
	size_t first = torn(l, &b), from = b.len;
	unsigned have = 0;
	while (have < f->lines && from > first) {
		const char *nl = from - 1 > first ?
			memrchr(b.data + first, '\n', from - 1 - first) : NULL;
		size_t to = from;

		from = nl ? (size_t)(nl - b.data) + 1 : first;
		have += each_line(l->ring.begin + from, b.data + from,
				  to - from, UINT_MAX, f, NULL, NULL);
	}
	if (have < f->lines && l->ring.begin)
		tell_lost(l->ring.begin + first, f, fn, data);
	(void)each_line(l->ring.begin + from, buf_str(&b) + from,
			b.len - from, UINT_MAX, f, fn, data);
	return 0;
}

int sandbox_log_since(struct sandbox_log *l, uint64_t offset,
		      const struct log_filter *f, sandbox_log_fn *fn,
		      void *data, uint64_t *ret_next)
{
	auto_buf struct buf b = BUF_INIT;

	sandbox_log_flush(l);
	uint64_t from = MIN(MAX(offset, l->ring.begin), l->ring.end);
	int r = log_ring_read(&l->ring, from, &b);
	if (r < 0)
		return r;
	size_t skip = offset < l->ring.begin ? torn(l, &b) : 0;
	if (offset < l->ring.begin)
		tell_lost(from + skip - offset, f, fn, data);
	(void)each_line(from + skip, buf_str(&b) + skip, b.len - skip,
			UINT_MAX, f, fn, data);
	*ret_next = l->ring.end;
	return 0;
}
