/* SPDX-License-Identifier: MIT */
/* The error object.  See err.h. */
#include "lib/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

static const char *const code_names[] = {
	[SVM_OK] = "OK",
#define SVM_CODE(sym, name, meaning) [SVM_##sym] = name,
#include "lib/base/errcode.def"
#undef SVM_CODE
};
_Static_assert(ARRAY_SIZE(code_names) == SVM_CODE_MAX, "a name per code");

const char *svm_code_name(enum svm_code code)
{
	return (unsigned)code < SVM_CODE_MAX ? code_names[code] : "OK";
}

enum svm_code svm_code_parse(const char *name)
{
	for (int i = 1; i < SVM_CODE_MAX; i++)
		if (strcmp(code_names[i], name) == 0)
			return (enum svm_code)i;
	return SVM_OK;
}

static void set_message(struct svm_err *err, enum svm_code code, int e,
			char *msg)
{
	if (err->code != SVM_OK)
		BUG("error set twice: '%s', then '%s'", err->msg, msg);
	if (code == SVM_OK)
		BUG("error without a code: '%s'", msg);
	err->code = code;
	err->sys_errno = e;
	err->msg = msg;
}

int svm_err_set(struct svm_err *err, enum svm_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *msg = xvasprintf(fmt, ap);
	va_end(ap);
	set_message(err, code, 0, msg);
	return -1;
}

int svm_err_sys(struct svm_err *err, enum svm_code code, int e,
		const char *fmt, ...)
{
	va_list ap;

	if (e < 0)
		e = -e;
	va_start(ap, fmt);
	auto_free char *what = xvasprintf(fmt, ap);
	va_end(ap);
	if (e == ENOSPC || e == EDQUOT)
		code = SVM_NO_SPACE;
	set_message(err, code, e, xasprintf("%s: %s", what, strerror(e)));
	return -1;
}

int svm_err_hint(struct svm_err *err, const char *fmt, ...)
{
	va_list ap;

	if (err->code == SVM_OK)
		BUG("hint on an error that is not set");
	if (err->hint)
		return -1;
	va_start(ap, fmt);
	err->hint = xvasprintf(fmt, ap);
	va_end(ap);
	return -1;
}

int svm_err_prefix(struct svm_err *err, const char *fmt, ...)
{
	va_list ap;

	if (err->code == SVM_OK)
		BUG("prefix on an error that is not set");
	va_start(ap, fmt);
	auto_free char *prefix = xvasprintf(fmt, ap);
	va_end(ap);
	char *msg = xasprintf("%s: %s", prefix, err->msg);
	free(err->msg);
	err->msg = msg;
	return -1;
}

int svm_err_move(struct svm_err *to, struct svm_err *from)
{
	if (from->code == SVM_OK)
		BUG("moving an error that is not set");
	if (to->code != SVM_OK)
		BUG("error set twice: '%s', then '%s'", to->msg, from->msg);
	*to = *from;
	*from = (struct svm_err)SVM_ERR_INIT;
	return -1;
}

void svm_err_release(struct svm_err *err)
{
	free(err->msg);
	free(err->hint);
	*err = (struct svm_err)SVM_ERR_INIT;
}

void svm_bug(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "BUG at %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}
