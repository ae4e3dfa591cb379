/* SPDX-License-Identifier: MIT */
/* What an archive's JSON says.  See plan.h. */
#include "daemon/image/plan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "daemon/image/ref.h"
#include "lib/api/limits.h"
#include "lib/base/mem.h"

/* The archive's small files. */

bool plan_docs_wants(const char *name)
{
	size_t n = strlen(name);

	if (strncmp(name, "blobs/sha256/", 13) == 0)
		return !strchr(name + 13, '/');
	if (strchr(name, '/'))
		return n > 10 && strcmp(name + n - 10, "/layer.tar") == 0;
	return strcmp(name, "oci-layout") == 0 ||
	       (n > 5 && strcmp(name + n - 5, ".json") == 0);
}

static struct plan_doc *find_doc(const struct plan_docs *d, const char *name)
{
	for (size_t i = 0; name && i < d->n; i++)
		if (strcmp(d->v[i].name, name) == 0)
			return &d->v[i];
	return NULL;
}

int plan_docs_add(struct plan_docs *d, const char *name, char *target,
		  char *text, size_t len, struct svm_err *err)
{
	struct plan_doc *old = find_doc(d, name);

	if (d->n >= LIMIT_IMAGE_DOCUMENTS ||
	    d->bytes + len > 4 * (size_t)LIMIT_IMAGE_JSON) {
		free(target);
		free(text);
		return svm_err_set(err, SVM_TOO_LARGE,
				   "the archive has too many JSON files");
	}
	if (old) {
		free(old->target);
		free(old->text);
		old->target = target;
		old->text = text;
		old->len = len;
	} else {
		d->v = xreallocarray(d->v, d->n + 1, sizeof(*d->v));
		d->v[d->n++] = (struct plan_doc){ xstrdup(name), target, text,
						  len };
	}
	d->bytes += len;
	return 0;
}

void plan_docs_release(struct plan_docs *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].name);
		free(d->v[i].target);
		free(d->v[i].text);
	}
	free(d->v);
	*d = (struct plan_docs)PLAN_DOCS_INIT;
}

char *plan_clean_name(const char *dir, const char *name)
{
	auto_free char *whole = xasprintf("%s/%s", dir && *name != '/' ?
						   dir : "", name);
	auto_buf struct buf out = BUF_INIT;

	for (const char *p = whole; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.') {
			char *slash = out.len ? strrchr(out.data, '/') : NULL;

			if (!out.len)
				return NULL;
			buf_truncate(&out, slash ? (size_t)(slash - out.data) :
						   0);
		} else if (n && !(n == 1 && *p == '.')) {
			if (out.len)
				buf_addch(&out, '/');
			buf_add(&out, p, n);
		}
		p += n;
		p += *p == '/';
	}
	return buf_steal(&out);
}

/* JSON with types checked. */

static int get_strv(const cJSON *obj, const char *key, size_t max,
		    char ***ret, struct svm_err *err)
{
	const cJSON *v = json_get(obj, key);
	size_t n = 0;

	if (!v || cJSON_IsNull(v))
		return 0;
	if (!cJSON_IsArray(v) || (size_t)cJSON_GetArraySize(v) > max)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' must be a list of at most %zu "
				   "strings", key, max);
	for (const cJSON *kid = v->child; kid; kid = kid->next)
		if (!cJSON_IsString(kid) ||
		    strlen(kid->valuestring) > LIMIT_ARG_BYTES)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'%s' must hold strings only", key);
	char **list = xcalloc((size_t)cJSON_GetArraySize(v) + 1,
			      sizeof(*list));
	for (const cJSON *kid = v->child; kid; kid = kid->next)
		list[n++] = xstrdup(kid->valuestring);
	strv_free(*ret);
	*ret = list;
	return 0;
}

static int get_text(const cJSON *obj, const char *key, char **ret,
		    struct svm_err *err)
{
	const char *text = "";

	if (json_get_string(obj, key, &text, err) < 0)
		return -1;
	if (strlen(text) > LIMIT_PATH)
		return svm_err_set(err, SVM_BAD_REQUEST, "'%s' is too long",
				   key);
	free(*ret);
	*ret = xstrdup(text);
	return 0;
}

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

/* Parse a document.  An array becomes the member "list" of an object: the
 * checks of lib/base/json.h are for objects. */
