/* SPDX-License-Identifier: MIT */
/* The only callers of provider_ops, and what providers share. */
#include "providers/provider.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/mem.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* 6.3 */
#endif

const struct provider_capability provider_capabilities[] = {
	{ PROVIDER_ISOLATES, "isolation" },
	{ PROVIDER_AGENT, "exec" },
	{ PROVIDER_AGENT, "files" },
	{ PROVIDER_AGENT, "sessions" },
	{ PROVIDER_LIMITS, "limits" },
	{ PROVIDER_STATS, "stats" },
	{ PROVIDER_IMAGES, "images" },
	{ PROVIDER_NET_BRIDGE, "network" },
	{ 0, NULL },
};

void provider_box_release(struct provider_box *box)
{
	free(box->record);
	free(box->posture);
	fd_close(box->pidfd);
	box->record = box->posture = NULL;
	box->pidfd = -1;
}

void provider_findings_add(struct provider_findings *f, int level,
			   const char *what, const char *fix,
			   const char *detail_fmt, ...)
{
	va_list ap;

	if (!f)
		return;
	f->v = xreallocarray(f->v, f->n + 1, sizeof(*f->v));
	struct provider_finding *one = &f->v[f->n++];
	one->level = level;
	one->what = xstrdup(what);
	one->fix = xstrdup(fix);
	va_start(ap, detail_fmt);
	one->detail = xvasprintf(detail_fmt, ap);
	va_end(ap);
}

void provider_findings_release(struct provider_findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].what);
		free(f->v[i].detail);
		free(f->v[i].fix);
	}
	free(f->v);
	*f = (struct provider_findings){ 0 };
}

const struct provider_ops *provider_find_ops(const char *name)
{
	for (size_t i = 0; provider_builtin[i]; i++)
		if (strcmp(provider_builtin[i]->name, name) == 0)
			return provider_builtin[i];
	return NULL;
}

const char *provider_name(const struct provider *p)
{
	return p->ops->name;
}

unsigned provider_caps(const struct provider *p)
{
	return p->ops->caps;
}

/* Every failure says so, every success is silent. */
static int checked(const struct provider *p, const char *member, int r,
		   const struct svm_err *err)
{
	if ((r < 0) != (err->code != SVM_OK))
		BUG("%s of provider '%s' returned %d with error code %d",
		    member, p->ops->name, r, (int)err->code);
	return r;
}

static int unsupported(const struct provider *p, const char *what,
		       struct svm_err *err)
{
	return svm_err_set(err, SVM_UNSUPPORTED, "provider '%s' can't %s",
			   p->ops->name, what);
}

int provider_open(const struct provider_ops *ops,
		  const struct provider_host *host, struct provider **ret,
		  struct svm_err *err)
{
	struct provider *p = NULL;

	if (ops->open(host, &p, err) < 0)
		return -1;
	p->ops = ops;
	p->host = host;
	*ret = p;
	return 0;
}

void provider_close(struct provider *p)
{
	if (p)
		p->ops->close(p);
}

int provider_reserve(struct provider *p, const struct sandbox_spec *spec,
		     char id[LIMIT_ID + 1])
{
	return p->ops->reserve ? p->ops->reserve(p, spec, id) : -ENOENT;
}

int provider_prepare(struct provider *p, struct provider_box *box,
		     const struct sandbox_spec *spec, struct svm_err *err)
{
	if (spec->rootfs == SPEC_ROOTFS_LAYERS &&
	    !(p->ops->caps & PROVIDER_IMAGES))
		return unsupported(p, "run images", err);
	if (spec->network != SPEC_NETWORK_NONE &&
	    !(p->ops->caps & PROVIDER_NET_BRIDGE))
		return unsupported(p, "give a sandbox a network", err);
	return checked(p, "prepare", p->ops->prepare(p, box, spec, err), err);
}

int provider_create(struct provider *p, struct provider_box *box,
		    const struct sandbox_spec *spec, struct svm_err *err)
{
	return checked(p, "create", p->ops->create(p, box, spec, err), err);
}

int provider_adopt(struct provider *p, struct provider_box *box,
		   struct svm_err *err)
{
	return checked(p, "adopt", p->ops->adopt(p, box, err), err);
}

int provider_destroy(struct provider *p, struct provider_box *box,
		     struct svm_err *err)
{
	return checked(p, "destroy", p->ops->destroy(p, box, err), err);
}

int provider_open_channel(struct provider *p, struct provider_box *box,
			  struct svm_err *err)
{
	if (!p->ops->open_channel)
		return unsupported(p, "open a channel to an agent", err);
	return checked(p, "open_channel", p->ops->open_channel(p, box, err),
		       err);
}

int provider_box_stats(struct provider *p, struct provider_box *box,
		       struct provider_stats *ret, struct svm_err *err)
{
	*ret = (struct provider_stats){ 0 };
	if (!p->ops->stats)
		return 0; /* `supported` is false */
	return checked(p, "stats", p->ops->stats(p, box, ret, err), err);
}

int provider_sweep(struct provider *p, char *const *ids, struct svm_err *err)
{
	if (!p->ops->sweep)
		return 0;
	return checked(p, "sweep", p->ops->sweep(p, ids, err), err);
}

int provider_connect_agent(const struct provider_host *host,
			   const struct provider_box *box,
			   struct svm_err *err)
{
	auto_free char *dir = xasprintf("%s/boxes/%s", host->state_dir,
					box->id);
	auto_close int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dirfd < 0)
		return svm_err_sys(err, SVM_PROVIDER, errno,
				   "can't open '%s'", dir);
	int fd = fd_unix_connect(dirfd, "agent.sock",
				 SOCK_STREAM | SOCK_NONBLOCK);
	if (fd == -EAGAIN)
		return svm_err_set(err, SVM_RESOURCE_LIMIT,
				   "the agent of '%s' has too many callers "
				   "waiting", box->id);
	if (fd < 0)
		return svm_err_sys(err, SVM_PROVIDER, fd,
				   "the agent of '%s' does not answer",
				   box->id);
	return fd;
}

int provider_agent_memfd(struct svm_err *err)
{
	auto_close int fd = memfd_create("stacyvm-agent",
					 MFD_CLOEXEC | MFD_ALLOW_SEALING |
						 MFD_EXEC);

	if (fd < 0 && errno == EINVAL) /* FIXME(kernel 6.3): always exec */
		fd = memfd_create("stacyvm-agent",
				  MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't create a memory file");
	int r = fd_write_full(fd, agent_elf, agent_elf_size);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK |
						     F_SEAL_GROW |
						     F_SEAL_WRITE) < 0)
		r = -errno;
	/* A fd that was written to can't be executed (ETXTBSY): again, for
	 * reading only. */
	auto_free char *self = xasprintf("/proc/self/fd/%d", fd);
	int ro = r < 0 ? -1 : open(self, O_RDONLY | O_CLOEXEC);
	if (r == 0 && ro < 0)
		r = -errno;
	if (r < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, r,
				   "can't fill the agent's memory file");
	return ro;
}
