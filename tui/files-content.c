/* SPDX-License-Identifier: MIT */
/* What is in a file: as text, or as bytes.  See files.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/base/width.h"
#include "tui/files.h"
#include "tui/frame.h"

#define HEX_ROW 16
#define TAB 8

bool files_viewing(const struct files *f)
{
	return f->view_path != NULL;
}

void files_close_content(struct files *f)
{
	files_edit_close(f);
	free(f->view_path);
	f->view_path = NULL;
	buf_release(&f->content);
	free(f->lines);
	f->lines = NULL;
	f->n_lines = f->top = f->left = 0;
	f->searching = false;
}

static void index_lines(struct files *f)
{
	size_t room = 1;

	for (size_t i = 0; i < f->content.len; i++)
		room += f->content.data[i] == '\n';
	free(f->lines);
	f->lines = xcalloc(room + 1, sizeof(*f->lines));
	f->n_lines = 0;
	for (size_t at = 0; at < f->content.len;) {
		const char *end = memchr(f->content.data + at, '\n',
					 f->content.len - at);

		f->lines[f->n_lines++] = at;
		at = end ? (size_t)(end - f->content.data) + 1 :
			   f->content.len;
	}
}

static void content_arrived(struct model *m, struct request *r)
{
	struct files *f = r->data;

	(void)m;
	if (r->err.code != SVM_OK || !f->view_path ||
	    strcmp(f->view_path, r->about) != 0 || !files_is_for(f, r))
		return;
	buf_release(&f->content);
	f->content = r->reply;
	r->reply = (struct buf)BUF_INIT;
	f->cut = f->content.len > FILES_SHOWN_MAX;
	if (f->cut)
		buf_truncate(&f->content, FILES_SHOWN_MAX);
	f->hex = f->content.len &&
		 memchr(f->content.data, '\0', f->content.len) != NULL;
	f->top = f->left = 0;
	index_lines(f);
}

void files_read(struct model *m, struct files *f, const char *path)
{
	auto_free char *what = xstrdup(path);
	struct request *r;

	files_close_content(f);
	f->view_path = steal_ptr(&what);
	r = files_request(f, "GET", "", f->view_path, content_arrived);
	r->most = FILES_SHOWN_MAX + 1;
	r->doing = xasprintf("read %s", f->view_path);
	request_send(m, r);
}

static size_t rows_of(const struct files *f)
{
	return f->hex ? (f->content.len + HEX_ROW - 1) / HEX_ROW : f->n_lines;
}

static void line_of(const struct files *f, size_t i, struct buf *out)
{
	size_t from = f->lines[i];
	size_t to = i + 1 < f->n_lines ? f->lines[i + 1] : f->content.len;
	size_t col = 0;

	if (to > from && f->content.data[to - 1] == '\n')
		to--;
	for (size_t at = from; at < to;) {
		size_t n = strcspn(f->content.data + at, "\t\n");

		n = MIN(n, to - at);
		buf_add(out, f->content.data + at, n);
		col += width_text(f->content.data + at, n);
		at += n;
		if (at < to && f->content.data[at] == '\t') {
			do
				buf_addch(out, ' ');
			while (++col % TAB);
			at++;
		}
	}
}

static void hex_row(const struct files *f, size_t i, struct buf *out)
{
	size_t at = i * HEX_ROW, n = MIN(HEX_ROW, f->content.len - at);
	const unsigned char *p = (const unsigned char *)f->content.data + at;

	buf_addf(out, "%08zx ", at);
	for (size_t x = 0; x < HEX_ROW; x++)
		if (x < n)
			buf_addf(out, "%s%02x", x % 8 ? " " : "  ", p[x]);
		else
			buf_addstr(out, x % 8 ? "   " : "    ");
	buf_addstr(out, "  ");
	for (size_t x = 0; x < n; x++)
		buf_addch(out, isprint(p[x]) && p[x] < 0x80 ? (char)p[x] :
							      '.');
}

static void view_line(const struct files *f, struct canvas *c, int row,
		      struct area in, size_t i)
{
	auto_buf struct buf text = BUF_INIT, safe = BUF_INIT;
	size_t skip, width;
	int col = in.col;

	if (f->hex)
		hex_row(f, i, &text);
	else
		line_of(f, i, &text);
	if (!f->hex && f->numbers)
		col += canvas_textf(c, row, col, 7, pen_role(ROLE_FAINT),
				    "%6zu ", i + 1);
	escape_line(&safe, buf_str(&text), text.len);
	skip = width_fit(buf_str(&safe), safe.len, f->left, &width);
	canvas_text(c, row, col, in.col + in.cols - col, pen_role(ROLE_INK),
		    buf_str(&safe) + skip);
	if (*field_text(&f->search) &&
	    strcasestr(buf_str(&text), field_text(&f->search)))
		canvas_shade(c, row, in.col, 1, in.cols, ROLE_SELECTED);
}

void files_view_content(const struct model *m, const struct files *f,
			struct canvas *c, struct area pane, bool focused)
{
	char size[FRAME_TIME_SIZE];
	auto_free char *title = xasprintf(
		"%s", f->view_path ? f->view_path : "nothing opened");
	struct area in;
	size_t rows = rows_of(f);

	if (f->edit) {
		files_edit_view(m, f, c, pane, focused);
		return;
	}
	in = frame_pane(c, pane, title, focused);
	if (!f->view_path)
		return;
	frame_bytes((int64_t)f->content.len, size);
	auto_free char *corner = xasprintf(" %s%s  %zu/%zu ", size,
					   f->cut ? " shown of more" : "",
					   rows ? f->top + 1 : 0, rows);

	frame_corner(c, pane, true, pen_role(ROLE_DIM), corner);
	for (int i = 0; i < in.rows && f->top + (size_t)i < rows; i++)
		view_line(f, c, in.row + i, in, f->top + (size_t)i);
	if (f->searching) {
		int used = canvas_text(c, in.row + in.rows - 1, in.col, 8,
				       pen_role(ROLE_ACCENT), "search ");

		field_view(&f->search, c, in.row + in.rows - 1,
			   in.col + used, MAX(in.cols - used, 1),
			   pen_role(ROLE_INK), focused);
	} else if (focused) {
		canvas_cursor(c, in.row, in.col);
	}
}

static bool row_matches(const struct files *f, size_t i)
{
	auto_buf struct buf text = BUF_INIT;

	if (f->hex)
		hex_row(f, i, &text);
	else
		line_of(f, i, &text);
	return strcasestr(buf_str(&text), field_text(&f->search)) != NULL;
}

/* To the next row that matches, around the end. */
static void search(struct model *m, struct files *f, bool back, bool here)
{
	size_t n = rows_of(f);

	if (!*field_text(&f->search) || !n)
		return;
	for (size_t k = here ? 0 : 1; k <= n; k++) {
		size_t i = back ? (f->top + n - k % n) % n :
				  (f->top + k) % n;

		if (row_matches(f, i)) {
			f->top = i;
			return;
		}
	}
	model_say(m, "%s is not in it", field_text(&f->search));
}

