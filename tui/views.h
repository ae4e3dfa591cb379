/* SPDX-License-Identifier: MIT */
/*
 * How lists were left: the order of each, of tables also filter and columns,
 * and how large panes were made; kept from one dashboard to the next, and
 * views that were given names (STATE/tui-views.json).
 */
#ifndef SVM_TUI_VIEWS_H
#define SVM_TUI_VIEWS_H

#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct model;

void views_init(struct model *m); /* its screens are made */
void views_release(struct model *m);

/* Each table begins so the next time; the file is written by EFFECT_SAVE_VIEW
 * alone. */
void views_keep(struct model *m);

/* Panes of the screen in view may have been made bigger or smaller: if so, the
 * next dashboard has them so too, without more being said. */
void views_sized(struct model *m);

/* Choose a view for the table of the screen, save it under a name, delete
 * one. */
void views_menu(struct model *m);

/* {"sandboxes": {"sort": "ttl", "inverted": true, "filter": "py",
 * "group": "template", "hidden": ["owner"]}, "workspace": {"sort": "size",
 * "inverted": false, "sizes": {"files": 35, "viewer": 50}}, ..., "views":
 * [{"name": "mine", ...}]}: appended. */
void views_json(const struct model *m, struct buf *out);

/* What isn't in it, or makes no sense, stays as it is. */
int views_load(struct model *m, const char *text, size_t n,
	       struct svm_err *err);

/*
 * The file; a missing one is fine.  Other dashboards have it too: what was
 * changed here is brought into what is there now, under a lock, and what they
 * have changed is known afterwards.  What could not be written is with the
 * next time.
 */
int views_write(struct model *m, struct svm_err *err);
int views_read(struct model *m, struct svm_err *err);

#endif
