/* SPDX-License-Identifier: MIT */
/* The daemon's entry points, named by cli/main.c only. */
#ifndef SVM_DAEMON_SERVE_H
#define SVM_DAEMON_SERVE_H

#include "daemon/config.h"

/*
 * `stacyvm serve [--config FILE] [--set KEY=VALUE]... [--ready-fd N]
 * [--detached]`: runs until SIGTERM or SIGINT.  Writes to the ready fd
 * when its sockets answer: a NUL, and after it why TCP is not among them
 * though it was to be.  Detached: logs to STATE/logs/daemon.log and
 * leaves by itself when idle.  Returns an exit status.
 */
int daemon_main(int argc, char **argv);

/*
 * `stacyvm config VERB`: needs no daemon.  args end with NULL:
 *
 *	path | get [KEY] | lint [FILE] | set KEY VALUE | unset KEY
 *	replace BEFORE TEXT   texts of the user's file, for an editor
 *
 * `check` (may be NULL) is asked about what another room knows, the keys of
 * the dashboard.  Prints to stdout; 1 when the file was changed, 0, or -1 with
 * err.
 */
enum config_main_flags {
	CONFIG_MAIN_JSON = 1u << 0,
	CONFIG_MAIN_ORIGIN = 1u << 1, /* get: where each comes from */
};
int daemon_config_main(const char *verb, unsigned flags, char *const *args,
		       int (*check)(const struct config *c,
				    struct svm_err *err),
		       struct svm_err *err);

/*
 * `stacyvm db`: "backup" and "restore" with a file, "look" (whether it could
 * be restored), "check" with a file or NULL for the database itself.  A
 * restore refuses while a daemon runs.  What there is to tell goes to standard
 * output, with `json` as one object.  0, or -1 with err.
 */
int daemon_db_main(const char *verb, const char *file, bool json,
		   struct svm_err *err);

#endif
