/* SPDX-License-Identifier: MIT */
/*
 * A list of JSON objects with the selected one's details beside it: templates
 * and providers.
 */
#ifndef SVM_TUI_OBJECTS_H
#define SVM_TUI_OBJECTS_H

#include "tui/list.h"
#include "tui/screen.h"

struct objects {
	struct list_pos pos;
	struct field filter;
	bool typing;
	const cJSON **shown;
	size_t n;
	size_t top; /* of the details */
};

/* A row: what stands in it, as text; `what` is above the list. */
typedef void (*objects_row_fn)(const struct model *m, const cJSON *o,
			       struct buf *out);

void objects_release(struct objects *x);
void objects_settle(struct objects *x, const cJSON *list, struct area a);
void objects_view(const struct model *m, const struct objects *x,
		  const cJSON *list, struct canvas *c, struct area a,
		  const char *title, objects_row_fn row);
bool objects_act(struct model *m, struct objects *x, enum action a);
bool objects_input(struct model *m, struct objects *x,
		   const struct input_event *ev);
const cJSON *objects_selected(const struct objects *x); /* or NULL */


#endif
