/* SPDX-License-Identifier: MIT */
/*
 * Connections: HELLO, one request, queued output, the end.  The peer is not
 * trusted to keep any rule; what breaks one is closed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/request.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

/* Room beyond LIMIT_AGENT_OPS for what must work when it is used up: PING,
 * KILL, SHUTDOWN and the like. */
#define RESERVE 16
#define FLOOD KIB(4)
#define PIECE KIB(32)       /* output bytes in one frame */

static void on_event(struct loop *l, void *data, unsigned events);

static void conn_free(struct conn *c)
{
	struct agent *a = c->agent;

	if (c->exec)
		exec_detach(c);
	list_remove(&c->peers);
	list_remove(&c->link);
	a->nconns--;
	loop_fd_del(c->watch);
	loop_timer_free(c->timer);
	buf_release(&c->in);
	buf_release(&c->out);
	request_release(c);
	close(c->fd);
	free(c);
	if (!a->accepting)
		a->accepting = loop_fd_add(a->loop, a->listener, LOOP_READ,
					   conn_accept, a);
}

static void on_timeout(struct loop *l, void *data)
{
	struct conn *c = data;

	(void)l;
	if (c->state == CONN_JOB)
		(void)kill(c->worker, SIGKILL);
	else
		conn_free(c);
}

/* What to wait for.  HUP is always reported, so that a connection that waits
 * for nothing is still heard to end. */
static void watch(struct conn *c)
{
	unsigned want = LOOP_RDHUP;

	if (c->state == CONN_REQUEST || c->state == CONN_WAIT)
		want |= LOOP_READ;
	if (c->state == CONN_OUTPUT &&
	    !(c->exec && c->may_write && exec_stdin_full(c->exec)))
		want |= LOOP_READ;
	if (c->out.len && c->state != CONN_JOB)
		want |= LOOP_WRITE;
	if (c->watch)
		loop_fd_mod(c->watch, want);
}

void conn_reply(struct conn *c, enum frame_type type, const void *p, size_t n)
{
	frame_add(&c->out, type, 0, c->id, p, n);
}

static void close_after_flush(struct conn *c)
{
	if (c->exec)
		exec_detach(c);
	list_remove(&c->peers);
	c->exec = NULL;
	c->ring = NULL;
	c->state = CONN_CLOSING;
	loop_timer_after(c->timer, LIMIT_TIME_AGENT_REPLY);
}

void conn_finish(struct conn *c)
{
	conn_reply(c, FRAME_END, NULL, 0);
	close_after_flush(c);
}

void conn_fail(struct conn *c, enum svm_code code, int e, const char *fmt, ...)
{
	auto_buf struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	auto_free char *why = xvasprintf(fmt, ap);
	va_end(ap);
	msg_add_u32(&text, code);
	msg_add_u32(&text, (uint32_t)abs(e));
	msg_add_str(&text, why);
	conn_reply(c, FRAME_ERROR, text.data, text.len);
	close_after_flush(c);
}

/* Returns false when the connection is dead. */
static bool flush(struct conn *c)
{
	size_t before = c->out.len;

	while (c->out.len) {
		ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		buf_consume(&c->out, (size_t)n);
	}
	/* A flood keeps its buffer: new pages each time cost more than all
	 * the copying.  An idle connection keeps none. */
	if (before && (c->state != CONN_OUTPUT || before < FLOOD))
		buf_release(&c->out);
	return true;
}

static void send_lagged(struct conn *c, uint64_t lost)
{
	auto_buf struct buf text = BUF_INIT;

	msg_add_u64(&text, lost);
	conn_reply(c, FRAME_LAGGED, text.data, text.len);
}

static void send_piece(struct conn *c, const struct ring_piece *piece)
{
	auto_buf struct buf text = BUF_INIT;
	bool plain = piece->type == FRAME_TTY && !c->timed;

	if (c->timed && piece->seen_ns != c->seen_ns) {
		msg_add_u64(&text, (uint64_t)piece->seen_ns);
		conn_reply(c, FRAME_SEEN, text.data, text.len);
		c->seen_ns = piece->seen_ns;
	}
	conn_reply(c, plain ? FRAME_STDOUT : piece->type, piece->p, piece->n);
	c->cursor += piece->n;
}

void conn_pump(struct conn *c)
{
	struct ring_piece got;

	if (c->state != CONN_OUTPUT || !c->started)
		return;
	if (c->cursor < c->ring->start) {
		send_lagged(c, c->ring->start - c->cursor);
		c->cursor = c->ring->start;
	}
	while (c->out.len < LIMIT_FRAME &&
	       (got = ring_peek(c->ring, c->cursor)).n) {
		got.n = MIN(got.n, (size_t)PIECE);
		send_piece(c, &got);
	}
	if (c->cursor < c->ring->end || !c->exec)
		return;
	auto_buf struct buf text = BUF_INIT;
	if (exec_exit(c->exec, &text)) {
		conn_reply(c, FRAME_EXIT, text.data, text.len);
		close_after_flush(c);
	}
}

void conn_update(struct conn *c)
{
	size_t before;

	do {
		conn_pump(c);
		before = c->out.len;
		if (!flush(c)) {
			conn_free(c);
			return;
		}
	} while (before && !c->out.len && c->state == CONN_OUTPUT);
	if (c->state == CONN_CLOSING && !c->out.len) {
		conn_free(c);
		return;
	}
	if (c->state == CONN_OUTPUT && c->exec)
		exec_pace(c->exec);
	watch(c);
}

