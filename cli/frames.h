/* SPDX-License-Identifier: MIT */
/*
 * Calls whose reply tells how far they are (frames=full, stacyvm-api(7)):
 * NDJSON with progress and, as its last line, what came of it.
 */
#ifndef SVM_CLI_FRAMES_H
#define SVM_CLI_FRAMES_H

#include <stdint.h>

#include "cli/cmd.h"
#include "lib/api/limits.h"
#include "lib/base/json.h"

struct frame {
	const char *stage; /* borrowed; "" when it isn't told */
	int64_t layer, layers, bytes, total;
	int64_t waiting;
	int64_t command, commands;
	const char *id;    /* borrowed, or "" */
};

/* Of the layers that were told of. */
struct frame_layers {
	int64_t have[LIMIT_IMAGE_LAYERS], whole[LIMIT_IMAGE_LAYERS];
};

/* Take a frame of the stage "download" in; the bytes of all layers. */
void frame_layers_take(struct frame_layers *l, const struct frame *f,
		       int64_t *ret_have, int64_t *ret_whole);

struct frames_reader {
	const char *last; /* type of the last line: "image", "sandbox" */
	void (*progress)(void *data, const struct frame *f);
	void *data;
};

/* POST; the last line is in *ret.  -1 with err also when that is an error. */
int frames_post(struct cli *cli, const char *target, const struct buf *body,
		const struct frames_reader *r, struct json_doc *ret,
		struct svm_err *err);

#endif
