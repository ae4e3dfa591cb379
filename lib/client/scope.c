/* SPDX-License-Identifier: MIT */
/* A delegated scope for the daemon.  See scope.h. */
#include "lib/client/scope.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/client/conn.h"

/* Our cgroup's directory, or NULL where v2 is not all there is. */
static char *own_directory(const char *mount, const char *own)
{
	auto_free char *controllers = path_join(mount, "cgroup.controllers");
	auto_buf struct buf b = BUF_INIT;

	if (access(controllers, F_OK) < 0 ||
	    fd_slurp_path(AT_FDCWD, own, 1 << 16, &b) < 0 ||
	    strncmp(buf_str(&b), "0::/", 4) != 0)
		return NULL;
	b.data[strcspn(b.data, "\n")] = '\0';
	return xasprintf("%s%s", mount, b.data + 3);
}

static bool may_divide(const char *dir)
{
	auto_free char *control = path_join(dir, "cgroup.subtree_control");

	return faccessat(AT_FDCWD, control, W_OK, AT_EACCESS) == 0;
}

static bool bus_answers(const char *runtime)
{
	auto_free char *path = path_join(runtime, "bus");
	auto_close int fd = client_unix_connect(path);

	return fd >= 0;
}

bool scope_wanted(const char *mount, const char *own, const char *runtime)
{
	auto_free char *dir = own_directory(mount, own);

	if (!dir || !runtime || runtime[0] != '/')
		return false;
	/* The leaf an earlier daemon made is in a directory of ours. */
	char *slash = strrchr(dir, '/');

	if (may_divide(dir))
		return false;
	if (strcmp(slash, "/daemon") == 0) {
		*slash = '\0';
		if (may_divide(dir))
			return false;
	}
	return bus_answers(runtime);
}

const char *scope_program(void)
{
	static const char path[] = "/usr/bin/systemd-run";

	return access(path, X_OK) == 0 ? path : NULL;
}

/* systemd-run makes the scope, enters it and execs: same process, same
 * descriptors, same environment. */
char **scope_argv(const char *program, char *const *argv)
{
	static const char *const words[] = { "--user", "--scope", "--quiet",
					     "--collect", "-p", "Delegate=yes",
					     "--description=stacyvm daemon",
					     "--" };
	size_t n = 0;
	char **v = xcalloc(ARRAY_SIZE(words) + strv_len(argv) + 2,
			   sizeof(*v));

	v[n++] = (char *)program;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		v[n++] = (char *)words[i];
	while (*argv)
		v[n++] = *argv++;
	return v;
}
