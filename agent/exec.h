/* SPDX-License-Identifier: MIT */
/*
 * Commands, between
 *
 *	exec.c      which there are; starting and following one
 *	exec-tree.c the processes of one: reports about them, their end
 *	stream.c    its output and input
 *	ends.c      the pipes or the terminal these go through
 *	session.c   requests about one that was started before
 */
#ifndef SVM_AGENT_EXEC_H
#define SVM_AGENT_EXEC_H

#include "agent/agent.h"

struct stream {
	int fd; /* -1 once at its end */
	struct loop_fd *watch;
	struct exec *exec;
	enum frame_type type;
	size_t owed; /* bytes that were readable when the command ended */
};

enum exec_state {
	EXEC_STARTING,
	EXEC_RUNNING,
	EXEC_DRAINING, /* it ended; its output is not all read */
	EXEC_DONE,     /* `exit` is final; streams may live on */
};

/* What the timer means when it fires. */
enum exec_timer { TIMER_START, TIMER_TIMEOUT, TIMER_KILL, TIMER_LAST_RESORT,
		  TIMER_GIVE_UP };

struct exec {
	struct list link; /* agent->execs, oldest first */
	struct agent *agent;
	enum exec_state state;
	char *sid, *command, *cwd;
	uint32_t flags; /* enum agent_exec_flags */
	pid_t pid, supervisor;
	unsigned stops; /* of the supervisor */
	int64_t start_ns; /* boot clock */
	int64_t timeout_ns; /* 0: none */
	uint64_t oom_kills; /* in the sandbox when it was started */
	struct agent_exit exit;
	uint16_t cols, rows;

	int ctl; /* to the supervisor; -1: no process is left */
	struct loop_fd *ctl_watch;
	struct stream out, err;
	int in;
	struct loop_fd *in_watch;
	struct buf input;
	bool input_ends;

	struct ring ring;
	struct list attached, waiting; /* struct conn, by `peers` */
	struct loop_timer *timer;
	enum exec_timer timer_means;
	bool left;      /* the command ended before its children */
	bool killing;   /* EXIT waits until no process is left */
	bool lost;      /* its caller went away: remember the result */
	bool delivered; /* somebody was told EXIT */
	bool forget;    /* failed to start, or KILLed: drop it when done */
};

void exec_follow(struct conn *c, struct exec *x, uint64_t since,
		 bool may_write);
struct exec *exec_find(struct agent *a, const char *sid);
bool exec_is_session(const struct exec *x); /* listed and remembered */

/* Hear what the supervisor reports on ctl, which is taken. */
void exec_tree_open(struct exec *x, pid_t supervisor, int ctl);
void exec_tree_close(struct exec *x);
void exec_tell_signal(struct exec *x, int signo);
void exec_finish_if_done(struct exec *x);

void stream_open(struct stream *s, struct exec *x, enum frame_type type,
		 int fd);
void stream_close(struct stream *s);
void stream_owe(struct stream *s, bool tty); /* the command has ended */
void stream_update(struct exec *x);   /* read or pause, as the readers are */
void stream_give(struct exec *x);     /* new output to everybody */
void stream_leave(struct exec *x, uint64_t from); /* to the logs */
void stream_close_input(struct exec *x);

#endif
