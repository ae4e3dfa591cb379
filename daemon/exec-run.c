/* SPDX-License-Identifier: MIT */
/* A running command as the daemon sees it.  See exec-run.h. */
#include "daemon/exec-run.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/agent-conn.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/exec-request.h"
#include "daemon/quota.h"
#include "daemon/sandbox-log.h"
#include "daemon/sandbox.h"
#include "daemon/store.h"
#include "lib/api/msg.h"
#include "lib/base/duration.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"

#define INPUT_PIECE KIB(32)

struct exec_run {
	struct sandbox *sandbox;
	struct agent_conn *conn;
	struct loop_timer *give_up; /* after CANCEL */
	struct exec_run_events ev;
	void *data;
	char sid[LIMIT_SESSION_ID + 1];
	char *shown;
	struct audit_who who;
	bool attached;  /* to a session somebody else started */
	bool survives;  /* its caller: terminal or detached */
	bool live_input;
	bool started, orphan, dead;
	bool tty;
	bool detached;  /* its output comes with the leftovers */
	unsigned busy;
	struct agent_exit exit;
	bool exited;
	struct buf input;
	size_t input_pos;
};

/* No events any more; output is still read and logged. */
static void no_output(void *data, bool is_stderr, const char *p, size_t n)
{
	(void)data;
	(void)is_stderr;
	(void)p;
	(void)n;
}

static void no_start(void *data, const struct exec_started *s)
{
	(void)data;
	(void)s;
}

static void no_end(void *data, const struct agent_exit *x,
		   const struct svm_err *err)
{
	(void)data;
	(void)x;
	(void)err;
}

static const struct exec_run_events nobody = {
	.started = no_start, .output = no_output, .ended = no_end,
};

static void release(struct exec_run *run)
{
	loop_timer_free(run->give_up);
	sandbox_unref(run->sandbox);
	buf_release(&run->input);
	free(run->shown);
	audit_who_release(&run->who);
	free(run);
}

static void leave(struct exec_run *run)
{
	if (--run->busy == 0 && run->dead)
		release(run);
}

/* Events of the sandbox. */

/* Who began which command, and how it ended. */
static void audit_tell(struct store_txn *t, const struct exec_run *run,
		       const struct agent_exit *x, const char *why)
{
	auto_free char *result =
		why ? xstrdup(svm_code_name(SVM_PROVIDER)) :
		!x ? xstrdup("ok") :
		x->flags & AGENT_EXIT_TIMEOUT ?
			xstrdup(svm_code_name(SVM_TIMEOUT)) :
			xasprintf("exit %d", x->code);

	audit_add(t, &run->who, run->sandbox,
		  x || why ? "exec.end" : "exec.start", run->shown, result);
}

static void tell(struct exec_run *run, enum event_type type,
		 const struct agent_exit *x, const char *why)
{
	auto_buf struct buf data = BUF_INIT;
	struct json_writer w = json_writer(&data);
	struct sandbox *s = run->sandbox;
	char took[DURATION_SIZE];

	if (run->attached)
		return;
	json_open(&w, NULL, '{');
	json_str(&w, "session_id", run->sid);
	json_str(&w, "command", run->shown);
	if (x) {
		json_int(&w, "exit_code", x->code);
		duration_format((int64_t)x->duration_ns, took);
		json_str(&w, "duration", took);
	}
	if (why)
		json_str(&w, "error", why);
	json_close(&w, '}');
	struct store_txn *t = store_begin(s->daemon->store);
	if (!s->spec.warm) /* nobody knows of it yet */
		store_add_event(t, type, s->id, s->spec.owner,
				buf_str(&data));
	audit_tell(t, run, x, why);
	/* The command is about to run: its beginning is on record with its
	 * end, if that comes at once. */
	if (x || why)
		events_commit(s->daemon, t);
	else
		events_commit_soon(s->daemon, t);
}

static void finish(struct exec_run *run, const struct svm_err *err)
{
	run->dead = true;
	if (!run->busy)
		BUG("a run ended outside of its connection");
	run->ev.ended(run->data, err ? NULL : &run->exit, err);
}

/* The agent talked nonsense. */
static void finish_broken(struct exec_run *run)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	agent_conn_drop(run->conn);
	run->conn = NULL;
	svm_err_set(&err, SVM_PROVIDER,
		    "the agent broke the protocol: a message without its "
		    "fields");
	tell(run, EVENT_EXEC_FAILED, NULL, err.msg);
	finish(run, &err);
}

/* Input. */

static void pump_input(struct exec_run *run)
{
	size_t queued = 0;

	while (run->input_pos < run->input.len && queued <= LIMIT_QUEUE_HIGH) {
		size_t n = MIN(run->input.len - run->input_pos,
			       (size_t)INPUT_PIECE);

		queued = agent_conn_send(run->conn, FRAME_STDIN,
					 run->input.data + run->input_pos, n);
		run->input_pos += n;
	}
	if (!run->input.len || run->input_pos < run->input.len)
		return;
	buf_release(&run->input);
	run->input_pos = 0;
	if (!run->live_input)
		agent_conn_send(run->conn, FRAME_STDIN, NULL, 0);
}

