/* SPDX-License-Identifier: MIT */
/* Cgroups of boxes: limits, the end of what is inside.  See cgroup.h. */
#include "providers/native/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"

#define CPU_PERIOD_US 100000u

static int put(int dir, const char *file, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return fd_write_path(dir, file, text);
}

/* A missing file (no swap accounting) is not an error. */
static int put_optional(int dir, const char *file, uint64_t n)
{
	int r = put(dir, file, n);

	return r == -ENOENT || r == -EACCES || r == -EOPNOTSUPP ? 0 : r;
}

static int limit_v1(int dir, unsigned ctls, const struct cgroup_limits *l)
{
	int r = 0;

	if (ctls & CGROUP_MEMORY) {
		r = put(dir, "memory.limit_in_bytes", l->memory_bytes);
		if (r == 0)
			r = put_optional(dir, "memory.memsw.limit_in_bytes",
					 l->memory_bytes);
		if (r == 0)
			(void)put_optional(dir, "memory.swappiness", 0);
	}
	if (r == 0 && (ctls & CGROUP_PIDS))
		r = put(dir, "pids.max", l->pids);
	if (r == 0 && (ctls & CGROUP_CPU))
		r = put(dir, "cpu.cfs_quota_us",
			(uint64_t)l->vcpus * CPU_PERIOD_US);
	return r;
}

static int limit_v2(int dir, unsigned ctls, const struct cgroup_limits *l)
{
	char text[48];
	int r = put(dir, "memory.max", l->memory_bytes);

	if (r == 0)
		r = put_optional(dir, "memory.swap.max", 0);
	if (r == 0 && (ctls & CGROUP_PIDS))
		r = put(dir, "pids.max", l->pids);
	snprintf(text, sizeof(text), "%llu %u",
		 (unsigned long long)l->vcpus * CPU_PERIOD_US, CPU_PERIOD_US);
	if (r == 0 && (ctls & CGROUP_CPU))
		r = fd_write_path(dir, "cpu.max", text);
	return r;
}

/* v2: `work` below the box for what the agent starts.  It has no controllers
 * (limits sit on the box), so the agent itself may stay beside it.  The owner
 * may clone into it: that asks for write access to cgroup.procs of the
 * target and of the common ancestor, and mkdir for leaves per command. */
static int make_work(int box, uid_t owner, int *ret_work)
{
	if (mkdirat(box, "work", 0755) < 0 && errno != EEXIST)
		return -errno;
	auto_close int work = openat(box, "work", O_RDONLY | O_DIRECTORY |
							  O_CLOEXEC);
	if (work < 0)
		return -errno;
	if (owner != geteuid() &&
	    (fchownat(box, "cgroup.procs", owner, owner, 0) < 0 ||
	     fchownat(work, "cgroup.procs", owner, owner, 0) < 0 ||
	     fchown(work, owner, owner) < 0)) {
		/* Without root ids can't be given away; then the agent
		 * starts its commands where it is. */
		return 0;
	}
	*ret_work = steal_fd(&work);
	return 0;
}

