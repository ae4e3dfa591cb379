/* SPDX-License-Identifier: MIT */
/*
 * Images: unpacked layers, shared read-only.
 *
 *	STATE/images/layers/sha256-HEX/   one directory per layer, by DiffID
 *	STATE/images/tmp/                 half-made ones, emptied at start
 *	STATE/images/downloads/           blobs of pulls under way; what broken
 *					  pulls left serves the next try
 *
 * An archive is unpacked once, by a confined worker process (`stacyvm
 * __unpack`), into tmp and renamed when it is whole and its digest matched.
 * Whiteouts become overlayfs's own (a 0/0 character device, which needs no
 * privilege) and opaque directories carry user.overlay.opaque, and
 * trusted.overlay.opaque too where we may: so a list of layer directories is
 * ready to be an overlay's lower dirs, with or without `userxattr`.
 *
 * Files keep their owners 0..65535 when the daemon is root ("ids":"full",
 * made for an idmapped mount); else all belong to the user ("collapsed").
 * Setuid, setgid, devices, extended attributes and ACLs are dropped.
 */
#ifndef SVM_DAEMON_IMAGE_H
#define SVM_DAEMON_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/api/spec.h"
#include "lib/base/err.h"

struct daemon;
struct http_req;
struct image_store;

/* Needs d->dirs, d->loop, d->store and d->workers.  Blocks: reads the rows,
 * empties tmp in the background. */
struct image_store *image_store_new(struct daemon *d, struct svm_err *err);
void image_store_free(struct image_store *s); /* kills running imports */

/* The daemon stops: imports and pulls end, whoever waits for one is told. */
void image_store_stop(struct image_store *s);

/* Is anything on its way: an import, a pull? */
bool image_store_busy(const struct image_store *s);

/* Fill spec->rootfs, layers (top first) and image_env from spec->image:
 * "host", an absolute directory, or an imported reference (digest, name,
 * name:tag, docker.io/library/ prefix optional).  On the loop.  UNAVAILABLE
 * with the commands that fix it when it is not here. */
int image_resolve(struct image_store *s, struct sandbox_spec *spec,
		  struct svm_err *err);

/* Layers in use by live sandboxes are not removed.  Hold in the same turn of
 * the loop in which the image was resolved. */
void image_layers_hold(struct image_store *s, char *const *layers);
void image_layers_release(struct image_store *s, char *const *layers);

/* A request whose image image_resolve() just did not find, in this turn of the
 * loop: start or join its pull and call again(r, app) when it is here; an
 * error is answered.  The client leaving ends its wait only, the pull goes
 * on.  False when there is nothing to pull: the caller answers as ever. */
bool image_pull_wait(struct image_store *s, struct http_req *r,
		     void (*again)(struct http_req *r, void *app));
/* What image_resolve() did not find does not matter after all. */
void image_pull_forget(struct image_store *s);

/* Routes.  An image object: ref, digest, size_bytes, created_at, layers (a
 * count), in_use, architecture, ids.
 *	GET /images -> 200 array, newest first
 *	POST /images/import?name=&fallback=&frames=full (the name: `name`,
 *		else the archive's own, else `fallback`), HTTP_STREAM_IN | HTTP_SLOW |
 *		HTTP_GONE, any size -> 201 object; with frames=full 200 NDJSON:
 *		{"type":"progress",...}..., then {"type":"image","image":{}}
 *		or {"type":"error","code","message","remediation"}
 *	POST /images/pull {"ref"}, HTTP_SLOW | HTTP_GONE -> 201 object, 200
 *		when it was here and is the newest; frames=full as above, with
 *		{"type":"progress","stage":"download","layer","layers",
 *		"bytes","total"} (of a layer).  Everybody who wants a ref
 *		waits for one pull; it ends when nobody waits and no spawn
 *		wanted it, and what came is kept for the next
 *	DELETE /images/{ref} -> 200 {"status":"removed"}; 404, 409 in use
 *	POST /images/prune -> 200 {"removed":n,"bytes":n}: all that no live
 *		sandbox uses */
void api_images_list(struct http_req *r, void *app);
void api_images_import(struct http_req *r, void *app);
void api_images_pull(struct http_req *r, void *app);
void api_images_delete(struct http_req *r, void *app);
void api_images_prune(struct http_req *r, void *app);

/* The unpack worker: `stacyvm __unpack`, see unpack.c. */
int image_unpack_main(int argc, char **argv);
/* The pull worker: `stacyvm __pull`, see pull.h. */
int image_pull_main(int argc, char **argv);

#endif
