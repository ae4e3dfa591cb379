/* SPDX-License-Identifier: MIT */
/* The daemon's end of the launcher.  See client.h. */
#include "providers/native/client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/proc.h"

#define LAUNCHER_PATIENCE_S 10

void launch_client_init(struct launch_client *c, const char *self,
			const char *instance, enum native_mode mode,
			const struct ids *ids)
{
	*c = (struct launch_client){
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.self = self,
		.instance = instance,
		.mode = mode,
		.ids = ids,
		.sock = -1,
		.pidfd = -1,
	};
}

/* Closing the socket is what ends it; a stuck one is killed. */
static void stop(struct launch_client *c)
{
	fd_close(c->sock);
	c->sock = -1;
	if (c->pid <= 0)
		return;
	if (proc_pidfd_wait(c->pidfd, 1000) < 0)
		(void)proc_pidfd_kill(c->pidfd, SIGKILL);
	(void)waitpid(c->pid, NULL, 0);
	fd_close(c->pidfd);
	c->pidfd = -1;
	c->pid = 0;
}

void launch_client_release(struct launch_client *c)
{
	pthread_mutex_lock(&c->lock);
	stop(c);
	pthread_mutex_unlock(&c->lock);
	pthread_mutex_destroy(&c->lock);
}

static int run_mapper(const char *tool, pid_t pid, unsigned own,
		      const struct id_range *range)
{
	char words[5][24], path[64];
	char *envp[] = { NULL };
	const int fds[3] = { -1, -1, -1 };
	int status;

	snprintf(path, sizeof(path), "/usr/bin/%s", tool);
	snprintf(words[0], sizeof(words[0]), "%ld", (long)pid);
	snprintf(words[1], sizeof(words[1]), "%u", own);
	snprintf(words[2], sizeof(words[2]), "%u", range->start);
	snprintf(words[3], sizeof(words[3]), "%u", range->count);
	char *argv[] = { path,	   words[0], (char[]){ "0" }, words[1],
			 (char[]){ "1" }, (char[]){ "1" }, words[2], words[3],
			 NULL };
	pid_t kid = proc_spawn(argv, envp, fds, 3, 0, NULL);

	if (kid < 0)
		return kid;
	while (waitpid(kid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

/* The launcher sits in a new user namespace and waits for its ids. */
static int map_outer(struct launch_client *c, struct svm_err *err)
{
	struct launch_request q = { .op = LAUNCH_MAPPED };
	int r = run_mapper("newuidmap", c->pid, (unsigned)geteuid(),
			   &c->ids->uid);

	if (r == 0)
		r = run_mapper("newgidmap", c->pid, (unsigned)getegid(),
			       &c->ids->gid);
	if (r < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, r,
				   "newuidmap can't map the ids of "
				   "/etc/subuid");
	ssize_t n = fd_send_msg(c->sock, &q, LAUNCH_REQUEST_HEAD, NULL, 0);
	return n < 0 ? svm_err_sys(err, SVM_UNAVAILABLE, (int)n,
				   "the launcher went away") : 0;
}

static int expect(struct launch_client *c, struct launch_reply *r,
		  int *ret_pidfd, struct svm_err *err)
{
	int fd = -1;
	size_t nfds = 1;
	ssize_t n = fd_recv_msg(c->sock, r, sizeof(*r), &fd, &nfds);

	if (n != sizeof(*r)) {
		fd_close(nfds && n > 0 ? fd : -1);
		return svm_err_sys(err, SVM_UNAVAILABLE,
				   n < 0 ? (int)n : ECONNRESET,
				   "the launcher died");
	}
	r->step[sizeof(r->step) - 1] = '\0';
	if (r->sys_errno) {
		fd_close(nfds ? fd : -1);
		return svm_err_sys(err, SVM_UNAVAILABLE, r->sys_errno, "%s",
				   r->step);
	}
	if (ret_pidfd)
		*ret_pidfd = nfds ? fd : -1;
	else if (nfds)
		fd_close(fd);
	return 0;
}

static int handshake(struct launch_client *c, struct svm_err *err)
{
	struct launch_reply r;

	if (expect(c, &r, NULL, err) < 0)
		return -1;
	if (r.op == LAUNCH_MAPPED &&
	    (map_outer(c, err) < 0 || expect(c, &r, NULL, err) < 0))
		return -1;
	return 0;
}

/* Nothing; in builds for tests the fault points. */
static char *const *launcher_env(void)
{
	static char *none[] = { NULL };
#ifdef SVM_FAULTS
	extern char **environ;

	if (getenv("STACYVM_FAULT") || getenv("STACYVM_FAULT_LOG"))
		return environ;
#endif
	return none;
}

static int start(struct launch_client *c, struct svm_err *err)
{
	const struct timeval patience = { .tv_sec = LAUNCHER_PATIENCE_S };
	char mode[24], self[256], instance[40];
	char *argv[] = { self, (char[]){ "__launcher" }, mode, instance, NULL };
	int pair[2];

	if (c->sock >= 0)
		return 0;
	snprintf(mode, sizeof(mode), "%s", native_mode_name(c->mode));
	snprintf(self, sizeof(self), "%s", c->self);
	snprintf(instance, sizeof(instance), "%s", c->instance);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno, "socketpair");
	c->sock = pair[0];
	auto_close int theirs = pair[1];
	(void)setsockopt(c->sock, SOL_SOCKET, SO_RCVTIMEO, &patience,
			 sizeof(patience));
	const int fds[4] = { -1, -1, 2, theirs };
	c->pid = proc_spawn(argv, launcher_env(), fds, 4, PROC_SPAWN_SETSID,
			    &c->pidfd);
	if (c->pid < 0) {
		int e = c->pid;

		c->pid = 0;
		stop(c);
		return svm_err_sys(err, SVM_UNAVAILABLE, e,
				   "can't start the launcher '%s'", self);
	}
	fd_close(steal_fd(&theirs));
	if (handshake(c, err) < 0) {
		stop(c);
		return svm_err_prefix(err, "can't start the launcher");
	}
	return 0;
}

int launch_client_start(struct launch_client *c, struct svm_err *err)
{
	pthread_mutex_lock(&c->lock);
	int r = start(c, err);
	pthread_mutex_unlock(&c->lock);
	return r;
}

/* A launcher that is gone while idle is replaced without anybody noticing. */
static void notice_death(struct launch_client *c)
{
	if (c->sock >= 0 && proc_pidfd_wait(c->pidfd, 0) == 0)
		stop(c);
}

static int call(struct launch_client *c, const struct launch_request *q,
		const int *fds, size_t nfds, struct launch_reply *ret,
		int *ret_pidfd, struct svm_err *err)
{
	notice_death(c);
	if (start(c, err) < 0)
		return -1;
	ssize_t n = fd_send_msg(c->sock, q, LAUNCH_REQUEST_HEAD + q->text_len,
				fds, nfds);
	if (n < 0) {
		stop(c);
		return svm_err_sys(err, SVM_UNAVAILABLE, (int)n,
				   "the launcher died");
	}
	int r = expect(c, ret, ret_pidfd, err);
	/* No answer: dead or stuck.  An error it answered is fine. */
	if (r < 0 && !ret->sys_errno)
		stop(c);
	return r;
}

int launch_client_create(struct launch_client *c,
			 const struct launch_request *q, const int *fds,
			 size_t nfds, struct launch_reply *ret, int *ret_pidfd,
			 struct svm_err *err)
{
	*ret = (struct launch_reply){ 0 };
	pthread_mutex_lock(&c->lock);
	int r = call(c, q, fds, nfds, ret, ret_pidfd, err);
	pthread_mutex_unlock(&c->lock);
	return r;
}

int launch_client_remove(struct launch_client *c, int boxes, const char *id,
			 struct svm_err *err)
{
	struct launch_request q = { .op = LAUNCH_REMOVE };
	struct launch_reply reply = { 0 };

	snprintf(q.id, sizeof(q.id), "%s", id);
	pthread_mutex_lock(&c->lock);
	int r = call(c, &q, &boxes, 1, &reply, NULL, err);
	pthread_mutex_unlock(&c->lock);
	return r;
}
