/* SPDX-License-Identifier: MIT */
/*
 * The mock provider: a box is a directory on this machine and an agent that
 * runs as an ordinary process in it.  Everything works, nothing is isolated:
 * for tests and demonstrations, and never chosen by itself.
 *
 *	STATE/boxes/ID/provider    "mock": whose box this is
 *	STATE/boxes/ID/lock        locked as long as anything of it lives
 *	STATE/boxes/ID/agent.sock
 *	STATE/boxes/ID/root/       what the file operations see as "/"
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/api/agent-setup.h"
#include "lib/api/msg.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc-tree.h"
#include "lib/base/proc.h"
#include "providers/builtin.h"

#define READY_MS 10000
#define END_MS 5000

struct mock {
	struct provider base;
	char *boxes; /* STATE/boxes */
	int agent;   /* memfd */
};

static int mock_probe(const struct provider_host *host,
		      struct provider_findings *findings, struct svm_err *err)
{
	(void)host;
	(void)err;
	provider_findings_add(findings, FINDING_NOTE, "isolation", NULL,
			      "the mock provider isolates nothing: commands "
			      "run as you, on this machine");
	return 0;
}

static int mock_open(const struct provider_host *host, struct provider **ret,
		     struct svm_err *err)
{
	auto_free char *boxes = path_join(host->state_dir, "boxes");

	if (path_make_private_dir(boxes, 0700, err) < 0)
		return -1;
	int agent = provider_agent_memfd(err);
	if (agent < 0)
		return -1;
	struct mock *m = xcalloc(1, sizeof(*m));
	m->boxes = steal_ptr(&boxes);
	m->agent = agent;
	*ret = &m->base;
	return 0;
}

static void mock_close(struct provider *p)
{
	struct mock *m = container_of(p, struct mock, base);

	fd_close(m->agent);
	free(m->boxes);
	free(m);
}

static int mock_prepare(struct provider *p, struct provider_box *box,
			const struct sandbox_spec *spec, struct svm_err *err)
{
	(void)p;
	(void)spec;
	(void)err;
	free(box->record);
	box->record = xstrdup("mock");
	return 0;
}

/* Directories. */

static int make_box_dir(struct mock *m, const char *id, struct svm_err *err)
{
	static const char *const dirs[] = {
		"root",     "root/workspace", "root/app",
		"root/tmp", "root/home",      "root/home/user",
	};
	auto_close int boxes = open(m->boxes,
				    O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = boxes < 0 || mkdirat(boxes, id, 0700) < 0 ? -errno : 0;
	auto_close int dir = r < 0 ? -1 : openat(boxes, id, O_PATH |
						 O_DIRECTORY | O_CLOEXEC);

	if (r == 0 && dir < 0)
		r = -errno;
	if (r == 0)
		r = fd_replace_path(dir, "provider", "mock\n", 5, 0600);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dirs); i++)
		if (mkdirat(dir, dirs[i], 0755) < 0)
			r = -errno;
	if (r < 0)
		return svm_err_sys(err, SVM_PROVIDER, r,
				   "can't make the directory of box '%s'", id);
	return steal_fd(&dir);
}

/* The lock of a box, taken; -EWOULDBLOCK while anything of it lives. */
static int take_lock(int dir)
{
	auto_close int fd = openat(dir, "lock",
				   O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : steal_fd(&fd);
}

/* The agent's environment of commands; owned. */
static char **make_env(const char *root, const struct sandbox_spec *spec)
{
	size_t n = 0, given = strv_len(spec->env);
	size_t image = strv_len(spec->image_env);
	char **env = xcalloc(given + image + 8, sizeof(*env));

	for (size_t i = 0; i < image; i++)
		env[n++] = xstrdup(spec->image_env[i]);
	env[n++] = xstrdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
			   "/usr/bin:/sbin:/bin");
	env[n++] = xasprintf("HOME=%s/home/user", root);
	env[n++] = xasprintf("TMPDIR=%s/tmp", root);
	env[n++] = xstrdup("LANG=C.UTF-8");
	env[n++] = xstrdup("USER=user");
	for (size_t i = 0; i < given; i++)
		env[n++] = xstrdup(spec->env[i]);
	return env;
}

/* Start the agent on its memfd.  Test builds hand their faults on. */
static pid_t spawn_agent(struct mock *m, int setup, int *ret_pidfd)
{
	char *argv[] = { (char *)(uintptr_t)"/proc/self/fd/4", NULL };
	char *envp[3] = { NULL };
	const int fds[] = { -1, -1, -1, setup, m->agent };
#ifdef SVM_FAULTS
	static const char *const names[] = { "STACYVM_FAULT",
					     "STACYVM_FAULT_LOG" };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (getenv(names[i]))
			envp[n++] = xasprintf("%s=%s", names[i],
					      getenv(names[i]));
#endif
	pid_t pid = proc_spawn(argv, envp, fds, ARRAY_SIZE(fds),
			       PROC_SPAWN_SETSID, ret_pidfd);
	free(envp[0]);
	free(envp[1]);
	return pid;
}

