/* SPDX-License-Identifier: MIT */
/* Names of signals.  See signame.h. */
#include "lib/base/signame.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *signame(int signo)
{
	return sigabbrev_np(signo);
}

int signame_parse(const char *text)
{
	if (isdigit((unsigned char)*text)) {
		char *end;
		long n = strtol(text, &end, 10);

		return *end || n < 1 || n > 64 ? -EINVAL : (int)n;
	}
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int i = 1; i <= 64; i++) {
		const char *name = sigabbrev_np(i);

		if (name && strcasecmp(name, text) == 0)
			return i;
	}
	return -EINVAL;
}
