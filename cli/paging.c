/* SPDX-License-Identifier: MIT */
/* Standard output through a pager.  See paging.h. */
#include "cli/paging.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/proc.h"

extern char **environ;

static const int fatal[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static struct {
	pid_t pid; /* 0: there is none */
	int out;   /* standard output as it was */
	struct sigaction pipe, fatal[ARRAY_SIZE(fatal)]; /* as they were */
} pager;

/* A screen that is written over and over is nothing for who asked for none. */
static bool has_screen(const struct cli *cli)
{
	const char *term = getenv("TERM");

	return cli->stdout_tty && isatty(STDIN_FILENO) &&
	       term && term[0] && strcmp(term, "dumb") != 0 &&
	       !cli_accessible(cli);
}

/* For a shell, since it may be "less -S"; NULL: none is wanted.  What can't
 * be run must not take the output with it. */
static char *command_line(void)
{
	static const char fallback[] =
		"if command -v less >/dev/null; then less; else cat; fi";
	const char *name = getenv("STACYVM_PAGER");

	name = name ? name : getenv("PAGER");
	if (name && (!name[0] || strcmp(name, "cat") == 0))
		return NULL;
	return xasprintf("%s\ncase $? in 126|127) exec cat ;; esac",
			 name ? name : fallback);
}

/* Ours, with what makes less show colours and leave when all fits; borrowed
 * strings. */
static char **make_env(void)
{
	char **env = xcalloc(strv_len(environ) + 3, sizeof(char *));
	size_t n = strv_len(environ);

	memcpy(env, environ, n * sizeof(char *));
	if (!getenv("LESS"))
		env[n++] = (char *)(uintptr_t)"LESS=FRX";
	if (!getenv("LV"))
		env[n++] = (char *)(uintptr_t)"LV=-c";
	return env;
}

static pid_t start(char *line, int in)
{
	char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, line, NULL };
	const int fds[] = { in, STDOUT_FILENO, STDERR_FILENO };
	auto_free char **env = make_env();

	return proc_spawn(argv, env, fds, ARRAY_SIZE(fds), 0, NULL);
}

static void wait_for_reader(void)
{
	while (waitpid(pager.pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* We go, but not before the pager: it has the terminal. */
static void on_fatal(int signo)
{
	close(STDOUT_FILENO);
	wait_for_reader();
	signal(signo, SIG_DFL);
	raise(signo);
}

static void take_signals(void)
{
	struct sigaction sa = { .sa_handler = on_fatal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, &pager.pipe);
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		sigaction(fatal[i], &sa, &pager.fatal[i]);
}

static void give_back_signals(void)
{
	sigaction(SIGPIPE, &pager.pipe, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		sigaction(fatal[i], &pager.fatal[i], NULL);
}

static bool is_paged(const struct cli *cli)
{
	return cli->help || !cli->cmd || cli->cmd->subs ||
	       cli->cmd->flags & CMD_PAGED;
}

void paging_begin(const struct cli *cli)
{
	int ends[2];

	if (pager.pid || cli->no_pager || !is_paged(cli) || !has_screen(cli))
		return;
	auto_free char *line = command_line();

	if (!line || pipe2(ends, O_CLOEXEC) < 0)
		return;
	auto_close int in = ends[0], to = ends[1];
	auto_close int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	fflush(stdout);
	sigset_t held, old;

	/* One that comes when the pager is there and we aren't ready. */
	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		sigaddset(&held, fatal[i]);
	sigprocmask(SIG_BLOCK, &held, &old);
	pid_t pid = out < 0 ? -1 : start(line, in);

	if (pid > 0) {
		pager.pid = pid;
		pager.out = steal_fd(&out);
		take_signals();
		(void)dup2(to, STDOUT_FILENO);
		fd_close(steal_fd(&to));
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
}

bool paging_is_on(void)
{
	return pager.pid;
}

bool paging_end(void)
{
	if (!pager.pid)
		return false;
	/* What the reader didn't want is not for the terminal either. */
	(void)fflush(stdout);
	__fpurge(stdout);
	clearerr(stdout);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	(void)dup2(pager.out, STDOUT_FILENO); /* the pipe ends */
	fd_close(pager.out);
	wait_for_reader();
	pager.pid = 0;
	give_back_signals();
	return true;
}
