/* SPDX-License-Identifier: MIT */
/*
 * Texts that were not saved, as files of this user: in the state directory,
 * drafts/, 0600, LIMIT_TUI_DRAFTS of at most LIMIT_TUI_EDIT bytes.  A draft is
 * the text and nothing else; its name says whose it is:
 *
 *	draft-SANDBOX-KEY-BASE-PID-NAME
 *
 * KEY is made of server, sandbox and path, BASE of what the file held.  One
 * that a process which still runs has written is left to it.
 */
#ifndef SVM_TUI_DRAFT_H
#define SVM_TUI_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"

/* What a draft is of. */
struct draft_of {
	const char *server, *id, *path;
	const struct digest *base;
};

struct draft {
	char *file;      /* NULL: there is none */
	struct buf text;
	int64_t wall_ns; /* when it was written */
	bool same_base;  /* the file is as it was then */
};

/* Where this process puts its own; the directory is made, and the oldest
 * drafts go when there are too many. */
char *draft_file(const struct draft_of *of);

/* The newest one somebody has left behind; false when there is none. */
bool draft_find(const struct draft_of *of, struct draft *ret);
void draft_release(struct draft *d);

#endif
