/* SPDX-License-Identifier: MIT */
/*
 * What a worker has unpacked, and the way it becomes an image of the store:
 * its layers are renamed into place, on a worker thread, then the row is
 * stored.  Any number may bring the same layers: the first rename wins.
 */
#ifndef SVM_DAEMON_IMAGE_UNPACKED_H
#define SVM_DAEMON_IMAGE_UNPACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/digest.h"
#include "lib/base/work.h"

struct image;
struct image_store;
struct svm_err;

struct unpacked {
	struct image_store *store;
	const char *dir; /* in tmp: layer i is its "i" */
	struct unpacked_layer {
		struct digest diff;
		bool present; /* among the store's already, they say */
		int64_t size;
	} *layers; /* room for LIMIT_IMAGE_LAYERS */
	size_t n;
	struct image *image; /* complete but for its layers */
	struct svm_err *err; /* the owner's: why it is none */
	void (*done)(void *data, const struct image *stored);
	void *data;
	struct work work;
};

/* dir and err are borrowed. */
void unpacked_init(struct unpacked *u, struct image_store *s, const char *dir,
		   struct svm_err *err,
		   void (*done)(void *data, const struct image *stored),
		   void *data);
void unpacked_release(struct unpacked *u);

/* Once layers, n and image are set.  done is called once, later: the image is
 * borrowed, or NULL with *err set; it may release u. */
void unpacked_store(struct unpacked *u);

#endif
