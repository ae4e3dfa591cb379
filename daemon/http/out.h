/* SPDX-License-Identifier: MIT */
/*
 * Queued output: a chain of reference-counted blobs.  What many streams get
 * (an event) is one blob in all their chains; what one stream gets is copied
 * once, and small pieces share a blob.
 */
#ifndef SVM_DAEMON_HTTP_OUT_H
#define SVM_DAEMON_HTTP_OUT_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct http_blob {
	unsigned refs;
	size_t len, cap;
	char data[];
};

struct out_piece;

struct out {
	struct out_piece *head, *tail;
	size_t off;    /* of the head's blob that was sent already */
	size_t queued; /* bytes not sent yet */
};

void out_release(struct out *o); /* drops everything; ready for reuse */

/* Copy all of iov but its first `skip` bytes to the end. */
void out_add(struct out *o, const struct iovec *iov, size_t n, size_t skip);

/* Link the blob (one reference more) without its first `skip` bytes; with
 * skip the chain must be empty. */
void out_add_blob(struct out *o, struct http_blob *b, size_t skip);

/* Send the blob's beginning past any chain; 0 or -errno. */
int out_send_blob(int fd, const struct http_blob *b, size_t *ret_sent);

/* One sendmsg of at most 16 parts and about `budget` bytes: bytes sent or
 * -errno. */
ssize_t out_flush(struct out *o, int fd, size_t budget);

#endif
