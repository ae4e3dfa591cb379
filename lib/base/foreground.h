/* SPDX-License-Identifier: MIT */
/*
 * Job control (termios(3), "Access Control"), for who has SIGTERM and SIGHUP
 * blocked and reads them.  Left to the kernel, one that changes the terminal
 * from the background is stopped until it is in the foreground, and never
 * gets to read the signal that is to end it.
 *
 * SIGTSTP and SIGCONT must be blocked in all threads but the one that calls
 * these, so that it is stopped where it stands.
 */
#ifndef SVM_BASE_FOREGROUND_H
#define SVM_BASE_FOREGROUND_H

#include <stdbool.h>

/* Whether the terminal is ours to change.  One that isn't our session's has
 * no background. */
bool foreground_has(int fd);

/* Ctrl-Z: the whole job is stopped, as the terminal would do it, until it is
 * continued, which may be in the background.  Not if it is to end, or with no
 * shell to go back to. */
void foreground_stop(void);

/* While continued in the background, stop again, as who reads there.  False:
 * it has to end instead, by SIGTERM or SIGHUP, which wait to be read. */
bool foreground_wait(int fd);

#endif
