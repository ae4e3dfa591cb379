/* SPDX-License-Identifier: MIT */
/* The message that starts an agent.  See agent-setup.h. */
#include "lib/api/agent-setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/msg.h"
#include "lib/base/mem.h"

#define FILTER_MAX KIB(32) /* BPF_MAXINSNS is 4096 of 8 bytes */

void agent_setup_encode(struct buf *out, const struct agent_setup *s)
{
	msg_add_bytes(out, s->nonce, sizeof(s->nonce));
	msg_add_u32(out, s->flags);
	msg_add_u64(out, s->deadline_boot_ns);
	msg_add_u32(out, s->uid);
	msg_add_u32(out, s->gid);
	msg_add_str(out, s->home);
	msg_add_strv(out, s->env);
	msg_add_u64(out, s->rlimit_nofile);
	msg_add_u64(out, s->rlimit_nproc);
	msg_add_u64(out, s->rlimit_fsize);
	msg_add_bytes(out, s->agent_filter, s->agent_filter_len);
	msg_add_bytes(out, s->work_filter, s->work_filter_len);
}

int agent_setup_decode(const char *data, size_t n, struct agent_setup *ret)
{
	struct msg_reader r = msg_reader(data, n);
	struct agent_setup s = { 0 };
	size_t len;
	const void *nonce = msg_bytes(&r, sizeof(s.nonce), &len);

	if (len == sizeof(s.nonce))
		memcpy(s.nonce, nonce, len);
	else
		r.bad = true;
	s.flags = msg_u32(&r);
	s.deadline_boot_ns = msg_u64(&r);
	s.uid = msg_u32(&r);
	s.gid = msg_u32(&r);
	s.home = msg_str(&r, LIMIT_PATH);
	s.env = msg_strv(&r, LIMIT_ENV_VARS, LIMIT_ENV_BYTES);
	s.rlimit_nofile = msg_u64(&r);
	s.rlimit_nproc = msg_u64(&r);
	s.rlimit_fsize = msg_u64(&r);
	s.agent_filter = msg_bytes(&r, FILTER_MAX, &s.agent_filter_len);
	s.work_filter = msg_bytes(&r, FILTER_MAX, &s.work_filter_len);
	if (s.agent_filter_len % 8 || s.work_filter_len % 8)
		r.bad = true;
	if (!msg_ok(&r)) {
		agent_setup_release(&s);
		return -EPROTO;
	}
	*ret = s;
	return 0;
}

void agent_setup_release(struct agent_setup *s)
{
	free(s->home);
	strv_free(s->env);
	explicit_bzero(s, sizeof(*s));
}
