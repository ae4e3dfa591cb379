/* SPDX-License-Identifier: MIT */
/* The painter on a pty, whose other end our own emulator reads. */
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"
#include "tui/emu.h"
#include "tui/term-curses.h"

#define ROWS 10
#define COLS 40
#define KANJI "\xe6\xbc\xa2"

/* ncurses keeps what it took before it saw that it doesn't know a type. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:new_prescr\n";
}

struct pty {
	int master, slave;
	struct emu *e;
};

static void open_pty(struct pty *p)
{
	struct winsize ws = { .ws_row = ROWS, .ws_col = COLS };

	p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(p->master >= 0);
	assert_int_equal(grantpt(p->master), 0);
	assert_int_equal(unlockpt(p->master), 0);
	p->slave = open(ptsname(p->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(p->slave >= 0);
	assert_int_equal(ioctl(p->slave, TIOCSWINSZ, &ws), 0);
	p->e = emu_new(ROWS, COLS, &(struct emu_options){ 0 });
	setenv("TERM", "xterm-256color", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
}

static void close_pty(struct pty *p)
{
	close(p->master);
	close(p->slave);
	emu_free(p->e);
}

/* Everything that was written so far, into the emulator. */
static void drain(struct pty *p)
{
	struct pollfd fd = { .fd = p->master, .events = POLLIN };
	char bytes[4096];

	while (poll(&fd, 1, 0) > 0 && fd.revents & POLLIN) {
		ssize_t n = read(p->master, bytes, sizeof(bytes));

		if (n <= 0)
			break;
		emu_write(p->e, bytes, (size_t)n);
	}
}

static struct term_curses *start(struct pty *p, struct term_curses_options o)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct term_curses *t;

	o.in = o.out = p->slave;
	t = term_curses_open(&o, &err);
	if (!t)
		fail_msg("%s", err.msg);
	return t;
}

static void check_screen(const struct pty *p, const char *want)
{
	auto_canvas struct canvas *c = canvas_new(ROWS, COLS);
	auto_buf struct buf out = BUF_INIT;

	for (int r = 0; r < ROWS; r++)
		canvas_cells(c, r, 0, emu_row(p->e, r), COLS);
	canvas_dump(c, &out);
	while (out.len && out.data[out.len - 1] == '\n')
		buf_truncate(&out, out.len - 1);
	assert_string_equal(buf_str(&out), want);
}

static void draw(struct canvas *c)
{
	canvas_text(c, 0, 0, 20, pen_role(ROLE_OK), "ok " KANJI "e\xcc\x81x");
	canvas_text(c, 1, 0, 20,
		    pen_on(pen_role(ROLE_INK), ROLE_SELECTED), "selected");
	canvas_box(c, 2, 0, 3, 6, pen_role(ROLE_LINE), NULL);
	canvas_cursor(c, 1, 3);
}

static void test_term_curses__paint(void **state)
{
	auto_canvas struct canvas *c = canvas_new(ROWS, COLS);
	struct pty p;
	struct term_curses *t;
	int rows, cols;

	(void)state;
	open_pty(&p);
	t = start(&p, (struct term_curses_options){ .mouse = true });
	term_curses_size(t, &rows, &cols);
	assert_int_equal(rows, ROWS);
	assert_int_equal(cols, COLS);
	draw(c);
	term_curses_paint(t, c);
	drain(&p);
	check_screen(&p, "ok " KANJI "e\xcc\x81x\nselected\n"
		     "\xe2\x94\x8c\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80"
		     "\xe2\x94\x80\xe2\x94\x90\n"
		     "\xe2\x94\x82    \xe2\x94\x82\n"
		     "\xe2\x94\x94\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80"
		     "\xe2\x94\x80\xe2\x94\x98");
	assert_int_equal(emu_row(p.e, 0)[0].fg, COLOUR_PALETTE(28));
	assert_int_equal(emu_row(p.e, 1)[0].attr, CELL_REVERSE);
	assert_int_equal(emu_cursor(p.e).row, 1);
	assert_int_equal(emu_cursor(p.e).col, 3);
	assert_true(emu_cursor(p.e).visible);
	assert_int_equal(emu_modes(p.e) & 0xffff & ~EMU_MODE_APP_KEYPAD,
			 EMU_MODE_ALT | EMU_MODE_PASTE | EMU_MODE_FOCUS |
			 EMU_MODE_MOUSE_DRAG | EMU_MODE_MOUSE_SGR);
	term_curses_close(t);
	close_pty(&p);
}