static int make_one(const struct cgroups *g, unsigned i, const char *id,
		    const struct cgroup_limits *l, uid_t owner, int *ret_fd,
		    int *ret_work)
{
	const struct cgroup_parent *p = &g->v[i];
	int r;

	if (mkdirat(p->fd, id, 0755) < 0 && errno != EEXIST)
		return -errno;
	auto_close int dir = openat(p->fd, id, O_RDONLY | O_DIRECTORY |
						       O_CLOEXEC);
	if (dir < 0)
		return -errno;
	if (g->kind == CGROUP_V2) {
		r = limit_v2(dir, p->ctls, l);
		if (r == 0)
			r = make_work(dir, owner, ret_work);
		*ret_fd = r < 0 ? -1 : steal_fd(&dir);
		return r;
	}
	r = limit_v1(dir, p->ctls, l);
	if (r < 0)
		return r;
	*ret_fd = openat(dir, "tasks", O_WRONLY | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

int cgroups_make(const struct cgroups *g, const char *id,
		 const struct cgroup_limits *l, uid_t owner, int *fds,
		 size_t *ret_n, int *ret_work, struct svm_err *err)
{
	*ret_n = 0;
	for (unsigned i = 0; i < g->n; i++) {
		int r = make_one(g, i, id, l, owner, &fds[*ret_n], ret_work);

		if (r < 0) {
			while (*ret_n)
				fd_close(fds[--*ret_n]);
			return svm_err_sys(err, SVM_UNAVAILABLE, r,
					   "can't set limits in '%s/%s'",
					   g->v[i].path, id);
		}
		++*ret_n;
	}
	return 0;
}

/* Kill what is inside and wait for it.  How many there were, or -errno. */
static int kill_inside(int dir, const char *file)
{
	auto_buf struct buf b = BUF_INIT;
	int r = fd_slurp_path(dir, file, 1 << 22, &b), n = 0;
	char *p, *pid;

	if (r < 0)
		return r;
	for (p = b.data; p && (pid = strsep(&p, "\n"));) {
		pid_t target = (pid_t)atol(pid);

		if (target <= 0)
			continue;
		auto_close int fd = (int)syscall(SYS_pidfd_open, target, 0u);
		n++;
		if (fd < 0)
			continue;
		(void)proc_pidfd_kill(fd, SIGKILL);
		(void)proc_pidfd_wait(fd, 2000);
	}
	return n;
}

/* Children first: `work` and the leaves of commands below it. */
static int remove_dir(int parent, const char *name, unsigned depth);

static int remove_children(int dir, unsigned depth)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again < 0 ? NULL : fdopendir(again);
	int r = 0;

	if (!d) {
		fd_close(again);
		return -errno;
	}
	for (struct dirent *e; r == 0 && (e = readdir(d));)
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			r = remove_dir(dir, e->d_name, depth);
	closedir(d);
	return r;
}

static int remove_dir(int parent, const char *name, unsigned depth)
{
	int64_t until = clock_mono_ns() + SECONDS(10);

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -errno;
	auto_close int dir = openat(parent, name, O_RDONLY | O_DIRECTORY |
							 O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? 0 : -errno;
	(void)fd_write_path(dir, "cgroup.kill", "1");
	do {
		int r = depth ? remove_children(dir, depth - 1) : 0;

		if (r == 0)
			r = kill_inside(dir, "cgroup.procs");
		if (r < 0)
			return r;
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0 ||
		    errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return -errno;
		/* The last process is dead but not yet off the list: it needs
		 * the processor, nothing else. */
		if (r == 0)
			sched_yield();
	} while (clock_mono_ns() < until);
	return -EBUSY;
}

int cgroups_remove(const struct cgroups *g, const char *id)
{
	int ret = 0;

	for (unsigned i = 0; i < g->n; i++) {
		int r = remove_dir(g->v[i].fd, id, 4);

		if (r < 0 && ret == 0)
			ret = r;
	}
	return ret;
}

int cgroups_read(const struct cgroups *g, unsigned ctl, const char *id,
		 const char *file, uint64_t *ret)
{
	for (unsigned i = 0; i < g->n; i++) {
		auto_buf struct buf b = BUF_INIT;
		char path[96];

		if (!(g->v[i].ctls & ctl))
			continue;
		snprintf(path, sizeof(path), "%s/%s", id, file);
		int r = fd_slurp_path(g->v[i].fd, path, 4096, &b);
		if (r < 0)
			return r;
		*ret = strncmp(buf_str(&b), "max", 3) == 0 ?
			       UINT64_MAX : strtoull(buf_str(&b), NULL, 10);
		return 0;
	}
	return -ENOENT;
}

char **cgroups_list(const struct cgroups *g)
{
	char **v = xcalloc(1, sizeof(*v));
	size_t n = 0;

	for (unsigned i = 0; i < g->n; i++) {
		int fd = openat(g->v[i].fd, ".", O_RDONLY | O_DIRECTORY |
							 O_CLOEXEC);
		DIR *d = fd < 0 ? NULL : fdopendir(fd);

		if (!d) {
			fd_close(fd);
			continue;
		}
		for (struct dirent *e; (e = readdir(d));) {
			if (e->d_type != DT_DIR || e->d_name[0] == '.')
				continue;
			v = xreallocarray(v, n + 2, sizeof(*v));
			v[n++] = xstrdup(e->d_name);
			v[n] = NULL;
		}
		closedir(d);
	}
	return v;
}
