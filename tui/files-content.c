/* SPDX-License-Identifier: MIT */
/* What is in a file: as text, or as bytes, of any length.  See files.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/base/width.h"
#include "tui/files.h"
#include "tui/frame.h"

bool files_viewing(const struct files *f)
{
	return f->view_path != NULL;
}

void files_close_content(struct files *f)
{
	files_edit_close(f);
	files_hunt_end(f);
	pager_clear(&f->pager);
	free(f->view_path);
	free(f->unread);
	f->view_path = f->unread = NULL;
	f->encoding = NULL;
	f->listed = f->gone = false;
	f->searching = f->reading = false;
}

/* -- reading */

static bool is_in_view(const struct files *f, const struct request *r)
{
	return f->view_path && strcmp(f->view_path, r->about) == 0 &&
	       files_is_for(f, r);
}

/* A guess from what is here, whose last character may be cut off. */
static const char *guess_encoding(const struct pager *p)
{
	const char *text = buf_str(&p->window);
	size_t n = p->window.len;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == 0x7f || (c < ' ' && (!c || !strchr("\t\n\r\f\b\033",
							   c))))
			return "binary";
	}
	if (!pager_whole(p))
		n -= utf8_tail(text, n);
	return utf8_valid(text, n) ? "UTF-8" : "latin1";
}

/* Text may have a control character in it; what has one
 * and is no UTF-8 either is none. */
static void look_at(struct files *f)
{
	const struct buf *w = &f->pager.window;

	f->encoding = guess_encoding(&f->pager);
	f->pager.hex = memchr(buf_str(w), '\0', w->len) ||
		       (strcmp(f->encoding, "binary") == 0 &&
			!utf8_valid(buf_str(w),
				    w->len - utf8_tail(buf_str(w), w->len)));
}

static void content_arrived(struct model *m, struct request *r)
{
	struct files *f = r->data;
	uint64_t size = r->whole > 0 ? (uint64_t)r->whole : 0;

	if (!is_in_view(f, r)) {
		svm_err_release(&r->err); /* of what was left, of no matter */
		return;
	}
	if (r->err.code == SVM_BAD_REQUEST && files_follow(m, f)) {
		svm_err_release(&r->err);
		return;
	}
	f->reading = false;
	if (r->err.code == SVM_OK) {
		bool first = !r->ranged;

		if (r->ranged && r->reply.len < r->most)
			size = r->from + r->reply.len; /* no more came */
		pager_take(&f->pager, r->from, &r->reply, size);
		if (first)
			look_at(f);
		return;
	}
	if (!f->encoding) {
		free(f->unread);
		f->unread = xstrdup(r->err.msg);
	}
	/* It was cut short meanwhile: what is here is what there is. */
	f->pager.size = f->pager.base + f->pager.window.len;
	f->pager.top = MIN(f->pager.top, f->pager.size);
	f->pager.top = MAX(f->pager.top, f->pager.base);
}

void files_read(struct model *m, struct files *f, const char *path)
{
	auto_free char *what = xstrdup(path);
	struct request *r;

	files_close_content(f);
	f->view_path = steal_ptr(&what);
	f->reading = true;
	r = files_request(f, "GET", "", f->view_path, content_arrived);
	r->most = PAGER_FIRST;
	r->doing = xasprintf("read %s", f->view_path);
	request_send(m, r);
}

/* Columns of the numbers before the lines. */
static int gutter(const struct files *f)
{
	const struct pager *p = &f->pager;

	if (p->hex || !f->numbers || !p->number)
		return 0;
	return p->number + p->n_lines > 999999 ? 9 : 7;
}

void files_settle_content(struct model *m, struct files *f, struct area in)
{
	struct request *r;
	uint64_t from;
	size_t n;

	pager_wrap(&f->pager, f->wrap ? (size_t)MAX(in.cols - gutter(f), 1) :
					0);
	pager_settle(&f->pager, (size_t)MAX(in.rows, 1));
	if (!f->view_path || f->reading || !pager_wants(&f->pager, &from, &n))
		return;
	f->reading = true;
	r = files_request(f, "GET", "", f->view_path, content_arrived);
	r->ranged = true;
	r->from = from;
	r->most = n;
	r->doing = xasprintf("read %s", f->view_path);
	request_send(m, r);
}

/* -- showing */

static void view_line(const struct files *f, struct canvas *c, int row,
		      struct area in, size_t i)
{
	const struct pager *p = &f->pager;
	auto_buf struct buf text = BUF_INIT, safe = BUF_INIT;
	uint64_t number = pager_row_number(p, i);
	size_t skip, width;
	int col = in.col;

	pager_row(p, i, &text);
	if (number && f->numbers)
		canvas_textf(c, row, col, 9, pen_role(ROLE_FAINT), "%6llu ",
			     (unsigned long long)number);
	col += gutter(f);
	escape_line(&safe, buf_str(&text), text.len);
	skip = width_fit(buf_str(&safe), safe.len, p->left, &width);
	canvas_text(c, row, col, in.col + in.cols - col, pen_role(ROLE_INK),
		    buf_str(&safe) + skip);
	if (*field_text(&f->search) &&
	    strcasestr(buf_str(&text), field_text(&f->search)))
		canvas_shade(c, row, in.col, 1, in.cols, ROLE_SELECTED);
}

static void view_corner(const struct files *f, struct canvas *c,
			struct area pane)
{
	const struct pager *p = &f->pager;
	auto_buf struct buf text = BUF_INIT;
	char size[FRAME_TIME_SIZE];
	uint64_t at = f->hunt.on ? f->hunt.at : p->top;
	unsigned percent = p->size ? (unsigned)((double)at * 100 /
						(double)p->size + 0.5) : 0;

