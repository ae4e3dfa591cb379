/* SPDX-License-Identifier: MIT */
/*
 * Which hierarchies of this host let us make cgroups for boxes, found out by
 * trying.  See cgroup.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "providers/native/cgroup.h"

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

/* Whether dir has memory to hand on.  Beside v1 hierarchies that have the
 * controllers v2 has none, and there is nothing to make room for. */
static bool has_memory(const char *dir)
{
	auto_buf struct buf b = BUF_INIT;
	auto_free char *file = path_join(dir, "cgroup.controllers");

	return fd_slurp_path(AT_FDCWD, file, 4096, &b) >= 0 &&
	       has_word(buf_str(&b), "memory");
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
	/* In the leaf of an earlier start we make none below it. */
	char *slash = strrchr(own, '/');
	if (slash && strcmp(slash, "/daemon") == 0) {
		auto_free char *above = xasprintf("%s%.*s", root,
						  (int)(slash - own), own);

		if (try_v2(g, above, name))
			return true;
	}
	if (access(control, W_OK) < 0 || !has_memory(here))
		return false;
	make_room(here);
	return try_v2(g, here, name);
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

	*g = (struct cgroups){ .kind = CGROUP_NONE };
	if (open_v2(g, name))
		g->kind = CGROUP_V2; /* an attempt may have ended in _close() */
	else if (open_v1(g, name))
		g->kind = CGROUP_V1;
	else
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
