/* SPDX-License-Identifier: MIT */
/*
 * The native provider: Linux namespaces, as root or without.
 *
 *	native.c    the provider's members: boxes from birth to removal
 *	box.c       a box's way from nothing to an agent that answers
 *	spare.c     boxes made before they are asked for
 *	stats.c     what a box uses
 *	client.c    the daemon's end of the launcher
 *	launcher.c  the process that clones boxes (`stacyvm __launcher`)
 *	child.c     what a clone does before it becomes the agent
 *	rootfs.c    the file system it builds for itself
 *	layers.c    the same from image layers
 *	cgroup.c    limits: v2, v1, or none
 *	ids.c       host ids for boxes
 *	filter.c    seccomp
 *	posture.c   what is in force, read back from the kernel
 *	probe.c     what this host allows, by trying
 */
#ifndef SVM_PROVIDERS_NATIVE_NATIVE_H
#define SVM_PROVIDERS_NATIVE_NATIVE_H

#include <stdint.h>

extern const struct provider_ops provider_native_ops;

/* `stacyvm __launcher MODE INSTANCE`, with the daemon's socket as fd 3. */
int native_launcher_main(int argc, char **argv);

/* How the ids of boxes map to the host's. */
enum native_mode {
	NATIVE_ROOT,   /* 64 Ki ids each, from the whole range */
	NATIVE_SUBIDS, /* root is the user, NATIVE_SLICE others are its own,
			* inside one outer namespace */
	NATIVE_SINGLE, /* one id, the user's own: agent and workload share it */
	NATIVE_MODE_MAX
};

const char *native_mode_name(enum native_mode mode);

#define NATIVE_BLOCK 65536u /* ids of a box, root mode */
#define NATIVE_SLICE 16u    /* ids of a box, with subids */

/* Whom commands run as, inside. */
#define NATIVE_UID 1000u
#define NATIVE_HOME "/home/user"

#endif
