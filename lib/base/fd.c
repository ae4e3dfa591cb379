/* SPDX-License-Identifier: MIT */
/* File descriptors.  See fd.h. */
#include "lib/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/kernel.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"

void fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

void fd_close_cleanup(int *fd)
{
	fd_close(*fd);
}

static int set_flag(int fd, int get, int set, int flag, bool on)
{
	int flags = fcntl(fd, get);

	if (flags < 0)
		return -errno;
	flags = on ? flags | flag : flags & ~flag;
	return fcntl(fd, set, flags) < 0 ? -errno : 0;
}

int fd_set_nonblock(int fd, bool on)
{
	return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int fd_set_cloexec(int fd, bool on)
{
	return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int fd_write_full(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static bool is_zero(const char *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

int fd_write_holes(int fd, const void *data, size_t n)
{
	const size_t block = 4096;
	const char *p = data;
	int r = 0;

	while (n && r == 0) {
		size_t run = MIN(n, block);
		bool zero = is_zero(p, run);

		while (run < n && is_zero(p + run, MIN(n - run, block)) == zero)
			run += MIN(n - run, block);
		if (!zero)
			r = fd_write_full(fd, p, run);
		else if (lseek(fd, (off_t)run, SEEK_CUR) < 0)
			r = -errno;
		p += run;
		n -= run;
	}
	return r;
}

int fd_end_holes(int fd)
{
	off_t end = lseek(fd, 0, SEEK_CUR);

	return end < 0 || ftruncate(fd, end) < 0 ? -errno : 0;
}

ssize_t fd_read_full(int fd, void *data, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, (char *)data + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

int fd_slurp(int fd, size_t max, struct buf *b)
{
	size_t start = b->len;

	for (;;) {
		buf_reserve(b, 4096);
		ssize_t got = read(fd, b->data + b->len, b->cap - b->len - 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		b->len += (size_t)got;
		b->data[b->len] = '\0';
		if (got == 0)
			return 0;
		if (b->len - start > max)
			return -EFBIG;
	}
}

int fd_slurp_path(int dirfd, const char *path, size_t max, struct buf *b)
{
	auto_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_slurp(fd, max, b);
}

int fd_slurp_file(int dirfd, const char *path, size_t max, struct buf *b)
{
	auto_close int fd = openat(dirfd, path,
				   O_RDONLY | O_NONBLOCK | O_NOCTTY |
					   O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((st.st_uid != geteuid() && st.st_uid != 0) || st.st_mode & S_IWOTH)
		return -EPERM;
	return fd_slurp(fd, max, b);
}

int fd_write_path(int dirfd, const char *path, const char *text)
{
	auto_close int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	size_t n = strlen(text);
	ssize_t done;
	do {
		done = write(fd, text, n);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	return (size_t)done == n ? 0 : -EIO;
}

char *fd_temp_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	char random[17];

	rand_hex(random, 16);
	return xasprintf("%.*s.stacyvm-%s.tmp",
			 slash ? (int)(slash + 1 - path) : 0, path, random);
}

static int replace_path(int dirfd, const char *path, const void *data, size_t n,
			mode_t mode)
{
	/* Two threads may replace the same file. */
	auto_free char *tmp = fd_temp_beside(path);
	auto_close int fd = openat(dirfd, tmp,
				   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
					   O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	int r = fd_write_full(fd, data, n);
	if (r == 0 && fchmod(fd, mode) < 0) /* whatever the umask */
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, tmp, dirfd, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, tmp, 0);
	return r;
}

/* No signal that ends us comes in between: the temporary would stay. */
int fd_replace_path(int dirfd, const char *path, const void *data, size_t n,
		    mode_t mode)
{
	sigset_t all, old;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	int r = replace_path(dirfd, path, data, n, mode);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

union pass_control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
};

ssize_t fd_send_msg(int sock, const void *data, size_t n, const int *fds,
		    size_t nfds)
{
	union pass_control control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds > FD_PASS_MAX)
		return -EINVAL;
	if (nfds) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	for (;;) {
		ssize_t done = sendmsg(sock, &msg, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		return done < 0 ? -errno : done;
	}
}

/* Take every descriptor out of the message; what has no room is closed. */
static bool collect_fds(struct msghdr *msg, int *fds, size_t room,
			size_t *ret_n)
{
	bool fits = !(msg->msg_flags & (MSG_CTRUNC | MSG_TRUNC));
	size_t have = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c;
	     c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int),
			       sizeof(fd));
			if (have < room) {
				fds[have++] = fd;
				continue;
			}
			fd_close(fd);
			fits = false;
		}
	}
	*ret_n = have;
	return fits;
}

ssize_t fd_recv_msg(int sock, void *data, size_t n, int *ret_fds,
		    size_t *ret_nfds)
{
	union pass_control control;
	struct iovec iov = { data, n };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	size_t room = ret_nfds ? *ret_nfds : 0, have = 0;
	ssize_t got;

	do {
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (!collect_fds(&msg, ret_fds, room, &have)) {
		for (size_t i = 0; i < have; i++)
			fd_close(ret_fds[i]);
		return -EMSGSIZE;
	}
	if (ret_nfds)
		*ret_nfds = have;
	return got;
}

int fd_sanitise_std(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd == STDOUT_FILENO) {
			close(fd);
			fd = open("/dev/null", O_RDONLY);
		}
	} while (fd >= 0 && fd <= 2);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

void fd_close_from(int first)
{
	struct rlimit lim;

	if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &lim) < 0 || lim.rlim_cur > 65536)
		lim.rlim_cur = 65536;
	for (int fd = first; fd < (int)lim.rlim_cur; fd++)
		close(fd);
}

static int unix_address(int dirfd, const char *name, struct sockaddr_un *addr,
			socklen_t *ret_len)
{
	int n;

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (dirfd == AT_FDCWD)
		n = snprintf(addr->sun_path, sizeof(addr->sun_path), "%s",
			     name);
	else
		n = snprintf(addr->sun_path, sizeof(addr->sun_path),
			     "/proc/self/fd/%d/%s", dirfd, name);
	if (n < 0 || (size_t)n >= sizeof(addr->sun_path))
		return -ENAMETOOLONG;
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			       (size_t)n + 1);
	return 0;
}

/* A socket, and the address it is to have or to reach. */
static int unix_socket(int dirfd, const char *name, int type,
		       struct sockaddr_un *addr, socklen_t *ret_len)
{
	int r = unix_address(dirfd, name, addr, ret_len);

	if (r < 0)
		return r;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int fd_unix_connect(int dirfd, const char *name, int type)
{
	struct sockaddr_un addr;
	socklen_t len;
	auto_close int fd = unix_socket(dirfd, name, type, &addr, &len);
	int r;

	if (fd < 0)
		return fd;
	do {
		r = connect(fd, (struct sockaddr *)&addr, len);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : steal_fd(&fd);
}

int fd_unix_listen(int dirfd, const char *name, int type, int backlog)
{
	struct sockaddr_un addr;
	socklen_t len;
	auto_close int fd = unix_socket(dirfd, name, type, &addr, &len);

	if (fd < 0)
		return fd;
	if (bind(fd, (struct sockaddr *)&addr, len) < 0)
		return -errno;
	return listen(fd, backlog) < 0 ? -errno : steal_fd(&fd);
}
