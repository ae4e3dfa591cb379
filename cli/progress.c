/* SPDX-License-Identifier: MIT */
/* Progress of what takes long.  See progress.h. */
#include "cli/progress.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/live.h"
#include "cli/out.h"
#include "cli/paging.h"
#include "lib/base/clock.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define QUIET_NS 500000000
#define REDRAW_NS 100000000
#define PLAIN_NS (INT64_C(5) * 1000000000)
#define BAR_CELLS 14

/* Colours of stderr follow the same wishes as those of stdout. */
static bool color_on_stderr(const struct cli *cli)
{
	struct cli as_stdout = *cli;

	as_stdout.stdout_tty = cli->stderr_tty;
	return out_color(&as_stdout);
}

void progress_init(struct progress *p, const struct cli *cli,
		   const char *what, int64_t total)
{
	const char *how = cli->progress ? cli->progress : "auto";
	bool plain = strcmp(how, "plain") == 0;

	*p = (struct progress){ .what = what, .total = total,
				.begun_ns = clock_mono_ns() };
	if (cli->quiet || strcmp(how, "none") == 0 ||
	    (!plain && !cli->stderr_tty))
		p->what = NULL;
	p->color = color_on_stderr(cli);
	p->redraw = !plain && live_possible(cli, STDERR_FILENO);
	p->shown_ns = p->begun_ns + QUIET_NS -
		      (p->redraw ? REDRAW_NS : PLAIN_NS);
}

static void add_bar(struct live *l, double part)
{
	auto_buf struct buf full = BUF_INIT, rest = BUF_INIT;
	bool utf8 = live_utf8();
	int cells = (int)(part * BAR_CELLS + 0.5);

	for (int i = 0; i < BAR_CELLS; i++) {
		if (i < cells)
			buf_addstr(&full, utf8 ? "\xe2\x96\x88" : "#");
		else
			buf_addstr(&rest, utf8 ? "\xe2\x96\x91" : ".");
	}
	live_text(l, LIVE_PLAIN, "  ");
	live_text(l, LIVE_GOOD, buf_str(&full));
	live_text(l, LIVE_DIM, buf_str(&rest));
}

/* What a daemon tells need not fit together. */
static int percent(int64_t done, int64_t total)
{
	return (int)MIN(100.0 * (double)done / (double)total, 100.0);
}

static void numbers(const struct progress *p, int64_t now, struct buf *b)
{
	double seconds = (double)(now - p->begun_ns) / 1e9;

	buf_addstr(b, "  ");
	if (p->total > 0)
		buf_addf(b, "%d%%  ", percent(p->done, p->total));
	out_bytes(b, (double)p->done);
	if (p->total > 0) {
		buf_addstr(b, " of ");
		out_bytes(b, (double)p->total);
	}
	buf_addstr(b, "  ");
	out_bytes(b, seconds > 0 ? (double)p->done / seconds : 0);
	buf_addstr(b, "/s");
}

static void show(struct progress *p, int64_t now)
{
	auto_buf struct buf text = BUF_INIT;

	p->shown = true;
	p->shown_ns = now;
	numbers(p, now, &text);
	if (p->redraw && !p->live)
		p->live = live_new(STDERR_FILENO, p->color);
	if (p->live) {
		live_text(p->live, LIVE_PLAIN, p->what);
		if (p->total > 0)
			add_bar(p->live, MIN((double)p->done /
					     (double)p->total, 1.0));
		live_text(p->live, LIVE_PLAIN, buf_str(&text));
		live_row(p->live);
		live_paint(p->live);
		return;
	}
	auto_escape bool before = cli_escape_for(STDERR_FILENO);
	auto_buf struct buf line = BUF_INIT;

	escape_line(&line, p->what, strlen(p->what));
	fprintf(stderr, "%s%s\n", buf_str(&line), buf_str(&text));
}

void progress_set(struct progress *p, int64_t done, int64_t total)
{
	p->total = total;
	progress_add(p, done - p->done);
}

