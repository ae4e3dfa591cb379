/* SPDX-License-Identifier: MIT */
/* The descendants of a process.  See proc-tree.h. */
#include "lib/base/proc-tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/proc.h"

#define PASSES 64 /* a tree that forks faster is caught by the next call */

/* One process: state, parent and start time of /proc/PID/stat. */
static bool read_entry(int proc, const char *name, struct proc_tree_entry *ret)
{
	char path[32], text[1024];

	snprintf(path, sizeof(path), "%.20s/stat", name);
	auto_close int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = fd_read_full(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	char *p = strrchr(text, ')'); /* comm may hold anything */
	if (!p || strlen(p) < 5)
		return false;
	ret->pid = (pid_t)strtol(name, NULL, 10);
	ret->state = p[2];
	ret->parent = (pid_t)strtol(p + 4, NULL, 10);
	p += 2;
	for (int field = 3; p && field < 22; field++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	ret->start_time = p ? (int64_t)strtoll(p, NULL, 10) : 0;
	return p;
}

static int read_all(struct proc_tree_entry **ret, size_t *ret_n)
{
	struct proc_tree_entry *v = NULL;
	size_t n = 0, cap = 0;
	DIR *d = opendir("/proc");

	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		if (n == cap) {
			cap = cap ? cap * 2 : 32;
			v = xreallocarray(v, cap, sizeof(*v));
		}
		if (read_entry(dirfd(d), e->d_name, &v[n]))
			n++;
	}
	closedir(d);
	*ret = v;
	*ret_n = n;
	return 0;
}

static int by_parent(const void *a, const void *b)
{
	const struct proc_tree_entry *x = a, *y = b;

	return x->parent < y->parent ? -1 : x->parent > y->parent;
}

/* Index of the first whose parent is not less than pid. */
static size_t first_kid(const struct proc_tree_entry *v, size_t n, pid_t pid)
{
	size_t lo = 0;

	while (n > lo) {
		size_t mid = lo + (n - lo) / 2;

		if (v[mid].parent < pid)
			lo = mid + 1;
		else
			n = mid;
	}
	return lo;
}

int proc_tree_list(pid_t root, struct proc_tree_entry **ret)
{
	struct proc_tree_entry *all = NULL;
	size_t n = 0, found = 0, alive = 0;
	int r = read_all(&all, &n);

	if (r < 0)
		return r;
	qsort(all, n, sizeof(*all), by_parent);
	/* Breadth first; a pid reused during the scan could close a circle,
	 * so no more than n are taken. */
	struct proc_tree_entry *v = xcalloc(n + 1, sizeof(*v));
	for (size_t next = 0;; next++) {
		pid_t parent = next ? v[next - 1].pid : root;

		for (size_t i = first_kid(all, n, parent);
		     i < n && all[i].parent == parent && found < n; i++)
			v[found++] = all[i];
		if (next >= found)
			break;
	}
	free(all);
	for (size_t i = 0; i < found; i++)
		if (v[i].state != 'Z' && v[i].state != 'X' &&
		    v[i].pid != root)
			v[alive++] = v[i];
	*ret = v;
	return (int)alive;
}

static int signal_entry(const struct proc_tree_entry *e, int signo)
{
	auto_close int fd = proc_open_pidfd(e->pid, e->start_time);

	return fd < 0 ? fd : proc_pidfd_kill(fd, signo);
}

int proc_tree_signal(pid_t root, int signo)
{
	auto_free struct proc_tree_entry *v = NULL;
	int n = proc_tree_list(root, &v);

	for (int i = 0; i < n; i++)
		(void)signal_entry(&v[i], signo);
	return n;
}

static int by_identity(const void *a, const void *b)
{
	const struct proc_tree_entry *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->start_time < y->start_time ? -1 :
	       x->start_time > y->start_time;
}

/* A fork under way when the stop arrives either shows its child at once or is
 * restarted after the stop (copy_process checks for signals under the lock
 * that publishes the child), so one pass without newcomers is proof. */
int proc_tree_kill(pid_t root)
{
	auto_free struct proc_tree_entry *old = NULL;
	size_t nold = 0;

	for (int pass = 0; pass < PASSES; pass++) {
		struct proc_tree_entry *v = NULL;
		int n = proc_tree_list(root, &v);
		bool news = false;

		if (n < 0)
			return n;
		for (int i = 0; i < n; i++) {
			if (nold && bsearch(&v[i], old, nold, sizeof(*v),
					    by_identity))
				continue;
			news = true;
			(void)signal_entry(&v[i], SIGSTOP);
		}
		qsort(v, (size_t)n, sizeof(*v), by_identity);
		free(old);
		old = v;
		nold = (size_t)n;
		if (!news)
			break;
	}
	return proc_tree_signal(root, SIGKILL);
}
