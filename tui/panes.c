/* SPDX-License-Identifier: MIT */
/* Sizes of panes.  See panes.h. */
#include "tui/panes.h"

#define BESIDE_COLS 100 /* narrower, there is one at a time */
#define STEP 5
#define SMALLEST 15
#define LARGEST 85

void panes_init(struct panes *p)
{
	*p = (struct panes){ .files = 35, .viewer = 50 };
}

static struct places alone(struct area a, enum pane focus)
{
	struct places at = { 0 };

	*(focus == PANE_FILES  ? &at.files :
	  focus == PANE_VIEWER ? &at.viewer : &at.terminal) = a;
	return at;
}

struct places panes_split(struct panes *p, struct area a, enum pane focus,
			  bool viewer, bool terminal)
{
	struct places at = { 0 };
	int left;

	p->beside = !p->zoomed && a.cols >= BESIDE_COLS;
	p->stacked = p->beside && viewer && terminal;
	if (!p->beside)
		return alone(a, focus);
	left = a.cols * p->files / 100;
	at.files = (struct area){ a.row, a.col, a.rows, left };
	a.col += left;
	a.cols -= left;
	if (!p->stacked) {
		*(terminal ? &at.terminal : &at.viewer) = a;
		return at;
	}
	at.viewer = a;
	at.viewer.rows = a.rows * p->viewer / 100;
	a.row += at.viewer.rows;
	a.rows -= at.viewer.rows;
	at.terminal = a;
	return at;
}

static void grow(int *share, int by)
{
	*share = MIN(MAX(*share + by, SMALLEST), LARGEST);
}

bool panes_act(struct panes *p, enum action a, enum pane focus)
{
	int by = a == ACT_BIGGER ? STEP : -STEP;

	switch (a) {
	case ACT_BIGGER:
	case ACT_SMALLER:
		if (focus == PANE_FILES || !p->stacked)
			grow(&p->files, focus == PANE_FILES ? by : -by);
		else
			grow(&p->viewer, focus == PANE_VIEWER ? by : -by);
		return true;
	case ACT_EQUAL:
		p->files = p->viewer = 50;
		return true;
	case ACT_ZOOM:
		p->zoomed = !p->zoomed;
		return true;
	default:
		return false;
	}
}

bool panes_size(struct panes *p, size_t k, struct pane_size *ret)
{
	if (k > 1)
		return false;
	*ret = (struct pane_size){ k ? "viewer" : "files",
				   k ? &p->viewer : &p->files, SMALLEST,
				   LARGEST };
	return true;
}
