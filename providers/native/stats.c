/* SPDX-License-Identifier: MIT */
/*
 * What a box uses: counters of its cgroups, bytes of its tmpfs, and the share
 * of a processor since the last question.
 */
#include "providers/native/box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "providers/native/rootfs.h"

struct cpu_sample {
	struct list link;
	char id[16];
	uint64_t usage_ns;
	int64_t at_ns;
};

/* Nanoseconds of processor time, or -errno. */
static int read_cpu(const struct native *n, const char *id, uint64_t *ret)
{
	auto_buf struct buf b = BUF_INIT;
	char path[64];

	if (n->cgroups.kind == CGROUP_V1)
		return cgroups_read(&n->cgroups, CGROUP_CPUACCT, id,
				    "cpuacct.usage", ret);
	if (n->cgroups.kind == CGROUP_NONE)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/cpu.stat", id);
	int r = fd_slurp_path(n->cgroups.v[0].fd, path, 4096, &b);
	if (r < 0)
		return r;
	const char *p = strstr(buf_str(&b), "usage_usec ");
	*ret = p ? strtoull(p + 11, NULL, 10) * 1000 : 0;
	return 0;
}

/* Per cent of one processor since the last question (or since the start). */
static double cpu_since_last(struct native *n, const struct provider_box *box,
			     uint64_t usage)
{
	int64_t now = clock_boot_ns();
	struct cpu_sample *c = NULL;
	struct list *pos, *tmp;
	double pct = 0;

	pthread_mutex_lock(&n->lock);
	list_for_each_safe(pos, tmp, &n->cpu) {
		c = list_entry(pos, struct cpu_sample, link);
		if (strcmp(c->id, box->id) == 0)
			break;
		c = NULL;
	}
	if (!c) {
		c = xcalloc(1, sizeof(*c));
		snprintf(c->id, sizeof(c->id), "%s", box->id);
		c->at_ns = box->start_time * (INT64_C(1000000000) /
					      sysconf(_SC_CLK_TCK));
		list_append(&n->cpu, &c->link);
	}
	if (now > c->at_ns && usage >= c->usage_ns)
		pct = 100.0 * (double)(usage - c->usage_ns) /
		      (double)(now - c->at_ns);
	c->usage_ns = usage;
	c->at_ns = now;
	pthread_mutex_unlock(&n->lock);
	return pct;
}

/* Bytes in the box's tmpfs, of which /dev/shm is always a part. */
static uint64_t read_disk(pid_t pid)
{
	char path[40];
	struct statfs fs;

	snprintf(path, sizeof(path), "/proc/%ld/root", (long)pid);
	auto_close int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int shm = root < 0 ? -1 : rootfs_open(root, "dev/shm",
							  O_PATH | O_DIRECTORY);
	if (shm < 0 || fstatfs(shm, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
		return 0;
	return (fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
}

/* The group of a box with a tmpfs has room for that too, and counts what lies
 * there.  What was asked for, and what processes use, is the rest. */
static void leave_out_disk(const struct provider_box *box,
			   struct provider_stats *s)
{
	struct record rec;
	uint64_t disk;

	if (record_parse(box->record, &rec) < 0 || !rec.tmpfs)
		return;
	disk = (uint64_t)rec.disk_mb << 20;
	s->mem_limit_bytes -= MIN(disk, s->mem_limit_bytes);
	s->mem_bytes -= MIN(s->disk_bytes, s->mem_bytes);
}

int native_stats(struct provider *p, struct provider_box *box,
		 struct provider_stats *ret, struct svm_err *err)
{
	struct native *n = native_of(p);
	bool v2 = n->cgroups.kind == CGROUP_V2;
	struct provider_stats s = { .supported = true };
	uint64_t cpu;

	(void)err;
	if (n->cgroups.kind == CGROUP_NONE) {
		*ret = (struct provider_stats){ .supported = false };
		return 0;
	}
	(void)cgroups_read(&n->cgroups, CGROUP_MEMORY, box->id,
			   v2 ? "memory.current" : "memory.usage_in_bytes",
			   &s.mem_bytes);
	(void)cgroups_read(&n->cgroups, CGROUP_MEMORY, box->id,
			   v2 ? "memory.max" : "memory.limit_in_bytes",
			   &s.mem_limit_bytes);
	(void)cgroups_read(&n->cgroups, CGROUP_PIDS, box->id, "pids.current",
			   &s.pids);
	s.disk_bytes = read_disk(box->pid);
	leave_out_disk(box, &s);
	if (read_cpu(n, box->id, &cpu) == 0)
		s.cpu_pct = cpu_since_last(n, box, cpu);
	*ret = s;
	return 0;
}

void stats_forget(struct native *n, const char *id)
{
	struct list *pos, *tmp;

	pthread_mutex_lock(&n->lock);
	list_for_each_safe(pos, tmp, &n->cpu) {
		struct cpu_sample *c = list_entry(pos, struct cpu_sample, link);

		if (strcmp(c->id, id))
			continue;
		list_remove(&c->link);
		free(c);
	}
	pthread_mutex_unlock(&n->lock);
}

void stats_close(struct native *n)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &n->cpu)
		free(list_entry(pos, struct cpu_sample, link));
}
