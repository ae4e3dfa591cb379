/* SPDX-License-Identifier: MIT */
/* Stopping as the terminal would do it.  See foreground.h. */
#include "lib/base/foreground.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/ending.h"

bool foreground_has(int fd)
{
	pid_t front = tcgetpgrp(fd);

	return front <= 0 || front == getpgrp();
}

static bool take(const sigset_t *set)
{
	return sigtimedwait(set, NULL, &(struct timespec){ 0 }) > 0;
}

/* Whether somebody has continued us since: an orphaned process group isn't
 * stopped, nor one that ignores the signal.  What is to end us may come, with
 * its SIGCONT, after we have looked: that drops a SIGTSTP which is pending. */
static bool stop_job(void)
{
	sigset_t stop, cont, old;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigemptyset(&cont);
	sigaddset(&cont, SIGCONT);
	(void)pthread_sigmask(SIG_BLOCK, &stop, &old);
	(void)pthread_sigmask(SIG_BLOCK, &cont, NULL);
	(void)take(&cont);
	(void)kill(0, SIGTSTP);
	if (ending_pending())
		(void)kill(0, SIGCONT);
	(void)pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
	bool continued = take(&cont);

	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return continued;
}

void foreground_stop(void)
{
	if (!ending_pending())
		(void)stop_job();
}

bool foreground_wait(int fd)
{
	while (!foreground_has(fd)) {
		if (ending_pending())
			return false;
		/* Nobody will bring us back: to us the terminal is gone. */
		if (!stop_job()) {
			(void)kill(getpid(), SIGHUP);
			return false;
		}
	}
	return true;
}
