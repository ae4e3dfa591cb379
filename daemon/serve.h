/* SPDX-License-Identifier: MIT */
/* The daemon's entry points, named by cli/main.c only. */
#ifndef SVM_DAEMON_SERVE_H
#define SVM_DAEMON_SERVE_H

#include "daemon/config.h"

/*
 * `stacyvm serve [--config FILE] [--set KEY=VALUE]... [--ready-fd N]
 * [--detached]`: runs until SIGTERM or SIGINT.  Writes one byte to the ready
 * fd when both sockets answer.  Detached: logs to STATE/logs/daemon.log and
 * leaves by itself when idle.  Returns an exit status.
 */
int daemon_main(int argc, char **argv);

/* `stacyvm config get [--origin] [KEY] | lint [FILE] | path`: needs no
 * daemon.  Returns an exit status.  lint asks `check` (may be NULL) about what
 * another room knows: the keys of the dashboard. */
int daemon_config_main(int argc, char **argv,
		       int (*check)(const struct config *c,
				    struct svm_err *err));

/* `stacyvm db backup FILE | restore FILE | check [FILE]`: restore refuses
 * while a daemon runs.  Returns an exit status. */
int daemon_db_main(int argc, char **argv);

#endif
