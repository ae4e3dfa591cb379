/* SPDX-License-Identifier: MIT */
/* Go's duration text.  See duration.h. */
#include "lib/base/duration.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/defs.h"

static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {
	/* Longer names first: "ms" must not be read as "m". */
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* U+00B5 micro sign */
	{ "\xce\xbcs", 1000 }, /* U+03BC Greek mu */
	{ "ms", 1000000 },
	{ "s", INT64_C(1000000000) },
	{ "m", INT64_C(60000000000) },
	{ "h", INT64_C(3600000000000) },
};

static const struct unit *find_unit(const char *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strncmp(p, units[i].name, strlen(units[i].name)) == 0)
			return &units[i];
	return NULL;
}

/* One "12.5h"; advances *p.  Magnitudes are unsigned: the sign is outside. */
static int parse_term(const char **p, uint64_t *total)
{
	uint64_t whole = 0, frac = 0, scale = 1;
	bool digits = false;

	for (; isdigit((unsigned char)**p); (*p)++, digits = true) {
		if (whole > (uint64_t)INT64_MAX / 10)
			return -ERANGE;
		whole = whole * 10 + (uint64_t)(**p - '0');
	}
	if (**p == '.') {
		for ((*p)++; isdigit((unsigned char)**p);
		     (*p)++, digits = true) {
			/* More than 15 digits change less than 1 ns. */
			if (scale >= UINT64_C(1000000000000000))
				continue;
			frac = frac * 10 + (uint64_t)(**p - '0');
			scale *= 10;
		}
	}
	const struct unit *u = digits ? find_unit(*p) : NULL;
	if (!u)
		return -EINVAL;
	*p += strlen(u->name);
	/* Exact: less than 2^64 * 3.6e12 fits easily. */
	unsigned __int128 ns = (unsigned __int128)whole * (uint64_t)u->ns +
			       (unsigned __int128)frac * (uint64_t)u->ns /
				       scale;
	if (ns > (uint64_t)INT64_MAX ||
	    __builtin_add_overflow(*total, (uint64_t)ns, total) ||
	    *total > (uint64_t)INT64_MAX)
		return -ERANGE;
	return 0;
}

int duration_parse(const char *text, int64_t *ret_ns)
{
	const char *p = text;
	uint64_t total = 0;
	bool negative = *p == '-';

	if (*p == '-' || *p == '+')
		p++;
	if (strcmp(p, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	if (!*p)
		return -EINVAL;
	while (*p) {
		int r = parse_term(&p, &total);

		if (r < 0)
			return r;
	}
	*ret_ns = negative ? -(int64_t)total : (int64_t)total;
	return 0;
}

/* "1.5" from 1500 thousandths, without trailing zeros. */
static int format_decimal(char *out, size_t size, uint64_t value,
			  uint64_t unit, const char *name)
{
	int n = snprintf(out, size, "%" PRIu64, value / unit);
	uint64_t rest = value % unit;

	if (rest) {
		out[n++] = '.';
		for (uint64_t u = unit / 10; rest; u /= 10) {
			out[n++] = (char)('0' + rest / u);
			rest %= u;
		}
	}
	return n + snprintf(out + n, size - (size_t)n, "%s", name);
}

void duration_format(int64_t ns, char out[DURATION_SIZE])
{
	uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	size_t size = DURATION_SIZE;
	int n = 0;

	if (ns < 0)
		out[n++] = '-';
	if (v == 0)
		snprintf(out, size, "0s");
	else if (v < 1000)
		format_decimal(out + n, size - (size_t)n, v, 1, "ns");
	else if (v < 1000000)
		format_decimal(out + n, size - (size_t)n, v, 1000, "\xc2\xb5s");
	else if (v < 1000000000)
		format_decimal(out + n, size - (size_t)n, v, 1000000, "ms");
	else {
		uint64_t s = UINT64_C(1000000000), m = 60 * s, h = 60 * m;

		if (v >= h)
			n += snprintf(out + n, size - (size_t)n, "%" PRIu64 "h",
				      v / h);
		if (v >= m)
			n += snprintf(out + n, size - (size_t)n, "%" PRIu64 "m",
				      v % h / m);
		format_decimal(out + n, size - (size_t)n, v % m, s, "s");
	}
}

bool duration_is_less(int64_t given_ns, int64_t asked_ns)
{
	int64_t minute = INT64_C(60) * 1000000000, half = asked_ns / 2;

	return given_ns < asked_ns - (half < minute ? half : minute);
}
