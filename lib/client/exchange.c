/* SPDX-License-Identifier: MIT */
/* One request and its reply over one connection.  See client.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/http1.h"
#include "lib/base/mem.h"
#include "lib/client/conn.h"

#define RAW_SIZE KIB(64)

struct exchange {
	struct client *client;
	int fd;
	char method[8];
	bool chunked_out, sent_all;
	unsigned busy;     /* transfers since we last looked up */

	struct http1_head head;
	const char *head_text;
	struct http1_chunked chunked;
	struct buf trailers;
	int64_t left;      /* of a body with a length; -1: until close */
	bool done;         /* the body is complete */

	struct buf line;   /* exchange_line(): bytes not handed out yet */
	size_t line_used;

	size_t begin, end; /* of what raw holds */
	char raw[RAW_SIZE];
};

/* Request line and the headers every request has. */
static void add_head(const struct client *c, struct buf *out,
		     const char *method, const char *target)
{
	buf_addf(out, "%s %s HTTP/1.1\r\nHost: ", method, target);
	if (c->unix_path)
		buf_addstr(out, "localhost\r\n");
	else
		buf_addf(out, strchr(c->host, ':') ? "[%s]:%s\r\n" :
						     "%s:%s\r\n",
			 c->host, c->port);
	if (c->api_key)
		buf_addf(out, "X-API-Key: %s\r\n", c->api_key);
	if (c->owner)
		buf_addf(out, "X-User-ID: %s\r\n", c->owner);
}

static int lost(const struct exchange *x, int e, struct svm_err *err)
{
	if (e)
		svm_err_sys(err, SVM_UNREACHABLE, e,
			    "lost the daemon at %s", x->client->name);
	else
		svm_err_set(err, SVM_UNREACHABLE,
			    "lost the daemon at %s: it closed the connection",
			    x->client->name);
	return svm_err_hint(err, "sandboxes keep running; look with:  "
				 "stacyvm daemon logs");
}

int client_nonsense(const struct client *c, const char *what,
		    struct svm_err *err)
{
	return svm_err_set(err, SVM_PROVIDER, "what answers at %s is not a "
			   "stacyvm daemon: %s", c->name, what);
}

/* A fast transfer never waits, and must still be interruptible. */
static int look_up(struct exchange *x, struct svm_err *err)
{
	return ++x->busy % 16 ? 0 : client_check(x->client, err);
}

/* 0 when all went out, 1 when the daemon speaks or hung up before. */
static int send_all(struct exchange *x, const char *p, size_t n, int flags,
		    struct svm_err *err)
{
	while (n) {
		ssize_t k = send(x->fd, p, n, MSG_NOSIGNAL | flags);

		if (k >= 0) {
			p += k;
			n -= (size_t)k;
			if (look_up(x, err) < 0)
				return -1;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == EPIPE || errno == ECONNRESET)
			return 1;
		if (errno != EAGAIN)
			return lost(x, errno, err);
		int events = client_wait(x->client, x->fd, POLLIN | POLLOUT,
					 err);
		if (events < 0)
			return -1;
		if (events & POLLIN)
			return 1;
	}
	return 0;
}

/* More raw bytes: how many, 0 at end of file, -1 with err. */
static ssize_t fill(struct exchange *x, struct svm_err *err)
{
	if (x->begin == x->end)
		x->begin = x->end = 0;
	if (x->end == RAW_SIZE) {
		memmove(x->raw, x->raw + x->begin, x->end - x->begin);
		x->end -= x->begin;
		x->begin = 0;
	}
	for (;;) {
		ssize_t n = recv(x->fd, x->raw + x->end, RAW_SIZE - x->end, 0);

		if (n >= 0) {
			x->end += (size_t)n;
			return look_up(x, err) < 0 ? -1 : n;
		}
		if (errno == EAGAIN) {
			if (client_wait(x->client, x->fd, POLLIN, err) < 0)
				return -1;
		} else if (errno == ECONNRESET) {
			return 0;
		} else if (errno != EINTR) {
			return lost(x, errno, err);
		}
	}
}

/* A connection left over from the call before, if it is still good. */
static int take_idle(struct client *c)
{
	char byte;
	int fd = steal_fd(&c->idle_fd);

	if (fd >= 0 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	    errno == EAGAIN)
		return fd;
	fd_close(fd);
	return -1;
}

struct exchange *exchange_begin(struct client *c, const char *method,
				const char *target, int64_t length,
				const char *extra, const char *body,
				struct svm_err *err)
{
	auto_buf struct buf head = BUF_INIT;
	int fd = take_idle(c);

	if (fd < 0)
		fd = client_connect(c, err);
	if (fd < 0)
		return NULL;
	auto_exchange struct exchange *x = xmalloc(sizeof(*x));

