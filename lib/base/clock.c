/* SPDX-License-Identifier: MIT */
/* Clocks and their text.  See clock.h. */
#include "lib/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "lib/base/fault.h"

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
	return read_clock(CLOCK_REALTIME) + wall_jump + fault_clock();
}

void clock_inject_wall_jump(int64_t ns)
{
	wall_jump = ns;
}

void clock_format_rfc3339(int64_t wall_ns, char out[CLOCK_RFC3339_SIZE])
{
	time_t s = (time_t)(wall_ns / NS_PER_S);
	int64_t rest = wall_ns % NS_PER_S;
	struct tm tm;

	if (rest < 0) { /* before 1970: towards the past, not zero */
		s--;
		rest += NS_PER_S;
	}

	gmtime_r(&s, &tm);
	size_t n = strftime(out, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, CLOCK_RFC3339_SIZE - n, ".%03dZ",
		 (int)(rest / 1000000));
}

/* Exactly `digits` digits, from min to max.  Returns what follows or NULL;
 * a NULL p stays one, so that a whole text can be read before asking. */
static const char *number(const char *p, int digits, int min, int max,
			  int *ret)
{
	int v = 0;

	for (int i = 0; p && i < digits; i++, p++) {
		if (!isdigit((unsigned char)*p))
			return NULL;
		v = v * 10 + (*p - '0');
	}
	*ret = v;
	return v >= min && v <= max ? p : NULL;
}

static const char *literal(const char *p, char c)
{
	return p && *p == c ? p + 1 : NULL;
}

/* ".123", if it is there; what is past nanoseconds is dropped. */
static const char *fraction(const char *p, int64_t *ret_ns)
{
	int64_t ns = 0, unit = NS_PER_S / 10;

	if (!p || *p != '.')
		return p;
	if (!isdigit((unsigned char)*++p))
		return NULL;
	for (; isdigit((unsigned char)*p); p++, unit /= 10)
		ns += (*p - '0') * unit;
	*ret_ns = ns;
	return p;
}

/* "Z" or "+02:00". */
static const char *zone(const char *p, int64_t *ret_s)
{
	int h = 0, m = 0;

	if (!p || (*p != '+' && *p != '-'))
		return literal(p, 'Z');
	int sign = *p == '-' ? -1 : 1;
	p = number(p + 1, 2, 0, 23, &h);
	p = number(literal(p, ':'), 2, 0, 59, &m);
	*ret_s = sign * (h * 3600 + m * 60);
	return p;
}

int clock_parse_rfc3339(const char *text, int64_t *ret_ns)
{
	struct tm tm = { 0 };
	int64_t ns = 0, offset = 0;
	const char *p = number(text, 4, 1700, 2261, &tm.tm_year);

	p = number(literal(p, '-'), 2, 1, 12, &tm.tm_mon);
	p = number(literal(p, '-'), 2, 1, 31, &tm.tm_mday);
	p = number(literal(p, 'T'), 2, 0, 23, &tm.tm_hour);
	p = number(literal(p, ':'), 2, 0, 59, &tm.tm_min);
	p = number(literal(p, ':'), 2, 0, 60, &tm.tm_sec);
	p = zone(fraction(p, &ns), &offset);
	if (!p || *p)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	int day = tm.tm_mday, second = tm.tm_sec;
	int64_t s = timegm(&tm); /* normalises: 31 June is 1 July */
	if (tm.tm_mday != day && second < 60)
		return -EINVAL;
	*ret_ns = (s - offset) * NS_PER_S + ns;
	return 0;
}
