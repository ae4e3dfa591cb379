/* SPDX-License-Identifier: MIT */
/* What an archive's JSON says.  See plan.h. */
#include "daemon/image/plan.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/image/ref.h"
#include "lib/api/limits.h"
#include "lib/base/mem.h"

static int get_digest(const cJSON *obj, const char *key, struct digest *ret,
		      struct svm_err *err)
{
	const char *text = "";

	if (json_get_string(obj, key, &text, err) < 0)
		return -1;
	if (digest_parse(text, ret) < 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' must be sha256: and 64 hex digits, "
				   "not '%.80s'", key, text);
	return 0;
}

/* The image's config document: settings and the DiffIDs of p->layers. */
static int apply_config(const struct plan_docs *docs, const char *name,
			struct plan *p, struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct digest diffs[LIMIT_IMAGE_LAYERS];

	if (plan_docs_parse_blob(docs, name, &p->digest, &doc, &text, err) <
		    0 ||
	    image_config_read_oci(doc.root, &p->config, err) < 0 ||
	    image_config_diff_ids(doc.root, p->n, diffs, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		p->layers[i].diff = diffs[i];
		p->layers[i].has_diff = true;
	}
	return 0;
}

static int start_layers(const cJSON *list, struct plan *p,
			struct svm_err *err)
{
	int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;

	if (n < 1 || n > LIMIT_IMAGE_LAYERS)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the manifest must list 1 to %d layers, "
				   "not %d", LIMIT_IMAGE_LAYERS, n);
	p->n = (size_t)n;
	p->layers = xcalloc(p->n, sizeof(*p->layers));
	return 0;
}

/* docker save. */

/* Older versions store a repeated layer as a link to the first. */
static char *follow_links(const struct plan_docs *docs, char *name)
{
	for (int hops = 0; name && hops < 8; hops++) {
		const struct plan_doc *doc = plan_docs_find(docs, name);

		if (!doc || !doc->target)
			return name;
		free(name);
		name = xstrdup(doc->target);
	}
	free(name);
	return NULL;
}

static int docker_layer(const struct plan_docs *docs, const cJSON *item,
			struct plan_layer *l, struct svm_err *err)
{
	const char *text = cJSON_IsString(item) ? item->valuestring : "";

	l->name = follow_links(docs, plan_clean_name(NULL, text));
	if (!l->name || !*l->name)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "manifest.json: a layer has the name "
				   "'%.128s'", text);
	if (strncmp(l->name, "blobs/sha256/", 13) == 0)
		l->has_blob = digest_parse_hex(l->name + 13, &l->blob) == 0;
	return 0;
}

static int plan_docker(const struct plan_docs *docs, const cJSON *list,
		       struct plan *p, struct svm_err *err)
{
	const cJSON *m = list->child, *layers = json_get(m, "Layers");
	const cJSON *tags = json_get(m, "RepoTags");
	const char *name = json_text(m, "Config");
	size_t n = strlen(name), i = 0;
	auto_free char *hex = NULL;

	if (m->next)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the archive holds %d images: save one at "
				   "a time", cJSON_GetArraySize(list));
	if (start_layers(layers, p, err) < 0)
		return -1;
	for (const cJSON *kid = layers->child; kid; kid = kid->next)
		if (docker_layer(docs, kid, &p->layers[i++], err) < 0)
			return -1;
	/* HEX.json, or blobs/sha256/HEX since Docker 25. */
	hex = n > 13 && strncmp(name, "blobs/sha256/", 13) == 0 ?
		      xstrdup(name + 13) :
		      xstrndup(name, n > 5 ? n - 5 : 0);
	p->has_digest = digest_parse_hex(hex, &p->digest) == 0;
	if (!p->has_digest)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "manifest.json: the config's name '%.128s' "
				   "is no digest", name);
	if (cJSON_IsArray(tags) && tags->child &&
	    cJSON_IsString(tags->child))
		p->ref = xstrdup(tags->child->valuestring);
	return apply_config(docs, name, p, err);
}

/* OCI layout. */

static int oci_layers(const cJSON *manifest, struct plan *p,
		      struct svm_err *err)
{
	const cJSON *layers = json_get(manifest, "layers");
	size_t i = 0;

	if (start_layers(layers, p, err) < 0)
		return -1;
	for (const cJSON *kid = layers->child; kid; kid = kid->next) {
		struct plan_layer *l = &p->layers[i++];

		if (get_digest(kid, "digest", &l->blob, err) < 0)
			return svm_err_prefix(err, "layer %zu", i);
		l->has_blob = true;
		l->name = plan_blob_name(&l->blob);
	}
	return 0;
}

