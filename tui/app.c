/* SPDX-License-Identifier: MIT */
/*
 * The program around the model: one loop for keys, signals, time, replies and
 * terminals; it paints when something changed, at most FRAMES_MAX times a
 * second; after a while without, FRAMES_AT_ONCE may follow each other, if all
 * that was asked for is there.  What a key did is shown sooner.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/ending.h"
#include "lib/base/escape.h"
#include "lib/base/foreground.h"
#include "lib/base/mem.h"
#include "tui/app.h"
#include "tui/frame.h"
#include "tui/glyph.h"
#include "tui/start.h"
#include "tui/views.h"

#define FRAMES_MAX 60
#define FRAMES_AT_ONCE 3
#define FRAME_NS (INT64_C(1000000000) / FRAMES_MAX)
#define MS INT64_C(1000000)
#define KEY_FRAME_NS (4 * MS)
/* How long leaving waits for what was asked for last. */
#define LEAVE_NS (2000 * MS)

/* -- time */

static void tell_time(struct app *a)
{
	time_t now;
	struct tm tm;

	a->m->boot_ns = clock_boot_ns();
	a->m->wall_ns = clock_wall_ns();
	now = (time_t)(a->m->wall_ns / (1000 * MS));
	if (localtime_r(&now, &tm))
		a->m->utc_offset = (int)tm.tm_gmtoff;
}

static void arm_tick(struct app *a)
{
	loop_timer_at(a->tick, update_wake(a->m));
}

/* -- painting */

static bool settled(const struct app *a)
{
	return a->m->silent ||
	       (a->m->link != LINK_CONNECTING && !a->m->waiting);
}

static void paint(struct app *a)
{
	a->painted = clock_boot_ns();
	a->spent = MAX(a->spent, a->painted -
				 (FRAMES_AT_ONCE - 1) * FRAME_NS) + FRAME_NS;
	a->m->effects &= ~(unsigned)EFFECT_REDRAW;
	a->pressed = false;
	frame_view(a->m, a->canvas);
	if (a->term)
		term_curses_paint(a->term, a->canvas);
	if (!a->frames_left || !settled(a))
		return;
	a->m->effects |= EFFECT_REDRAW;
	if (!--a->frames_left)
		loop_stop(a->loop);
}

/* Half of what there is would only flicker, and so would what is shown while
 * the daemon isn't there. */
static bool is_opening(const struct app *a, int64_t now)
{
	return a->painted && !a->m->fleet.loaded &&
	       a->m->link != LINK_LOST && now < a->opening_until;
}

static int64_t next_frame(const struct app *a)
{
	return a->painted + (a->pressed ? KEY_FRAME_NS : FRAME_NS);
}

static bool may_paint(const struct app *a)
{
	int64_t now = clock_boot_ns();

	return (now >= next_frame(a) ||
		(settled(a) && now >= a->spent)) && !is_opening(a, now);
}

static void arm_frame(struct app *a)
{
	int64_t now = clock_boot_ns();

	loop_timer_at(a->frame, is_opening(a, now) ? now + FRAME_NS :
						     next_frame(a));
}

/* Continued in the background, we are told only by the next signal read. */
static bool in_front(struct app *a)
{
	if (!a->term)
		return true;
	return !a->away && !a->signal &&
	       (foreground_has(STDIN_FILENO) || app_resume(a));
}

static void before_sleep(struct loop *l, void *data)
{
	struct app *a = data;

	(void)l;
	if (!in_front(a))
		return;
	app_carry_out(a);
	if (a->m->effects & EFFECT_QUIT) {
		loop_stop(a->loop);
		return;
	}
	if (!in_front(a))
		return;
	if (a->m->effects & EFFECT_REDRAW) {
		if (may_paint(a))
			paint(a);
		else if (a->pressed || !loop_timer_armed(a->frame))
			arm_frame(a);
	}
	arm_tick(a);
	/* What painting a counted frame left to do. */
	if (a->m->effects & EFFECT_REDRAW && !loop_timer_armed(a->frame))
		arm_frame(a);
}

