/* SPDX-License-Identifier: MIT */
/*
 * What somebody who waits for an image is told: the image or an error and,
 * with frames=full, progress before it, as NDJSON.
 */
#ifndef SVM_DAEMON_IMAGE_ANSWER_H
#define SVM_DAEMON_IMAGE_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/json.h"

struct http_req;
struct image;
struct image_store;
struct svm_err;

/* How far it is; layers counted from 0. */
struct image_progress {
	const char *stage; /* "receive", "download", "unpack" */
	int64_t layer, layers, bytes;
	int64_t total; /* of the layer; 0: unknown */
};

/* From a worker's report, but for its stage. */
int image_progress_read(struct image_progress *p, const cJSON *o,
			struct svm_err *err);
/* As members of an object. */
void image_progress_write(const struct image_progress *p,
			  struct json_writer *w);

struct image_answer {
	struct http_req *req;
	bool frames; /* progress was asked for */
};

struct image_answer image_answer_new(struct http_req *r);

/* Not to a client that does not keep up. */
void image_answer_progress(struct image_answer *a,
			   const struct image_progress *p);

/* These end it; an error is frames_error()'s.
 * newer: 201, else 200.  A pull says it in its last frame too. */
void image_answer_pulled(struct image_answer *a, const struct image_store *s,
			 const struct image *i, bool newer);
void image_answer_imported(struct image_answer *a,
			   const struct image_store *s, const struct image *i);

#endif
