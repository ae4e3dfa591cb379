/* SPDX-License-Identifier: MIT */
/* What a registry asks for, and what docker's configuration has to give.
 * Pure but for reading that file.  See pull.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/image/pull.h"
#include "lib/api/limits.h"
#include "lib/base/base64.h"
#include "lib/base/fd.h"
#include "lib/base/http1.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

/* WWW-Authenticate (RFC 9110, 11.6.1): schemes and name=value, all of them
 * separated by commas; a name without "=" is the next scheme. */

static size_t token_length(const char *s)
{
	size_t n = 0;

	while (s[n] && http1_is_token(s + n, 1))
		n++;
	return n;
}

/* A value, quoted or not; *s is moved behind it. */
static char *take_value(const char **s)
{
	auto_buf struct buf out = BUF_INIT;
	const char *p = *s;

	if (*p != '"') {
		size_t n = strcspn(p, ", \t");

		*s = p + n;
		return xstrndup(p, n);
	}
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		buf_addch(&out, *p);
	}
	*s = p + (*p == '"');
	return buf_steal(&out);
}

static bool same(const char *name, size_t n, const char *want)
{
	return n == strlen(want) && strncasecmp(name, want, n) == 0;
}

static void take_param(struct challenge *c, const char *name, size_t n,
		       char *value)
{
	char **slot = same(name, n, "realm") ? &c->realm :
		      same(name, n, "service") ? &c->service :
		      same(name, n, "scope") ? &c->scope : NULL;

	if (!slot || *slot) {
		free(value);
		return;
	}
	*slot = value;
}

void challenge_add(struct challenge *c, const char *value)
{
	bool bearer = false;

	for (const char *s = value;;) {
		s += strspn(s, ", \t");
		size_t n = token_length(s);
		const char *name = s;

		if (!n)
			return; /* the end, or nonsense */
		s += n;
		const char *after = s + strspn(s, " \t");
		if (*after != '=') {
			bearer = same(name, n, "Bearer");
			c->bearer |= bearer;
			c->basic |= same(name, n, "Basic");
			continue;
		}
		s = after + 1 + strspn(after + 1, " \t");
		char *text = take_value(&s);
		if (bearer)
			take_param(c, name, n, text);
		else
			free(text);
	}
}

void challenge_release(struct challenge *c)
{
	free(c->realm);
	free(c->service);
	free(c->scope);
	*c = (struct challenge){ 0 };
}

/* Docker's configuration. */

/* "https://index.docker.io/v1/" is docker.io's key; others are the host, with
 * or without the rest of a URL. */
static bool is_for(const char *key, const char *host)
{
	static const char *const schemes[] = { "https://", "http://" };

	if (strcmp(host, "docker.io") == 0)
		host = "index.docker.io";
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncmp(key, schemes[i], strlen(schemes[i])) == 0)
			key += strlen(schemes[i]);
	size_t n = strcspn(key, "/");
	return n == strlen(host) && strncasecmp(key, host, n) == 0;
}

static void take_entry(const cJSON *entry, struct credentials *c)
{
	const char *auth = json_text(entry, "auth");
	const char *user = json_text(entry, "username");
	auto_buf struct buf text = BUF_INIT;

	if (*json_text(entry, "identitytoken")) {
		free(c->elsewhere);
		c->elsewhere = xstrdup("an identity token");
	}
	/* Also a check: it becomes a header. */
	if (*auth && !c->basic && base64_decode(&text, auth, strlen(auth)) == 0)
		c->basic = xstrdup(auth);
	if (!*user || c->basic)
		return;
	buf_clear(&text);
	buf_addf(&text, "%s:%s", user, json_text(entry, "password"));
	auto_buf struct buf out = BUF_INIT;
	base64_encode(&out, text.data, text.len);
	explicit_bzero(text.data, text.len);
	c->basic = buf_steal(&out);
}

int credentials_find(const char *text, size_t n, const char *host,
		     struct credentials *ret, struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct credentials c = { 0 };

	if (json_parse_object(&doc, text, n, err) < 0)
		return -1;
	const cJSON *auths = json_get(doc.root, "auths");
	const cJSON *helpers = json_get(doc.root, "credHelpers");
	const cJSON *item;
	cJSON_ArrayForEach(item, auths)
		if (item->string && is_for(item->string, host)) {
			take_entry(item, &c);
			if (!c.basic && *json_text(doc.root, "credsStore"))
				c.elsewhere = xasprintf(
					"the helper '%.64s'",
					json_text(doc.root, "credsStore"));
		}
	cJSON_ArrayForEach(item, helpers)
		if (item->string && cJSON_IsString(item) && !c.basic &&
		    !c.elsewhere && is_for(item->string, host))
			c.elsewhere = xasprintf("the helper '%.64s'",
						item->valuestring);
	*ret = c;
	return 0;
}

int credentials_load(const char *host, struct credentials *ret,
		     struct svm_err *err)
{
	const char *dir = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
	auto_buf struct buf text = BUF_INIT;

	*ret = (struct credentials){ 0 };
	if ((!dir || !*dir) && (!home || !*home))
		return 0;
	auto_free char *path = dir && *dir ?
				       xasprintf("%s/config.json", dir) :
				       xasprintf("%s/.docker/config.json",
						 home);
	int r = fd_slurp_path(AT_FDCWD, path, LIMIT_DOCKER_CONFIG, &text);
	if (r == -ENOENT || r == -ENOTDIR || r == -EACCES)
		return 0;
	if (r < 0)
		return svm_err_sys(err, SVM_BAD_REQUEST, r, "can't read '%s'",
				   path);
	if (credentials_find(buf_str(&text), text.len, host, ret, err) < 0)
		return svm_err_prefix(err, "'%s'", path);
	return 0;
}

void credentials_release(struct credentials *c)
{
	if (c->basic)
		explicit_bzero(c->basic, strlen(c->basic));
	free(c->basic);
	free(c->elsewhere);
	*c = (struct credentials){ 0 };
}