size_t exec_run_input(struct exec_run *run, const void *p, size_t n)
{
	const char *s = p;
	size_t queued = 0;

	if (!run->conn)
		return 0;
	if (!n)
		return agent_conn_send(run->conn, FRAME_STDIN, NULL, 0);
	while (n) {
		size_t piece = MIN(n, (size_t)INPUT_PIECE);

		queued = agent_conn_send(run->conn, FRAME_STDIN, s, piece);
		s += piece;
		n -= piece;
	}
	return queued;
}

static void on_drain(void *data)
{
	struct exec_run *run = data;

	run->busy++;
	if (run->input.len)
		pump_input(run);
	else if (run->ev.drained)
		run->ev.drained(run->data);
	leave(run);
}

/* Output. */

static void on_started(struct exec_run *run, const struct frame *f)
{
	struct msg_reader r = msg_reader(f->payload, f->len);
	struct exec_started s = { 0 };

	s.pid = msg_u32(&r);
	s.offset = msg_u64(&r);
	s.tty = msg_u32(&r) != 0;
	s.cols = msg_u16(&r);
	s.rows = msg_u16(&r);
	if (!msg_ok(&r)) {
		finish_broken(run);
		return;
	}
	s.end = msg_u64(&r); /* older agents send none */
	s.end = MAX(s.end, s.offset);
	run->started = true;
	run->tty = s.tty;
	if (run->detached)
		sandbox_follow_leftovers(run->sandbox);
	tell(run, EVENT_EXEC_STARTED, NULL, NULL);
	run->ev.started(run->data, &s);
}

static void on_output(struct exec_run *run, const struct frame *f)
{
	bool is_stderr = f->type == FRAME_STDERR;

	if (!f->len)
		return;
	if (!run->attached && !run->detached)
		sandbox_log_output(run->sandbox, run->sid,
				   run->tty  ? LOG_STREAM_PTY :
				   is_stderr ? LOG_STREAM_STDERR :
					       LOG_STREAM_STDOUT,
				   f->payload, f->len);
	run->ev.output(run->data, is_stderr, f->payload, f->len);
}

static void end_output(struct exec_run *run)
{
	if (!run->attached)
		sandbox_log_output(run->sandbox, run->sid, LOG_STREAM_UNKNOWN,
				   NULL, 0);
}

static void on_exited(struct exec_run *run, const struct frame *f)
{
	if (agent_exit_decode(f->payload, f->len, &run->exit) < 0)
		finish_broken(run);
	else
		run->exited = true;
}

static void on_frame(void *data, const struct frame *f, int *fd)
{
	struct exec_run *run = data;
	struct msg_reader r;

	(void)fd;
	run->busy++;
	switch (f->type) {
	case FRAME_STARTED:
		on_started(run, f);
		break;
	case FRAME_STDOUT:
	case FRAME_STDERR:
		on_output(run, f);
		break;
	case FRAME_LAGGED:
		r = msg_reader(f->payload, f->len);
		if (run->ev.lagged)
			run->ev.lagged(run->data, msg_u64(&r));
		break;
	case FRAME_EXIT:
		on_exited(run, f);
		break;
	default:
		break;
	}
	leave(run);
}

static void explain(const struct exec_run *run, const struct svm_err *from,
		    struct svm_err *to)
{
	if (sandbox_taken_away(run->sandbox, from, to))
		return;
	/* TIMEOUT is the command's own; a dumb agent is the runtime's. */
	svm_err_set(to, from->code == SVM_TIMEOUT ? SVM_PROVIDER : from->code,
		    "%s", from->msg);
	to->sys_errno = from->sys_errno;
	if (from->hint)
		svm_err_hint(to, "%s", from->hint);
}

static void on_end(void *data, const struct svm_err *err)
{
	auto_err struct svm_err why = SVM_ERR_INIT;
	struct exec_run *run = data;

	run->busy++;
	run->conn = NULL;
	end_output(run);
	if (err)
		explain(run, err, &why);
	else if (run->exit.flags & AGENT_EXIT_UNKNOWN)
		svm_err_set(&why, SVM_PROVIDER, "how the command ended is not "
			    "known: what watched over it was killed");
	if (run->exit.flags & AGENT_EXIT_LEFT)
		sandbox_follow_leftovers(run->sandbox);
	/* On record before it is answered, whatever becomes of us. */
	if (!run->attached && run->sandbox->log)
		sandbox_log_flush(run->sandbox->log);
	/* The caller first: to wake those who write events takes as long as
	 * to answer him.  Nothing else is done for anybody in between. */
	finish(run, why.code ? &why : NULL);
	if (why.code)
		tell(run, EVENT_EXEC_FAILED, NULL, why.msg);
	else if (run->exit.flags & AGENT_EXIT_TIMEOUT)
		tell(run, EVENT_EXEC_TIMEOUT, &run->exit, NULL);
	else
		tell(run, EVENT_EXEC_COMPLETED, &run->exit, NULL);
	leave(run);
}

