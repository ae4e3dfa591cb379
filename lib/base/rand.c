/* SPDX-License-Identifier: MIT */
/* Random bytes from the kernel.  See rand.h. */
#include "lib/base/rand.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/err.h"

void rand_bytes(void *out, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = getrandom((char *)out + have, n - have, 0);

		if (got < 0 && errno != EINTR)
			BUG("getrandom failed: errno %d", errno);
		if (got > 0)
			have += (size_t)got;
	}
}

void rand_hex(char *out, size_t digits)
{
	uint8_t byte = 0;

	rand_bytes(out, digits);
	for (size_t i = 0; i < digits; i++) {
		memcpy(&byte, &out[i], 1);
		out[i] = "0123456789abcdef"[byte & 15];
	}
	out[digits] = '\0';
}
