/* SPDX-License-Identifier: MIT */
/*
 * Processes by identity.  A pid alone can be reused; pid + start time (field
 * 22 of /proc/PID/stat, clock ticks since boot) can't within one boot.
 */
#ifndef SVM_BASE_PROC_H
#define SVM_BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/defs.h"

/* Start time, or -errno (-ESRCH when gone).  A zombie still has one. */
int64_t proc_start_time(pid_t pid);

/* State letter as in /proc/PID/stat ('R', 'S', 'Z', ...), or 0 when gone. */
char proc_state(pid_t pid);

/* A pidfd for exactly that process: opened, then the start time is checked
 * again.  -ESRCH when it is gone, a zombie or another one. */
int proc_open_pidfd(pid_t pid, int64_t start_time);

int proc_pidfd_kill(int pidfd, int signo); /* 0 or -errno */

/* Wait until the process behind the pidfd has ended.  0, -ETIMEDOUT. */
int proc_pidfd_wait(int pidfd, int timeout_ms);

/* The kernel's boot id, 36 characters: another one means every recorded
 * process is gone.  Borrowed, read once. */
const char *proc_boot_id(void);

/* Raise soft NOFILE to hard; children get the old soft limit back through
 * proc_restore_nofile(), which is async-signal-safe. */
void proc_raise_nofile(void);
uint64_t proc_most_files(void); /* the hard NOFILE */
void proc_restore_nofile(void);

/* Start argv[0] (a path, no PATH search) with exactly this environment and
 * these descriptors: fds[i] becomes i; -1 means /dev/null.  Signals and mask
 * are reset, everything else is closed, a new session if asked.  vfork-style:
 * the cost does not grow with the caller.  Returns the pid, *ret_pidfd set if
 * not NULL; or -errno, also when exec itself failed. */
enum proc_spawn_flags { PROC_SPAWN_SETSID = 1u << 0 };
pid_t proc_spawn(char *const argv[], char *const envp[], const int *fds,
		 unsigned nfds, unsigned flags, int *ret_pidfd);

#endif
