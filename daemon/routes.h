/* SPDX-License-Identifier: MIT */
/* The route table: what the daemon answers. */
#ifndef SVM_DAEMON_ROUTES_H
#define SVM_DAEMON_ROUTES_H

#include "daemon/http/http.h"

extern const struct http_route daemon_routes[]; /* ends with method NULL */

#endif
