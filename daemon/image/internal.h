/* SPDX-License-Identifier: MIT */
/* What the daemon's side of images shares among its own files. */
#ifndef SVM_DAEMON_IMAGE_INTERNAL_H
#define SVM_DAEMON_IMAGE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/image/plan.h"
#include "lib/api/event-type.h"
#include "lib/base/digest.h"
#include "lib/base/json.h"
#include "lib/base/list.h"

struct daemon;
struct image_progress;
struct store_image;
struct store_txn;
struct svm_err;

struct image_layer {
	struct digest diff;
	int64_t size;
};

struct image {
	struct list link; /* newest first */
	char *ref;        /* canonical; "sha256:HEX" once its name moved on */
	char digest[DIGEST_TEXT + 1];
	struct image_layer *layers; /* bottom first, each DiffID once */
	size_t n;
	struct image_config config;
	bool full_ids;
	int64_t size_bytes, created_ns;
};

struct image_store {
	struct daemon *daemon;
	char *layers_path, *tmp_path, *downloads_path;
	int layers_fd, tmp_fd, downloads_fd;
	struct list images;
	struct list holds;
	struct list imports;
	struct list pulls;
	char *missing;    /* what image_resolve() did not find last, or NULL */
	unsigned busy;    /* changes under way: layers may not go now */
	bool sweep_wanted;
};

struct image *image_new(void);
void image_free(struct image *i); /* accepts NULL */
void image_insert(struct image_store *s, struct image *i);
/* By ref or, then, by digest. */
struct image *image_find(struct image_store *s, const char *text,
			 struct svm_err *err);
bool image_in_use(const struct image_store *s, const struct image *i);
bool image_same_layers(const struct image *a, const struct image *b);

/* The directory's name of a layer: "sha256-HEX". */
void image_layer_name(const struct digest *d, char out[DIGEST_TEXT + 1]);

void image_write(const struct image_store *s, const struct image *i,
		 struct json_writer *w, const char *key);

/* The row; strings are owned by it. */
void image_to_row(const struct image *i, struct store_image *row);
int image_from_row(const struct store_image *row, struct image **ret,
		   struct svm_err *err);

/* What became of it, for everybody. */
void image_add_event(struct store_txn *t, enum event_type type,
		     const struct image *i);

/* While busy no layer is removed.  The end of the last change removes the
 * layers that no image and no sandbox has. */
void images_begin(struct image_store *s);
void images_end(struct image_store *s);
void images_sweep(struct image_store *s); /* now, or when not busy any more */

/* Remove tmp/name on a worker. */
void images_discard(struct image_store *s, const char *name);

/* The daemon stops: nothing came of it, and what to do.  Always -1. */
int image_stopping(struct svm_err *err);

/* import.c: end every import, with an answer soon or without any. */
void imports_stop(struct image_store *s);
void imports_abort(struct image_store *s);

/* Unpack the image of that manifest from downloads/ and call it ref.  done is
 * called once, perhaps from inside; the image is borrowed, or NULL with err. */
struct import_events {
	void (*progress)(void *data, const struct image_progress *now);
	void (*done)(void *data, const struct image *stored,
		     const struct svm_err *err);
};
void import_pulled(struct image_store *s, const char *ref,
		   const struct digest *manifest,
		   const struct import_events *events, void *data);

/* puller.c: the same for pulls. */
void pulls_stop(struct image_store *s);
void pulls_abort(struct image_store *s);

/* downloads.c: on a worker thread, remove what no pull will go on with: all
 * that is whole unless keep_whole, and all that is old or too much. */
void downloads_sweep(struct image_store *s, bool keep_whole);

#endif
