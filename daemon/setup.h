/* SPDX-License-Identifier: MIT */
/* The setup commands of a template: run once in a sandbox that is created,
 * one after the other, before anybody else may use it. */
#ifndef SVM_DAEMON_SETUP_H
#define SVM_DAEMON_SETUP_H

#include "lib/base/err.h"

struct sandbox;
struct setup;

/* Run s->spec.setup and set s->setup meanwhile.  `done` is called once, maybe
 * before this returns: err says which command failed, and how. */
void setup_start(struct sandbox *s, void (*done)(struct sandbox *s,
						 const struct svm_err *err));

/* Give up; `done` is not called.  What runs is left to the end of the box. */
void setup_cancel(struct sandbox *s);

#endif
