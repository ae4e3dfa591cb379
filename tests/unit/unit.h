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

#endif
