/* SPDX-License-Identifier: MIT */
/* The only file that includes ncurses.  See term-curses.h. */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
#undef cursor_visible /* a capability; ours is a canvas's */

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "lib/api/limits.h"
#include "lib/base/base64.h"
#include "lib/base/ending.h"
#include "lib/base/fd.h"
#include "lib/base/foreground.h"
#include "lib/base/mem.h"
#include "tui/glyph.h"
#include "tui/term-curses.h"

#define MOUSE_ON "\033[?1002h\033[?1006h"
#define MOUSE_OFF "\033[?1006l\033[?1002l"
#define MODES_ON "\033[?2004h\033[?1004h"
#define MODES_OFF "\033[?1004l\033[?2004l"

struct term_curses {
	SCREEN *screen;
	FILE *in, *out;
	struct theme theme;
	char *type;        /* its terminfo entry; NULL: none is wanted */
	int colours, most; /* in use, and what the terminal has */
	bool no_color, utf8, mouse, modes_on;
	bool left;         /* the terminal is as it was */
};

/* What a signal handler needs; there's one terminal. */
static struct {
	int fd;
	struct termios saved;
	char bytes[256];
	size_t n;
} rescue = { .fd = -1 };

static const int crashes[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };

static void put_out(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t w = write(fd, s, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return;
		s += w;
		n -= (size_t)w;
	}
}

static void on_crash(int sig)
{
	if (rescue.fd >= 0) {
		put_out(rescue.fd, rescue.bytes, rescue.n);
		tcsetattr(rescue.fd, TCSANOW, &rescue.saved);
	}
	raise(sig); /* SA_RESETHAND: its own way now */
}

/* A capability as a string; NULL when the terminal hasn't it. */
static const char *can(const char *name)
{
	const char *s = tigetstr(name);

	return s == (char *)-1 ? NULL : s;
}

static void add_rescue(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (!n || rescue.n + n > sizeof(rescue.bytes))
		return;
	memcpy(rescue.bytes + rescue.n, s, n);
	rescue.n += n;
}

static void arm_rescue(int fd)
{
	struct sigaction act = { .sa_handler = on_crash,
				 .sa_flags = (int)SA_RESETHAND | SA_NODEFER };

	rescue.n = 0;
	add_rescue(MOUSE_OFF MODES_OFF);
	add_rescue(can("sgr0"));
	add_rescue(can("rmcup"));
	add_rescue(can("cnorm"));
	rescue.fd = fd;
	ending_writes(fd, rescue.bytes, rescue.n);
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &act, NULL);
}

static void disarm_rescue(void)
{
	struct sigaction act = { .sa_handler = SIG_DFL };

	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &act, NULL);
	rescue.fd = -1;
}

/* The modes that ncurses doesn't manage. */
static void set_modes(struct term_curses *t, bool on)
{
	const char *modes = on ? MODES_ON : MODES_OFF;
	const char *mouse = on ? MOUSE_ON : MOUSE_OFF;

	if (on == t->modes_on)
		return;
	t->modes_on = on;
	if (on)
		put_out(fileno(t->out), modes, strlen(modes));
	if (t->mouse)
		put_out(fileno(t->out), mouse, strlen(mouse));
	if (!on)
		put_out(fileno(t->out), modes, strlen(modes));
}

static FILE *stream(int fd, const char *mode)
{
	auto_close int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	FILE *f = copy < 0 ? NULL : fdopen(copy, mode);

	if (f)
		copy = -1;
	return f;
}

static int take_streams(struct term_curses *t,
			const struct term_curses_options *o,
			struct svm_err *err)
{
	t->in = stream(o->in, "r");
	t->out = t->in ? stream(o->out, "w") : NULL;
	if (!t->out || tcgetattr(o->out, &rescue.saved) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "cannot take the terminal");
	return 0;
}

