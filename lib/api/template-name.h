/* SPDX-License-Identifier: MIT */
/* What a template can be called. */
#ifndef SVM_API_TEMPLATE_NAME_H
#define SVM_API_TEMPLATE_NAME_H

#include "lib/base/err.h"

/* 1 to LIMIT_TEMPLATE_NAME letters, digits and "._- ". */
int template_check_name(const char *name, struct svm_err *err);

#endif
