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
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/preview-answer.h"
#include "daemon/preview.h"
#include "daemon/sandbox.h"
#include "lib/api/limits.h"
#include "lib/api/msg.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define READ_BYTES KIB(64)

struct relay {
	struct list link;    /* daemon->relays */
	struct http_req *r;  /* NULL: the client is gone, or answered */
	struct daemon *d;
	struct sandbox *s;
	int port;
	struct agent_conn *connecting;
	int fd;              /* to the port; -1 before */
	struct loop_fd *src;
	struct buf out;      /* for the port */
	bool chunked;        /* the request's body, there */
	bool paused;
	struct preview_answer answer;
	struct loop_timer *patience; /* with the port */
	bool held;           /* the client is slow: not read */
	bool endless;        /* the answer: events */
	bool bounded;        /* ... it said how long it is */
	char *cookie;
};

static void relay_free(struct relay *y)
{
	if (y->connecting)
		agent_conn_drop(y->connecting);
	loop_fd_del(y->src);
	fd_close(y->fd);
	buf_release(&y->out);
	preview_answer_release(&y->answer);
	loop_timer_free(y->patience);
	free(y->cookie);
	list_remove(&y->link);
	y->s->previews--;
	y->d->previews--;
	sandbox_unref(y->s);
	free(y);
}

/* The port, or the way there, failed. */
static void fail_as(struct relay *y, int status, const char *why)
{
	struct http_req *r = steal_ptr(&y->r);
	bool begun = y->answer.begun;
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

/* Once more, for the port has got on.  An answer of unknown length may be a
 * conversation, and is silent as long as a tunnel may be. */
static void be_patient(struct relay *y)
{
	if (!y->answer.begun)
		loop_timer_after(y->patience,
				 fault_time("preview.head",
					    LIMIT_TIME_PREVIEW_HEAD));
	else if (y->held) /* it is the client who must get on */
		loop_timer_stop(y->patience);
	else if (y->bounded)
		loop_timer_after(y->patience,
				 fault_time("preview.body",
					    LIMIT_TIME_PREVIEW_BODY));
	else
		loop_timer_after(y->patience,
				 fault_time("preview.idle",
					    LIMIT_TIME_TUNNEL_IDLE));
}

static void want(struct relay *y)
{
	loop_fd_mod(y->src, (y->held ? 0 : LOOP_READ) |
				    (y->out.len ? LOOP_WRITE : 0));
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
		be_patient(y);
	}
	if (y->paused && y->out.len < LIMIT_QUEUE_LOW && y->r) {
		y->paused = false;
		http_body_pause(y->r, false);
	}
	return true;
}

/* -- the answer */

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
	be_patient(y);
	if (!y->src)
		watch(y); /* what the kernel still holds */
	else
		want(y);
}

static void on_header(void *data, const char *name, const char *value)
{
	struct relay *y = data;

	http_reply_header(y->r, name, "%s", value);
}

static void on_begin(void *data, int status, const char *type, int64_t length)
{
	struct relay *y = data;

	y->bounded = length >= 0;
	if (y->cookie)
		http_reply_header(y->r, "Set-Cookie", "%s", y->cookie);
	y->endless = type && strncasecmp(type, "text/event-stream", 17) == 0;
	http_on_drain(y->r, on_drain);
	http_stream_begin(y->r, status, type, length);
}

static void on_body(void *data, const char *p, size_t n)
{
	struct relay *y = data;

	if (http_stream_write(y->r, p, n) > LIMIT_QUEUE_HIGH)
		y->held = true;
}

static const struct preview_answer_events answer_events = {
	.header = on_header,
	.begin = on_begin,
	.body = on_body,
};

/* The two connections are joined from here on. */
static void switch_over(struct relay *y)
{
	struct buf to_port = BUF_INIT;
	struct http_req *r = steal_ptr(&y->r);
	int port = steal_fd(&y->fd), client;

	loop_fd_del(y->src);
	y->src = NULL;
	client = http_take_over(r, &to_port);
	if (client < 0) {
		fd_close(port);
		buf_release(&to_port);
	} else {
		preview_join(y->s, client, &to_port, port, &y->answer.in);
	}
	relay_free(y);
}

static void settle(struct relay *y, enum preview_result r)
{
	switch (r) {
	case PREVIEW_MORE:
		if (y->answer.begun) /* its head has one time, however it drips */
			be_patient(y);
		want(y);
		break;
	case PREVIEW_DONE:
		answer_done(y);
		break;
	case PREVIEW_SWITCHED:
		switch_over(y);
		break;
	case PREVIEW_BAD:
		fail(y, y->answer.why);
		break;
	}
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
		settle(y, preview_answer_take(&y->answer, bytes, (size_t)n));
	} else if (n == 0) {
		settle(y, preview_answer_end(&y->answer));
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
	be_patient(y);
	y->cookie = xstrdup(set_cookie);
	list_append(&d->relays, &y->link);
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
	y->chunked = http_body_is_chunked(r);
	preview_answer_init(&y->answer, http_method(r),
			    preview_request(d, r, target, &y->out),
			    &answer_events, y);
	http_set_data(r, y);
	http_on_gone(r, on_gone);
	http_body_read(r, &sink);
}

void preview_end_streams(struct daemon *d)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &d->relays) {
		struct relay *y = list_entry(pos, struct relay, link);

		if (y->endless)
			fail(y, "the daemon is stopping");
	}
}
