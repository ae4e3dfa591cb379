/* SPDX-License-Identifier: MIT */
/* What forms have in common.  See screen.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/screen.h"

void form_field_view(struct canvas *c, int row, struct area in,
		     const char *label, const struct field *field,
		     const char *hint, bool here, bool typing)
{
	canvas_text(c, row, in.col, 10,
		    pen_role(here ? ROLE_ACCENT : ROLE_DIM), label);
	if (here || *field_text(field))
		field_view(field, c, row, in.col + 11, in.cols - 11,
			   pen_role(ROLE_INK), here && typing);
	if (!*field_text(field))
		canvas_text(c, row, in.col + 12, in.cols - 12,
			    pen_role(ROLE_FAINT), hint);
}

/* The bytes of the next line: it ends after a blank where it can.  Never none:
 * no character takes more than two columns. */
size_t form_text_line(const char *text, size_t len, int cols)
{
	size_t width, n = width_fit(text, len, (size_t)MAX(cols, 2), &width);
	size_t words = n;

	while (n < len && words && text[words - 1] != ' ')
		words--;
	return words ? words : n;
}

int form_text_rows(const char *text, int cols)
{
	size_t len = strlen(text), at = 0;
	int rows = 0;

	for (; at < len; rows++)
		at += form_text_line(text + at, len - at, cols);
	return rows;
}

void form_text_view(struct canvas *c, struct area in, struct cell pen,
		    const char *text)
{
	size_t len = strlen(text), at = 0;

	for (int i = 0; i < in.rows && at < len; i++) {
		size_t n = form_text_line(text + at, len - at, in.cols);
		bool last = i + 1 == in.rows;
		auto_free char *line = xstrndup(text + at,
						last ? len - at : n);

		canvas_text(c, in.row + i, in.col, in.cols, pen, line);
		at += n;
	}
}

void form_command_view(struct canvas *c, struct area in, const char *command)
{
	auto_free char *text = xasprintf("= %s", command);

	form_text_view(c, in, pen_role(ROLE_VALUE), text);
}

static void leave(struct model *m, void *data)
{
	(void)data;
	dialog_pop(m);
}

void form_leave_ask(struct model *m)
{
	confirm_ask(m, &(struct confirm){
			       .title = "LEAVE THE FORM?",
			       .lines = (const char *const[]){
				       "What was typed is lost.", NULL },
			       .yes = leave });
}
