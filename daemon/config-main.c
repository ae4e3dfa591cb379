/* SPDX-License-Identifier: MIT */
/* `stacyvm config`: the effective configuration, without a daemon. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config-edit.h"
#include "daemon/config-internal.h"
#include "daemon/reload.h"
#include "daemon/serve.h"
#include "lib/api/config-file.h"
#include "lib/api/dirs.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

extern char **environ;

/* One call of the program. */
struct call {
	struct dirs dirs;
	struct config_source src;
	bool json, origin;
	char *const *args;
	int (*check)(const struct config *c, struct svm_err *err);
};

static void print(struct buf *json)
{
	buf_addch(json, '\n');
	fwrite(json->data, 1, json->len, stdout);
}

static int unknown_key(const char *key, struct svm_err *err)
{
	svm_err_set(err, SVM_NOT_FOUND, "no configuration key '%.80s'", key);
	return svm_err_hint(err, "see them all with: stacyvm config get");
}

/* Showing. */

/* One line per key: "key = value", with where it comes from if asked. */
static void print_all(const struct call *call, const struct config *c)
{
	auto_buf struct buf json = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	const cJSON *item;

	config_json(c, &json);
	if (call->json) {
		print(&json);
		return;
	}
	if (json_parse_object(&doc, json.data, json.len, &err) < 0)
		BUG("config_json: %s", err.msg);
	cJSON_ArrayForEach(item, doc.root) {
		auto_free char *value = config_value(c, item->string);

		printf("%s = %s", item->string, value ? value : "");
		if (call->origin)
			printf("\t# %s", config_origin(c, item->string));
		putchar('\n');
	}
}

static int print_one(const struct call *call, const struct config *c,
		     const char *key, struct svm_err *err)
{
	auto_free char *value = config_value(c, key);
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);
	enum config_id id;

	if (!value)
		return unknown_key(key, err);
	if (!call->json) {
		printf("%s", value);
		if (call->origin)
			printf("\t# %s", config_origin(c, key));
		putchar('\n');
		return 0;
	}
	json_open(&w, NULL, '{');
	json_str(&w, "key", key);
	if (config_find(key, &id))
		config_add_value(c, id, "value", &w);
	else
		json_str(&w, "value", value);
	json_str(&w, "origin", config_origin(c, key));
	json_close(&w, '}');
	print(&json);
	return 0;
}

static int get(struct call *call, struct svm_err *err)
{
	struct config *c = NULL;
	int r = 0;

	if (config_load(&call->src, &c, err) < 0)
		return -1;
	if (call->args[0])
		r = print_one(call, c, call->args[0], err);
	else
		print_all(call, c);
	config_free(c);
	return r;
}

static int lint(struct call *call, struct svm_err *err)
{
	struct config *c = NULL;

	call->src.file = call->args[0];
	if (config_load(&call->src, &c, err) < 0)
		return -1;
	int r = call->check ? call->check(c, err) : 0;
	config_free(c);
	if (r == 0)
		puts(call->json ? "{\"ok\":true}" :
				  "the configuration is valid");
	return r;
}

static int path(struct call *call, struct svm_err *err)
{
	auto_free char *file = path_join(call->dirs.config, "config.yaml");
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);

	(void)err;
	if (!call->json) {
		puts(file);
		return 0;
	}
	json_open(&w, NULL, '{');
	json_str(&w, "path", file);
	json_close(&w, '}');
	print(&json);
	return 0;
}

/* Changing. */

/* What is in force now; it may still be what something above the file says. */
static void report(const struct call *call, const char *key, bool changed)
{
	auto_free char *file = path_join(call->dirs.config, "config.yaml");
	auto_buf struct buf json = BUF_INIT;
	struct json_writer w = json_writer(&json);
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct config *c = NULL;
	enum config_id id;

	if (config_load(&call->src, &c, &err) < 0)
		return; /* it was checked: somebody else was faster */
	const char *origin = config_origin(c, key);

	origin = origin ? origin : "default"; /* of the dashboard's, taken out */
	bool elsewhere = strncmp(origin, file, strlen(file)) != 0 &&
			 strcmp(origin, "default") != 0;
	if (call->json) {
		json_open(&w, NULL, '{');
		json_str(&w, "key", key);
		json_bool(&w, "changed", changed);
		json_bool(&w, "restart", changed && !reload_is_live(key));
		if (config_find(key, &id))
			config_add_value(c, id, "value", &w);
		json_str(&w, "origin", origin);
		json_str(&w, "file", file);
		json_close(&w, '}');
		print(&json);
	} else {
		auto_free char *value = config_value(c, key);

		printf("%s = %s\n", key, value ? value : "");
	}
	if (changed && !reload_is_live(key) && isatty(STDERR_FILENO))
		fputs("  a running daemon takes it with:  stacyvm daemon "
		      "restart\n", stderr);
	if (elsewhere)
		fprintf(stderr, "stacyvm: %s says otherwise, and comes after "
			"%s\n", origin, file);
	config_free(c);
}

static bool is_key(const char *key)
{
	enum config_id id;

	return config_find(key, &id) || config_is_binding(key);
}

static int change(struct call *call, const char *value, struct svm_err *err)
{
	const char *key = call->args[0];
	bool known = is_key(key);

	if (!known && value && config_is_later(key))
		return svm_err_set(err, SVM_UNSUPPORTED, "'%.80s' belongs to "
				   "a later version", key);
	if (!known && value)
		return unknown_key(key, err);
	int r = config_edit(&call->src, key, value, call->check, NULL, err);
	if (r < 0)
		return -1;
	if (known) /* a wrong one may be taken out of the file */
		report(call, key, r > 0);
	else if (r == 0)
		return unknown_key(key, err);
	return r;
}

static int set(struct call *call, struct svm_err *err)
{
	return change(call, call->args[1], err);
}

static int unset(struct call *call, struct svm_err *err)
{
	return change(call, NULL, err);
}

static int replace(struct call *call, struct svm_err *err)
{
	const char *text = call->args[1];

	return config_edit_text(&call->src, call->args[0], text, strlen(text),
				call->check, err) < 0 ? -1 : 1;
}

int daemon_config_main(const char *verb, unsigned flags, char *const *args,
		       int (*check)(const struct config *c,
				    struct svm_err *err),
		       struct svm_err *err)
{
	static const struct {
		const char *name;
		int (*run)(struct call *call, struct svm_err *err);
	} verbs[] = { { "get", get }, { "lint", lint }, { "path", path },
		      { "set", set }, { "unset", unset },
		      { "replace", replace } };
	struct call call = {
		.json = flags & CONFIG_MAIN_JSON,
		.origin = flags & CONFIG_MAIN_ORIGIN,
		.args = args,
		.check = check,
	};
	int r = -1;

	dirs_init(&call.dirs);
	call.src = (struct config_source){
		.dir = call.dirs.config,
		.cwd_file = "./stacyvm.yaml",
		.env = environ,
	};
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, verb) == 0)
			r = verbs[i].run(&call, err);
	dirs_release(&call.dirs);
	return r;
}
