/* SPDX-License-Identifier: MIT */
/*
 * One request, carried to a port in a sandbox, and its answer back.  See
 * preview.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/agent-conn.h"
#include "daemon/audit.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/preview.h"
#include "daemon/sandbox.h"
#include "lib/api/limits.h"
#include "lib/api/msg.h"
#include "lib/base/fd.h"
#include "lib/base/http1.h"
#include "lib/base/mem.h"

#define READ_BYTES KIB(64)

enum answer { ANSWER_HEAD, ANSWER_LENGTH, ANSWER_CHUNKED, ANSWER_CLOSE,
	      ANSWER_NONE };

struct relay {
	struct http_req *r;  /* NULL: the client is gone, or answered */
	struct daemon *d;
	struct sandbox *s;
	int port;
	struct agent_conn *connecting;
	int fd;              /* to the port; -1 before */
	struct loop_fd *src;
	struct buf out;      /* for the port */
	bool chunked;        /* the request's body, there */
	bool upgrade;        /* was asked for */
	bool body_done, paused;
	/* The answer. */
	struct buf in;       /* a head that isn't whole */
	size_t scan;
	unsigned interim;
	enum answer answer;
	uint64_t left;
	struct http1_chunked decoder;
	struct buf trailers; /* not for the client */
	struct loop_timer *patience; /* for the head of the answer */
	bool held;           /* the client is slow: not read */
	char *cookie;
};

static void relay_free(struct relay *y)
{
	if (y->connecting)
		agent_conn_drop(y->connecting);
	loop_fd_del(y->src);
	fd_close(y->fd);
	buf_release(&y->out);
	buf_release(&y->in);
	buf_release(&y->trailers);
	loop_timer_free(y->patience);
	free(y->cookie);
	y->s->previews--;
	y->d->previews--;
	sandbox_unref(y->s);
	free(y);
}

/* The port, or the way there, failed. */
static void fail_as(struct relay *y, int status, const char *why)
{
	struct http_req *r = steal_ptr(&y->r);
	bool begun = y->answer != ANSWER_HEAD;
	int port = y->port;
	auto_free char *id = xstrdup(y->s->id);

	relay_free(y);
	if (r && begun)
		http_stream_abort(r);
	else if (r)
		preview_page(r, status, "Port %d of sandbox %s: %s.", port,
			     id, why);
}

static void fail(struct relay *y, const char *why)
{
	fail_as(y, 502, why);
}

static void on_impatience(struct loop *l, void *data)
{
	(void)l;
	fail_as(data, 504, "it took nothing and said nothing for a minute");
}

static void want(struct relay *y)
{
	loop_fd_mod(y->src, (y->held ? 0 : LOOP_READ) |
				    (y->out.len ? LOOP_WRITE : 0));
}

/* -- the request, written anew */

static bool is_listed(const struct http_req *r, const char *name)
{
	const char *n, *v;

	for (unsigned i = 0; http_header_at(r, i, &n, &v); i++)
		if (strcasecmp(n, "Connection") == 0 &&
		    http1_has_token(v, strlen(v), name))
			return true;
	return false;
}

/* For one hop only (RFC 9110 7.6.1), ours to say, or ours alone. */
static bool stays_here(const struct http_req *r, const char *name)
{
	static const char *const names[] = {
		"Connection", "Keep-Alive", "TE", "Trailer",
		"Transfer-Encoding", "Content-Length", "Upgrade", "Expect",
		"X-API-Key", "X-Admin-API-Key", "X-User-ID", "X-Forwarded-For",
		"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return strncasecmp(name, "Proxy-", 6) == 0 || is_listed(r, name);
}

/* A key of the API has no business in a sandbox. */
static bool is_our_key(const struct daemon *d, const char *value)
{
	const char *const keys[] = { d->config->auth_api_key,
				     d->config->auth_admin_api_key };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i] && *keys[i] && strstr(value, keys[i]))
			return true;
	return false;
}

