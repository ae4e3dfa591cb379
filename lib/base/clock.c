/* SPDX-License-Identifier: MIT */
/* Clocks and their text.  See clock.h. */
#include "lib/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

static int64_t wall_jump;

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_boot_ns(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

int64_t clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME) + wall_jump;
}

void clock_inject_wall_jump(int64_t ns)
{
	wall_jump = ns;
}

void clock_format_rfc3339(int64_t wall_ns, char out[CLOCK_RFC3339_SIZE])
{
	time_t s = (time_t)(wall_ns / NS_PER_S);
	int ms = (int)(wall_ns % NS_PER_S / 1000000);
	struct tm tm;

	gmtime_r(&s, &tm);
	size_t n = strftime(out, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, CLOCK_RFC3339_SIZE - n, ".%03dZ",
		 ms < 0 ? 0 : ms);
}

/* Fractions past nanoseconds are dropped.  Returns what follows, or NULL. */
static const char *parse_fraction(const char *p, int64_t *ret_ns)
{
	int64_t ns = 0, unit = NS_PER_S / 10;

	if (!isdigit((unsigned char)*p))
		return NULL;
	for (; isdigit((unsigned char)*p); p++, unit /= 10)
		ns += (*p - '0') * unit;
	*ret_ns = ns;
	return p;
}

int clock_parse_rfc3339(const char *text, int64_t *ret_ns)
{
	struct tm tm = { 0 };
	int64_t ns = 0, offset = 0;
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (p && *p == '.')
		p = parse_fraction(p + 1, &ns);
	if (!p)
		return -EINVAL;
	if (*p == '+' || *p == '-') {
		int h, m, used = 0;

		if (sscanf(p + 1, "%2d:%2d%n", &h, &m, &used) != 2 ||
		    used != 5 || h > 23 || m > 59)
			return -EINVAL;
		offset = (*p == '-' ? -1 : 1) * (h * 3600 + m * 60);
		p += 6;
	} else if (*p++ != 'Z') {
		return -EINVAL;
	}
	if (*p)
		return -EINVAL;
	*ret_ns = ((int64_t)timegm(&tm) - offset) * NS_PER_S + ns;
	return 0;
}
