/* SPDX-License-Identifier: MIT */
/* The daemon as a process of ours: find it, start it. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/client/conn.h"

/* SO_PEERCRED names whoever called listen(); the answer to a request sent
 * after the pidfd was opened proves that this process still lives. */
int client_daemon_pid(struct client *c, pid_t *ret_pid, int *ret_pidfd,
		      struct svm_err *err)
{
	bool autostart = c->autostart;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (!c->unix_path)
		return svm_err_set(err, SVM_UNSUPPORTED,
				   "the daemon at %s can't be controlled from "
				   "here", c->name);
	c->autostart = false;
	auto_close int fd = client_connect(c, err);

	c->autostart = autostart;
	if (fd < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "SO_PEERCRED");
	auto_close int pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);

	if (pidfd < 0)
		return svm_err_sys(err, SVM_UNREACHABLE, errno,
				   "process %d of the daemon",
				   (int)peer.pid);
	fd_close(c->idle_fd);
	c->idle_fd = steal_fd(&fd);
	*ret_pid = peer.pid;
	if (client_call(c, "GET", "/api/v1/live", NULL, NULL, err) < 0)
		return -1;
	*ret_pidfd = steal_fd(&pidfd);
	return 0;
}

int client_start_daemon(struct client *c, struct svm_err *err)
{
	bool autostart = c->autostart;

	if (!c->unix_path)
		return svm_err_set(err, SVM_UNSUPPORTED,
				   "a daemon at %s can't be started from here",
				   c->name);
	c->autostart = true;
	int fd = client_connect(c, err);

	c->autostart = autostart;
	if (fd < 0)
		return -1;
	fd_close(c->idle_fd);
	c->idle_fd = fd;
	return 0;
}