static void frame_due(struct loop *l, void *data)
{
	(void)l, (void)data; /* before_sleep() paints */
}

static void tick_due(struct loop *l, void *data)
{
	struct app *a = data;

	(void)l;
	tell_time(a);
	update_tick(a->m);
}

/* Replies, lines and terminals changed the model: before_sleep() sees. */
static void changed(void *data)
{
	struct app *a = data;

	if (!a->closing)
		tell_time(a);
}

/* -- keys */

static void on_event(void *data, const struct input_event *ev)
{
	struct app *a = data;

	tell_time(a);
	a->pressed = true;
	update_input(a->m, ev);
}

static void arm_escape(struct app *a)
{
	if (input_waits(a->input))
		loop_timer_after(a->escape, INPUT_ESC_MS * MS);
	else
		loop_timer_stop(a->escape);
}

static void tty_ready(struct loop *l, void *data, unsigned events)
{
	struct app *a = data;
	char bytes[4096];
	ssize_t n;

	(void)events;
	if (!in_front(a))
		return;
	n = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) { /* the terminal is gone */
		a->signal = SIGHUP;
		loop_stop(l);
		return;
	}
	input_write(a->input, bytes, (size_t)n);
	arm_escape(a);
}

static void escape_due(struct loop *l, void *data)
{
	struct app *a = data;

	(void)l;
	input_expire(a->input);
	arm_escape(a);
}

/* -- signals */

static void on_resize(struct loop *l, void *data,
		      const struct signalfd_siginfo *info)
{
	struct app *a = data;
	int rows, cols;

	(void)l, (void)info;
	if (!a->term)
		return;
	term_curses_resized(a->term);
	term_curses_size(a->term, &rows, &cols);
	canvas_resize(a->canvas, rows, cols);
	model_resize(a->m, rows, cols);
}

static void on_end(struct loop *l, void *data,
		   const struct signalfd_siginfo *info)
{
	struct app *a = data;

	a->signal = (int)info->ssi_signo;
	loop_stop(l);
}

bool app_resume(struct app *a)
{
	a->away = !foreground_wait(STDIN_FILENO);
	loop_fd_mod(a->tty, a->away ? 0 : LOOP_READ);
	if (a->away)
		return false;
	term_curses_resume(a->term);
	on_resize(NULL, a, NULL);
	a->m->effects |= EFFECT_REDRAW;
	return true;
}

/* Not the key ^Z, which comes as a byte. */
static void on_stop(struct loop *l, void *data,
		    const struct signalfd_siginfo *info)
{
	struct app *a = data;

	(void)l, (void)info;
	a->m->effects |= EFFECT_SUSPEND;
}

/* Whoever stopped us (kill -STOP says nothing before) may have used the
 * terminal, and has it still when we go on in the background. */
static void on_continue(struct loop *l, void *data,
			const struct signalfd_siginfo *info)
{
	struct app *a = data;

	(void)l, (void)info;
	if (a->term && !a->signal)
		app_resume(a);
}

/* -- life */

static int number_in_env(const char *name, int most, int otherwise)
{
	const char *text = getenv(name);
	long n = text ? strtol(text, NULL, 10) : 0;

	return n > 0 && n <= most ? (int)n : otherwise;
}

static void screen_size(const struct app *a, int *ret_rows, int *ret_cols)
{
	if (a->term) {
		term_curses_size(a->term, ret_rows, ret_cols);
		return;
	}
	*ret_rows = number_in_env("LINES", LIMIT_EMU_ROWS, 40);
	*ret_cols = number_in_env("COLUMNS", LIMIT_EMU_COLS, 120);
}

/* A view that can't be read is none. */
static void restore_view(struct model *m)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (views_read(m, &err) < 0)
		model_complain(m, &err, "restore the view");
}

static void restore_past(struct model *m)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (pasts_read(m, &err) < 0)
		model_complain(m, &err, "restore what was typed");
}

