/* SPDX-License-Identifier: MIT */
/*
 * One connection: what is read when, and what follows from it.
 *
 * Input is read into the server's one buffer; what can't be used at once
 * moves to c->in.  Sending is tried at once and what does not fit is queued.
 * A failed send never tears anything down where it happens: the socket is
 * shut down, and the loop's next report ends the connection from a clean
 * stack.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/http/internal.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define PIPELINE_TURN 32           /* requests of one connection per turn */

static void on_event(struct loop *l, void *data, unsigned events);

struct http_conn *conn_new(struct http_server *s, int fd, bool is_unix)
{
	struct http_conn *c = xcalloc(1, sizeof(*c));
	const int on = 1;

	c->server = s;
	c->fd = fd;
	c->is_unix = is_unix;
	c->timer = TIMER_NONE;
	c->peer_uid = (uid_t)-1;
	list_init(&c->timer_link);
	list_append(&s->conns, &c->link);
	s->counts.connections++;
	if (!is_unix) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
				 sizeof(on));
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on,
				 sizeof(on));
		(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE,
				 &(int){ 60 }, sizeof(int));
	}
	c->src = loop_fd_add(s->loop, fd, LOOP_READ | LOOP_RDHUP, on_event, c);
	conn_timer(c, TIMER_FIRST_BYTE);
	return c;
}

/* A frame of ours is below us on the stack: c must outlive it. */
static void enter(struct http_conn *c)
{
	c->busy = true;
}

static void leave(struct http_conn *c)
{
	c->busy = false;
	if (c->state == CONN_CLOSED)
		free(c);
	else
		conn_update(c);
}

void conn_close(struct http_conn *c)
{
	struct http_server *s = c->server;

	if (c->state == CONN_CLOSED)
		return;
	c->state = CONN_CLOSED;
	loop_fd_del(c->src);
	fd_close(c->fd);
	list_remove(&c->link);
	conn_timer(c, TIMER_NONE);
	buf_release(&c->in);
	out_release(&c->out);
	s->counts.connections--;
	if (!c->busy)
		free(c);
	server_conn_closed(s);
}

void conn_gone(struct http_conn *c)
{
	struct http_req *r = c->req;

	if (c->state == CONN_WS) {
		ws_gone(c);
		return;
	}
	c->req = NULL;
	if (r)
		r->conn = NULL;
	conn_close(c);
	if (r && r->handled)
		req_detach(r);
	else if (r)
		req_free(r);
}

int http_take_over(struct http_req *r, struct buf *leftover)
{
	struct http_conn *c = r->conn;
	int fd = c ? fcntl(c->fd, F_DUPFD_CLOEXEC, 3) : -1;

	if (c) {
		buf_add(leftover, c->in.data, c->in.len);
		c->req = NULL;
		r->conn = NULL;
		conn_close(c); /* the copy keeps it open */
	}
	r->status = 101;
	req_free(r);
	return fd;
}

/* Sending. */

void conn_broken(struct http_conn *c)
{
	c->broken = true;
	out_release(&c->out);
	(void)shutdown(c->fd, SHUT_RDWR); /* so that HUP is reported */
}

void conn_send(struct http_conn *c, const struct iovec *iov, size_t n,
	       bool direct)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
			      .msg_iovlen = n };
	ssize_t sent = 0;

	if (c->broken)
		return;
	if (direct && !c->out.queued) {
		sent = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			conn_broken(c);
			return;
		}
		sent = MAX(sent, (ssize_t)0);
	}
	out_add(&c->out, iov, n, (size_t)sent);
	if (!c->busy && c->out.queued)
		conn_update(c);
}

void conn_send_text(struct http_conn *c, const char *text)
{
	struct iovec iov = { (char *)(uintptr_t)text, strlen(text) };

	conn_send(c, &iov, 1, true);
}

/* Interest: nothing here makes a system call unless something changed. */

static bool wants_read(const struct http_conn *c)
{
	/* Where input isn't wanted READ stays until it would fire. */
	bool now = loop_fd_events(c->src) & LOOP_READ;

	switch ((enum conn_state)c->state) {
	case CONN_HEAD:
	case CONN_LINGER:
		return true;
	case CONN_BODY:
		return !body_blocked(c) || now;
	case CONN_WAIT:
	case CONN_FLUSH:
		return now;
	case CONN_WS:
		return ws_reading(c);
	case CONN_CLOSED:
		break;
	}
	return false;
}