void progress_add(struct progress *p, int64_t bytes)
{
	p->done += bytes;
	if (!p->what)
		return;
	int64_t now = clock_mono_ns();

	if (now - p->shown_ns > (p->redraw ? REDRAW_NS : PLAIN_NS))
		show(p, now);
}

void progress_end(struct progress *p)
{
	if (p->what && p->shown)
		show(p, clock_mono_ns());
	live_free(p->live);
	p->live = NULL;
	p->what = NULL;
}

struct ticker {
	pthread_t thread;
	int stop;
	bool color;
	pthread_mutex_t lock; /* of what follows */
	char *what;
	int64_t done, total;  /* total 0: not known */
};

static bool ticks; /* one is on; of the thread that calls */

bool ticker_is_on(void)
{
	return ticks;
}

static void add_part(struct live *l, int64_t done, int64_t total)
{
	auto_buf struct buf text = BUF_INIT;

	add_bar(l, MIN((double)done / (double)total, 1.0));
	buf_addf(&text, "  %d%%  ", percent(done, total));
	out_bytes(&text, (double)done);
	buf_addstr(&text, " of ");
	out_bytes(&text, (double)total);
	live_text(l, LIVE_PLAIN, buf_str(&text));
}

static void paint_ticker(struct ticker *t, struct live *l, int64_t begun)
{
	auto_free char *time = xasprintf(
		"  %.1fs", (double)(clock_mono_ns() - begun) / 1e9);
	enum live_role role;
	const char *mark = live_state_mark("creating", &role);

	live_text(l, role, mark);
	live_text(l, LIVE_PLAIN, " ");
	pthread_mutex_lock(&t->lock);
	live_text(l, LIVE_PLAIN, t->what);
	if (t->total > 0)
		add_part(l, t->done, t->total);
	pthread_mutex_unlock(&t->lock);
	live_text(l, LIVE_DIM, time);
	live_row(l);
	live_paint(l);
}

static void *tick(void *arg)
{
	struct ticker *t = arg;
	struct pollfd p = { .fd = t->stop, .events = POLLIN };
	int64_t begun = clock_mono_ns();
	struct live *l = NULL;

	while (poll(&p, 1, REDRAW_NS / 1000000) == 0) {
		if (!l && !(l = live_new(STDERR_FILENO, t->color)))
			return NULL;
		paint_ticker(t, l, begun);
	}
	if (l)
		live_erase(l);
	live_free(l);
	return NULL;
}

static void ticker_free(struct ticker *t)
{
	pthread_mutex_destroy(&t->lock);
	fd_close(t->stop);
	free(t->what);
	free(t);
}

struct ticker *ticker_start(const struct cli *cli, const char *what)
{
	const char *how = cli->progress ? cli->progress : "auto";
	struct ticker *t;
	sigset_t all, old;

	if (strcmp(how, "auto") != 0 || paging_is_on() ||
	    !live_possible(cli, STDERR_FILENO))
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->what = xstrdup(what);
	pthread_mutex_init(&t->lock, NULL);
	t->color = color_on_stderr(cli);
	t->stop = eventfd(0, EFD_CLOEXEC);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int e = t->stop < 0 ? -1 : pthread_create(&t->thread, NULL, tick, t);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e == 0) {
		ticks = true;
		return t;
	}
	ticker_free(t);
	return NULL;
}

void ticker_tell(struct ticker *t, const char *what, int64_t done,
		 int64_t total)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	free(t->what);
	t->what = xstrdup(what);
	t->done = done;
	t->total = total;
	pthread_mutex_unlock(&t->lock);
}

void ticker_stop(struct ticker *t)
{
	if (!t)
		return;
	(void)!write(t->stop, &(uint64_t){ 1 }, sizeof(uint64_t));
	pthread_join(t->thread, NULL);
	ticks = false;
	ticker_free(t);
}
