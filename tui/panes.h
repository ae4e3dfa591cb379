/* SPDX-License-Identifier: MIT */
/* Where the panes of the workspace are, and how large. */
#ifndef SVM_TUI_PANES_H
#define SVM_TUI_PANES_H

#include "tui/screen.h"

enum pane { PANE_FILES, PANE_VIEWER, PANE_TERMINAL };

/* Of a screen: one that is kept from one dashboard to the next. */
struct pane_size {
	const char *name;
	int *percent;
	int least, most;
};

struct panes {
	int files;  /* percent of the width */
	int viewer; /* percent of the height, above a terminal */
	bool zoomed;
	/* As of the last split. */
	bool beside, stacked;
};

struct places {
	struct area files, terminal, viewer; /* rows 0: not shown */
};

void panes_init(struct panes *p);

/* What is there (files always are) and which has the focus. */
struct places panes_split(struct panes *p, struct area a, enum pane focus,
			  bool viewer, bool terminal);

/* BIGGER, SMALLER, EQUAL and ZOOM, of the one with the focus; false for
 * another. */
bool panes_act(struct panes *p, enum action a, enum pane focus);

/* The k-th size; false past the last. */
bool panes_size(struct panes *p, size_t k, struct pane_size *ret);

#endif
