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

void form_command_view(struct canvas *c, struct area in, const char *command)
{
	auto_free char *text = xasprintf("= %s", command);
	size_t at = 0, len = strlen(text), width;

	for (int i = 0; i < in.rows && at < len; i++) {
		size_t n = width_fit(text + at, len - at,
				     (size_t)MAX(in.cols, 1), &width);
		bool last = i + 1 == in.rows;
		auto_free char *line = xstrndup(text + at, last ? len - at : n);

		canvas_text(c, in.row + i, in.col, in.cols,
			    pen_role(ROLE_VALUE), line);
		at += n;
	}
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
