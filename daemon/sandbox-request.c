/* SPDX-License-Identifier: MIT */
/* The body of POST /sandboxes.  See sandbox-request.h; rules in API.md 3. */
#include "daemon/sandbox-request.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/auth.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/image/image.h"
#include "daemon/quota.h"
#include "daemon/runtimes.h"
#include "daemon/template.h"
#include "daemon/templates.h"
#include "lib/api/limits.h"
#include "lib/api/state.h"
#include "lib/base/duration.h"
#include "lib/base/mem.h"

/* What the published clients send when their user has not chosen one. */
#define DEFAULT_IMAGE "alpine:latest"

int sandbox_request_name(const char *name, struct svm_err *err)
{
	size_t n = strlen(name);

	/* Who meant that sandbox would meet another once it is gone. */
	if (sandbox_is_full_id(name))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "name '%s' looks like a sandbox's id; "
				   "choose another", name);
	bool fits = n <= LIMIT_NAME && isalnum((unsigned char)name[0]);
	for (size_t i = 0; i < n && fits; i++)
		fits = (name[i] >= 'a' && name[i] <= 'z') ||
		       (name[i] >= '0' && name[i] <= '9') || name[i] == '-';
	if (fits)
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "name '%.80s' must be 1 to %d of a-z, 0-9 and '-', "
			   "not beginning with '-'", name, LIMIT_NAME);
}

/* Who will own it: X-User-ID, else owner_id of the body (may be NULL), else
 * whom the key names.  *ret is owned; NULL: nobody. */
static int request_owner(const struct daemon *d, struct http_req *r,
			 const char *body, char **ret, struct svm_err *err)
{
	struct caller c;

	auth_caller(d, r, &c);
	while (body && isspace((unsigned char)*body))
		body++;
	if (c.named || !body || !*body) {
		*ret = xstrdup(c.owner);
		return 0;
	}
	size_t n = strlen(body);
	while (n && isspace((unsigned char)body[n - 1]))
		n--;
	*ret = xstrndup(body, n);
	return auth_check_owner(*ret, err);
}

int sandbox_request_ttl(const char *text, int64_t max, int64_t *ret,
			struct svm_err *err)
{
	int64_t ns = 0;
	char limit[DURATION_SIZE];

	if (duration_parse(text, &ns) < 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "ttl '%.40s' is not a duration such as "
				   "'30m' or '1h30m'", text);
	if (ns <= 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "ttl '%.40s' must be positive", text);
	duration_format(max, limit);
	if (max && ns > max) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "ttl '%.40s' is over the maximum of %s", text,
			    limit);
		return svm_err_hint(err, "ask for less, or raise "
				    "defaults.max_ttl or the owner's quota");
	}
	*ret = ns;
	return 0;
}

int sandbox_request_map(const cJSON *body, const char *key, char ***ret,
			struct svm_err *err)
{
	bool env = strcmp(key, "env") == 0;
	size_t max_count = env ? LIMIT_ENV_VARS : LIMIT_METADATA_KEYS;
	size_t max_value = env ? LIMIT_ENV_BYTES : LIMIT_METADATA_VALUE;
	const cJSON *map = json_get(body, key), *item;
	size_t n = 0;

	if (map && !cJSON_IsNull(map) && !cJSON_IsObject(map))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' must be an object of strings", key);
	int count = cJSON_IsObject(map) ? cJSON_GetArraySize(map) : 0;
	if ((size_t)count > max_count)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' has %d entries, at most %zu are "
				   "allowed", key, count, max_count);
	char **v = xcalloc((size_t)count + 1, sizeof(*v));
	cJSON_ArrayForEach(item, map) {
		if (!cJSON_IsString(item) || !*item->string ||
		    strchr(item->string, '=') ||
		    strlen(item->string) > LIMIT_METADATA_KEY ||
		    strlen(item->valuestring) > max_value) {
			strv_free(v);
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'%s' has an entry '%.40s' that is "
					   "no string, too long, or whose "
					   "name is empty or holds '='", key,
					   item->string);
		}
		v[n++] = xasprintf("%s=%s", item->string, item->valuestring);
	}
	*ret = v;
	return 0;
}

