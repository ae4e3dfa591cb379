/* SPDX-License-Identifier: MIT */
/*
 * The native provider's members: a box from its reservation to its removal.
 * Everything a box leaves on the host can be named from its id, the instance
 * and its record, so removal needs no memory of how it was made.
 */
#include "providers/native/native.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/api/agent-setup.h"
#include "lib/api/msg.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/list.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"
#include "providers/native/cgroup.h"
#include "providers/native/client.h"
#include "providers/native/filter.h"
#include "providers/native/ids.h"
#include "providers/native/posture.h"
#include "providers/native/probe.h"
#include "providers/native/rootfs.h"
#include "providers/provider.h"

#define READY_MS 5000
#define NOFILE_LIMIT 16384

struct native {
	struct provider base;
	enum native_mode mode;
	struct ids ids;
	struct cgroups cgroups;
	struct launch_client launcher;
	struct buf agent_filter, work_filter;
	int boxes; /* STATE/boxes */
	bool landlock;
	bool tmpfs_upper;  /* a rootless overlay may write to a tmpfs */
	pthread_mutex_t lock;
	struct list held; /* struct held: blocks whose box isn't made yet */
	struct list cpu;  /* struct cpu_sample */
};

struct held {
	struct list link;
	char id[16];
	int lock;
};

struct cpu_sample {
	struct list link;
	char id[16];
	uint64_t usage_ns;
	int64_t at_ns;
};

/* What the record says.  See provider.h. */
struct record {
	uint32_t block, disk_mb;
	bool tmpfs; /* disk_mb is in force */
};

static struct native *native_of(struct provider *p)
{
	if (p->ops != &provider_native_ops)
		BUG("not a native provider: '%s'", p->ops->name);
	return container_of(p, struct native, base);
}

static int record_parse(const char *text, struct record *ret)
{
	unsigned block, disk, tmpfs;

	if (!text || sscanf(text, "native 1 block=%u disk_mb=%u tmpfs=%u",
			    &block, &disk, &tmpfs) != 3)
		return -EINVAL;
	*ret = (struct record){ block, disk, tmpfs != 0 };
	return 0;
}

/* The lock of a box's block, given away; -1 when there is none. */
static int take_held(struct native *n, const char *id)
{
	struct list *pos, *tmp;
	int fd = -1;

	pthread_mutex_lock(&n->lock);
	list_for_each_safe(pos, tmp, &n->held) {
		struct held *h = list_entry(pos, struct held, link);

		if (strcmp(h->id, id))
			continue;
		fd = h->lock;
		list_remove(&h->link);
		free(h);
		break;
	}
	pthread_mutex_unlock(&n->lock);
	return fd;
}

static int refuse_unsupported(const struct sandbox_spec *spec,
			      struct svm_err *err)
{
	if (spec->network == SPEC_NETWORK_NONE)
		return 0;
	svm_err_set(err, SVM_UNSUPPORTED,
		    "the native provider has only the network 'none'");
	return svm_err_hint(err, "use \"network\": \"none\", or the docker "
				 "provider for a bridge");
}

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

static bool needs_disk_upper(const struct native *n,
			     const struct sandbox_spec *spec)
{
	return spec->rootfs == SPEC_ROOTFS_LAYERS && n->mode != NATIVE_ROOT &&
	       !n->tmpfs_upper;
}

