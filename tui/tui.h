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
	const char *shell; /* model_shell() of this sandbox; or NULL */
	bool no_color;
	/* For tests: paint this many frames once nothing is awaited any more,
	 * then leave; 0: run until told to quit.  `dump` needs no terminal:
	 * the last frame is printed as text, of COLUMNS and LINES. */
	unsigned frames;
	bool dump;
	/* Its apply() is called before the first frame, and after each change
	 * of the configuration.  May be NULL. */
	const struct settings_ops *settings;
};

/* The exit status, or -1 with err when there is no terminal to run on. */
int tui_main(const struct tui_options *o, struct svm_err *err);

#endif
