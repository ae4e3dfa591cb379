/* SPDX-License-Identifier: MIT */
/*
 * How tables were left: filter, order and columns of each screen that has
 * one, kept from one dashboard to the next (STATE/tui-views.json).
 */
#ifndef SVM_TUI_VIEWS_H
#define SVM_TUI_VIEWS_H

#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct model;

/* {"sandboxes": {"filter": "py", "sort": "ttl", "inverted": true,
 * "hidden": ["owner"]}, ...}: appended. */
void views_json(const struct model *m, struct buf *out);

/* What isn't in it, or makes no sense, stays as it is. */
int views_load(struct model *m, const char *text, size_t n,
	       struct svm_err *err);

/* The file; a missing one is fine. */
int views_write(const struct model *m, struct svm_err *err);
int views_read(struct model *m, struct svm_err *err);

#endif
