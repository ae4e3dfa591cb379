/* SPDX-License-Identifier: MIT */
/*
 * Images: unpacked layers, shared read-only.
 *
 *	STATE/images/layers/sha256-HEX/   one directory per layer, by DiffID
 *	STATE/images/tmp/                 half-made ones, emptied at start
 *
 * An archive is unpacked once, by a sandboxed worker process (`stacyvm
 * __unpack`), into tmp and renamed when it is whole and its digest matched.
 * Whiteouts become overlayfs's own (a 0/0 character device, or the
 * trusted/user.overlay.whiteout xattr form where mknod is not allowed) and
 * opaque directories its xattr, so a list of layer directories is ready to be
 * an overlay's lower dirs.  See image.c for ownership under a user namespace.
 */
#ifndef SVM_DAEMON_IMAGE_H
#define SVM_DAEMON_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/api/spec.h"
#include "lib/base/err.h"

struct daemon;
struct http_req;
struct image_store;

struct image_store *image_store_new(struct daemon *d, struct svm_err *err);
void image_store_free(struct image_store *s);

/* Fill spec->rootfs, layers and image_env from spec->image: "host", an
 * absolute directory, or an imported reference (digest, name, name:tag,
 * docker.io/library/ prefix optional).  From memory, on the loop.
 * UNAVAILABLE with the commands that fix it when it is not here. */
int image_resolve(struct image_store *s, struct sandbox_spec *spec,
		  struct svm_err *err);

/* Layers in use by live sandboxes are not removed. */
void image_layers_hold(struct image_store *s, char *const *layers);
void image_layers_release(struct image_store *s, char *const *layers);

/* Routes: GET /images, POST /images/import?name=, DELETE /images/{ref},
 * POST /images/prune. */
void api_images_list(struct http_req *r, void *app);
void api_images_import(struct http_req *r, void *app);
void api_images_delete(struct http_req *r, void *app);
void api_images_prune(struct http_req *r, void *app);

/* The unpack worker: `stacyvm __unpack`, see unpack.c. */
int image_unpack_main(int argc, char **argv);

#endif
