/* SPDX-License-Identifier: MIT */
/*
 * How many columns of a terminal characters take.  The same in every locale,
 * unlike wcwidth().  Control characters are the caller's to escape first
 * (escape.h); here they take one column, and so does each invalid part, which
 * is shown as one U+FFFD.
 */
#ifndef SVM_BASE_WIDTH_H
#define SVM_BASE_WIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

unsigned width_char(uint32_t cp); /* 0, 1 or 2 */

size_t width_text(const char *s, size_t n);

/* How many bytes of s fit `columns`, never cutting a character or leaving
 * its marks behind; ret_width is the columns they take. */
size_t width_fit(const char *s, size_t n, size_t columns, size_t *ret_width);

#endif
