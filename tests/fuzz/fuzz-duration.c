/* SPDX-License-Identifier: MIT */
/* Durations: what parses comes back the same from its canonical text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/duration.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	char canonical[DURATION_SIZE];
	int64_t ns = 0, again = 0;

	if (duration_parse(text, &ns) < 0)
		return 0;
	duration_format(ns, canonical);
	if (strlen(canonical) >= DURATION_SIZE ||
	    duration_parse(canonical, &again) < 0 || again != ns)
		abort();
	return 0;
}
