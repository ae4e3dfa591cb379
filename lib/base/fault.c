/* SPDX-License-Identifier: MIT */
/* Fault points, for test builds.  See fault.h. */
#include "lib/base/fault.h"

#ifdef SVM_FAULTS
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/defs.h"

static void record(const char *label)
{
	const char *path = getenv("STACYVM_FAULT_LOG");
	char line[128];
	size_t n = strlen(label);
	int fd;

	if (!path || n >= sizeof(line))
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	memcpy(line, label, n);
	line[n++] = '\n';
	(void)!write(fd, line, n);
	close(fd);
}

/* "@N" is counted for one label at a time; `at` is behind the '@'.  False
 * while it is not yet the N-th time. */
static bool is_turn(const char *at)
{
	static atomic_uint seen;

	return atomic_fetch_add(&seen, 1) + 1 == strtoul(at, NULL, 10);
}

/* The action text for a label in STACYVM_FAULT, or NULL. */
static const char *action_of(const char *label)
{
	const char *p = getenv("STACYVM_FAULT");
	size_t n = strlen(label);

	for (; p && *p; p += *p == ',') {
		const char *action = p + strcspn(p, "=,");

		if (strncmp(p, label, n) == 0 && *action == '=' &&
		    (p + n == action ||
		     (p[n] == '@' && is_turn(p + n + 1))))
			return action + 1;
		p += strcspn(p, ",");
	}
	return NULL;
}

static bool is(const char *action, const char *name)
{
	size_t n = strlen(name);

	return strncmp(action, name, n) == 0 &&
	       (action[n] == ',' || action[n] == '\0');
}

static void hold(void)
{
	const char *path = getenv("STACYVM_FAULT_FIFO");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0)
		close(fd);
}

int fault_errno(const char *label)
{
	static const struct {
		const char *name;
		int value;
	} errors[] = { { "ENOSPC", ENOSPC }, { "EIO", EIO },
		       { "ENOMEM", ENOMEM }, { "EMFILE", EMFILE } };
	const char *action = action_of(label);

	record(label);
	if (!action)
		return 0;
	if (is(action, "kill")) {
		kill(getpid(), SIGKILL);
		_exit(128 + SIGKILL); /* PID 1 can't kill itself */
	}
	if (is(action, "stop"))
		kill(getpid(), SIGSTOP);
	if (is(action, "hold"))
		hold();
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (is(action, errors[i].name))
			return -errors[i].value;
	return 0;
}

void fault_point(const char *label)
{
	(void)fault_errno(label);
}

int64_t fault_time(const char *label, int64_t ns)
{
	const char *action = action_of(label);

	return action ? strtoll(action, NULL, 10) * INT64_C(1000000) : ns;
}

int64_t fault_clock(void)
{
	const char *path = getenv("STACYVM_FAULT_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	char text[32] = "";

	if (fd < 0)
		return 0;
	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	return strtoll(text, NULL, 10);
}
#endif
