/* SPDX-License-Identifier: MIT */
/* Base64 as RFC 4648 section 4 has it: padded, no line breaks. */
#ifndef SVM_BASE_BASE64_H
#define SVM_BASE_BASE64_H

#include <stddef.h>

#include "lib/base/buf.h"

void base64_encode(struct buf *out, const void *data, size_t n);

/* Append what s[0..n) says; -EINVAL (out unchanged) on anything but the one
 * encoding base64_encode() would give. */
int base64_decode(struct buf *out, const char *s, size_t n);

#endif
