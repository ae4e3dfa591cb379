/* SPDX-License-Identifier: MIT */
/*
 * One command or terminal in a sandbox, seen from here: bytes, signals and
 * sizes both ways over a WebSocket until it ends or we leave.  exec, shell,
 * attach and spawn --rm stand on it.
 */
#ifndef SVM_CLI_RUN_H
#define SVM_CLI_RUN_H

#include "cli/cmd.h"
#include "lib/base/buf.h"

enum run_flags {
	RUN_TTY = 1u << 0,
	RUN_STDIN = 1u << 1,     /* pass standard input on */
	RUN_READ_ONLY = 1u << 2, /* only the detach key is listened to */
	RUN_TAGGED = 1u << 3,    /* the start message asked for it */
};

struct run {
	const char *id;     /* of the sandbox */
	const char *target; /* of the WebSocket */
	const char *start;  /* first message, or NULL (attach) */
	unsigned flags;
	int detach_key;     /* 0: none */
	int signal_fd;      /* from cli_catch_signals() */
};

/* What to start, as options and the command line have it. */
struct run_command {
	char *const *argv;
	char *const *env;    /* "K=V" or "K" (taken from ours), may be NULL */
	const char *workdir, *timeout;
	bool tty;
};

/* The start message; BAD_REQUEST when something in it isn't UTF-8. */
int run_start_message(const struct run_command *c, struct buf *out,
		      struct svm_err *err);

/* The exit status of the command, or -1 with err. */
int run_session(struct cli *cli, const struct run *r, struct svm_err *err);

#endif
