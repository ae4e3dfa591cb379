/* SPDX-License-Identifier: MIT */
/* The line below the text: commands and searches.  See edit.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/edit.h"

void edit_line_begin(struct edit *e, char prompt)
{
	e->mode = EDIT_LINE;
	e->prompt = prompt;
	field_set(&e->line, "");
	e->line.past = prompt == ':' ? e->commands : e->searches;
}

static void search(struct edit *e, const char *text)
{
	if (*text) {
		buf_clear(&e->pattern);
		buf_addstr(&e->pattern, text);
	}
	e->pattern_back = e->prompt == '?';
	edit_search(e, e->pattern_back, &e->at);
}

static bool go_to_line(struct edit *e, const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (strcmp(text, "$") == 0)
		e->at = edit_line_last(&e->text);
	else if (digits && !text[digits] && digits < 10)
		e->at = edit_line_at(&e->text, strtoul(text, NULL, 10));
	else
		return false;
	return true;
}

static void command(struct edit *e, const char *text)
{
	static const struct {
		const char *name;
		unsigned wants;
	} all[] = {
		{ "w", EDIT_WRITE },
		{ "w!", EDIT_WRITE | EDIT_FORCE },
		{ "q", EDIT_LEAVE },
		{ "q!", EDIT_LEAVE | EDIT_FORCE },
		{ "wq", EDIT_WRITE | EDIT_LEAVE },
		{ "wq!", EDIT_WRITE | EDIT_LEAVE | EDIT_FORCE },
		{ "x", EDIT_WRITE | EDIT_LEAVE },
		{ "e", EDIT_RELOAD },
		{ "e!", EDIT_RELOAD | EDIT_FORCE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strcmp(all[i].name, text) == 0) {
			e->wants |= all[i].wants;
			return;
		}
	if (*text && !go_to_line(e, text))
		edit_say(e, true, "no command '%s': w q wq q! w! e! or a line "
				  "number", text);
}

void edit_line_done(struct edit *e)
{
	auto_free char *text = xstrdup(field_text(&e->line));
	size_t n = strlen(text);

	e->mode = EDIT_NORMAL;
	if (e->prompt != ':') {
		search(e, text);
		return;
	}
	while (n && text[n - 1] == ' ')
		text[--n] = '\0';
	command(e, text + strspn(text, " :"));
}
