/* SPDX-License-Identifier: MIT */
/* Pipes and terminals of commands.  See ends.h. */
#include "agent/ends.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/agent.h"
#include "lib/base/fd.h"

#define PIPE_SIZE KIB(256) /* where the user may: pipe(7) */
#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

void ends_close(int v[3])
{
	for (int i = 0; i < 3; i++)
		fd_close(v[i]);
}

/* The terminal belongs to who opens /dev/ptmx, by its file-system ids. */
static int open_terminal(const struct agent *a, struct ends *e, uint16_t cols,
			 uint16_t rows)
{
	struct winsize size = { .ws_col = cols, .ws_row = rows };
	bool other = a->setup.flags & AGENT_SETUP_SWITCH;
	int unlock = 0;

	if (other) {
		setfsgid(a->setup.gid);
		setfsuid(a->setup.uid);
	}
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC |
				       O_NONBLOCK);
	int r = master < 0 ? -errno : 0;
	if (r == 0 && ioctl(master, TIOCSPTLCK, &unlock) < 0)
		r = -errno;
	int slave = r < 0 ? -1 : ioctl(master, TIOCGPTPEER,
				       O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (r == 0 && slave < 0)
		r = -errno;
	if (other) {
		setfsuid(geteuid());
		setfsgid(getegid());
	}
	e->parent[1] = master;
	e->child[0] = slave;
	if (r < 0)
		return r;
	(void)ioctl(master, TIOCSWINSZ, &size);
	e->parent[0] = fcntl(master, F_DUPFD_CLOEXEC, 0);
	e->child[1] = fcntl(slave, F_DUPFD_CLOEXEC, 0);
	e->child[2] = fcntl(slave, F_DUPFD_CLOEXEC, 0);
	return e->parent[0] < 0 || e->child[1] < 0 || e->child[2] < 0 ?
		       -EMFILE : 0;
}

static int open_pipe(int *reader, int *writer)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	/* A wake-up costs more than the copying of what it brings. */
	(void)fcntl(p[0], F_SETPIPE_SZ, PIPE_SIZE);
	*reader = p[0];
	*writer = p[1];
	return 0;
}

static int open_pipes(const struct agent *a, const struct agent_exec *m,
		      struct ends *e)
{
	int r = open_pipe(&e->parent[1], &e->child[1]);

	if (r == 0)
		r = open_pipe(&e->parent[2], &e->child[2]);
	if (r == 0 && (m->flags & AGENT_EXEC_STDIN))
		r = open_pipe(&e->child[0], &e->parent[0]);
	else if (r == 0)
		e->child[0] = fcntl(a->null, F_DUPFD_CLOEXEC, 0);
	if (r == 0 && e->child[0] < 0)
		r = -errno;
	for (int i = 0; r == 0 && i < 3; i++)
		if (e->parent[i] >= 0)
			r = fd_set_nonblock(e->parent[i], true);
	return r;
}

int ends_open(struct ends *e, const struct agent *a,
	      const struct agent_exec *m)
{
	for (int i = 0; i < 3; i++)
		e->child[i] = e->parent[i] = -1;
	return m->flags & AGENT_EXEC_TTY ?
		       open_terminal(a, e, m->cols, m->rows) :
		       open_pipes(a, m, e);
}
