/* SPDX-License-Identifier: MIT */
/*
 * A line of the console as words.
 *
 * Blanks separate.  '...' takes everything as it is; "..." too, but for a
 * backslash before one of " \ $ `; outside of both a backslash takes the next
 * character as it is.  # where a word could begin is a comment to the end.
 * As in a shell, so far; but nothing is ever expanded, and there are no pipes
 * or lists of commands.  So that no line means one thing here and another in
 * a shell, the characters which would ask for that, | & ; < > $ `, are refused
 * where a shell would act on them.  * ? [ ~ { and the like are themselves.
 */
#ifndef SVM_CLI_WORDS_H
#define SVM_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* NULL-terminated, owned (strv_free), with room for one word more; maybe
 * none.  BAD_REQUEST when a quote isn't closed or something isn't quoted. */
int words_split(const char *line, char ***ret_words, struct svm_err *err);

/* A line as far as it is typed. */
struct words {
	char **v;       /* at least one: "" after a blank */
	size_t n;
	size_t last_at; /* where the last one begins in the line */
	char quote;     /* ' or " when it is in one, else 0 */
	bool comment;   /* the end is in one: there is no last word */
};

/* Takes any line; what words_split() refuses stands for itself. */
void words_open(const char *line, struct words *ret);
void words_release(struct words *w);
#define auto_words CLEANUP(words_release)

/* Append text so that it is read as part of a word, in quotes of the kind
 * `quote` (0: with backslashes).  `end` says that the word is whole: its
 * quote is closed. */
void words_quote(struct buf *out, const char *text, char quote, bool end);

#endif