static bool move(struct files *f, enum action a)
{
	size_t rows = rows_of(f);
	size_t most = rows > f->height ? rows - f->height : 0;
	struct list_pos pos = { f->top, 0, most + 1, MAX(f->height, 1) };

	if (a == ACT_LEFT || a == ACT_RIGHT) {
		f->left = a == ACT_RIGHT ? f->left + 8 :
					   f->left - MIN(f->left, 8);
		return true;
	}
	if (!list_act(&pos, a))
		return false;
	f->top = MIN(pos.at, most);
	return true;
}

bool files_act_content(struct model *m, struct files *f, enum action a)
{
	if (!files_viewing(f))
		return false;
	if (move(f, a))
		return true;
	switch (a) {
	case ACT_NUMBERS:
		f->numbers = !f->numbers;
		return true;
	case ACT_HEX:
		f->hex = !f->hex;
		f->top = f->left = 0;
		return true;
	case ACT_SEARCH:
	case ACT_FILTER:
		f->searching = true;
		return true;
	case ACT_SEARCH_NEXT:
	case ACT_SEARCH_PREV:
		search(m, f, a == ACT_SEARCH_PREV, false);
		return true;
	default:
		return false;
	}
}

bool files_input_content(struct model *m, struct files *f,
			 const struct input_event *ev)
{
	if (ev->type == INPUT_MOUSE) {
		enum action a = ev->mouse.kind == MOUSE_WHEEL_UP ? ACT_UP :
				ev->mouse.kind == MOUSE_WHEEL_DOWN ?
								ACT_DOWN :
								ACT_NONE;

		for (int i = 0; a != ACT_NONE && i < 3; i++)
			move(f, a);
		return a != ACT_NONE;
	}
	if (!f->searching)
		return false;
	enum field_typed r = field_type(&f->search, m->keymap, ev);

	f->searching = r == FIELD_GOES_ON;
	if (r == FIELD_DONE)
		search(m, f, false, true);
	return true;
}
