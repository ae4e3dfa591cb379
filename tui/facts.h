/* SPDX-License-Identifier: MIT */
/*
 * What is known of something, as lines of a label and a text, wrapped to the
 * width there is.  With no canvas the lines are only counted.
 *
 *	struct facts f = { m, c, area, top, 0 };
 *	facts_pair(&f, "image", s->image);
 *	facts_object(&f, template);
 *	... f.line is how many there are
 */
#ifndef SVM_TUI_FACTS_H
#define SVM_TUI_FACTS_H

#include "tui/screen.h"

#define FACTS_LABEL 12 /* columns before the text */

struct facts {
	const struct model *m;
	struct canvas *c; /* or NULL */
	struct area a;
	size_t top, line; /* the first in view; the next one */
};

/* The row of the next line, or -1 when it is out of view. */
int facts_row(struct facts *f);

/* Nothing without text. */
void facts_pair(struct facts *f, const char *label, const char *text);
void facts_pair_role(struct facts *f, enum theme_role role,
		     const char *label, const char *text);
void facts_plain(struct facts *f, enum theme_role role, const char *text);
void facts_when(struct facts *f, const char *label, int64_t wall_ns);

/* All members of an object: the well-known ones first, sizes and times as
 * people read them, what is empty left out. */
void facts_object(struct facts *f, const cJSON *object);

#endif
