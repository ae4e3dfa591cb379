/* SPDX-License-Identifier: MIT */
/*
 * A box from nothing to an agent that answers.  See box.h for the steps.
 */
#include "providers/native/box.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/agent-setup.h"
#include "lib/api/msg.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/proc.h"
#include "providers/native/posture.h"
#include "providers/native/rootfs.h"

#define READY_MS 5000
#define NOFILE_LIMIT 16384

/* A tmpfs is memory.  With no controller to count it, one sandbox could take
 * all there is. */
static int check_memory(const struct native *n, uint32_t disk_mb,
			struct svm_err *err)
{
	auto_buf struct buf b = BUF_INIT;
	unsigned long long kib;

	if (n->cgroups.ctls & CGROUP_MEMORY)
		return 0;
	if (fd_slurp_path(AT_FDCWD, "/proc/meminfo", 65536, &b) < 0)
		return 0;
	const char *p = strstr(buf_str(&b), "MemAvailable:");
	if (!p || sscanf(p, "MemAvailable: %llu", &kib) != 1 ||
	    disk_mb <= kib / 1024 / 2)
		return 0;
	svm_err_set(err, SVM_RESOURCE_LIMIT,
		    "disk_mb %u is more than half of the %llu MiB of memory "
		    "that are free, and no cgroup limits it here", disk_mb,
		    kib / 1024);
	return svm_err_hint(err, "ask for less disk_mb, or start the daemon "
				 "with 'systemd-run --user --scope -p "
				 "Delegate=yes stacyvm serve'");
}

/* "K=V" into v; a later K replaces an earlier one. */
static void env_put(char ***v, size_t *n, const char *pair)
{
	size_t key = strcspn(pair, "=") + 1;

	for (size_t i = 0; i < *n; i++) {
		if (strncmp((*v)[i], pair, key))
			continue;
		free((*v)[i]);
		(*v)[i] = xstrdup(pair);
		return;
	}
	*v = xreallocarray(*v, *n + 2, sizeof(**v));
	(*v)[(*n)++] = xstrdup(pair);
	(*v)[*n] = NULL;
}

static char **make_env(const struct sandbox_spec *spec)
{
	static const char *const base[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
		"/bin",
		"HOME=" NATIVE_HOME, "USER=user", "LOGNAME=user",
		"SHELL=/bin/sh", "LANG=C.UTF-8",
	};
	char **v = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(base); i++)
		env_put(&v, &n, base[i]);
	for (char **e = spec->image_env; e && *e; e++)
		env_put(&v, &n, *e);
	for (char **e = spec->env; e && *e; e++)
		env_put(&v, &n, *e);
	return v;
}

void spawn_release(struct spawn *s)
{
	fd_close(s->setup);
	fd_close(s->child);
	fd_close(s->listener);
	fd_close(s->work);
	fd_close(s->lock);
	for (size_t i = 0; i < s->nenter; i++)
		fd_close(s->enter[i]);
}

static int make_listener(struct native *n, const char *id, struct spawn *s,
			 struct svm_err *err)
{
	if (mkdirat(n->boxes, id, 0700) < 0 && errno != EEXIST)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't make 'boxes/%s'", id);
	auto_close int dir = openat(n->boxes, id,
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
					    O_CLOEXEC);
	if (dir < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't open 'boxes/%s'", id);
	s->listener = fd_unix_listen(dir, "agent.sock",
				     SOCK_STREAM | SOCK_NONBLOCK, 512);
	if (s->listener < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, s->listener,
				   "can't listen on 'boxes/%s/agent.sock'", id);
	return 0;
}

static int make_cgroups(struct native *n, const char *id,
			const struct sandbox_spec *spec, struct spawn *s,
			struct svm_err *err)
{
	struct cgroup_limits limits = {
		/* The tmpfs is charged to it too. */
		.memory_bytes = (uint64_t)(spec->memory_mb +
				(s->rec.tmpfs ? spec->disk_mb : 0)) << 20,
		.vcpus = spec->vcpus,
		.pids = spec->pids,
	};
	uid_t owner = n->mode == NATIVE_ROOT ?
			      ids_base(&n->ids, s->rec.block) : geteuid();

