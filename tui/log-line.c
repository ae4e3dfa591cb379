/* SPDX-License-Identifier: MIT */
/* Lines of logs.  See log-line.h. */
#include "tui/log-line.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"

static enum textlog_source source_named(const char *name)
{
	for (int i = TEXTLOG_ANY + 1; i < TEXTLOG_SOURCES; i++)
		if (strcmp(textlog_source_name((enum textlog_source)i),
			   name) == 0)
			return (enum textlog_source)i;
	return TEXTLOG_ANY;
}

/* What programs say of themselves: {"level":"error",...}. */
static bool says_error(const char *line)
{
	static const char *const levels[] = { "error", "fatal", "critical",
					      "panic" };
	const char *at = line[strspn(line, " ")] == '{' ?
				 strcasestr(line, "\"level\"") : NULL;

	at = at ? at + 7 + strspn(at + 7, " :\"") : NULL;
	for (size_t i = 0; at && i < ARRAY_SIZE(levels); i++)
		if (strncasecmp(at, levels[i], strlen(levels[i])) == 0)
			return true;
	return false;
}

const char *log_line_parse(const cJSON *v, struct textlog_line *ret_about)
{
	const cJSON *line = cJSON_IsObject(v) ? json_get(v, "line") : v;
	const cJSON *at = cJSON_IsObject(v) ? json_get(v, "at") : NULL;

	if (!cJSON_IsString(line))
		return NULL;
	*ret_about = (struct textlog_line){ 0 };
	ret_about->from = source_named(json_text(v, "stream"));
	if (clock_parse_rfc3339(json_text(v, "time"),
				&ret_about->wall_ns) < 0)
		ret_about->wall_ns = 0;
	ret_about->bad = ret_about->from == TEXTLOG_STDERR ||
			 says_error(line->valuestring);
	if (cJSON_IsNumber(at) && at->valuedouble >= 0 &&
	    at->valuedouble < 9e15)
		ret_about->at = (uint64_t)at->valuedouble + 1;
	return line->valuestring;
}

/* -- a page */

struct log_page log_page_end(const cJSON *list)
{
	return (struct log_page){ .last = list->child ? list->child->prev :
							NULL,
				  .left = cJSON_GetArraySize(list) };
}

const char *log_page_prev(struct log_page *p, struct textlog_line *ret_about)
{
	/* The list is a ring backwards: only the count ends it. */
	while (p->left > 0) {
		const char *text = log_line_parse(p->last, ret_about);

		p->last = p->last->prev;
		p->left--;
		if (text)
			return text;
	}
	return NULL;
}

/* -- pieces */

void log_pieces_release(struct log_pieces *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->of[i].text);
		free(p->of[i].raw);
	}
	free(p->of);
}

static bool is_blank(const char *s)
{
	return !s[strspn(s, " ")];
}

/* Takes both. */
static void add_piece(struct log_pieces *p, const struct textlog_line *about,
		      char *text, char *raw)
{
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 1;
		p->of = xreallocarray(p->of, p->room, sizeof(*p->of));
	}
	p->of[p->n] = *about;
	p->of[p->n].text = text;
	p->of[p->n].raw = raw;
	p->of[p->n].piece = p->n;
	p->n++;
}

/* Paint nobody sees goes with what is painted next, or else came last. */
static void split(struct log_pieces *p, const struct textlog_line *about,
		  const char *s, size_t len)
{
	const char *from = s, *end = s + len;

	while (s < end) {
		size_t n = escape_repaint(s, (size_t)(end - s));
		auto_free char *text = xstrndup(s, n);

		s += n;
		escape_strip(text);
		if (is_blank(text) && (s < end || p->n))
			continue;
		add_piece(p, about, steal_ptr(&text),
			  xstrndup(from, (size_t)(s - from)));
		from = s;
	}
	if (from < end && p->n) {
		char **raw = &p->of[p->n - 1].raw;
		char *whole = xasprintf("%s%.*s", *raw, (int)(end - from),
					from);

		free(*raw);
		*raw = whole;
	}
}

struct log_pieces log_line_split(const char *text,
				 const struct textlog_line *about)
{
	struct log_pieces p = { NULL, 0, 0 };
	/* Each byte could be a piece: what none keeps is not looked at. */
	size_t n = strnlen(text, LIMIT_TUI_LINE_KEPT);

	if (about->from == TEXTLOG_PTY && strpbrk(text, "\033\r"))
		split(&p, about, text, n);
	else
		add_piece(&p, about, xstrndup(text, n), NULL);
	return p;
}
