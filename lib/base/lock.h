/* SPDX-License-Identifier: MIT */
/* flock(2) that is not waited for as long as it takes. */
#ifndef SVM_BASE_LOCK_H
#define SVM_BASE_LOCK_H

/*
 * Lock it for us alone, waiting at most `ms` milliseconds for whoever has it.
 * 0, -EWOULDBLOCK when it is still held, or another -errno.  By the main
 * thread only, and where nothing else needs SIGALRM.
 */
int lock_within(int fd, unsigned ms);

#endif
