/* SPDX-License-Identifier: MIT */
/*
 * SIGTERM and SIGHUP that end a program whatever it is stuck in.  One that
 * reads its signals from a signalfd(2) doesn't hear them in a write to a
 * terminal that nobody reads any more.  A thread looks whether they are taken,
 * and asleep otherwise costs nothing.
 */
#ifndef SVM_BASE_ENDING_H
#define SVM_BASE_ENDING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * From now on, when one of them isn't read within ms milliseconds, the modes
 * that the terminal has now are set again, if it is ours to change, and the
 * signal takes its course.  They must be blocked.  Once in a process; a
 * child after fork(2) has none, and may call it again.  0 or -errno, and
 * then all is as without it.
 */
int ending_watch(int ms);

/* Before that these bytes are written to fd, if it takes them without waiting:
 * what undoes there what else was done to the terminal.  Borrowed until the
 * next call; n 0: nothing. */
void ending_writes(int fd, const char *bytes, size_t n);

/* The one of them that waits to be read; 0: none does. */
int ending_pending(void);

/* It was read: what is left to do has as long again, and isn't stopped when it
 * writes to the terminal from the background. */
void ending_heard(int signo);

/* A program of the user's has the terminal: they wait until it is done. */
void ending_hold(bool held);

#endif
