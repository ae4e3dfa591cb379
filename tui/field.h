/* SPDX-License-Identifier: MIT */
/*
 * One line of text being typed: filter, search, form fields.  Holds UTF-8 of
 * at most LIMIT_TUI_FIELD bytes; control characters don't get in.
 */
#ifndef SVM_TUI_FIELD_H
#define SVM_TUI_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "tui/canvas.h"
#include "tui/input.h"
#include "tui/keymap.h"

struct past;

struct field {
	struct buf text;
	size_t at;          /* byte of the cursor, at a character */
	struct buf killed;  /* what ^Y brings back */
	struct past *past;  /* lines typed before, borrowed; may be NULL */
	size_t back;        /* which of them this is; 0: none */
	char *unfinished;   /* what was typed before going there */
};

void field_release(struct field *f);
void field_set(struct field *f, const char *text); /* cursor at its end */
/* It is done with: one of the lines typed before, from now on. */
void field_keep(struct field *f);
const char *field_text(const struct field *f);     /* borrowed, "" if empty */

/* A character typed or text pasted; what isn't text is left out. */
void field_add(struct field *f, const char *s, size_t n);

/* True when the key is a character, which is then in the text. */
bool field_key(struct field *f, struct key k);

/* Carry out an action of CTX_FIELD; false for another. */
bool field_act(struct field *f, enum action a);

/*
 * A line typed at the bottom of a screen: what the user does goes into it,
 * until Enter (DONE), or Escape or ^C (LEFT; the text is gone).
 */
enum field_typed { FIELD_GOES_ON, FIELD_DONE, FIELD_LEFT };
enum field_typed field_type(struct field *f, const struct keymap *k,
			    const struct input_event *ev);

/* Show the part around the cursor, and the terminal's cursor if `focused`. */
void field_view(const struct field *f, struct canvas *c, int row, int col,
		int width, struct cell pen, bool focused);

#endif
