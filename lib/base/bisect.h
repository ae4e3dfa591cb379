/* SPDX-License-Identifier: MIT */
/* Looking up by halves. */
#ifndef SVM_BASE_BISECT_H
#define SVM_BASE_BISECT_H

#include <stddef.h>
#include <stdint.h>

/* The last of n things in order whose key is at most `at`; 0 when there is
 * none. */
static inline size_t bisect_last(const void *things, size_t n, uint64_t at,
				 uint64_t (*key)(const void *things, size_t i))
{
	size_t low = 0, high = n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (key(things, mid) <= at)
			low = mid;
		else
			high = mid;
	}
	return low;
}

#endif
