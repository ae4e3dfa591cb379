/* SPDX-License-Identifier: MIT */
/* A sandbox's specification as stored.  See spec-json.h. */
#include "daemon/spec-json.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

static void add_strv(struct json_writer *w, const char *key, char *const *v)
{
	json_open(w, key, '[');
	for (; v && *v; v++)
		json_str(w, NULL, *v);
	json_close(w, ']');
}

static void add_opt(struct json_writer *w, const char *key, const char *v)
{
	if (v)
		json_str(w, key, v);
}

char *spec_to_json(const struct sandbox_spec *s)
{
	struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	json_open(&w, NULL, '{');
	add_opt(&w, "image", s->image);
	add_opt(&w, "name", s->name);
	add_opt(&w, "owner", s->owner);
	add_opt(&w, "template", s->template);
	add_opt(&w, "warm", s->warm);
	json_int(&w, "memory_mb", s->memory_mb);
	json_int(&w, "vcpus", s->vcpus);
	json_int(&w, "disk_mb", s->disk_mb);
	json_int(&w, "pids", s->pids);
	json_int(&w, "inodes", (int64_t)s->inodes);
	json_int(&w, "ttl_ns", s->ttl_ns);
	json_int(&w, "network", s->network);
	json_int(&w, "rootfs", s->rootfs);
	json_bool(&w, "read_only", s->read_only_rootfs);
	json_bool(&w, "late_env", s->late_env);
	add_strv(&w, "env", s->env);
	add_strv(&w, "metadata", s->metadata);
	add_strv(&w, "layers", s->layers);
	add_strv(&w, "image_env", s->image_env);
	json_close(&w, '}');
	return buf_steal(&out);
}

static int get_str(const cJSON *o, const char *key, char **ret,
		   struct svm_err *err)
{
	const char *v = NULL;

	if (json_get_string(o, key, &v, err) < 0)
		return -1;
	*ret = xstrdup(v);
	return 0;
}

static int get_u32(const cJSON *o, const char *key, uint32_t *ret,
		   struct svm_err *err)
{
	int64_t v = 0;

	if (json_get_int(o, key, 0, UINT32_MAX, &v, err) < 0)
		return -1;
	*ret = (uint32_t)v;
	return 0;
}

static int get_strv(const cJSON *o, const char *key, char ***ret,
		    struct svm_err *err)
{
	const cJSON *a = json_get(o, key), *item;
	size_t n = 0;

	if (!cJSON_IsArray(a))
		return svm_err_set(err, SVM_INTERNAL, "'%s' is no list", key);
	char **v = xcalloc((size_t)cJSON_GetArraySize(a) + 1, sizeof(*v));
	cJSON_ArrayForEach(item, a) {
		if (!cJSON_IsString(item)) {
			strv_free(v);
			return svm_err_set(err, SVM_INTERNAL,
					   "'%s' is no list of strings", key);
		}
		v[n++] = xstrdup(item->valuestring);
	}
	*ret = v;
	return 0;
}

int spec_from_json(const char *text, struct sandbox_spec *ret,
		   struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct sandbox_spec s = { 0 };
	int64_t inodes = 0;
	uint32_t network = 0, rootfs = 0;

	if (json_parse_object(&doc, text ? text : "", text ? strlen(text) : 0,
			      err) < 0)
		return -1;
	const cJSON *o = doc.root;
	if (get_str(o, "image", &s.image, err) < 0 ||
	    get_str(o, "name", &s.name, err) < 0 ||
	    get_str(o, "owner", &s.owner, err) < 0 ||
	    get_str(o, "template", &s.template, err) < 0 ||
	    get_str(o, "warm", &s.warm, err) < 0 ||
	    get_u32(o, "memory_mb", &s.memory_mb, err) < 0 ||
	    get_u32(o, "vcpus", &s.vcpus, err) < 0 ||
	    get_u32(o, "disk_mb", &s.disk_mb, err) < 0 ||
	    get_u32(o, "pids", &s.pids, err) < 0 ||
	    get_u32(o, "network", &network, err) < 0 ||
	    get_u32(o, "rootfs", &rootfs, err) < 0 ||
	    json_get_int(o, "inodes", 0, INT64_MAX, &inodes, err) < 0 ||
	    json_get_int(o, "ttl_ns", 0, INT64_MAX, &s.ttl_ns, err) < 0 ||
	    json_get_bool(o, "read_only", &s.read_only_rootfs, err) < 0 ||
	    json_get_bool(o, "late_env", &s.late_env, err) < 0 ||
	    get_strv(o, "env", &s.env, err) < 0 ||
	    get_strv(o, "metadata", &s.metadata, err) < 0 ||
	    get_strv(o, "layers", &s.layers, err) < 0 ||
	    get_strv(o, "image_env", &s.image_env, err) < 0) {
		sandbox_spec_release(&s);
		return -1;
	}
	s.inodes = (uint64_t)inodes;
	s.network = (enum spec_network)network;
	s.rootfs = (enum spec_rootfs)rootfs;
	*ret = s;
	return 0;
}
