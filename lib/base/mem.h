/* SPDX-License-Identifier: MIT */
/*
 * Allocation that can't fail: out of memory aborts here and is tested nowhere
 * else.  Sizes that come from outside are limited before they get here
 * (lib/api/limits.h).
 */
#ifndef SVM_BASE_MEM_H
#define SVM_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/base/defs.h"

#define auto_free CLEANUP(mem_free_cleanup)

void *xmalloc(size_t n);
void *xcalloc(size_t count, size_t size); /* zeroed; aborts on overflow */
void *xrealloc(void *p, size_t n);
void *xreallocarray(void *p, size_t count, size_t size);
char *xstrdup(const char *s);             /* NULL gives NULL */
char *xstrndup(const char *s, size_t n);
void *xmemdup(const void *p, size_t n);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
char *xvasprintf(const char *fmt, va_list ap) PRINTF_LIKE(1, 0);

/* Overwrite before freeing: tokens, the environment of a sandbox. */
void mem_free_secret(void *p, size_t n);

/* NULL-terminated string vectors. */
char **strv_dup(char *const *v);
void strv_free(char **v); /* accepts NULL */
size_t strv_len(char *const *v);

void mem_free_cleanup(void *pp);

#endif
