/* SPDX-License-Identifier: MIT */
/*
 * A growable run of bytes.  `data` is always NUL-terminated one past `len`
 * once something was added, so a buffer of text is a C string too.
 */
#ifndef SVM_BASE_BUF_H
#define SVM_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/base/defs.h"

struct buf {
	char *data; /* NULL until the first byte */
	size_t len;
	size_t cap;
};

#define BUF_INIT { NULL, 0, 0 }
#define auto_buf CLEANUP(buf_release)

void buf_release(struct buf *b); /* frees; ready for reuse */
void buf_clear(struct buf *b);   /* keeps the storage */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *data, size_t n);
void buf_addstr(struct buf *b, const char *s);
void buf_addch(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void buf_consume(struct buf *b, size_t n); /* drop n bytes from the front */
void buf_truncate(struct buf *b, size_t len);

/* The text, owned by the caller; "" when empty.  b is ready for reuse. */
char *buf_steal(struct buf *b);

/* The text, borrowed until b changes; "" when empty. */
const char *buf_str(const struct buf *b);

#endif
