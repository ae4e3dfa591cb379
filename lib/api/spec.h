/* SPDX-License-Identifier: MIT */
/*
 * What was asked for: a sandbox's specification after validation and with
 * defaults filled in.  The daemon makes it, providers read it.
 */
#ifndef SVM_API_SPEC_H
#define SVM_API_SPEC_H

#include <stdbool.h>
#include <stdint.h>

enum spec_network { SPEC_NETWORK_NONE, SPEC_NETWORK_BRIDGE,
		    SPEC_NETWORK_ALLOW };

/* Where the root file system comes from; the daemon resolves `image`. */
enum spec_rootfs {
	SPEC_ROOTFS_HOST,   /* the machine's own /usr, read-only */
	SPEC_ROOTFS_LAYERS, /* `layers`: unpacked directories, top first */
};

#define SPEC_WARM_KEY 32 /* hex digits */

struct sandbox_spec {
	char *image;    /* as the user wrote it, or the default */
	char *name;     /* or NULL */
	char *owner;    /* or NULL */
	char *template; /* or NULL */
	uint32_t memory_mb, vcpus, disk_mb, pids;
	uint64_t inodes;
	int64_t ttl_ns;
	char **env;      /* "K=V" */
	char **metadata; /* "K=V" */
	enum spec_network network;
	bool read_only_rootfs;
	enum spec_rootfs rootfs;
	char **layers;   /* absolute host paths; owned */
	char **image_env; /* environment the image declares */
	char **setup;    /* commands run once before it is ready; not stored */
	char made_by[SPEC_WARM_KEY + 1]; /* key of its template; not stored */
	/* A warm copy: the key of its template until it is claimed, then NULL.
	 * Its agent's own environment is what the template has: what a claim
	 * adds is sent along with each command. */
	char *warm;
	bool late_env;
};

void sandbox_spec_release(struct sandbox_spec *s);

#endif
