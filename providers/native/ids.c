/* SPDX-License-Identifier: MIT */
/* Host ids for boxes.  See ids.h. */
#include "providers/native/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

/* Root's blocks start here unless configured: far above users, systemd's
 * dynamic ranges and what shadow hands out first. */
#define ROOT_BLOCKS 12000u

/* The next "name:start:count" line; false at the end.  Bad lines are skipped
 * by count 0. */
static bool next_subid(char **p, char **name, struct id_range *ret)
{
	char *line = strsep(p, "\n");

	if (!line)
		return false;
	*name = strsep(&line, ":");
	char *start = strsep(&line, ":");
	ret->start = start ? (uint32_t)strtoul(start, NULL, 10) : 0;
	ret->count = line ? (uint32_t)strtoul(line, NULL, 10) : 0;
	return true;
}

static int find_subid(const char *file, struct id_range *ret)
{
	auto_buf struct buf b = BUF_INIT;
	struct passwd *pw = getpwuid(geteuid());
	char uid[16], *name, *p;
	struct id_range r;

	if (fd_slurp_path(AT_FDCWD, file, 1 << 20, &b) < 0 || !b.len)
		return -ENOENT;
	snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	for (p = b.data; next_subid(&p, &name, &r);) {
		if (r.count < NATIVE_SLICE || r.start < 1000)
			continue;
		if (strcmp(name, uid) && (!pw || strcmp(name, pw->pw_name)))
			continue;
		*ret = r;
		return 0;
	}
	return -ENOENT;
}

int ids_find_subids(struct id_range *uid, struct id_range *gid)
{
	int r = find_subid("/etc/subuid", uid);

	return r < 0 ? r : find_subid("/etc/subgid", gid);
}

static bool overlaps_subids(const char *file, uint32_t base)
{
	auto_buf struct buf b = BUF_INIT;
	struct id_range r;
	char *name, *p;

	if (fd_slurp_path(AT_FDCWD, file, 1 << 20, &b) < 0 || !b.len)
		return false;
	for (p = b.data; next_subid(&p, &name, &r);)
		if (r.count && r.start < (uint64_t)base + NATIVE_BLOCK &&
		    base < (uint64_t)r.start + r.count)
			return true;
	return false;
}

int ids_open(struct ids *ids, const char *state_dir, enum native_mode mode,
	     uint32_t base_uid, struct svm_err *err)
{
	auto_free char *dir = path_join(state_dir, "uids");

	*ids = (struct ids){ .mode = mode, .dir = -1, .blocks = 1 };
	if (mode == NATIVE_SINGLE)
		return 0;
	if (path_make_private_dir(dir, 0700, err) < 0)
		return -1;
	ids->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ids->dir < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't open '%s'", dir);
	if (mode == NATIVE_ROOT) {
		uint32_t base = base_uid ? base_uid : IDS_DEFAULT_BASE;

		ids->first_base = (base + NATIVE_BLOCK - 1) / NATIVE_BLOCK *
				  NATIVE_BLOCK;
		ids->blocks = MIN(ROOT_BLOCKS,
				  (0xfffe0000u - ids->first_base) /
					  NATIVE_BLOCK);
		return 0;
	}
	if (ids_find_subids(&ids->uid, &ids->gid) < 0)
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "no range in /etc/subuid and /etc/subgid");
	ids->blocks = MIN(ids->uid.count, ids->gid.count) / NATIVE_SLICE;
	return 0;
}

void ids_close(struct ids *ids)
{
	fd_close(ids->dir);
	ids->dir = -1;
}

uint32_t ids_base(const struct ids *ids, uint32_t block)
{
	switch (ids->mode) {
	case NATIVE_ROOT:
		return ids->first_base + block * NATIVE_BLOCK;
	case NATIVE_SUBIDS: /* inside the outer namespace, whose 0 is us */
		return 1 + block * NATIVE_SLICE;
	default:
		return 0;
	}
}

/* The lock, or -EWOULDBLOCK.  The file may be unlinked by whoever forgot the
 * block between our open and our lock: then it is not the one on disk. */
static int try_block(const struct ids *ids, uint32_t block)
{
	char name[16];
	struct stat st;

	snprintf(name, sizeof(name), "%u", block);
	auto_close int fd = openat(ids->dir, name,
				   O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
				   0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return -EWOULDBLOCK;
	return steal_fd(&fd);
}

int ids_take(struct ids *ids, uint32_t *ret_block, int *ret_lock,
	     struct svm_err *err)
{
	*ret_block = 0;
	*ret_lock = -1;
	if (ids->mode == NATIVE_SINGLE)
		return 0;
	for (uint32_t i = 0; i < ids->blocks; i++) {
		uint32_t block = ids->next;

		ids->next = (ids->next + 1) % ids->blocks;
		if (ids->mode == NATIVE_ROOT &&
		    (overlaps_subids("/etc/subuid", ids_base(ids, block)) ||
		     overlaps_subids("/etc/subgid", ids_base(ids, block))))
			continue;
		int fd = try_block(ids, block);
		if (fd >= 0) {
			*ret_block = block;
			*ret_lock = fd;
			return 0;
		}
		if (fd != -EWOULDBLOCK)
			return svm_err_sys(err, SVM_UNAVAILABLE, fd,
					   "can't reserve user ids");
	}
	return svm_err_set(err, SVM_RESOURCE_LIMIT,
			   "all %u blocks of user ids are in use",
			   ids->blocks);
}

int ids_forget(const struct ids *ids, uint32_t block, int64_t wait_ns)
{
	char name[16];

	if (ids->mode == NATIVE_SINGLE)
		return 0;
	snprintf(name, sizeof(name), "%u", block);
	auto_close int fd = openat(ids->dir, name, O_RDWR | O_CLOEXEC |
							   O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	/* Somebody who was killed may still be on his way out, and with him
	 * the message that carries the lock: he needs the processor. */
	int64_t until = clock_mono_ns() + wait_ns;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (wait_ns <= 0 || clock_mono_ns() > until)
			return -EBUSY;
		sched_yield();
	}
	return unlinkat(ids->dir, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}
