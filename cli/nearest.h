/* SPDX-License-Identifier: MIT */
/* "Did you mean": the nearest of several words. */
#ifndef SVM_CLI_NEAREST_H
#define SVM_CLI_NEAREST_H

struct nearest {
	const char *word; /* what was typed */
	const char *best; /* NULL: nothing is near enough */
	unsigned distance;
};

/* Offer one candidate (borrowed).  Start with { .word = typed }. */
void nearest_offer(struct nearest *n, const char *candidate);

#endif
