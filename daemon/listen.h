/* SPDX-License-Identifier: MIT */
/* The daemon's sockets: one unix socket always, TCP on loopback if it can. */
#ifndef SVM_DAEMON_LISTEN_H
#define SVM_DAEMON_LISTEN_H

#include "lib/base/err.h"

struct daemon;

/* Open both, or take them from the service manager (LISTEN_FDS), and give
 * them to d->http.  A unix socket that somebody answers on
 * is a CONFLICT; a dead one is replaced.  A TCP port that is taken is not an
 * error: d->tcp_problem says so.  An address beyond loopback is refused
 * unless server.allow_unauthenticated says otherwise. */
int listen_open(struct daemon *d, struct svm_err *err);

/* Remove the unix socket's name if it is still ours. */
void listen_unlink(struct daemon *d);

#endif