static int make_model(struct app *a, struct svm_err *err)
{
	const char *home = getenv("HOME");

	a->m = model_new(40, 120);
	if (home && *home == '/' && home[1])
		a->m->home = xstrdup(home);
	tell_time(a);
	a->m->settings = a->o->settings;
	if (a->m->settings &&
	    a->m->settings->apply(a->m->settings->data, a->m, err) < 0)
		return svm_err_hint(err, "mend it with:  stacyvm config edit");
	if (a->o->shell && a->m->read_only) {
		svm_err_set(err, SVM_FORBIDDEN, "the dashboard is read-only, "
						"and types into no shell");
		return svm_err_hint(err, "leave --ui out, or see:  stacyvm "
				    "config get --origin ui.read_only");
	}
	restore_view(a->m);
	restore_past(a->m);
	if (a->o->server) {
		free(a->m->server);
		a->m->server = xstrdup(a->o->server);
	}
	return 0;
}

static int open_terminal(struct app *a, struct svm_err *err)
{
	int rows, cols;

	if (!a->o->dump) {
		a->term = term_curses_open(
			&(struct term_curses_options){
				.theme = &a->m->set.theme,
				.no_color = a->o->no_color,
				.colour = a->m->set.colour,
				.ascii = a->m->set.ascii,
				.mouse = a->m->mouse,
				.in = STDIN_FILENO,
				.out = STDOUT_FILENO },
			err);
		if (!a->term)
			return -1;
		a->m->set.ascii |= !term_curses_utf8(a->term);
		a->m->effects |= EFFECT_STYLE; /* ui.color */
	}
	screen_size(a, &rows, &cols);
	a->canvas = canvas_new(rows, cols);
	model_resize(a->m, rows, cols);
	return 0;
}

static int open_input(struct app *a, struct svm_err *err)
{
	a->input = input_new(on_event, a);
	if (!a->input)
		return svm_err_set(err, SVM_INTERNAL,
				   "libtickit can't be set up");
	if (!a->term)
		return 0;
	a->tty = loop_fd_add(a->loop, STDIN_FILENO, LOOP_READ, tty_ready, a);
	if (!a->tty)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't watch the terminal");
	return 0;
}

static void watch_signals(struct app *a)
{
	static const int ends[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };

	signal(SIGPIPE, SIG_IGN);
	loop_signal_add(a->loop, SIGWINCH, on_resize, a);
	if (!a->o->dump)
		loop_signal_add(a->loop, SIGTSTP, on_stop, a);
	loop_signal_add(a->loop, SIGCONT, on_continue, a);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		loop_signal_add(a->loop, ends[i], on_end, a);
	/* For a terminal that nobody reads. */
	(void)ending_watch(LIMIT_UNHEARD_MS);
}

/* Options that are no good are told of by the first request. */
static bool can_start(const struct fetch_options *o)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct client *c = fetch_client(o, true, 0, -1, &err);
	bool can = c && client_starts(c);

	client_free(c);
	return can;
}

static int open_all(struct app *a, struct svm_err *err)
{
	const struct fetch_options to = { .server = a->o->server,
					  .api_key = a->o->api_key };

	setlocale(LC_CTYPE, "");
	/* SIGTERM still ends us by itself. */
	if (!a->o->dump)
		(void)foreground_wait(STDIN_FILENO);
	a->loop = loop_new();
	if (!a->loop)
		return svm_err_sys(err, SVM_INTERNAL, errno, "epoll");
	watch_signals(a);
	if (make_model(a, err) < 0 || open_terminal(a, err) < 0 ||
	    open_input(a, err) < 0)
		return -1;
	a->m->starts = can_start(&to);
	a->tick = loop_timer_new(a->loop, tick_due, a);
	a->escape = loop_timer_new(a->loop, escape_due, a);
	a->frame = loop_timer_new(a->loop, frame_due, a);
	a->opening_until = clock_boot_ns() + START_AFTER_NS;
	a->fetch = fetch_new(a->loop, a->m, &to, changed, a);
	a->links = links_new(a->loop, a->m, &to, changed, a);
	loop_before_sleep(a->loop, before_sleep, a);
	model_start(a->m);
	if (a->o->shell)
		model_shell(a->m, a->o->shell);
	return 0;
}

/* A kill that was confirmed is sent before we go, and so are many: as long
 * as answers come. */
