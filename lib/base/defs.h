/* SPDX-License-Identifier: MIT */
/*
 * The handful of macros every room uses.  Nothing here calls anything.
 */
#ifndef SVM_BASE_DEFS_H
#define SVM_BASE_DEFS_H

#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#define MUST_USE __attribute__((warn_unused_result))
/* Often only there to be released: not a variable to warn about. */
#define CLEANUP(fn) __attribute__((cleanup(fn), unused))

/* Built with a sanitizer, which maps memory by the terabyte and talks to the
 * kernel in its own ways: limits on address space and system calls are off. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || \
		   __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

/* Hand over what a cleanup variable holds: `*ret = steal_ptr(&p);` */
#define steal_ptr(pp)                     \
	({                                \
		__typeof__(*(pp)) __p = *(pp); \
		*(pp) = NULL;             \
		__p;                      \
	})

/* The same for a file descriptor; the variable becomes -1. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
