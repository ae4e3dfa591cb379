/* SPDX-License-Identifier: MIT */
/* Text to scroll through.  See output.h. */
#include "tui/output.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/list.h"
#include "tui/screen.h"

#define BORDER_COLS 4

struct output {
	char *title;
	char **lines;
	size_t n;
	struct list_pos pos;
};

static void output_free(void *state)
{
	struct output *o = state;

	free(o->title);
	strv_free(o->lines);
	free(o);
}

static void split(struct output *o, const char *text)
{
	size_t room = 2;

	for (const char *p = text; *p; p++)
		room += *p == '\n';
	o->lines = xcalloc(room, sizeof(char *));
	while (*text) {
		size_t n = strcspn(text, "\n");

		o->lines[o->n++] = xstrndup(text, n);
		text += n + (text[n] == '\n');
	}
}

static int rows_of(const struct model *m)
{
	return MAX(m->rows - 6, 3);
}

int output_columns(const struct model *m)
{
	return m->cols - 6 - BORDER_COLS;
}

static void output_view(const struct model *m, const void *state,
			struct canvas *c)
{
	const struct output *o = state;
	int rows = rows_of(m);
	struct area in = dialog_box(c, MIN(rows, (int)MAX(o->n, 1)) + 2,
				    m->cols - 6, o->title);

	if (!o->n)
		canvas_text(c, in.row, in.col, in.cols, pen_role(ROLE_DIM),
			    "(no output)");
	canvas_cursor(c, in.row, in.col); /* what scrolls */
	for (int i = 0; i < in.rows && o->pos.top + (size_t)i < o->n; i++)
		canvas_text(c, in.row + i, in.col, in.cols,
			    pen_role(ROLE_INK),
			    o->lines[o->pos.top + (size_t)i]);
}

static bool output_act(struct model *m, void *state, enum action a)
{
	struct output *o = state;
	size_t height = (size_t)rows_of(m);
	size_t most = o->n > height ? o->n - height : 0;

	/* It has no selection: the first row shown is where one is. */
	o->pos.n = most + 1;
	o->pos.height = height;
	o->pos.at = o->pos.top;
	if (!list_act(&o->pos, a)) {
		dialog_pop(m);
		return true;
	}
	o->pos.top = MIN(o->pos.at, most);
	return true;
}

static const struct dialog_ops output_ops = {
	.release = output_free,
	.view = output_view,
	.context = CTX_HELP,
	.act = output_act,
};

void output_open(struct model *m, const char *title, const char *text)
{
	struct output *o = xcalloc(1, sizeof(*o));

	o->title = xstrdup(title);
	split(o, text);
	dialog_push(m, &output_ops, o);
}
