/* SPDX-License-Identifier: MIT */
/* The keys that work where one is, and what letters there mean; typing filters
 * them. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/list.h"
#include "tui/screen.h"

#define KEYS_COLS 15
#define MORE_COLS 10

struct help {
	enum context chain[CONTEXT_CHAIN];
	struct field filter;
	size_t top;
};

static void help_free(void *state)
{
	struct help *h = state;

	field_release(&h->filter);
	free(h);
}

/* How many bytes of text go on one line: up to a blank, if there is one. */
static size_t line_end(const char *text, size_t columns)
{
	size_t n = strlen(text), width, fit = width_fit(text, n, columns,
							&width);

	for (size_t at = fit; fit < n && at > 0; at--)
		if (text[at] == ' ')
			return at;
	return fit ? fit : n;
}

/* One binding, as far as it is in view; *line goes on by its lines. */
static void draw_line(struct canvas *c, const struct help *h, struct area in,
		      size_t *line, const char *keys, const char *what)
{
	size_t n;

	do {
		int row = in.row + (int)(*line - h->top);
		bool shown = c && *line >= h->top &&
			     *line < h->top + (size_t)in.rows;
		auto_free char *part = NULL;

		n = line_end(what, (size_t)MAX(in.cols - KEYS_COLS, 1));
		part = xstrndup(what, n);
		if (shown) {
			canvas_text(c, row, in.col, KEYS_COLS - 1,
				    pen_role(ROLE_ACCENT), keys);
			canvas_text(c, row, in.col + KEYS_COLS,
				    in.cols - KEYS_COLS, pen_role(ROLE_INK),
				    part);
		}
		++*line;
		keys = "";
		what += n;
		what += *what == ' ';
	} while (*what);
}

/* The user's own commands with a key in this context. */
static void draw_own(const struct model *m, const struct help *h,
		     enum context x, struct canvas *c, struct area in,
		     size_t *line)
{
	const char *filter = field_text(&h->filter);

	for (size_t i = 0; i < m->commands.n; i++) {
		const struct command *own = &m->commands.list[i];
		auto_buf struct buf what = BUF_INIT;

		buf_addf(&what, "%s: ", own->name);
		command_describe(own, &what);
		if (command_holds(own, x) && *own->key_name &&
		    (strcasestr(buf_str(&what), filter) ||
		     strstr(own->key_name, filter)))
			draw_line(c, h, in, line, own->key_name,
				  buf_str(&what));
	}
}

/* What stands on the screen there and is no word. */
_Static_assert(LIMIT_TUI_WAITING == KIB(4), "the legend says so");

static void draw_legend(const struct help *h, enum context x,
			struct canvas *c, struct area in, size_t *line)
{
	static const struct {
		enum context of;
		const char *sign, *what;
	} legend[] = {
		{ CTX_FILES, "at the end A", "new: not there when its "
		  "directory was listed first" },
		{ CTX_FILES, "at the end M", "changed since then; of a closed "
		  "directory: something in it is" },
		{ CTX_LEFT, "bytes waiting", "typed without a connection, "
		  "4 KiB at most: sent with the next one, or lost with word "
		  "of it" },
	};
	const char *filter = field_text(&h->filter);

	for (size_t i = 0; i < ARRAY_SIZE(legend); i++)
		if (legend[i].of == x && (strcasestr(legend[i].what, filter) ||
					  strstr(legend[i].sign, filter)))
			draw_line(c, h, in, line, legend[i].sign,
				  legend[i].what);
}

/* Draw the lines from `top` on that the filter lets through (c may be NULL);
 * returns how many there are. */
static size_t draw(const struct model *m, const struct help *h,
		   struct canvas *c, struct area in)
{
	const char *filter = field_text(&h->filter);
	size_t line = 0;

	for (size_t x = 0; h->chain[x] != CTX_NONE; x++) {
		auto_buf struct buf keys = BUF_INIT;
		enum action a;

		for (size_t i = 0; keymap_binding_there(m->keymap, h->chain, x,
							i, &keys, &a);
		     i++) {
			const struct action_info *info = action_info(a);

			if (!keys.len ||
			    (!strcasestr(info->what, filter) &&
			     !strcasestr(info->name, filter) &&
			     !strstr(buf_str(&keys), filter)))
				continue;
			draw_line(c, h, in, &line, buf_str(&keys),
				  info->what);
		}
		draw_own(m, h, h->chain[x], c, in, &line);
		draw_legend(h, h->chain[x], c, in, &line);
	}
	return line;
}

static int height(const struct model *m)
{
	return MAX(m->rows - 6, 4);
}

static int columns(const struct model *m)
{
	return MIN(76, m->cols - 2);
}

/* The lines, of which the last one is the filter's. */
static struct area inside(const struct model *m)
{
	return (struct area){ 0, 0, height(m) - 1, columns(m) - 4 };
}

static void help_view(const struct model *m, const void *state,
		      struct canvas *c)
{
	const struct help *h = state;
	auto_free char *title = xasprintf("HELP: %s",
					  context_what(h->chain[0]));
	struct area in = dialog_box(c, height(m) + 2, columns(m), title);
	int last = in.row + in.rows - 1;
	int used = canvas_text(c, last, in.col, 10, pen_role(ROLE_DIM),
			       "find ");

	field_view(&h->filter, c, last, in.col + used,
		   MAX(in.cols - used, 1), pen_role(ROLE_INK), true);
	in.rows--;
	size_t lines = draw(m, h, c, in);

	if (lines > h->top + (size_t)in.rows)
		canvas_textf(c, last, in.col + in.cols - MORE_COLS, MORE_COLS,
			     pen_role(ROLE_DIM), "%*zu more", MORE_COLS - 5,
			     lines - h->top - (size_t)in.rows);
}

static bool help_act(struct model *m, void *state, enum action a)
{
	struct help *h = state;
	size_t n = draw(m, h, NULL, inside(m));
	size_t rows = (size_t)height(m) - 1;
	struct list_pos pos = { h->top, 0, n > rows ? n - rows + 1 : 1,
				rows };

	if (list_act(&pos, a))
		h->top = pos.at;
	else if (a == ACT_CLOSE)
		dialog_pop(m);
	else if (field_act(&h->filter, a))
		h->top = 0;
	return true;
}

static bool help_input(struct model *m, void *state,
		       const struct input_event *ev)
{
	struct help *h = state;

	(void)m;
	if (ev->type != INPUT_KEY)
		return true;
	if (!field_key(&h->filter, ev->key))
		return false;
	h->top = 0;
	return true;
}

static const struct dialog_ops help_ops = {
	.light = true,
	.release = help_free,
	.view = help_view,
	.context = CTX_HELP,
	.field = true,
	.act = help_act,
	.input = help_input,
};

void help_open(struct model *m)
{
	struct help *h = xcalloc(1, sizeof(*h));

	update_contexts(m, h->chain);
	dialog_push(m, &help_ops, h);
}