void conn_update(struct http_conn *c)
{
	unsigned events = 0;

	if (c->state == CONN_CLOSED)
		return;
	if (wants_read(c))
		events |= LOOP_READ;
	if (!c->half_closed)
		events |= LOOP_RDHUP;
	if (c->out.queued || c->kick ||
	    (c->state == CONN_WS && ws_writing(c)))
		events |= LOOP_WRITE;
	loop_fd_mod(c->src, events);
}

void conn_kick(struct http_conn *c)
{
	c->kick = true;
	if (!c->busy)
		conn_update(c);
}

/* States. */

static void enter_head(struct http_conn *c)
{
	c->state = CONN_HEAD;
	c->scan = 0;
	conn_timer(c, c->is_unix ? TIMER_IDLE_UNIX : TIMER_IDLE_TCP);
	if (c->in.len)
		conn_kick(c);
}

void conn_linger(struct http_conn *c)
{
	c->state = CONN_LINGER;
	buf_release(&c->in);
	(void)shutdown(c->fd, SHUT_WR);
	conn_timer(c, TIMER_LINGER);
	if (!c->busy)
		conn_update(c);
}

static void after_flush(struct http_conn *c)
{
	if (c->close_after)
		conn_linger(c);
	else
		enter_head(c);
}

void conn_enter_wait(struct http_conn *c)
{
	const struct http_req *r = c->req;
	unsigned flags = r->route ? r->route->flags : HTTP_GONE;

	c->state = CONN_WAIT;
	conn_timer(c, (flags & (HTTP_SLOW | HTTP_GONE)) || r->began ?
			      TIMER_KEEPALIVE : TIMER_NONE);
}

void conn_reply_done(struct http_conn *c)
{
	struct http_req *r = c->req;

	c->was_stream = r && r->began;
	if (r) {
		if (r->close || r->old || !r->body_done)
			c->close_after = true;
		c->req = NULL;
		req_free(r);
	}
	if (c->out.queued) {
		c->state = CONN_FLUSH;
		conn_timer(c, c->was_stream ? TIMER_NONE : TIMER_WRITE);
	} else {
		after_flush(c);
	}
	if (!c->busy)
		conn_update(c);
}

/* One head; false when it is not complete. */
static bool head_step(struct http_conn *c, struct span *in)
{
	struct http1_head h;
	size_t scan = c->scan;

	if (!in->n)
		return false;
	int len = http1_head_length(in->p, in->n, &scan);
	c->scan = (uint32_t)scan;
	if (!len) {
		if (c->timer != TIMER_HEAD)
			conn_timer(c, TIMER_HEAD);
		return false;
	}
	h.why = len == -414 ? "target is too long"
	      : len == -431 ? "head is over 16 KiB"
			    : "not an HTTP request";
	int r = len < 0 ? len : http1_parse_request(in->p, (size_t)len, &h);
	if (r < 0) {
		conn_fail(c, -r, -r == 501 ? SVM_UNSUPPORTED : SVM_BAD_REQUEST,
			  "%s", h.why);
		return false;
	}
	c->scan = 0;
	c->req = req_new(c, &h, in->p, (size_t)len);
	in->p += len;
	in->n -= (size_t)len;
	c->server->counts.requests++;
	req_start(c->req);
	return true;
}

/* Run the states over p[0..n), which is rbuf's or c->in's; keep the rest. */
static void process(struct http_conn *c, const char *p, size_t n)
{
	struct span in = { p, n };
	bool more = true;

	for (int budget = PIPELINE_TURN; more;) {
		if (c->state == CONN_HEAD && budget-- > 0)
			more = head_step(c, &in);
		else if (c->state == CONN_BODY)
			more = body_step(c, &in);
		else
			more = false;
	}
	if (c->state == CONN_CLOSED || c->state == CONN_LINGER)
		return; /* both dropped c->in */
	if (p == c->in.data && n)
		buf_consume(&c->in, n - in.n);
	else
		buf_add(&c->in, in.p, in.n);
	if (!c->in.len)
		buf_release(&c->in);
	c->kick = c->state == CONN_WS || /* it has to look around once */
		  (c->in.len && c->state == CONN_HEAD &&
		   c->timer != TIMER_HEAD);
}

static void end_of_input(struct http_conn *c)
{
	c->half_closed = true;
	if (c->state == CONN_BODY)
		conn_fail(c, 400, SVM_BAD_REQUEST, "body is incomplete");
	else if (c->state == CONN_HEAD && c->in.len)
		conn_fail(c, 400, SVM_BAD_REQUEST, "head is incomplete");
	else
		conn_gone(c);
}

