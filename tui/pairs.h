/* SPDX-License-Identifier: MIT */
/*
 * Words of KEY=VALUE in one line, as labels and variables are typed: either
 * the word or its value may be in quotes, for blanks; a quote elsewhere is
 * itself.
 */
#ifndef SVM_TUI_PAIRS_H
#define SVM_TUI_PAIRS_H

#include <stdbool.h>

#include "lib/base/buf.h"

/* The next word, without its quotes, owned; NULL when there is none.
 * *ret_open: a quote isn't closed. */
char *pairs_next(const char **at, bool *ret_open);

/* KEY=VALUE appended behind a blank, so that pairs_next() reads it.  False,
 * and nothing is appended, when there is no way to write it, or none that is
 * one line of plain text. */
bool pairs_write(struct buf *out, const char *key, const char *value);

#endif
