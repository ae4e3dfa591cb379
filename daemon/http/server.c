/* SPDX-License-Identifier: MIT */
/* Listeners, accepting, deadlines, and the end of the server. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/http/internal.h"
#include "daemon/http/peer.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"

#define ACCEPT_TURN 64
#define ACCEPT_PAUSE (SECONDS(1) / 10)

_Static_assert(HTTP1_MAX_HEAD == LIMIT_HTTP_HEAD &&
	       HTTP1_MAX_TARGET == LIMIT_HTTP_TARGET &&
	       HTTP1_MAX_HEADERS == LIMIT_HTTP_HEADERS, "one set of limits");

/* Deadlines. */

static void tick_at(struct http_server *s, int64_t at)
{
	if (loop_timer_armed(s->tick) && s->tick_at <= at)
		return;
	s->tick_at = at;
	loop_timer_at(s->tick, at);
}

void conn_timer(struct http_conn *c, enum conn_timer kind)
{
	struct http_server *s = c->server;

	list_remove(&c->timer_link);
	c->timer = (uint8_t)kind;
	if (kind == TIMER_NONE)
		return;
	c->deadline = loop_now_ns(s->loop) + s->time[kind];
	list_append(&s->timers[kind], &c->timer_link);
	tick_at(s, c->deadline);
}

static void on_tick(struct loop *l, void *data)
{
	struct http_server *s = data;
	int64_t now = loop_now_ns(l);

	for (int i = 0; i < TIMER_MAX; i++) {
		while (!list_empty(&s->timers[i])) {
			struct http_conn *c = list_entry(s->timers[i].next,
							 struct http_conn,
							 timer_link);
			if (c->deadline > now) {
				tick_at(s, c->deadline);
				break;
			}
			list_remove(&c->timer_link);
			conn_timeout(c);
		}
	}
}

/* Accepting. */

static void watch_listeners(struct http_server *s, unsigned events)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->listeners)
		loop_fd_mod(list_entry(pos, struct listener, link)->src,
			    events);
}

static void on_pause_over(struct loop *l, void *data)
{
	struct http_server *s = data;

	(void)l;
	if (s->spare < 0)
		s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	watch_listeners(s, LOOP_READ);
}

/* Out of descriptors.  The spare one lets the next caller be told so by a
 * close; then rest, or the waiting backlog would spin the loop. */
static void accept_starved(struct http_server *s, struct listener *ln)
{
	fd_close(s->spare);
	s->spare = -1;
	fd_close(accept4(ln->fd, NULL, NULL, SOCK_CLOEXEC));
	s->counts.refused++;
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	watch_listeners(s, 0);
	loop_timer_after(s->pause, ACCEPT_PAUSE);
}

/* 0 allowed, 1 somebody else, -errno unknown. */
static int check_peer(struct http_server *s, struct http_conn *c)
{
	int r;

	if (c->is_unix)
		r = peer_uid_unix(c->fd, &c->peer_uid);
	else
		r = peer_uid_tcp(s->diag, c->fd, &c->peer_uid);
	if (!c->is_unix && s->o.allow_any_peer)
		return 0;
	if (r < 0)
		return r;
	return c->peer_uid == s->uid || c->peer_uid == 0 ? 0 : 1;
}

static void admit(struct http_server *s, struct listener *ln, int fd)
{
	struct http_conn *c;
	int r;

	s->counts.accepted++;
	if (s->counts.connections >= LIMIT_HTTP_CONNECTIONS + LIMIT_HTTP_OVER) {
		s->counts.refused++;
		fd_close(fd);
		return;
	}
	c = conn_new(s, fd, ln->is_unix);
	r = check_peer(s, c);
	if (r < 0) {
		s->counts.refused++;
		conn_close(c);
	} else if (r > 0) {
		conn_fail(c, 403, SVM_FORBIDDEN,
			  "this daemon belongs to another user");
	} else if (s->counts.connections > LIMIT_HTTP_CONNECTIONS) {
		conn_fail(c, 503, SVM_UNAVAILABLE, "too many connections");
	}
}