	int r = cgroups_make(&n->cgroups, id, &limits, owner, s->enter,
			     &s->nenter, &s->work, err);
	fault_point("spawn.cgroup");
	return r;
}

int box_send_setup(struct native *n, const struct provider_box *box,
		   const struct sandbox_spec *spec, struct spawn *s,
		   struct svm_err *err)
{
	bool nproc = !(n->cgroups.ctls & CGROUP_PIDS);
	struct agent_setup a = {
		.flags = AGENT_SETUP_INIT,
		.deadline_boot_ns = (uint64_t)box->deadline_boot_ns,
		.uid = NATIVE_UID,
		.gid = NATIVE_UID,
		.home = (char[]){ NATIVE_HOME },
		.rlimit_nofile = NOFILE_LIMIT,
		.rlimit_nproc = nproc ? spec->pids : 0,
		.agent_filter = n->agent_filter.data,
		.agent_filter_len = n->agent_filter.len,
		.work_filter = n->work_filter.data,
		.work_filter_len = n->work_filter.len,
	};
	auto_buf struct buf b = BUF_INIT;
	int fds[AGENT_SETUP_FD_MAX];
	size_t nfds = 0;

	memcpy(a.nonce, box->nonce, sizeof(a.nonce));
	fds[nfds++] = s->listener;
	if (s->work >= 0) {
		a.flags |= AGENT_SETUP_CGROUP;
		fds[nfds++] = s->work;
	}
	/* Only cloning into a cgroup takes more than commands may: without it
	 * theirs is the agent's from the start, and inherited for nothing. */
	if (s->work < 0) {
		a.agent_filter = a.work_filter;
		a.agent_filter_len = a.work_filter_len;
		a.work_filter_len = 0;
	}
	if (s->lock >= 0)
		fds[nfds++] = s->lock;
	if (n->mode != NATIVE_SINGLE)
		a.flags |= AGENT_SETUP_SWITCH;
	/* Only where agent and commands are the same user: each command has a
	 * domain of its own then, and does not see those of others. */
	else if (n->landlock)
		a.flags |= AGENT_SETUP_LANDLOCK;
	if (spec->read_only_rootfs)
		a.flags |= AGENT_SETUP_READ_ONLY;
	a.env = make_env(spec);
	agent_setup_encode(&b, &a);
	strv_free(a.env);
	ssize_t r = fd_send_msg(s->setup, b.data, b.len, fds, nfds);
	return r < 0 ? svm_err_sys(err, SVM_PROVIDER, (int)r,
				   "can't send the agent its set-up") : 0;
}

static int add_layers(struct launch_request *q, char *const *layers,
		      struct svm_err *err)
{
	for (; layers && *layers; layers++) {
		size_t len = strlen(*layers) + 1;

		if (q->text_len + len > LAUNCH_TEXT)
			return svm_err_set(err, SVM_UNSUPPORTED,
					   "the image has too many layers");
		memcpy(q->text + q->text_len, *layers, len);
		q->text_len += (uint32_t)len;
	}
	return 0;
}

/* boxes/ID/upper with the two directories an overlay needs. */
static int add_upper(struct native *n, struct launch_request *q,
		     struct svm_err *err)
{
	char name[32];
	auto_free char *path = xasprintf("%s/boxes/%s/upper",
					 n->base.host->state_dir, q->id);
	char *v[] = { path, NULL };
	static const char *const dirs[] = { "upper", "upper/u", "upper/w" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(name, sizeof(name), "%s/%s", q->id, dirs[i]);
		if (mkdirat(n->boxes, name, 0755) < 0 && errno != EEXIST)
			return svm_err_sys(err, SVM_UNAVAILABLE, errno,
					   "can't make 'boxes/%s'", name);
	}
	q->flags |= LAUNCH_UPPER;
	return add_layers(q, v, err);
}

int box_launch(struct native *n, struct provider_box *box,
	       const struct sandbox_spec *spec, struct spawn *s,
	       struct svm_err *err)
{
	auto_free struct launch_request *q = xmalloc(sizeof(*q));
	struct launch_reply reply;
	int fds[1 + CGROUP_MAX];

	memset(q, 0, LAUNCH_REQUEST_HEAD);
	q->op = LAUNCH_CREATE;
	q->base = ids_base(&n->ids, s->rec.block);
	q->disk_mb = spec->disk_mb;
	q->inodes = spec->inodes;
	snprintf(q->id, sizeof(q->id), "%s", box->id);
	if (spec->read_only_rootfs)
		q->flags |= LAUNCH_READ_ONLY;
	if (n->cgroups.kind == CGROUP_V2)
		q->flags |= LAUNCH_CGROUP2;
	if (spec->rootfs == SPEC_ROOTFS_LAYERS) {
		q->flags |= LAUNCH_LAYERS;
		if (add_layers(q, spec->layers, err) < 0 ||
		    (!s->rec.tmpfs && add_upper(n, q, err) < 0))
			return -1;
	}
	fds[0] = s->child;
	memcpy(fds + 1, s->enter, s->nenter * sizeof(int));
	if (launch_client_create(&n->launcher, q, fds, 1 + s->nenter, &reply,
				 &box->pidfd, err) < 0)
		return -1;
	box->pid = reply.pid;
	box->start_time = proc_start_time(box->pid);
	box->timings.clone = reply.clone_ns;
	fd_close(steal_fd(&s->child)); /* so that its end is seen */
	return 0;
}

static int wait_message(int sock, int64_t until, void *data, size_t size,
			size_t *ret_n, struct svm_err *err)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int64_t left = until - clock_mono_ns();
	int r = poll(&p, 1, left <= 0 ? 0 : (int)(left / 1000000) + 1);

