/* SPDX-License-Identifier: MIT */
/*
 * A list of JSON objects with the selected one's details beside it: templates
 * and providers.
 */
#ifndef SVM_TUI_OBJECTS_H
#define SVM_TUI_OBJECTS_H

#include "tui/list.h"
#include "tui/order.h"
#include "tui/screen.h"

/* By the value of a key: text from a to z, the most first, true first. */
struct objects_sort {
	const char *key; /* NULL: as the daemon lists them */
	enum { SORT_TEXT, SORT_MOST, SORT_LEAST, SORT_TRUE } how;
};

/* One of them on two rows, instead of its row, where all have room. */
struct objects;
typedef void (*objects_card_fn)(const struct model *m,
				const struct objects *x, const cJSON *o,
				struct canvas *c, struct area a);

/* What stands above the rows, in as many columns as they have. */
typedef void (*objects_head_fn)(int cols, struct buf *out);

struct objects {
	struct order order; /* of `sorts`; without: as listed */
	const struct objects_sort *sorts;
	objects_card_fn card; /* or NULL: rows always */
	objects_head_fn head; /* or NULL: none */
	int each;             /* rows of one, as of the last settle */
	struct list_pos pos;
	char *selected; /* its name: it stays selected while rows move */
	char *wanted;    /* to be selected once it is listed, or NULL */
	size_t settled; /* pos.at as of the last settle */
	struct field filter;
	bool typing;
	const cJSON **shown;
	size_t n;
	size_t top;  /* the first line of the details in view */
	bool beside; /* the keys are for the details, which are alone where
		      * there is no room for both */
	bool wide;  /* no details beside it */
	struct area rows, details; /* as of the last settle */
};

/* A row: what stands in it, as text that fits in so many columns. */
typedef void (*objects_row_fn)(const struct model *m, const cJSON *o, int cols,
			       struct buf *out);

void objects_release(struct objects *x);
void objects_settle(struct objects *x, const cJSON *list, struct area a);
void objects_view(const struct model *m, const struct objects *x,
		  const cJSON *list, struct canvas *c, struct area a,
		  const char *title, objects_row_fn row);
bool objects_act(struct model *m, struct objects *x, enum action a);
bool objects_input(struct model *m, struct objects *x,
		   const struct input_event *ev);
/* The one of this name, now or once it is there, whatever was filtered, unless
 * another is chosen before.  The state is of a screen that begins with a struct
 * objects. */
void objects_choose(void *state, const char *name);
const cJSON *objects_selected(const struct objects *x); /* or NULL */

/* A provider that the configuration leaves out: nothing is wrong with it. */
bool objects_is_off(const cJSON *provider);

/* Of a screen whose state is this and nothing else.  The names of the orders
 * end with NULL; sorts has as many. */
void *objects_screen_make(const char *const *names,
			  const struct objects_sort *sorts);
struct order *objects_screen_order(void *state);
void objects_screen_release(struct model *m, void *state);
bool objects_screen_input(struct model *m, void *state,
			  const struct input_event *ev);
const struct field *objects_screen_typing(const struct model *m,
					  const void *state,
					  const char **ret_label);
bool objects_screen_empty(const struct model *m, const void *state);
const cJSON *objects_screen_subject(const struct model *m, const void *state);

#endif
