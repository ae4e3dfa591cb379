/* SPDX-License-Identifier: MIT */
/* The commands there are: started, followed, remembered.  See exec.h. */
#include "agent/exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ends.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

bool exec_is_session(const struct exec *x)
{
	return !x->forget && ((x->flags & (AGENT_EXEC_TTY | AGENT_EXEC_DETACH))
			      || x->lost || x->state != EXEC_DONE);
}

struct exec *exec_find(struct agent *a, const char *sid)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &a->execs) {
		struct exec *x = list_entry(pos, struct exec, link);

		if (strcmp(x->sid, sid) == 0)
			return x;
	}
	return NULL;
}

static void exec_free(struct exec *x)
{
	list_remove(&x->link);
	x->agent->nexecs--;
	stream_close(&x->out);
	stream_close(&x->err);
	stream_close_input(x);
	exec_tree_close(x);
	ring_release(&x->ring);
	free(x->sid);
	free(x->command);
	free(x->cwd);
	free(x);
}

/* Nothing can happen with it any more. */
static bool is_over(const struct exec *x)
{
	return x->state == EXEC_DONE && x->ctl < 0 && x->out.fd < 0 &&
	       x->err.fd < 0 && list_empty(&x->attached) &&
	       list_empty(&x->waiting);
}

/* Free what is over, but remember the results of the latest sessions. */
void exec_sweep(struct agent *a)
{
	struct list *pos, *tmp;
	unsigned sessions = 0;

	list_for_each_safe(pos, tmp, &a->execs)
		sessions += exec_is_session(list_entry(pos, struct exec,
						       link));
	list_for_each_safe(pos, tmp, &a->execs) {
		struct exec *x = list_entry(pos, struct exec, link);
		bool session = exec_is_session(x);

		if (!is_over(x) ||
		    (session && sessions <= LIMIT_AGENT_SESSIONS))
			continue;
		sessions -= session;
		exec_free(x);
	}
}

void exec_started(const struct exec *x, uint64_t offset, struct buf *out)
{
	msg_add_u32(out, (uint32_t)x->pid);
	msg_add_u64(out, offset);
	msg_add_u32(out, !!(x->flags & AGENT_EXEC_TTY));
	msg_add_u16(out, x->cols);
	msg_add_u16(out, x->rows);
	msg_add_u64(out, x->ring.end);
}

static char *join_command(char *const *argv)
{
	struct buf b = BUF_INIT;

	for (; *argv && b.len <= LIMIT_COMMAND_SHOWN; argv++) {
		if (b.len)
			buf_addch(&b, ' ');
		buf_add(&b, *argv, MIN(strlen(*argv),
				       (size_t)LIMIT_COMMAND_SHOWN + 1));
	}
	buf_truncate(&b, MIN(b.len, (size_t)LIMIT_COMMAND_SHOWN));
	return buf_steal(&b);
}

static struct exec *exec_new(struct conn *c, struct agent_exec *m,
			     struct ends *e, pid_t supervisor, int ctl)
{
	struct agent *a = c->agent;
	struct exec *x = xcalloc(1, sizeof(*x));

	x->agent = a;
	x->sid = steal_ptr(&m->sid);
	x->command = join_command(m->argv);
	x->cwd = steal_ptr(&m->cwd);
	x->flags = m->flags;
	x->cols = m->cols;
	x->rows = m->rows;
	x->start_ns = clock_boot_ns();
	x->in = e->parent[0];
	stream_open(&x->out, x, FRAME_STDOUT, e->parent[1]);
	stream_open(&x->err, x, FRAME_STDERR, e->parent[2]);
	x->timeout_ns = (int64_t)MIN(m->timeout_ns, (uint64_t)INT64_MAX / 4);
	list_init(&x->attached);
	list_init(&x->waiting);
	list_append(&a->execs, &x->link);
	a->nexecs++;
	exec_tree_open(x, supervisor, ctl);
	return x;
}

void exec_follow(struct conn *c, struct exec *x, uint64_t since,
		 bool may_write)
{
	c->exec = x;
	c->ring = &x->ring;
	c->cursor = MIN(since, x->ring.end);
	c->may_write = may_write;
	c->state = CONN_OUTPUT;
	list_append(&x->attached, &c->peers);
}

/* What speaks against starting it; said to the caller. */
static bool refused(struct conn *c, const struct agent_exec *m)
{
	struct agent *a = c->agent;
	unsigned sessions = 0;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &a->execs) {
		struct exec *x = list_entry(pos, struct exec, link);

		sessions += exec_is_session(x) && !is_over(x) &&
			    (x->flags & (AGENT_EXEC_TTY | AGENT_EXEC_DETACH));
	}
	if (exec_find(a, m->sid))
		conn_fail(c, SVM_CONFLICT, 0, "session '%s' exists already",
			  m->sid);
	else if (m->cols > LIMIT_TTY_SIZE || m->rows > LIMIT_TTY_SIZE)
		conn_fail(c, SVM_BAD_REQUEST, 0,
			  "a terminal has at most %d columns and rows",
			  LIMIT_TTY_SIZE);
	else if (sessions >= LIMIT_AGENT_SESSIONS &&
		 (m->flags & (AGENT_EXEC_TTY | AGENT_EXEC_DETACH)))
		conn_fail(c, SVM_RESOURCE_LIMIT, 0,
			  "%d sessions run in this sandbox already",
			  LIMIT_AGENT_SESSIONS);
	else if (a->nexecs >= LIMIT_AGENT_OPS + LIMIT_AGENT_SESSIONS)
		conn_fail(c, SVM_RESOURCE_LIMIT, 0,
			  "%u commands run in this sandbox already or have "
			  "left children behind", a->nexecs);
	else
		return false;
	return true;
}

void exec_start(struct conn *c, const char *p, size_t n)
{
	struct agent *a = c->agent;
	struct agent_exec m;
	struct ends e;
	int ctl = -1;

	if (agent_exec_decode(p, n, &m) < 0) {
		conn_fail(c, SVM_BAD_REQUEST, 0, "malformed exec request");
		return;
	}
	if (refused(c, &m)) {
		agent_exec_release(&m);
		return;
	}
	int r = ends_open(&e, a, &m);
	if (r == 0)
		r = supervise_start(a, &m, p, n, e.child, &ctl);
	ends_close(e.child);
	if (r < 0) {
		ends_close(e.parent);
		conn_fail(c, r == -EAGAIN || r == -EMFILE || r == -ENOSPC ?
				     SVM_RESOURCE_LIMIT : SVM_PROVIDER, r,
			  "can't start the command: %s", strerror(-r));
	} else {
		exec_follow(c, exec_new(c, &m, &e, r, ctl), 0, true);
	}
	agent_exec_release(&m);
}

bool exec_exit(struct exec *x, struct buf *out)
{
	if (x->state != EXEC_DONE)
		return false;
	agent_exit_encode(out, &x->exit);
	x->delivered = true;
	return true;
}

void exec_detach(struct conn *c)
{
	struct exec *x = c->exec;
	bool follower = c->state == CONN_OUTPUT;

	list_remove(&c->peers);
	c->exec = NULL;
	if (!follower)
		return;
	if (!x->delivered) {
		x->lost = true;
		if (list_empty(&x->attached) &&
		    !(x->flags & AGENT_EXEC_DETACH))
			stream_leave(x, c->cursor);
	}
	stream_update(x);
}
