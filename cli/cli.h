/* SPDX-License-Identifier: MIT */
/* What every subcommand uses: the client, errors, notices. */
#ifndef SVM_CLI_CLI_H
#define SVM_CLI_CLI_H

#define API "/api/v1"

#include "cli/cmd.h"
#include "lib/client/client.h"

/* The client, made at first use.  NULL with err. */
struct client *cli_client(struct cli *cli, struct svm_err *err);

/* The API key that was given, in whichever way; nothing when none was. */
int cli_key(const struct cli *cli, struct buf *out, struct svm_err *err);

/* One exchange with the daemon; see client_call(). */
int cli_get(struct cli *cli, const char *target, struct buf *ret,
	    struct svm_err *err);
int cli_send(struct cli *cli, const char *method, const char *target,
	     const struct buf *body, struct buf *ret, struct svm_err *err);

/* The daemon was started, if it was: for who shows something meanwhile. */
void cli_tell_started(void);

/* The same; who waits at a terminal is told after a while for `what`. */
int cli_call(struct cli *cli, const char *what, const char *method,
	     const char *target, const struct buf *body, struct buf *ret,
	     struct svm_err *err);

/* Print an error as text or JSON; returns its exit status. */
int cli_report(const struct cli *cli, const struct svm_err *err);

/* Escape what follows as fd needs it: a terminal that isn't said to read UTF-8
 * is shown ASCII alone.  Standard output's holds from the start; -1: none's.
 * Returns what held before: see escape.h. */
bool cli_escape_for(int fd);

/* A note for a person: only when stderr is a terminal and not -q. */
void cli_notice(const struct cli *cli, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

/* Whether nothing may be painted over and choices are to be numbered lists:
 * ui.accessible, ACCESSIBLE. */
bool cli_accessible(const struct cli *cli);

/* A warning: always on stderr. */
void cli_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A usage error of the running command; its hint names the help. */
int cli_usage(const struct cli *cli, struct svm_err *err, const char *fmt,
	      ...) PRINTF_LIKE(3, 4);
/* One that is set, of what was typed, is such an error. */
int cli_is_usage(struct svm_err *err);

/*
 * From here on SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGWINCH arrive on the
 * returned signalfd (or -1 with err), SIGPIPE is ignored, and when a client
 * was made before, its waiting ends with CANCELLED.  For commands that have
 * something to clean up.
 */
int cli_catch_signals(struct cli *cli, struct svm_err *err);

#endif
