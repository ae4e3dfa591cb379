/* SPDX-License-Identifier: MIT */
/*
 * The child that becomes the command: its own session, its stdio, no rights,
 * then execve.  Whatever fails is reported on the status pipe, which execve
 * closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static NORETURN void fail(enum command_step step, int e)
{
	struct command_error error = { (int32_t)step, e };

	(void)!write(SUPERVISE_FD_STATUS, &error, sizeof(error));
	_exit(127);
}

/* execve resets handlers; what is ignored would stay so, and that is SIGPIPE
 * alone: main.c begins with everything at its default. */
static void reset_signals(void)
{
	sigset_t none;

	(void)signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int enter_cwd(const char *cwd)
{
	char here[PATH_MAX];
	auto_close int fd = file_openat(SUPERVISE_FD_ROOT, *cwd ? cwd : "/",
					O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	if (fchdir(fd) < 0)
		return -errno;
	/* "(unreachable)/...": outside of the root, by some trick. */
	if (getcwd(here, sizeof(here)) && here[0] != '/')
		return -ENOENT;
	return 0;
}

static bool env_names(const char *entry, const char *other)
{
	size_t n = strcspn(entry, "=");

	return strncmp(entry, other, n) == 0 && other[n] == '=';
}

/* Theirs wins over ours, the later one over the earlier. */
static void env_put(char **env, size_t *n, char *entry)
{
	for (size_t i = 0; i < *n; i++) {
		if (env_names(env[i], entry)) {
			env[i] = entry;
			return;
		}
	}
	env[(*n)++] = entry;
}

char **command_env(const struct agent *a, const struct agent_exec *m)
{
	size_t n = 0;
	char **env = xcalloc(strv_len(a->setup.env) + strv_len(m->env) + 2,
			     sizeof(*env));

	if (m->flags & AGENT_EXEC_TTY)
		env_put(env, &n, (char *)(uintptr_t)"TERM=xterm-256color");
	for (char **v = a->setup.env; v && *v; v++)
		env_put(env, &n, *v);
	for (char **v = m->env; v && *v; v++)
		if (strchr(*v, '='))
			env_put(env, &n, *v);
	return env;
}

static const char *find_path(char *const *env)
{
	for (; *env; env++)
		if (strncmp(*env, "PATH=", 5) == 0)
			return *env + 5;
	return DEFAULT_PATH;
}

/* A script without "#!" is for the shell, as execvp(3) does it. */
static int run_script(const char *file, char *const *argv, char *const *env)
{
	size_t n = strv_len(argv);
	const char **v = xcalloc(n + 2, sizeof(*v));

	v[0] = "sh";
	v[1] = file;
	for (size_t i = 1; i < n; i++)
		v[i + 1] = argv[i];
	execve("/bin/sh", (char *const *)(uintptr_t)v, env);
	return -errno;
}

static int try_exec(const char *file, char *const *argv, char *const *env)
{
	execve(file, argv, env);
	return errno == ENOEXEC ? run_script(file, argv, env) : -errno;
}

/* Returns why no candidate could be run: a file that may not be run is worth
 * more to the user than one that is not there. */
static int search_and_exec(char *const *argv, char *const *env)
{
	const char *name = argv[0], *p = find_path(env);
	int worst = -ENOENT;

	if (!*name)
		return -ENOENT;
	if (strchr(name, '/'))
		return try_exec(name, argv, env);
	for (;; p++) {
		size_t n = strcspn(p, ":");
		auto_free char *file = n ? xasprintf("%.*s/%s", (int)n, p,
						     name) :
					   xasprintf("./%s", name);
		int r = try_exec(file, argv, env);

		if (r != -ENOENT && r != -ENOTDIR && r != -EACCES)
			return r;
		if (r == -EACCES)
			worst = r;
		p += n;
		if (!*p)
			return worst;
	}
}

NORETURN void command_run(const struct agent *a, const struct agent_exec *m,
			  char *const *env)
{
	fd_close_from(SUPERVISE_FD_CGROUP);
	(void)setsid();
	if ((m->flags & AGENT_EXEC_TTY) && ioctl(0, TIOCSCTTY, 0) < 0)
		fail(COMMAND_STDIO, errno);
	umask(022);
	int r = confine_identity(a);
	if (r < 0)
		fail(COMMAND_CONFINE, -r);
	r = enter_cwd(m->cwd);
	if (r < 0)
		fail(COMMAND_CWD, -r);
	reset_signals();
	r = confine_seal(a, SUPERVISE_FD_ROOT);
	if (r < 0)
		fail(COMMAND_CONFINE, -r);
	close(SUPERVISE_FD_ROOT);
	r = search_and_exec(m->argv, env);
	fail(COMMAND_EXEC, -r);
}
