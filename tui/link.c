/* SPDX-License-Identifier: MIT */
/* Terminals and their WebSockets.  See link.h. */
#include "tui/link.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"
#include "lib/base/work.h"
#include "lib/client/reply.h"
#include "tui/terminal.h"

#define MS INT64_C(1000000)
#define RETRY_MIN_MS 200
#define RETRY_MAX_MS 5000
#define SEND_MAX KIB(64) /* queued in the WebSocket */

/* What runs in a new terminal: the sandbox's own shell. */
static const char find_shell[] =
	"for s in \"$SHELL\" /bin/bash /bin/sh; do "
	"[ -x \"$s\" ] && exec \"$s\"; done; exec sh";

struct links {
	struct loop *loop;
	struct model *m;
	struct fetch_options options;
	struct work_pool *pool;
	bool closing;
	int stop_fd;
	void (*changed)(void *data);
	void *data;
};

struct link {
	struct links *ls;
	struct terminal *t;
	struct ws *ws;
	struct loop_fd *watch;
	struct loop_timer *retry;
	int rows, cols;  /* what the daemon was told */
	bool exited;
	bool read_only;  /* so it was attached */
	int pause_ms;
	/* While a thread opens it. */
	bool opening;
	struct work work;
	char *target;
	struct ws *fresh;
	struct svm_err err;
};

/* -- what the daemon says */

static int size_of(const cJSON *m, const char *key)
{
	const cJSON *v = json_get(m, key);

	return cJSON_IsNumber(v) ? v->valueint : 0;
}

static void on_resized(struct link *k, const cJSON *m)
{
	k->rows = size_of(m, "rows");
	k->cols = size_of(m, "cols");
	terminal_resized(k->t, k->rows, k->cols);
}

static void on_started(struct link *k, const cJSON *m)
{
	const cJSON *sid = json_get(m, "session_id");
	const cJSON *offset = json_get(m, "offset"), *end = json_get(m, "end");
	bool first = !k->t->offset;

	if (cJSON_IsString(sid) && !k->t->sid) {
		k->t->sid = xstrdup(sid->valuestring);
		k->t->begun_ns = clock_boot_ns();
	}
	if (cJSON_IsNumber(offset) && offset->valuedouble >= 0 &&
	    offset->valuedouble < 9e15)
		k->t->offset = (uint64_t)offset->valuedouble;
	/* What we missed while the daemon was gone nobody has answered. */
	if (first && cJSON_IsNumber(end) && end->valuedouble >= 0 &&
	    end->valuedouble < 9e15)
		k->t->replay_end = (uint64_t)end->valuedouble;
	if (k->read_only)
		on_resized(k, m); /* it stays as it is */
}

static void fail(struct link *k, const char *why)
{
	k->t->state = TERMINAL_FAILED;
	terminal_give_up(k->t);
	free(k->t->why);
	k->t->why = xstrdup(why);
}

static void on_text(struct link *k, const char *p, size_t n)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err bad = SVM_ERR_INIT;
	const cJSON *type, *value;
	cJSON *m;

	if (reply_parse(&doc, p, n, &m, &bad) < 0 || !cJSON_IsObject(m))
		return;
	type = json_get(m, "type");
	if (!cJSON_IsString(type))
		return;
	if (strcmp(type->valuestring, "started") == 0) {
		on_started(k, m);
	} else if (strcmp(type->valuestring, "resized") == 0) {
		on_resized(k, m);
	} else if (strcmp(type->valuestring, "exit") == 0) {
		value = json_get(m, "exit_code");
		k->exited = true;
		k->t->exit_code = cJSON_IsNumber(value) ? value->valueint : 0;
		if (k->t->begun_ns)
			k->t->lasted_ns = clock_boot_ns() - k->t->begun_ns;
	} else if (strcmp(type->valuestring, "error") == 0 && !k->exited) {
		value = json_get(m, "message");
		fail(k, cJSON_IsString(value) ? value->valuestring :
						"it can't be run");
	}
}

static void on_message(void *data, enum ws_kind kind, const void *p, size_t n)
{
	struct link *k = data;
	struct terminal *t = k->t;
	size_t old = t->replay_end > t->offset ?
			     (size_t)MIN(n, t->replay_end - t->offset) : 0;

	sync_heard(k->ls->m, clock_boot_ns());
	if (kind == WS_TEXT) {
		on_text(k, p, n);
		return;
	}
	terminal_replay(t, p, old);
	terminal_write(t, (const char *)p + old, n - old);
	t->offset += n;
}

/* -- the connection */

static void drop(struct link *k)
{
	loop_fd_del(k->watch);
	k->watch = NULL;
	ws_free(k->ws);
	k->ws = NULL;
}

