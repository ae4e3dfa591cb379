/* SPDX-License-Identifier: MIT */
/*
 * Clocks and their text.  Deadlines use CLOCK_BOOTTIME, which counts suspend
 * and can't be set; wall time is for people and files only.
 */
#ifndef SVM_BASE_CLOCK_H
#define SVM_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_mono_ns(void);
int64_t clock_boot_ns(void);
int64_t clock_wall_ns(void); /* since 1970, UTC; honours the injected jump */

/* Tests only: shift what clock_wall_ns() says.  Deadlines must not care. */
void clock_inject_wall_jump(int64_t ns);

/* RFC 3339 in UTC with milliseconds: 2026-01-02T03:04:05.678Z */
#define CLOCK_RFC3339_SIZE 32
void clock_format_rfc3339(int64_t wall_ns, char out[CLOCK_RFC3339_SIZE]);
/* Years 1700 to 2261, which is what 64 bits of ns hold; else -EINVAL. */
int clock_parse_rfc3339(const char *text, int64_t *ret_ns);

#endif
