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
};

static void on_timer(struct loop *l, void *data)
{
	struct trim *t = data;

	(void)l;
	/* In the midst of it the pages would be asked for again at once. */
	if (t->noted > QUIET)
		loop_timer_after(t->timer, PERIOD);
	else
		(void)malloc_trim(0);
	t->noted = 0;
}

void trim_note(struct trim *t)
{
	t->noted++;
	if (!loop_timer_armed(t->timer))
		loop_timer_after(t->timer, PERIOD);
}

struct trim *trim_new(struct loop *l)
{
	struct trim *t = xcalloc(1, sizeof(*t));

	t->timer = loop_timer_new(l, on_timer, t);
	return t;
}

void trim_free(struct trim *t)
{
	if (!t)
		return;
	loop_timer_free(t->timer);
	free(t);
}