	if (r < 0 && errno != EINTR)
		return svm_err_sys(err, SVM_PROVIDER, errno, "poll");
	if (r == 0)
		return svm_err_set(err, SVM_TIMEOUT,
				   "the agent was not ready after %d s",
				   READY_MS / 1000);
	ssize_t n = r < 0 ? 0 : fd_recv_msg(sock, data, size, NULL, NULL);
	/* It ended with its setup unread: what it said comes after that. */
	if (n == -ECONNRESET)
		n = fd_recv_msg(sock, data, size, NULL, NULL);
	if (n < 0 && n != -ECONNRESET)
		return svm_err_sys(err, SVM_PROVIDER, (int)n,
				   "can't hear the agent");
	if (r > 0 && n <= 0)
		return svm_err_set(err, SVM_PROVIDER,
				   "the sandbox ended before its agent was "
				   "ready");
	*ret_n = (size_t)n;
	return 0;
}

/* One message of the child's: a stage it has reached, or the agent's answer,
 * which is left in data. */
static int hear(struct provider_box *box, struct spawn *s, int64_t until,
		char data[4096], size_t *ret_n, struct svm_err *err)
{
	struct launch_mounted m;

	if (wait_message(s->setup, until, data, 4096, ret_n, err) < 0)
		return -1;
	memcpy(&m, data, MIN(*ret_n, sizeof(m)));
	if (*ret_n != sizeof(m) || m.magic != LAUNCH_MOUNTED)
		return 0;
	fault_point("spawn.mounts");
	s->mounted_ns = m.mono_ns;
	box->timings.mounts = m.spent_ns;
	*ret_n = 0;
	return 0;
}

/* The agent's word that it is ready, or why it can't be. */
static int check_answer(const char *data, size_t n, struct svm_err *err)
{
	struct msg_reader r = msg_reader(data, n);
	uint32_t code = msg_u32(&r);

	if (msg_ok(&r) && code == SVM_OK)
		return 0;
	uint32_t sys = msg_u32(&r);
	auto_free char *text = msg_str(&r, 1024);
	if (!msg_ok(&r) || code >= SVM_CODE_MAX)
		return svm_err_set(err, SVM_PROVIDER,
				   "the agent spoke nonsense");
	svm_err_set(err, (enum svm_code)code, "%s", text);
	err->sys_errno = (int)sys;
	return -1;
}

int box_wait_mounted(struct provider_box *box, struct spawn *s,
		     struct svm_err *err)
{
	int64_t until = clock_mono_ns() + READY_MS * INT64_C(1000000);
	char data[4096];
	size_t n = 0;

	while (!s->mounted_ns) {
		if (hear(box, s, until, data, &n, err) < 0)
			return -1;
		if (n && check_answer(data, n, err) == 0)
			return svm_err_set(err, SVM_PROVIDER,
					   "the agent spoke nonsense");
		if (n)
			return -1;
	}
	return 0;
}

int box_read_posture(struct native *n, struct provider_box *box,
		     const struct record *rec, struct svm_err *err)
{
	const struct posture_facts facts = { n->mode, rec->tmpfs,
					     rec->disk_mb };
	char *text = posture_read(&n->cgroups, box->id, box->pid, &facts, err);

	if (!text)
		return -1;
	free(box->posture);
	box->posture = text;
	return 0;
}

int box_wait_ready(struct provider_box *box, struct spawn *s,
		   struct svm_err *err)
{
	int64_t until = clock_mono_ns() + READY_MS * INT64_C(1000000);
	char data[4096];
	size_t n = 0;

	while (n == 0)
		if (hear(box, s, until, data, &n, err) < 0)
			return -1;
	if (check_answer(data, n, err) < 0)
		return -1;
	box->timings.agent = clock_mono_ns() - s->mounted_ns;
	return 0;
}

int box_lay_out(struct native *n, const struct provider_box *box,
		const struct sandbox_spec *spec, struct spawn *s,
		struct svm_err *err)
{
	int pair[2];

	if ((s->rec.tmpfs && check_memory(n, spec->disk_mb, err) < 0) ||
	    make_listener(n, box->id, s, err) < 0 ||
	    make_cgroups(n, box->id, spec, s, err) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno, "socketpair");
	s->setup = pair[0];
	s->child = pair[1];
	return 0;
}