static void retry_later(struct link *k)
{
	k->t->state = TERMINAL_LOST;
	if (!k->t->lost_ns)
		k->t->lost_ns = clock_boot_ns();
	loop_timer_after(k->retry, k->pause_ms * MS);
	k->pause_ms = MIN(k->pause_ms * 2, RETRY_MAX_MS);
}

static void ended(struct link *k, int how)
{
	unsigned code = ws_close_code(k->ws);

	drop(k);
	if (k->t->state == TERMINAL_FAILED)
		return;
	if (k->exited)
		k->t->state = TERMINAL_EXITED;
	else if (how == 1 && code == WS_CLOSE_TAKEN)
		fail(k, "taken over by another viewer");
	else if (k->t->sid)
		retry_later(k);
	else
		fail(k, "the connection was lost before it began");
}

static void send_size(struct link *k)
{
	auto_free char *m = NULL;

	if (k->t->theirs || k->read_only ||
	    (k->rows == k->t->rows && k->cols == k->t->cols))
		return;
	k->rows = k->t->rows;
	k->cols = k->t->cols;
	m = xasprintf("{\"type\":\"resize\",\"cols\":%d,\"rows\":%d}",
		      k->cols, k->rows);
	ws_send(k->ws, WS_TEXT, m, strlen(m));
}

static void turn(struct link *k)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct buf *typed = &k->t->typed;
	int r;

	if (k->t->state == TERMINAL_LIVE) {
		send_size(k);
		if (typed->len && ws_queued(k->ws) < SEND_MAX) {
			size_t n = MIN(typed->len, KIB(32));

			ws_send(k->ws, WS_BINARY, typed->data, n);
			buf_consume(typed, n);
		}
	}
	r = ws_turn(k->ws, &err);
	if (r) {
		ended(k, r);
		return;
	}
	short events = ws_events(k->ws);

	loop_fd_mod(k->watch,
		    (events & POLLIN ? LOOP_READ : 0) |
			    (events & POLLOUT || typed->len ? LOOP_WRITE : 0));
}

static void ready(struct loop *l, void *data, unsigned events)
{
	struct link *k = data;

	(void)l, (void)events;
	turn(k);
	k->ls->m->effects |= EFFECT_REDRAW;
	update_settle(k->ls->m);
	k->ls->changed(k->ls->data);
}

/* -- opening, on a thread */

static void open_run(struct work *w)
{
	struct link *k = container_of(w, struct link, work);
	struct client *c = fetch_client(&k->ls->options, false, 0,
					k->ls->stop_fd, &k->err);

	if (c)
		k->fresh = ws_open(c, k->target, on_message, k, &k->err);
	client_free(c);
}

static void send_start(struct link *k)
{
	auto_buf struct buf b = BUF_INIT;
	struct json_writer w = json_writer(&b);

	json_open(&w, NULL, '{');
	json_str(&w, "type", "start");
	json_str(&w, "mode", "argv");
	json_str(&w, "command", "/bin/sh");
	json_open(&w, "args", '[');
	json_str(&w, NULL, "-c");
	json_str(&w, NULL, find_shell);
	json_close(&w, ']');
	json_open(&w, "env", '{');
	json_str(&w, "TERM", "xterm-256color");
	json_close(&w, '}');
	json_bool(&w, "tty", true);
	json_bool(&w, "binary", true);
	json_int(&w, "cols", k->t->cols);
	json_int(&w, "rows", k->t->rows);
	json_close(&w, '}');
	ws_send(k->ws, WS_TEXT, b.data, b.len);
	k->rows = k->t->rows;
	k->cols = k->t->cols;
}

static void opened(struct link *k)
{
	k->ws = steal_ptr(&k->fresh);
	k->watch = loop_fd_add(k->ls->loop, ws_fd(k->ws), LOOP_READ, ready,
			       k);
	terminal_take_size(k->t);
	if (!k->t->sid)
		send_start(k);
	else
		k->rows = k->cols = 0; /* tell it ours */
	k->t->state = TERMINAL_LIVE;
	k->t->lost_ns = 0;
	k->pause_ms = RETRY_MIN_MS;
	turn(k);
}

static void not_opened(struct link *k)
{
	bool again = k->err.code == SVM_UNREACHABLE ||
		     k->err.code == SVM_TIMEOUT ||
		     k->err.code == SVM_UNAVAILABLE;

	if (again && k->t->sid)
		retry_later(k);
	else
		fail(k, k->err.msg ? k->err.msg : "it can't be opened");
}

