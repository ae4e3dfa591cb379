/* SPDX-License-Identifier: MIT */
/* What may stand at the end of a line that is being typed. */
#ifndef SVM_CLI_OFFERS_H
#define SVM_CLI_OFFERS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"

struct offers {
	struct offer {
		char *word, *about; /* "" when there is nothing to say */
	} *v;
	size_t n;
	size_t at;  /* where in the line the word begins that they are for */
	char quote; /* the one it is in, or 0 */
};

/* Both fit to be shown; copied. */
void offers_add(struct offers *o, const char *word, const char *about);
void offers_release(struct offers *o);

/* From the first-th on, by their words. */
void offers_sort(struct offers *o, size_t first);

/* Append the word as far as all of them agree, and cut no character. */
void offers_common(const struct offers *o, struct buf *out);

/* Append the line with the only one, or what they have in common, for its
 * last word.  Returns whether the word is whole: a blank may follow. */
bool offers_complete(const struct offers *o, const char *line,
		     struct buf *out);

/* Append them as lines for a terminal of so many columns: each with what it
 * is, or side by side when nothing is said about any. */
void offers_show(const struct offers *o, size_t columns, struct buf *out);

#endif
