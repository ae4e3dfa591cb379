/* SPDX-License-Identifier: MIT */
/* What cmocka.h needs before it, in the order it needs it. */
#ifndef SVM_TESTS_UNIT_H
#define SVM_TESTS_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <unistd.h>

/* Root, and there are other ids to be: not in `unshare -r`. */
static inline bool unit_has_other_ids(void)
{
	return geteuid() == 0 && seteuid(65534) == 0 && seteuid(0) == 0;
}

#endif
