/* SPDX-License-Identifier: MIT */
/*
 * Frames and messages of the agent channel, as both sides read them: no bytes
 * crash a decoder or make it read too far, and what decodes comes back the
 * same from its own encoding.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/agent-setup.h"
#include "lib/api/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* decode(encode(decode(x))) encodes to the same bytes. */
#define ROUND_TRIP(type, release)                                         \
	static void try_##type(const char *p, size_t n)                   \
	{                                                                 \
		auto_buf struct buf once = BUF_INIT, twice = BUF_INIT;    \
		struct type m, again;                                     \
                                                                          \
		if (type##_decode(p, n, &m) < 0)                          \
			return;                                           \
		type##_encode(&once, &m);                                 \
		if (type##_decode(once.data, once.len, &again) < 0)       \
			abort();                                          \
		type##_encode(&twice, &again);                            \
		if (once.len != twice.len ||                              \
		    memcmp(once.data, twice.data, once.len) != 0)         \
			abort();                                          \
		release(&m);                                              \
		release(&again);                                          \
	}

static void nothing(struct agent_exit *m)
{
	(void)m;
}

ROUND_TRIP(agent_exec, agent_exec_release)
ROUND_TRIP(agent_exit, nothing)
ROUND_TRIP(agent_session, agent_session_release)
ROUND_TRIP(agent_file, agent_file_release)
ROUND_TRIP(agent_setup, agent_setup_release)

static void try_messages(const char *p, size_t n)
{
	try_agent_exec(p, n);
	try_agent_exit(p, n);
	try_agent_session(p, n);
	try_agent_file(p, n);
	try_agent_setup(p, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct frame f;
	int r;

	try_messages(p, size);
	while ((r = frame_decode(p, size, &f)) > 0) {
		if ((size_t)r > size ||
		    (size_t)r != FRAME_HEADER + (size_t)f.len ||
		    f.len > LIMIT_FRAME)
			abort();
		try_messages(f.payload, f.len);
		p += r;
		size -= (size_t)r;
	}
	return 0;
}
