/* SPDX-License-Identifier: MIT */
/* Percent-encoding (RFC 3986) and the form variant of query strings. */
#ifndef SVM_BASE_URLENC_H
#define SVM_BASE_URLENC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/buf.h"

/* Append s with everything but unreserved characters escaped (a space is
 * %20), good for a path segment and for a query name or value. */
void urlenc_encode(struct buf *out, const char *s, size_t n);

/* Decode s[0..n) to out, which may be s itself and needs n bytes; form: `+`
 * is a space.  Returns the decoded length, -EINVAL on a bad escape or an
 * encoded NUL. */
ssize_t urlenc_decode(char *out, const char *s, size_t n, bool form);

#endif