static void assert_restored(struct pty *p, const struct termios *before)
{
	struct termios after;

	drain(p);
	assert_int_equal(emu_modes(p->e) & 0xffff & ~EMU_MODE_APP_KEYPAD, 0);
	assert_true(emu_cursor(p->e).visible);
	check_screen(p, "shell");
	assert_int_equal(tcgetattr(p->slave, &after), 0);
	assert_int_equal(after.c_lflag, before->c_lflag);
	assert_int_equal(after.c_iflag, before->c_iflag);
	assert_int_equal(after.c_oflag, before->c_oflag);
}

static void test_term_curses__restore(void **state)
{
	auto_canvas struct canvas *c = canvas_new(ROWS, COLS);
	struct termios before, raw;
	struct pty p;
	struct term_curses *t;

	(void)state;
	open_pty(&p);
	emu_write(p.e, "shell", 5);
	assert_int_equal(tcgetattr(p.slave, &before), 0);
	t = start(&p, (struct term_curses_options){ .mouse = true });
	draw(c);
	term_curses_paint(t, c);
	assert_int_equal(tcgetattr(p.slave, &raw), 0);
	assert_int_equal(raw.c_lflag & (tcflag_t)(ICANON | ECHO | ISIG), 0);
	term_curses_suspend(t);
	assert_restored(&p, &before);
	term_curses_resume(t);
	term_curses_paint(t, c);
	drain(&p);
	assert_true(emu_modes(p.e) & EMU_MODE_ALT);
	assert_true(emu_modes(p.e) & EMU_MODE_MOUSE_DRAG);
	assert_int_equal(emu_row(p.e, 0)[0].cp, 'o');
	term_curses_mouse(t, false);
	drain(&p);
	assert_int_equal(emu_modes(p.e) & (EMU_MODE_MOUSE |
					   EMU_MODE_MOUSE_SGR), 0);
	term_curses_close(t);
	assert_restored(&p, &before);
	close_pty(&p);
}

/* In a child that crashes: the screen is given back, the signal is its end. */
static void test_term_curses__crash(void **state)
{
	static const int signals[] = { SIGSEGV, SIGABRT, SIGBUS };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct termios before;
		struct pty p;
		int status;
		pid_t pid;

		open_pty(&p);
		emu_write(p.e, "shell", 5);
		assert_int_equal(tcgetattr(p.slave, &before), 0);
		pid = fork();
		if (pid == 0) {
			start(&p, (struct term_curses_options){ .mouse = 1 });
			raise(signals[i]);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i]);
		assert_restored(&p, &before);
		close_pty(&p);
	}
}

static void test_term_curses__no_color(void **state)
{
	auto_canvas struct canvas *c = canvas_new(ROWS, COLS);
	struct pty p;
	struct term_curses *t;

	(void)state;
	open_pty(&p);
	t = start(&p, (struct term_curses_options){
			      .no_color = true,
			      .theme = theme_find("mission") });
	assert_int_equal(term_curses_colours(t), 0);
	draw(c);
	term_curses_paint(t, c);
	drain(&p);
	for (int r = 0; r < ROWS; r++)
		for (int k = 0; k < COLS; k++) {
			assert_int_equal(emu_row(p.e, r)[k].fg, 0);
			assert_int_equal(emu_row(p.e, r)[k].bg, 0);
		}
	assert_int_equal(emu_row(p.e, 1)[0].attr, CELL_REVERSE);
	term_curses_close(t);
	close_pty(&p);
}

