/* SPDX-License-Identifier: MIT */
/*
 * Themes of the user's own: CONFIG/themes/NAME.yaml.
 *
 *	base: mission          # what isn't said below; "auto" without it
 *	background: "#101418"
 *	ink: ece7dd
 *	accent: bold 214
 *	bad: bold white on red
 *	selected: reverse
 *
 * A style is words: attributes (bold dim italic underline reverse), a
 * colour, and after "on" the one behind it.  A colour is rrggbb, a number of
 * the palette, one of the eight names (bright-red is the other eight's), or
 * default.
 */
#ifndef SVM_TUI_THEME_FILE_H
#define SVM_TUI_THEME_FILE_H

#include <stddef.h>

#include "lib/base/err.h"
#include "tui/theme.h"

/* A built-in theme, else the file of this name.  `dir` is CONFIG. */
int theme_load(const char *dir, const char *name, struct theme *ret,
	       struct svm_err *err);

/* Its text; `file` is for messages. */
int theme_parse(const char *file, const char *text, size_t n,
		struct theme *ret, struct svm_err *err);

/* "auto|mission|...|mine", in the order of names behind the built-in ones;
 * the caller's. */
char *theme_names(const char *dir);

#endif
