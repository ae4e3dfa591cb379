/* SPDX-License-Identifier: MIT */
/* Random bytes from the kernel, for ids, nonces and temporary names. */
#ifndef SVM_BASE_RAND_H
#define SVM_BASE_RAND_H

#include <stddef.h>

void rand_bytes(void *out, size_t n);          /* aborts if the kernel can't */
void rand_hex(char *out, size_t digits);       /* digits + NUL */

#endif
