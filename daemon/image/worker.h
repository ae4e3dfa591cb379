/* SPDX-License-Identifier: MIT */
/*
 * A worker process of images, `stacyvm __unpack` or `__pull`, as the daemon
 * sees it: what it reports (report.h) is taken line by line, and when it has
 * ended and said all, its owner is told once.
 *
 * It read bytes of strangers, so what it says is checked as if they had said
 * it: anything unexpected kills it.
 */
#ifndef SVM_DAEMON_IMAGE_WORKER_H
#define SVM_DAEMON_IMAGE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

struct daemon;
struct loop_fd;

struct worker_kind {
	const char *name; /* "unpack" */
	/* Kinds of reports beside "error".  0; 1: it was the last; -1: not
	 * believed, with an error set where there is more to say. */
	struct worker_report {
		const char *type;
		int (*take)(void *data, const cJSON *o, struct svm_err *err);
	} reports[4];
	/* Its process is gone, more reports may come.  Or NULL. */
	void (*gone)(void *data);
	/* All is said; without an error in *err the last report was taken.
	 * May free the worker. */
	void (*ended)(void *data);
};

struct worker {
	const struct worker_kind *kind;
	void *data;
	struct svm_err *err; /* the owner's: why there is no result */
	struct daemon *daemon;
	pid_t pid;
	int pidfd, out, status;
	struct loop_fd *pid_watch, *out_watch;
	struct buf lines; /* a report's beginning */
	bool complete;    /* the last report was taken */
};

/* Nothing runs yet: may be released. */
void worker_init(struct worker *w, struct daemon *d,
		 const struct worker_kind *kind, void *data,
		 struct svm_err *err);

/* in: its standard input, borrowed; -1: /dev/null.  -1 with w->err set. */
int worker_start(struct worker *w, char *const *argv, char *const *env,
		 int in);

/* Set w->err, unless there is one, and kill; ended() still comes.  -1. */
int worker_fail(struct worker *w, enum svm_code code, const char *why);

/* The daemon stops, so does it: worker_fail() with image_stopping(). */
void worker_stop(struct worker *w);

/* Without ended(); kills and reaps what still runs. */
void worker_release(struct worker *w);

#endif
