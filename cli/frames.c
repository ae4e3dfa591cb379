/* SPDX-License-Identifier: MIT */
/* Calls whose reply tells how far they are.  See frames.h. */
#include "cli/frames.h"

#include <string.h>

#include "cli/cli.h"
#include "lib/api/errmap.h"
#include "lib/client/client.h"

void frame_layers_take(struct frame_layers *l, const struct frame *f,
		       int64_t *ret_have, int64_t *ret_whole)
{
	*ret_have = *ret_whole = 0;
	l->have[f->layer] = f->bytes;
	l->whole[f->layer] = f->total;
	for (size_t i = 0; i < LIMIT_IMAGE_LAYERS; i++) {
		*ret_have += l->have[i];
		*ret_whole += l->whole[i];
	}
}

static int parse_frame(const cJSON *o, struct frame *f, struct svm_err *err)
{
	const struct {
		const char *key;
		int64_t max, *ret;
	} numbers[] = {
		{ "layer", LIMIT_IMAGE_LAYERS - 1, &f->layer },
		{ "layers", LIMIT_IMAGE_LAYERS, &f->layers },
		{ "bytes", LIMIT_IMAGE_BYTES, &f->bytes },
		{ "total", LIMIT_IMAGE_BYTES, &f->total },
		{ "waiting", INT32_MAX, &f->waiting },
		{ "command", INT32_MAX, &f->command },
		{ "commands", INT32_MAX, &f->commands },
	};

	*f = (struct frame){ .stage = "", .id = "" };
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (json_get_int(o, numbers[i].key, 0, numbers[i].max,
				 numbers[i].ret, err) < 0)
			return -1;
	if (json_get_string(o, "stage", &f->stage, err) < 0)
		return -1;
	return json_get_string(o, "id", &f->id, err);
}

static int parse_error(const cJSON *o, struct svm_err *err)
{
	const char *msg = "it failed", *hint = "", *code = "";

	if (json_get_string(o, "code", &code, err) < 0 ||
	    json_get_string(o, "message", &msg, err) < 0 ||
	    json_get_string(o, "remediation", &hint, err) < 0)
		return -1;
	enum svm_code c = svm_code_parse(code);
	svm_err_set(err, c == SVM_OK ? SVM_PROVIDER : c, "%s", msg);
	err->told = true;
	return *hint ? svm_err_hint(err, "%s", hint) : -1;
}

/* 1 when it was the last, which is in doc. */
static int read_line(const struct frames_reader *r, struct json_doc *doc,
		     const char *line, size_t n, struct svm_err *err)
{
	const char *type = "";
	struct frame f;

	json_release(doc);
	if (json_parse_object(doc, line, n, err) < 0 ||
	    json_get_string(doc->root, "type", &type, err) < 0)
		return -1;
	if (strcmp(type, "error") == 0)
		return parse_error(doc->root, err);
	if (strcmp(type, "progress") != 0)
		return strcmp(type, r->last) == 0;
	if (parse_frame(doc->root, &f, err) < 0)
		return -1;
	r->progress(r->data, &f);
	return 0;
}

int frames_post(struct cli *cli, const char *target, const struct buf *body,
		const struct frames_reader *reader, struct json_doc *ret,
		struct svm_err *err)
{
	struct client *c = cli_client(cli, err);
	auto_exchange struct exchange *x =
		c ? exchange_new(c, "POST", target, (int64_t)body->len, err) :
		    NULL;
	bool end = false;
	char *line;
	size_t n;
	int r = 0;

	if (!x || exchange_send(x, body->data, body->len, err) < 0 ||
	    exchange_reply(x, err) < 0)
		return -1;
	while (r == 0 && (line = exchange_line(x, true, &n, &end, err)))
		r = read_line(reader, ret, line, n, err);
	if (r == 0 && end)
		return svm_err_set(err, SVM_UNREACHABLE,
				   "the daemon ended its answer before the "
				   "%s was there", reader->last);
	return r > 0 ? 0 : -1;
}