/* An entry of its own: ncurses-term needn't be here. */
static void write_entry(const char *dir, const char *name, const char *colours)
{
	auto_free char *source = xasprintf("%s/source", dir);
	auto_free char *command = xasprintf("TERMINFO=%s tic -x %s", dir,
					    source);
	FILE *f = fopen(source, "w");

	assert_non_null(f);
	fprintf(f,
		"%s|for a test,\n\tuse=xterm-256color, %s, op=\\E[39;49m,\n"
		"\tsetaf=\\E[%%?%%p1%%{8}%%<%%t3%%p1%%d%%e38:2::"
		"%%p1%%{65536}%%/%%d:%%p1%%{256}%%/%%{255}%%&%%d:"
		"%%p1%%{255}%%&%%d%%;m,\n"
		"\tsetab=\\E[%%?%%p1%%{8}%%<%%t4%%p1%%d%%e48:2::"
		"%%p1%%{65536}%%/%%d:%%p1%%{256}%%/%%{255}%%&%%d:"
		"%%p1%%{255}%%&%%d%%;m,\n",
		name, colours);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(system(command), 0);
}

static void check_colours(struct pty *p, struct term_curses *t,
			  uint32_t ok, uint32_t of_a_program)
{
	auto_canvas struct canvas *c = canvas_new(ROWS, COLS);
	struct cell cell = CELL_BLANK;

	draw(c);
	cell.cp = 'p';
	cell.fg = COLOUR_PALETTE(208);
	canvas_cells(c, 9, 0, &cell, 1);
	term_curses_paint(t, c);
	drain(p);
	assert_int_equal(emu_row(p->e, 0)[0].cp, 'o');
	assert_int_equal(emu_row(p->e, 0)[0].fg, ok);
	assert_int_equal(emu_row(p->e, 9)[0].fg, of_a_program);
}

/* Only what was asked for, and only where terminfo has it; at once, and back
 * again. */
static void test_term_curses__direct(void **state)
{
	const struct theme *theme = theme_find("mission");
	char dir[] = "/tmp/svm-terminfo-XXXXXX";
	auto_free char *clean = NULL;
	struct termios before;
	struct pty p;
	struct term_curses *t;

	(void)state;
	assert_non_null(mkdtemp(dir));
	open_pty(&p);
	emu_write(p.e, "shell", 5);
	setenv("TERMINFO", dir, 1);
	assert_int_equal(tcgetattr(p.slave, &before), 0);
	write_entry(dir, "svmtest-256color", "colors#256, pairs#32767");
	setenv("TERM", "svmtest-256color", 1);
	t = start(&p, (struct term_curses_options){
			      .theme = theme, .colour = COLOUR_MODE_DIRECT });
	assert_int_equal(term_curses_colours(t), 256); /* no such entry */
	write_entry(dir, "svmtest-direct", "colors#256, pairs#32767");
	term_curses_style(t, theme, COLOUR_MODE_DIRECT, false);
	assert_int_equal(term_curses_colours(t), 256); /* not by its name */
	write_entry(dir, "svmtest-direct", "colors#0x1000000, pairs#0x7fff");
	term_curses_style(t, theme, COLOUR_MODE_DIRECT, false);
	assert_int_equal(term_curses_colours(t), COLOURS_DIRECT);
	check_colours(&p, t, COLOUR_RGB(0x22c55e), COLOUR_RGB(0xff8700));
	assert_true(emu_modes(p.e) & EMU_MODE_PASTE);
	term_curses_style(t, theme, COLOUR_MODE_NEVER, false);
	check_colours(&p, t, COLOUR_DEFAULT, COLOUR_DEFAULT);
	term_curses_style(t, theme, COLOUR_MODE_DIRECT, false);
	term_curses_close(t);
	assert_restored(&p, &before);
	t = start(&p, (struct term_curses_options){
			      .theme = theme, .no_color = true,
			      .colour = COLOUR_MODE_DIRECT });
	assert_int_equal(term_curses_colours(t), 0);
	term_curses_close(t);
	close_pty(&p);
	unsetenv("TERMINFO");
	clean = xasprintf("rm -r %s", dir);
	assert_int_equal(system(clean), 0);
}

