/* SPDX-License-Identifier: MIT */
/*
 * Providers: kinds of runtime behind one interface.
 *
 * Only providers/provider.c calls through provider_ops; it checks state and
 * capability first.  Everything that happens inside a box goes through the
 * agent on a channel; a provider only makes boxes, finds them again and takes
 * them away.
 *
 * To add one: a folder with one exported `provider_NAME_ops`, a line in
 * builtin.c, its keys in daemon/config.def.  tests/provider runs one
 * suite against every provider that the host can probe.
 *
 * Threads: open, probe, create, destroy, adopt, stats and sweep run on a
 * worker and may block, several at once for different boxes.  prepare and
 * open_channel run on the loop and must not block.
 */
#ifndef SVM_PROVIDERS_PROVIDER_H
#define SVM_PROVIDERS_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/api/frame.h"
#include "lib/api/limits.h"
#include "lib/api/spec.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

enum provider_caps {
	PROVIDER_ISOLATES = 1u << 0, /* untrusted code may run in it */
	PROVIDER_AGENT = 1u << 1,    /* exec and files through an agent */
	PROVIDER_LIMITS = 1u << 2,
	PROVIDER_STATS = 1u << 3,
	PROVIDER_IMAGES = 1u << 4,   /* runs SPEC_ROOTFS_LAYERS */
	PROVIDER_NET_BRIDGE = 1u << 5,
};

/* Their names for users: "exec", "files", ... */
struct provider_capability {
	unsigned bit;
	const char *name;
};
extern const struct provider_capability provider_capabilities[]; /* name NULL */

/* What the daemon lends to providers; outlives them. */
struct provider_host {
	const char *state_dir;   /* absolute */
	const char *instance_id; /* 16 hex; names everything outside state_dir */
	const char *self;        /* path to exec ourselves: /proc/self/exe */
	/* providers.native.* */
	uint32_t native_base_uid; /* 0: choose */
	bool native_allow_ptrace;
	uint32_t native_spares; /* boxes kept ready; 0: none */
};

/* Stages of a spawn, in nanoseconds, returned as `timings`. */
struct provider_timings {
	int64_t clone, mounts, agent;
};

/*
 * One runtime of one sandbox.  The daemon owns the struct; a provider fills
 * the second half.  `record` is opaque text that the daemon stores with the
 * row before create() and gives back to adopt() and destroy() after a
 * restart: uid block, cgroup paths.
 */
struct provider_box {
	const char *id;                   /* borrowed from the sandbox */
	unsigned char nonce[FRAME_NONCE]; /* made by the daemon */
	int64_t deadline_boot_ns;         /* the agent's, grace included; 0 */

	char *record;      /* set by prepare(); owned */
	pid_t pid;         /* the agent, in our namespace; 0 unknown */
	int64_t start_time;
	int pidfd;         /* owned; -1; readable when the agent has ended */
	char *posture;     /* JSON object, read back from the kernel; owned */
	struct provider_timings timings;
};

#define PROVIDER_BOX_INIT { .pidfd = -1 }
void provider_box_release(struct provider_box *box); /* memory and fds only */

struct provider_stats {
	bool supported;
	double cpu_pct;
	uint64_t mem_bytes, mem_limit_bytes, pids, disk_bytes;
	uint64_t net_rx_bytes, net_tx_bytes;
};

/* A finding of doctor: what was tried, how it went, what to do. */
struct provider_finding {
	enum { FINDING_OK, FINDING_NOTE, FINDING_PROBLEM } level;
	char *what; /* "user namespaces", owned */
	char *detail;
	char *fix;  /* command or NULL */
};

struct provider_findings {
	struct provider_finding *v;
	size_t n;
};

void provider_findings_add(struct provider_findings *f, int level,
			   const char *what, const char *fix,
			   const char *detail_fmt, ...) PRINTF_LIKE(5, 6);
void provider_findings_release(struct provider_findings *f);

struct provider; /* an opened provider; each ops has its own larger struct */

struct provider_ops {
	const char *name;
	const char *label; /* one line for people: what it isolates with */
	unsigned caps;     /* enum provider_caps */

	/* Say whether this host can run it, by trying.  Changes nothing that
	 * lasts.  0 usable; -1 with err naming what is missing and the hint
	 * with the command that fixes it.  Appends what it learned to
	 * findings when not NULL.  May be called at any time, also before
	 * open(). */
	int (*probe)(const struct provider_host *host,
		     struct provider_findings *findings, struct svm_err *err);