/* Cookies but our own; nothing when none is left. */
static void add_cookies(struct buf *out, const char *value)
{
	auto_free char *copy = xstrdup(value);
	char *rest = NULL;
	bool first = true;

	for (char *c = strtok_r(copy, ";", &rest); c;
	     c = strtok_r(NULL, ";", &rest)) {
		c += strspn(c, " \t");
		if (strncmp(c, PREVIEW_COOKIE "=",
			    strlen(PREVIEW_COOKIE "=")) == 0)
			continue;
		buf_addf(out, "%s%s", first ? "Cookie: " : "; ", c);
		first = false;
	}
	if (!first)
		buf_addstr(out, "\r\n");
}

static void add_headers(struct relay *y, struct buf *out)
{
	const char *name, *value;

	for (unsigned i = 0; http_header_at(y->r, i, &name, &value); i++) {
		if (strcasecmp(name, "Cookie") == 0)
			add_cookies(out, value);
		else if (!stays_here(y->r, name) &&
			 !(strcasecmp(name, "Authorization") == 0 &&
			   is_our_key(y->d, value)))
			buf_addf(out, "%s: %s\r\n", name, value);
	}
}

static void write_head(struct relay *y, const char *target)
{
	const char *upgrade = http_header(y->r, "Upgrade");
	int64_t length = http_content_length(y->r);
	char peer[HTTP_ADDRESS_SIZE];

	http_peer_address(y->r, peer);
	buf_addf(&y->out, "%s %s HTTP/1.1\r\n", http_method(y->r), target);
	add_headers(y, &y->out);
	buf_addf(&y->out, "X-Forwarded-For: %s\r\nX-Forwarded-Host: %s\r\n"
			  "X-Forwarded-Proto: http\r\n",
		 peer, http_header(y->r, "Host"));
	y->chunked = http_body_is_chunked(y->r);
	y->upgrade = upgrade && is_listed(y->r, "Upgrade") && !y->chunked &&
		     length <= 0;
	if (y->chunked)
		buf_addstr(&y->out, "Transfer-Encoding: chunked\r\n");
	else if (length >= 0)
		buf_addf(&y->out, "Content-Length: %lld\r\n",
			 (long long)length);
	if (y->upgrade)
		buf_addf(&y->out, "Upgrade: %s\r\nConnection: Upgrade\r\n\r\n",
			 upgrade);
	else
		buf_addstr(&y->out, "Connection: close\r\n\r\n");
}

/* -- the request's body */

static void body_data(struct http_req *r, const void *p, size_t n)
{
	struct relay *y = http_data(r);

	if (y->chunked)
		buf_addf(&y->out, "%zx\r\n", n);
	buf_add(&y->out, p, n);
	if (y->chunked)
		buf_addstr(&y->out, "\r\n");
	if (y->out.len > LIMIT_QUEUE_HIGH && !y->paused) {
		y->paused = true;
		http_body_pause(r, true);
	}
	if (y->src)
		want(y);
}

static void body_end(struct http_req *r)
{
	struct relay *y = http_data(r);

	y->body_done = true;
	if (y->chunked)
		buf_addstr(&y->out, "0\r\n\r\n");
	if (y->src)
		want(y);
}

static const struct http_body_sink sink = { body_data, body_end };

/* False when the connection is broken: what it said may still be read. */
static bool push(struct relay *y)
{
	while (y->out.len) {
		ssize_t n = send(y->fd, y->out.data,
				 MIN(y->out.len, READ_BYTES),
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			buf_clear(&y->out);
			return false;
		}
		buf_consume(&y->out, (size_t)n);
		if (y->answer == ANSWER_HEAD)
			loop_timer_after(y->patience, LIMIT_TIME_PREVIEW_HEAD);
	}
	if (y->paused && y->out.len < LIMIT_QUEUE_LOW && y->r) {
		y->paused = false;
		http_body_pause(y->r, false);
	}
	return true;
}

