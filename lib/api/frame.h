/* SPDX-License-Identifier: MIT */
/*
 * The channel to an agent: frames on a connected byte stream.
 *
 * One connection carries one operation.  The agent speaks first (HELLO); the
 * client checks the nonce before it trusts or sends anything, then sends one
 * request (one frame, or several with FRAME_MORE whose payloads are joined,
 * LIMIT_AGENT_REQUEST bytes at most), then both sides exchange the frames the
 * operation allows, then the agent closes.
 *
 * Header, 16 bytes, little endian:
 *	u32 length of the payload, <= LIMIT_FRAME
 *	u16 type
 *	u16 flags
 *	u64 id, chosen by the client for its request and echoed in every reply
 *
 * A connection that ends without CANCEL never kills anything: a daemon that
 * died must not look like a caller who changed his mind.
 *
 * Payloads are written with lib/api/msg.h in the order given below; unknown
 * trailing bytes are ignored, so fields can be added at the end.
 */
#ifndef SVM_API_FRAME_H
#define SVM_API_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "lib/api/limits.h"
#include "lib/base/buf.h"

#define FRAME_HEADER 16
#define FRAME_MAJOR 1
#define FRAME_MINOR 0
#define FRAME_NONCE 16

enum frame_type {
	FRAME_NONE,

	/* Agent, first on every connection: u32 magic, u16 major, u16 minor,
	 * u64 feature bits, bytes nonce[16]. */
	FRAME_HELLO,

	/* Requests.  "-> X" is what the agent answers; any request may be
	 * answered by ERROR instead. */
	FRAME_EXEC = 16, /* struct agent_exec -> STARTED, STDOUT/STDERR...,
			  * EXIT */
	FRAME_ATTACH,    /* str sid, u64 since, u32 flags (1: read-only)
			  * -> STARTED, LAGGED?, STDOUT/STDERR..., EXIT */
	FRAME_SESSIONS,  /* -> SESSION..., END */
	FRAME_SIGNAL,    /* str sid, u32 signo -> END (to the foreground
			  * process group of a terminal, else the command) */
	FRAME_RESIZE,    /* str sid, u16 cols, u16 rows -> END */
	FRAME_KILL,      /* str sid: TERM, 2 s, KILL the tree -> END when no
			  * process of it is left */
	FRAME_LOGS,      /* u64 since, u32 flags (1: timed; absent: 0)
			  * -> LAGGED?, STDOUT/STDERR... for ever: output
			  * nobody else was given (background children,
			  * callers that went away), and all of detached
			  * sessions.
			  * Timed: SEEN before what was read at another time,
			  * and TTY instead of STDOUT. */
	FRAME_READ,      /* str path, u64 offset, u64 length (~0: to the end)
			  * -> FILE, DATA..., END */
	FRAME_WRITE,     /* str path, u32 mode, u32 flags; then the client
			  * sends DATA..., END -> FILE, END.  Parents are
			  * made, the file is replaced atomically.  A
			  * connection that ends before END leaves nothing. */
	FRAME_LIST,      /* str path, u32 max -> FILE..., END (u32 truncated) */
	FRAME_STAT,      /* str path -> FILE, END */
	FRAME_MOVE,      /* str old, str new, u32 flags -> END */
	FRAME_CHMOD,     /* str path, u32 mode -> END */
	FRAME_DELETE,    /* str path, u32 flags (1: recursive) -> END (u32 1
			  * if something was there) */
	FRAME_GLOB,      /* str pattern, u32 max -> PATH..., END (u32
			  * truncated) */
	FRAME_MKDIR,     /* str path, u32 mode: with parents -> END */
	FRAME_TAR_OUT,   /* str path -> DATA..., END (u32 entries that can't be
			  * read and were left out, u32 errno, bytes path of
			  * the first of them; older agents send none of it).
			  * The archive of a directory holds what is in it,
			  * without its own name, so that TAR_IN of it makes
			  * a copy; that of a file holds the file. */
	FRAME_TAR_IN,    /* str path; client DATA..., END -> END (u64 entries) */
	FRAME_CONNECT,   /* u16 port: v4 and v6 loopback -> END carrying the
			  * connected socket by SCM_RIGHTS */
	FRAME_STATS,     /* -> END (u32 processes, u64 rss, u64 disk used,
			  * u64 disk total) */
	FRAME_DEADLINE,  /* u64 CLOCK_BOOTTIME ns, 0 none -> END */
	FRAME_PING,      /* -> END */
	FRAME_SHUTDOWN,  /* -> END, then everything is killed and it exits */
	FRAME_WRITE_IF,  /* str path, u32 mode, u32 flags, u32 enum
			  * frame_write_if, u64 ino, u64 size, u64 mtime in
			  * ns: WRITE if what is there is as it says, else
			  * ERROR with PRECONDITION.  A request of its own, as
			  * agents that don't know it must not just write. */
	FRAME_MOVE_NEW,  /* as MOVE, if nothing is there, else ERROR with
			  * PRECONDITION; for the same reason */

	/* Both ways, inside an operation. */
	FRAME_DATA = 64, /* bytes of a file or archive */
	FRAME_END,       /* the last frame; results as given above */
	FRAME_ERROR,     /* the last frame: u32 svm_code, u32 errno, str text */
	FRAME_STDIN,     /* client: bytes; empty payload: end of file */
	FRAME_CANCEL,    /* client: TERM, 2 s, KILL the tree of this exec.
			  * It waits behind STDIN that the command does not
			  * read once LIMIT_AGENT_QUEUE is full: then use
			  * KILL on a connection of its own. */

