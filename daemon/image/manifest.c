/* SPDX-License-Identifier: MIT */
/* What a registry's JSON says is to be fetched.  See pull.h.  The unpack
 * worker reads the same documents again and believes neither. */
#include <stdlib.h>
#include <string.h>

#include "daemon/image/plan.h"
#include "daemon/image/pull.h"
#include "lib/api/limits.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

static int read_blob(const cJSON *descriptor, int64_t max,
		     struct manifest_blob *ret, struct svm_err *err)
{
	const char *digest = "";
	int64_t size = -1;

	if (json_get_string(descriptor, "digest", &digest, err) < 0 ||
	    json_get_int(descriptor, "size", 0, max, &size, err) < 0)
		return -1;
	if (digest_parse(digest, &ret->digest) < 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the manifest names '%.80s', which is no "
				   "sha256 digest", digest);
	if (size <= 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the manifest does not say how large %s is",
				   digest);
	ret->size = size;
	return 0;
}

static int read_layers(const cJSON *list, struct manifest *m,
		       struct svm_err *err)
{
	int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
	int64_t sum = 0;

	if (n < 1 || n > LIMIT_IMAGE_LAYERS)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the manifest must list 1 to %d layers, "
				   "not %d", LIMIT_IMAGE_LAYERS, n);
	m->layers = xcalloc((size_t)n, sizeof(*m->layers));
	for (const cJSON *kid = list->child; kid; kid = kid->next) {
		struct manifest_blob *b = &m->layers[m->n++];
		const char *type = json_text(kid, "mediaType");

		if (strstr(type, ".foreign.") || strstr(type, "encrypted"))
			return svm_err_set(err, SVM_UNSUPPORTED,
					   "layer %zu is of the kind '%.80s'",
					   m->n, type);
		if (read_blob(kid, LIMIT_IMAGE_BYTES, b, err) < 0)
			return svm_err_prefix(err, "layer %zu", m->n);
		sum += b->size;
		if (sum > LIMIT_IMAGE_BYTES)
			return svm_err_set(err, SVM_TOO_LARGE,
					   "the layers are larger than %lld "
					   "bytes together",
					   (long long)LIMIT_IMAGE_BYTES);
	}
	return 0;
}

static int read_manifest(const cJSON *root, struct manifest *m,
			 struct svm_err *err)
{
	int64_t version = 0;

	if (json_get(root, "manifests")) {
		const cJSON *ours = plan_choose(json_get(root, "manifests"),
						err);

		m->is_index = true;
		return ours ? read_blob(ours, LIMIT_IMAGE_JSON, &m->next,
					err) : -1;
	}
	if (json_get_int(root, "schemaVersion", 0, 100, &version, err) < 0)
		return -1;
	if (version == 1) {
		svm_err_set(err, SVM_UNSUPPORTED,
			    "the image is of the format of 2015 (schema 1)");
		return svm_err_hint(err, "push it again with a docker of "
					 "today");
	}
	if (read_blob(json_get(root, "config"), LIMIT_IMAGE_JSON, &m->config,
		      err) < 0)
		return svm_err_prefix(err, "config");
	return read_layers(json_get(root, "layers"), m, err);
}

int manifest_parse(const struct buf *text, struct manifest *ret,
		   struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct manifest m = { 0 };

	if (json_parse_object(&doc, buf_str(text), text->len, err) < 0)
		return svm_err_prefix(err, "manifest");
	if (read_manifest(doc.root, &m, err) < 0) {
		manifest_release(&m);
		return -1;
	}
	*ret = m;
	return 0;
}

void manifest_release(struct manifest *m)
{
	free(m->layers);
	*m = (struct manifest){ 0 };
}

int manifest_diff_ids(const struct buf *config, size_t n, struct digest *ret,
		      struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;

	if (json_parse_object(&doc, buf_str(config), config->len, err) < 0)
		return svm_err_prefix(err, "the image's config");
	return image_config_diff_ids(doc.root, n, ret, err);
}
