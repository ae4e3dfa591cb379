/* SPDX-License-Identifier: MIT */
/* Those who follow a sandbox's output: GET /sandboxes/{id}/logs?follow. */
#ifndef SVM_DAEMON_LOG_FOLLOW_H
#define SVM_DAEMON_LOG_FOLLOW_H

struct sandbox;

/* There is new output. */
void log_followers_wake(struct sandbox *s);

/* The sandbox goes away: every stream ends, cleanly. */
void log_followers_end(struct sandbox *s);

#endif
