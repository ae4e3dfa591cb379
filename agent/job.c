/* SPDX-License-Identifier: MIT */
/* Workers for file operations.  See job.h. */
#include "agent/job.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define SPLICE_MIN KIB(16) /* less is copied: one call instead of two */
#define GATHER KIB(32) /* small frames go out together */

static const struct {
	uint16_t type;
	job_fn run;
	bool uploads; /* DATA follows the request */
} jobs[] = {
	{ FRAME_READ, file_read, false },
	{ FRAME_WRITE, file_write, true },
	{ FRAME_LIST, file_list, false },
	{ FRAME_STAT, file_stat, false },
	{ FRAME_MOVE, file_move, false },
	{ FRAME_CHMOD, file_chmod, false },
	{ FRAME_DELETE, file_delete, false },
	{ FRAME_MKDIR, file_mkdir, false },
	{ FRAME_GLOB, file_glob, false },
	{ FRAME_TAR_OUT, file_tar_out, false },
	{ FRAME_TAR_IN, file_tar_in, true },
	{ FRAME_CONNECT, job_connect, false },
	{ FRAME_STATS, job_stats, false },
	{ FRAME_WRITE_IF, file_write_if, true },
	{ FRAME_MOVE_NEW, file_move_new, false },
};

static volatile sig_atomic_t stopped; /* 1: by the peer, 2: by the clock */

static void on_stop(int signo)
{
	stopped = signo == SIGALRM ? 2 : 1;
}

bool job_stopped(void)
{
	return stopped;
}

void job_progress(void)
{
	struct itimerval t = {
		.it_value.tv_sec = LIMIT_TIME_FILE_OP / 1000000000,
		/* Again and again: the first may come between the check of
		 * `stopped` and the call that blocks. */
		.it_interval.tv_sec = 1,
	};

	(void)setitimer(ITIMER_REAL, &t, NULL);
}

static int stop_error(struct svm_err *err)
{
	if (stopped == 2)
		return svm_err_set(err, SVM_TIMEOUT, "no progress for %d s",
				   (int)(LIMIT_TIME_FILE_OP / 1000000000));
	return svm_err_set(err, SVM_CANCELLED, "the caller went away");
}

