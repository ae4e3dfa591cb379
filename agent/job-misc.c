/* SPDX-License-Identifier: MIT */
/* CONNECT and STATS: the operations of a worker that are not about files. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/job.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/proc-tree.h"

static int connect_to(const struct sockaddr *addr, socklen_t len)
{
	auto_close int fd = socket(addr->sa_family,
				   SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return connect(fd, addr, len) < 0 ? -errno : steal_fd(&fd);
}

static int connect_loopback(uint16_t port)
{
	const struct sockaddr_in v4 = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	const struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	int fd = connect_to((const struct sockaddr *)&v4, sizeof(v4));

	if (fd >= 0)
		return fd;
	int r = connect_to((const struct sockaddr *)&v6, sizeof(v6));
	return r < 0 ? fd : r;
}

int job_connect(struct job *j, struct msg_reader *m, struct buf *end,
		struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	uint16_t port = msg_u16(m);

	(void)end;
	if (!msg_ok(m) || !port)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "a port is 1 to 65535");
	auto_close int fd = connect_loopback(port);
	if (fd < 0)
		return svm_err_sys(err, SVM_UNREACHABLE, fd,
				   "nothing answers on port %u in the sandbox",
				   port);
	frame_add(&text, FRAME_END, 0, j->id, NULL, 0);
	if (fd_send_msg(j->fd, text.data, text.len, &fd, 1) < 0)
		return svm_err_set(err, SVM_CANCELLED,
				   "the caller went away");
	_exit(0); /* END is said */
}

static uint64_t rss_of(pid_t pid)
{
	auto_buf struct buf text = BUF_INIT;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
	if (fd_slurp_path(-1, path, 4096, &text) < 0)
		return 0;
	/* The second number, in pages; no sscanf, which weighs 13 KiB. */
	const char *second = strchr(buf_str(&text), ' ');
	return second ? strtoull(second, NULL, 10) *
				(uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

int job_stats(struct job *j, struct msg_reader *m, struct buf *end,
	      struct svm_err *err)
{
	auto_free struct proc_tree_entry *v = NULL;
	int n = proc_tree_list(getppid(), &v);
	struct statvfs fs = { 0 };
	uint64_t rss = 0;

	(void)m;
	if (n < 0)
		return svm_err_sys(err, SVM_PROVIDER, n,
				   "can't list processes");
	for (int i = 0; i < n; i++)
		rss += rss_of(v[i].pid);
	(void)fstatvfs(j->root, &fs);
	msg_add_u32(end, (uint32_t)n);
	msg_add_u64(end, rss);
	msg_add_u64(end, (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize);
	msg_add_u64(end, (uint64_t)fs.f_blocks * fs.f_frsize);
	return 0;
}