/* "xterm-direct" for "xterm-256color", "xterm" or "xterm-direct". */
static char *direct_type(const char *type)
{
	static const char *const ends[] = { "-256color", "-16color", "-color",
					    "-direct" };
	size_t n = strlen(type), end;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		end = strlen(ends[i]);
		if (n <= end || strcmp(type + n - end, ends[i]) != 0)
			continue;
		n -= end;
		break;
	}
	return xasprintf("%.*s-direct", (int)n, type);
}

/* Whether terminfo has this entry, and by it every colour. */
static bool is_direct(const struct term_curses *t, const char *type)
{
	TERMINAL *was = cur_term, *found;
	int why;

	if (setupterm(type, fileno(t->out), &why) == ERR)
		return false;
	bool direct = can("cup") && can("setaf") &&
		      tigetnum("colors") >= COLOURS_DIRECT;

	found = set_curterm(was);
	if (found != was)
		del_curterm(found);
	return direct;
}

/* The entry that fits: the caller's. */
static char *type_for(const struct term_curses *t, enum colour_mode colour)
{
	const char *type = getenv("TERM");
	char *direct;

	if (!type)
		return xstrdup("");
	if (t->no_color || colour != COLOUR_MODE_DIRECT)
		return xstrdup(type);
	direct = direct_type(type);
	if (is_direct(t, direct))
		return direct;
	free(direct);
	return xstrdup(type);
}

static int start_screen(struct term_curses *t, struct svm_err *err)
{
	const char *type = t->type;

	t->screen = *type ? newterm(type, t->out, t->in) : NULL;
	if (!t->screen) {
		svm_err_set(err, SVM_UNAVAILABLE,
			    "the terminal '%s' is not known here", type);
		return svm_err_hint(err, "set TERM to what it is, for example "
					 "xterm-256color");
	}
	if (!can("cup")) {
		endwin();
		svm_err_set(err, SVM_UNAVAILABLE,
			    "the terminal '%s' has no screen to draw on",
			    type);
		return svm_err_hint(err, "use the other commands there, or a "
					 "terminal that has");
	}
	return 0;
}

/* Its handler stops us too, but goes on with the terminal whoever has it. */
static void stop_by_ourselves(void)
{
	struct sigaction act;

	if (sigaction(SIGTSTP, NULL, &act) == 0 && act.sa_handler != SIG_IGN)
		signal(SIGTSTP, SIG_DFL);
}

static void set_up_screen(struct term_curses *t)
{
	stop_by_ourselves();
	raw();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, FALSE);
	use_tioctl(TRUE); /* never LINES and COLUMNS of the environment */
	t->most = 0;
	if (t->no_color || !has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	t->most = COLORS >= COLOURS_DIRECT ? COLOURS_DIRECT :
					     MIN(COLORS, 256);
}

static void set_theme(struct term_curses *t, const struct theme *theme,
		      enum colour_mode colour)
{
	t->colours = colour == COLOUR_MODE_NEVER ? 0 : t->most;
	t->theme = t->colours ? *theme : *theme_find("mono");
	theme_adapt(&t->theme, t->colours);
}

static void close_streams(struct term_curses *t)
{
	if (t->screen)
		delscreen(t->screen);
	if (t->in)
		fclose(t->in);
	if (t->out)
		fclose(t->out);
	free(t->type);
	free(t);
}

