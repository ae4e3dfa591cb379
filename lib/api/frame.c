/* SPDX-License-Identifier: MIT */
/* Frames of the agent channel and their messages.  See frame.h. */
#include "lib/api/frame.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/api/msg.h"
#include "lib/base/err.h"
#include "lib/base/mem.h"

void frame_add(struct buf *out, enum frame_type type, unsigned flags,
	       uint64_t id, const void *payload, size_t n)
{
	if (n > LIMIT_FRAME)
		BUG("frame of type %d with %zu bytes", (int)type, n);
	buf_reserve(out, FRAME_HEADER + n);
	msg_add_u32(out, (uint32_t)n);
	msg_add_u16(out, (uint16_t)type);
	msg_add_u16(out, (uint16_t)flags);
	msg_add_u64(out, id);
	buf_add(out, payload, n);
}

void frame_add_request(struct buf *out, enum frame_type type, uint64_t id,
		       const void *payload, size_t n)
{
	const char *p = payload;

	if (n > LIMIT_AGENT_REQUEST)
		BUG("request of type %d with %zu bytes", (int)type, n);
	for (; n > LIMIT_FRAME; p += LIMIT_FRAME, n -= LIMIT_FRAME)
		frame_add(out, type, FRAME_MORE, id, p, LIMIT_FRAME);
	frame_add(out, type, 0, id, p, n);
}

int frame_decode(const char *data, size_t n, struct frame *ret)
{
	struct msg_reader r = msg_reader(data, n);
	struct frame f;

	if (n < FRAME_HEADER)
		return 0;
	f.len = msg_u32(&r);
	f.type = msg_u16(&r);
	f.flags = msg_u16(&r);
	f.id = msg_u64(&r);
	if (f.len > LIMIT_FRAME || f.type == FRAME_NONE ||
	    f.type >= FRAME_TYPE_MAX)
		return -EPROTO;
	if (r.left < f.len)
		return 0;
	f.payload = (const char *)r.p;
	*ret = f;
	return FRAME_HEADER + (int)f.len;
}

void agent_exec_encode(struct buf *out, const struct agent_exec *m)
{
	msg_add_str(out, m->sid);
	msg_add_strv(out, m->argv);
	msg_add_strv(out, m->env);
	msg_add_str(out, m->cwd);
	msg_add_u32(out, m->flags);
	msg_add_u16(out, m->cols);
	msg_add_u16(out, m->rows);
	msg_add_u64(out, m->timeout_ns);
}

int agent_exec_decode(const char *data, size_t n, struct agent_exec *ret)
{
	struct msg_reader r = msg_reader(data, n);
	struct agent_exec m = { 0 };

	m.sid = msg_str(&r, LIMIT_SESSION_ID);
	m.argv = msg_strv(&r, LIMIT_ARGS, LIMIT_AGENT_REQUEST);
	m.env = msg_strv(&r, LIMIT_ENV_VARS * 2, LIMIT_AGENT_REQUEST);
	m.cwd = msg_str(&r, LIMIT_PATH);
	m.flags = msg_u32(&r);
	m.cols = msg_u16(&r);
	m.rows = msg_u16(&r);
	m.timeout_ns = msg_u64(&r);
	if (!msg_ok(&r) || !m.argv[0]) {
		agent_exec_release(&m);
		return -EPROTO;
	}
	*ret = m;
	return 0;
}

void agent_exec_release(struct agent_exec *m)
{
	free(m->sid);
	strv_free(m->argv);
	strv_free(m->env);
	free(m->cwd);
	*m = (struct agent_exec){ 0 };
}

void agent_exit_encode(struct buf *out, const struct agent_exit *m)
{
	msg_add_u32(out, (uint32_t)m->code);
	msg_add_u32(out, m->signal);
	msg_add_u32(out, m->flags);
	msg_add_u64(out, m->duration_ns);
}

static struct agent_exit read_exit(struct msg_reader *r)
{
	struct agent_exit m = { 0 };

	m.code = (int32_t)msg_u32(r);
	m.signal = msg_u32(r);
	m.flags = msg_u32(r);
	m.duration_ns = msg_u64(r);
	if (m.code < 0 || m.code > 255 || m.signal > 64)
		r->bad = true;
	return m;
}

int agent_exit_decode(const char *data, size_t n, struct agent_exit *ret)
{
	struct msg_reader r = msg_reader(data, n);
	struct agent_exit m = read_exit(&r);

	if (!msg_ok(&r))
		return -EPROTO;
	*ret = m;
	return 0;
}

void agent_session_encode(struct buf *out, const struct agent_session *m)
{
	msg_add_str(out, m->sid);
	msg_add_str(out, m->command);
	msg_add_u32(out, m->flags);
	msg_add_u32(out, m->pid);
	msg_add_u64(out, m->age_ns);
	msg_add_u32(out, m->attached);
	msg_add_u16(out, m->cols);
	msg_add_u16(out, m->rows);
	msg_add_u64(out, m->output);
	agent_exit_encode(out, &m->exit);
}

int agent_session_decode(const char *data, size_t n, struct agent_session *ret)
{
	struct msg_reader r = msg_reader(data, n);
	struct agent_session m = { 0 };

	m.sid = msg_str(&r, LIMIT_SESSION_ID);
	m.command = msg_str(&r, 256);
	m.flags = msg_u32(&r);
	m.pid = msg_u32(&r);
	m.age_ns = msg_u64(&r);
	m.attached = msg_u32(&r);
	m.cols = msg_u16(&r);
	m.rows = msg_u16(&r);
	m.output = msg_u64(&r);
	m.exit = read_exit(&r);
	if (!msg_ok(&r)) {
		agent_session_release(&m);
		return -EPROTO;
	}
	*ret = m;
	return 0;
}

void agent_session_release(struct agent_session *m)
{
	free(m->sid);
	free(m->command);
	*m = (struct agent_session){ 0 };
}

void agent_file_encode(struct buf *out, const struct agent_file *m)
{
	msg_add_str(out, m->name);
	msg_add_str(out, m->target);
	msg_add_u64(out, m->size);
	msg_add_u32(out, m->mode);
	msg_add_u64(out, (uint64_t)m->mtime_ns);
	msg_add_u64(out, m->ino);
	msg_add_u32(out, m->uid);
	msg_add_u32(out, m->gid);
}

int agent_file_decode(const char *data, size_t n, struct agent_file *ret)
{
	struct msg_reader r = msg_reader(data, n);
	struct agent_file m = { 0 };

	m.name = msg_str(&r, LIMIT_PATH);
	m.target = msg_str(&r, LIMIT_PATH);
	m.size = msg_u64(&r);
	m.mode = msg_u32(&r);
	m.mtime_ns = (int64_t)msg_u64(&r);
	m.ino = msg_u64(&r);
	m.uid = msg_u32(&r);
	m.gid = msg_u32(&r);
	if (!msg_ok(&r)) {
		agent_file_release(&m);
		return -EPROTO;
	}
	*ret = m;
	return 0;
}

void agent_file_release(struct agent_file *m)
{
	free(m->name);
	free(m->target);
	*m = (struct agent_file){ 0 };
}
