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

/*
 * From now on, when one of them isn't read within ms milliseconds, the modes
 * that the terminal has now are set again, and the signal takes its course.
 * They must be blocked.  Once in a process; a child after fork(2) has none,
 * and may call it again.  0 or -errno, and then all is as without it.
 */
int ending_watch(int ms);

/* It was read: what is left to do has as long again. */
void ending_heard(int signo);

/* A program of the user's has the terminal: they wait until it is done. */
void ending_hold(bool held);

#endif
