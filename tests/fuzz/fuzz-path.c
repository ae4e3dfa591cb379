/* SPDX-License-Identifier: MIT */
/* Sandbox paths: what is accepted keeps the promises of path.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = (const char *)data;
	auto_err struct svm_err err = SVM_ERR_INIT;
	size_t run = 0;

	if (path_validate(path, size, &err) < 0) {
		if (err.code != SVM_BAD_REQUEST || !err.msg)
			abort();
		return 0;
	}
	if (!size || size > 4096 || path[0] != '/' || memchr(path, 0, size))
		abort();
	for (size_t i = 0; i < size; i++) {
		run = path[i] == '/' ? 0 : run + 1;
		if (run > 255)
			abort();
	}
	return 0;
}
