/* SPDX-License-Identifier: MIT */
/* Whose process is at the other end of a connection. */
#ifndef SVM_DAEMON_HTTP_PEER_H
#define SVM_DAEMON_HTTP_PEER_H

#include <sys/types.h>

/* A netlink socket for peer_uid_tcp(), or -errno. */
int peer_diag_open(void);

/* The uid of the process that holds the peer's socket of the accepted
 * connection fd, or -errno: -ESRCH when no living process holds it any
 * more.  Right while the connection is live only: look before reading. */
int peer_uid_tcp(int diag, int fd, uid_t *ret);

int peer_uid_unix(int fd, uid_t *ret);

/* The address at the other end as text (INET6_ADDRSTRLEN), or -errno. */
int peer_address(int fd, char *out);

#endif
