/* SPDX-License-Identifier: MIT */
/*
 * What the commands of a sandbox write, into its log: as they are read, or
 * later from the agent, when nobody was there to read them.
 */
#include "daemon/daemon.h"
#include "daemon/log-follow.h"
#include "daemon/sandbox-log.h"
#include "daemon/sandbox.h"
#include "lib/api/msg.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

struct sandbox_log *sandbox_log(struct sandbox *s)
{
	if (s->log || s->state == SANDBOX_DESTROYING ||
	    s->state == SANDBOX_DESTROYED ||
	    (s->state == SANDBOX_CREATING && !s->setup))
		return s->log;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *dir =
		xasprintf("%s/boxes/%s", s->daemon->dirs.state, s->id);
	static struct log_limit limit;
	if (sandbox_log_open(dir, &s->log, &err) < 0 &&
	    log_limited(&limit, 5))
		log_warn_e(&err, "sandbox=%s its output is not logged", s->id);
	return s->log;
}

void sandbox_log_output(struct sandbox *s, const char *sid,
			enum log_stream stream, const void *p, size_t n)
{
	struct sandbox_log *l = p ? sandbox_log(s) : s->log;

	if (!l)
		return;
	if (p)
		sandbox_log_add(l, sid, stream, 0, p, n);
	else
		sandbox_log_finish(l, sid);
	log_followers_wake(s);
}

/* Output the agent has kept: nobody knows any more whose it is. */
static void leftover_output(struct sandbox *s, enum log_stream stream,
			    const struct frame *f)
{
	struct sandbox_log *l = sandbox_log(s);

	if (!l)
		return;
	sandbox_log_add(l, "", stream, s->leftovers_seen, f->payload, f->len);
	sandbox_log_set_agent_at(l, sandbox_log_agent_at(l) + f->len);
	log_followers_wake(s);
}

static void leftover_lost(struct sandbox *s, uint64_t n)
{
	struct sandbox_log *l = sandbox_log(s);

	if (!l)
		return;
	sandbox_log_finish(l, "");
	sandbox_log_lost(l, n);
	sandbox_log_set_agent_at(l, sandbox_log_agent_at(l) + n);
	log_followers_wake(s);
}

static void leftover_frame(void *data, const struct frame *f, int *fd)
{
	struct sandbox *s = data;
	struct msg_reader m = msg_reader(f->payload, f->len);

	(void)fd;
	switch (f->type) {
	case FRAME_SEEN:
		s->leftovers_seen = (int64_t)msg_u64(&m);
		break;
	case FRAME_LAGGED:
		leftover_lost(s, msg_u64(&m));
		break;
	case FRAME_STDOUT:
		leftover_output(s, LOG_STREAM_STDOUT, f);
		break;
	case FRAME_STDERR:
		leftover_output(s, LOG_STREAM_STDERR, f);
		break;
	case FRAME_TTY:
		leftover_output(s, LOG_STREAM_PTY, f);
		break;
	default:
		break;
	}
}

static void leftover_end(void *data, const struct svm_err *err)
{
	struct sandbox *s = data;

	s->leftovers = NULL;
	if (err)
		log_debug_e(err, "sandbox=%s the stream of leftovers ended",
			    s->id);
}

void sandbox_follow_leftovers(struct sandbox *s)
{
	static const struct agent_conn_events ev = {
		.on_frame = leftover_frame,
		.on_end = leftover_end,
	};
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf request = BUF_INIT;
	struct sandbox_log *l = sandbox_log(s);

	if (s->leftovers || !l)
		return;
	s->leftovers_seen = 0;
	msg_add_u64(&request, sandbox_log_agent_at(l));
	msg_add_u32(&request, 1); /* timed */
	s->leftovers = sandbox_agent(s, FRAME_LOGS, request.data, request.len,
				     INT64_MAX, &ev, s, &err);
}
