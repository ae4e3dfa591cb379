/* SPDX-License-Identifier: MIT */
/*
 * The native provider's members: a box from its reservation to its removal.
 * Everything a box leaves on the host can be named from its id, the instance
 * and its record, so removal needs no memory of how it was made.
 */
#include "providers/native/box.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/proc.h"
#include "providers/native/filter.h"
#include "providers/native/posture.h"
#include "providers/native/probe.h"
#include "providers/native/rootfs.h"

struct held {
	struct list link;
	char id[16];
	int lock;
};

struct native *native_of(struct provider *p)
{
	if (p->ops != &provider_native_ops)
		BUG("not a native provider: '%s'", p->ops->name);
	return container_of(p, struct native, base);
}

int record_parse(const char *text, struct record *ret)
{
	unsigned block, disk, tmpfs;

	if (!text || sscanf(text, "native 1 block=%u disk_mb=%u tmpfs=%u",
			    &block, &disk, &tmpfs) != 3)
		return -EINVAL;
	*ret = (struct record){ block, disk, tmpfs != 0 };
	return 0;
}

char *record_format(const struct record *rec)
{
	return xasprintf("native 1 block=%u disk_mb=%u tmpfs=%u", rec->block,
			 rec->disk_mb, rec->tmpfs);
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

static bool needs_disk_upper(const struct native *n,
			     const struct sandbox_spec *spec)
{
	return spec->rootfs == SPEC_ROOTFS_LAYERS && n->mode != NATIVE_ROOT &&
	       !n->tmpfs_upper;
}

static void hold(struct native *n, const char *id, int lock)
{
	struct held *h = xcalloc(1, sizeof(*h));

	snprintf(h->id, sizeof(h->id), "%s", id);
	h->lock = lock;
	pthread_mutex_lock(&n->lock);
	list_append(&n->held, &h->link);
	pthread_mutex_unlock(&n->lock);
}

int native_take_ids(struct native *n, uint32_t *ret_block, int *ret_lock,
		    struct svm_err *err)
{
	pthread_mutex_lock(&n->lock);
	int r = ids_take(&n->ids, ret_block, ret_lock, err);
	pthread_mutex_unlock(&n->lock);
	return r;
}

static int native_prepare(struct provider *p, struct provider_box *box,
			  const struct sandbox_spec *spec, struct svm_err *err)
{
	struct native *n = native_of(p);
	struct record rec = {
		.disk_mb = spec->disk_mb,
		.tmpfs = !needs_disk_upper(n, spec),
	};
	int lock;

	if (refuse_unsupported(spec, err) < 0)
		return -1;
	fault_point("spawn.prepare");
	if (!spares_record(n, box->id, &rec)) {
		if (native_take_ids(n, &rec.block, &lock, err) < 0)
			return -1;
		if (lock >= 0)
			hold(n, box->id, lock);
	}
	free(box->record);
	box->record = record_format(&rec);
	return 0;
}

/* Where a spare has everything but its setup, only that is left to do. */
static int create_from_spare(struct native *n, struct provider_box *box,
			     const struct sandbox_spec *spec, struct spawn *s,
			     struct svm_err *err)
{
	s->mounted_ns = clock_mono_ns();
	box->timings = (struct provider_timings){ 0 };
	return box_send_setup(n, box, spec, s, err) < 0 ||
	       box_wait_ready(box, s, err) < 0 ? -1 : 0;
}

static int create_anew(struct native *n, struct provider_box *box,
		       const struct sandbox_spec *spec, struct spawn *s,
		       struct svm_err *err)
{
	s->lock = take_held(n, box->id);
	return record_parse(box->record, &s->rec) < 0 ?
		       svm_err_set(err, SVM_INTERNAL,
				   "the record of '%s' is damaged", box->id) :
	       box_lay_out(n, box, spec, s, err) < 0 ||
	       box_send_setup(n, box, spec, s, err) < 0 ||
	       box_launch(n, box, spec, s, err) < 0 ||
	       box_wait_ready(box, s, err) < 0 ? -1 : 0;
}

static int do_create(struct native *n, struct provider_box *box,
		     const struct sandbox_spec *spec, struct spawn *s,
		     struct svm_err *err)
{
	bool spare = spares_claim(n, box, s);

	if (refuse_unsupported(spec, err) < 0 ||
	    (spare ? create_from_spare : create_anew)(n, box, spec, s, err) < 0)
		return -1;
	fault_point("spawn.ready");
	return box_read_posture(n, box, &s->rec, err);
}

static int native_create(struct provider *p, struct provider_box *box,
			 const struct sandbox_spec *spec, struct svm_err *err)
{
	struct native *n = native_of(p);
	CLEANUP(spawn_release) struct spawn s = SPAWN_INIT;

	if (do_create(n, box, spec, &s, err) == 0) {
		spares_want(n, spec);
		return 0;
	}
	spawn_release(&s);
	s = (struct spawn)SPAWN_INIT;
	auto_err struct svm_err undo = SVM_ERR_INIT;
	if (native_destroy(p, box, &undo) < 0)
		return svm_err_prefix(err, "%s; and then", undo.msg);
	fd_close(steal_fd(&box->pidfd));
	box->pid = 0;
	box->start_time = 0;
	return -1;
}

static int native_reserve(struct provider *p, const struct sandbox_spec *spec,
			  char id[LIMIT_ID + 1])
{
	return spares_reserve(native_of(p), spec, id);
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
	return box_read_posture(n, box, &rec, err);
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

static int remove_dir(struct native *n, const char *id, struct svm_err *err)
{
	int r = path_remove_tree(n->boxes, id);

	/* Files of other ids: a writable layer on disk. */
	if (r < 0 && n->mode == NATIVE_SUBIDS)
		return launch_client_remove(&n->launcher, n->boxes, id, err);
	return r < 0 ? svm_err_sys(err, SVM_PROVIDER, r,
				   "can't remove 'boxes/%s'", id) : 0;
}

int native_destroy(struct provider *p, struct provider_box *box,
		   struct svm_err *err)
{
	struct native *n = native_of(p);
	struct record rec;
	bool known = record_parse(box->record, &rec) == 0;

	spares_give_back(n, box);
	fd_close(take_held(n, box->id));
	stats_forget(n, box->id);
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

	spares_close(n);
	launch_client_release(&n->launcher);
	list_for_each_safe(pos, tmp, &n->held) {
		struct held *h = list_entry(pos, struct held, link);

		fd_close(h->lock);
		free(h);
	}
	stats_close(n);
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
	spares_init(&n->spares);
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
	.reserve = native_reserve,
	.create = native_create,
	.adopt = native_adopt,
	.destroy = native_destroy,
	.open_channel = native_open_channel,
	.stats = native_stats,
	.sweep = native_sweep,
};
