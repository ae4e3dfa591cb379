/* SPDX-License-Identifier: MIT */
/*
 * File operations: each runs in a forked worker with the identity and rights
 * of a command, owns the connection's socket and may block on it.  A worker
 * that makes no progress for LIMIT_TIME_FILE_OP, or whose peer went away,
 * finds its calls interrupted and job_stopped() set; it tidies up and ends.
 */
#ifndef SVM_AGENT_JOB_H
#define SVM_AGENT_JOB_H

#include "agent/agent.h"

struct stat;

struct job {
	int fd;   /* the connection, blocking */
	int root; /* every path is resolved below it */
	int turn; /* locked by whoever compares and replaces */
	uint64_t id;
	struct buf in;  /* what followed the request */
	struct buf out; /* frames gathered, sent when there is a whole lot */
	bool uploads;   /* DATA follows the request */
	bool pads;      /* job_send_from() sends what the file has lost
			 * since it was measured as zeros */
};

/* Frames to the peer, gathered; 0 or -1 with err. */
int job_send(struct job *j, enum frame_type type, const void *p, size_t n,
	     struct svm_err *err);
int job_flush(struct job *j, struct svm_err *err);

/* n bytes of DATA read from fd (or less at its end): the count, or -1. */
ssize_t job_send_from(struct job *j, int fd, size_t n, struct svm_err *err);

/* The next DATA: 1 with *ret borrowed until the next call, 0 at END, -1. */
int job_receive(struct job *j, struct frame *ret, struct svm_err *err);

/* A request that lacks fields.  Always -1. */
static inline int job_malformed(struct svm_err *err)
{
	return svm_err_set(err, SVM_BAD_REQUEST, "malformed request");
}

bool job_stopped(void);
void job_progress(void); /* the deadline starts anew */

/* One operation: sends what it has to say but the last END, whose payload it
 * may add to `end`. */
typedef int (*job_fn)(struct job *j, struct msg_reader *m, struct buf *end,
		      struct svm_err *err);

int file_read(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err);
int file_write(struct job *j, struct msg_reader *m, struct buf *end,
	       struct svm_err *err);
int file_write_if(struct job *j, struct msg_reader *m, struct buf *end,
		  struct svm_err *err);
int file_list(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err);
int file_stat(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err);
int file_move(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err);
int file_move_new(struct job *j, struct msg_reader *m, struct buf *end,
		  struct svm_err *err);
int file_chmod(struct job *j, struct msg_reader *m, struct buf *end,
	       struct svm_err *err);
int file_delete(struct job *j, struct msg_reader *m, struct buf *end,
		struct svm_err *err);
int file_mkdir(struct job *j, struct msg_reader *m, struct buf *end,
	       struct svm_err *err);
int file_glob(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err);
int file_tar_out(struct job *j, struct msg_reader *m, struct buf *end,
		 struct svm_err *err);
int file_tar_in(struct job *j, struct msg_reader *m, struct buf *end,
		struct svm_err *err);
int job_connect(struct job *j, struct msg_reader *m, struct buf *end,
		struct svm_err *err);
int job_stats(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err);

/* Shared by them (file.c). */

#define FILE_NAME_MAX 255

/* An errno as what it means to a user, with the path named. */
int file_error(struct svm_err *err, int e, const char *what, const char *path);

/* A path field, validated; owned.  NULL with err. */
char *file_path(struct msg_reader *m, struct svm_err *err);

/* The directory that holds the last component, whose name is copied out; with
 * `make` it and its parents are made.  An O_PATH fd, or -1. */
int file_open_parent(struct job *j, const char *path, bool make,
		     char name[FILE_NAME_MAX + 1], struct svm_err *err);

/* BAD_REQUEST naming what it is, unless a regular file. */
int file_require_regular(mode_t mode, const char *path, struct svm_err *err);

/* FILE, for a file that was opened; its size may be known better. */
int file_send(struct job *j, const char *path, const struct stat *st,
	      uint64_t size, struct svm_err *err);

/* A regular file of unknown trustworthiness, opened for reading; -1. */
int file_open_regular(struct job *j, const char *path, struct svm_err *err);

/* The entry of a directory, opened for reading if it is a regular file (not a
 * link).  An fd, -EINVAL when it is something else, or -errno. */
int file_reopen_regular(int dir, const char *name, struct stat *ret);

/* What is there may be replaced: nothing, a file or a link.  0, or -1. */
int file_check_target(int dir, const char *name, const char *path,
		      struct svm_err *err);

/* mkdir -p below root; 0 or -errno. */
int file_make_dirs(int root, const char *path, mode_t mode);

/* The same for a relative path, opened (O_PATH): no link is followed that
 * leads out of `dir`.  An fd or -errno. */
int file_make_below(int dir, const char *path, mode_t mode);

/* Onto nothing, or with `over` onto a file, at once; else -EEXIST. */
int file_rename(int from, const char *name, int to, const char *other,
		bool over);

/* The same where rename can't: between file systems. */
int file_move_copy(int from, const char *name, mode_t mode, int to,
		   const char *other, bool over);

/* A new, empty file with an unguessable name in dir: fd or -errno. */
int file_temporary(int dir, char name[FILE_NAME_MAX + 1]);

#endif
