/* SPDX-License-Identifier: MIT */
/*
 * What an agent may say: for each operation the frames it allows, the one
 * that must come first, and the one that ends it.  Everything here judges
 * bytes of an attacker and touches nothing else: no connection, no memory but
 * the caller's.  agent-conn.c moves the bytes and asks.
 *
 * Judgements are NULL when all is well, else what is wrong, for people.
 */
#ifndef SVM_DAEMON_AGENT_RULES_H
#define SVM_DAEMON_AGENT_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/api/frame.h"
#include "lib/base/err.h"

enum agent_rule_flags {
	AGENT_UPLOAD = 1u << 0, /* we send DATA before the reply */
	AGENT_OPEN = 1u << 1,   /* silence after the first reply is normal */
	AGENT_MUTE = 1u << 2,   /* silence is normal from the start */
};

struct agent_rule {
	uint32_t allowed;      /* a bit per reply, besides ERROR */
	enum frame_type first; /* must come first, and only there; 0: any */
	enum frame_type last;
	unsigned flags;
};

/* Of a request; NULL when that type is none. */
const struct agent_rule *agent_rule(enum frame_type request);

/* The greeting, which comes before everything else. */
const char *agent_rule_hello(const struct frame *f,
			     const unsigned char nonce[FRAME_NONCE]);

/* A reply to request `id`; replied: it is not the first. */
const char *agent_rule_reply(const struct agent_rule *rule,
			     const struct frame *f, uint64_t id, bool replied);

/* An ERROR, which may come at any time.  Its text is escaped and bounded, and
 * of its codes those count that blame the caller: else it is PROVIDER. */
const char *agent_rule_error(const struct frame *f, struct svm_err *err);

#endif