	/* Agent, inside an operation. */
	FRAME_STARTED,   /* u32 pid, u64 offset of the first output byte that
			  * follows, u32 tty, u16 cols, u16 rows, u64 end
			  * of what was written before now: until there it
			  * is a replay (older agents send none) */
	FRAME_STDOUT,    /* bytes; a terminal's output is STDOUT */
	FRAME_STDERR,
	FRAME_EXIT,      /* struct agent_exit; ends the operation */
	FRAME_LAGGED,    /* u64 bytes that were lost here */
	FRAME_SESSION,   /* struct agent_session */
	FRAME_FILE,      /* struct agent_file */
	FRAME_PATH,      /* str path */
	FRAME_SEEN,      /* u64 CLOCK_BOOTTIME ns: when what follows was read */
	FRAME_TTY,       /* bytes of a terminal */
	FRAME_TYPE_MAX
};

enum frame_flags {
	FRAME_MORE = 1u << 0, /* the request goes on in the next frame */
};

enum frame_write_if {
	FRAME_IF_ANY,   /* nothing is asked */
	FRAME_IF_SAME,  /* the regular file of ino, size and mtime */
	FRAME_IF_THERE, /* a file or link, whichever */
	FRAME_IF_NEW,   /* nothing */
	FRAME_IF_MAX
};

#define FRAME_MAGIC 0x614d5653u /* "SVMa" */

enum frame_features {
	FRAME_FEATURE_EXEC = 1u << 0,
	FRAME_FEATURE_SESSIONS = 1u << 1,
	FRAME_FEATURE_FILES = 1u << 2,
	FRAME_FEATURE_TAR = 1u << 3,
	FRAME_FEATURE_CONNECT = 1u << 4,
};

struct frame {
	uint32_t len;
	uint16_t type;
	uint16_t flags;
	uint64_t id;
	const char *payload; /* borrowed from the decoder's input */
};

/* Append a whole frame; n <= LIMIT_FRAME (else BUG). */
void frame_add(struct buf *out, enum frame_type type, unsigned flags,
	       uint64_t id, const void *payload, size_t n);

/* Append a request of any size up to LIMIT_AGENT_REQUEST as a chain. */
void frame_add_request(struct buf *out, enum frame_type type, uint64_t id,
		       const void *payload, size_t n);

/* Decode one frame from data[0..n).  Returns its whole size, 0 when more
 * bytes are needed, -EPROTO when it can't be one (type or length). */
int frame_decode(const char *data, size_t n, struct frame *ret);

/* The messages.  Encoders append the payload to out.  Decoders return 0 or
 * -EPROTO; strings are owned by the result, released by x_release(). */

enum agent_exec_flags {
	AGENT_EXEC_TTY = 1u << 0,
	AGENT_EXEC_DETACH = 1u << 1, /* the session outlives this connection
				      * also when CANCEL was not sent */
	AGENT_EXEC_STDIN = 1u << 2,  /* STDIN frames follow; else /dev/null */
};

struct agent_exec {
	char *sid;   /* unique in the sandbox, chosen by the daemon */
	char **argv; /* argv[0] is looked up in PATH of env */
	char **env;  /* "K=V", added to and overriding the agent's own */
	char *cwd;
	uint32_t flags;
	uint16_t cols, rows;
	uint64_t timeout_ns; /* 0: none */
};

enum agent_exit_flags {
	AGENT_EXIT_TIMEOUT = 1u << 0,   /* our deadline killed it */
	AGENT_EXIT_CANCELLED = 1u << 1,
	AGENT_EXIT_LEFT = 1u << 2,      /* children of it live on */
	AGENT_EXIT_OOM = 1u << 3,
	AGENT_EXIT_UNKNOWN = 1u << 4,   /* its supervisor was killed */
};

struct agent_exit {
	int32_t code;     /* 0-255; 128 + signal */
	uint32_t signal;  /* 0 or what it died from */
	uint32_t flags;
	uint64_t duration_ns;
};

enum agent_session_flags {
	AGENT_SESSION_TTY = 1u << 0,
	AGENT_SESSION_DETACHED = 1u << 1,
	AGENT_SESSION_RUNNING = 1u << 2,
};

struct agent_session {
	char *sid;
	char *command;    /* argv joined by spaces, cut at 256 bytes */
	uint32_t flags;
	uint32_t pid;
	uint64_t age_ns;  /* since it was started */
	uint32_t attached;
	uint16_t cols, rows;
	uint64_t output;  /* bytes so far: the end offset */
	struct agent_exit exit; /* when not running */
};

struct agent_file {
	char *name;   /* last component, or the path for STAT */
	char *target; /* of a link, else "" */
	uint64_t size;
	uint32_t mode;  /* st_mode whole: type and permission */
	int64_t mtime_ns;
	uint64_t ino;
	uint32_t uid, gid;
};

void agent_exec_encode(struct buf *out, const struct agent_exec *m);
int agent_exec_decode(const char *data, size_t n, struct agent_exec *ret);
void agent_exec_release(struct agent_exec *m);
void agent_exit_encode(struct buf *out, const struct agent_exit *m);
int agent_exit_decode(const char *data, size_t n, struct agent_exit *ret);
void agent_session_encode(struct buf *out, const struct agent_session *m);
int agent_session_decode(const char *data, size_t n,
			 struct agent_session *ret);
void agent_session_release(struct agent_session *m);
void agent_file_encode(struct buf *out, const struct agent_file *m);
int agent_file_decode(const char *data, size_t n, struct agent_file *ret);
void agent_file_release(struct agent_file *m);

#endif
