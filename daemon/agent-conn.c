/* SPDX-License-Identifier: MIT */
/*
 * One operation on one agent channel.  See agent-conn.h.
 *
 * agent-rules.c says what may come; whatever else arrives ends the connection
 * as a broken protocol.
 */
#include "daemon/agent-conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/agent-rules.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define WIRE_MAX (FRAME_HEADER + LIMIT_FRAME)

struct agent_conn {
	struct loop *loop;
	struct loop_fd *src;      /* NULL while paused after a hang-up */
	struct loop_timer *timer; /* deadline, and the nudge after a pause */
	struct agent_conn_events ev;
	void *data;
	void (*heard)(void *owner, bool answered);
	void *owner;
	const struct agent_rule *rule;
	enum frame_type type;
	uint64_t id;
	unsigned char nonce[FRAME_NONCE];
	int fd;
	int passed;          /* a descriptor on its way to on_frame, or -1 */
	int64_t deadline_ns; /* how long an answer may take */
	unsigned busy;       /* depth of our frames on the stack */
	bool hello, replied, paused, dead;
	bool hurry;          /* the request does not wait for `hello` */
	bool mute;           /* the agent reads no more; hear it out */
	bool high;           /* on_drain is owed */
	bool nudge;          /* `in` may hold whole frames; use them first */
	struct buf in;       /* received, not yet used */
	struct buf out;
	size_t out_pos;      /* sent of out */
};

static void release(struct agent_conn *c)
{
	buf_release(&c->in);
	buf_release(&c->out);
	free(c);
}

/* Close everything; memory stays while one of our functions is below. */
static void shut(struct agent_conn *c)
{
	c->dead = true;
	loop_fd_del(c->src);
	loop_timer_free(c->timer);
	c->src = NULL;
	c->timer = NULL;
	fd_close(steal_fd(&c->fd));
	fd_close(steal_fd(&c->passed));
	if (!c->busy)
		release(c);
}

static void leave(struct agent_conn *c)
{
	if (--c->busy == 0 && c->dead)
		release(c);
}

/* err NULL: a good end. */
static void end(struct agent_conn *c, const struct svm_err *err)
{
	void (*on_end)(void *data, const struct svm_err *err) = c->ev.on_end;
	void *data = c->data;

	shut(c);
	on_end(data, err);
}

static void end_broken(struct agent_conn *c, const char *what)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	svm_err_set(&err, SVM_PROVIDER,
		    "the agent broke the protocol: %s", what);
	svm_err_hint(&err, "destroy the sandbox and spawn another");
	end(c, &err);
}

static void end_lost(struct agent_conn *c)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	svm_err_set(&err, SVM_PROVIDER,
		    "the connection to the agent was lost before its answer "
		    "was complete");
	end(c, &err);
}

static void end_late(struct agent_conn *c)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (c->heard && !c->hello)
		c->heard(c->owner, false);
	svm_err_set(&err, SVM_TIMEOUT,
		    "the agent of the sandbox did not answer in time");
	svm_err_hint(&err, "destroy the sandbox if this goes on");
	end(c, &err);
}

static void end_error(struct agent_conn *c, const struct frame *f)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	const char *wrong = agent_rule_error(f, &err);

	if (wrong)
		end_broken(c, wrong);
	else
		end(c, &err);
}

/* Output. */

static size_t queued(const struct agent_conn *c)
{
	return c->out.len - c->out_pos;
}

static bool may_send(const struct agent_conn *c)
{
	return (c->hello || c->hurry) && !c->mute;
}

static void watch(struct agent_conn *c)
{
	unsigned events = 0;

	if (!c->paused)
		events |= LOOP_READ;
	if (may_send(c) && queued(c))
		events |= LOOP_WRITE;
	if (c->src)
		loop_fd_mod(c->src, events);
}

static void discard_output(struct agent_conn *c)
{
	c->mute = true;
	buf_release(&c->out);
	c->out_pos = 0;
}

