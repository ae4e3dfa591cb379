/* SPDX-License-Identifier: MIT */
/*
 * Changing a key of a configuration file: the first line is KEY=VALUE, or KEY
 * to take it out, the rest the file.  What was changed is so, and changing it
 * once more changes nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/config-text.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nl = memchr(data, '\n', size);
	size_t first = nl ? (size_t)(nl - data) : size;
	auto_free char *key = xstrndup((const char *)data, first);
	const char *text = nl ? (const char *)nl + 1 : "";
	char *value = strchr(key, '=');
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT, again = BUF_INIT;

	if (value)
		*value++ = '\0';
	int r = config_text_set("fuzz.yaml", text, nl ? size - first - 1 : 0,
				key, value, &out, &err);
	if ((r < 0) != !!err.code || (r != 1 && out.len))
		abort();
	if (r == 1 && config_text_set("fuzz.yaml", buf_str(&out), out.len,
				      key, value, &again, &err) != 0)
		abort();
	return 0;
}