static void on_accept(struct loop *l, void *data, unsigned events)
{
	struct listener *ln = data;

	(void)l;
	(void)events;
	for (int i = 0; i < ACCEPT_TURN; i++) {
		int fd = accept4(ln->fd, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			admit(ln->server, ln, fd);
		} else if (errno == EMFILE || errno == ENFILE ||
			   errno == ENOBUFS || errno == ENOMEM) {
			accept_starved(ln->server, ln);
			break;
		} else if (errno == EAGAIN) {
			break;
		} /* else this one connection failed (accept(2)) */
	}
}

void http_server_listen(struct http_server *s, int fd)
{
	struct listener *ln = xcalloc(1, sizeof(*ln));
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		BUG("listener %d is no socket", fd);
	ln->server = s;
	ln->fd = fd;
	ln->is_unix = a.ss_family == AF_UNIX;
	if (!ln->is_unix && s->diag < 0)
		s->diag = peer_diag_open();
	list_append(&s->listeners, &ln->link);
	ln->src = loop_fd_add(s->loop, fd, LOOP_READ, on_accept, ln);
}

static void close_listeners(struct http_server *s)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->listeners) {
		struct listener *ln = list_entry(pos, struct listener, link);

		list_remove(pos);
		loop_fd_del(ln->src);
		fd_close(ln->fd);
		free(ln);
	}
}

/* Requests whose client is gone and whose handler wants to know only now. */
static void on_reap(struct loop *l, void *data)
{
	struct http_server *s = data;
	struct list *pos, *tmp;

	(void)l;
	list_for_each_safe(pos, tmp, &s->detached) {
		struct http_req *r = list_entry(pos, struct http_req, link);

		if (r->on_gone) {
			loop_timer_after(s->reap, 0);
			req_gone(r); /* may change the list: start anew */
			return;
		}
	}
}

/* The end. */

/* Who still waits for an answer gets this one, and a moment to read it. */
static void last_words(struct http_server *s)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->conns) {
		struct http_conn *c = list_entry(pos, struct http_conn, link);

		if (c->req && c->req->handled && !c->req->began)
			conn_fail(c, 503, SVM_UNAVAILABLE,
				  "the daemon stopped before this was done");
		else
			conn_gone(c);
	}
}

static void on_force(struct loop *l, void *data)
{
	struct http_server *s = data;

	(void)l;
	if (!s->forced) {
		s->forced = true;
		last_words(s);
		loop_timer_after(s->force, MIN(s->time[TIMER_LINGER],
					       LIMIT_TIME_LAST_WORD));
		return;
	}
	while (!list_empty(&s->conns))
		conn_gone(list_entry(s->conns.next, struct http_conn, link));
}

void server_conn_closed(struct http_server *s)
{
	/* From the timer's clean stack, not from inside a connection. */
	if (s->done && list_empty(&s->conns))
		loop_timer_after(s->stopped, 0);
}

static void on_stopped(struct loop *l, void *data)
{
	struct http_server *s = data;
	void (*done)(void *) = s->done;

	(void)l;
	if (!list_empty(&s->conns))
		return;
	s->done = NULL;
	loop_timer_stop(s->force);
	if (done)
		done(s->done_data);
}

