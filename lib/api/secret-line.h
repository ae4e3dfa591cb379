/* SPDX-License-Identifier: MIT */
/* Lines that were typed and are not for a file of past lines. */
#ifndef SVM_API_SECRET_LINE_H
#define SVM_API_SECRET_LINE_H

#include <stdbool.h>

/* It has --api-key, a variable's value (-e NAME=VALUE) or a key of the
 * configuration that is one. */
bool secret_line(const char *line);

#endif
