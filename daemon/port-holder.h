/* SPDX-License-Identifier: MIT */
/* Who listens on a TCP port that is wanted here. */
#ifndef SVM_DAEMON_PORT_HOLDER_H
#define SVM_DAEMON_PORT_HOLDER_H

#include <stdbool.h>

#include "lib/base/buf.h"

struct sockaddr;

/* Append who keeps that address, IPv4 or IPv6, from being listened on:
 * "process 12 (nc) of uid 1000", or, where its process is hidden from us, "a
 * process of uid 1000".  False, and nothing, when that can't be known. */
bool port_holder(const struct sockaddr *wanted, struct buf *out);

#endif