static int get_u32(const cJSON *body, const char *key, int64_t max,
		   uint32_t *ret, struct svm_err *err)
{
	int64_t v = *ret;

	if (json_get_int(body, key, 1, max, &v, err) < 0)
		return -1;
	*ret = (uint32_t)v;
	return 0;
}

/* {"allow": ["example.org", ...]} */
static int check_allow(const cJSON *network, struct svm_err *err)
{
	const cJSON *allow = json_get(network, "allow"), *name;

	bool good = cJSON_IsArray(allow) &&
		    cJSON_GetArraySize(allow) <= LIMIT_NETWORK_ALLOW;
	cJSON_ArrayForEach(name, allow)
		good = good && cJSON_IsString(name) && *name->valuestring &&
		       strlen(name->valuestring) <= LIMIT_METADATA_KEY;
	if (good)
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "'network' as an object is {\"allow\": [...]} with "
			   "at most %d names of 1 to %d bytes",
			   LIMIT_NETWORK_ALLOW, LIMIT_METADATA_KEY);
}

int sandbox_request_network(const cJSON *body, const char *dflt,
			    enum spec_network *ret, struct svm_err *err)
{
	const cJSON *v = json_get(body, "network");
	bool given = v && !cJSON_IsNull(v) &&
		     !(cJSON_IsString(v) && !*v->valuestring);

	if (!given) { /* auto: what the provider has by default, none here */
		if (strcmp(dflt, "bridge") == 0 || strcmp(dflt, "full") == 0)
			*ret = SPEC_NETWORK_BRIDGE;
		return 0;
	}
	if (cJSON_IsObject(v)) {
		*ret = SPEC_NETWORK_ALLOW;
		return check_allow(v, err);
	}
	if (!cJSON_IsString(v))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'network' must be \"none\", \"bridge\" or "
				   "an object");
	if (strcmp(v->valuestring, "bridge") == 0 ||
	    strcmp(v->valuestring, "full") == 0)
		*ret = SPEC_NETWORK_BRIDGE;
	else if (strcmp(v->valuestring, "none") != 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "network '%.40s' is not known: it is "
				   "\"none\", or where the provider has "
				   "networks \"bridge\" or \"full\"",
				   v->valuestring);
	return 0;
}

/* Clients always send an image, and `alpine:latest` is their default: unless
 * it is configured to be ours it means "not chosen" (API.md 3). */
static int choose_image(struct daemon *d, const char *image,
			struct provider *p, struct sandbox_spec *s,
			struct svm_err *err)
{
	const char *dflt = d->config->defaults_image;
	bool automatic = !dflt || !*dflt || strcmp(dflt, "auto") == 0;

	if (image && strlen(image) > LIMIT_IMAGE_REF)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the image reference is longer than %d "
				   "bytes", LIMIT_IMAGE_REF);
	if (image && strcmp(image, DEFAULT_IMAGE) == 0 &&
	    (automatic || strcmp(dflt, image) != 0))
		image = NULL;
	if (!image)
		image = automatic ? "host" : dflt;
	s->image = xstrdup(image);
	if (image_resolve(d->images, s, err) < 0) {
		if (!(provider_caps(p) & PROVIDER_IMAGES))
			image_pull_forget(d->images); /* of no use to it */
		return -1;
	}
	if (s->rootfs == SPEC_ROOTFS_LAYERS &&
	    !(provider_caps(p) & PROVIDER_IMAGES)) {
		auto_buf struct buf can = BUF_INIT;

		(void)runtimes_list(d, PROVIDER_IMAGES, &can);
		svm_err_set(err, SVM_UNSUPPORTED, "provider '%s' can't run "
			    "images; providers that can: %s",
			    provider_name(p), buf_str(&can));
		return svm_err_hint(err, "use the image 'host', or one of "
				    "these providers");
	}
	return 0;
}

/* Only to know which it would be: one that is not here is pulled when it is
 * needed. */
static int look_at_image(struct daemon *d, const char *image,
			 struct provider *p, struct sandbox_spec *s)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;

	(void)choose_image(d, image, p, s, &ignored);
	image_pull_forget(d->images);
	return 0;
}

/* A default must not be over a limit that nobody asked about. */
static int64_t at_most(int64_t v, int64_t max)
{
	return max && v > max ? max : v;
}

