/* SPDX-License-Identifier: MIT */
/* Settings of an image.  See image-config.h. */
#include "daemon/image/image-config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"

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

const char *image_machine(void)
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
	const char *machine = image_machine();

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

int image_config_read_oci(const cJSON *root, struct image_config *ret,
			  struct svm_err *err)
{
	static const struct config_keys oci = { "Env", "Cmd", "Entrypoint",
						"WorkingDir", "User" };
	const cJSON *config = json_get(root, "config");
	struct image_config c = { 0 };

	if (check_platform(json_text(root, "os"),
			   json_text(root, "architecture"), err) < 0 ||
	    get_text(root, "architecture", &c.architecture, err) < 0 ||
	    (cJSON_IsObject(config) &&
	     read_config(config, &oci, &c, err) < 0)) {
		image_config_release(&c);
		return -1;
	}
	*ret = c;
	return 0;
}

int image_config_diff_ids(const cJSON *root, size_t n, struct digest *ret,
			  struct svm_err *err)
{
	const cJSON *ids = json_get(json_get(root, "rootfs"), "diff_ids");
	int have = cJSON_IsArray(ids) ? cJSON_GetArraySize(ids) : 0;
	size_t i = 0;

	if (!cJSON_IsArray(ids) || (size_t)have != n)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the image's config names %d layers, its "
				   "manifest %zu", have, n);
	for (const cJSON *kid = ids->child; kid; kid = kid->next) {
		const char *text = cJSON_IsString(kid) ? kid->valuestring : "";

		if (digest_parse(text, &ret[i++]) < 0)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "diff_ids: '%.80s' is no sha256 "
					   "digest", text);
	}
	return 0;
}