static const struct agent_conn_events conn_events = {
	on_frame, on_drain, on_end,
};

/* Beginning and leaving. */

/* The configured default and the longest that is allowed. */
static int64_t timeout_of(const struct sandbox *s, const struct exec_request *q)
{
	int64_t ns = q->timeout_ns;
	struct quota_limits l;

	if (!ns)
		ns = s->daemon->config->defaults_default_exec_timeout;
	quota_limits(s->daemon, s->spec.owner, &l);
	return l.max_exec_timeout_ns && (!ns || ns > l.max_exec_timeout_ns) ?
		       l.max_exec_timeout_ns : ns;
}

static struct exec_run *run_new(struct sandbox *s, enum frame_type type,
				const struct buf *payload, struct svm_err *err)
{
	struct exec_run *run = xcalloc(1, sizeof(*run));

	run->conn = sandbox_agent(s, type, payload->data, payload->len, 0,
				  &conn_events, run, err);
	if (!run->conn) {
		free(run);
		return NULL;
	}
	run->sandbox = sandbox_ref(s);
	return run;
}

struct exec_run *exec_run_start(struct sandbox *s, struct exec_request *q,
				bool live_input,
				const struct exec_run_events *ev, void *data,
				struct svm_err *err)
{
	auto_buf struct buf payload = BUF_INIT;
	char sid[12] = "ex-";

	q->timeout_ns = timeout_of(s, q);
	rand_hex(sid + 3, 8);
	if (exec_request_encode(q, s, sid, live_input, &payload, err) < 0)
		return NULL;
	struct exec_run *run = run_new(s, FRAME_EXEC, &payload, err);
	if (!run)
		return NULL;
	run->ev = *ev;
	run->data = data;
	memcpy(run->sid, sid, sizeof(sid));
	run->shown = xstrdup(q->shown);
	run->who = q->who;
	q->who = (struct audit_who)AUDIT_WHO_INIT;
	run->survives = q->tty || q->detach;
	run->detached = q->detach;
	run->live_input = live_input;
	run->input = q->input;
	q->input = (struct buf)BUF_INIT;
	if (run->input.len)
		pump_input(run);
	else if (q->has_input && !live_input)
		agent_conn_send(run->conn, FRAME_STDIN, NULL, 0);
	return run;
}

struct exec_run *exec_run_attach(struct sandbox *s, const char *sid,
				 uint64_t since, bool read_only,
				 const struct exec_run_events *ev, void *data,
				 struct svm_err *err)
{
	auto_buf struct buf payload = BUF_INIT;

	msg_add_str(&payload, sid);
	msg_add_u64(&payload, since);
	msg_add_u32(&payload, read_only ? 1 : 0);
	struct exec_run *run = run_new(s, FRAME_ATTACH, &payload, err);
	if (!run)
		return NULL;
	run->ev = *ev;
	run->data = data;
	(void)strncpy(run->sid, sid, sizeof(run->sid) - 1);
	run->attached = run->survives = run->live_input = true;
	return run;
}

const char *exec_run_sid(const struct exec_run *run)
{
	return run->sid;
}

struct sandbox *exec_run_sandbox(const struct exec_run *run)
{
	return run->sandbox;
}

void exec_run_pause(struct exec_run *run, bool pause)
{
	if (run->conn)
		agent_conn_pause(run->conn, pause);
}

void exec_run_detach(struct exec_run *run)
{
	if (run->dead)
		return;
	end_output(run); /* the rest comes with the leftovers */
	run->ev = nobody;
	run->dead = true;
	agent_conn_drop(run->conn);
	run->conn = NULL;
	if (run->sandbox->state == SANDBOX_RUNNING && !run->attached)
		sandbox_follow_leftovers(run->sandbox);
	if (!run->busy)
		release(run);
}

static void on_give_up(struct loop *l, void *data)
{
	struct exec_run *run = data;

	(void)l;
	exec_run_detach(run);
}

/* The connection stays until the tree is dead, so that the agent need not
 * guess whether the daemon died or changed its mind. */
void exec_run_leave(struct exec_run *run)
{
	struct daemon *d = run->sandbox->daemon;

	if (run->dead)
		return;
	if (run->survives || d->stopping || run->exited) {
		exec_run_detach(run);
		return;
	}
	run->ev = nobody;
	run->data = NULL;
	agent_conn_send(run->conn, FRAME_CANCEL, NULL, 0);
	agent_conn_pause(run->conn, false);
	run->give_up = loop_timer_new(d->loop, on_give_up, run);
	loop_timer_after(run->give_up,
			 LIMIT_TIME_CANCEL + LIMIT_TIME_AGENT_REPLY);
}
