/* SPDX-License-Identifier: MIT */
/* On a pty, what ends a program that doesn't read its signals. */
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/ending.h"
#include "tests/unit/unit.h"

#define LAST "\033[?1049l"

/* Never reads its SIGTERM. */
static void be_stuck(void (*before)(void))
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	ending_writes(STDOUT_FILENO, LAST, strlen(LAST));
	if (before)
		before();
	if (ending_watch(1) < 0)
		_exit(1);
	(void)kill(getpid(), SIGTERM);
	for (;;)
		pause();
}

/* How it ended, and all that it wrote. */
static int run(void (*before)(void), char *said, size_t room)
{
	int master, status;
	pid_t pid = forkpty(&master, NULL, NULL, NULL);
	size_t n = 0;
	ssize_t k;

	assert_true(pid >= 0);
	if (pid == 0)
		be_stuck(before);
	/* EIO: nobody has the other side any more. */
	while (n + 1 < room && (k = read(master, said + n, room - n - 1)) > 0)
		n += (size_t)k;
	said[n] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(master);
	return status;
}

static void test_ending__the_last_bytes_are_written(void **state)
{
	char said[256];
	int status;

	(void)state;
	status = run(NULL, said, sizeof(said));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_string_equal(said, LAST);
}

static void write_nothing(void)
{
	ending_writes(-1, NULL, 0);
}

static void test_ending__or_none(void **state)
{
	char said[256];

	(void)state;
	assert_true(WIFSIGNALED(run(write_nothing, said, sizeof(said))));
	assert_string_equal(said, "");
}

/* Nobody reads: it ends all the same, and nothing of it is waited for. */
static void test_ending__a_full_terminal_holds_nothing_up(void **state)
{
	int master, status;
	pid_t pid = forkpty(&master, NULL, NULL, NULL);

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)fcntl(STDOUT_FILENO, F_SETFL, O_RDWR | O_NONBLOCK);
		while (write(STDOUT_FILENO, "filled ", 7) > 0)
			;
		(void)fcntl(STDOUT_FILENO, F_SETFL, O_RDWR);
		be_stuck(NULL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ending__the_last_bytes_are_written),
		cmocka_unit_test(test_ending__or_none),
		cmocka_unit_test(test_ending__a_full_terminal_holds_nothing_up),
	};

	return cmocka_run_group_tests_name("ending", tests, NULL, NULL);
}
