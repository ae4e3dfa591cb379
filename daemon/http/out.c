/* SPDX-License-Identifier: MIT */
/* The output chain.  See out.h. */
#include "daemon/http/out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/http/http.h"
#include "lib/base/defs.h"
#include "lib/base/mem.h"

#define PARTS 16
#define BLOB_MIN 4000 /* room for small pieces to share */

struct out_piece {
	struct out_piece *next;
	struct http_blob *blob;
};

static struct http_blob *blob_alloc(size_t cap)
{
	struct http_blob *b = xmalloc(sizeof(*b) + cap);

	b->refs = 1;
	b->len = 0;
	b->cap = cap;
	return b;
}

static void blob_append(struct http_blob *b, const void *p, size_t n)
{
	memcpy(b->data + b->len, p, n);
	b->len += n;
}

struct http_blob *http_blob_new(const void *p, size_t n)
{
	char size[20];
	int len = snprintf(size, sizeof(size), "%zx\r\n", n);
	struct http_blob *b = blob_alloc((size_t)len + n + 2);

	/* A chunk of no bytes would end the stream. */
	if (!n)
		return b;
	blob_append(b, size, (size_t)len);
	blob_append(b, p, n);
	blob_append(b, "\r\n", 2);
	b->cap = b->len;
	return b;
}

void http_blob_unref(struct http_blob *b)
{
	if (b && --b->refs == 0)
		free(b);
}

static void pop(struct out *o)
{
	struct out_piece *piece = o->head;

	o->head = piece->next;
	if (!o->head)
		o->tail = NULL;
	o->off = 0;
	http_blob_unref(piece->blob);
	free(piece);
}

void out_release(struct out *o)
{
	while (o->head)
		pop(o);
	o->queued = 0;
}

/* Takes the reference. */
static void link_blob(struct out *o, struct http_blob *b)
{
	struct out_piece *piece = xmalloc(sizeof(*piece));

	piece->next = NULL;
	piece->blob = b;
	if (o->tail)
		o->tail->next = piece;
	else
		o->head = piece;
	o->tail = piece;
}

void out_add(struct out *o, const struct iovec *iov, size_t n, size_t skip)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += iov[i].iov_len;
	total -= skip;
	if (!total)
		return;
	struct http_blob *b = o->tail ? o->tail->blob : NULL;
	if (!b || b->refs > 1 || b->cap - b->len < total) {
		b = blob_alloc(MAX(total, (size_t)BLOB_MIN));
		link_blob(o, b);
	}
	for (size_t i = 0; i < n; i++) {
		size_t drop = MIN(skip, iov[i].iov_len);

		skip -= drop;
		if (iov[i].iov_len > drop)
			blob_append(b, (char *)iov[i].iov_base + drop,
				    iov[i].iov_len - drop);
	}
	o->queued += total;
}

void out_add_blob(struct out *o, struct http_blob *b, size_t skip)
{
	if (b->len == skip)
		return;
	b->refs++;
	if (skip)
		o->off = skip;
	link_blob(o, b);
	o->queued += b->len - skip;
}

int out_send_blob(int fd, const struct http_blob *b, size_t *ret_sent)
{
	ssize_t n = send(fd, b->data, b->len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	*ret_sent = n > 0 ? (size_t)n : 0;
	return 0;
}

static void advance(struct out *o, size_t sent)
{
	o->queued -= sent;
	while (sent) {
		size_t left = o->head->blob->len - o->off;

		if (sent < left) {
			o->off += sent;
			return;
		}
		sent -= left;
		pop(o);
	}
}

ssize_t out_flush(struct out *o, int fd, size_t budget)
{
	struct iovec iov[PARTS];
	struct msghdr msg = { .msg_iov = iov };
	size_t off = o->off, total = 0;

	for (struct out_piece *p = o->head;
	     p && msg.msg_iovlen < PARTS && total < budget; p = p->next) {
		struct iovec *v = &iov[msg.msg_iovlen++];

		v->iov_base = p->blob->data + off;
		v->iov_len = MIN(p->blob->len - off, budget - total);
		total += v->iov_len;
		off = 0;
	}
	if (!total)
		return 0;
	ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	advance(o, (size_t)n);
	return n;
}