static int send_all(struct job *j, const char *p, size_t n,
		    struct svm_err *err)
{
	while (n) {
		if (stopped)
			return stop_error(err);
		ssize_t done = send(j->fd, p, n, MSG_NOSIGNAL);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return svm_err_sys(err, SVM_CANCELLED, errno,
					   "the caller went away");
		job_progress();
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

int job_flush(struct job *j, struct svm_err *err)
{
	int r = send_all(j, j->out.data, j->out.len, err);

	buf_clear(&j->out);
	return r;
}

int job_send(struct job *j, enum frame_type type, const void *p, size_t n,
	     struct svm_err *err)
{
	frame_add(&j->out, type, 0, j->id, p, n);
	return j->out.len < GATHER ? 0 : job_flush(j, err);
}

/* The rest of a frame whose bytes the file doesn't have any more. */
static int pad(struct job *j, size_t n, struct svm_err *err)
{
	static const char zeros[512];

	for (; n; n -= MIN(n, sizeof(zeros)))
		if (send_all(j, zeros, MIN(n, sizeof(zeros)), err) < 0)
			return -1;
	return 0;
}

/* sendfile(2), of files without pages (procfs) too. */
static ssize_t send_some(struct job *j, int fd, size_t n)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	char piece[KIB(4)];
	ssize_t done = sendfile(j->fd, fd, NULL, n);

	if (done >= 0 || errno != EINVAL)
		return done;
	done = read(fd, piece, MIN(n, sizeof(piece)));
	if (done > 0 && send_all(j, piece, (size_t)done, &ignored) < 0)
		_exit(1); /* as below */
	return done;
}

/* Its pages go to the socket as they are.  What is promised in the header and
 * gone meanwhile can't be taken back: nothing may follow it. */
static ssize_t send_pages(struct job *j, int fd, size_t n, struct svm_err *err)
{
	size_t left = n;

	frame_add(&j->out, FRAME_DATA, 0, j->id, NULL, 0);
	char *length = j->out.data + j->out.len - FRAME_HEADER;
	for (int i = 0; i < 4; i++)
		length[i] = (char)((n >> (8 * i)) & 0xff);
	if (job_flush(j, err) < 0)
		return -1;
	while (left) {
		if (stopped)
			_exit(1);
		ssize_t done = send_some(j, fd, left);
		if (done < 0 && errno == EINTR)
			continue;
		int e = done < 0 ? errno : 0;
		if (done <= 0 && !j->pads)
			_exit(1);
		if (done <= 0 && pad(j, left, err) < 0)
			return -1;
		if (e)
			return svm_err_sys(err, SVM_PROVIDER, e,
					   "can't read on");
		if (done == 0)
			break;
		job_progress();
		left -= (size_t)done;
	}
	return (ssize_t)n;
}

ssize_t job_send_from(struct job *j, int fd, size_t n, struct svm_err *err)
{
	size_t at = j->out.len;

	n = MIN(n, (size_t)LIMIT_FRAME);
	if (n >= SPLICE_MIN)
		return send_pages(j, fd, n, err);
	buf_reserve(&j->out, FRAME_HEADER + n);
	frame_add(&j->out, FRAME_DATA, 0, j->id, NULL, 0);
	ssize_t got = fd_read_full(fd, j->out.data + j->out.len, n);
	if (got <= 0) {
		buf_truncate(&j->out, at);
		return got ? svm_err_sys(err, SVM_PROVIDER, (int)got,
					 "can't read on") : 0;
	}
	/* The length, now that it is known. */
	for (int i = 0; i < 4; i++)
		j->out.data[at + (size_t)i] = (char)((got >> (8 * i)) & 0xff);
	j->out.len += (size_t)got;
	return job_flush(j, err) < 0 ? -1 : got;
}

int job_receive(struct job *j, struct frame *ret, struct svm_err *err)
{
	static size_t used; /* of the frame handed out last */

	buf_consume(&j->in, used);
	used = 0;
	for (;;) {
		int n = frame_decode(j->in.data, j->in.len, ret);

		if (n < 0 || (n > 0 && (ret->id != j->id ||
					(ret->type != FRAME_DATA &&
					 ret->type != FRAME_END))))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "a frame that does not belong "
					   "here");
		if (n > 0) {
			used = (size_t)n;
			return ret->type == FRAME_DATA;
		}
		if (stopped)
			return stop_error(err);
		buf_reserve(&j->in, FRAME_HEADER + LIMIT_FRAME);
		ssize_t got = recv(j->fd, j->in.data + j->in.len,
				   j->in.cap - j->in.len - 1, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return svm_err_set(err, SVM_CANCELLED,
					   "the caller went away");
		job_progress();
		j->in.len += (size_t)got;
	}
}

/* The peer may be sending still: ended now, its writes would fail before it
 * reads the reason.  It closes when it has. */
static void drain(const struct job *j)
{
	char scratch[4096];

	(void)shutdown(j->fd, SHUT_WR);
	(void)alarm(10);
	while (!stopped) {
		ssize_t n = recv(j->fd, scratch, sizeof(scratch), 0);

		if (n == 0 || (n < 0 && errno != EINTR))
			break;
	}
}

static void finish(struct job *j, int r, const struct buf *end,
		   struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	auto_err struct svm_err ignored = SVM_ERR_INIT;

	if (r == 0) {
		frame_add(&j->out, FRAME_END, 0, j->id, end->data, end->len);
	} else {
		/* What was gathered stays: frames are never cut. */
		msg_add_u32(&text, err->code);
		msg_add_u32(&text, (uint32_t)err->sys_errno);
		msg_add_str(&text, err->msg);
		frame_add(&j->out, FRAME_ERROR, 0, j->id, text.data,
			  MIN(text.len, (size_t)LIMIT_FRAME));
	}
	stopped = 0; /* one more try, bounded by the clock */
	(void)job_flush(j, &ignored);
	if (r < 0 && j->uploads)
		drain(j);
}

static void catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_stop };
	sigset_t none;

	/* Without SA_RESTART: a stop must interrupt what blocks. */
	(void)sigaction(SIGTERM, &act, NULL);
	(void)sigaction(SIGALRM, &act, NULL);
	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG is an answer */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	job_progress();
}

static NORETURN void work(struct conn *c, size_t which)
{
	const struct agent *a = c->agent;
	struct job j = { .fd = c->fd, .root = a->root, .id = c->id,
			 .in = c->in, .uploads = jobs[which].uploads };
	struct msg_reader m = msg_reader(c->request.data, c->request.len);
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf end = BUF_INIT;
	const int keep[3] = { j.fd, j.root, a->turn };

	/* Only this connection, the root and the lock: another's socket kept
	 * open here would keep it from ending. */
	j.fd = dup2(keep[0], 0);
	j.root = dup2(keep[1], 1);
	j.turn = dup2(keep[2], 3);
	fd_close_from(4);
	umask(0); /* modes are given whole */
	int r = confine_identity(a);
	/* Not before: a change of identity takes it back. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (r == 0)
		r = confine_seal(a, j.root);
	catch_signals();
	if (r < 0)
		r = svm_err_sys(&err, SVM_PROVIDER, r,
				"can't give up rights for the file operation");
	else
		r = jobs[which].run(&j, &m, &end, &err);
	finish(&j, r, &end, &err);
	_exit(0);
}

static size_t find(uint16_t type)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(jobs) && jobs[i].type != type)
		i++;
	return i;
}

bool job_handles(uint16_t type)
{
	return find(type) < ARRAY_SIZE(jobs);
}

void job_start(struct conn *c)
{
	int r = fd_set_nonblock(c->fd, false);
	pid_t pid = r < 0 ? r : confine_fork(c->agent->cgroup);

	if (pid == 0)
		work(c, find(c->type));
	if (pid < 0) {
		(void)fd_set_nonblock(c->fd, true);
		conn_fail(c, pid == -EAGAIN ? SVM_RESOURCE_LIMIT :
					      SVM_PROVIDER, pid,
			  "can't start a worker in the sandbox: %s",
			  strerror(-pid));
		return;
	}
	c->state = CONN_JOB;
	c->worker = pid;
	buf_release(&c->in);
}
