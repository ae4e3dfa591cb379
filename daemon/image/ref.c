/* SPDX-License-Identifier: MIT */
/* Names of images.  See ref.h. */
#include "daemon/image/ref.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/defs.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"


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

	if (!n || n > LIMIT_IMAGE_TAG || !(is_word(*s) || *s == '_'))
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

/* "docker.io/library/" and what else means the same as nothing. */
static const char *skip_default(const char *s)
{
	static const char *const hub[] = { "docker.io/", "index.docker.io/" };

	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < ARRAY_SIZE(hub); i++) {
			const char *next = skip(s, hub[i]);

			again |= next != s;
			s = next;
		}
	}
	/* "library/a/b" is somebody's; a name stays one when read again. */
	if (!strchr(skip(s, "library/"), '/'))
		s = skip(s, "library/");
	return s;
}

static int too_long(struct svm_err *err)
{
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "the image name is longer than %d bytes",
			   LIMIT_IMAGE_REF);
}

int image_ref_normalise(const char *text, char **ret, struct svm_err *err)
{
	const char *at = strchr(text, '@');
	struct digest d;

	if (strlen(text) > LIMIT_IMAGE_REF)
		return too_long(err);
	if (digest_parse(text, &d) == 0) {
		*ret = xstrdup(text);
		return 0;
	}
	auto_free char *name = at ? xstrndup(text, (size_t)(at - text)) :
				    xstrdup(text);
	const char *s = skip_default(name), *slash = strrchr(s, '/');
	const char *colon = strchr(slash ? slash : s, ':');
	size_t n = colon ? (size_t)(colon - s) : strlen(s);
	const char *tag = colon ? colon + 1 : "latest";

	if (!n || !valid_path(s, n) || !valid_tag(tag) ||
	    (at && digest_parse(at + 1, &d) < 0)) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "'%.128s' is no image name", text);
		return svm_err_hint(err, "write NAME, NAME:TAG or "
					 "NAME@sha256:DIGEST, like "
					 "python:3.12");
	}
	/* What was left out counts: the canonical name is read again. */
	if (!at && n + 1 + strlen(tag) > LIMIT_IMAGE_REF)
		return too_long(err);
	/* The digest says it all: the tag is for people. */
	*ret = at ? xasprintf("%.*s%s", (int)n, s, at) :
		    xasprintf("%.*s:%s", (int)n, s, tag);
	return 0;
}

const char *image_ref_digest(const char *ref)
{
	const char *at = strchr(ref, '@');
	struct digest d;

	if (at)
		return at + 1;
	return digest_parse(ref, &d) == 0 ? ref : NULL;
}

/* A registry's own rules are narrower than ours: lower case. */
static bool valid_repository(const char *s)
{
	for (; *s; s++)
		if (*s == ':' || (*s >= 'A' && *s <= 'Z'))
			return false;
	return true;
}

/* NAME or NAME:PORT, and nothing that means more in a URL. */
static bool valid_host(const char *s)
{
	size_t name = strcspn(s, ":");
	const char *port = s + name + (s[name] == ':');
	size_t digits = strspn(port, "0123456789");

	for (size_t i = 0; i < name; i++)
		if (!is_word(s[i]) && s[i] != '.' && s[i] != '-')
			return false;
	return name && !port[digits] && digits <= 5 &&
	       (digits > 0) == (s[name] == ':');
}

int image_ref_parse(const char *text, struct image_ref *ret,
		    struct svm_err *err)
{
	auto_free char *ref = NULL;
	struct digest d;

	if (image_ref_normalise(text, &ref, err) < 0)
		return -1;
	if (digest_parse(ref, &d) == 0) {
		svm_err_set(err, SVM_BAD_REQUEST, "'%s' does not say which "
			    "registry and repository it is in", ref);
		return svm_err_hint(err, "write NAME@%s", ref);
	}
	char *slash = strchr(ref, '/'), *path = ref;
	const char *host = "docker.io";
	/* As everybody does: a first part with a dot or a port, or localhost,
	 * is a registry. */
	if (slash) {
		*slash = '\0';
		if (strpbrk(ref, ".:") || strcmp(ref, "localhost") == 0) {
			host = ref;
			path = slash + 1;
		} else {
			*slash = '/';
		}
	}
	if (!valid_host(host))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%.128s' is no registry", host);
	char *end = strrchr(path, '/');
	char *mark = strpbrk(end ? end : path, "@:");
	bool digest = *mark == '@';

	*mark = '\0';
	if (!valid_repository(path)) {
		svm_err_set(err, SVM_BAD_REQUEST, "no registry has a "
			    "repository called '%s'", path);
		return svm_err_hint(err, "names in registries are lower case");
	}
	bool official = strcmp(host, "docker.io") == 0 && !strchr(path, '/');
	*ret = (struct image_ref){
		.host = xstrdup(host),
		.path = xasprintf("%s%s", official ? "library/" : "", path),
		.tag = xstrdup(mark + 1),
		.is_digest = digest,
	};
	return 0;
}

void image_ref_release(struct image_ref *r)
{
	free(r->host);
	free(r->path);
	free(r->tag);
	*r = (struct image_ref){ 0 };
}
