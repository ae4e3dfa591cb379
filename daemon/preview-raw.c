/* SPDX-License-Identifier: MIT */
/* Two sockets, joined: what follows a 101.  See preview.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/daemon.h"
#include "daemon/preview.h"
#include "daemon/sandbox.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

struct end {
	struct raw *raw;
	int fd;
	struct loop_fd *src; /* NULL: it hung up */
	struct buf out;      /* for this one */
	bool eof;            /* it will send no more */
	bool shut;           /* it was told that nothing follows */
};

struct raw {
	struct list link; /* daemon->raws */
	struct daemon *d;
	struct sandbox *s;
	struct loop_timer *idle;
	struct end end[2];
};

static void raw_free(struct raw *w)
{
	for (int i = 0; i < 2; i++) {
		loop_fd_del(w->end[i].src);
		fd_close(w->end[i].fd);
		buf_release(&w->end[i].out);
	}
	loop_timer_free(w->idle);
	list_remove(&w->link);
	w->d->previews--;
	w->s->previews--;
	sandbox_unref(w->s);
	free(w);
}

static struct end *other(struct end *e)
{
	return e == &e->raw->end[0] ? &e->raw->end[1] : &e->raw->end[0];
}

/* It takes no more.  Watched on, a hang-up would be told for ever; what the
 * kernel still holds of it is read when the other side has room. */
static void hang_up(struct end *e)
{
	loop_fd_del(e->src);
	e->src = NULL;
	buf_clear(&e->out);
	e->shut = true;
	other(e)->eof = true;
}

static void push(struct end *e)
{
	while (e->out.len) {
		ssize_t n = send(e->fd, e->out.data, e->out.len,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			hang_up(e);
		else
			buf_consume(&e->out, (size_t)n);
	}
	if (other(e)->eof && !e->shut) {
		e->shut = true;
		shutdown(e->fd, SHUT_WR);
	}
}

static bool may_read(struct end *e)
{
	return !e->eof && other(e)->out.len < LIMIT_QUEUE_HIGH;
}

static void pull(struct end *e)
{
	static char bytes[KIB(64)];
	ssize_t n;

	if (!may_read(e))
		return;
	n = recv(e->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n > 0)
		buf_add(&other(e)->out, bytes, (size_t)n);
	else if (n == 0 || !e->src)
		e->eof = true;
	else if (errno != EAGAIN && errno != EINTR) {
		hang_up(e);
		e->eof = true;
	}
	push(other(e));
}

static void settle(struct raw *w)
{
	for (int i = 0; i < 2; i++)
		while (!w->end[i].src && may_read(&w->end[i]))
			pull(&w->end[i]);
	if (w->end[0].eof && w->end[1].eof && !w->end[0].out.len &&
	    !w->end[1].out.len) {
		raw_free(w);
		return;
	}
	for (int i = 0; i < 2; i++) {
		struct end *e = &w->end[i];

		if (e->src)
			loop_fd_mod(e->src, (may_read(e) ? LOOP_READ : 0) |
					    (e->out.len ? LOOP_WRITE : 0));
	}
	loop_timer_after(w->idle, w->d->tunnel_idle ? w->d->tunnel_idle
						    : LIMIT_TIME_TUNNEL_IDLE);
}

static void on_end(struct loop *l, void *data, unsigned events)
{
	struct end *e = data;

	(void)l;
	if (events & LOOP_WRITE)
		push(e);
	if (events & (LOOP_READ | LOOP_HUP | LOOP_ERR))
		pull(e);
	if (events & (LOOP_HUP | LOOP_ERR))
		hang_up(e);
	settle(e->raw);
}

static void on_idle(struct loop *l, void *data)
{
	(void)l;
	raw_free(data);
}

void preview_join(struct sandbox *s, int client, struct buf *to_port, int port,
		  struct buf *to_client)
{
	struct daemon *d = s->daemon;
	struct raw *w = xcalloc(1, sizeof(*w));
	const int fds[2] = { client, port };

	w->d = d;
	w->s = sandbox_ref(s);
	w->idle = loop_timer_new(d->loop, on_idle, w);
	d->previews++;
	s->previews++;
	list_append(&d->raws, &w->link);
	for (int i = 0; i < 2; i++) {
		w->end[i].raw = w;
		w->end[i].fd = fds[i];
		(void)fd_set_nonblock(fds[i], true);
		w->end[i].src = loop_fd_add(d->loop, fds[i], LOOP_READ,
					    on_end, &w->end[i]);
	}
	w->end[0].out = *to_client;
	w->end[1].out = *to_port;
	*to_client = *to_port = (struct buf)BUF_INIT;
	if (!w->end[0].src || !w->end[1].src) {
		raw_free(w);
		return;
	}
	push(&w->end[0]);
	push(&w->end[1]);
	settle(w);
}

void preview_close_all(struct daemon *d)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &d->raws)
		raw_free(list_entry(pos, struct raw, link));
}