	memset(x, 0, offsetof(struct exchange, raw));
	x->client = c;
	x->fd = fd;
	x->chunked_out = length == CLIENT_CHUNKED;
	x->sent_all = length <= 0 && !x->chunked_out;
	snprintf(x->method, sizeof(x->method), "%s", method);
	add_head(c, &head, method, target);
	if (x->chunked_out)
		buf_addstr(&head, "Transfer-Encoding: chunked\r\n");
	else if (length != CLIENT_NO_BODY)
		buf_addf(&head, "Content-Length: %lld\r\n", (long long)length);
	if (extra)
		buf_addstr(&head, extra);
	buf_addstr(&head, "\r\n");
	if (body) {
		buf_add(&head, body, (size_t)length);
		x->sent_all = true;
	}
	if (send_all(x, head.data, head.len, 0, err) < 0)
		return NULL;
	return steal_ptr(&x);
}

struct exchange *exchange_new(struct client *c, const char *method,
			      const char *target, int64_t length,
			      struct svm_err *err)
{
	return exchange_begin(c, method, target, length, NULL, NULL, err);
}

struct exchange *exchange_new_range(struct client *c, const char *target,
				    uint64_t from, uint64_t to,
				    struct svm_err *err)
{
	auto_free char *range = xasprintf("Range: bytes=%llu-%llu\r\n",
					  (unsigned long long)from,
					  (unsigned long long)to);

	return exchange_begin(c, "GET", target, CLIENT_NO_BODY, range, NULL,
			      err);
}

struct exchange *exchange_new_if(struct client *c, const char *method,
				 const char *target, int64_t length,
				 const char *etag, struct svm_err *err)
{
	auto_free char *header =
		*etag ? xasprintf("If-Match: %s\r\n", etag) :
			xstrdup("If-None-Match: *\r\n");

	return exchange_begin(c, method, target, length, header, NULL, err);
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	/* Only a finished exchange leaves a connection that can be used. */
	if (x->done && x->sent_all && !x->head.close && x->head.minor == 1 &&
	    x->begin == x->end && x->client->idle_fd < 0)
		x->client->idle_fd = x->fd;
	else
		fd_close(x->fd);
	buf_release(&x->trailers);
	buf_release(&x->line);
	free(x);
}

void exchange_cleanup(struct exchange **x)
{
	exchange_free(*x);
}

int exchange_wait(struct exchange *x, int fd, short events,
		  struct svm_err *err)
{
	return client_wait(x->client, fd, events, err) < 0 ? -1 : 0;
}

int exchange_send(struct exchange *x, const void *p, size_t n,
		  struct svm_err *err)
{
	char size[32];
	int r;

	if (n == 0)
		return 0;
	if (!x->chunked_out)
		return send_all(x, p, n, 0, err);
	int len = snprintf(size, sizeof(size), "%zx\r\n", n);

	r = send_all(x, size, (size_t)len, MSG_MORE, err);
	if (r == 0)
		r = send_all(x, p, n, MSG_MORE, err);
	return r ? r : send_all(x, "\r\n", 2, 0, err);
}

/* Read one head into x->head; interim ones are skipped. */
static int read_head(struct exchange *x, struct svm_err *err)
{
	unsigned interim = 0;
	size_t scan = 0;

	for (;;) {
		const char *at = x->raw + x->begin;
		int len = http1_head_length(at, x->end - x->begin, &scan);

		if (len < 0)
			return client_nonsense(x->client, "its reply has no "
					       "proper head", err);
		if (len == 0) {
			ssize_t n = fill(x, err);

			if (n < 0)
				return -1;
			if (n == 0 && x->begin == x->end)
				return lost(x, 0, err);
			if (n == 0)
				return client_nonsense(x->client, "its reply "
						       "is cut short", err);
			continue;
		}
		if (http1_parse_response(at, (size_t)len, &x->head) < 0)
			return client_nonsense(x->client, x->head.why ?
					       x->head.why : "bad reply", err);
		x->head_text = at; /* until the body is read */
		x->begin += (size_t)len;
		if (x->head.status >= 200 || x->head.status == 101)
			return 0;
		if (++interim > LIMIT_CLIENT_INTERIM)
			return client_nonsense(x->client, "its reply doesn't "
					       "come to its point", err);
		scan = 0;
	}
}

static int read_error(struct exchange *x, struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	char chunk[4096];
	ssize_t n;

	while (body.len < LIMIT_CLIENT_ERROR &&
	       (n = exchange_read(x, chunk, sizeof(chunk), &ignored)) > 0)
		buf_add(&body, chunk, (size_t)n);
	return client_reply_error(x->head.status, buf_str(&body), body.len,
				  err);
}

int exchange_reply(struct exchange *x, struct svm_err *err)
{
	if (x->chunked_out && !x->sent_all) {
		int r = send_all(x, "0\r\n\r\n", 5, 0, err);

		if (r < 0)
			return -1;
		x->sent_all = r == 0;
	}
	if (read_head(x, err) < 0)
		return -1;
	x->chunked.trailers = &x->trailers;
	x->left = x->head.content_length;
	if (!http1_response_has_body(&x->head, x->method) || x->left == 0)
		x->done = true;
	return x->head.status >= 400 ? read_error(x, err) : 0;
}