static int await_ready(int sock, struct svm_err *err)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	char text[1024];
	int n;

	do {
		n = poll(&p, 1, READY_MS);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return svm_err_set(err, SVM_TIMEOUT,
				   "the agent was not ready in %d s",
				   READY_MS / 1000);
	ssize_t got = fd_recv_msg(sock, text, sizeof(text), NULL, NULL);
	struct msg_reader r = msg_reader(text, (size_t)MAX(got, 0));
	uint32_t code = msg_u32(&r);
	if (!msg_ok(&r))
		return svm_err_set(err, SVM_PROVIDER,
				   "the agent ended before it was ready");
	if (code == SVM_OK)
		return 0;
	(void)msg_u32(&r);
	auto_free char *why = msg_str(&r, sizeof(text));
	return svm_err_set(err, SVM_PROVIDER, "the agent could not start: %s",
			   why ? why : "no reason given");
}

static int send_setup(struct mock *m, int sock, int dir,
		      const struct provider_box *box,
		      const struct sandbox_spec *spec, struct svm_err *err)
{
	auto_free char *root = xasprintf("%s/%s/root", m->boxes, box->id);
	auto_buf struct buf text = BUF_INIT;
	struct agent_setup s = {
		.flags = AGENT_SETUP_ROOT,
		.deadline_boot_ns = (uint64_t)box->deadline_boot_ns,
		.uid = getuid(),
		.gid = getgid(),
		.home = root,
		.env = make_env(root, spec),
	};
	auto_close int listener = fd_unix_listen(dir, "agent.sock",
						 SOCK_STREAM, 256);
	auto_close int rootfd = openat(dir, "root",
				       O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int lock = take_lock(dir);

	memcpy(s.nonce, box->nonce, sizeof(s.nonce));
	agent_setup_encode(&text, &s);
	strv_free(s.env);
	int bad = listener < 0 ? listener : rootfd < 0 ? -ENOENT : lock;
	if (bad < 0)
		return svm_err_sys(err, SVM_PROVIDER, bad,
				   "can't set up box '%s'", box->id);
	const int fds[] = { listener, rootfd, lock };
	ssize_t n = fd_send_msg(sock, text.data, text.len, fds,
				ARRAY_SIZE(fds));
	if (n < 0)
		return svm_err_sys(err, SVM_PROVIDER, (int)n,
				   "can't tell the agent what to do");
	return 0;
}

static int start_agent(struct mock *m, int dir, struct provider_box *box,
		       const struct sandbox_spec *spec, struct svm_err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return svm_err_sys(err, SVM_PROVIDER, errno,
				   "can't make a socket pair");
	auto_close int ours = pair[0];
	auto_close int theirs = pair[1];
	pid_t pid = spawn_agent(m, theirs, &box->pidfd);
	if (pid < 0)
		return svm_err_sys(err, SVM_PROVIDER, pid,
				   "can't start the agent");
	box->pid = pid;
	box->start_time = proc_start_time(pid);
	fd_close(steal_fd(&theirs));
	if (send_setup(m, ours, dir, box, spec, err) < 0)
		return -1;
	return await_ready(ours, err);
}

static char *posture(void)
{
	return xstrdup("{\"isolation\":\"none\",\"user_namespace\":false,"
		       "\"seccomp\":\"none\",\"no_new_privs\":true,"
		       "\"cgroup\":\"none\",\"network\":\"host\"}");
}

static int mock_destroy(struct provider *p, struct provider_box *box,
			struct svm_err *err);

static int mock_create(struct provider *p, struct provider_box *box,
		       const struct sandbox_spec *spec, struct svm_err *err)
{
	struct mock *m = container_of(p, struct mock, base);
	int64_t begin = clock_mono_ns();

	fault_point("mock.create");
	auto_close int dir = make_box_dir(m, box->id, err);
	int64_t made = clock_mono_ns();
	if (dir < 0)
		return -1;
	if (start_agent(m, dir, box, spec, err) < 0) {
		auto_err struct svm_err second = SVM_ERR_INIT;

		(void)mock_destroy(p, box, &second);
		return -1;
	}
	box->timings.mounts = made - begin;
	box->timings.agent = clock_mono_ns() - made;
	free(box->posture);
	box->posture = posture();
	return 0;
}

static int mock_adopt(struct provider *p, struct provider_box *box,
		      struct svm_err *err)
{
	int fd = box->pid ? proc_open_pidfd(box->pid, box->start_time) :
			    -ESRCH;

	(void)p;
	if (fd < 0)
		return svm_err_set(err, SVM_NOT_FOUND,
				   "the agent of '%s' is gone", box->id);
	fd_close(box->pidfd);
	box->pidfd = fd;
	free(box->posture);
	box->posture = posture();
	return 0;
}

/* Ending. */

/* An agent whose pid was never recorded: ask it through its socket. */
static void shut_down_by_socket(int dir)
{
	auto_close int fd = fd_unix_connect(dir, "agent.sock", SOCK_STREAM);
	auto_buf struct buf text = BUF_INIT;

	if (fd < 0)
		return;
	frame_add(&text, FRAME_SHUTDOWN, 0, 1, NULL, 0);
	(void)fd_send_msg(fd, text.data, text.len, NULL, 0);
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };
	(void)poll(&p, 1, END_MS);
}

