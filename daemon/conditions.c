/* SPDX-License-Identifier: MIT */
/* Conditions that nobody would look at.  See conditions.h. */
#include "daemon/conditions.h"

#include <string.h>

#include "daemon/http/http.h"
#include "daemon/route-info.h"
#include "lib/base/defs.h"

/* Is `word` one of the words of the text? */
static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; p && *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");

		if (len == n && memcmp(p, word, n) == 0)
			return true;
		p += len;
	}
	return false;
}

int conditions_check(const struct http_req *r, const struct http_route *route,
		     struct svm_err *err)
{
	static const char *const names[] = { "If-Match", "If-None-Match",
					     "If-Unmodified-Since" };
	const struct route_info *info = route ? route_info(route) : NULL;

	if (!route || strcmp(route->method, "GET") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (http_header(r, names[i]) &&
		    !(info && has_word(route_info_headers(info), names[i])))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "%s is not looked at here, so "
					   "nothing was done", names[i]);
	return 0;
}
