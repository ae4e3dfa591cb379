/* SPDX-License-Identifier: MIT */
/*
 * Output and input of a command: pipes or a terminal into the ring, from
 * there to whoever follows; STDIN frames into the pipe.
 *
 * The fastest follower sets the pace: a slow lone reader slows the command
 * down, a slow one among several is told what it missed.  A detached command
 * waits for nobody.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/exec.h"
#include "lib/base/fd.h"

#define BEHIND_MAX KIB(96)  /* with two full reads still within the ring */
#define READ_MAX KIB(64)
#define READS_PER_TURN 4

static void on_output(struct loop *l, void *data, unsigned events);

void stream_open(struct stream *s, struct exec *x, enum frame_type type,
		 int fd)
{
	*s = (struct stream){ .fd = fd, .exec = x, .type = type };
}

void stream_close(struct stream *s)
{
	loop_fd_del(s->watch);
	fd_close(s->fd);
	s->watch = NULL;
	s->fd = -1;
	s->owed = 0;
}

static bool too_far_ahead(const struct exec *x)
{
	uint64_t least = UINT64_MAX;
	struct list *pos, *tmp;

	if (list_empty(&x->attached) || x->state == EXEC_DONE ||
	    (x->flags & AGENT_EXEC_DETACH))
		return false;
	list_for_each_safe(pos, tmp, &x->attached) {
		struct conn *c = list_entry(pos, struct conn, peers);
		uint64_t behind = x->ring.end - MIN(c->cursor, x->ring.end);

		least = MIN(least, behind);
	}
	return least > BEHIND_MAX;
}

/* A paused stream is taken out of the loop: epoll reports HUP even when
 * nothing is asked for, and that would spin. */
static void want(struct stream *s, bool on)
{
	struct agent *a = s->exec->agent;

	if (s->fd < 0)
		return;
	if (on && !s->watch)
		s->watch = loop_fd_add(a->loop, s->fd, LOOP_READ, on_output,
				       s);
	if (!on && s->watch) {
		loop_fd_del(s->watch);
		s->watch = NULL;
	}
}

void stream_update(struct exec *x)
{
	bool on = x->state != EXEC_STARTING && !too_far_ahead(x);

	want(&x->out, on);
	want(&x->err, on);
}

void exec_pace(struct exec *x)
{
	stream_update(x);
}

static void give_logs(struct agent *a)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &a->log_readers)
		conn_update(list_entry(pos, struct conn, peers));
}

/* Output from offset `from` on that nobody was given, or may not have taken:
 * of a detached command all. */
void stream_leave(struct exec *x, uint64_t from)
{
	bool tty = x->flags & AGENT_EXEC_TTY;
	struct ring_piece got;

	for (from = MAX(from, x->ring.start);
	     (got = ring_peek(&x->ring, from)).n; from += got.n)
		ring_add(&x->agent->logs, tty ? FRAME_TTY : got.type,
			 got.seen_ns, got.p, got.n);
	give_logs(x->agent);
}

void stream_give(struct exec *x)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &x->attached)
		conn_update(list_entry(pos, struct conn, peers));
}

static void read_stream(struct stream *s)
{
	struct exec *x = s->exec;
	uint64_t before = x->ring.end;

	for (int i = 0; i < READS_PER_TURN && !too_far_ahead(x); i++) {
		ssize_t n = ring_read_fd(&x->ring, s->type, s->fd, READ_MAX);

		if (n > 0) {
			s->owed -= MIN(s->owed, (size_t)n);
			continue;
		}
		s->owed = 0;
		if (n != -EAGAIN) /* EIO: the terminal has no user left */
			stream_close(s);
		break;
	}
	if (x->ring.end == before)
		return;
	if (list_empty(&x->attached) || x->flags & AGENT_EXEC_DETACH)
		stream_leave(x, before);
	stream_give(x);
}

static void on_output(struct loop *l, void *data, unsigned events)
{
	struct stream *s = data;
	struct exec *x = s->exec;

	(void)l;
	(void)events;
	read_stream(s);
	stream_update(x);
	exec_finish_if_done(x);
}

void stream_owe(struct stream *s, bool tty)
{
	int ready = 0;

	if (s->fd < 0)
		return;
	if (tty)
		ready = LIMIT_AGENT_OWED; /* FIONREAD does not count what is on its
				   * way; read until there is nothing */
	else
		(void)ioctl(s->fd, FIONREAD, &ready);
	s->owed = ready > 0 ? (size_t)ready : 0;
	if (s->owed)
		read_stream(s);
}

/* Input. */

void stream_close_input(struct exec *x)
{
	loop_fd_del(x->in_watch);
	fd_close(x->in);
	x->in_watch = NULL;
	x->in = -1;
	buf_release(&x->input);
}

static void on_input_room(struct loop *l, void *data, unsigned events);

static void write_input(struct exec *x)
{
	while (x->in >= 0 && x->input.len) {
		ssize_t n = write(x->in, x->input.data,
				  MIN(x->input.len, (size_t)KIB(64)));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			stream_close_input(x); /* it reads no more */
			return;
		}
		buf_consume(&x->input, (size_t)n);
	}
	if (x->in < 0)
		return;
	if (!x->input.len) {
		loop_fd_del(x->in_watch);
		x->in_watch = NULL;
		if (x->input_ends && !(x->flags & AGENT_EXEC_TTY))
			stream_close_input(x);
	} else if (!x->in_watch) {
		x->in_watch = loop_fd_add(x->agent->loop, x->in, LOOP_WRITE,
					  on_input_room, x);
	}
}

static void on_input_room(struct loop *l, void *data, unsigned events)
{
	struct exec *x = data;
	struct list *pos, *tmp;

	(void)l;
	(void)events;
	write_input(x);
	if (exec_stdin_full(x))
		return;
	list_for_each_safe(pos, tmp, &x->attached)
		conn_resume(list_entry(pos, struct conn, peers));
}

bool exec_stdin_full(const struct exec *x)
{
	return x->input.len > LIMIT_AGENT_QUEUE;
}

int exec_stdin(struct exec *x, const char *p, size_t n)
{
	if (x->in < 0 || x->input_ends)
		return 0; /* it has ended or reads no more */
	if (n)
		buf_add(&x->input, p, n);
	else if (x->flags & AGENT_EXEC_TTY)
		buf_addch(&x->input, 4); /* VEOF: ^D */
	else
		x->input_ends = true;
	if (!x->in_watch)
		write_input(x);
	return 0;
}
