/* SPDX-License-Identifier: MIT */
/* Edit distance with transpositions (optimal string alignment). */
#include "cli/nearest.h"

#include <string.h>

#include "lib/base/defs.h"

#define WORD_MAX 32

static unsigned edit_distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned row[3][WORD_MAX + 1];

	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *cur = row[i % 3], *up = row[(i - 1) % 3];
		unsigned *upup = row[(i + 1) % 3]; /* i - 2 */

		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned swap = up[j - 1] + (a[i - 1] != b[j - 1]);

			cur[j] = MIN(MIN(up[j], cur[j - 1]) + 1, swap);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				cur[j] = MIN(cur[j], upup[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	size_t a = strlen(n->word), b = strlen(candidate);

	if (a < 2 || a > WORD_MAX || b > WORD_MAX)
		return;
	unsigned d = edit_distance(n->word, a, candidate, b);

	/* One slip in three letters; of less, next to everything is near. */
	if (d > MAX(a, b) / 3)
		return;
	if (!n->best || d < n->distance) {
		n->best = candidate;
		n->distance = d;
	}
}
