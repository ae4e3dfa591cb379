/* SPDX-License-Identifier: MIT */
/* Progress of copies.  See progress.h. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>

#include "cli/out.h"
#include "lib/base/clock.h"
#include "lib/base/escape.h"

#define QUIET_NS 500000000
#define REDRAW_NS 100000000
#define PLAIN_NS (INT64_C(5) * 1000000000)

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
	p->redraw = !plain && cli->stderr_tty;
	p->shown_ns = p->begun_ns + QUIET_NS -
		      (p->redraw ? REDRAW_NS : PLAIN_NS);
}

static void show(struct progress *p, int64_t now)
{
	auto_buf struct buf b = BUF_INIT;
	double seconds = (double)(now - p->begun_ns) / 1e9;

	if (p->redraw)
		buf_addch(&b, '\r');
	escape_line(&b, p->what, strlen(p->what));
	buf_addstr(&b, "  ");
	out_bytes(&b, (double)p->done);
	if (p->total > 0)
		buf_addf(&b, " (%d%%)", (int)(100.0 * (double)p->done /
					      (double)p->total));
	buf_addstr(&b, "  ");
	out_bytes(&b, seconds > 0 ? (double)p->done / seconds : 0);
	buf_addstr(&b, p->redraw ? "/s\033[K" : "/s\n");
	fputs(buf_str(&b), stderr);
	p->shown = true;
	p->shown_ns = now;
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
	if (p->what && p->shown) {
		show(p, clock_mono_ns());
		if (p->redraw)
			fputc('\n', stderr);
	}
	p->what = NULL;
}
