/* SPDX-License-Identifier: MIT */
/* A text as lines of a width, broken at blanks where there are some. */
#ifndef SVM_TUI_WRAP_H
#define SVM_TUI_WRAP_H

#include <stddef.h>

/* How many bytes of the text fit a line; no less than a character, however
 * narrow it is. */
size_t wrap_fit(const char *text, size_t n, size_t width);

/* All of it, safe to be shown; a line break in it is one there, too.  One line
 * at least, NULL at the end; the caller's (strv_free). */
char **wrap_lines(const char *text, size_t width);

#endif