static void finish_requests(struct app *a)
{
	int64_t until = clock_boot_ns() + LEAVE_NS;
	unsigned long answers = fetch_answers(a->fetch);
	int64_t now;

	loop_before_sleep(a->loop, NULL, NULL);
	/* Commands of the user's own are ended. */
	while (a->m->waiting > a->m->commands_running &&
	       (now = clock_boot_ns()) < until) {
		fetch_sync(a->fetch);
		loop_turn(a->loop, (int)((until - now) / MS) + 1);
		if (fetch_answers(a->fetch) == answers)
			continue;
		answers = fetch_answers(a->fetch);
		until = clock_boot_ns() + LEAVE_NS;
	}
}

static void close_all(struct app *a)
{
	/* Without a model nothing is said. */
	auto_escape bool before = escape_ascii(a->m && a->m->set.ascii);

	a->closing = true;
	term_curses_close(a->term);
	/* Last words of streams still look at terminals, which links frees. */
	fetch_free(a->fetch);
	links_free(a->links);
	loop_fd_del(a->tty);
	loop_timer_free(a->tick);
	loop_timer_free(a->escape);
	loop_timer_free(a->frame);
	input_free(a->input);
	canvas_free(a->canvas);
	model_free(a->m);
	if (a->loop)
		loop_free(a->loop);
}

static void say_goodbye(const struct app *a)
{
	auto_escape bool before = escape_ascii(a->m->set.ascii);
	auto_buf struct buf safe = BUF_INIT;

	if (a->m->farewell) {
		escape_text(&safe, a->m->farewell, strlen(a->m->farewell));
		fputs(buf_str(&safe), stderr);
	} else if (a->m->fleet.n && !a->o->dump) {
		fprintf(stderr, "%zu sandbox%s go%s on running: "
				"stacyvm list\n", a->m->fleet.n,
			a->m->fleet.n == 1 ? "" : "es",
			a->m->fleet.n == 1 ? "es" : "");
	}
}

/* Ended by a signal, or the terminal is gone: nobody could be asked. */
static void rescue(struct app *a, struct buf *say)
{
	for (size_t i = 0; i < SCREEN_MAX; i++)
		if (screens[i]->rescue)
			screens[i]->rescue(a->m, a->m->state[i], say);
}

static void print_rescued(const struct app *a, const struct buf *say)
{
	auto_escape bool before = escape_ascii(a->m->set.ascii);
	auto_buf struct buf safe = BUF_INIT;

	escape_text(&safe, buf_str(say), say->len);
	fputs(buf_str(&safe), stderr);
}

static void print_canvas(struct app *a)
{
	auto_buf struct buf text = BUF_INIT;
	struct canvas *c = a->canvas;
	bool ascii = a->m->set.ascii ||
		     (isatty(STDOUT_FILENO) &&
		      strcmp(nl_langinfo(CODESET), "UTF-8") != 0);

	/* As the painter would. */
	for (int i = 0; ascii && i < c->rows * c->cols; i++)
		if (c->cells[i].cp >= 0x7f)
			c->cells[i].cp = (unsigned char)glyph_ascii(
				(uint32_t)c->cells[i].cp);
	canvas_dump(c, &text);
	fputs(buf_str(&text), stdout);
}

int tui_main(const struct tui_options *o, struct svm_err *err)
{
	struct app a = { .o = o, .frames_left = o->frames };
	auto_buf struct buf rescued = BUF_INIT;
	int r;

	if (o->dump && !a.frames_left)
		a.frames_left = 1;
	r = open_all(&a, err);
	if (r == 0) {
		loop_run(a.loop);
		if (!a.signal && !o->frames)
			finish_requests(&a);
		if (a.signal && !o->dump)
			rescue(&a, &rescued);
		if (a.signal)
			ending_heard(a.signal);
		term_curses_close(steal_ptr(&a.term));
		if (o->dump)
			print_canvas(&a);
		else if (a.signal)
			print_rescued(&a, &rescued);
		else
			say_goodbye(&a);
		r = a.signal ? 128 + a.signal : a.m->status;
	}
	close_all(&a);
	return r;
}