static void end_agent(struct provider_box *box)
{
	int own = proc_open_pidfd(box->pid, box->start_time);

	/* TERM: it ends everything below it, then itself. */
	if (own >= 0 && (proc_pidfd_kill(own, SIGTERM) < 0 ||
			 proc_pidfd_wait(own, END_MS) < 0)) {
		(void)proc_tree_kill(box->pid);
		(void)proc_pidfd_kill(own, SIGKILL);
		(void)proc_pidfd_wait(own, END_MS);
	}
	fd_close(own);
	(void)waitpid(box->pid, NULL, WNOHANG); /* if it is our child */
}

/* Supervisors take their trees along when the agent is gone; the lock says
 * when the last has ended. */
static int await_lock(int dir)
{
	int64_t deadline = clock_mono_ns() + END_MS * INT64_C(1000000);
	int fd;

	while ((fd = take_lock(dir)) == -EWOULDBLOCK &&
	       clock_mono_ns() < deadline)
		(void)poll(NULL, 0, 5);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static bool is_mock(int boxes, const char *id)
{
	auto_free char *path = path_join(id, "provider");
	auto_buf struct buf text = BUF_INIT;

	return fd_slurp_path(boxes, path, 64, &text) == 0 &&
	       strcmp(buf_str(&text), "mock\n") == 0;
}

static int remove_box(struct mock *m, const char *id, struct provider_box *box,
		      struct svm_err *err)
{
	auto_close int boxes = open(m->boxes,
				    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int dir = openat(boxes, id,
				    O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 && errno == ENOENT)
		return 0;
	if (box && box->pid)
		end_agent(box);
	else if (dir >= 0)
		shut_down_by_socket(dir);
	int r = dir < 0 ? -errno : await_lock(dir);
	if (r == 0)
		r = path_remove_tree(boxes, id);
	if (r < 0)
		return svm_err_sys(err, SVM_PROVIDER, r,
				   "can't remove box '%s'", id);
	return 0;
}

static int mock_destroy(struct provider *p, struct provider_box *box,
			struct svm_err *err)
{
	struct mock *m = container_of(p, struct mock, base);

	fault_point("mock.destroy");
	return remove_box(m, box->id, box, err);
}

static int mock_open_channel(struct provider *p, struct provider_box *box,
			     struct svm_err *err)
{
	return provider_connect_agent(p->host, box, err);
}

static bool listed(char *const *ids, const char *id)
{
	for (; ids && *ids; ids++)
		if (strcmp(*ids, id) == 0)
			return true;
	return false;
}

static int mock_sweep(struct provider *p, char *const *ids,
		      struct svm_err *err)
{
	struct mock *m = container_of(p, struct mock, base);
	DIR *d = opendir(m->boxes);
	int r = 0;

	if (!d)
		return svm_err_sys(err, SVM_PROVIDER, errno,
				   "can't list '%s'", m->boxes);
	for (struct dirent *e; r == 0 && (e = readdir(d));)
		if (e->d_name[0] != '.' && !listed(ids, e->d_name) &&
		    is_mock(dirfd(d), e->d_name))
			r = remove_box(m, e->d_name, NULL, err);
	closedir(d);
	return r;
}

static int mock_stats(struct provider *p, struct provider_box *box,
		      struct provider_stats *ret, struct svm_err *err)
{
	auto_free struct proc_tree_entry *v = NULL;
	int n = proc_tree_list(box->pid, &v);

	(void)p;
	(void)err;
	if (n < 0)
		return 0;
	ret->supported = true;
	ret->pids = (uint64_t)n;
	for (int i = 0; i < n; i++) {
		auto_free char *path = xasprintf("/proc/%ld/statm",
						 (long)v[i].pid);
		auto_buf struct buf text = BUF_INIT;
		unsigned long long size, rss = 0;

		if (fd_slurp_path(-1, path, 4096, &text) == 0 &&
		    sscanf(buf_str(&text), "%llu %llu", &size, &rss) == 2)
			ret->mem_bytes += rss *
					  (uint64_t)sysconf(_SC_PAGESIZE);
	}
	return 0;
}

const struct provider_ops provider_mock_ops = {
	.name = "mock",
	.label = "a directory on this machine, NO isolation: for tests",
	.caps = PROVIDER_AGENT | PROVIDER_STATS,
	.probe = mock_probe,
	.open = mock_open,
	.close = mock_close,
	.prepare = mock_prepare,
	.create = mock_create,
	.adopt = mock_adopt,
	.destroy = mock_destroy,
	.open_channel = mock_open_channel,
	.stats = mock_stats,
	.sweep = mock_sweep,
};