static int oci_manifest(const struct plan_docs *docs, const cJSON *manifest,
			struct plan *p, struct svm_err *err)
{
	if (oci_layers(manifest, p, err) < 0 ||
	    get_digest(json_get(manifest, "config"), "digest", &p->digest,
		       err) < 0)
		return -1;
	p->has_digest = true;
	auto_free char *name = plan_blob_name(&p->digest);
	return apply_config(docs, name, p, err);
}

static const cJSON *platform_of(const cJSON *descriptor)
{
	return json_get(descriptor, "platform");
}

/* The one manifest for this machine; attestations say os "unknown". */
const cJSON *plan_choose(const cJSON *list, struct svm_err *err)
{
	const char *machine = image_machine();
	const cJSON *only = NULL;
	unsigned n = 0;

	for (const cJSON *m = list ? list->child : NULL; m; m = m->next) {
		const char *arch = json_text(platform_of(m), "architecture");
		const char *os = json_text(platform_of(m), "os");

		if (strcmp(arch, machine) == 0 &&
		    (!*os || strcmp(os, "linux") == 0))
			return m;
		if (strcmp(arch, "unknown") != 0) {
			only = m;
			n++;
		}
	}
	if (n == 1 && !*json_text(platform_of(only), "architecture"))
		return only; /* its config says more */
	svm_err_set(err, SVM_BAD_REQUEST,
		    n ? "none of the %u manifests in the index is for "
			"linux/%s" :
			"the index lists %u manifests for linux/%s", n,
		    machine);
	return NULL;
}

static void take_ref(const cJSON *descriptor, struct plan *p)
{
	static const char *const keys[] = {
		"io.containerd.image.name", "org.opencontainers.image.ref.name"
	};
	const cJSON *notes = json_get(descriptor, "annotations");
	char *clean;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && !p->ref; i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		const char *text = json_text(notes, keys[i]);

		/* "latest" alone is a tag, not a name. */
		if (*text && strpbrk(text, ":/") &&
		    image_ref_normalise(text, &clean, &err) == 0)
			p->ref = clean;
	}
}

static int plan_oci(const struct plan_docs *docs, const cJSON *index,
		    struct plan *p, unsigned depth, struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *m = plan_choose(json_get(index, "manifests"), err);
	struct digest digest;

	if (!m || get_digest(m, "digest", &digest, err) < 0)
		return -1;
	take_ref(m, p);
	auto_free char *name = plan_blob_name(&digest);
	if (plan_docs_parse_blob(docs, name, &digest, &doc, &text, err) < 0)
		return -1;
	if (!json_get(doc.root, "manifests"))
		return oci_manifest(docs, doc.root, p, err);
	if (depth >= 2)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "image indexes nested too deep");
	return plan_oci(docs, doc.root, p, depth + 1, err);
}

int plan_manifest_config(const struct plan_doc *manifest, struct digest *ret,
			 struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_buf struct buf text = BUF_INIT;

	if (plan_doc_parse(manifest, manifest->name, false, &doc, &text, err) <
	    0)
		return -1;
	return get_digest(json_get(doc.root, "config"), "digest", ret, err);
}

static int plan_of(const struct plan_docs *docs, struct plan *p,
		   struct svm_err *err)
{
	const struct plan_doc *manifest = plan_docs_find(docs, "manifest.json");
	const struct plan_doc *index = plan_docs_find(docs, "index.json");
	auto_buf struct buf text = BUF_INIT, text2 = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT, doc2 = JSON_DOC_INIT;
	auto_err struct svm_err ignored = SVM_ERR_INIT;

	/* A root file system may hold a manifest.json of its own: only one
	 * that is docker's makes the archive docker's. */
	if (manifest && plan_doc_parse(manifest, "manifest.json", true, &doc,
				       &text, &ignored) == 0) {
		const cJSON *list = json_get(doc.root, "list");

		if (cJSON_IsArray(list) && cJSON_IsObject(list->child) &&
		    json_get(list->child, "Layers")) {
			p->kind = PLAN_DOCKER;
			return plan_docker(docs, list, p, err);
		}
	}
	if (index && plan_docs_find(docs, "oci-layout")) {
		p->kind = PLAN_OCI;
		if (plan_doc_parse(index, "index.json", false, &doc2, &text2,
				   err) < 0)
			return -1;
		return plan_oci(docs, doc2.root, p, 0, err);
	}
	p->kind = PLAN_ROOTFS;
	p->n = 1;
	p->layers = xcalloc(1, sizeof(*p->layers));
	return 0;
}

int plan_make(const struct plan_docs *docs, struct plan *ret,
	      struct svm_err *err)
{
	struct plan p = PLAN_INIT;

	if (plan_of(docs, &p, err) < 0) {
		plan_release(&p);
		return -1;
	}
	*ret = p;
	return 0;
}

void plan_release(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->layers[i].name);
	free(p->layers);
	free(p->ref);
	image_config_release(&p->config);
	*p = (struct plan)PLAN_INIT;
}