static bool can_utf8(bool ascii)
{
	return !ascii && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* Before the first endwin() ncurses takes us for a program that moves the
 * cursor itself, and writes at each move of it, not once a frame. */
static void show_screen(struct term_curses *t)
{
	endwin();
	term_curses_resized(t);
	curs_set(0);
	refresh();
	set_modes(t, true);
}

struct term_curses *term_curses_open(const struct term_curses_options *o,
				     struct svm_err *err)
{
	struct term_curses *t;

	if (!isatty(o->in) || !isatty(o->out)) {
		svm_err_set(err, SVM_UNAVAILABLE,
			    "standard input and output must be a terminal");
		svm_err_hint(err, "the dashboard as text:  stacyvm tui --dump\n"
				  "for scripts:            stacyvm list --json, "
				  "stacyvm list --watch");
		return NULL;
	}
	setlocale(LC_CTYPE, "");
	t = xcalloc(1, sizeof(*t));
	t->utf8 = can_utf8(o->ascii);
	t->mouse = o->mouse;
	t->no_color = o->no_color;
	if (take_streams(t, o, err) == 0)
		t->type = type_for(t, o->colour);
	if (!t->type || start_screen(t, err) < 0) {
		close_streams(t);
		return NULL;
	}
	arm_rescue(fileno(t->out));
	set_up_screen(t);
	set_theme(t, o->theme ? o->theme : theme_find("auto"), o->colour);
	show_screen(t);
	return t;
}

/* Some terminals bring back with the other screen the cursor of the last
 * DECSC, which ncurses sends when it scrolls: ours, hidden. */
static void leave_screen(struct term_curses *t)
{
	const char *visible = can("cnorm");

	if (t->left)
		return;
	t->left = true;
	ending_writes(-1, NULL, 0);
	/* Stopped before it could, and told to end in the background: the
	 * modes are the shell's already. */
	if (!foreground_has(fileno(t->out))) {
		put_out(rescue.fd, rescue.bytes, rescue.n);
		return;
	}
	set_modes(t, false);
	curs_set(1);
	endwin();
	if (visible)
		put_out(fileno(t->out), visible, strlen(visible));
	tcsetattr(fileno(t->out), TCSADRAIN, &rescue.saved);
}

void term_curses_close(struct term_curses *t)
{
	if (!t)
		return;
	leave_screen(t);
	disarm_rescue();
	close_streams(t);
}

void term_curses_resized(struct term_curses *t)
{
	struct winsize ws;

	if (ioctl(fileno(t->out), TIOCGWINSZ, &ws) < 0 || !ws.ws_row ||
	    !ws.ws_col)
		return;
	resizeterm(MIN(ws.ws_row, 1000), MIN(ws.ws_col, 1000));
	/* Also when it is as before: it may have been another in between,
	 * and what the terminal then kept is unknown. */
	clearok(curscr, TRUE);
}

void term_curses_size(const struct term_curses *t, int *ret_rows,
		      int *ret_cols)
{
	(void)t;
	getmaxyx(stdscr, *ret_rows, *ret_cols);
}

static attr_t attributes(const struct cell *c)
{
	static const struct {
		unsigned ours;
		attr_t theirs;
	} map[] = {
		{ CELL_BOLD, A_BOLD }, { CELL_DIM, A_DIM },
		{ CELL_ITALIC, A_ITALIC }, { CELL_UNDERLINE, A_UNDERLINE },
		{ CELL_BLINK, A_BLINK }, { CELL_REVERSE, A_REVERSE },
		{ CELL_HIDDEN, A_INVIS },
	};
	attr_t a = A_NORMAL;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (c->attr & map[i].ours)
			a |= map[i].theirs;
	return a;
}

static int pair_of(const struct term_curses *t, const struct cell *c)
{
	int fg, bg, pair;

	theme_pair(c, t->colours, &fg, &bg);
	if (fg < 0 && bg < 0)
		return 0;
	pair = alloc_pair(fg, bg);
	return MAX(pair, 0);
}

/* The text of a cell as this terminal and this C library can show it: a
 * character whose width they see otherwise would shift the rest of the row. */
static void glyphs(const struct term_curses *t, const struct cell *c,
		   wchar_t out[4])
{
	unsigned width = c->attr & CELL_WIDE ? 2 : 1;

	memset(out, 0, 4 * sizeof(*out));
	out[0] = (wchar_t)c->cp;
	if (!t->utf8) {
		out[0] = glyph_ascii((uint32_t)c->cp);
		return;
	}
	if (c->cp >= 0x7f && wcwidth(out[0]) != (int)width) {
		out[0] = 0xfffd;
		return;
	}
	if (c->mark1 && wcwidth((wchar_t)c->mark1) == 0)
		out[1] = (wchar_t)c->mark1;
	if (out[1] && c->mark2 && wcwidth((wchar_t)c->mark2) == 0)
		out[2] = (wchar_t)c->mark2;
}

static void paint_cell(const struct term_curses *t, int row, int col,
		       struct cell c)
{
	wchar_t text[4];
	cchar_t shown;
	int pair;

	c = theme_resolve(&t->theme, c);
	pair = pair_of(t, &c);
	glyphs(t, &c, text);
	if (setcchar(&shown, text, attributes(&c), (short)pair, &pair) == OK)
		mvadd_wch(row, col, &shown);
	if (c.attr & CELL_WIDE && wcwidth(text[0]) == 1) {
		text[0] = t->utf8 ? ' ' : '?';
		setcchar(&shown, text, attributes(&c), (short)pair, &pair);
		mvadd_wch(row, col + 1, &shown);
	}
}

void term_curses_paint(struct term_curses *t, const struct canvas *c)
{
	int rows, cols;

	term_curses_size(t, &rows, &cols);
	erase();
	for (int r = 0; r < MIN(rows, c->rows); r++)
		for (int k = 0; k < MIN(cols, c->cols); k++) {
			struct cell cell = c->cells[r * c->cols + k];

			if (cell.attr & CELL_TAIL)
				continue;
			if (cell.attr & CELL_WIDE && k + 1 >= cols)
				cell = CELL_BLANK;
			paint_cell(t, r, k, cell);
		}
	if (c->cursor_row < rows && c->cursor_col < cols)
		move(c->cursor_row, c->cursor_col);
	curs_set(c->cursor_visible);
	refresh();
}

void term_curses_repaint(struct term_curses *t)
{
	(void)t;
	clearok(curscr, TRUE);
}

void term_curses_mouse(struct term_curses *t, bool on)
{
	const char *s = on ? MOUSE_ON : MOUSE_OFF;

	if (on != t->mouse && t->modes_on)
		put_out(fileno(t->out), s, strlen(s));
	t->mouse = on;
}

void term_curses_bell(struct term_curses *t)
{
	(void)t;
	beep();
}

void term_curses_copy(struct term_curses *t, const char *text, size_t n)
{
	auto_buf struct buf s = BUF_INIT;

	if (n > LIMIT_TUI_CLIPBOARD)
		return;
	buf_addstr(&s, "\033]52;c;");
	base64_encode(&s, text, n);
	buf_addstr(&s, "\007");
	put_out(fileno(t->out), s.data, s.len);
}

void term_curses_suspend(struct term_curses *t)
{
	def_prog_mode();
	leave_screen(t);
}

void term_curses_resume(struct term_curses *t)
{
	t->left = false;
	ending_writes(rescue.fd, rescue.bytes, rescue.n);
	reset_prog_mode();
	term_curses_resized(t);
	refresh();
	set_modes(t, true);
	clearok(curscr, TRUE);
}

/* By another entry, which is known to be good: ncurses reads one when it takes
 * the terminal.  Two screens at once it mixes up. */
static void change_type(struct term_curses *t, const char *type)
{
	leave_screen(t);
	delscreen(t->screen);
	t->screen = newterm(type, t->out, t->in);
	if (!t->screen)
		abort(); /* out of memory */
	free(t->type);
	t->type = xstrdup(type);
	t->left = false;
	arm_rescue(fileno(t->out));
	set_up_screen(t);
	show_screen(t);
}

void term_curses_style(struct term_curses *t, const struct theme *theme,
		       enum colour_mode colour, bool ascii)
{
	auto_free char *type = type_for(t, colour);

	if (strcmp(type, t->type) != 0)
		change_type(t, type);
	set_theme(t, theme, colour);
	t->utf8 = can_utf8(ascii);
	term_curses_repaint(t);
}

int term_curses_colours(const struct term_curses *t)
{
	return t->colours;
}

bool term_curses_utf8(const struct term_curses *t)
{
	return t->utf8;
}
