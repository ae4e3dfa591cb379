/* SPDX-License-Identifier: MIT */
/*
 * What this host allows, found out by trying: a knob that exists may not be
 * what decides.  The knobs are read only to explain a failure.
 */
#include "providers/native/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"
#include "providers/native/cgroup.h"
#include "providers/native/ids.h"
#include "providers/native/posture.h"
#include "providers/native/rootfs.h"

/* A number in /proc/sys, or -1. */
static long read_knob(const char *path)
{
	auto_buf struct buf b = BUF_INIT;

	if (fd_slurp_path(AT_FDCWD, path, 64, &b) < 0 || !b.len)
		return -1;
	return strtol(b.data, NULL, 10);
}

/* All the namespaces a box needs, in one clone whose child ends at once.
 * 0 or -errno. */
static int try_namespaces(void)
{
	struct svm_clone_args args = {
		.flags = SVM_CLONE_NEWUSER | SVM_CLONE_NEWNS |
			 SVM_CLONE_NEWPID | SVM_CLONE_NEWIPC |
			 SVM_CLONE_NEWUTS | SVM_CLONE_NEWNET |
			 SVM_CLONE_CLEAR_SIGHAND,
		.exit_signal = SIGCHLD,
	};
	int status;
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		fd_close_from(0); /* our sockets are not to outlive us in it */
		/* Ubuntu lets the namespace be made and takes its power. */
		_exit(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ?
			      errno : 0);
	}
	while (waitpid((pid_t)pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static const struct {
	const char *path;
	long bad;
	const char *fix;
} userns_knobs[] = {
	{ "/proc/sys/kernel/unprivileged_userns_clone", 0,
	  "sudo sysctl -w kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
	  "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" },
	{ "/proc/sys/user/max_user_namespaces", 0,
	  "sudo sysctl -w user.max_user_namespaces=10000" },
	{ "/proc/sys/user/max_net_namespaces", 0,
	  "sudo sysctl -w user.max_net_namespaces=10000" },
};

static int explain_userns(int e, struct svm_err *err)
{
	svm_err_sys(err, SVM_UNAVAILABLE, e,
		    "this host does not let us make namespaces");
	for (size_t i = 0; i < ARRAY_SIZE(userns_knobs); i++)
		if (read_knob(userns_knobs[i].path) == userns_knobs[i].bad)
			return svm_err_hint(err, "%s", userns_knobs[i].fix);
	if (e == -ENOSYS)
		return svm_err_hint(err, "Linux 5.12 or newer is needed");
	return svm_err_hint(err, "inside a container: start it with "
				 "--privileged, or with a seccomp profile "
				 "that allows clone3 and mount");
}

static int write_first_block(pid_t pid, const char *file)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	snprintf(text, sizeof(text), "0 %u %u", IDS_DEFAULT_BASE,
		 NATIVE_BLOCK);
	return fd_write_path(AT_FDCWD, path, text);
}

/* Uid 0 of a namespace with few ids, as `unshare -r` and containers make it,
 * can't give boxes any. */
static bool can_give_ids(void)
{
	struct svm_clone_args args = {
		.flags = SVM_CLONE_NEWUSER | SVM_CLONE_CLEAR_SIGHAND,
		.exit_signal = SIGCHLD,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		fd_close_from(0);
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			pause();
	}
	if (pid < 0)
		return false;
	bool can = write_first_block((pid_t)pid, "uid_map") == 0 &&
		   write_first_block((pid_t)pid, "gid_map") == 0;

	kill((pid_t)pid, SIGKILL);
	while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR)
		;
	return can;
}

int probe_mode(enum native_mode *ret, struct svm_err *err)
{
	struct id_range uid, gid;
	int r = try_namespaces();

	if (r < 0)
		return explain_userns(r, err);
	if (geteuid() == 0 && can_give_ids())
		*ret = NATIVE_ROOT;
	else if (ids_find_subids(&uid, &gid) == 0 &&
		 access("/usr/bin/newuidmap", X_OK) == 0 &&
		 access("/usr/bin/newgidmap", X_OK) == 0)
		*ret = NATIVE_SUBIDS;
	else
		*ret = NATIVE_SINGLE;
	return 0;
}

