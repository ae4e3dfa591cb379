/* SPDX-License-Identifier: MIT */
/*
 * Lines that were typed before, of each kind of field its own, kept from one
 * dashboard to the next (STATE/tui-history.json).
 *
 * What begins with a blank is not kept, nor is what looks like a secret, the
 * last line once more, or a very long one.  Fields whose text is nobody's
 * business (values of settings, names typed to agree) have no kind at all.
 */
#ifndef SVM_TUI_PAST_H
#define SVM_TUI_PAST_H

#include <stddef.h>

#include "lib/api/limits.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

struct model;

#define PASTS(X)                        \
	X(SANDBOXES, "sandboxes")       \
	X(FILTER, "filter")             \
	X(SEARCH, "search")             \
	X(MATCHING, "matching")         \
	X(COMMAND, "command")           \
	X(EDITOR, "editor")             \
	X(EXEC, "exec")                 \
	X(DURATION, "duration")         \
	X(SINCE, "since")               \
	X(PORT, "port")                 \
	X(LOCAL, "local")               \
	X(INSIDE, "inside")             \
	X(MODE, "mode")                 \
	X(PATTERN, "pattern")           \
	X(PLACE, "place")               \
	X(IMAGE, "image")               \
	X(NAME, "name")                 \
	X(COUNT, "count")               \
	X(SETTING, "setting")

enum past_kind {
	PAST_NONE,
#define X(NAME, name) PAST_##NAME,
	PASTS(X)
#undef X
	PAST_MAX
};

struct past {
	char *line[LIMIT_TUI_PAST]; /* the newest last */
	size_t n;
	size_t fresh;               /* of the newest: not in the file yet */
};

/* May be NULL. */
void past_add(struct past *p, const char *line);
/* The newest is 1; NULL when there are not as many.  p may be NULL. */
const char *past_line(const struct past *p, size_t back);

/* Of fields with a model; NULL for PAST_NONE. */
struct past *past_of(struct model *m, enum past_kind kind);

void pasts_release(struct model *m);
/* Something is to be written: EFFECT_SAVE_PAST. */
void pasts_settle(struct model *m);

/* The file; see state-file.h.  A missing one is fine.  What others have typed
 * by then is known after writing; when it fails, no more is written. */
int pasts_read(struct model *m, struct svm_err *err);
int pasts_write(struct model *m, struct svm_err *err);

#endif
