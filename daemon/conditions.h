/* SPDX-License-Identifier: MIT */
/*
 * Who says under what condition something may change must not be served as if
 * he had not (RFC 9110 13.1).  The handlers of some routes look at such
 * headers, route_info_headers() says which; all others refuse them here,
 * before they do anything.
 */
#ifndef SVM_DAEMON_CONDITIONS_H
#define SVM_DAEMON_CONDITIONS_H

#include "lib/base/err.h"

struct http_req;
struct http_route;

/* 0, or -1 with BAD_REQUEST.  route NULL: there is none. */
int conditions_check(const struct http_req *r, const struct http_route *route,
		     struct svm_err *err);

#endif
