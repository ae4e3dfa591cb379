/* SPDX-License-Identifier: MIT */
/* Writing JSON.  See json.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define ZERO_BYTE(v) (((v) - EACH(0x01)) & ~(v) & EACH(0x80))

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* How many bytes at the start of s need no second look: eight at a time. */
static size_t plain_run(const char *s, size_t n)
{
	size_t i = 0;

	for (; n - i >= 8; i += 8) {
		uint64_t v;

		memcpy(&v, s + i, 8);
		if ((v & EACH(0x80)) | ((v - EACH(0x20)) & ~v & EACH(0x80)) |
		    ZERO_BYTE(v ^ EACH('"')) | ZERO_BYTE(v ^ EACH('\\')) |
		    ZERO_BYTE(v ^ EACH(0x7f)))
			break;
	}
	while (i < n && is_plain((unsigned char)s[i]))
		i++;
	return i;
}

static void add_escape(struct buf *out, uint32_t cp)
{
	static const char hex[] = "0123456789abcdef";
	const char u[6] = { '\\', 'u', hex[cp >> 12 & 15], hex[cp >> 8 & 15],
			    hex[cp >> 4 & 15], hex[cp & 15] };

	if (cp == '"' || cp == '\\')
		buf_add(out, (const char[]){ '\\', (char)cp }, 2);
	else if (cp == '\n')
		buf_add(out, "\\n", 2);
	else if (cp == '\t')
		buf_add(out, "\\t", 2);
	else if (cp == '\r')
		buf_add(out, "\\r", 2);
	else
		buf_add(out, u, sizeof(u));
}

void json_add_string(struct buf *out, const char *s, size_t n)
{
	uint32_t cp = 0;

	buf_reserve(out, n + 2);
	buf_addch(out, '"');
	for (;;) {
		size_t run = plain_run(s, n);

		buf_add(out, s, run);
		s += run;
		n -= run;
		if (!n)
			break;
		int k = utf8_decode(s, n, &cp);
		size_t step = k > 0 ? (size_t)k : k < 0 ? (size_t)-k : n;
		if (k <= 0)
			buf_addstr(out, "\xef\xbf\xbd");
		else if (cp < 0x80 || cp == 0x85 || cp == 0x2028 ||
			 cp == 0x2029)
			add_escape(out, cp);
		else
			buf_add(out, s, step);
		s += step;
		n -= step;
	}
	buf_addch(out, '"');
}

static void begin(struct json_writer *w, const char *key)
{
	if (w->comma)
		buf_addch(w->out, ',');
	w->comma = true;
	if (!key)
		return;
	json_add_string(w->out, key, strlen(key));
	buf_addch(w->out, ':');
}

void json_open(struct json_writer *w, const char *key, char bracket)
{
	begin(w, key);
	buf_addch(w->out, bracket);
	w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
	buf_addch(w->out, bracket);
	w->comma = true;
}

void json_strn(struct json_writer *w, const char *key, const char *s, size_t n)
{
	begin(w, key);
	json_add_string(w->out, s, n);
}

void json_str(struct json_writer *w, const char *key, const char *s)
{
	json_strn(w, key, s ? s : "", s ? strlen(s) : 0);
}

void json_int(struct json_writer *w, const char *key, int64_t v)
{
	begin(w, key);
	buf_addf(w->out, "%" PRId64, v);
}

void json_double(struct json_writer *w, const char *key, double v)
{
	begin(w, key);
	if (isfinite(v))
		buf_addf(w->out, "%.6g", v);
	else
		buf_addstr(w->out, "null");
}

void json_bool(struct json_writer *w, const char *key, bool v)
{
	begin(w, key);
	buf_addstr(w->out, v ? "true" : "false");
}

void json_null(struct json_writer *w, const char *key)
{
	begin(w, key);
	buf_addstr(w->out, "null");
}

void json_raw(struct json_writer *w, const char *key, const char *json)
{
	begin(w, key);
	buf_addstr(w->out, json);
}

void json_strmap(struct json_writer *w, const char *key, char *const *pairs)
{
	json_open(w, key, '{');
	for (; pairs && *pairs; pairs++) {
		const char *eq = strchr(*pairs, '=');
		auto_free char *name = xstrndup(
			*pairs, eq ? (size_t)(eq - *pairs) : strlen(*pairs));

		json_str(w, name, eq ? eq + 1 : "");
	}
	json_close(w, '}');
}
