/* SPDX-License-Identifier: MIT */
/*
 * What may be longer than the screen, through the user's pager:
 * $STACYVM_PAGER, else $PAGER, else less.  Only where a person sits at both
 * ends, and the terminal can.  The pager is told nothing that the user's own
 * shell doesn't tell it.
 */
#ifndef SVM_CLI_PAGING_H
#define SVM_CLI_PAGING_H

#include <stdbool.h>

struct cli;

/* From here on standard output goes through the pager, where there is one to
 * be had; else nothing changes.  For commands that are CMD_PAGED, and for
 * help; others are let be.  To be called just before the first output: what
 * fails earlier, and what asks, has the terminal to itself.  Safe to
 * repeat. */
void paging_begin(const struct cli *cli);

/* Whether one has the terminal: what else is written there spoils its
 * screen. */
bool paging_is_on(void);

/* The end of the output; waits until it has been read, and standard output is
 * what it was.  True when there was a pager: that it was left before the end
 * (EPIPE) is no failure. */
bool paging_end(void);

#endif
