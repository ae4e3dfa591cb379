/* SPDX-License-Identifier: MIT */
/*
 * Fault points: named places where tests make the process die, fail or stop.
 *
 * Compiled in with FAULTS=1 only; otherwise nothing is left of them.  The
 * environment variable STACYVM_FAULT holds "label=action[,label=action...]",
 * where "label@N" is the N-th time that the process comes there:
 *	kill    SIGKILL to ourselves
 *	stop    SIGSTOP, until somebody continues us
 *	hold    this thread waits until somebody writes to STACYVM_FAULT_FIFO
 *	ENOSPC  (or EIO, ENOMEM, EMFILE) fault_errno() returns it, negative
 *	250     fault_time() returns so many milliseconds
 * Every label reached is appended to the file named by STACYVM_FAULT_LOG, by
 * which a test proves that each was hit.
 *
 * STACYVM_FAULT_CLOCK names a file that holds nanoseconds: by so much the
 * clock on the wall has been set forward, or back, at this moment.
 */
#ifndef SVM_BASE_FAULT_H
#define SVM_BASE_FAULT_H

#include <stdint.h>

#ifdef SVM_FAULTS
void fault_point(const char *label);
int fault_errno(const char *label); /* 0 or -errno */
int64_t fault_time(const char *label, int64_t ns); /* ns unless told */
int64_t fault_clock(void);
#else
static inline void fault_point(const char *label) { (void)label; }
static inline int fault_errno(const char *label) { (void)label; return 0; }
static inline int64_t fault_time(const char *label, int64_t ns)
{
	(void)label;
	return ns;
}
static inline int64_t fault_clock(void) { return 0; }
#endif

#endif
