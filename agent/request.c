/* SPDX-License-Identifier: MIT */
/* What can be asked of the agent.  See request.h. */
#include "agent/request.h"

#include <errno.h>

#include "agent/agent.h"


static void ping(struct conn *c, struct msg_reader *m)
{
	(void)m;
	conn_finish(c);
}

static void start(struct conn *c, struct msg_reader *m)
{
	(void)m;
	exec_start(c, c->request.data, c->request.len);
}

static void list(struct conn *c, struct msg_reader *m)
{
	(void)m;
	exec_list(c);
}

static void deadline(struct conn *c, struct msg_reader *m)
{
	uint64_t at = msg_u64(m);

	if (!msg_ok(m)) {
		conn_fail(c, SVM_BAD_REQUEST, 0, "malformed request");
		return;
	}
	agent_set_deadline(c->agent, at);
	conn_finish(c);
}

static void shut_down(struct conn *c, struct msg_reader *m)
{
	struct agent *a = c->agent;

	(void)m;
	conn_finish(c);
	conn_update(c); /* c is no more */
	agent_shut_down(a);
}

#define CONTROL true /* works however busy the agent is */

/* Beside those of job.h, which a forked worker answers. */
static const struct request {
	uint16_t type;
	bool control;
	void (*run)(struct conn *c, struct msg_reader *m);
} requests[] = {
	{ FRAME_PING, CONTROL, ping },
	{ FRAME_EXEC, false, start },
	{ FRAME_ATTACH, false, exec_attach },
	{ FRAME_SESSIONS, CONTROL, list },
	{ FRAME_SIGNAL, CONTROL, exec_signal },
	{ FRAME_RESIZE, CONTROL, exec_resize },
	{ FRAME_KILL, CONTROL, exec_kill },
	{ FRAME_LOGS, false, exec_logs },
	{ FRAME_DEADLINE, CONTROL, deadline },
	{ FRAME_SHUTDOWN, CONTROL, shut_down },
};

static const struct request *find(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		if (requests[i].type == type)
			return &requests[i];
	return NULL;
}

int request_add(struct conn *c, const struct frame *f)
{
	if (!c->type) {
		if (f->type >= FRAME_DATA || f->type <= FRAME_HELLO)
			return -EPROTO;
		c->type = f->type;
		c->id = f->id;
	}
	if (f->type != c->type || f->id != c->id ||
	    c->request.len + f->len > LIMIT_AGENT_REQUEST)
		return -EPROTO;
	if (c->agent->request_bytes + f->len > LIMIT_AGENT_REQUESTS) {
		conn_fail(c, SVM_RESOURCE_LIMIT, 0,
			  "too many large requests at once");
		return 0;
	}
	buf_add(&c->request, f->payload, f->len);
	c->agent->request_bytes += f->len;
	return 0;
}

void request_run(struct conn *c)
{
	struct msg_reader m = msg_reader(c->request.data, c->request.len);
	const struct request *r = find(c->type);

	loop_timer_stop(c->timer);
	if (c->agent->nconns > LIMIT_AGENT_OPS && !(r && r->control))
		conn_fail(c, SVM_RESOURCE_LIMIT, 0,
			  "%d operations run in this sandbox already",
			  LIMIT_AGENT_OPS);
	else if (r)
		r->run(c, &m);
	else if (job_handles(c->type))
		job_start(c);
	else
		conn_fail(c, SVM_UNSUPPORTED, 0,
			  "this agent knows no request %u", c->type);
	request_release(c);
}

void request_release(struct conn *c)
{
	c->agent->request_bytes -= c->request.len;
	buf_release(&c->request);
}
