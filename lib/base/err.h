/* SPDX-License-Identifier: MIT */
/*
 * The error object: what failed, on what, why, and what to do about it.
 *
 * Leaf functions return -errno.  Whatever means something to a user returns
 * 0 or -1 and takes a `struct svm_err *err`, which is left alone on success
 * and set exactly once on failure.  Outer layers only prefix.
 */
#ifndef SVM_BASE_ERR_H
#define SVM_BASE_ERR_H

#include <stdbool.h>

#include "lib/base/defs.h"

enum svm_code {
	SVM_OK,
#define SVM_CODE(sym, name, meaning) SVM_##sym,
#include "lib/base/errcode.def"
#undef SVM_CODE
	SVM_CODE_MAX
};

struct svm_err {
	enum svm_code code;
	int sys_errno; /* 0 when no system call is to blame */
	char *msg;     /* owned; lower case, no full stop */
	char *hint;    /* owned or NULL: the command or knob that fixes it */
	bool told;     /* by who was asked, as its answer; not found by us */
};

#define SVM_ERR_INIT { SVM_OK, 0, NULL, NULL, false }
#define auto_err CLEANUP(svm_err_release)

/* Set an unset err.  All return -1, so that `return svm_err_set(...)` reads
 * well.  Setting an error twice is a BUG(). */
int svm_err_set(struct svm_err *err, enum svm_code code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* The same with ": strerror(e)" appended and the code chosen from e (ENOSPC
 * and EDQUOT are NO_SPACE, the rest `code`).  e may be negative. */
int svm_err_sys(struct svm_err *err, enum svm_code code, int e,
		const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Add the remediation to an error that is set; an earlier hint stays. */
int svm_err_hint(struct svm_err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Put "text: " before the message of an error that is set. */
int svm_err_prefix(struct svm_err *err, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

/* Move a set error into an unset one; `from` is ready for reuse. */
int svm_err_move(struct svm_err *to, struct svm_err *from);

void svm_err_release(struct svm_err *err); /* safe to repeat */

const char *svm_code_name(enum svm_code code);    /* "NOT_FOUND" */
enum svm_code svm_code_parse(const char *name);   /* SVM_OK when unknown */

/* For our own mistakes only: prints file and line, then aborts. */
#define BUG(...) svm_bug(__FILE__, __LINE__, __VA_ARGS__)
NORETURN void svm_bug(const char *file, int line, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif
