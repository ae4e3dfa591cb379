/* SPDX-License-Identifier: MIT */
/* Memory given back to the system.  See trim.h. */
#include "daemon/trim.h"

#include <malloc.h>
#include <stdlib.h>

#include "lib/api/limits.h"
#include "lib/base/loop.h"
#include "lib/base/mem.h"

#define PERIOD SECONDS(1)
#define QUIET 16 /* things that end in a period, at most */

struct trim {
	struct loop_timer *timer;
	unsigned noted; /* in this period */
	void (*quiet)(void *data);
	void *data;
};

/* The top of an arena that is not the main one is never given back by
 * malloc_trim() (glibc's mtrim()), and each thread would have one. */
void trim_init(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
}

void trim_now(void)
{
	(void)malloc_trim(0);
}

static void on_timer(struct loop *l, void *data)
{
	struct trim *t = data;
	unsigned noted = t->noted;

	(void)l;
	t->noted = 0;
	if (noted)
		loop_timer_after(t->timer, PERIOD);
	else if (t->quiet)
		t->quiet(t->data);
	/* In the midst of it the pages would be asked for again at once. */
	if (noted <= QUIET)
		trim_now();
}

void trim_note(struct trim *t)
{
	t->noted++;
	if (!loop_timer_armed(t->timer))
		loop_timer_after(t->timer, PERIOD);
}

bool trim_armed(const struct trim *t)
{
	return loop_timer_armed(t->timer);
}

struct trim *trim_new(struct loop *l, void (*quiet)(void *data), void *data)
{
	struct trim *t = xcalloc(1, sizeof(*t));

	t->timer = loop_timer_new(l, on_timer, t);
	t->quiet = quiet;
	t->data = data;
	return t;
}

void trim_free(struct trim *t)
{
	if (!t)
		return;
	loop_timer_free(t->timer);
	free(t);
}