void http_server_shutdown(struct http_server *s, void (*done)(void *data),
			  void *data)
{
	struct list *pos, *tmp;

	s->stopping = true;
	s->done = done;
	s->done_data = data;
	close_listeners(s);
	loop_timer_stop(s->pause);
	list_for_each_safe(pos, tmp, &s->conns) {
		struct http_conn *c = list_entry(pos, struct http_conn, link);

		c->close_after = true;
		if (c->state == CONN_WS)
			ws_shutdown(c);
		else if (c->req && c->req->on_stop)
			c->req->on_stop(c->req);
		else if (c->state == CONN_HEAD && !c->in.len)
			conn_close(c);
	}
	loop_timer_after(s->force, s->o.time_shutdown ? s->o.time_shutdown :
			 fault_time("http.shutdown", LIMIT_TIME_SHUTDOWN));
	server_conn_closed(s);
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	s->done = NULL;
	close_listeners(s);
	while (!list_empty(&s->conns))
		conn_gone(list_entry(s->conns.next, struct http_conn, link));
	/* Handlers that never asked to be told: nobody will reply now. */
	while (!list_empty(&s->detached)) {
		struct http_req *r = list_entry(s->detached.next,
						struct http_req, link);
		if (r->on_gone)
			req_gone(r);
		else
			req_free(r);
	}
	loop_timer_free(s->tick);
	loop_timer_free(s->pause);
	loop_timer_free(s->reap);
	loop_timer_free(s->force);
	loop_timer_free(s->stopped);
	fd_close(s->diag);
	fd_close(s->spare);
	buf_release(&s->scratch);
	free(s);
}

static void set_times(struct http_server *s)
{
	const struct http_options *o = &s->o;
	const struct {
		int64_t given, normal;
	} times[TIMER_MAX] = {
		[TIMER_FIRST_BYTE] = { o->time_first_byte,
				       LIMIT_TIME_FIRST_BYTE },
		[TIMER_HEAD] = { o->time_head, LIMIT_TIME_HEAD },
		[TIMER_BODY] = { o->time_body, LIMIT_TIME_BODY },
		[TIMER_IDLE_TCP] = { o->time_idle, LIMIT_TIME_IDLE_TCP },
		[TIMER_IDLE_UNIX] = { o->time_idle, LIMIT_TIME_IDLE_UNIX },
		[TIMER_WRITE] = { o->time_write, LIMIT_TIME_WRITE },
		[TIMER_KEEPALIVE] = { o->time_keepalive,
				      fault_time("http.keepalive",
						 LIMIT_TIME_KEEPALIVE) },
		[TIMER_WS_CLOSE] = { o->time_pong, LIMIT_TIME_WS_PONG },
		[TIMER_LINGER] = { o->time_linger, LIMIT_TIME_LINGER },
	};

	for (int i = 0; i < TIMER_MAX; i++) {
		s->time[i] = times[i].given ? times[i].given : times[i].normal;
		list_init(&s->timers[i]);
	}
}

struct http_server *http_server_new(struct loop *l,
				    const struct http_options *o)
{
	struct http_server *s = xcalloc(1, sizeof(*s));

	s->loop = l;
	s->o = *o;
	s->diag = -1;
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	s->uid = geteuid();
	list_init(&s->listeners);
	list_init(&s->conns);
	list_init(&s->detached);
	set_times(s);
	s->tick = loop_timer_new(l, on_tick, s);
	s->pause = loop_timer_new(l, on_pause_over, s);
	s->reap = loop_timer_new(l, on_reap, s);
	s->force = loop_timer_new(l, on_force, s);
	s->stopped = loop_timer_new(l, on_stopped, s);
	rand_bytes(&s->id_seed, sizeof(s->id_seed));
	return s;
}

void http_server_end_streams(struct http_server *s)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->conns) {
		struct http_conn *c = list_entry(pos, struct http_conn, link);
		bool goes_on = c->state == CONN_WS ||
			       (c->req && c->req->began);

		if (goes_on && !c->is_unix)
			conn_gone(c);
	}
}

void http_server_set_hosts(struct http_server *s, char *const *allowed_hosts,
			   char *const *cors_origins)
{
	s->o.allowed_hosts = allowed_hosts;
	s->o.cors_origins = cors_origins;
}

void http_server_counts(const struct http_server *s, struct http_counts *ret)
{
	*ret = s->counts;
}
