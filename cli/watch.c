/* SPDX-License-Identifier: MIT */
/* The loop of a view that follows the daemon.  See watch.h. */
#include "cli/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/term.h"
#include "lib/api/errmap.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/duration.h"
#include "lib/base/ending.h"
#include "lib/base/fd.h"
#include "lib/base/foreground.h"
#include "lib/base/mem.h"

struct loop_state {
	struct cli *cli;
	const struct watch *w;
	struct feed *feed;
	struct live *live; /* NULL: lines */
	int signals;
	int64_t deadline_ns; /* 0: none */
	int redraw_ms;     /* -1: not by itself */
	bool has_picture, gone, told_gone, over;
	bool keys_shown;
	int status;
	struct term_keys keys;
};

bool watch_is_blocks(const struct cli *cli)
{
	return cli->stdout_tty && !cli->quiet && !cli->json && !cli->format &&
	       !cli->plain && cli_accessible(cli);
}

bool watch_is_live(const struct cli *cli)
{
	return live_possible(cli, STDOUT_FILENO) && isatty(STDIN_FILENO);
}

/* -- keys */

static void quit(struct loop_state *s)
{
	s->over = true;
}

static void show_keys(struct loop_state *s)
{
	s->keys_shown = true;
}

/* What has no function comes as a signal. */
static const struct {
	unsigned char key;
	const char *name, *what;
	void (*act)(struct loop_state *s);
} keys[] = {
	{ 'q', "q", "quit", quit },
	{ '?', "?", "these keys, until the next one", show_keys },
	{ 0, "Ctrl-C", "quit, with status 130", NULL },
	{ 0, "Ctrl-Z", "suspend; fg comes back", NULL },
};

void watch_print_keys(void)
{
	puts("list --watch and top, on a terminal");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		printf("  %-33s %s\n", keys[i].name, keys[i].what);
}

static void on_key(struct loop_state *s, unsigned char key)
{
	if (key && s->keys_shown) {
		s->keys_shown = false;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].key == key && keys[i].act)
			keys[i].act(s);
}

static void draw_keys(struct live *l, size_t room)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys) && i < room; i++) {
		char line[64];

		snprintf(line, sizeof(line), "  %-8s", keys[i].name);
		live_text(l, LIVE_BOLD, line);
		live_text(l, LIVE_PLAIN, keys[i].what);
		live_row(l);
	}
}

/* -- signals */

static int catch_signals(struct svm_err *err)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
				       SIGWINCH, SIGTSTP, SIGCONT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "sigprocmask");
	(void)ending_watch(LIMIT_UNHEARD_MS);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	return fd < 0 ? svm_err_sys(err, SVM_INTERNAL, errno, "signalfd") :
			fd;
}

/* What is left out first where there is no room for all comes last. */
static void draw_last(struct loop_state *s)
{
	size_t n = s->w->count(s->w->data), left = live_cols(s->live);
	const char *between = live_utf8() ? " \xc2\xb7 " : ", "; /* dot */
	auto_free char *count = xasprintf("%zu %s", n, n == 1 ? s->w->thing :
								s->w->things);
	const char *const parts[] = {
		count, s->gone ? "the daemon is gone; waiting for it" : NULL,
		s->keys_shown ? "any key goes on" : "q quit",
		s->keys_shown ? NULL : "? keys", s->w->note,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t wide = parts[i] ? strlen(parts[i]) + (i ? 3 : 0) : 0;

		if (!parts[i] || (wide > left && i))
			continue;
		left -= MIN(wide, left);
		if (i)
			live_text(s->live, LIVE_DIM, between);
		live_text(s->live, i == 1 ? LIVE_BAD : LIVE_DIM, parts[i]);
	}
}

static void draw(struct loop_state *s)
{
	size_t room, below;

	if (!s->live || !s->has_picture)
		return;
	room = live_room(s->live);
	room -= room > 1;
	below = s->keys_shown ? MIN(ARRAY_SIZE(keys), room) : 0;
	s->redraw_ms = -1;
	if (!below || room > below)
		s->redraw_ms = s->w->draw(s->cli, s->w->data, s->live,
					  room - below);
	draw_keys(s->live, below);
	draw_last(s);
	live_row(s->live);
	live_paint(s->live);
}

/* Ctrl-Z: the terminal is the shell's until we are back. */
static void suspend(struct loop_state *s)
{
	if (s->live) {
		live_leave(s->live);
		term_restore();
	}
	foreground_stop();
	if (s->live) {
		auto_err struct svm_err ignored = SVM_ERR_INIT;

		(void)term_keys_on(&ignored);
		if (foreground_has(STDIN_FILENO))
			draw(s);
	}
}

