/* SPDX-License-Identifier: MIT */
/* What an agent may say.  See agent-rules.h. */
#include "daemon/agent-rules.h"

#include "lib/api/msg.h"
#include "lib/base/defs.h"
#include "lib/base/escape.h"

#define REPLY(t) (1u << (FRAME_##t - FRAME_DATA))
#define OUTPUT (REPLY(STDOUT) | REPLY(STDERR))

static const struct agent_rule rules[] = {
	[FRAME_EXEC] = { REPLY(STARTED) | OUTPUT | REPLY(EXIT),
			 FRAME_STARTED, FRAME_EXIT, AGENT_OPEN },
	[FRAME_ATTACH] = { REPLY(STARTED) | REPLY(LAGGED) | OUTPUT |
				   REPLY(EXIT),
			   FRAME_STARTED, FRAME_EXIT, AGENT_OPEN },
	[FRAME_SESSIONS] = { REPLY(SESSION) | REPLY(END), 0, FRAME_END, 0 },
	[FRAME_SIGNAL] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_RESIZE] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_KILL] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_LOGS] = { REPLY(LAGGED) | REPLY(SEEN) | REPLY(TTY) | OUTPUT |
				 REPLY(END), 0, FRAME_END, AGENT_OPEN | AGENT_MUTE },
	[FRAME_READ] = { REPLY(FILE) | REPLY(DATA) | REPLY(END), FRAME_FILE,
			 FRAME_END, 0 },
	[FRAME_WRITE] = { REPLY(FILE) | REPLY(END), 0, FRAME_END, AGENT_UPLOAD },
	[FRAME_LIST] = { REPLY(FILE) | REPLY(END), 0, FRAME_END, 0 },
	[FRAME_STAT] = { REPLY(FILE) | REPLY(END), FRAME_FILE, FRAME_END, 0 },
	[FRAME_MOVE] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_CHMOD] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_DELETE] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_GLOB] = { REPLY(PATH) | REPLY(END), 0, FRAME_END, 0 },
	[FRAME_MKDIR] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_TAR_OUT] = { REPLY(DATA) | REPLY(END), 0, FRAME_END, 0 },
	[FRAME_TAR_IN] = { REPLY(END), 0, FRAME_END, AGENT_UPLOAD },
	[FRAME_CONNECT] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_STATS] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_DEADLINE] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_PING] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_SHUTDOWN] = { REPLY(END), 0, FRAME_END, 0 },
	[FRAME_WRITE_IF] = { REPLY(FILE) | REPLY(END), 0, FRAME_END,
			     AGENT_UPLOAD },
	[FRAME_MOVE_NEW] = { REPLY(END), 0, FRAME_END, 0 },
};
_Static_assert(FRAME_TYPE_MAX - FRAME_DATA <= 32, "a bit per reply");

const struct agent_rule *agent_rule(enum frame_type request)
{
	return request < ARRAY_SIZE(rules) && rules[request].last ?
		       &rules[request] : NULL;
}

/* Timing does not tell how much of the nonce was right. */
static bool same_nonce(const unsigned char *a, const unsigned char *b)
{
	volatile unsigned char diff = 0;

	for (size_t i = 0; i < FRAME_NONCE; i++)
		diff = (unsigned char)(diff | (a[i] ^ b[i]));
	return diff == 0;
}

const char *agent_rule_hello(const struct frame *f,
			     const unsigned char nonce[FRAME_NONCE])
{
	struct msg_reader r = msg_reader(f->payload, f->len);
	uint32_t magic = msg_u32(&r);
	uint16_t major = msg_u16(&r);
	size_t n = 0;

	(void)msg_u16(&r);
	(void)msg_u64(&r);
	const void *said = msg_bytes(&r, FRAME_NONCE, &n);
	if (f->type != FRAME_HELLO || !msg_ok(&r) || magic != FRAME_MAGIC ||
	    n != FRAME_NONCE)
		return "no greeting";
	if (!same_nonce(said, nonce))
		return "the wrong nonce";
	if (major != FRAME_MAJOR)
		return "a version of the protocol this daemon does not speak";
	return NULL;
}

const char *agent_rule_reply(const struct agent_rule *rule,
			     const struct frame *f, uint64_t id, bool replied)
{
	if (f->type < FRAME_DATA ||
	    !(rule->allowed & 1u << (f->type - FRAME_DATA)))
		return "a frame this operation does not allow";
	if (f->id != id)
		return "a reply to another request";
	if (rule->first && (f->type == rule->first) == replied)
		return "frames out of order";
	return NULL;
}

/* What an agent may blame on the caller; the rest is the runtime's fault. */
static enum svm_code known_code(uint32_t code)
{
	switch (code) {
	case SVM_BAD_REQUEST:
	case SVM_FORBIDDEN:
	case SVM_NOT_FOUND:
	case SVM_FILE_NOT_FOUND:
	case SVM_TIMEOUT:
	case SVM_CONFLICT:
	case SVM_TOO_LARGE:
	case SVM_RANGE:
	case SVM_RESOURCE_LIMIT:
	case SVM_UNSUPPORTED:
	case SVM_NO_SPACE:
	case SVM_CANCELLED:
	case SVM_PRECONDITION:
		return (enum svm_code)code;
	default:
		return SVM_PROVIDER;
	}
}

const char *agent_rule_error(const struct frame *f, struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	struct msg_reader r = msg_reader(f->payload, f->len);
	uint32_t code = msg_u32(&r), sys = msg_u32(&r);
	size_t n = 0;
	const char *said = msg_bytes(&r, LIMIT_FRAME, &n);

	if (!msg_ok(&r))
		return "an error without its fields";
	escape_line(&text, said, MIN(n, (size_t)LIMIT_AGENT_ERROR));
	svm_err_set(err, known_code(code), "%s", buf_str(&text));
	err->sys_errno = sys < 4096 ? (int)sys : 0;
	return NULL;
}
