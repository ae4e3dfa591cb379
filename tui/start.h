/* SPDX-License-Identifier: MIT */
/*
 * What is shown while the daemon keeps a dashboard waiting that was just
 * opened: nothing else is known by then.  It holds nobody up: any key goes to
 * the dashboard below, and the one that cancels quits.
 */
#ifndef SVM_TUI_START_H
#define SVM_TUI_START_H

#include <stdbool.h>

#include "tui/canvas.h"
#include "tui/input.h"

struct model;

/* How long the daemon has before it is shown. */
#define START_AFTER_NS (300 * INT64_C(1000000))

void start_begin(struct model *m);
void start_step(struct model *m); /* one is done */
bool start_shown(const struct model *m);
void start_view(const struct model *m, struct canvas *c);

/* Whoever does something isn't waiting any more; true when it was for this. */
bool start_input(struct model *m, const struct input_event *ev);

/* When it comes, or something moves in it; boot, 0: never. */
int64_t start_wake(const struct model *m);

#endif
