/* SPDX-License-Identifier: MIT */
/*
 * The JSON of image archives: whatever an archive says, planning ends in a
 * plan within the limits or in a refusal; settings survive being written and
 * read; a canonical image name stays what it is.
 *
 * Input: records "NAME\nTEXT" that end with the byte 0x1e.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/image/plan.h"
#include "daemon/image/ref.h"
#include "lib/api/limits.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct svm_err *err)
{
	if ((err->code != SVM_BAD_REQUEST && err->code != SVM_TOO_LARGE) ||
	    !err->msg)
		abort();
}

static void check_plan(const struct plan *p)
{
	auto_buf struct buf text = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct json_writer w = json_writer(&text);
	struct image_config again = { 0 };

	if (p->n < 1 || p->n > LIMIT_IMAGE_LAYERS)
		abort();
	for (size_t i = 0; i < p->n; i++) {
		const char *name = p->layers[i].name;

		if ((p->kind == PLAN_ROOTFS) != !name)
			abort();
		if (name && (!*name || *name == '/' || strstr(name, "/../") ||
			     strncmp(name, "../", 3) == 0))
			abort();
	}
	json_open(&w, NULL, '{');
	image_config_write(&p->config, &w);
	json_close(&w, '}');
	if (json_parse_object(&doc, text.data, text.len, &err) < 0 ||
	    image_config_read(doc.root, &again, &err) < 0)
		abort();
	image_config_release(&again);
}

static void try_ref(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	auto_free char *ref = NULL, *again = NULL;
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (image_ref_normalise(text, &ref, &err) < 0)
		check_error(&err);
	else if (image_ref_normalise(ref, &again, &err) < 0 ||
		 strcmp(ref, again) != 0)
		abort();
}

static void try_plan(const uint8_t *data, size_t size)
{
	struct plan_docs docs = PLAN_DOCS_INIT;
	struct plan plan = PLAN_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	int r = 0;

	while (size && r == 0) {
		const uint8_t *end = memchr(data, 0x1e, size);
		size_t n = end ? (size_t)(end - data) : size;
		const uint8_t *nl = memchr(data, '\n', n);
		size_t head = nl ? (size_t)(nl - data) : n;
		size_t body = nl ? n - head - 1 : 0;
		auto_free char *raw = xstrndup((const char *)data, head);
		auto_free char *name = plan_clean_name(NULL, raw);

		if (name && plan_docs_wants(name))
			r = plan_docs_add(&docs, name, NULL,
					  xstrndup((const char *)data + head +
						   (nl ? 1 : 0), body),
					  strnlen((const char *)data + head +
						  (nl ? 1 : 0), body), &err);
		data += n + (end ? 1 : 0);
		size -= n + (end ? 1 : 0);
	}
	if (r == 0 && plan_make(&docs, &plan, &err) == 0)
		check_plan(&plan);
	else
		check_error(&err);
	plan_release(&plan);
	plan_docs_release(&docs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_plan(data, size);
	try_ref(data, size);
	return 0;
}
