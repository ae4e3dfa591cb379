/* SPDX-License-Identifier: MIT */
/*
 * Durations as Go writes them: "1h30m", "1.5h", "127.3ms", "-2s", "0".
 */
#ifndef SVM_BASE_DURATION_H
#define SVM_BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds, or -EINVAL (bad text) or -ERANGE (over 2^63 - 1 ns). */
int duration_parse(const char *text, int64_t *ret_ns);

/* Canonical: the shortest exact text, "0s" for zero, "1h0m0s". */
#define DURATION_SIZE 40
void duration_format(int64_t ns, char out[DURATION_SIZE]);

/* Clearly less was given than asked for: by more than what clocks, and the way
 * there and back, make of it. */
bool duration_is_less(int64_t given_ns, int64_t asked_ns);

#endif