static void find_ids(struct provider_findings *f, enum native_mode mode)
{
	switch (mode) {
	case NATIVE_ROOT:
		provider_findings_add(f, FINDING_OK, "user ids", NULL,
				      "65536 of its own for every sandbox");
		return;
	case NATIVE_SUBIDS:
		provider_findings_add(f, FINDING_OK, "user ids", NULL,
				      "every sandbox gets ids of its own out "
				      "of /etc/subuid");
		return;
	default:
		provider_findings_add(
			f, FINDING_NOTE, "user ids",
			"sudo apt-get install uidmap && sudo usermod "
			"--add-subuids 100000-165535 --add-subgids "
			"100000-165535 $USER",
			"no newuidmap or no range in /etc/subuid: sandboxes "
			"run as your own user, apart only by namespaces");
	}
}

static void find_cgroups(struct provider_findings *f)
{
	static const struct { unsigned ctl; const char *what; } want[] = {
		{ CGROUP_MEMORY, "memory limit" },
		{ CGROUP_PIDS, "process limit" },
		{ CGROUP_CPU, "cpu limit" },
	};
	struct cgroups g;
	char name[32];

	snprintf(name, sizeof(name), "probe-%ld", (long)getpid());
	cgroups_open(&g, name);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		if (g.ctls & want[i].ctl)
			provider_findings_add(f, FINDING_OK, want[i].what,
					      NULL, "cgroup %s",
					      cgroup_kind_name(g.kind));
		else
			provider_findings_add(
				f, FINDING_NOTE, want[i].what,
				"systemd-run --user --scope -p Delegate=yes "
				"stacyvm serve",
				"no cgroup delegated: only per-process limits "
				"(best effort)");
	}
	cgroups_close(&g);
}

static void find_kernel(struct provider_findings *f)
{
	int abi = posture_landlock_abi();
	struct svm_open_how how = { .flags = O_PATH | O_CLOEXEC,
				    .resolve = SVM_RESOLVE_IN_ROOT };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

	provider_findings_add(f, fd >= 0 ? FINDING_OK : FINDING_PROBLEM,
			      "openat2", fd >= 0 ? NULL :
			      "boot Linux 5.12 or newer", "%s",
			      fd >= 0 ? "works" : strerror(errno));
	fd_close(fd);
	provider_findings_add(f, abi >= 6 ? FINDING_OK : FINDING_NOTE,
			      "Landlock", abi ? NULL :
			      "add landlock to the lsm= boot parameter",
			      "ABI %d%s", abi, abi >= 6 ? "" :
			      " (6 also scopes signals)");
	bool filters = access("/proc/sys/kernel/seccomp/actions_avail",
			      F_OK) == 0;
	provider_findings_add(f, filters ? FINDING_OK : FINDING_PROBLEM,
			      "seccomp", filters ? NULL :
			      "boot a kernel with CONFIG_SECCOMP_FILTER",
			      "%s", filters ? "filters" : "missing");
}

static void find_overlay(struct provider_findings *f, enum native_mode mode)
{
	int r = mode == NATIVE_ROOT ? 0 : layers_probe_tmpfs_upper();

	if (r == 0)
		provider_findings_add(f, FINDING_OK, "overlay", NULL,
				      "images get a private layer in memory");
	else
		provider_findings_add(f, FINDING_NOTE, "overlay",
				      "boot Linux 6.6 or newer",
				      "no overlay on a tmpfs without root "
				      "(%s): for images the layer lies on "
				      "disk and disk_mb is not enforced",
				      strerror(-r));
}

static void find_host(struct provider_findings *f)
{
	long n = read_knob("/proc/sys/user/max_inotify_instances");

	if (access("/usr/local", R_OK | X_OK) == 0)
		provider_findings_add(f, FINDING_NOTE, "/usr/local", NULL,
				      "with the image 'host', whatever is "
				      "world-readable below /usr can be read "
				      "in sandboxes");
	provider_findings_add(f, n >= 1024 ? FINDING_OK : FINDING_NOTE,
			      "inotify instances", n >= 1024 ? NULL :
			      "sudo sysctl -w "
			      "fs.inotify.max_user_instances=8192",
			      "%ld for all sandboxes together, at most 32 for "
			      "each", n);
}

int native_probe(const struct provider_host *host,
		 struct provider_findings *findings, struct svm_err *err)
{
	enum native_mode mode;

	(void)host;
	if (probe_mode(&mode, err) < 0) {
		if (findings)
			provider_findings_add(findings, FINDING_PROBLEM,
					      "namespaces", err->hint, "%s",
					      err->msg);
		return -1;
	}
	if (!findings)
		return 0;
	provider_findings_add(findings, FINDING_OK, "namespaces", NULL,
			      "all kinds, as %s", native_mode_name(mode));
	find_ids(findings, mode);
	find_cgroups(findings);
	find_kernel(findings);
	find_overlay(findings, mode);
	find_host(findings);
	return 0;
}
