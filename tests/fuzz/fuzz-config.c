/* SPDX-License-Identifier: MIT */
/*
 * Configuration: as a YAML file, and as variables of the environment (one a
 * line).  No text crashes the reader, and each complaint is one printable
 * line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config-internal.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static void release(struct config_load *ld)
{
	check_problems(ld);
	config_free(ld->c);
	buf_release(&ld->problems);
}

static void try_env(const char *text, size_t size)
{
	struct config_load ld = { .c = xcalloc(1, sizeof(*ld.c)) };
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
	struct config_load ld = { .c = xcalloc(1, sizeof(*ld.c)) };

	config_read_text(&ld, "fuzz.yaml", (const char *)data, size);
	release(&ld);
	try_env((const char *)data, size);
	return 0;
}