/* kill -STOP says nothing before. */
static void come_back(struct loop_state *s)
{
	if (s->live && !s->over && term_again())
		draw(s);
}

static void on_signals(struct loop_state *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH) {
			draw(s);
		} else if (info.ssi_signo == SIGTSTP) {
			suspend(s);
		} else if (info.ssi_signo == SIGCONT) {
			come_back(s);
		} else {
			s->over = true;
			s->status = 128 + (int)info.ssi_signo;
			ending_heard((int)info.ssi_signo);
		}
	}
}

static void on_keys(struct loop_state *s)
{
	char bytes[256];
	ssize_t n = term_read(bytes, sizeof(bytes));

	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		s->over = true; /* the terminal is gone */
	for (ssize_t i = 0; i < n; i++)
		on_key(s, term_keys_plain(&s->keys, (unsigned char)bytes[i]));
	/* Nothing came with it: the key itself. */
	if (s->keys.at == TERM_KEYS_ESCAPE) {
		s->keys.at = TERM_KEYS_GROUND;
		on_key(s, '\033');
	}
	draw(s);
}

static int on_news(struct loop_state *s, struct svm_err *err)
{
	auto_buf struct buf picture = BUF_INIT;
	int r = feed_take(s->feed, &picture, &s->gone, err);

	if (r < 0)
		return -1;
	if (r > 0) {
		int enough = s->w->take(s->cli, s->w->data, &picture,
					s->live != NULL, err);

		if (enough < 0)
			return -1;
		s->has_picture = true;
		s->over = s->over || enough > 0;
	}
	if (!s->live && s->gone && !s->told_gone)
		cli_warn("the daemon is gone; waiting for it to come back");
	s->told_gone = s->gone;
	draw(s);
	return 0;
}

static int wait_ms(const struct loop_state *s)
{
	int ms = s->live ? s->redraw_ms : -1;

	if (s->deadline_ns) {
		int64_t left = (s->deadline_ns - clock_boot_ns()) / 1000000 +
			       1;

		left = MAX(left, 0);
		ms = ms < 0 || left < ms ? (int)MIN(left, 3600000) : ms;
	}
	return ms;
}

static int loop(struct loop_state *s, struct svm_err *err)
{
	while (!s->over) {
		struct pollfd p[] = {
			{ .fd = s->signals, .events = POLLIN },
			{ .fd = feed_fd(s->feed), .events = POLLIN },
			{ .fd = s->live ? STDIN_FILENO : -1,
			  .events = POLLIN },
			/* Nobody reads any more. */
			{ .fd = s->live ? -1 : STDOUT_FILENO },
		};
		int n = poll(p, ARRAY_SIZE(p), wait_ms(s));

		if (n < 0 && errno != EINTR)
			return svm_err_sys(err, SVM_INTERNAL, errno, "poll");
		if (n > 0 && p[0].revents)
			on_signals(s);
		if (s->live && !foreground_has(STDIN_FILENO)) {
			come_back(s);
			continue;
		}
		if (s->deadline_ns && clock_boot_ns() >= s->deadline_ns)
			return svm_err_set(err, SVM_TIMEOUT,
					   "the time given by --timeout is "
					   "over");
		if (n == 0)
			draw(s);
		if (n > 0 && p[2].revents)
			on_keys(s);
		if (n > 0 && p[3].revents & (POLLERR | POLLHUP))
			return 128 + SIGPIPE;
		if (n > 0 && p[1].revents && on_news(s, err) < 0)
			return -1;
	}
	return s->status;
}

int watch_run(struct cli *cli, const struct watch *w, struct svm_err *err)
{
	struct loop_state s = { .cli = cli, .w = w, .redraw_ms = -1 };
	int64_t ns = 0;
	int r = -1;

	if (cli->timeout && duration_parse(cli->timeout, &ns) == 0)
		s.deadline_ns = clock_boot_ns() + ns;
	auto_close int signals = catch_signals(err);

	s.signals = signals;
	if (signals < 0)
		return -1;
	if (watch_is_live(cli))
		s.live = live_new(STDOUT_FILENO, out_color(cli));
	if (s.live)
		live_hide_cursor(s.live);
	else if (watch_is_blocks(cli))
		cli_notice(cli, "each change is told; Ctrl-C ends it");
	s.feed = feed_start(cli, &w->feed, err);
	if (s.feed && s.live && term_keys_on(err) < 0)
		goto out;
	if (s.feed)
		r = loop(&s, err);
out:
	live_free(s.live);
	term_restore();
	feed_free(s.feed);
	return r;
}