/* -- the answer */

static bool not_for_client(const char *name)
{
	static const char *const names[] = {
		"Connection", "Keep-Alive", "TE", "Trailer",
		"Transfer-Encoding", "Content-Length", "Upgrade",
		"Content-Type", "X-Request-ID", "Strict-Transport-Security",
		"Alt-Svc", "Proxy-Authenticate", "Proxy-Connection",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

/* A cookie is for this host alone: no Domain, and not our own name. */
static void give_cookie(struct http_req *r, const char *value)
{
	auto_free char *copy = xstrdup(value);
	auto_buf struct buf out = BUF_INIT;
	const char *name = value + strspn(value, " \t=");
	char *rest = NULL;

	/* Browsers take blanks around a name away, and write a cookie without
	 * a name as its value alone. */
	if (strncmp(name, PREVIEW_COOKIE, strlen(PREVIEW_COOKIE)) == 0)
		return;
	for (char *c = strtok_r(copy, ";", &rest); c;
	     c = strtok_r(NULL, ";", &rest)) {
		c += strspn(c, " \t");
		if (out.len && strncasecmp(c, "domain", 6) == 0)
			continue;
		buf_addf(&out, "%s%s", out.len ? "; " : "", c);
	}
	http_reply_header(r, "Set-Cookie", "%s", buf_str(&out));
}

static bool is_for_one_hop(const struct http1_head *h, const char *text,
			   const char *name)
{
	for (unsigned i = 0; i < h->nheaders; i++) {
		const struct http1_header *x = &h->headers[i];

		if (x->name.len == 10 &&
		    strncasecmp(text + x->name.at, "Connection", 10) == 0 &&
		    http1_has_token(text + x->value.at, x->value.len, name))
			return true;
	}
	return false;
}

static void give_headers(struct relay *y, const struct http1_head *h,
			 const char *text)
{
	for (unsigned i = 0; i < h->nheaders; i++) {
		const struct http1_header *x = &h->headers[i];
		auto_free char *name = xstrndup(text + x->name.at,
						x->name.len);
		auto_free char *value = xstrndup(text + x->value.at,
						 x->value.len);

		if (strcasecmp(name, "Set-Cookie") == 0)
			give_cookie(y->r, value);
		else if (!not_for_client(name) &&
			 !is_for_one_hop(h, text, name))
			http_reply_header(y->r, name, "%s", value);
	}
	if (y->cookie)
		http_reply_header(y->r, "Set-Cookie", "%s", y->cookie);
}

static void answer_done(struct relay *y)
{
	struct http_req *r = steal_ptr(&y->r);

	relay_free(y);
	if (r)
		http_stream_end(r);
}

static void on_port(struct loop *l, void *data, unsigned events);

static void watch(struct relay *y)
{
	y->src = loop_fd_add(y->d->loop, y->fd, LOOP_READ, on_port, y);
	if (!y->src)
		fail(y, "its socket can't be watched");
	else
		want(y);
}

static void on_drain(struct http_req *r)
{
	struct relay *y = http_data(r);

	y->held = false;
	if (!y->src)
		watch(y); /* what the kernel still holds */
	else
		want(y);
}

static void begin_answer(struct relay *y, const struct http1_head *h,
			 const char *text)
{
	const struct http1_header *type = http1_find(h, text, "Content-Type");
	auto_free char *kind = type ? xstrndup(text + type->value.at,
					       type->value.len) : NULL;
	bool head = strcmp(http_method(y->r), "HEAD") == 0;
	bool body = http1_response_has_body(h, http_method(y->r));
	int64_t length = h->chunked ? -1 : h->content_length;

	y->answer = !body ? ANSWER_NONE : h->chunked ? ANSWER_CHUNKED :
		    length >= 0 ? ANSWER_LENGTH : ANSWER_CLOSE;
	y->decoder.trailers = &y->trailers;
	y->left = length > 0 ? (uint64_t)length : 0;
	if (!body && !head)
		length = h->status == 204 || h->status == 304 ?
				 HTTP_BODILESS : 0;
	give_headers(y, h, text);
	http_on_drain(y->r, on_drain);
	http_stream_begin(y->r, h->status, kind, length);
}

/* 101: the two connections are joined from here on. */
static void switch_over(struct relay *y, const struct http1_head *h,
			const char *text, const char *rest, size_t n)
{
	struct buf to_client = BUF_INIT, to_port = BUF_INIT;
	struct http_req *r = steal_ptr(&y->r);
	int port = steal_fd(&y->fd), client;

	buf_addstr(&to_client, "HTTP/1.1 101 Switching Protocols\r\n"
			       "Connection: Upgrade\r\n");
	for (unsigned i = 0; i < h->nheaders; i++) {
		const struct http1_header *x = &h->headers[i];
		const char *name = text + x->name.at;
		bool upgrade = x->name.len == 7 &&
			       strncasecmp(name, "Upgrade", 7) == 0;

		if (upgrade || (x->name.len > 4 &&
				strncasecmp(name, "Sec-", 4) == 0))
			buf_addf(&to_client, "%.*s: %.*s\r\n",
				 (int)x->name.len, name, (int)x->value.len,
				 text + x->value.at);
	}
	buf_addstr(&to_client, "\r\n");
	buf_add(&to_client, rest, n);
	loop_fd_del(y->src);
	y->src = NULL;
	client = http_take_over(r, &to_port);
	if (client < 0) {
		fd_close(port);
		buf_release(&to_client);
		buf_release(&to_port);
	} else {
		preview_join(y->s, client, &to_port, port, &to_client);
	}
	relay_free(y);
}

enum result { OVER = -1, MORE, GO_ON };

/* The head, when it is whole.  OVER: y is gone. */
static enum result take_head(struct relay *y)
{
	struct http1_head h;
	int n = http1_head_length(buf_str(&y->in), y->in.len, &y->scan);

	if (n == 0)
		return MORE;
	if (n < 0 || http1_parse_response(y->in.data, (size_t)n, &h) < 0) {
		fail(y, "it answered with something that is not HTTP");
		return OVER;
	}
	if (h.status == 101 && y->upgrade) {
		switch_over(y, &h, y->in.data, y->in.data + n,
			    y->in.len - (size_t)n);
		return OVER;
	}
	if (h.status < 200) {
		if (h.status == 101 || ++y->interim > LIMIT_PREVIEW_INTERIM) {
			fail(y, "it answered out of turn");
			return OVER;
		}
		buf_consume(&y->in, (size_t)n);
		y->scan = 0;
		return GO_ON;
	}
	loop_timer_stop(y->patience);
	begin_answer(y, &h, y->in.data);
	buf_consume(&y->in, (size_t)n);
	return y->r ? GO_ON : OVER;
}

static void give(struct relay *y, const char *p, size_t n)
{
	if (n && http_stream_write(y->r, p, n) > LIMIT_QUEUE_HIGH)
		y->held = true;
}

/* What is in y->in, as far as it goes.  OVER: y is gone. */
static enum result take_body(struct relay *y)
{
	const char *p = buf_str(&y->in), *data;
	size_t n = y->in.len, len;

	switch (y->answer) {
	case ANSWER_NONE:
		answer_done(y);
		return OVER;
	case ANSWER_LENGTH:
		len = MIN(n, y->left);
		give(y, p, len);
		y->left -= len;
		if (!y->left) {
			answer_done(y);
			return OVER;
		}
		break;
	case ANSWER_CHUNKED:
		for (;;) {
			enum http1_chunk c = http1_chunked_next(
				&y->decoder, &p, &n, &data, &len);

			if (c == HTTP1_CHUNK_DATA)
				give(y, data, len);
			else if (c == HTTP1_CHUNK_MORE)
				break;
			else {
				if (c == HTTP1_CHUNK_END)
					answer_done(y);
				else
					fail(y, "its chunks are malformed");
				return OVER;
			}
		}
		break;
	default:
		give(y, p, n);
	}
	buf_clear(&y->in);
	return MORE;
}

static enum result take(struct relay *y)
{
	enum result r = GO_ON;

	while (r == GO_ON)
		r = y->answer == ANSWER_HEAD ? take_head(y) : take_body(y);
	return r;
}

/* The port closed. */
static void ended(struct relay *y)
{
	if (y->answer == ANSWER_CLOSE)
		answer_done(y);
	else
		fail(y, "it closed the connection before its answer was "
			"complete");
}

static void on_port(struct loop *l, void *data, unsigned events)
{
	static char bytes[READ_BYTES];
	struct relay *y = data;
	ssize_t n;

	(void)l;
	if (events & LOOP_WRITE)
		push(y);
	if (y->held && !(events & (LOOP_HUP | LOOP_ERR))) {
		want(y);
		return;
	}
	n = y->held ? -1 : recv(y->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n > 0) {
		buf_add(&y->in, bytes, (size_t)n);
		if (take(y) != OVER)
			want(y);
	} else if (n == 0) {
		ended(y);
	} else if (y->held) {
		/* It is gone while the client is slow, which would be told
		 * for ever: what the kernel still holds is read when there is
		 * room. */
		loop_fd_del(y->src);
		y->src = NULL;
	} else if (errno != EAGAIN && errno != EINTR) {
		fail(y, "it broke the connection off");
	} else {
		want(y);
	}
}

/* -- the way there */

static void on_frame(void *data, const struct frame *f, int *fd)
{
	struct relay *y = data;

	if (f->type == FRAME_END && *fd >= 0)
		y->fd = steal_fd(fd);
}

static void on_end(void *data, const struct svm_err *err)
{
	struct relay *y = data;

	y->connecting = NULL;
	if (err || y->fd < 0) {
		fail(y, err ? err->msg : "nothing listens there");
		return;
	}
	if (fd_set_nonblock(y->fd, true) < 0) {
		fail(y, "its socket can't be used");
		return;
	}
	push(y);
	watch(y);
}

static const struct agent_conn_events connect_events = {
	.on_frame = on_frame,
	.on_end = on_end,
};

static void on_gone(struct http_req *r)
{
	struct relay *y = http_data(r);

	y->r = NULL;
	relay_free(y);
}

void preview_relay(struct http_req *r, struct sandbox *s, int port,
		   const char *target, const char *set_cookie)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf payload = BUF_INIT;
	struct daemon *d = s->daemon;
	struct relay *y;

	http_note(r, HTTP_NOTE_SUBJECT, s->id);
	if (d->previews >= LIMIT_PREVIEWS ||
	    s->previews >= LIMIT_PREVIEWS_SANDBOX) {
		preview_page(r, 503, "There are too many open requests to "
				     "sandbox %s.", s->id);
		return;
	}
	y = xcalloc(1, sizeof(*y));
	y->r = r;
	y->d = d;
	y->s = sandbox_ref(s);
	y->port = port;
	y->fd = -1;
	y->patience = loop_timer_new(d->loop, on_impatience, y);
	loop_timer_after(y->patience, LIMIT_TIME_PREVIEW_HEAD);
	y->cookie = xstrdup(set_cookie);
	s->previews++;
	d->previews++;
	msg_add_u16(&payload, (uint16_t)port);
	y->connecting = sandbox_agent(s, FRAME_CONNECT, payload.data,
				      payload.len, 0, &connect_events, y,
				      &err);
	if (!y->connecting) {
		y->r = NULL;
		relay_free(y);
		preview_page(r, 503, "Sandbox %s: %s.", s->id, err.msg);
		return;
	}
	write_head(y, target);
	http_set_data(r, y);
	http_on_gone(r, on_gone);
	http_body_read(r, &sink);
}
