/* SPDX-License-Identifier: MIT */
/*
 * What a terminal wrote before we came, on its way to ours.  Questions in it
 * (ECMA-48 DSR, DA; xterm's reports) had their answer: ours would come as
 * typing.  So only what draws, sets a mode, a title or a colour is let
 * through; bells, the clipboard and pictures were for who was there.
 */
#ifndef SVM_CLI_REPLAY_H
#define SVM_CLI_REPLAY_H

#include <stddef.h>

#include "lib/api/limits.h"
#include "lib/base/buf.h"

/* All zeros is the beginning. */
struct replay {
	enum { REPLAY_TEXT, REPLAY_ESC, REPLAY_CSI, REPLAY_STRING,
	       REPLAY_STRING_ESC } at;
	unsigned more; /* bytes that the character still has */
	size_t len;
	char held[LIMIT_REPLAY_SEQUENCE]; /* of the sequence; the rest is lost */
};

/* Appends to *out what may be shown; it may be cut anywhere. */
void replay_add(struct replay *r, const char *p, size_t n, struct buf *out);

/* It is over: a sequence that goes on in what is written now isn't in it. */
void replay_end(struct replay *r, struct buf *out);

#endif
