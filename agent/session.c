/* SPDX-License-Identifier: MIT */
/* Requests about commands that were started before. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "agent/exec.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

/* The session that a request names first.  NULL: the caller was answered. */
static struct exec *named(struct conn *c, struct msg_reader *m)
{
	auto_free char *sid = msg_str(m, LIMIT_SESSION_ID);
	struct exec *x = sid ? exec_find(c->agent, sid) : NULL;

	if (!sid)
		conn_fail(c, SVM_BAD_REQUEST, 0, "malformed request");
	else if (!x)
		conn_fail(c, SVM_NOT_FOUND, 0, "there is no session '%s'",
			  sid);
	return x;
}

static bool complete(struct conn *c, const struct msg_reader *m)
{
	if (!msg_ok(m))
		conn_fail(c, SVM_BAD_REQUEST, 0, "malformed request");
	return msg_ok(m);
}

void exec_attach(struct conn *c, struct msg_reader *m)
{
	struct exec *x = named(c, m);
	auto_buf struct buf text = BUF_INIT;

	if (!x)
		return;
	uint64_t since = msg_u64(m);
	uint32_t flags = msg_u32(m);
	if (!complete(c, m))
		return;
	exec_follow(c, x, since, !(flags & 1));
	if (x->state == EXEC_STARTING)
		return;
	exec_started(x, MAX(c->cursor, x->ring.start), &text);
	conn_reply(c, FRAME_STARTED, text.data, text.len);
	c->started = true;
}

void exec_logs(struct conn *c, struct msg_reader *m)
{
	uint64_t since = msg_u64(m);

	if (!complete(c, m))
		return;
	c->timed = msg_u32(m) & 1; /* a daemon older than that sends none */
	c->ring = &c->agent->logs;
	c->cursor = MIN(since, c->ring->end);
	c->started = true;
	c->state = CONN_OUTPUT;
	list_append(&c->agent->log_readers, &c->peers);
}

static unsigned count(const struct list *head)
{
	unsigned n = 0;

	for (const struct list *p = head->next; p != head; p = p->next)
		n++;
	return n;
}

void exec_list(struct conn *c)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &c->agent->execs) {
		struct exec *x = list_entry(pos, struct exec, link);
		auto_buf struct buf text = BUF_INIT;
		struct agent_session s = {
			.sid = x->sid,
			.command = x->command,
			.pid = (uint32_t)x->pid,
			.age_ns = (uint64_t)(clock_boot_ns() - x->start_ns),
			.attached = count(&x->attached),
			.cols = x->cols,
			.rows = x->rows,
			.output = x->ring.end,
			.exit = x->exit,
		};

		if (!exec_is_session(x))
			continue;
		if (x->flags & AGENT_EXEC_TTY)
			s.flags |= AGENT_SESSION_TTY;
		if (x->flags & AGENT_EXEC_DETACH)
			s.flags |= AGENT_SESSION_DETACHED;
		if (x->state != EXEC_DONE)
			s.flags |= AGENT_SESSION_RUNNING;
		agent_session_encode(&text, &s);
		conn_reply(c, FRAME_SESSION, text.data, text.len);
	}
	conn_finish(c);
}

void exec_signal(struct conn *c, struct msg_reader *m)
{
	struct exec *x = named(c, m);

	if (!x)
		return;
	uint32_t signo = msg_u32(m);
	if (!complete(c, m))
		return;
	if (signo < 1 || signo > 64) {
		conn_fail(c, SVM_BAD_REQUEST, 0, "there is no signal %u",
			  signo);
	} else if (x->state != EXEC_RUNNING) {
		conn_fail(c, SVM_CONFLICT, 0, "session '%s' has ended",
			  x->sid);
	} else {
		exec_tell_signal(x, (int)signo);
		conn_finish(c);
	}
}

void exec_resize(struct conn *c, struct msg_reader *m)
{
	struct exec *x = named(c, m);

	if (!x)
		return;
	struct winsize size = { 0 };

	size.ws_col = msg_u16(m);
	size.ws_row = msg_u16(m);
	if (!complete(c, m))
		return;
	if (!size.ws_col || !size.ws_row || size.ws_col > LIMIT_TTY_SIZE ||
	    size.ws_row > LIMIT_TTY_SIZE) {
		conn_fail(c, SVM_BAD_REQUEST, 0,
			  "a terminal has 1 to %d columns and rows",
			  LIMIT_TTY_SIZE);
	} else if (!(x->flags & AGENT_EXEC_TTY)) {
		conn_fail(c, SVM_CONFLICT, 0, "session '%s' has no terminal",
			  x->sid);
	} else {
		x->cols = size.ws_col;
		x->rows = size.ws_row;
		if (x->out.fd >= 0)
			(void)ioctl(x->out.fd, TIOCSWINSZ, &size);
		conn_finish(c);
	}
}

void exec_kill(struct conn *c, struct msg_reader *m)
{
	struct exec *x = named(c, m);

	if (!x)
		return;
	x->forget = true;
	if (x->ctl < 0) {
		conn_finish(c);
		return;
	}
	c->state = CONN_WAIT;
	c->exec = x;
	list_append(&x->waiting, &c->peers);
	exec_cancel(x);
}