static int parse_doc(const struct plan_doc *doc, const char *name, bool list,
		     struct json_doc *ret, struct buf *text,
		     struct svm_err *err)
{
	if (!doc || !doc->text)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the archive has no '%.128s'", name);
	buf_addstr(text, list ? "{\"list\":" : "");
	buf_add(text, doc->text, doc->len);
	buf_addstr(text, list ? "}" : "");
	if (json_parse_object(ret, text->data, text->len, err) < 0)
		return svm_err_prefix(err, "'%.128s'", name);
	return 0;
}

static char *blob_name(const struct digest *d)
{
	char text[DIGEST_TEXT + 1];

	digest_format(d, text);
	return xasprintf("blobs/sha256/%s", text + strlen(DIGEST_PREFIX));
}

/* The document `name`, whose content must have the digest when it is given. */
static int parse_blob(const struct plan_docs *docs, const char *name,
		      const struct digest *want, struct json_doc *ret,
		      struct buf *text, struct svm_err *err)
{
	const struct plan_doc *doc = find_doc(docs, name);

	if (doc && doc->text && want) {
		struct digest have = digest_of(doc->text, doc->len);

		if (!digest_equal(&have, want))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'%.128s' does not match its digest",
					   name);
	}
	return parse_doc(doc, name, false, ret, text, err);
}

/* Settings. */

const char *plan_machine(void)
{
	static const struct { const char *kernel, *image; } names[] = {
		{ "x86_64", "amd64" },   { "aarch64", "arm64" },
		{ "i686", "386" },       { "armv7l", "arm" },
		{ "riscv64", "riscv64" },{ "ppc64le", "ppc64le" },
		{ "s390x", "s390x" },    { "loongarch64", "loong64" },
	};
	static struct utsname u;

	if (uname(&u) < 0)
		return "unknown";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(u.machine, names[i].kernel) == 0)
			return names[i].image;
	return u.machine;
}

void image_config_release(struct image_config *c)
{
	strv_free(c->env);
	strv_free(c->cmd);
	strv_free(c->entrypoint);
	free(c->workdir);
	free(c->user);
	free(c->architecture);
	*c = (struct image_config){ 0 };
}

static void write_list(struct json_writer *w, const char *key, char *const *v)
{
	json_open(w, key, '[');
	for (; v && *v; v++)
		json_str(w, NULL, *v);
	json_close(w, ']');
}

void image_config_write(const struct image_config *c, struct json_writer *w)
{
	write_list(w, "env", c->env);
	write_list(w, "cmd", c->cmd);
	write_list(w, "entrypoint", c->entrypoint);
	json_str(w, "workdir", c->workdir ? c->workdir : "");
	json_str(w, "user", c->user ? c->user : "");
	json_str(w, "architecture", c->architecture ? c->architecture : "");
}

/* A variable needs a name; a settings list without one is hostile or wrong. */
static int check_env(char *const *env, struct svm_err *err)
{
	size_t bytes = 0;

	for (; env && *env; env++) {
		const char *eq = strchr(*env, '=');

		if (!eq || eq == *env)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "the image's environment holds "
					   "'%.64s', which is no NAME=VALUE",
					   *env);
		bytes += strlen(*env);
	}
	if (bytes > LIMIT_ENV_BYTES)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the image's environment is over %d bytes",
				   LIMIT_ENV_BYTES);
	return 0;
}

struct config_keys {
	const char *env, *cmd, *entrypoint, *workdir, *user;
};

static int read_config(const cJSON *obj, const struct config_keys *k,
		       struct image_config *c, struct svm_err *err)
{
	if (get_strv(obj, k->env, LIMIT_ENV_VARS, &c->env, err) < 0 ||
	    get_strv(obj, k->cmd, LIMIT_ARGS, &c->cmd, err) < 0 ||
	    get_strv(obj, k->entrypoint, LIMIT_ARGS, &c->entrypoint, err) <
		    0 ||
	    get_text(obj, k->workdir, &c->workdir, err) < 0 ||
	    get_text(obj, k->user, &c->user, err) < 0)
		return -1;
	return check_env(c->env, err);
}

int image_config_read(const cJSON *obj, struct image_config *ret,
		      struct svm_err *err)
{
	static const struct config_keys ours = { "env", "cmd", "entrypoint",
						 "workdir", "user" };
	struct image_config c = { 0 };

	if (read_config(obj, &ours, &c, err) < 0 ||
	    get_text(obj, "architecture", &c.architecture, err) < 0) {
		image_config_release(&c);
		return -1;
	}
	*ret = c;
	return 0;
}

static int check_platform(const char *os, const char *arch,
			  struct svm_err *err)
{
	const char *machine = plan_machine();

