/* SPDX-License-Identifier: MIT */
/* Two sockets, joined: what follows a 101.  See preview.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/daemon.h"
#include "daemon/preview.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

struct end {
	struct raw *raw;
	int fd;
	struct loop_fd *src;
	struct buf out;   /* for this one */
	bool eof;         /* it will send no more */
	bool shut;        /* it was told that nothing follows */
};

struct raw {
	struct list link; /* daemon->raws */
	struct daemon *d;
	struct end end[2];
};

static void raw_free(struct raw *w)
{
	for (int i = 0; i < 2; i++) {
		loop_fd_del(w->end[i].src);
		fd_close(w->end[i].fd);
		buf_release(&w->end[i].out);
	}
	list_remove(&w->link);
	w->d->previews--;
	free(w);
}

static struct end *other(struct end *e)
{
	return e == &e->raw->end[0] ? &e->raw->end[1] : &e->raw->end[0];
}

static void want(struct end *e)
{
	bool room = other(e)->out.len < LIMIT_QUEUE_HIGH;

	loop_fd_mod(e->src, (room && !e->eof ? LOOP_READ : 0) |
				    (e->out.len ? LOOP_WRITE : 0));
}

/* False when it is broken. */
static bool push(struct end *e)
{
	while (e->out.len) {
		ssize_t n = send(e->fd, e->out.data, e->out.len,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		buf_consume(&e->out, (size_t)n);
	}
	if (other(e)->eof && !e->shut) {
		e->shut = true;
		shutdown(e->fd, SHUT_WR);
	}
	return true;
}

/* False when it is broken. */
static bool pull(struct end *e)
{
	static char bytes[KIB(64)];
	ssize_t n;

	if (e->eof || other(e)->out.len >= LIMIT_QUEUE_HIGH)
		return true;
	n = recv(e->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		e->eof = true;
	else
		buf_add(&other(e)->out, bytes, (size_t)n);
	return push(other(e));
}

static void on_end(struct loop *l, void *data, unsigned events)
{
	struct end *e = data;
	struct raw *w = e->raw;
	bool ok = true;

	(void)l;
	if (events & LOOP_WRITE)
		ok = push(e);
	if (ok && events & (LOOP_READ | LOOP_HUP | LOOP_ERR))
		ok = pull(e);
	/* A hang-up with nothing left to read would be told for ever. */
	if (!ok || events & LOOP_ERR || (events & LOOP_HUP && e->eof) ||
	    (w->end[0].eof && w->end[1].eof && !w->end[0].out.len &&
	     !w->end[1].out.len)) {
		raw_free(w);
		return;
	}
	want(&w->end[0]);
	want(&w->end[1]);
}

void preview_join(struct daemon *d, int client, struct buf *to_port, int port,
		  struct buf *to_client)
{
	struct raw *w = xcalloc(1, sizeof(*w));
	const int fds[2] = { client, port };

	w->d = d;
	d->previews++;
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
	if (!w->end[0].src || !w->end[1].src || !push(&w->end[0]) ||
	    !push(&w->end[1])) {
		raw_free(w);
		return;
	}
	want(&w->end[0]);
	want(&w->end[1]);
}

void preview_close_all(struct daemon *d)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &d->raws)
		raw_free(list_entry(pos, struct raw, link));
}
