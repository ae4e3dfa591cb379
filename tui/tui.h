/* SPDX-License-Identifier: MIT */
/*
 * The dashboard's entry.
 */
#ifndef SVM_TUI_TUI_H
#define SVM_TUI_TUI_H

#include "lib/base/err.h"
#include "tui/model.h"

struct tui_options {
	const char *server, *api_key; /* or NULL: this user's daemon */
	bool read_only, no_mouse, no_color, ascii;
	const char *theme;            /* or NULL */
	/* For tests: paint this many frames once nothing is awaited any more,
	 * then leave; 0: run until told to quit.  `dump` needs no terminal:
	 * the last frame is printed as text, of COLUMNS and LINES. */
	unsigned frames;
	bool dump;
	/* Changes settings and keys before the first frame; may be NULL. */
	int (*configure)(struct model *m, const void *data,
			 struct svm_err *err);
	const void *data;
};

/* The exit status, or -1 with err when there is no terminal to run on. */
int tui_main(const struct tui_options *o, struct svm_err *err);

#endif
