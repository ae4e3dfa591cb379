/* SPDX-License-Identifier: MIT */
/* A template as people edit it: YAML that says what the API said. */
#ifndef SVM_API_TEMPLATE_FORM_H
#define SVM_API_TEMPLATE_FORM_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/json.h"

/* Add the fields that can be changed; yaml_read() gives them back.  As JSON
 * where it is asked for, and where YAML would not say the same.  Returns
 * whether it is JSON. */
bool template_form_write(const cJSON *template, bool json, struct buf *out);

/* The object as text, with a line break. */
void template_form_json(const cJSON *fields, struct buf *out);

#endif
