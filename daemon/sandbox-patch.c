/* SPDX-License-Identifier: MIT */
/* The body of PATCH /sandboxes/{id}.  See sandbox-patch.h. */
#include "daemon/sandbox-patch.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/sandbox-request.h"
#include "lib/api/limits.h"
#include "lib/api/spec.h"
#include "lib/base/mem.h"

void sandbox_patch_release(struct sandbox_patch *p)
{
	free(p->name);
	strv_free(p->metadata);
	strv_free(p->changed);
	*p = (struct sandbox_patch){ 0 };
}

static int merge_name(const cJSON *body, const char *now, char **ret,
		      struct svm_err *err)
{
	const cJSON *name = json_get(body, "name");
	const char *text = NULL;

	if (cJSON_IsNumber(name)) /* which 0 is too, here */
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'name' must be a string or null");
	if (json_get_string(body, "name", &text, err) < 0 ||
	    (text && sandbox_request_name(text, err) < 0))
		return -1;
	*ret = xstrdup(name ? text : now);
	return 0;
}

static cJSON *as_object(char *const *pairs)
{
	cJSON *map = cJSON_CreateObject();

	for (; pairs && *pairs; pairs++) {
		size_t n = strcspn(*pairs, "=");
		auto_free char *key = xstrndup(*pairs, n);

		cJSON_AddStringToObject(map, key, *pairs + n + 1);
	}
	return map;
}

/* All that are set end up in the map, so too many are refused before each of
 * them is looked for among the others. */
static int merge(cJSON *map, const cJSON *patch, struct svm_err *err)
{
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item, patch)
		n += !cJSON_IsNull(item);
	if (n > LIMIT_METADATA_KEYS)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'metadata' sets %zu entries, at most %d "
				   "are allowed", n, LIMIT_METADATA_KEYS);
	cJSON_ArrayForEach(item, patch) {
		const char *key = item->string;

		if (cJSON_IsNull(item))
			cJSON_DeleteItemFromObjectCaseSensitive(map, key);
		else if (json_get(map, key))
			cJSON_ReplaceItemInObjectCaseSensitive(
				map, key, cJSON_Duplicate(item, true));
		else
			cJSON_AddItemToObject(map, key,
					      cJSON_Duplicate(item, true));
	}
	return 0;
}

static int merge_metadata(const cJSON *body, char *const *now, char ***ret,
			  struct svm_err *err)
{
	const cJSON *patch = json_get(body, "metadata");
	cJSON *whole = cJSON_CreateObject();
	int r = 0;

	if (patch && !cJSON_IsObject(patch)) { /* null, or what is refused */
		cJSON_AddItemToObject(whole, "metadata",
				      cJSON_Duplicate(patch, true));
	} else {
		cJSON *map = as_object(now);

		cJSON_AddItemToObject(whole, "metadata", map);
		r = merge(map, patch, err);
	}
	if (r == 0)
		r = sandbox_request_map(whole, "metadata", ret, err);
	cJSON_Delete(whole);
	return r;
}

/* The pair with the key of this one, or NULL. */
static const char *pair_like(char *const *pairs, const char *pair)
{
	size_t n = strcspn(pair, "=") + 1;

	for (; pairs && *pairs; pairs++)
		if (strncmp(*pairs, pair, n) == 0)
			return *pairs;
	return NULL;
}

static char **compare(const struct sandbox_spec *now,
		      const struct sandbox_patch *p)
{
	char **v = xcalloc(strv_len(now->metadata) + strv_len(p->metadata) + 2,
			   sizeof(*v));
	size_t n = 0;

	if (strcmp(now->name ? now->name : "", p->name ? p->name : "") != 0)
		v[n++] = xstrdup("name");
	for (char **m = now->metadata; m && *m; m++)
		if (!pair_like(p->metadata, *m))
			v[n++] = xasprintf("metadata.%.*s",
					   (int)strcspn(*m, "="), *m);
	for (char **m = p->metadata; *m; m++) {
		const char *before = pair_like(now->metadata, *m);

		if (!before || strcmp(before, *m) != 0)
			v[n++] = xasprintf("metadata.%.*s",
					   (int)strcspn(*m, "="), *m);
	}
	return v;
}

int sandbox_patch_parse(const cJSON *body, const struct sandbox_spec *now,
			struct sandbox_patch *ret, struct svm_err *err)
{
	struct sandbox_patch p = { 0 };

	if (merge_name(body, now->name, &p.name, err) < 0 ||
	    merge_metadata(body, now->metadata, &p.metadata, err) < 0) {
		sandbox_patch_release(&p);
		return -1;
	}
	p.changed = compare(now, &p);
	*ret = p;
	return 0;
}