const struct http1_head *exchange_head(const struct exchange *x,
					const char **ret_text)
{
	*ret_text = x->head_text;
	return &x->head;
}

const struct buf *exchange_trailers(const struct exchange *x)
{
	return &x->trailers;
}

int exchange_take(struct exchange *x, struct buf *leftover)
{
	buf_add(leftover, x->raw + x->begin, x->end - x->begin);
	return steal_fd(&x->fd);
}

int64_t exchange_length(const struct exchange *x)
{
	return x->head.chunked ? -1 : x->head.content_length;
}

int64_t exchange_whole(const struct exchange *x)
{
	const struct http1_header *h =
		http1_find(&x->head, x->head_text, "Content-Range");
	const char *slash, *value;
	int64_t n = 0;

	if (!h)
		return exchange_length(x);
	value = x->head_text + h->value.at;
	slash = memchr(value, '/', h->value.len);
	if (!slash)
		return -1;
	for (const char *p = slash + 1; p < value + h->value.len; p++) {
		if (*p < '0' || *p > '9' || n > INT64_MAX / 10 - 1)
			return -1;
		n = n * 10 + (*p - '0');
	}
	return n;
}

char *exchange_etag(const struct exchange *x)
{
	const struct http1_header *h =
		http1_find(&x->head, x->head_text, "ETag");
	const char *value = h ? x->head_text + h->value.at : "";

	/* It becomes a line of a head of ours. */
	if (!h || !h->value.len || h->value.len > LIMIT_CLIENT_ETAG)
		return NULL;
	for (size_t i = 0; i < h->value.len; i++)
		if (value[i] <= ' ' || value[i] > '~')
			return NULL;
	return xstrndup(value, h->value.len);
}

/* Decode from raw: bytes given, 0 for "need more" or done. */
static ssize_t read_chunked(struct exchange *x, char *p, size_t n,
			    struct svm_err *err)
{
	const char *at = x->raw + x->begin, *data;
	size_t left = MIN(x->end - x->begin, n), len;
	size_t given = left;
	enum http1_chunk kind = http1_chunked_next(&x->chunked, &at, &left,
						   &data, &len);

	x->begin += given - left;
	if (kind == HTTP1_CHUNK_BAD)
		return client_nonsense(x->client, "bad chunk in its reply", err);
	if (kind == HTTP1_CHUNK_END)
		x->done = true;
	if (kind != HTTP1_CHUNK_DATA)
		return 0;
	memcpy(p, data, len);
	return (ssize_t)len;
}

static ssize_t read_plain(struct exchange *x, char *p, size_t n)
{
	size_t k = MIN(x->end - x->begin, n);

	if (x->left >= 0 && (int64_t)k > x->left)
		k = (size_t)x->left;
	memcpy(p, x->raw + x->begin, k);
	x->begin += k;
	if (x->left >= 0) {
		x->left -= (int64_t)k;
		x->done = x->left == 0;
	}
	return (ssize_t)k;
}

ssize_t exchange_read(struct exchange *x, void *p, size_t n,
		      struct svm_err *err)
{
	for (;;) {
		ssize_t k = 0;

		if (x->done)
			return 0;
		if (x->begin < x->end)
			k = x->head.chunked ? read_chunked(x, p, n, err) :
					      read_plain(x, p, n);
		if (k || x->done)
			return k;
		if (x->begin < x->end)
			continue;
		k = fill(x, err);
		if (k < 0)
			return -1;
		if (k == 0 && (x->head.chunked || x->left >= 0))
			return lost(x, 0, err);
		if (k == 0)
			x->head.close = x->done = true;
	}
}

char *exchange_line(struct exchange *x, bool skip_blank, size_t *ret_len,
		    bool *ret_end, struct svm_err *err)
{
	size_t scanned = 0;

	*ret_end = false;
	buf_consume(&x->line, x->line_used);
	x->line_used = 0;
	for (;;) {
		char *nl = x->line.len > scanned ?
				   memchr(x->line.data + scanned, '\n',
					  x->line.len - scanned) : NULL;

		if (nl && nl == x->line.data && skip_blank) {
			buf_consume(&x->line, 1);
			scanned = 0;
			continue;
		}
		if (nl) {
			*nl = '\0';
			*ret_len = (size_t)(nl - x->line.data);
			x->line_used = *ret_len + 1;
			return x->line.data;
		}
		scanned = x->line.len;
		if (scanned > LIMIT_CLIENT_LINE) {
			client_nonsense(x->client, "endless line in its "
					"reply", err);
			return NULL;
		}
		buf_reserve(&x->line, KIB(16));
		ssize_t n = exchange_read(x, x->line.data + x->line.len,
					  KIB(16), err);
		if (n < 0)
			return NULL;
		if (n == 0) {
			*ret_end = true;
			return NULL;
		}
		x->line.len += (size_t)n;
	}
}