static void test_term_curses__ascii(void **state)
{
	auto_canvas struct canvas *c = canvas_new(ROWS, COLS);
	struct pty p;
	struct term_curses *t;

	(void)state;
	open_pty(&p);
	setenv("LC_ALL", "C", 1);
	t = start(&p, (struct term_curses_options){ 0 });
	assert_false(term_curses_utf8(t));
	draw(c);
	term_curses_paint(t, c);
	drain(&p);
	check_screen(&p, "ok ??ex\nselected\n+----+\n|    |\n+----+");
	term_curses_close(t);
	close_pty(&p);
}

static void test_term_curses__resize(void **state)
{
	auto_canvas struct canvas *c = canvas_new(ROWS, COLS);
	struct winsize small = { .ws_row = 1, .ws_col = 4 };
	struct pty p;
	struct term_curses *t;
	int rows, cols;

	(void)state;
	open_pty(&p);
	t = start(&p, (struct term_curses_options){ 0 });
	draw(c);
	term_curses_paint(t, c);
	assert_int_equal(ioctl(p.slave, TIOCSWINSZ, &small), 0);
	drain(&p);
	emu_resize(p.e, 1, 4);
	term_curses_resized(t);
	term_curses_size(t, &rows, &cols);
	assert_int_equal(rows, 1);
	assert_int_equal(cols, 4);
	term_curses_paint(t, c);
	drain(&p);
	assert_int_equal(emu_row(p.e, 0)[0].cp, 'o');
	assert_int_equal(emu_row(p.e, 0)[3].cp, ' '); /* half of one */
	term_curses_close(t);
	close_pty(&p);
}

static void test_term_curses__refused(void **state)
{
	static const char *const types[] = { "", "dumb", "no-such-type" };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	for (size_t i = 0; i <= ARRAY_SIZE(types); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		bool tty = i < ARRAY_SIZE(types);
		struct pty p;

		open_pty(&p);
		setenv("TERM", tty ? types[i] : "xterm", 1);
		assert_null(term_curses_open(&(struct term_curses_options){
			.in = p.slave, .out = tty ? p.slave : null }, &err));
		assert_int_equal(err.code, SVM_UNAVAILABLE);
		assert_true(!tty || err.hint);
		close_pty(&p);
	}
	close(null);
}

/* Calls of write(2) and its kin so far, proc_pid_io(5); -1: not counted. */
static long writes(void)
{
	FILE *f = fopen("/proc/self/io", "re");
	char line[80];
	long n = -1;

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "syscw: ", 7) == 0)
			n = atol(line + 7);
	if (f)
		fclose(f);
	return n;
}

/* However much of it is new: else a terminal shows it half drawn. */
static void test_term_curses__a_frame_is_one_write(void **state)
{
	auto_canvas struct canvas *c = canvas_new(ROWS, COLS);
	struct pty p;
	struct term_curses *t;
	long before = writes();

	(void)state;
	if (before < 0)
		skip();
	open_pty(&p);
	t = start(&p, (struct term_curses_options){ 0 });
	for (char letter = 'a'; letter < 'e'; letter++) {
		for (int r = 0; r < ROWS; r += 2)
			canvas_text(c, r, 2 * r, 1, pen_role(ROLE_OK),
				    (char[]){ letter, 0 });
		before = writes();
		term_curses_paint(t, c);
		assert_int_equal(writes(), before + 1);
		drain(&p);
	}
	term_curses_close(t);
	close_pty(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_term_curses__paint),
		cmocka_unit_test(test_term_curses__restore),
		cmocka_unit_test(test_term_curses__crash),
		cmocka_unit_test(test_term_curses__no_color),
		cmocka_unit_test(test_term_curses__direct),
		cmocka_unit_test(test_term_curses__ascii),
		cmocka_unit_test(test_term_curses__resize),
		cmocka_unit_test(test_term_curses__a_frame_is_one_write),
		cmocka_unit_test(test_term_curses__refused),
	};

	return cmocka_run_group_tests_name("term-curses", tests, NULL, NULL);
}
