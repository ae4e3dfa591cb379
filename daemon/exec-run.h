/* SPDX-License-Identifier: MIT */
/*
 * A command running in a sandbox, or an attachment to a session: what plain,
 * streamed and WebSocket exec have in common.  It feeds standard input, logs
 * the output, tells the events, and knows what becomes of the command when
 * its caller leaves.
 */
#ifndef SVM_DAEMON_EXEC_RUN_H
#define SVM_DAEMON_EXEC_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/api/frame.h"
#include "lib/base/err.h"

struct exec_request;
struct exec_run;
struct sandbox;

struct exec_started {
	uint32_t pid;
	uint64_t offset; /* of the first output byte that follows */
	uint64_t end;    /* what comes before this was written before now */
	bool tty;
	uint16_t cols, rows;
};

/* All may call exec_run_detach() or _cancel(); `data` is the caller's. */
struct exec_run_events {
	void (*started)(void *data, const struct exec_started *s);
	void (*output)(void *data, bool is_stderr, const char *p, size_t n);
	void (*lagged)(void *data, uint64_t bytes); /* may be NULL */
	void (*drained)(void *data);                /* may be NULL */
	/* Once, and the run is gone after it: x or err is NULL. */
	void (*ended)(void *data, const struct agent_exit *x,
		      const struct svm_err *err);
};

/* Start it; input text of q is moved out of it and sent, and its timeout
 * becomes the one in force.  With live_input
 * more comes through exec_run_input().  NULL with err. */
struct exec_run *exec_run_start(struct sandbox *s, struct exec_request *q,
				bool live_input,
				const struct exec_run_events *ev, void *data,
				struct svm_err *err);

/* Attach to a session. */
struct exec_run *exec_run_attach(struct sandbox *s, const char *sid,
				 uint64_t since, bool read_only,
				 const struct exec_run_events *ev, void *data,
				 struct svm_err *err);

const char *exec_run_sid(const struct exec_run *run);
struct sandbox *exec_run_sandbox(const struct exec_run *run);

/* Bytes for its standard input; n 0 is the end of file.  Returns what is
 * queued: above LIMIT_QUEUE_HIGH wait for `drained`. */
size_t exec_run_input(struct exec_run *run, const void *p, size_t n);
void exec_run_pause(struct exec_run *run, bool pause);

/* The caller is gone; no event comes any more.  Detach leaves the command
 * alone; leave kills its tree, unless it has a terminal, was detached, or it
 * is the daemon that goes. */
void exec_run_detach(struct exec_run *run);
void exec_run_leave(struct exec_run *run);

#endif
