/* SPDX-License-Identifier: MIT */
/*
 * Between daemon and launcher: requests on a SOCK_SEQPACKET pair.
 *
 * A closed set; each is one message of struct launch_request, of which the
 * text is sent only as far as it is used.  The launcher checks every field:
 * it holds the power, the daemon parses what strangers send.  It answers
 * every request with one struct launch_reply and keeps nothing of it.
 *
 * CREATE carries descriptors: the child's end of the agent's setup pair
 * (lib/api/agent-setup.h), then what the child enters its cgroups by: one v2
 * directory (LAUNCH_CGROUP2), or up to LAUNCH_TASKS_MAX v1 `tasks` files.
 * The reply carries the pidfd.  From then on the daemon talks to the child
 * alone: it sends LAUNCH_MOUNTED when its file system stands, then execs the
 * agent; or an error in the agent's own format.
 */
#ifndef SVM_PROVIDERS_NATIVE_LAUNCH_H
#define SVM_PROVIDERS_NATIVE_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/api/limits.h"

enum launch_op {
	LAUNCH_READY = 1, /* the launcher's first message, a reply */
	LAUNCH_CREATE,
	LAUNCH_REMOVE, /* delete boxes/ID; the directory boxes is attached */
	LAUNCH_MAPPED, /* the outer namespace has its ids */
};

enum launch_flags {
	LAUNCH_READ_ONLY = 1u << 0,
	LAUNCH_LAYERS = 1u << 1,  /* text holds the layers, NUL after each */
	LAUNCH_CGROUP2 = 1u << 2, /* clone into the attached directory */
	LAUNCH_UPPER = 1u << 3,   /* the last text is a directory for the
				   * writable layer: tmpfs can't be one */
};

#define LAUNCH_TASKS_MAX 4
#define LAUNCH_TEXT KIB(32)
#define LAUNCH_STDERR_MAX 200

struct launch_request {
	uint32_t op;
	uint32_t flags;
	uint32_t base; /* first id of the box, as the launcher sees ids */
	uint32_t disk_mb;
	uint64_t inodes;
	char id[16];
	uint32_t text_len;
	char text[LAUNCH_TEXT];
};

#define LAUNCH_REQUEST_HEAD offsetof(struct launch_request, text)

struct launch_reply {
	uint32_t op;
	int32_t sys_errno; /* 0: done */
	int32_t pid;
	int64_t clone_ns; /* spent in clone and maps */
	char step[80];    /* what failed */
};

/* The child's stage message on the setup pair: how long the file system took,
 * and when it was there, by CLOCK_MONOTONIC.  No agent's answer starts like
 * this: those start with an svm_code. */
#define LAUNCH_MOUNTED 0x6d6f756eu
struct launch_mounted {
	uint32_t magic;
	uint32_t pad;
	int64_t spent_ns, mono_ns;
};

#endif
