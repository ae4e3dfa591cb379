/* SPDX-License-Identifier: MIT */
/* Words as a shell reads them: for what is run by one, and for what is shown
 * to be pasted there.  Not for the first word of a command. */
#ifndef SVM_BASE_SHELL_H
#define SVM_BASE_SHELL_H

#include <stdbool.h>

#include "lib/base/buf.h"

/* Append `word` as one word of a shell: as it is where nothing in it means
 * anything there, else in single quotes. */
void shell_word(struct buf *out, const char *word);

/* The same for a person's shell (bash, zsh, ksh; not every sh) and for eyes:
 * a word in which something would act on a terminal, deceives or is no UTF-8
 * is $'...', which has none of that.  Whether it was. */
bool shell_seen_word(struct buf *out, const char *word);

#endif
