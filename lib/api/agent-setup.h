/* SPDX-License-Identifier: MIT */
/*
 * What a provider tells the agent it starts, and how.
 *
 * The agent is exec'd with an empty environment, argv {"stacyvm-agent"} and
 * fd 3: one end of a SOCK_SEQPACKET pair.  The provider sends one message
 * (agent_setup_encode) with the descriptors of enum agent_setup_fd attached,
 * in that order, those that its flags announce.  The agent answers "ready"
 * (one message, u32 0) or u32 svm_code, u32 errno, str text, and exits.
 * Until it has answered it exits when the pair hits end of file.  After that
 * it lives by itself.
 *
 * It finds the processes of a command in /proc: mounted with hidepid= that
 * needs gid= with a group of the agent, or tree kills find nothing.
 */
#ifndef SVM_API_AGENT_SETUP_H
#define SVM_API_AGENT_SETUP_H

#include <stdint.h>

#include "lib/api/frame.h"

#define AGENT_SETUP_FD 3

enum agent_setup_flags {
	AGENT_SETUP_ROOT = 1u << 0,     /* a root fd is attached: resolve every
					 * path in it; there is no private
					 * root (mock, proot) */
	AGENT_SETUP_CGROUP = 1u << 1,   /* the fd of the v2 `work` leaf is
					 * attached: clone commands into it */
	AGENT_SETUP_SWITCH = 1u << 2,   /* commands and file work run as
					 * uid/gid; needs SETUID and SETGID */
	AGENT_SETUP_LANDLOCK = 1u << 3, /* scope signals and abstract sockets
					 * of commands, as the kernel can */
	AGENT_SETUP_INIT = 1u << 4,     /* it is PID 1 of its namespace */
	AGENT_SETUP_READ_ONLY = 1u << 5,/* Landlock writes too: only /tmp,
					 * /workspace, /app, HOME, /dev */
};

/* Order of the attached descriptors; the listener is always there. */
enum agent_setup_fd {
	AGENT_SETUP_FD_LISTENER,
	AGENT_SETUP_FD_ROOT,
	AGENT_SETUP_FD_CGROUP,
	AGENT_SETUP_FD_LOCK, /* held open for life: the id block's lock; may
			      * be absent */
	AGENT_SETUP_FD_MAX
};

struct agent_setup {
	unsigned char nonce[FRAME_NONCE];
	uint32_t flags;
	uint64_t deadline_boot_ns; /* 0: none; includes the grace */
	uint32_t uid, gid;
	char *home;
	char **env;            /* base environment of every command */
	uint64_t rlimit_nofile, rlimit_nproc, rlimit_fsize; /* 0: leave */
	/* struct sock_filter arrays (8 bytes each), native order; may be
	 * empty.  `agent_filter` is loaded before "ready", `work_filter` in
	 * every command and file worker. */
	const void *agent_filter, *work_filter;
	size_t agent_filter_len, work_filter_len; /* bytes */
};

void agent_setup_encode(struct buf *out, const struct agent_setup *s);

/* Strings are owned by ret, filters are borrowed from data. */
int agent_setup_decode(const char *data, size_t n, struct agent_setup *ret);
void agent_setup_release(struct agent_setup *s);

#endif
