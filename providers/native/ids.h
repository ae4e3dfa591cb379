/* SPDX-License-Identifier: MIT */
/*
 * Host ids for boxes: numbered blocks, each held by a lock on STATE/uids/N
 * whose descriptor the agent inherits, so a block is taken exactly as long as
 * its sandbox lives, whatever happens to the daemon.
 */
#ifndef SVM_PROVIDERS_NATIVE_IDS_H
#define SVM_PROVIDERS_NATIVE_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "providers/native/native.h"

/* Where root's blocks begin unless base_uid says otherwise. */
#define IDS_DEFAULT_BASE 0x40000000u

struct id_range {
	uint32_t start, count;
};

struct ids {
	enum native_mode mode;
	int dir;              /* STATE/uids */
	uint32_t first_base;  /* root: id of block 0 */
	uint32_t blocks;      /* how many there are */
	uint32_t next;        /* where the next search starts; on the loop */
	struct id_range uid, gid; /* subids: what the host gave us */
};

/* Find the ranges of this user in /etc/subuid and /etc/subgid. -ENOENT. */
int ids_find_subids(struct id_range *uid, struct id_range *gid);

int ids_open(struct ids *ids, const char *state_dir, enum native_mode mode,
	     uint32_t base_uid, struct svm_err *err);
void ids_close(struct ids *ids);

/* Take a free block: its number and the lock's fd (owned).  With one id there
 * is nothing to take: block 0 and -1. */
int ids_take(struct ids *ids, uint32_t *ret_block, int *ret_lock,
	     struct svm_err *err);

/* First id of a block, as the launcher sees ids. */
uint32_t ids_base(const struct ids *ids, uint32_t block);

/* Drop the lock file of a block that nobody holds, or not for longer than
 * wait_ns.  0, or -EBUSY. */
int ids_forget(const struct ids *ids, uint32_t block, int64_t wait_ns);

#endif