static int native_prepare(struct provider *p, struct provider_box *box,
			  const struct sandbox_spec *spec, struct svm_err *err)
{
	struct native *n = native_of(p);
	uint32_t block;
	int lock;

	if (refuse_unsupported(spec, err) < 0)
		return -1;
	fault_point("spawn.prepare");
	if (ids_take(&n->ids, &block, &lock, err) < 0)
		return -1;
	if (lock >= 0) {
		struct held *h = xcalloc(1, sizeof(*h));

		snprintf(h->id, sizeof(h->id), "%s", box->id);
		h->lock = lock;
		pthread_mutex_lock(&n->lock);
		list_append(&n->held, &h->link);
		pthread_mutex_unlock(&n->lock);
	}
	free(box->record);
	box->record = xasprintf("native 1 block=%u disk_mb=%u tmpfs=%u", block,
				spec->disk_mb, !needs_disk_upper(n, spec));
	return 0;
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

/* What a spawn holds until the agent lives. */
struct spawn {
	struct record rec;
	int setup, child; /* the two ends of the setup pair */
	int listener, work, lock;
	int enter[CGROUP_MAX];
	size_t nenter;
	int64_t cloned_ns;
};

static void spawn_release(struct spawn *s)
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

/* Queue the agent's instructions; it finds them when it starts. */
static int send_setup(struct native *n, const struct provider_box *box,
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

static int launch(struct native *n, struct provider_box *box,
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
	s->cloned_ns = clock_mono_ns();
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

/* From clone to "ready", through the stages the child reports. */
static int wait_ready(struct provider_box *box, const struct spawn *s,
		      struct svm_err *err)
{
	int64_t until = clock_mono_ns() + READY_MS * INT64_C(1000000);
	int64_t mounted = s->cloned_ns;
	char data[4096];
	size_t n = 0;

	for (;;) {
		struct launch_mounted m;

		if (wait_message(s->setup, until, data, sizeof(data), &n,
				 err) < 0)
			return -1;
		if (n == 0)
			continue; /* interrupted */
		memcpy(&m, data, MIN(n, sizeof(m)));
		if (n != sizeof(m) || m.magic != LAUNCH_MOUNTED)
			break;
		fault_point("spawn.mounts");
		mounted = m.mono_ns;
		box->timings.mounts = m.spent_ns;
	}
	struct msg_reader r = msg_reader(data, n);
	uint32_t code = msg_u32(&r);
	if (msg_ok(&r) && code == SVM_OK) {
		box->timings.agent = clock_mono_ns() - mounted;
		return 0;
	}
	uint32_t sys = msg_u32(&r);
	auto_free char *text = msg_str(&r, 1024);
	if (!msg_ok(&r) || code >= SVM_CODE_MAX)
		return svm_err_set(err, SVM_PROVIDER,
				   "the agent spoke nonsense");
	svm_err_set(err, (enum svm_code)code, "%s", text);
	err->sys_errno = (int)sys;
	return -1;
}

static int read_posture(struct native *n, struct provider_box *box,
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

static int do_create(struct native *n, struct provider_box *box,
		     const struct sandbox_spec *spec, struct spawn *s,
		     struct svm_err *err)
{
	int pair[2];

	if (refuse_unsupported(spec, err) < 0 ||
	    (s->rec.tmpfs && check_memory(n, spec->disk_mb, err) < 0) ||
	    make_listener(n, box->id, s, err) < 0 ||
	    make_cgroups(n, box->id, spec, s, err) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno, "socketpair");
	s->setup = pair[0];
	s->child = pair[1];
	if (send_setup(n, box, spec, s, err) < 0 ||
	    launch(n, box, spec, s, err) < 0 || wait_ready(box, s, err) < 0)
		return -1;
	fault_point("spawn.ready");
	return read_posture(n, box, &s->rec, err);
}

static int native_destroy(struct provider *p, struct provider_box *box,
			  struct svm_err *err);

static int native_create(struct provider *p, struct provider_box *box,
			 const struct sandbox_spec *spec, struct svm_err *err)
{
	struct native *n = native_of(p);
	CLEANUP(spawn_release) struct spawn s = {
		.setup = -1, .child = -1, .listener = -1, .work = -1,
		.lock = take_held(n, box->id),
	};

	if (record_parse(box->record, &s.rec) < 0)
		return svm_err_set(err, SVM_INTERNAL,
				   "the record of '%s' is damaged", box->id);
	if (do_create(n, box, spec, &s, err) == 0)
		return 0;
	spawn_release(&s);
	s = (struct spawn){ .setup = -1, .child = -1, .listener = -1,
			    .work = -1, .lock = -1 };
	auto_err struct svm_err undo = SVM_ERR_INIT;
	if (native_destroy(p, box, &undo) < 0)
		return svm_err_prefix(err, "%s; and then", undo.msg);
	fd_close(steal_fd(&box->pidfd));
	box->pid = 0;
	box->start_time = 0;
	return -1;
}

static int native_adopt(struct provider *p, struct provider_box *box,
			struct svm_err *err)
{
	struct native *n = native_of(p);
	struct record rec;

	if (record_parse(box->record, &rec) < 0)
		return svm_err_set(err, SVM_NOT_FOUND,
				   "the record of '%s' is damaged", box->id);
	int fd = box->pid > 0 ? proc_open_pidfd(box->pid, box->start_time) :
				-ESRCH;
	if (fd < 0)
		return svm_err_set(err, SVM_NOT_FOUND,
				   "the agent of '%s' is gone", box->id);
	fd_close(box->pidfd);
	box->pidfd = fd;
	return read_posture(n, box, &rec, err);
}

/* End agents named "ID@INSTANCE": those cloned before anybody could write
 * their pid down.  Whoever takes such a name for himself is ended as well. */
static int kill_by_name(const struct native *n, const char *id)
{
	auto_free char *name = xasprintf("%s@%s", id,
					 n->base.host->instance_id);
	DIR *d = opendir("/proc");
	int r = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		auto_buf struct buf b = BUF_INIT;
		char path[32];
		pid_t pid = (pid_t)atol(e->d_name);

		if (pid <= 0)
			continue;
		auto_close int fd = (int)syscall(SYS_pidfd_open, pid, 0u);
		snprintf(path, sizeof(path), "%ld/cmdline", (long)pid);
		if (fd < 0 || fd_slurp_path(dirfd(d), path, 4096, &b) < 0 ||
		    b.len <= sizeof("stacyvm-agent") ||
		    strcmp(b.data, "stacyvm-agent") ||
		    strcmp(b.data + sizeof("stacyvm-agent"), name))
			continue;
		if (proc_pidfd_kill(fd, SIGKILL) == 0 &&
		    proc_pidfd_wait(fd, 10000) < 0)
			r = -EBUSY;
	}
	if (d)
		closedir(d);
	return r;
}

static int kill_box(struct native *n, struct provider_box *box,
		    struct svm_err *err)
{
	int fd = box->pidfd, r = 0;
	auto_close int opened = -1;

	if (fd < 0 && box->pid > 0)
		fd = opened = proc_open_pidfd(box->pid, box->start_time);
	if (fd >= 0) {
		r = proc_pidfd_kill(fd, SIGKILL);
		/* PID 1 of a namespace ends after everybody in it. */
		if (r == 0 || r == -ESRCH)
			r = proc_pidfd_wait(fd, 10000);
	} else if (box->pid <= 0) {
		r = kill_by_name(n, box->id);
	}
	if (r < 0)
		return svm_err_sys(err, SVM_PROVIDER, r,
				   "can't end the processes of '%s'", box->id);
	return 0;
}

static void forget_cpu(struct native *n, const char *id)
{
	struct list *pos, *tmp;

	pthread_mutex_lock(&n->lock);
	list_for_each_safe(pos, tmp, &n->cpu) {
		struct cpu_sample *c = list_entry(pos, struct cpu_sample, link);

		if (strcmp(c->id, id))
			continue;
		list_remove(&c->link);
		free(c);
	}
	pthread_mutex_unlock(&n->lock);
}

static int remove_dir(struct native *n, const char *id, struct svm_err *err)
{
	int r = path_remove_tree(n->boxes, id);

	/* Files of other ids: a writable layer on disk. */
	if (r < 0 && n->mode == NATIVE_SUBIDS)
		return launch_client_remove(&n->launcher, n->boxes, id, err);
	return r < 0 ? svm_err_sys(err, SVM_PROVIDER, r,
				   "can't remove 'boxes/%s'", id) : 0;
}

static int native_destroy(struct provider *p, struct provider_box *box,
			  struct svm_err *err)
{
	struct native *n = native_of(p);
	struct record rec;
	bool known = record_parse(box->record, &rec) == 0;

	fd_close(take_held(n, box->id));
	forget_cpu(n, box->id);
	fault_point("destroy.kill");
	if (kill_box(n, box, err) < 0)
		return -1;
	fault_point("destroy.cgroup");
	int r = cgroups_remove(&n->cgroups, box->id);
	if (r < 0)
		return svm_err_sys(err, SVM_PROVIDER, r,
				   "can't remove the cgroups of '%s'",
				   box->id);
	fault_point("destroy.dir");
	if (remove_dir(n, box->id, err) < 0)
		return -1;
	r = known ? ids_forget(&n->ids, rec.block, SECONDS(5)) : 0;
	if (r < 0)
		return svm_err_sys(err, SVM_PROVIDER, r,
				   "the ids of '%s' are still in use", box->id);
	return 0;
}

static int native_open_channel(struct provider *p, struct provider_box *box,
			       struct svm_err *err)
{
	return provider_connect_agent(p->host, box, err);
}

/* Nanoseconds of processor time, or -errno. */
static int read_cpu(const struct native *n, const char *id, uint64_t *ret)
{
	auto_buf struct buf b = BUF_INIT;
	char path[64];

	if (n->cgroups.kind == CGROUP_V1)
		return cgroups_read(&n->cgroups, CGROUP_CPUACCT, id,
				    "cpuacct.usage", ret);
	if (n->cgroups.kind == CGROUP_NONE)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/cpu.stat", id);
	int r = fd_slurp_path(n->cgroups.v[0].fd, path, 4096, &b);
	if (r < 0)
		return r;
	const char *p = strstr(buf_str(&b), "usage_usec ");
	*ret = p ? strtoull(p + 11, NULL, 10) * 1000 : 0;
	return 0;
}

/* Per cent of one processor since the last question (or since the start). */
static double cpu_since_last(struct native *n, const struct provider_box *box,
			     uint64_t usage)
{
	int64_t now = clock_boot_ns();
	struct cpu_sample *c = NULL;
	struct list *pos, *tmp;
	double pct = 0;

	pthread_mutex_lock(&n->lock);
	list_for_each_safe(pos, tmp, &n->cpu) {
		c = list_entry(pos, struct cpu_sample, link);
		if (strcmp(c->id, box->id) == 0)
			break;
		c = NULL;
	}
	if (!c) {
		c = xcalloc(1, sizeof(*c));
		snprintf(c->id, sizeof(c->id), "%s", box->id);
		c->at_ns = box->start_time * (INT64_C(1000000000) /
					      sysconf(_SC_CLK_TCK));
		list_append(&n->cpu, &c->link);
	}
	if (now > c->at_ns && usage >= c->usage_ns)
		pct = 100.0 * (double)(usage - c->usage_ns) /
		      (double)(now - c->at_ns);
	c->usage_ns = usage;
	c->at_ns = now;
	pthread_mutex_unlock(&n->lock);
	return pct;
}

/* Bytes in the box's tmpfs, of which /dev/shm is always a part. */
static uint64_t read_disk(pid_t pid)
{
	char path[40];
	struct statfs fs;

	snprintf(path, sizeof(path), "/proc/%ld/root", (long)pid);
	auto_close int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int shm = root < 0 ? -1 : rootfs_open(root, "dev/shm",
							  O_PATH | O_DIRECTORY);
	if (shm < 0 || fstatfs(shm, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
		return 0;
	return (fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
}

/* The group of a box with a tmpfs has room for that too, and counts what lies
 * there.  What was asked for, and what processes use, is the rest. */
static void leave_out_disk(const struct provider_box *box,
			   struct provider_stats *s)
{
	struct record rec;
	uint64_t disk;

	if (record_parse(box->record, &rec) < 0 || !rec.tmpfs)
		return;
	disk = (uint64_t)rec.disk_mb << 20;
	s->mem_limit_bytes -= MIN(disk, s->mem_limit_bytes);
	s->mem_bytes -= MIN(s->disk_bytes, s->mem_bytes);
}

static int native_stats(struct provider *p, struct provider_box *box,
			struct provider_stats *ret, struct svm_err *err)
{
	struct native *n = native_of(p);
	bool v2 = n->cgroups.kind == CGROUP_V2;
	struct provider_stats s = { .supported = true };
	uint64_t cpu;

	(void)err;
	if (n->cgroups.kind == CGROUP_NONE) {
		*ret = (struct provider_stats){ .supported = false };
		return 0;
	}
	(void)cgroups_read(&n->cgroups, CGROUP_MEMORY, box->id,
			   v2 ? "memory.current" : "memory.usage_in_bytes",
			   &s.mem_bytes);
	(void)cgroups_read(&n->cgroups, CGROUP_MEMORY, box->id,
			   v2 ? "memory.max" : "memory.limit_in_bytes",
			   &s.mem_limit_bytes);
	(void)cgroups_read(&n->cgroups, CGROUP_PIDS, box->id, "pids.current",
			   &s.pids);
	s.disk_bytes = read_disk(box->pid);
	leave_out_disk(box, &s);
	if (read_cpu(n, box->id, &cpu) == 0)
		s.cpu_pct = cpu_since_last(n, box, cpu);
	*ret = s;
	return 0;
}

static bool is_known(char *const *ids, const char *id)
{
	for (; ids && *ids; ids++)
		if (strcmp(*ids, id) == 0)
			return true;
	return false;
}

/* Lock files nobody holds. */
static void sweep_ids(struct native *n)
{
	int fd = n->ids.dir < 0 ? -1 :
				  openat(n->ids.dir, ".",
					 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
			(void)ids_forget(&n->ids,
					 (uint32_t)strtoul(e->d_name, NULL, 10),
					 0);
	if (d)
		closedir(d);
}

static int sweep_boxes(struct native *n, char *const *ids,
		       struct svm_err *err)
{
	int fd = openat(n->boxes, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!d) {
		fd_close(fd);
		return svm_err_sys(err, SVM_PROVIDER, errno,
				   "can't read 'boxes'");
	}
	for (struct dirent *e; r == 0 && (e = readdir(d));)
		if (e->d_name[0] != '.' && !is_known(ids, e->d_name)) {
			r = kill_by_name(n, e->d_name);
			if (r < 0)
				svm_err_sys(err, SVM_PROVIDER, r,
					    "can't end '%s'", e->d_name);
			else
				r = remove_dir(n, e->d_name, err);
		}
	closedir(d);
	return r < 0 ? -1 : 0;
}

static int native_sweep(struct provider *p, char *const *ids,
			struct svm_err *err)
{
	struct native *n = native_of(p);
	char **have = cgroups_list(&n->cgroups);
	int r = 0;

	for (char **id = have; *id; id++)
		if (!is_known(ids, *id) &&
		    cgroups_remove(&n->cgroups, *id) < 0 && r == 0)
			r = svm_err_set(err, SVM_PROVIDER,
					"can't remove the old cgroup '%s'",
					*id);
	strv_free(have);
	if (r == 0)
		r = sweep_boxes(n, ids, err);
	sweep_ids(n);
	return r;
}

static void native_close(struct provider *p)
{
	struct native *n = native_of(p);
	struct list *pos, *tmp;

	launch_client_release(&n->launcher);
	list_for_each_safe(pos, tmp, &n->held) {
		struct held *h = list_entry(pos, struct held, link);

		fd_close(h->lock);
		free(h);
	}
	list_for_each_safe(pos, tmp, &n->cpu)
		free(list_entry(pos, struct cpu_sample, link));
	cgroups_close(&n->cgroups);
	ids_close(&n->ids);
	buf_release(&n->agent_filter);
	buf_release(&n->work_filter);
	fd_close(n->boxes);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

static int do_open(struct native *n, struct svm_err *err)
{
	const struct provider_host *host = n->base.host;
	auto_free char *boxes = path_join(host->state_dir, "boxes");

	if (path_make_private_dir(boxes, 0700, err) < 0)
		return -1;
	n->boxes = open(boxes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n->boxes < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't open '%s'", boxes);
	if (ids_open(&n->ids, host->state_dir, n->mode, host->native_base_uid,
		     err) < 0 ||
	    filter_build(host->native_allow_ptrace, &n->agent_filter,
			 &n->work_filter, err) < 0)
		return -1;
	cgroups_open(&n->cgroups, host->instance_id);
	n->landlock = posture_landlock_abi() > 0;
	n->tmpfs_upper = n->mode == NATIVE_ROOT ||
			 layers_probe_tmpfs_upper() == 0;
	return launch_client_start(&n->launcher, err);
}

static int native_open(const struct provider_host *host, struct provider **ret,
		       struct svm_err *err)
{
	enum native_mode mode;

	if (probe_mode(&mode, err) < 0)
		return -1;
	struct native *n = xcalloc(1, sizeof(*n));
	n->base = (struct provider){ &provider_native_ops, host };
	n->mode = mode;
	n->boxes = n->ids.dir = -1;
	n->agent_filter = n->work_filter = (struct buf)BUF_INIT;
	pthread_mutex_init(&n->lock, NULL);
	list_init(&n->held);
	list_init(&n->cpu);
	launch_client_init(&n->launcher, host->self, host->instance_id, mode,
			   &n->ids);
	if (do_open(n, err) < 0) {
		native_close(&n->base);
		return -1;
	}
	*ret = &n->base;
	return 0;
}

const struct provider_ops provider_native_ops = {
	.name = "native",
	.label = "Linux namespaces, seccomp and cgroups on this machine",
	.caps = PROVIDER_ISOLATES | PROVIDER_AGENT | PROVIDER_LIMITS |
		PROVIDER_STATS | PROVIDER_IMAGES,
	.probe = native_probe,
	.open = native_open,
	.close = native_close,
	.prepare = native_prepare,
	.create = native_create,
	.adopt = native_adopt,
	.destroy = native_destroy,
	.open_channel = native_open_channel,
	.stats = native_stats,
	.sweep = native_sweep,
};
