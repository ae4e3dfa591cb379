/* SPDX-License-Identifier: MIT */
/* What is said in the footer, and what was.  See message.h. */
#include "tui/message.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/frame.h"
#include "tui/output.h"
#include "tui/screen.h"

#define TOAST_NS (6 * INT64_C(1000000000))
#define TOAST_BRIEF_NS (3 * INT64_C(1000000000))
#define TOAST_BAD_NS (15 * INT64_C(1000000000))

/* Of the screen; and of one with less than four times as many, a quarter. */
#define ROWS_MAX 4

/* -- saying */

static void keep(struct model *m)
{
	struct said *s = m->said;

	if (m->n_said == ARRAY_SIZE(m->said)) {
		free(s[0].text);
		memmove(s, s + 1, --m->n_said * sizeof(*s));
	}
	s[m->n_said++] = (struct said){
		.text = xstrndup(m->toast, LIMIT_TUI_LINE_KEPT),
		.wall_ns = m->wall_ns,
	};
}

static void PRINTF_LIKE(3, 0)
say(struct model *m, bool bad, const char *fmt, va_list ap)
{
	char *text = xvasprintf(fmt, ap); /* of the one before, perhaps */

	free(m->toast);
	m->toast = text;
	m->toast_bad = bad;
	m->toast_brief = false;
	m->toast_new = m->toast_whole = true;
	m->toast_while = TOAST_HERE;
	m->toast_until = m->boot_ns + (bad ? TOAST_BAD_NS : TOAST_NS);
	m->effects |= EFFECT_REDRAW;
}

void model_say(struct model *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(m, false, fmt, ap);
	va_end(ap);
	keep(m);
}

void model_progress(struct model *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(m, false, fmt, ap);
	va_end(ap);
}

void model_hint(struct model *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(m, false, fmt, ap);
	va_end(ap);
	m->toast_brief = true;
	m->toast_until = m->boot_ns + TOAST_BRIEF_NS;
}

static void PRINTF_LIKE(2, 3)
complain(struct model *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(m, true, fmt, ap);
	va_end(ap);
	keep(m);
}

void model_complain(struct model *m, const struct svm_err *err,
		    const char *doing)
{
	complain(m, "%s%s%s%s%s", doing ? doing : "", doing ? ": " : "",
		 err->msg ? err->msg : "failed", err->hint ? "; " : "",
		 err->hint ? err->hint : "");
	/* That something wasn't done stays true. */
	if (!doing &&
	    (err->code == SVM_UNREACHABLE || err->code == SVM_TIMEOUT))
		model_said_while(m, TOAST_NO_DAEMON);
}

bool model_refuses(struct model *m, enum action a)
{
	if (!m->read_only || !(action_info(a)->flags & ACTION_CHANGES))
		return false;
	complain(m, "read-only: %s changes something; type :read-only to "
		    "allow it", action_info(a)->name);
	return true;
}

/* -- how long it is true */

void model_said_while(struct model *m, enum toast_while w)
{
	m->toast_while = w;
	if (w == TOAST_SAVING)
		m->toast_until = INT64_MAX;
}

void model_unsay_all(struct model *m)
{
	free(m->toast);
	m->toast = NULL;
	m->toast_brief = false;
	m->toast_while = TOAST_HERE;
	m->effects |= EFFECT_REDRAW;
}

void model_unsay(struct model *m, enum toast_while w)
{
	if (m->toast && m->toast_while == w)
		model_unsay_all(m);
}

void model_unsay_here(struct model *m)
{
	if (m->toast && !m->toast_new && m->toast_while != TOAST_ANYWHERE &&
	    m->toast_while != TOAST_NO_DAEMON)
		model_unsay_all(m);
}

uint64_t message_place(uint64_t h, const char *text)
{
	for (const char *p = text; p && *p; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

void message_settle(struct model *m)
{
	const struct screen *s = screens[m->screen];
	uint64_t place = s->place ? s->place(m, m->state[m->screen]) : 0;

	place = place * SCREEN_MAX + m->screen;
	if (place != m->place)
		model_unsay_here(m);
	m->place = place;
	m->toast_new = false;
}

void message_release(struct model *m)
{
	free(m->toast);
	free(m->home);
	for (size_t i = 0; i < m->n_said; i++)
		free(m->said[i].text);
}

/* -- showing */

static bool ends_name(char c)
{
	return !c || strchr("/ ;,:'\"", c);
}

/* Paths of the user's own are said as people say them. */
static void shorten_home(const struct model *m, struct buf *text)
{
	auto_buf struct buf out = BUF_INIT;
	size_t n = m->home ? strlen(m->home) : 0;

	if (!n)
		return;
	for (const char *p = buf_str(text); *p; p++) {
		bool begins = out.len == 0 || p[-1] == ' ' || p[-1] == '\'';

		if (begins && strncmp(p, m->home, n) == 0 && ends_name(p[n])) {
			buf_addch(&out, '~');
			p += n - 1;
		} else {
			buf_addch(&out, *p);
		}
	}
	buf_clear(text);
	buf_add(text, out.data, out.len);
}

char *message_line(const struct model *m, int cols)
{
	auto_buf struct buf text = BUF_INIT;
	const char *toast = m->toast ? m->toast : "";

	escape_line(&text, toast, strlen(toast));
	if ((int)width_text(buf_str(&text), text.len) > cols)
		shorten_home(m, &text);
	return xstrdup(buf_str(&text));
}

int message_rows(const struct model *m, int cols)
{
	auto_free char *text = message_line(m, cols);
	int most = MAX(MIN(m->rows / 4, ROWS_MAX), 1);
	int rows = m->toast_whole ? form_text_rows(text, cols) : 1;

	return MAX(MIN(rows, most), 1);
}

int message_view(const struct model *m, struct canvas *c)
{
	struct cell pen = pen_role(m->toast_bad ? ROLE_BAD : ROLE_VALUE);
	int cols = c->cols - 2, rows = message_rows(m, cols);
	auto_free char *text = message_line(m, cols);
	struct area a = { c->rows - rows, 1, rows, cols };

	if (rows == 1)
		return canvas_text(c, a.row, a.col, a.cols, pen, text);
	canvas_fill(c, a.row, 0, a.rows, c->cols, pen_role(ROLE_INK));
	form_text_view(c, a, pen, text);
	return cols;
}

/* -- what was said */

static void add_said(const struct model *m, const struct said *s,
		     struct buf *out)
{
	auto_buf struct buf safe = BUF_INIT;
	char when[FRAME_CLOCK_SIZE];
	size_t at = 0, n;
	int cols;

	frame_clock(m, s->wall_ns, when);
	escape_line(&safe, s->text, strlen(s->text));
	cols = output_columns(m) - (int)strlen(when) - 2;
	do {
		n = form_text_line(buf_str(&safe) + at, safe.len - at, cols);
		buf_addf(out, "%*s  %.*s\n", (int)strlen(when),
			 at ? "" : when, (int)n, buf_str(&safe) + at);
		at += n;
	} while (at < safe.len);
}

void messages_open(struct model *m)
{
	auto_buf struct buf text = BUF_INIT;

	for (size_t i = m->n_said; i--;)
		add_said(m, &m->said[i], &text);
	output_open(m, "MESSAGES", text.len ? buf_str(&text) :
					      "Nothing was said yet.");
}