/* Calls nobody. */
static void flush(struct agent_conn *c)
{
	size_t budget = LIMIT_TURN_BYTES * 2;

	while (may_send(c) && queued(c) && budget) {
		size_t n = MIN(queued(c), budget);
		ssize_t done = send(c->fd, c->out.data + c->out_pos, n,
				    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN)
			break;
		if (done < 0) {
			/* It may have said why before it closed. */
			discard_output(c);
			break;
		}
		c->out_pos += (size_t)done;
		budget -= (size_t)done;
	}
	if (c->out_pos && (!queued(c) || c->out_pos >= LIMIT_QUEUE_HIGH)) {
		buf_consume(&c->out, c->out_pos);
		c->out_pos = 0;
		if (!c->out.len && c->out.cap > LIMIT_TURN_BYTES)
			buf_release(&c->out);
	}
}

/* Deadlines: the first reply, then silence in what should not be silent. */
static void rearm(struct agent_conn *c)
{
	if (c->rule->flags & AGENT_MUTE ||
	    (c->replied && (c->rule->flags & AGENT_OPEN || c->paused)))
		loop_timer_stop(c->timer);
	else if (c->replied || c->rule->flags & AGENT_UPLOAD)
		loop_timer_after(c->timer, MAX(c->deadline_ns,
					       LIMIT_TIME_FILE_OP));
}

/* Input. */

/* May end the connection: look at c->dead afterwards. */
static void take_frame(struct agent_conn *c, const struct frame *f)
{
	const char *wrong;

	if (!c->hello) {
		wrong = agent_rule_hello(f, c->nonce);
		if (wrong) {
			end_broken(c, wrong);
			return;
		}
		c->hello = true;
		if (c->heard)
			c->heard(c->owner, true);
		flush(c);
		return;
	}
	if (f->type == FRAME_ERROR && f->id == c->id) {
		end_error(c, f);
		return;
	}
	wrong = agent_rule_reply(c->rule, f, c->id, c->replied);
	if (wrong) {
		end_broken(c, wrong);
		return;
	}
	c->replied = true;
	if (c->ev.on_frame)
		c->ev.on_frame(c->data, f, &c->passed);
	if (!c->dead && f->type == c->rule->last)
		end(c, NULL);
}

/* Use whole frames of data[0..n); returns how many bytes were used. */
static size_t take_frames(struct agent_conn *c, const char *data, size_t n)
{
	size_t used = 0;

	while (!c->dead && !c->paused) {
		struct frame f;
		int r = frame_decode(data + used, n - used, &f);

		if (r < 0)
			end_broken(c, "bytes that are no frame");
		if (r <= 0)
			break;
		used += (size_t)r;
		take_frame(c, &f);
	}
	return used;
}

/* One read: bytes, 0 at the end, -errno.  Only CONNECT may pass a descriptor;
 * otherwise the kernel closes what was sent along. */
