/* SPDX-License-Identifier: MIT */
/*
 * Connects the model's terminals with sessions of the daemon, a WebSocket
 * each: opened on a thread, since that waits, then watched by the loop.
 *
 * A lost connection is made again, from the byte where it broke.  What one
 * terminal writes is taken in pieces (ws_turn()), so that keys are never
 * behind a flood.
 */
#ifndef SVM_TUI_LINK_H
#define SVM_TUI_LINK_H

#include "lib/base/loop.h"
#include "tui/fetch.h"
#include "tui/model.h"

struct links;

struct links *links_new(struct loop *l, struct model *m,
			const struct fetch_options *o,
			void (*changed)(void *data), void *data);

/* Open, close, send and resize as the terminals now want. */
void links_sync(struct links *ls);
void links_free(struct links *ls); /* accepts NULL; terminals too */

#endif