/* Who asks, and how. */
struct ask {
	struct daemon *d;
	struct http_req *r; /* NULL: nobody, it is for the warm pool */
	const char *payer;  /* then: whose limits hold */
	struct svm_err *over; /* admission: what is over a limit is told here,
			       * and the image need not be here; else NULL */
};

static int get_ttl(const struct ask *a, const cJSON *body, int64_t max,
		   struct sandbox_spec *s, struct svm_err *err)
{
	const char *text = NULL;

	s->ttl_ns = at_most(a->d->config->defaults_ttl, max);
	if (json_get_string(body, "ttl", &text, err) < 0)
		return -1;
	if (!text)
		return 0;
	if (!a->over)
		return sandbox_request_ttl(text, max, &s->ttl_ns, err);
	if (sandbox_request_ttl(text, 0, &s->ttl_ns, err) < 0)
		return -1;
	(void)sandbox_request_ttl(text, max, &s->ttl_ns, a->over);
	return 0;
}

/* What is limited: by the owner's quota, by the configuration, at all. */
static int get_limits(const struct ask *a, const cJSON *body,
		      struct sandbox_spec *s, struct svm_err *err)
{
	const struct config *c = a->d->config;
	struct quota_limits l;

	quota_limits(a->d, a->r ? s->owner : a->payer, &l);
	s->memory_mb = (uint32_t)at_most(c->defaults_memory_mb,
					 l.max_memory_mb);
	s->vcpus = (uint32_t)at_most(c->defaults_vcpus, l.max_vcpus);
	s->disk_mb = (uint32_t)c->providers_native_disk_mb;
	s->pids = (uint32_t)c->providers_native_pids_limit;
	s->inodes = (uint64_t)c->providers_native_inodes;
	if (get_ttl(a, body, l.max_ttl_ns, s, err) < 0 ||
	    get_u32(body, "memory_mb", LIMIT_MEMORY_MB, &s->memory_mb, err) ||
	    get_u32(body, "vcpus", LIMIT_VCPUS, &s->vcpus, err) ||
	    get_u32(body, "disk_mb", LIMIT_DISK_MB, &s->disk_mb, err) ||
	    get_u32(body, "pids", LIMIT_PIDS, &s->pids, err))
		return -1;
	if (!a->over)
		return quota_check(&l, s, err);
	if (a->over->code == SVM_OK)
		(void)quota_check(&l, s, a->over);
	return 0;
}

static int check_network(struct daemon *d, struct provider *p,
			 const struct sandbox_spec *s, struct svm_err *err)
{
	auto_buf struct buf can = BUF_INIT;

	if (s->network == SPEC_NETWORK_NONE ||
	    provider_caps(p) & PROVIDER_NET_BRIDGE)
		return 0;
	bool other = runtimes_list(d, PROVIDER_NET_BRIDGE, &can);

	svm_err_set(err, SVM_UNSUPPORTED, "provider '%s' gives sandboxes no "
		    "network, %s%s", provider_name(p),
		    other ? "these do: " : "and no other provider does",
		    other ? buf_str(&can) : "");
	return svm_err_hint(err, "leave 'network' out, or set it to "
			    "\"none\"");
}

static int get_name_and_owner(const struct ask *a, const cJSON *body,
			      struct sandbox_spec *s, struct svm_err *err)
{
	const char *name = NULL, *owner = NULL;

	if (json_get_string(body, "name", &name, err) < 0 ||
	    json_get_string(body, "owner_id", &owner, err) < 0 ||
	    (name && sandbox_request_name(name, err) < 0) ||
	    (a->r && request_owner(a->d, a->r, owner, &s->owner,
					   err) < 0))
		return -1;
	s->name = xstrdup(name);
	return 0;
}

static int parse(const struct ask *a, const cJSON *body,
		 struct sandbox_spec *s, struct provider **ret_provider,
		 struct svm_err *err)
{
	const char *provider = NULL, *image = NULL, *snapshot = NULL;
	struct daemon *d = a->d;

