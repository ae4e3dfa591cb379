/* SPDX-License-Identifier: MIT */
/*
 * What may stand at the end of a command line: the one table that the shells'
 * completions and the console ask.
 *
 * What the tables of commands and options know comes from them; ids, images
 * and paths come from the daemon if it runs.  It is never started for this,
 * and a daemon that is slow or does not answer is the same as none.
 */
#ifndef SVM_CLI_CANDIDATES_H
#define SVM_CLI_CANDIDATES_H

#include "cli/cmd.h"

/* One candidate for the whole last word, and what it is ("" when that is not
 * known).  More may follow directly, without a space, where it ends in one of
 * "/:=".  Both are free of control and deceptive characters: a name that has
 * some is not offered, as what is shown would not be what is typed. */
typedef void (*candidate_fn)(void *data, const char *word, const char *about);

/* Offer what may stand for words[argc - 1] after the words before it; none of
 * them is the program's name.  Returns whether a local file may stand there
 * too.  Makes a client of its own in `cli`, which must have none. */
bool candidates_offer(struct cli *cli, int argc, char **words,
		      candidate_fn fn, void *data);

#endif