	frame_bytes((int64_t)MIN(p->size, (uint64_t)INT64_MAX), size);
	buf_addf(&text, " %s  ", size);
	if (f->hunt.on)
		buf_addf(&text, "searching %u%% ", percent);
	else if (!pager_whole(p))
		buf_addf(&text, "%s%u%% ", f->reading ? "reading  " : "",
			 percent);
	else
		buf_addf(&text, "%zu/%zu ",
			 pager_rows(p) ? pager_top(p) + 1 : 0, pager_rows(p));
	frame_corner(c, pane, true, pen_role(ROLE_DIM), buf_str(&text));
}

/* How it is shown; in a narrow pane its name is more. */
static void view_title(const struct files *f, struct canvas *c,
		       struct area pane)
{
	auto_buf struct buf text = BUF_INIT;
	size_t name = strlen(f->view_path);

	if (f->gone)
		buf_addstr(&text, " gone ");
	buf_addstr(&text, f->pager.hex ? " hex" : " text");
	if (f->wrap && !f->pager.hex)
		buf_addstr(&text, "  wrap");
	if (f->encoding)
		buf_addf(&text, "  %s", f->encoding);
	buf_addstr(&text, "  READ ");
	frame_corner(c, pane, false, pen_role(ROLE_DIM),
		     name + text.len + 6 <= (size_t)pane.cols ?
			     buf_str(&text) : f->gone ? " gone  READ " :
							" READ ");
}

/* The row on top is the window's, or there is nothing to see yet. */
static bool is_here(const struct pager *p)
{
	return p->top >= p->base && p->top <= p->base + p->window.len;
}

void files_view_content(const struct model *m, const struct files *f,
			struct canvas *c, struct area pane, bool focused)
{
	const struct pager *p = &f->pager;
	size_t top = pager_top(p);
	struct area in;

	if (f->edit) {
		files_edit_view(m, f, c, pane, focused);
		return;
	}
	in = frame_pane(c, pane, f->view_path ? f->view_path :
						"nothing opened", focused);
	if (!f->view_path)
		return;
	if (!f->encoding) {
		canvas_textf(c, in.row, in.col + 1, in.cols - 1,
			     pen_role(f->unread ? ROLE_BAD : ROLE_DIM),
			     "%s%s", f->unread ? "cannot read it: " :
			     "reading ...", f->unread ? f->unread : "");
		if (focused)
			canvas_cursor(c, in.row, in.col);
		return;
	}
	view_title(f, c, pane);
	view_corner(f, c, pane);
	for (int i = 0; i < in.rows && is_here(p); i++) {
		if (top + (size_t)i >= pager_rows(p))
			break;
		view_line(f, c, in.row + i, in, top + (size_t)i);
	}
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

/* -- keys */

/* "120", "0x1f00", "50%". */
static bool parse_place(const char *text, uint64_t *ret, char *ret_kind)
{
	bool hex = strncasecmp(text, "0x", 2) == 0;
	const char *digits = hex ? text + 2 : text;
	size_t n = strspn(digits, hex ? "0123456789abcdefABCDEF" :
					"0123456789");
	bool part = !hex && strcmp(digits + n, "%") == 0;

	if (!n || n > 15 || (digits[n] && !part))
		return false;
	*ret = strtoull(digits, NULL, hex ? 16 : 10);
	*ret_kind = hex ? 'x' : part ? '%' : 'n';
	return !part || *ret <= 100;
}

static bool is_place(const char *text, struct svm_err *err)
{
	uint64_t n;
	char kind;

	if (parse_place(text, &n, &kind))
		return true;
	svm_err_set(err, SVM_BAD_REQUEST,
		    "a line (120), a byte (0x1f00) or a part (50%%)");
	return false;
}

static void go_to(struct model *m, const char *text, void *data)
{
	struct files *f = data;
	struct pager *p = &f->pager;
	uint64_t n;
	char kind;

	if (!parse_place(text, &n, &kind))
		return;
	if (kind == 'x')
		pager_go(p, n);
	else if (kind == '%')
		pager_go(p, (uint64_t)((double)p->size * (double)n / 100));
	else if (!pager_go_line(p, n))
		model_say(m, "where line %s begins isn't known before all is "
			     "read: 0x1f00 and 50%% go anywhere", text);
}

static void ask_place(struct model *m, struct files *f)
{
	prompt_open(m, &(struct prompt){ .title = "GO TO",
					 .past = PAST_PLACE,
					 .label = "line, 0x byte or %",
					 .text = "",
					 .check = is_place,
					 .done = go_to,
					 .data = f });
}

bool files_act_content(struct model *m, struct files *f, enum action a)
{
	if (!files_viewing(f))
		return false;
	if (pager_act(&f->pager, a)) {
		files_hunt_end(f);
		return true;
	}
	switch (a) {
	case ACT_NUMBERS:
		f->numbers = !f->numbers;
		return true;
	case ACT_WRAP:
		f->wrap = !f->wrap;
		return true;
	case ACT_GOTO:
		ask_place(m, f);
		return true;
	case ACT_SEARCH:
	case ACT_FILTER:
		f->searching = true;
		f->search.past = past_of(m, PAST_SEARCH);
		field_set(&f->search, "");
		return true;
	case ACT_SEARCH_NEXT:
	case ACT_SEARCH_PREV:
		files_search(m, f, a == ACT_SEARCH_PREV, false);
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
			pager_act(&f->pager, a);
		return a != ACT_NONE;
	}
	if (!f->searching)
		return false;
	enum field_typed r = field_type(&f->search, m->keymap, ev);

	f->searching = r == FIELD_GOES_ON;
	if (r == FIELD_DONE)
		files_search(m, f, false, true);
	return true;
}
