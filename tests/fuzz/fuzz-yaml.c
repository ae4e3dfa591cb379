/* SPDX-License-Identifier: MIT */
/*
 * Objects as YAML: whatever can be read is written so that reading gives the
 * same again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/yaml.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf out = BUF_INIT;
	cJSON *o = yaml_read("fuzz", (const char *)data, size, &err);

	if (!o != !!err.code)
		abort();
	if (!o)
		return 0;
	yaml_write(o, &out);
	cJSON *again = yaml_read("again", buf_str(&out), out.len, &err);
	if (!again || !cJSON_Compare(o, again, true))
		abort();
	cJSON_Delete(again);
	cJSON_Delete(o);
	return 0;
}
