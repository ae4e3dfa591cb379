/* SPDX-License-Identifier: MIT */
/*
 * What the form of name and labels asks for, the commands that do the same,
 * and the request.
 *
 * Of one sandbox the labels it has are there to be edited; only what is
 * edited is asked for, so whatever somebody else changes meanwhile stays.  Of
 * several sandboxes the line says what is to change, as `stacyvm label` has
 * it: KEY=VALUE sets, KEY- removes.
 */
#ifndef SVM_TUI_LABEL_FORM_H
#define SVM_TUI_LABEL_FORM_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "tui/field.h"

struct sandbox;

enum label_field { LABEL_NAME, LABEL_LABELS, LABEL_FIELDS };

struct label_form {
	char *id;    /* the sandbox, or the first of them */
	size_t more; /* how many besides */
	struct field field[LABEL_FIELDS]; /* of several: no name */
	char *before[LABEL_FIELDS]; /* as it was filled in */
	size_t unshown; /* labels that no line of text can hold: they stay */
};

/* For this one, with what it has; s may be NULL: it is not known any more. */
void label_form_init(struct label_form *f, const char *id, size_t more,
		     const struct sandbox *s);
void label_form_release(struct label_form *f);
bool label_form_changed(const struct label_form *f);

/* "stacyvm rename ID web && stacyvm label ID task=ci old-", appended, quoted
 * as a shell needs it; "nothing changes" without any. */
void label_form_command(const struct label_form *f, struct buf *out);

/* The body of PATCH /sandboxes/{id}: 1, or 0 when nothing is to change.  -1
 * with err and the field at fault. */
int label_form_body(const struct label_form *f, struct buf *out,
		    enum label_field *ret_at, struct svm_err *err);

#endif
