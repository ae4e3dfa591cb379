/* SPDX-License-Identifier: MIT */
/*
 * Kernel numbers and structs that the C library in use may not know.  The
 * agent is built with musl, which sees no kernel headers; glibc of Debian 12
 * lacks the newer ones.  Values are ABI and the same on x86-64 and arm64
 * unless said otherwise.
 */
#ifndef SVM_BASE_KERNEL_H
#define SVM_BASE_KERNEL_H

#include <stdint.h>
#include <sys/syscall.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434 /* 5.3 */
#endif
#ifndef SYS_clone3
#define SYS_clone3 435 /* 5.3 */
#endif
#ifndef SYS_close_range
#define SYS_close_range 436 /* 5.9 */
#endif
#ifndef SYS_openat2
#define SYS_openat2 437 /* 5.6 */
#endif
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442 /* 5.12 */
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444 /* 5.13 */
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* 6.6 */
#endif

/* openat2(2); svm_ because some headers declare their own. */
struct svm_open_how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};
#define SVM_RESOLVE_NO_XDEV 0x01
#define SVM_RESOLVE_NO_MAGICLINKS 0x02
#define SVM_RESOLVE_NO_SYMLINKS 0x04
#define SVM_RESOLVE_BENEATH 0x08
#define SVM_RESOLVE_IN_ROOT 0x10

/* clone3(2), as of 5.7 (with the cgroup fd). */
struct svm_clone_args {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid;
	uint64_t set_tid_size;
	uint64_t cgroup;
};
#define SVM_CLONE_PIDFD 0x00001000ull
#define SVM_CLONE_VFORK 0x00004000ull
#define SVM_CLONE_VM 0x00000100ull
#define SVM_CLONE_NEWNS 0x00020000ull
#define SVM_CLONE_NEWCGROUP 0x02000000ull
#define SVM_CLONE_NEWUTS 0x04000000ull
#define SVM_CLONE_NEWIPC 0x08000000ull
#define SVM_CLONE_NEWUSER 0x10000000ull
#define SVM_CLONE_NEWPID 0x20000000ull
#define SVM_CLONE_NEWNET 0x40000000ull
#define SVM_CLONE_CLEAR_SIGHAND 0x100000000ull
#define SVM_CLONE_INTO_CGROUP 0x200000000ull

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#define SVM_RENAME_NOREPLACE 1u
#define SVM_RENAME_EXCHANGE 2u

#endif
