/* SPDX-License-Identifier: MIT */
/* Limits of boxes through cgroups.  See cgroup.h. */
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

static const struct {
	const char *name;
	unsigned ctl;
} controllers[] = {
	{ "memory", CGROUP_MEMORY },
	{ "pids", CGROUP_PIDS },
	{ "cpu", CGROUP_CPU },
	{ "cpuacct", CGROUP_CPUACCT },
};

const char *cgroup_kind_name(enum cgroup_kind kind)
{
	switch (kind) {
	case CGROUP_V1:
		return "v1";
	case CGROUP_V2:
		return "v2";
	case CGROUP_NONE:
		break;
	}
	return "none";
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p;) {
		size_t len = strcspn(p, " ,\n");

		if (len == n && strncmp(p, word, n) == 0)
			return true;
		p += len + (p[len] != '\0');
	}
	return false;
}

/* Our own cgroup in a hierarchy: "" when it is the root.  `want` is a
 * controller of v1, or "" for v2.  Owned. */
static char *own_cgroup(const char *want)
{
	auto_buf struct buf b = BUF_INIT;
	char *p, *line;

	if (fd_slurp_path(AT_FDCWD, "/proc/self/cgroup", 1 << 16, &b) < 0)
		return xstrdup("");
	for (p = b.data; p && (line = strsep(&p, "\n"));) {
		char *names, *path;

		(void)strsep(&line, ":");
		names = strsep(&line, ":");
		path = line;
		if (!names || !path)
			continue;
		if (*want ? has_word(names, want) : !*names)
			return xstrdup(strcmp(path, "/") == 0 ? "" : path);
	}
	return xstrdup("");
}

/* Where a v1 controller, or v2 (NULL), is mounted.  Owned or NULL. */
static char *find_mount(const char *controller)
{
	auto_buf struct buf b = BUF_INIT;
	char *p, *line;

	if (fd_slurp_path(AT_FDCWD, "/proc/self/mounts", 1 << 22, &b) < 0)
		return NULL;
	for (p = b.data; p && (line = strsep(&p, "\n"));) {
		(void)strsep(&line, " ");
		char *where = strsep(&line, " "), *type = strsep(&line, " ");
		char *opts = strsep(&line, " ");

		if (!opts)
			continue;
		if (controller ? strcmp(type, "cgroup") == 0 &&
					 has_word(opts, controller) :
				 strcmp(type, "cgroup2") == 0)
			return xstrdup(where);
	}
	return NULL;
}

static bool add_parent(struct cgroups *g, char *path, unsigned ctls)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return false;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || faccessat(fd, "cgroup.procs", W_OK, AT_EACCESS) < 0) {
		fd_close(fd);
		return false;
	}
	g->v[g->n++] = (struct cgroup_parent){ path, fd, ctls };
	g->ctls |= ctls;
	return true;
}

/* Move everything of our own cgroup into a leaf: v2 allows no processes where
 * controllers are handed on.  Once, at start. */
static void make_room(const char *own)
{
	auto_buf struct buf b = BUF_INIT;
	auto_free char *leaf = path_join(own, "daemon");
	auto_free char *procs = path_join(own, "cgroup.procs");
	auto_free char *target = path_join(leaf, "cgroup.procs");
	char *p, *pid;

	(void)mkdir(leaf, 0755);
	if (fd_slurp_path(AT_FDCWD, procs, 1 << 20, &b) < 0)
		return;
	for (p = b.data; p && (pid = strsep(&p, "\n"));)
		if (*pid)
			(void)fd_write_path(AT_FDCWD, target, pid);
}

/* Hand memory, pids and cpu on to the children of dir; what can be. */
static unsigned hand_on(const char *dir)
{
	auto_buf struct buf b = BUF_INIT;
	auto_free char *file = path_join(dir, "cgroup.subtree_control");
	unsigned ctls = 0;

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		char text[24];

		snprintf(text, sizeof(text), "+%s", controllers[i].name);
		(void)fd_write_path(AT_FDCWD, file, text);
	}
	if (fd_slurp_path(AT_FDCWD, file, 4096, &b) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		if (has_word(buf_str(&b), controllers[i].name))
			ctls |= controllers[i].ctl;
	return ctls;
}

/* Below `base`: the parent, with controllers for the boxes in it. */
static bool try_v2(struct cgroups *g, const char *base, const char *name)
{
	char *path = path_join(base, name);

	if (hand_on(base) & CGROUP_MEMORY && add_parent(g, path, 0)) {
		unsigned ctls = hand_on(path);

		g->v[0].ctls = g->ctls = ctls;
		if (ctls & CGROUP_MEMORY)
			return true;
		cgroups_close(g);
		return false;
	}
	free(path);
	return false;
}

static bool open_v2(struct cgroups *g, const char *name)
{
	auto_free char *root = find_mount(NULL);
	auto_free char *own = own_cgroup("");

	if (!root)
		return false;
	auto_free char *here = xasprintf("%s%s", root, own);
	auto_free char *control = path_join(here, "cgroup.subtree_control");
	/* Root takes the top and leaves its session's own cgroup alone. */
	if (geteuid() == 0 && try_v2(g, root, name))
		return true;
	if (access(control, W_OK) == 0) {
		make_room(here);
		if (try_v2(g, here, name))
			return true;
	}
	/* We may sit in the `daemon` leaf of an earlier start. */
	char *slash = strrchr(here, '/');
	if (*own && slash && strcmp(slash, "/daemon") == 0) {
		*slash = '\0';
		return try_v2(g, here, name);
	}
	return false;
}

static bool open_v1(struct cgroups *g, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		auto_free char *root = find_mount(controllers[i].name);
		bool known = false;

		if (!root)
			continue;
		size_t len = strlen(root);
		for (unsigned k = 0; k < g->n; k++) {
			if (strncmp(g->v[k].path, root, len) ||
			    g->v[k].path[len] != '/')
				continue;
			g->v[k].ctls |= controllers[i].ctl;
			g->ctls |= controllers[i].ctl;
			known = true; /* cpu,cpuacct are one */
		}
		if (known)
			continue;
		char *path = path_join(root, name);
		if (add_parent(g, path, controllers[i].ctl))
			continue;
		free(path);
		auto_free char *own = own_cgroup(controllers[i].name);
		path = xasprintf("%s%s/%s", root, own, name);
		if (!add_parent(g, path, controllers[i].ctl))
			free(path);
	}
	return g->ctls & CGROUP_MEMORY;
}

void cgroups_open(struct cgroups *g, const char *instance)
{
	auto_free char *name = xasprintf("stacyvm-%s", instance);

	*g = (struct cgroups){ .kind = CGROUP_V2 };
	if (open_v2(g, name))
		return;
	g->kind = CGROUP_V1;
	if (open_v1(g, name))
		return;
	cgroups_close(g);
}

void cgroups_close(struct cgroups *g)
{
	for (unsigned i = 0; i < g->n; i++) {
		fd_close(g->v[i].fd);
		(void)rmdir(g->v[i].path); /* fails while boxes live */
		free(g->v[i].path);
	}
	*g = (struct cgroups){ .kind = CGROUP_NONE };
}

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