	/* Make it ready for boxes (launcher, directories).  Called once,
	 * before any member below.  On failure leaves nothing behind. */
	int (*open)(const struct provider_host *host, struct provider **ret,
		    struct svm_err *err);

	/* Boxes live on. */
	void (*close)(struct provider *p);

	/* Optional.  0 with the id of a box that has been made ahead and
	 * suits the spec: prepare() and create() of that id are then cheap.
	 * The caller's from now on, to create or to destroy.  -ENOENT when
	 * there is none.  On the loop; must not block. */
	int (*reserve)(struct provider *p, const struct sandbox_spec *spec,
		       char id[LIMIT_ID + 1]);

	/* Reserve what must be recorded before anything exists (id block,
	 * cgroup names) and write it to box->record.  On the loop: a few
	 * system calls at most.  Undone by destroy(). */
	int (*prepare)(struct provider *p, struct provider_box *box,
		       const struct sandbox_spec *spec, struct svm_err *err);

	/* Create everything; answers when the agent is ready to be spoken to.
	 * Fills pid, start_time, pidfd, posture, timings.  On failure leaves
	 * nothing behind but the record. */
	int (*create)(struct provider *p, struct provider_box *box,
		      const struct sandbox_spec *spec, struct svm_err *err);

	/* Find a box of an earlier daemon again by id, record, pid and start
	 * time; fills pidfd and posture.  -1 NOT_FOUND when it is gone. */
	int (*adopt)(struct provider *p, struct provider_box *box,
		     struct svm_err *err);

	/* Take everything away: processes, cgroups, directories, id block.
	 * Works on half-made boxes, with pid 0, and when repeated.  0 means
	 * nothing is left. */
	int (*destroy)(struct provider *p, struct provider_box *box,
		       struct svm_err *err);

	/* A fresh non-blocking connection to the box's agent.  On the loop.
	 * fd >= 0, or -1 with err. */
	int (*open_channel)(struct provider *p, struct provider_box *box,
			    struct svm_err *err);

	/* Optional. */
	int (*stats)(struct provider *p, struct provider_box *box,
		     struct provider_stats *ret, struct svm_err *err);

	/* Remove what this instance left on the host that belongs to none of
	 * the ids (NULL-terminated).  Called once after start. */
	int (*sweep)(struct provider *p, char *const *ids,
		     struct svm_err *err);
};

extern const struct provider_ops *const provider_builtin[]; /* NULL last */

/* What the daemon and the tests call. */
const struct provider_ops *provider_find_ops(const char *name); /* or NULL */
const char *provider_name(const struct provider *p);
unsigned provider_caps(const struct provider *p);
int provider_open(const struct provider_ops *ops,
		  const struct provider_host *host, struct provider **ret,
		  struct svm_err *err);
void provider_close(struct provider *p);
int provider_reserve(struct provider *p, const struct sandbox_spec *spec,
		     char id[LIMIT_ID + 1]);
int provider_prepare(struct provider *p, struct provider_box *box,
		     const struct sandbox_spec *spec, struct svm_err *err);
int provider_create(struct provider *p, struct provider_box *box,
		    const struct sandbox_spec *spec, struct svm_err *err);
int provider_adopt(struct provider *p, struct provider_box *box,
		   struct svm_err *err);
int provider_destroy(struct provider *p, struct provider_box *box,
		     struct svm_err *err);
int provider_open_channel(struct provider *p, struct provider_box *box,
			  struct svm_err *err);
int provider_box_stats(struct provider *p, struct provider_box *box,
		       struct provider_stats *ret, struct svm_err *err);
int provider_sweep(struct provider *p, char *const *ids, struct svm_err *err);

/* For providers: the first member of each one's own struct. */
struct provider {
	const struct provider_ops *ops;
	const struct provider_host *host;
};

/* For providers with an agent whose socket is boxes/ID/agent.sock. */
int provider_connect_agent(const struct provider_host *host,
			   const struct provider_box *box,
			   struct svm_err *err);

/* The static agent embedded in this program (agent-embed.S), and a sealed,
 * executable memfd of it (CLOEXEC, owned by the caller). */
extern const unsigned char agent_elf[];
extern const size_t agent_elf_size;
int provider_agent_memfd(struct svm_err *err);

#endif
