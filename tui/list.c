/* SPDX-License-Identifier: MIT */
/* A place in a list.  See list.h. */
#include "tui/list.h"

#include "lib/base/defs.h"

void list_settle(struct list_pos *l, size_t n, int height)
{
	l->n = n;
	l->height = (size_t)MAX(height, 1);
	l->at = n ? MIN(l->at, n - 1) : 0;
	if (l->at < l->top)
		l->top = l->at;
	if (l->at >= l->top + l->height)
		l->top = l->at - l->height + 1;
	if (l->top + l->height > n)
		l->top = n > l->height ? n - l->height : 0;
}

bool list_act(struct list_pos *l, enum action a)
{
	size_t page = l->height > 2 ? l->height - 1 : 1;
	size_t last = l->n ? l->n - 1 : 0;

	switch (a) {
	case ACT_UP:
		l->at -= l->at > 0;
		return true;
	case ACT_DOWN:
		l->at += l->at < last;
		return true;
	case ACT_TOP:
		l->at = 0;
		return true;
	case ACT_BOTTOM:
		l->at = last;
		return true;
	case ACT_PAGE_UP:
		l->at -= MIN(page, l->at);
		return true;
	case ACT_PAGE_DOWN:
		l->at = MIN(l->at + page, last);
		return true;
	default:
		return false;
	}
}

void list_scroll(struct list_pos *l, int rows)
{
	size_t most = l->n > l->height ? l->n - l->height : 0;
	size_t by = (size_t)(rows < 0 ? -rows : rows);

	l->top = rows < 0 ? l->top - MIN(by, l->top) : MIN(l->top + by, most);
	l->at = MAX(l->at, l->top);
	l->at = MIN(l->at, l->top + l->height - 1);
}
