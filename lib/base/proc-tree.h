/* SPDX-License-Identifier: MIT */
/*
 * The descendants of a process, as /proc shows them.
 *
 * Complete only when the root is a subreaper (or PID 1), so that what is
 * orphaned below it stays below it, and when /proc shows every process of the
 * tree to the caller (hidepid= needs gid= with a group of the caller).
 * Signals go through pidfds, so a reused pid is never hit.
 */
#ifndef SVM_BASE_PROC_TREE_H
#define SVM_BASE_PROC_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_tree_entry {
	pid_t pid, parent;
	int64_t start_time;
	char state;
};

/* The living descendants (zombies left out), owned by the caller.  Returns
 * how many, or -errno. */
int proc_tree_list(pid_t root, struct proc_tree_entry **ret);

/* Signal each descendant once.  Returns how many there were, or -errno. */
int proc_tree_signal(pid_t root, int signo);

/* Stop every descendant until a pass finds none that runs, so that nothing
 * can fork away, then kill them all.  Returns how many, or -errno.  The dead
 * still have to be reaped by their parents; call again until it finds none. */
int proc_tree_kill(pid_t root);

#endif
