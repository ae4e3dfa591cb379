/* SPDX-License-Identifier: MIT */
/*
 * Configuration: as a YAML file, and as variables of the environment (one a
 * line).  No text crashes the reader, each complaint is one printable line,
 * and what was accepted can be shown and is read back as the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config-internal.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *defaults(void)
{
	const struct config_source none = { 0 };
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct config *c = NULL;

	if (config_load(&none, &c, &err) < 0)
		abort();
	return c;
}

static void check_problems(const struct config_load *ld)
{
	unsigned lines = 0;

	for (size_t i = 0; i < ld->problems.len; i++) {
		unsigned char c = (unsigned char)ld->problems.data[i];

		lines += c == '\n';
		if ((c < 0x20 && c != '\n') || c == 0x7f)
			abort();
	}
	if (lines > ld->n_problems)
		abort();
}

static void check_shown(struct config *c)
{
	auto_buf struct buf out = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err err = SVM_ERR_INIT;

	config_json(c, &out);
	if (json_parse_object(&doc, out.data, out.len, &err) < 0)
		abort();
	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		const struct config_key *k = config_key((enum config_id)i);
		struct config_load again = { .c = c };
		auto_free char *text = config_value(c, k->name);
		char *values[] = { text, NULL };

		/* An item with a comma can't be told from two. */
		if (k->kind == CONFIG_LIST)
			continue;
		config_set(&again, "again", k->name, values);
		auto_free char *same = config_value(c, k->name);
		if (again.n_problems || strcmp(text, same) != 0)
			abort();
	}
}

static void release(struct config_load *ld)
{
	check_problems(ld);
	check_shown(ld->c);
	config_free(ld->c);
	buf_release(&ld->problems);
}

static void try_env(const char *text, size_t size)
{
	struct config_load ld = { .c = defaults() };
	auto_free char *copy = xstrndup(text, size);
	char *vars[33], *save = NULL;
	size_t n = 0;

	for (char *v = strtok_r(copy, "\n", &save); v && n < 32;
	     v = strtok_r(NULL, "\n", &save))
		vars[n++] = v;
	vars[n] = NULL;
	config_set_env(&ld, vars);
	config_set_flags(&ld, vars);
	release(&ld);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_load ld = { .c = defaults() };

	config_read_text(&ld, "fuzz.yaml", (const char *)data, size);
	release(&ld);
	try_env((const char *)data, size);
	return 0;
}
