/* SPDX-License-Identifier: MIT */
/* Where the cursor goes.  See edit.h. */
#include <string.h>

#include "lib/base/mem.h"
#include "tui/edit.h"

static size_t lines_on(const struct edit *e, size_t at, size_t n, bool back)
{
	size_t line = edit_line_start(&e->text, at);

	while (n-- && (back ? edit_line_prev(&e->text, line, &line) :
			      edit_line_next(&e->text, line, &line)))
		;
	return line;
}

static bool over_lines(const struct edit *e, enum action a, unsigned count,
		       size_t *ret)
{
	size_t n = count ? count : 1, page = e->rows > 1 ? e->rows - 1 : 1;

	switch (a) {
	case ACT_UP:
	case ACT_DOWN:
		*ret = lines_on(e, e->at, n, a == ACT_UP);
		return true;
	case ACT_PAGE_UP:
	case ACT_PAGE_DOWN:
		*ret = lines_on(e, e->at, n * page, a == ACT_PAGE_UP);
		return true;
	case ACT_TOP:
		*ret = edit_line_at(&e->text, n);
		return true;
	case ACT_BOTTOM:
		*ret = count ? edit_line_at(&e->text, count) :
			       edit_line_last(&e->text);
		return true;
	default:
		return false;
	}
}

static size_t one(const struct edit *e, enum action a, size_t at)
{
	const struct edit_text *t = &e->text;

	switch (a) {
	case ACT_LEFT:
		return at > edit_line_start(t, at) ? edit_prev(t, at) : at;
	case ACT_RIGHT:
		return at < edit_line_end(t, at) ? edit_next(t, at) : at;
	case ACT_WORD_NEXT:
		return edit_word_next(t, at);
	case ACT_WORD_PREV:
		return edit_word_prev(t, at);
	default:
		return edit_word_end(t, at);
	}
}

/* `w` of an operator ends with the line: "dw" leaves the line end. */
static size_t word_for_operator(const struct edit *e, size_t to)
{
	size_t end = edit_line_end(&e->text, e->at);

	return e->at < end && to > end ? end : to;
}

static bool in_line(struct edit *e, enum action a, unsigned count,
		    size_t *ret, bool *ret_past)
{
	size_t to = e->at;

	switch (a) {
	case ACT_LINE_START:
		to = edit_line_start(&e->text, to);
		break;
	case ACT_FIRST_CHAR:
		to = edit_first_char(&e->text, to);
		break;
	case ACT_LINE_END:
		to = edit_line_end(&e->text, lines_on(e, to, count ?
							 count - 1 : 0,
						      false));
		break;
	case ACT_WORD_END:
		*ret_past = true;
		__attribute__((fallthrough));
	case ACT_LEFT:
	case ACT_RIGHT:
	case ACT_WORD_NEXT:
	case ACT_WORD_PREV:
		for (unsigned i = 0; i < MAX(count, 1u); i++) {
			size_t next = one(e, a, to);

			if (next == to)
				break;
			to = next;
		}
		if (a == ACT_WORD_NEXT && e->pending)
			to = word_for_operator(e, to);
		break;
	default:
		return false;
	}
	*ret = to;
	return true;
}

bool edit_search(struct edit *e, bool back, size_t *ret)
{
	size_t to;

	if (!e->pattern.len) {
		edit_say(e, true, "nothing to search for");
		return false;
	}
	if (!edit_find(&e->text, e->pattern.data, e->pattern.len, e->at,
		       back, &to)) {
		edit_say(e, true, "%s is not in it", e->pattern.data);
		return false;
	}
	if (back ? to >= e->at : to <= e->at)
		edit_say(e, false, back ? "from the end" : "from the start");
	*ret = to;
	return true;
}

bool edit_motion(struct edit *e, enum action a, unsigned count, size_t *ret,
		 bool *ret_lines, bool *ret_past)
{
	*ret_lines = *ret_past = false;
	if (a == ACT_SEARCH_NEXT || a == ACT_SEARCH_PREV) {
		*ret = e->at;
		edit_search(e, e->pattern_back != (a == ACT_SEARCH_PREV),
			    ret);
		return true;
	}
	if (in_line(e, a, count, ret, ret_past))
		return true;
	*ret_lines = true;
	return over_lines(e, a, count, ret);
}