	if ((*os && strcmp(os, "linux") != 0) ||
	    (*arch && strcmp(arch, machine) != 0)) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "the image is for %.32s/%.32s, this machine is "
			    "linux/%s", *os ? os : "linux", *arch ? arch : "?",
			    machine);
		return svm_err_hint(err, "docker pull --platform linux/%s "
					 "IMAGE, then docker save it again",
				    machine);
	}
	return 0;
}

/* The image's config document: settings and the DiffIDs of plan->layers. */
static int apply_config(const cJSON *root, struct plan *p,
			struct svm_err *err)
{
	static const struct config_keys oci = { "Env", "Cmd", "Entrypoint",
						"WorkingDir", "User" };
	const cJSON *config = json_get(root, "config");
	const cJSON *ids = json_get(json_get(root, "rootfs"), "diff_ids");
	char **list = NULL;

	if (check_platform(json_text(root, "os"), json_text(root, "architecture"),
			   err) < 0 ||
	    get_text(root, "architecture", &p->config.architecture, err) < 0)
		return -1;
	if (cJSON_IsObject(config) &&
	    read_config(config, &oci, &p->config, err) < 0)
		return -1;
	if (!cJSON_IsArray(ids) || (size_t)cJSON_GetArraySize(ids) != p->n)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the image's config names %d layers, its "
				   "manifest %zu",
				   cJSON_IsArray(ids) ?
					   cJSON_GetArraySize(ids) : 0, p->n);
	if (get_strv(json_get(root, "rootfs"), "diff_ids", LIMIT_IMAGE_LAYERS,
		     &list, err) < 0)
		return -1;
	int r = 0;
	for (size_t i = 0; r == 0 && i < p->n; i++) {
		p->layers[i].has_diff = true;
		if (digest_parse(list[i], &p->layers[i].diff) < 0)
			r = svm_err_set(err, SVM_BAD_REQUEST,
					"diff_ids: '%.80s' is no sha256 "
					"digest", list[i]);
	}
	strv_free(list);
	return r;
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
		const struct plan_doc *doc = find_doc(docs, name);

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
	auto_buf struct buf text = BUF_INIT;
	auto_json struct json_doc config = JSON_DOC_INIT;
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
	if (parse_blob(docs, name, &p->digest, &config, &text, err) < 0)
		return -1;
	return apply_config(config.root, p, err);
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
		l->name = blob_name(&l->blob);
	}
	return 0;
}

static int oci_manifest(const struct plan_docs *docs, const cJSON *manifest,
			struct plan *p, struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	auto_json struct json_doc config = JSON_DOC_INIT;

	if (oci_layers(manifest, p, err) < 0 ||
	    get_digest(json_get(manifest, "config"), "digest", &p->digest,
		       err) < 0)
		return -1;
	p->has_digest = true;
	auto_free char *name = blob_name(&p->digest);
	if (parse_blob(docs, name, &p->digest, &config, &text, err) < 0)
		return -1;
	return apply_config(config.root, p, err);
}

static const cJSON *platform_of(const cJSON *descriptor)
{
	return json_get(descriptor, "platform");
}

/* The one manifest for this machine; attestations say os "unknown". */
const cJSON *plan_choose(const cJSON *list, struct svm_err *err)
{
	const char *machine = plan_machine();
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
	auto_free char *name = blob_name(&digest);
	if (parse_blob(docs, name, &digest, &doc, &text, err) < 0)
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

	if (parse_doc(manifest, manifest->name, false, &doc, &text, err) < 0)
		return -1;
	return get_digest(json_get(doc.root, "config"), "digest", ret, err);
}

static int plan_of(const struct plan_docs *docs, struct plan *p,
		   struct svm_err *err)
{
	const struct plan_doc *manifest = find_doc(docs, "manifest.json");
	const struct plan_doc *index = find_doc(docs, "index.json");
	auto_buf struct buf text = BUF_INIT, text2 = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT, doc2 = JSON_DOC_INIT;
	auto_err struct svm_err ignored = SVM_ERR_INIT;

	/* A root file system may hold a manifest.json of its own: only one
	 * that is docker's makes the archive docker's. */
	if (manifest && parse_doc(manifest, "manifest.json", true, &doc, &text,
				  &ignored) == 0) {
		const cJSON *list = json_get(doc.root, "list");

		if (cJSON_IsArray(list) && cJSON_IsObject(list->child) &&
		    json_get(list->child, "Layers")) {
			p->kind = PLAN_DOCKER;
			return plan_docker(docs, list, p, err);
		}
	}
	if (index && find_doc(docs, "oci-layout")) {
		p->kind = PLAN_OCI;
		if (parse_doc(index, "index.json", false, &doc2, &text2, err) <
		    0)
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
