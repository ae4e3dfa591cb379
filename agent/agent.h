/* SPDX-License-Identifier: MIT */
/*
 * The agent: what its files share.
 *
 *	main.c      entry, set-up over fd 3, the loop
 *	conn.c      connections: HELLO, requests, queued output
 *	request.c   what each request asks for
 *	exec.c      commands, from the agent's side; exec.h has its family
 *	supervise.c the small process above each command: start, reap, kill
 *	command.c   the child that becomes the command
 *	confine.c   how a child loses every right it does not need
 *	ring.c      scrollback
 *	job.c       a forked worker for one file operation
 *	file*.c     file operations, run in such a worker
 *
 * One thread.  Whatever can block happens in a forked child.
 */
#ifndef SVM_AGENT_AGENT_H
#define SVM_AGENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/ring.h"
#include "lib/api/agent-setup.h"
#include "lib/api/frame.h"
#include "lib/api/msg.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/list.h"
#include "lib/base/loop.h"

struct agent {
	struct loop *loop;
	struct agent_setup setup;
	struct buf setup_text; /* the filters of setup lie in it */
	int listener, root, cgroup, lock;
	int turn; /* workers lock it while they replace files; -1 without */
	int null; /* /dev/null as it was before the sandbox ran */
	uint64_t permitted; /* capabilities; its bounding set is not larger */
	struct loop_fd *accepting;
	struct loop_timer *deadline;
	struct list conns;
	unsigned nconns;
	size_t request_bytes; /* of requests not yet whole, all connections */
	struct list execs;
	unsigned nexecs;
	int idle_ctl;            /* of a supervisor without a command; -1 */
	pid_t idle_pid;
	struct loop_timer *idle_timer;
	struct ring logs;        /* output that nobody else was given */
	struct list log_readers; /* conns by `peers` */
};

void agent_set_deadline(struct agent *a, uint64_t boot_ns);
NORETURN void agent_shut_down(struct agent *a);

/* Connections. */

enum conn_state {
	CONN_REQUEST, /* the request is not whole yet */
	CONN_OUTPUT,  /* follows an exec or the logs */
	CONN_JOB,     /* a worker owns the socket; only its end is watched */
	CONN_WAIT,    /* answered when an exec has ended */
	CONN_CLOSING, /* what is queued goes out, then it closes */
};

struct conn {
	struct list link;  /* agent->conns */
	struct list peers; /* exec->attached, exec->waiting, log_readers */
	struct agent *agent;
	int fd;
	struct loop_fd *watch;
	struct loop_timer *timer;
	enum conn_state state;
	uint16_t type; /* of the request */
	uint64_t id;
	struct buf in, out;
	struct buf request;
	struct ring *ring; /* CONN_OUTPUT */
	uint64_t cursor;   /* the next byte of it to send */
	struct exec *exec; /* CONN_OUTPUT (NULL: the logs), CONN_WAIT */
	bool started;      /* STARTED was sent */
	bool timed;        /* SEEN and TTY frames are wanted */
	int64_t seen_ns;   /* of the last SEEN */
	bool may_write;    /* stdin and CANCEL count */
	pid_t worker;      /* CONN_JOB */
	unsigned stops;    /* of the worker */
};

void conn_accept(struct loop *l, void *data, unsigned events);
void conn_reply(struct conn *c, enum frame_type type, const void *p, size_t n);
void conn_finish(struct conn *c); /* END without results; closes */
void conn_fail(struct conn *c, enum svm_code code, int e, const char *fmt, ...)
	PRINTF_LIKE(4, 5);            /* ERROR; closes */
void conn_resume(struct conn *c); /* its input is wanted again */
void conn_update(struct conn *c); /* after anything was queued or drained */
void conn_worker_ended(struct agent *a, pid_t pid);

/* Somebody inside has stopped it: its caller would wait for ever. */
void conn_worker_stopped(struct agent *a, pid_t pid);

/* Move output from its ring to its queue as far as there is room. */
void conn_pump(struct conn *c);

/* Commands and sessions. */

void exec_start(struct conn *c, const char *p, size_t n);
void exec_attach(struct conn *c, struct msg_reader *m);
void exec_list(struct conn *c);
void exec_signal(struct conn *c, struct msg_reader *m);
void exec_resize(struct conn *c, struct msg_reader *m);
void exec_kill(struct conn *c, struct msg_reader *m);
void exec_logs(struct conn *c, struct msg_reader *m);
void exec_supervisor_stopped(struct agent *a, pid_t pid); /* if it is one */
void exec_sweep(struct agent *a); /* once per turn: free what is over */

