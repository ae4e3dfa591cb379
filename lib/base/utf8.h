/* SPDX-License-Identifier: MIT */
/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, <= U+10FFFF. */
#ifndef SVM_BASE_UTF8_H
#define SVM_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

/* Decode one character of s[0..n), n > 0.  Returns its bytes (1-4); 0 when s
 * is a valid beginning that needs more bytes; -k when the first k bytes (1-3)
 * are an invalid subpart (replace them by one U+FFFD). */
int utf8_decode(const char *s, size_t n, uint32_t *ret_cp);

/* The bytes of cp, a code point; how many. */
size_t utf8_encode(uint32_t cp, char out[4]);

bool utf8_valid(const char *s, size_t n);

/* How many bytes at the end of s are the beginning of a character whose rest
 * may still come (0-3). */
size_t utf8_tail(const char *s, size_t n);

#endif
