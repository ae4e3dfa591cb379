/* SPDX-License-Identifier: MIT */
/* Names of images.  See ref.h. */
#include "daemon/image/ref.h"

#include <stdbool.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"

#define TAG_MAX 128

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* Components of [A-Za-z0-9._-] that begin and end with a letter or digit; a
 * port may follow the first when there are more. */
static bool valid_path(const char *s, size_t n)
{
	bool first = true;

	while (n) {
		const char *slash = memchr(s, '/', n);
		size_t len = slash ? (size_t)(slash - s) : n;

		if (!len || !is_word(s[0]) || !is_word(s[len - 1]))
			return false;
		for (size_t i = 0; i < len; i++)
			if (!is_word(s[i]) && !strchr("._-", s[i]) &&
			    !(s[i] == ':' && first && slash))
				return false;
		if (slash && len + 1 == n)
			return false;
		s += len + (slash ? 1 : 0);
		n -= len + (slash ? 1 : 0);
		first = false;
	}
	return true;
}

static bool valid_tag(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > TAG_MAX || !(is_word(*s) || *s == '_'))
		return false;
	for (; *s; s++)
		if (!is_word(*s) && !strchr("._-", *s))
			return false;
	return true;
}

static const char *skip(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : s;
}

int image_ref_normalise(const char *text, char **ret, struct svm_err *err)
{
	const char *at = strchr(text, '@'), *s = text;
	struct digest d;

	if (strlen(text) > LIMIT_IMAGE_REF)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the image name is longer than %d bytes",
				   LIMIT_IMAGE_REF);
	if (digest_parse(at ? at + 1 : text, &d) == 0) {
		*ret = xstrdup(at ? at + 1 : text);
		return 0;
	}
	for (const char *next; (next = skip(s, "docker.io/")) != s;)
		s = next;
	/* "library/a/b" is somebody's; a name stays one when read again. */
	if (!strchr(skip(s, "library/"), '/'))
		s = skip(s, "library/");
	const char *slash = strrchr(s, '/');
	const char *colon = strchr(slash ? slash : s, ':');
	size_t n = colon ? (size_t)(colon - s) : strlen(s);
	const char *tag = colon ? colon + 1 : "latest";

	if (!n || at || !valid_path(s, n) || !valid_tag(tag)) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "'%.128s' is no image name", text);
		return svm_err_hint(err, "write NAME or NAME:TAG, like "
					 "python:3.12");
	}
	*ret = xasprintf("%.*s:%s", (int)n, s, tag);
	return 0;
}