/* From its connections. */
int exec_stdin(struct exec *x, const char *p, size_t n);
bool exec_stdin_full(const struct exec *x);
void exec_cancel(struct exec *x);
void exec_detach(struct conn *c); /* the connection ends */
void exec_pace(struct exec *x);   /* a reader has caught up a little */
bool exec_exit(struct exec *x, struct buf *out); /* after its output */
void exec_started(const struct exec *x, uint64_t offset, struct buf *out);

/* The supervisor of a command (supervise.c).  Requests to it and reports from
 * it are single SOCK_SEQPACKET messages. */

enum supervise_op {
	SUPERVISE_SIGNAL, /* arg: signal, group: foreground group or 0 */
	SUPERVISE_TERM,   /* the whole tree */
	SUPERVISE_KILL,
};

struct supervise_request {
	int32_t op, arg, group;
};

enum supervise_kind {
	SUPERVISE_STARTED, /* a: pid */
	SUPERVISE_FAILED,  /* a: enum command_step, b: errno */
	SUPERVISE_ENDED,   /* a: wait status, b: enum supervise_end */
};

enum supervise_end {
	SUPERVISE_LEFT = 1 << 0,  /* children of the command live on */
	SUPERVISE_STAYS = 1 << 1, /* nothing does; ready for the next one */
};

struct supervise_report {
	int32_t kind, a, b;
};

/* Where a child was when it failed to become the command. */
enum command_step {
	COMMAND_FORK,
	COMMAND_STDIO,
	COMMAND_CONFINE,
	COMMAND_CWD,
	COMMAND_EXEC,
};

struct command_error {
	int32_t step, error;
};

/* Descriptors of a supervisor, before the command is started. */
enum supervise_fd {
	SUPERVISE_FD_STATUS = 3, /* to report a struct command_error */
	SUPERVISE_FD_ROOT,
	SUPERVISE_FD_CGROUP,
	SUPERVISE_FD_CTL,
	SUPERVISE_FD_LOCK,
	SUPERVISE_FD_MAX
};

/* Start m, which is `text` decoded.  fds: stdin, stdout, stderr; borrowed.
 * The supervisor's pid, with our end of its socket, or -errno. */
pid_t supervise_start(struct agent *a, const struct agent_exec *m,
		      const char *text, size_t n, const int fds[3],
		      int *ret_ctl);

/* To make and bury a process is a good part of what we do for a command, so
 * a supervisor of which nothing is left waits for the next command; one does,
 * for SUPERVISE_IDLE.  `take_back` is for one that STAYS, with our end of its
 * socket; `ended` and `stopped` are told of every child: one that was stopped
 * while it waited is not continued but ends. */
#define SUPERVISE_IDLE SECONDS(30)
void supervise_take_back(struct agent *a, pid_t pid, int ctl);
void supervise_ended(struct agent *a, pid_t pid);
void supervise_stopped(struct agent *a, pid_t pid);

/* The environment of a command: ours, and what its request adds.  The array
 * is the caller's, its strings are a's and m's. */
char **command_env(const struct agent *a, const struct agent_exec *m);

/* In the child: 0-2 and SUPERVISE_FD_STATUS, _ROOT are in place. */
NORETURN void command_run(const struct agent *a, const struct agent_exec *m,
			  char *const *env);

/* Confinement of children (confine.c).  All return 0 or -errno. */

/* fork, into the v2 cgroup `work` when cgroup >= 0. */
pid_t confine_fork(int cgroup);

/* The same by vfork: `child` runs in our memory while we wait, and must end in
 * execve or _exit.  Nothing it allocates is freed. */
pid_t confine_vfork(int cgroup, void (*child)(void *arg), void *arg);

/* The capabilities of this process; all when they can't be read. */
uint64_t confine_permitted(void);

/* Limits, then the identity of commands: after it the process can open only
 * what the sandbox's user can. */
int confine_identity(const struct agent *a);

/* No capabilities, no new privileges, Landlock, the work filter. */
int confine_seal(const struct agent *a, int root);
int confine_filter(const void *filter, size_t len);

/* Wall-to-wall path resolution below root (file.c). */
int file_openat(int root, const char *path, int flags, mode_t mode);

/* Workers for file operations (job.c). */
void job_start(struct conn *c);
bool job_handles(uint16_t type);

#endif
