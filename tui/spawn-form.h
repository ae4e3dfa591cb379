/* SPDX-License-Identifier: MIT */
/*
 * What the spawn form asks for: its fields, the command that does the same,
 * and the request.
 */
#ifndef SVM_TUI_SPAWN_FORM_H
#define SVM_TUI_SPAWN_FORM_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "tui/field.h"

enum spawn_field {
	SPAWN_TEMPLATE,
	SPAWN_IMAGE,
	SPAWN_NAME,
	SPAWN_TTL,
	SPAWN_MEMORY,
	SPAWN_VCPUS,
	SPAWN_PROVIDER,
	SPAWN_NETWORK,
	SPAWN_LABELS, /* this and the next: words of KEY=VALUE */
	SPAWN_ENV,
	SPAWN_FIELDS
};

struct spawn_form {
	struct field field[SPAWN_FIELDS];
};

extern const struct spawn_field_info {
	const char *label, *key, *option, *hint;
} spawn_fields[SPAWN_FIELDS];

void spawn_form_release(struct spawn_form *f);
/* The text of each field, as it is now. */
void spawn_form_copy(struct spawn_form *to, const struct spawn_form *from);
bool spawn_form_filled(const struct spawn_form *f); /* anything in it */

/* "stacyvm spawn --name x": appended, quoted as a shell needs it. */
void spawn_form_command(const struct spawn_form *f, struct buf *out);

/* The body of POST /sandboxes.  -1 with err and the field at fault. */
int spawn_form_body(const struct spawn_form *f, struct buf *out,
		    enum spawn_field *ret_at, struct svm_err *err);

#endif