static void read_some(struct http_conn *c)
{
	struct http_server *s = c->server;
	ssize_t n = recv(c->fd, s->rbuf, sizeof(s->rbuf), MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			conn_gone(c);
	} else if (n == 0) {
		end_of_input(c);
	} else if (c->in.len) {
		buf_add(&c->in, s->rbuf, (size_t)n);
		process(c, c->in.data, c->in.len);
	} else {
		process(c, s->rbuf, (size_t)n);
	}
}

static void drop_some(struct http_conn *c)
{
	struct http_server *s = c->server;
	ssize_t n = recv(c->fd, s->rbuf, sizeof(s->rbuf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	c->lingered += n > 0 ? (uint32_t)n : 0;
	if (n <= 0 || c->lingered > LIMIT_LINGER_BYTES)
		conn_close(c);
}

/* A handler is at work: what the client sends meanwhile stays in the kernel.
 * A half-closed unix peer still listens (a closed one is HUP); over TCP only
 * an answer to something we send can tell the two apart. */
static void while_waiting(struct http_conn *c, unsigned events)
{
	loop_fd_mod(c->src, loop_fd_events(c->src) & ~LOOP_READ);
	if (!(events & LOOP_RDHUP) || c->half_closed)
		return;
	c->half_closed = true;
	if (!c->is_unix && c->req)
		reply_probe(c->req);
}

static void on_readable(struct http_conn *c, unsigned events)
{
	switch ((enum conn_state)c->state) {
	case CONN_BODY:
		if (body_blocked(c))
			while_waiting(c, events);
		else
			read_some(c);
		break;
	case CONN_HEAD:
		if (!c->kick) /* first what is here already */
			read_some(c);
		break;
	case CONN_WAIT:
	case CONN_FLUSH:
		while_waiting(c, events);
		break;
	case CONN_LINGER:
		drop_some(c);
		break;
	case CONN_WS:
	case CONN_CLOSED:
		break;
	}
}

static void on_writable(struct http_conn *c)
{
	if (c->out.queued) {
		ssize_t n = out_flush(&c->out, c->fd, LIMIT_TURN_BYTES);

		if (n < 0 && n != -EAGAIN && n != -EINTR) {
			conn_gone(c);
			return;
		}
		if (n > 0 && c->timer == TIMER_WRITE)
			conn_timer(c, TIMER_WRITE);
	}
	if (c->state == CONN_FLUSH && !c->out.queued)
		after_flush(c);
	else if (c->req && c->req->high && c->out.queued < LIMIT_QUEUE_LOW)
		reply_drained(c->req);
	if (!c->kick)
		return;
	c->kick = false;
	if (c->state == CONN_HEAD || c->state == CONN_BODY)
		process(c, c->in.data, c->in.len);
}

static void on_event(struct loop *l, void *data, unsigned events)
{
	struct http_conn *c = data;

	(void)l;
	enter(c);
	if (c->state == CONN_WS) {
		ws_event(c, events);
	} else if (events & (LOOP_HUP | LOOP_ERR)) {
		conn_gone(c);
	} else {
		if (events & LOOP_WRITE)
			on_writable(c);
		if (events & (LOOP_READ | LOOP_RDHUP))
			on_readable(c, events);
	}
	leave(c);
}

static void timed_out(struct http_conn *c)
{
	switch ((enum conn_timer)c->timer) {
	case TIMER_HEAD:
		conn_fail(c, 408, SVM_TIMEOUT, "the head took too long");
		break;
	case TIMER_BODY:
		conn_fail(c, 408, SVM_TIMEOUT, "the body took too long");
		break;
	case TIMER_KEEPALIVE:
		if (c->state == CONN_WS) {
			ws_tick(c);
			break;
		}
		conn_timer(c, TIMER_KEEPALIVE);
		if (c->state == CONN_BODY && body_too_slow(c->req))
			conn_fail(c, 408, SVM_TIMEOUT,
				  "the body came too slowly");
		else if (c->req)
			reply_tick(c->req);
		break;
	case TIMER_FIRST_BYTE: /* no unasked 408: clients would misread it */
	case TIMER_IDLE_TCP:
	case TIMER_IDLE_UNIX:
	case TIMER_WRITE:
	case TIMER_LINGER:
	case TIMER_WS_CLOSE:
	case TIMER_NONE:
		conn_gone(c);
		break;
	}
}

void conn_timeout(struct http_conn *c)
{
	enter(c);
	timed_out(c);
	leave(c);
}