static void open_done(struct work *w)
{
	struct link *k = container_of(w, struct link, work);

	k->opening = false;
	free(steal_ptr(&k->target));
	if (k->ls->closing || k->t->closed)
		ws_free(steal_ptr(&k->fresh));
	else if (k->fresh)
		opened(k);
	else
		not_opened(k);
	svm_err_release(&k->err);
	if (k->ls->closing)
		return;
	k->ls->m->effects |= EFFECT_REDRAW;
	update_settle(k->ls->m);
	k->ls->changed(k->ls->data);
}

static void begin(struct link *k)
{
	struct buf rest = BUF_INIT;

	k->read_only = k->t->read_only;
	if (!k->t->sid && k->read_only) {
		fail(k, "read-only: it was not begun");
		return;
	}
	if (!k->t->sid) {
		buf_addstr(&rest, "/exec/ws");
	} else {
		buf_addstr(&rest, "/sessions/");
		urlenc_encode(&rest, k->t->sid, strlen(k->t->sid));
		buf_addf(&rest, "/ws?binary=true&since=%llu%s",
			 (unsigned long long)k->t->offset,
			 k->read_only ? "&mode=read-only" : "");
	}
	k->target = request_sandbox(k->t->sandbox, buf_str(&rest));
	buf_release(&rest);
	k->opening = true;
	k->work.run = open_run;
	k->work.done = open_done;
	work_submit(k->ls->pool, &k->work);
}

static void retry_due(struct loop *l, void *data)
{
	struct link *k = data;

	(void)l;
	if (!k->t->closed && !k->ws && !k->opening)
		begin(k);
}

/* -- the model's side */

static void link_new(struct links *ls, struct terminal *t)
{
	struct link *k = xcalloc(1, sizeof(*k));

	k->ls = ls;
	k->t = t;
	k->pause_ms = RETRY_MIN_MS;
	k->retry = loop_timer_new(ls->loop, retry_due, k);
	t->link_data = k;
	begin(k);
}

static void link_free(struct link *k)
{
	drop(k);
	loop_timer_free(k->retry);
	free(k);
}

/* With its sandbox, or without, it is gone. */
static void killed(struct model *m, struct request *r)
{
	(void)m;
	if (r->err.code == SVM_NOT_FOUND || r->err.code == SVM_CONFLICT)
		svm_err_release(&r->err);
}

static void end_session(struct model *m, const struct terminal *t)
{
	struct buf rest = BUF_INIT;
	struct request *r;

	buf_addstr(&rest, "/sessions/");
	urlenc_encode(&rest, t->sid, strlen(t->sid));
	r = request_new("DELETE", request_sandbox(t->sandbox, buf_str(&rest)),
			killed);
	r->doing = xstrdup("end the session");
	buf_release(&rest);
	request_send(m, r);
}

/* Only the daemon can promise that nothing is typed, and let it be again. */
static void attach_otherwise(struct link *k)
{
	drop(k);
	k->t->state = TERMINAL_OPENING;
	begin(k);
}

static void sync_one(struct links *ls, struct terminal *t)
{
	struct link *k = t->link_data;

	if (!t->closed) {
		if (!k && t->wanted)
			link_new(ls, t);
		else if (k && k->ws && t->sid && k->read_only != t->read_only)
			attach_otherwise(k);
		else if (k && k->ws && (t->typed.len || (!t->theirs &&
						    (t->rows != k->rows ||
						     t->cols != k->cols))))
			turn(k);
		return;
	}
	if (k && k->opening)
		return; /* a thread has it */
	if (t->kill && t->sid)
		end_session(ls->m, t);
	if (k)
		link_free(k);
	terminal_free(t);
}

void links_sync(struct links *ls)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &ls->m->terminals)
		sync_one(ls, list_entry(pos, struct terminal, link));
}

struct links *links_new(struct loop *l, struct model *m,
			const struct fetch_options *o,
			void (*changed)(void *data), void *data)
{
	struct links *ls = xcalloc(1, sizeof(*ls));

	ls->loop = l;
	ls->m = m;
	ls->options = *o;
	ls->changed = changed;
	ls->data = data;
	ls->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ls->pool = work_pool_new(l, 2, "tui-link");
	return ls;
}

void links_free(struct links *ls)
{
	struct list *pos, *tmp;
	uint64_t one = 1;

	if (!ls)
		return;
	ls->closing = true;
	if (write(ls->stop_fd, &one, sizeof(one)) < 0)
		perror("stacyvm");
	work_pool_free(ls->pool);
	loop_run_posts(ls->loop);
	list_for_each_safe(pos, tmp, &ls->m->terminals) {
		struct terminal *t = list_entry(pos, struct terminal, link);

		if (t->link_data)
			link_free(t->link_data);
		terminal_free(t);
	}
	close(ls->stop_fd);
	free(ls);
}
