/* SPDX-License-Identifier: MIT */
/* `stacyvm config`: the effective configuration, without a daemon. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/serve.h"
#include "lib/api/dirs.h"
#include "lib/api/errmap.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

extern char **environ;

static int usage(void)
{
	fputs("usage: stacyvm config get [--origin] [KEY]\n"
	      "       stacyvm config lint [FILE]\n"
	      "       stacyvm config path\n", stderr);
	return EXIT_STATUS_USAGE;
}

static int fail(const struct svm_err *err)
{
	fprintf(stderr, "stacyvm: %s\n", err->msg);
	if (err->hint)
		fprintf(stderr, "  %s\n", err->hint);
	return errmap_exit_status(err->code);
}

static int load(const char *file, const struct dirs *d, struct config **ret,
		struct svm_err *err)
{
	struct config_source src = {
		.dir = d->config,
		.cwd_file = "./stacyvm.yaml",
		.file = file,
		.env = environ,
	};

	return config_load(&src, ret, err);
}

/* One line per key: "key = value", with where it comes from if asked. */
static void print_all(const struct config *c, bool origin)
{
	auto_buf struct buf json = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;
	const cJSON *item;

	config_json(c, &json);
	if (json_parse_object(&doc, json.data, json.len, &err) < 0)
		BUG("config_json: %s", err.msg);
	cJSON_ArrayForEach(item, doc.root) {
		auto_free char *value = config_value(c, item->string);

		printf("%s = %s", item->string, value ? value : "");
		if (origin)
			printf("\t# %s", config_origin(c, item->string));
		putchar('\n');
	}
}

static int print_one(const struct config *c, const char *key, bool origin)
{
	auto_free char *value = config_value(c, key);

	if (!value) {
		fprintf(stderr, "stacyvm: no configuration key '%s'\n"
			"  see them all with: stacyvm config get\n", key);
		return EXIT_STATUS_NOT_FOUND;
	}
	printf("%s", value);
	if (origin)
		printf("\t# %s", config_origin(c, key));
	putchar('\n');
	return EXIT_STATUS_OK;
}

static int config_get(int argc, char **argv, const struct dirs *d)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct config *c = NULL;
	bool origin = argc > 0 && strcmp(argv[0], "--origin") == 0;
	int status = EXIT_STATUS_OK;

	if (argc - origin > 1)
		return usage();
	if (load(NULL, d, &c, &err) < 0)
		return fail(&err);
	if (argc - origin == 1)
		status = print_one(c, argv[origin], origin);
	else
		print_all(c, origin);
	config_free(c);
	return status;
}

static int config_lint(int argc, char **argv, const struct dirs *d,
		       int (*check)(const struct config *c,
				    struct svm_err *err))
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct config *c = NULL;

	if (argc > 1)
		return usage();
	if (load(argc ? argv[0] : NULL, d, &c, &err) < 0)
		return fail(&err);
	if (check && check(c, &err) < 0) {
		config_free(c);
		return fail(&err);
	}
	config_free(c);
	puts("the configuration is valid");
	return EXIT_STATUS_OK;
}

int daemon_config_main(int argc, char **argv,
		       int (*check)(const struct config *c,
				    struct svm_err *err))
{
	struct dirs d;
	int status;

	dirs_init(&d);
	if (argc >= 2 && strcmp(argv[1], "get") == 0) {
		status = config_get(argc - 2, argv + 2, &d);
	} else if (argc >= 2 && strcmp(argv[1], "lint") == 0) {
		status = config_lint(argc - 2, argv + 2, &d, check);
	} else if (argc == 2 && strcmp(argv[1], "path") == 0) {
		printf("%s/config.yaml\n", d.config);
		status = EXIT_STATUS_OK;
	} else {
		status = usage();
	}
	dirs_release(&d);
	return status;
}