	if (json_get_string(body, "provider", &provider, err) < 0 ||
	    json_get_string(body, "image", &image, err) < 0 ||
	    json_get_string(body, "from_snapshot", &snapshot, err) < 0)
		return -1;
	if (snapshot) {
		svm_err_set(err, SVM_UNSUPPORTED, "snapshots are not "
			    "supported; providers that make any: none");
		return svm_err_hint(err, "leave 'from_snapshot' out");
	}
	if (get_name_and_owner(a, body, s, err) < 0 ||
	    get_limits(a, body, s, err) < 0 ||
	    sandbox_request_network(body, d->config->defaults_network,
				    &s->network, err) < 0 ||
	    json_get_bool(body, "read_only_rootfs", &s->read_only_rootfs,
			  err) < 0 ||
	    sandbox_request_map(body, "metadata", &s->metadata, err) < 0 ||
	    sandbox_request_map(body, "env", &s->env, err) < 0)
		return -1;
	*ret_provider = runtimes_pick(d, provider, err);
	if (!*ret_provider || check_network(d, *ret_provider, s, err) < 0)
		return -1;
	return a->over ? look_at_image(d, image, *ret_provider, s) :
			 choose_image(d, image, *ret_provider, s, err);
}

/* What a template leaves on a sandbox besides the fields of its spawn. */
static void add_template(const struct template *t, struct sandbox_spec *s)
{
	size_t n = strv_len(s->metadata), kept = 0;

	s->template = xstrdup(t->name);
	snprintf(s->made_by, sizeof(s->made_by), "%s", t->key);
	s->setup = template_setup(t);
	for (size_t i = 0; i < n; i++) {
		if (strncmp(s->metadata[i], "template=", 9) == 0)
			free(s->metadata[i]);
		else
			s->metadata[kept++] = s->metadata[i];
	}
	s->metadata = xreallocarray(s->metadata, kept + 2,
				    sizeof(*s->metadata));
	s->metadata[kept++] = xasprintf("template=%s", t->name);
	s->metadata[kept] = NULL;
}

static int parse_with(const struct ask *a, const struct template *t,
		      const cJSON *body, struct sandbox_spec *ret,
		      struct provider **ret_provider, struct svm_err *err)
{
	const char *dflt = a->d->config->defaults_image;
	bool insists = dflt && strcmp(dflt, DEFAULT_IMAGE) == 0;
	cJSON *merged = t ? template_merge(t, body, insists ? NULL :
							DEFAULT_IMAGE) : NULL;
	struct sandbox_spec s = { 0 };
	int result = parse(a, t ? merged : body, &s, ret_provider, err);

	cJSON_Delete(merged);
	if (result < 0) {
		sandbox_spec_release(&s);
		return -1;
	}
	if (t)
		add_template(t, &s);
	*ret = s;
	return 0;
}

static int parse_body(const struct ask *a, const char *template,
		      struct sandbox_spec *ret, struct provider **ret_provider,
		      struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const struct buf *body = http_body(a->r);
	const struct template *t = NULL;
	const char *named = NULL;
	struct caller c;

	if (json_parse_object(&doc, buf_str(body), body->len, err) < 0 ||
	    json_get_string(doc.root, "template", &named, err) < 0)
		return -1;
	if (!template)
		template = named;
	auth_caller(a->d, a->r, &c);
	if (template && !(t = templates_get(a->d, &c, template, err)))
		return -1;
	return parse_with(a, t, doc.root, ret, ret_provider, err);
}

int sandbox_request_parse(struct daemon *d, struct http_req *r,
			  const char *template, struct sandbox_spec *ret,
			  struct provider **ret_provider, struct svm_err *err)
{
	const struct ask a = { .d = d, .r = r };

	return parse_body(&a, template, ret, ret_provider, err);
}

int sandbox_request_ask(struct daemon *d, struct http_req *r,
			struct sandbox_spec *ret,
			struct provider **ret_provider,
			struct svm_err *ret_over, struct svm_err *err)
{
	const struct ask a = { .d = d, .r = r, .over = ret_over };

	return parse_body(&a, NULL, ret, ret_provider, err);
}

int sandbox_request_warm(struct daemon *d, const struct template *t,
			 struct sandbox_spec *ret,
			 struct provider **ret_provider, struct svm_err *err)
{
	const struct ask a = { .d = d, .payer = t->owner };

	if (parse_with(&a, t, NULL, ret, ret_provider, err) < 0)
		return -1;
	ret->ttl_ns = LIMIT_TIME_WARM;
	ret->warm = xstrdup(t->key);
	return 0;
}