static int on_frame(struct conn *c, const struct frame *f)
{
	if (f->id != c->id)
		return -EPROTO;
	if (c->state != CONN_OUTPUT || !c->exec || !c->may_write)
		return c->state == CONN_CLOSING ? 0 : -EPROTO;
	if (f->type == FRAME_STDIN)
		return exec_stdin(c->exec, f->payload, f->len);
	if (f->type != FRAME_CANCEL)
		return -EPROTO;
	exec_cancel(c->exec);
	return 0;
}

/* Work on what has arrived.  -EPROTO when it is no protocol of ours. */
static int consume(struct conn *c)
{
	size_t used = 0;
	int r = 0;

	while (r == 0 && c->state != CONN_JOB) {
		struct frame f;
		int n;

		if (c->state == CONN_OUTPUT && c->exec &&
		    exec_stdin_full(c->exec))
			break;
		n = frame_decode(c->in.data + used, c->in.len - used, &f);
		if (n <= 0) {
			r = n;
			break;
		}
		used += (size_t)n;
		if (c->state != CONN_REQUEST) {
			r = on_frame(c, &f);
			continue;
		}
		r = request_add(c, &f);
		if (r < 0 || c->state != CONN_REQUEST ||
		    (f.flags & FRAME_MORE))
			continue;
		/* What follows the request is the worker's to read. */
		buf_consume(&c->in, used);
		used = 0;
		request_run(c);
	}
	buf_consume(&c->in, used);
	if (!c->in.len && used < FLOOD)
		buf_release(&c->in);
	return r;
}

/* Returns 1 when there may be more, 0 when not, -errno at the end. */
static int fill(struct conn *c)
{
	int ready = 0;

	(void)ioctl(c->fd, FIONREAD, &ready);
	size_t want = MIN(MAX((size_t)ready, (size_t)64),
			  (size_t)(FRAME_HEADER + LIMIT_FRAME));
	buf_reserve(&c->in, want);
	ssize_t n = recv(c->fd, c->in.data + c->in.len, want, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	c->in.len += (size_t)n;
	c->in.data[c->in.len] = '\0';
	return (size_t)n == want;
}

/* The peer of a worker's connection is gone: let the worker tidy up, then
 * insist. */
static void abandon_job(struct conn *c)
{
	(void)kill(c->worker, SIGTERM);
	loop_fd_del(c->watch);
	c->watch = NULL;
	loop_timer_after(c->timer, LIMIT_TIME_CANCEL);
}

static void on_event(struct loop *l, void *data, unsigned events)
{
	struct conn *c = data;
	int r = 0;

	(void)l;
	if (c->state == CONN_JOB) {
		if (events & (LOOP_HUP | LOOP_ERR | LOOP_RDHUP))
			abandon_job(c);
		return;
	}
	if (events & LOOP_READ) {
		r = fill(c);
		if (r >= 0 && consume(c) < 0)
			r = -EPROTO;
	} else if (events & (LOOP_HUP | LOOP_ERR | LOOP_RDHUP)) {
		r = -EPIPE;
	}
	if (r < 0)
		conn_free(c);
	else if (c->state == CONN_JOB)
		watch(c);
	else
		conn_update(c);
}

void conn_resume(struct conn *c)
{
	if (c->state == CONN_OUTPUT && c->in.len && consume(c) < 0)
		conn_free(c);
	else
		conn_update(c);
}

static struct conn *find_worker(struct agent *a, pid_t pid)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &a->conns) {
		struct conn *c = list_entry(pos, struct conn, link);

		if (c->state == CONN_JOB && c->worker == pid)
			return c;
	}
	return NULL;
}

void conn_worker_ended(struct agent *a, pid_t pid)
{
	struct conn *c = find_worker(a, pid);

	if (c)
		conn_free(c);
}

void conn_worker_stopped(struct agent *a, pid_t pid)
{
	struct conn *c = find_worker(a, pid);

	if (c)
		(void)kill(pid, ++c->stops < LIMIT_AGENT_STOPS ? SIGCONT :
								 SIGKILL);
}

static void say_hello(struct conn *c)
{
	auto_buf struct buf text = BUF_INIT;

	msg_add_u32(&text, FRAME_MAGIC);
	msg_add_u16(&text, FRAME_MAJOR);
	msg_add_u16(&text, FRAME_MINOR);
	msg_add_u64(&text, FRAME_FEATURE_EXEC | FRAME_FEATURE_SESSIONS |
				   FRAME_FEATURE_FILES | FRAME_FEATURE_TAR |
				   FRAME_FEATURE_CONNECT);
	msg_add_bytes(&text, c->agent->setup.nonce, FRAME_NONCE);
	conn_reply(c, FRAME_HELLO, text.data, text.len);
}

static void conn_new(struct agent *a, int fd)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->agent = a;
	c->fd = fd;
	list_init(&c->peers);
	list_append(&a->conns, &c->link);
	a->nconns++;
	c->timer = loop_timer_new(a->loop, on_timeout, c);
	loop_timer_after(c->timer, LIMIT_TIME_AGENT_REPLY);
	c->watch = loop_fd_add(a->loop, fd, LOOP_READ, on_event, c);
	say_hello(c);
	conn_update(c);
}

void conn_accept(struct loop *l, void *data, unsigned events)
{
	struct agent *a = data;

	(void)l;
	(void)events;
	while (a->nconns < LIMIT_AGENT_OPS + RESERVE) {
		int fd = accept4(a->listener, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd < 0)
			break;
		conn_new(a, fd);
	}
	/* Full, or out of descriptors: the next that ends lets in again. */
	if (a->nconns) {
		loop_fd_del(a->accepting);
		a->accepting = NULL;
	}
}
