/* SPDX-License-Identifier: MIT */
/* A line of a sandbox's log.  See log-line.h. */
#include "daemon/log-line.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/defs.h"
#include "lib/base/mem.h"

#define MS INT64_C(1000000)
#define DIGITS 7 /* of 7 bits: until the year 19808 */

_Static_assert(LOG_LINE_PREFIX == 1 + 2 * DIGITS, "a stream and two times");

static const char *const names[] = {
	[LOG_STREAM_UNKNOWN] = NULL,
	[LOG_STREAM_SYSTEM] = "system",
	[LOG_STREAM_STDOUT] = "stdout",
	[LOG_STREAM_STDERR] = "stderr",
	[LOG_STREAM_PTY] = "pty",
};

_Static_assert(ARRAY_SIZE(names) == LOG_STREAM_MAX, "a name per stream");

const char *log_stream_name(enum log_stream s)
{
	return names[s];
}

bool log_stream_parse(const char *name, enum log_stream *ret)
{
	for (unsigned i = 0; i < LOG_STREAM_MAX; i++) {
		if (!names[i] || strcmp(names[i], name) != 0)
			continue;
		*ret = (enum log_stream)i;
		return true;
	}
	return false;
}

struct log_time log_time_at(int64_t boot_ns)
{
	int64_t wall = clock_wall_ns() - (clock_boot_ns() - boot_ns);

	/* 0 would say that the time is unknown. */
	return (struct log_time){ MAX(wall / MS, INT64_C(1)),
				  MAX(boot_ns / MS, INT64_C(1)) };
}

/* The high bit keeps every byte from being a newline. */
static void put_number(char *p, int64_t v)
{
	for (int i = 0; i < DIGITS; i++)
		p[i] = (char)(0x80 | (v >> (7 * i) & 0x7f));
}

static int64_t number(const char *p)
{
	int64_t v = 0;

	for (int i = 0; i < DIGITS; i++)
		v |= (int64_t)((unsigned char)p[i] & 0x7f) << (7 * i);
	return v;
}

void log_line_prefix(char out[LOG_LINE_PREFIX], struct log_time seen,
		     enum log_stream stream)
{
	out[0] = (char)(0x80 | stream);
	put_number(out + 1, seen.wall_ms);
	put_number(out + 1 + DIGITS, seen.boot_ms);
}

void log_line_add_prefix(struct buf *out, struct log_time seen,
			 enum log_stream stream)
{
	char prefix[LOG_LINE_PREFIX];

	log_line_prefix(prefix, seen, stream);
	buf_add(out, prefix, sizeof(prefix));
}

struct log_line log_line_decode(const char *p, size_t n)
{
	struct log_line l = { .text = p, .len = n, .at = -1 };
	unsigned stream;

	if (n < LOG_LINE_PREFIX)
		return l;
	stream = (unsigned char)p[0] & 0x7f;
	if (stream < LOG_STREAM_MAX)
		l.stream = (enum log_stream)stream;
	l.seen.wall_ms = number(p + 1);
	l.seen.boot_ms = number(p + 1 + DIGITS);
	l.text += LOG_LINE_PREFIX;
	l.len -= LOG_LINE_PREFIX;
	return l;
}

bool log_filter_wants(const struct log_filter *f, const struct log_line *l)
{
	if (l->at >= 0 && ((f->has_before && l->at >= f->before) ||
			   (f->has_after && l->at <= f->after)))
		return false;
	return l->seen.wall_ms >= f->from_wall_ms &&
	       l->seen.boot_ms >= f->from_boot_ms &&
	       (!f->one_stream || l->stream == f->stream);
}
