/* SPDX-License-Identifier: MIT */
/* What holds a box, read back from /proc and the cgroups.  See posture.h. */
#include "providers/native/posture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/json.h"
#include "lib/base/kernel.h"
#include "lib/base/mem.h"

const char *native_mode_name(enum native_mode mode)
{
	static const char *const names[] = {
		[NATIVE_ROOT] = "root",
		[NATIVE_SUBIDS] = "rootless",
		[NATIVE_SINGLE] = "rootless-single-id",
	};

	_Static_assert(ARRAY_SIZE(names) == NATIVE_MODE_MAX, "names");
	return names[mode];
}

int posture_landlock_abi(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0, 1u);

	return v < 0 ? 0 : (int)v;
}

/* A word after "Key:\t" of /proc/PID/status. */
static void status_word(const char *status, const char *key, char *out,
			size_t size)
{
	size_t n = strlen(key);

	*out = '\0';
	for (const char *p = status; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, key, n) || p[n] != ':')
			continue;
		p += n + 1;
		p += strspn(p, " \t");
		snprintf(out, size, "%.*s", (int)strcspn(p, "\n"), p);
		return;
	}
}

/* True when the process has its own namespace of this kind; the link itself
 * may be closed to us, and then nothing is claimed. */
static bool own_ns(int proc, const char *kind)
{
	char theirs[64], ours[64], path[32];
	ssize_t a, b;

	snprintf(path, sizeof(path), "ns/%s", kind);
	a = readlinkat(proc, path, theirs, sizeof(theirs));
	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	b = readlink(path, ours, sizeof(ours));
	return a > 0 && b > 0 && (a != b || memcmp(theirs, ours, (size_t)a));
}

/* How many ids are mapped, from uid_map. */
static uint64_t mapped_ids(int proc)
{
	auto_buf struct buf b = BUF_INIT;
	unsigned long inside, outside, count;
	uint64_t sum = 0;
	char *p, *line;

	if (fd_slurp_path(proc, "uid_map", 65536, &b) < 0)
		return 0;
	for (p = b.data; p && (line = strsep(&p, "\n"));)
		if (sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3)
			sum += count;
	return sum;
}

static void add_limit(struct json_writer *w, const struct cgroups *g,
		      unsigned ctl, const char *id, const char *key,
		      const char *file)
{
	uint64_t v;

	if (cgroups_read(g, ctl, id, file, &v) == 0 &&
	    v < (UINT64_C(1) << 62))
		json_int(w, key, (int64_t)v);
	else
		json_null(w, key);
}

static void add_cgroup(struct json_writer *w, const struct cgroups *g,
		       const char *id)
{
	bool v2 = g->kind == CGROUP_V2;

	json_str(w, "limits", g->kind == CGROUP_NONE ? "best effort" :
						       "cgroup");
	json_open(w, "cgroup", '{');
	json_str(w, "version", cgroup_kind_name(g->kind));
	add_limit(w, g, CGROUP_MEMORY, id, "memory_bytes",
		  v2 ? "memory.max" : "memory.limit_in_bytes");
	add_limit(w, g, CGROUP_PIDS, id, "pids", "pids.max");
	add_limit(w, g, CGROUP_CPU, id, "cpu_quota_us",
		  v2 ? "cpu.max" : "cpu.cfs_quota_us");
	json_close(w, '}');
}

static void add_process(struct json_writer *w, int proc, const char *status)
{
	char word[64];

	status_word(status, "Seccomp", word, sizeof(word));
	json_str(w, "seccomp", strcmp(word, "2") == 0 ? "filter" :
			       strcmp(word, "1") == 0 ? "strict" : "off");
	status_word(status, "NoNewPrivs", word, sizeof(word));
	json_bool(w, "no_new_privs", strcmp(word, "1") == 0);
	status_word(status, "CapEff", word, sizeof(word));
	json_str(w, "agent_capabilities", word);
	status_word(status, "CapBnd", word, sizeof(word));
	json_str(w, "agent_bounding_set", word);
	json_bool(w, "user_namespace", own_ns(proc, "user"));
	json_int(w, "mapped_ids", (int64_t)mapped_ids(proc));
	json_bool(w, "network_namespace", own_ns(proc, "net"));
	json_bool(w, "pid_namespace", own_ns(proc, "pid"));
	json_bool(w, "mount_namespace", own_ns(proc, "mnt"));
	json_bool(w, "ipc_namespace", own_ns(proc, "ipc"));
	json_bool(w, "uts_namespace", own_ns(proc, "uts"));
	json_bool(w, "cgroup_namespace", own_ns(proc, "cgroup"));
}

/* What keeps /etc as it was made: a mount, or who owns it.  False also when
 * its mounts can't be read. */
static bool etc_is_mounted_read_only(int proc)
{
	auto_buf struct buf b = BUF_INIT;
	char *p, *line;

	if (fd_slurp_path(proc, "mountinfo", 1 << 20, &b) < 0)
		return false;
	for (p = b.data; p && (line = strsep(&p, "\n"));) {
		const char *at = strstr(line, " /etc ro");

		if (at && (at[8] == ',' || at[8] == ' '))
			return true;
	}
	return false;
}

/* Where agent and commands are one user, what else keeps them apart. */
static void add_single_id(struct json_writer *w, int proc)
{
	json_str(w, "etc", etc_is_mounted_read_only(proc) ? "read-only" :
							    "writable");
	/* A domain is made by the process that enters it and passed on to its
	 * children alone; so each command has its own, and its supervisor,
	 * which nobody inside may stop, has none. */
	json_str(w, "signals", posture_landlock_abi() >= 6 ? "own command" :
							     "any command");
}

char *posture_read(const struct cgroups *g, const char *id, pid_t pid,
		   const struct posture_facts *facts, struct svm_err *err)
{
	auto_buf struct buf status = BUF_INIT;
	struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);
	char path[32];

	snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
	auto_close int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = proc < 0 ? -errno :
			   fd_slurp_path(proc, "status", 65536, &status);
	if (r < 0) {
		svm_err_sys(err, SVM_PROVIDER, r, "can't read '%s/status'",
			    path);
		return NULL;
	}
	json_open(&w, NULL, '{');
	json_str(&w, "isolation", "namespaces");
	json_str(&w, "mode", native_mode_name(facts->mode));
	add_process(&w, proc, buf_str(&status));
	add_cgroup(&w, g, id);
	if (facts->disk_limited)
		json_int(&w, "disk_mb", facts->disk_mb);
	json_str(&w, "disk", facts->disk_limited ? "limited" : "unlimited");
	json_str(&w, "network", "none");
	json_int(&w, "landlock_abi", posture_landlock_abi());
	if (facts->mode == NATIVE_SINGLE)
		add_single_id(&w, proc);
	json_close(&w, '}');
	return buf_steal(&out);
}