static ssize_t receive(struct agent_conn *c, char *to, size_t room)
{
	if (c->type == FRAME_CONNECT) {
		int fds[1];
		size_t nfds = c->passed < 0 ? 1 : 0;
		ssize_t got = fd_recv_msg(c->fd, to, room, fds, &nfds);

		if (got >= 0 && nfds)
			c->passed = fds[0];
		return got;
	}
	for (;;) {
		ssize_t got = recv(c->fd, to, room, MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		return got < 0 ? -errno : got;
	}
}

/* Keep what is left over for the next turn; an idle connection keeps
 * nothing. */
static void keep_rest(struct agent_conn *c, const char *data, size_t n)
{
	struct buf rest = BUF_INIT;

	if (n)
		buf_add(&rest, data, n);
	buf_release(&c->in);
	c->in = rest;
}

static void on_readable(struct agent_conn *c)
{
	char room[WIRE_MAX];
	size_t have = c->in.len;

	/* Less than a frame, or we would not read. */
	if (have)
		memcpy(room, c->in.data, have);
	ssize_t got = receive(c, room + have, sizeof(room) - have);
	if (got == -EAGAIN)
		return;
	if (got == -EMSGSIZE) {
		end_broken(c, "descriptors nobody asked for");
		return;
	}
	if (got <= 0) {
		end_lost(c);
		return;
	}
	have += (size_t)got;
	size_t used = take_frames(c, room, have);
	if (!c->dead) {
		keep_rest(c, room + used, have - used);
		rearm(c);
	}
}

/* After a pause: first what was received before it. */
static void take_rest(struct agent_conn *c)
{
	auto_buf struct buf had = c->in;

	c->nudge = false;
	c->in = (struct buf)BUF_INIT;
	size_t used = take_frames(c, had.data, had.len);
	if (c->dead)
		return;
	keep_rest(c, had.data + used, had.len - used);
	rearm(c);
}

static void tell_drained(struct agent_conn *c)
{
	if (!c->high || queued(c) >= LIMIT_QUEUE_LOW)
		return;
	c->high = false;
	if (c->ev.on_drain)
		c->ev.on_drain(c->data);
}

static void on_event(struct loop *l, void *data, unsigned events)
{
	struct agent_conn *c = data;

	(void)l;
	c->busy++;
	if (events & LOOP_WRITE) {
		flush(c);
		rearm(c);
		tell_drained(c);
	}
	if (!c->dead && !c->paused &&
	    events & (LOOP_READ | LOOP_HUP | LOOP_ERR)) {
		if (c->nudge)
			take_rest(c);
		else
			on_readable(c);
	} else if (!c->dead && c->paused && events & (LOOP_HUP | LOOP_ERR)) {
		/* It would be reported for ever; read it out later. */
		loop_fd_del(c->src);
		c->src = NULL;
	}
	if (!c->dead && c->mute)
		tell_drained(c);
	if (!c->dead)
		watch(c);
	leave(c);
}

static void on_timer(struct loop *l, void *data)
{
	struct agent_conn *c = data;

	(void)l;
	c->busy++;
	if (!c->nudge)
		end_late(c);
	else if (!c->paused)
		take_rest(c);
	if (!c->dead)
		watch(c);
	leave(c);
}

struct agent_conn *agent_conn_start(struct loop *l, int fd,
				    const unsigned char nonce[FRAME_NONCE],
				    enum frame_type type,
				    const void *payload, size_t n,
				    int64_t deadline_ns,
				    const struct agent_conn_events *ev,
				    void *data)
{
	struct agent_conn *c = xcalloc(1, sizeof(*c));

	if (!agent_rule(type))
		BUG("type %d is no request", (int)type);
	c->loop = l;
	c->fd = fd;
	c->passed = -1;
	c->type = type;
	c->rule = agent_rule(type);
	c->id = 1;
	c->ev = *ev;
	c->data = data;
	c->deadline_ns = deadline_ns ? deadline_ns :
		fault_time("agent.reply", LIMIT_TIME_AGENT_REPLY);
	memcpy(c->nonce, nonce, FRAME_NONCE);
	(void)fd_set_nonblock(fd, true);
	frame_add_request(&c->out, type, c->id, payload, n);
	c->src = loop_fd_add(l, fd, LOOP_READ, on_event, c);
	c->timer = loop_timer_new(l, on_timer, c);
	if (!(c->rule->flags & AGENT_MUTE))
		loop_timer_after(c->timer, c->deadline_ns);
	return c;
}

size_t agent_conn_send(struct agent_conn *c, enum frame_type type,
		       const void *payload, size_t n)
{
	if (c->mute || c->dead)
		return 0;
	frame_add(&c->out, type, 0, c->id, payload, n);
	if (!c->high)
		flush(c);
	if (queued(c) > LIMIT_QUEUE_HIGH)
		c->high = true;
	rearm(c);
	watch(c);
	return queued(c);
}

void agent_conn_pause(struct agent_conn *c, bool pause)
{
	if (c->dead || c->paused == pause)
		return;
	c->paused = pause;
	if (!pause && !c->src)
		c->src = loop_fd_add(c->loop, c->fd, LOOP_READ, on_event, c);
	if (pause) {
		rearm(c);
	} else if (c->in.len && c->replied) {
		c->nudge = true; /* later: not from inside the caller */
		loop_timer_after(c->timer, 0);
	} else {
		rearm(c);
	}
	watch(c);
}

void agent_conn_hurry(struct agent_conn *c)
{
	c->hurry = true;
	flush(c);
	watch(c);
}

void agent_conn_on_heard(struct agent_conn *c,
			 void (*fn)(void *owner, bool answered), void *owner)
{
	c->heard = fn;
	c->owner = owner;
}

void agent_conn_drop(struct agent_conn *c)
{
	if (c && !c->dead)
		shut(c);
}
