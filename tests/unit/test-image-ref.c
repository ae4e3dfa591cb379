/* SPDX-License-Identifier: MIT */
/* Names of images, and the other texts of registries. */
#include <string.h>

#include "daemon/image/pull.h"
#include "daemon/image/ref.h"
#include "lib/api/limits.h"
#include "lib/base/mem.h"
#include "tests/unit/unit.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA "sha256:" HEX

static void test_image_ref__canonical(void **state)
{
	static const char *const good[][2] = {
		{ "alpine", "alpine:latest" },
		{ "docker.io/library/alpine", "alpine:latest" },
		{ "index.docker.io/library/alpine:3", "alpine:3" },
		{ "library/alpine:3", "alpine:3" },
		{ "docker.io/me/x:1", "me/x:1" },
		{ "localhost:5000/x/y", "localhost:5000/x/y:latest" },
		{ "localhost:5000/x:t", "localhost:5000/x:t" },
		{ SHA, SHA },
		{ "alpine@" SHA, "alpine@" SHA },
		{ "docker.io/library/alpine:3.19@" SHA, "alpine@" SHA },
		{ "h.example:1/a/b@" SHA, "h.example:1/a/b@" SHA },
	};
	static const char *const bad[] = {
		"", ":", "a:", ":a", "a b", "../x", "a//b", "/a", "a/",
		"a\nb", "x:y:z", "a:b/", "a@b", "a:\xff", "a/b:c/d:e",
		"@" SHA, "a@" SHA "0", "a@sha512:" HEX, "a:@" SHA,
		"a@" SHA "@" SHA,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		auto_free char *s = NULL, *twice = NULL;

		assert_int_equal(image_ref_normalise(good[i][0], &s, &err), 0);
		assert_string_equal(s, good[i][1]);
		assert_int_equal(image_ref_normalise(s, &twice, &err), 0);
		assert_string_equal(s, twice);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		char *s = NULL;

		if (image_ref_normalise(bad[i], &s, &err) == 0)
			fail_msg("'%s' became '%s'", bad[i], s);
		assert_int_equal(err.code, SVM_BAD_REQUEST);
	}
}

/* With its default tag a name isn't longer than one may be. */
static void test_image_ref__length(void **state)
{
	(void)state;
	for (size_t n = LIMIT_IMAGE_REF - 10; n <= LIMIT_IMAGE_REF + 1; n++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		auto_free char *text = xcalloc(1, n + 1), *s = NULL,
			       *twice = NULL;
		bool fits = n + strlen(":latest") <= LIMIT_IMAGE_REF;

		memset(text, 'a', n);
		assert_int_equal(image_ref_normalise(text, &s, &err),
				 fits ? 0 : -1);
		if (fits)
			assert_int_equal(image_ref_normalise(s, &twice, &err),
					 0);
	}
}

static void test_image_ref__registry(void **state)
{
	static const struct { const char *text, *host, *path, *tag; } good[] = {
		{ "alpine", "docker.io", "library/alpine", "latest" },
		{ "docker.io/library/alpine:3", "docker.io", "library/alpine",
		  "3" },
		{ "me/x", "docker.io", "me/x", "latest" },
		{ "me/a/b:1", "docker.io", "me/a/b", "1" },
		{ "localhost/x", "localhost", "x", "latest" },
		{ "localhost:5000/x:t", "localhost:5000", "x", "t" },
		{ "ghcr.io/o/n", "ghcr.io", "o/n", "latest" },
		{ "alpine:3@" SHA, "docker.io", "library/alpine", SHA },
		{ "h.x:1/a@" SHA, "h.x:1", "a", SHA },
	};
	static const char *const bad[] = {
		SHA, "Alpine", "me/X", "h.x:99999999/a", "h:/a", "h.x:1:2/a",
		"h_x.y/a", "h.x:1a/b", "user:password@h.x/a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct image_ref r = { 0 };

		if (image_ref_parse(good[i].text, &r, &err) < 0)
			fail_msg("'%s': %s", good[i].text, err.msg);
		assert_string_equal(r.host, good[i].host);
		assert_string_equal(r.path, good[i].path);
		assert_string_equal(r.tag, good[i].tag);
		assert_int_equal(r.is_digest, good[i].tag[0] == 's');
		image_ref_release(&r);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct image_ref r = { 0 };

		if (image_ref_parse(bad[i], &r, &err) == 0)
			fail_msg("'%s' is %s %s %s", bad[i], r.host, r.path,
				 r.tag);
		assert_int_equal(err.code, SVM_BAD_REQUEST);
	}
}

static void assert_text(const char *have, const char *want)
{
	if (!want)
		assert_null(have);
	else
		assert_string_equal(have ? have : "(none)", want);
}

static void test_image_ref__challenges(void **state)
{
	static const struct {
		const char *text;
		bool basic, bearer;
		const char *realm, *service, *scope;
	} cases[] = {
		{ "Bearer realm=\"https://a/t\",service=\"s\",scope=\"a:b:c,d\"",
		  false, true, "https://a/t", "s", "a:b:c,d" },
		{ "bearer REALM = https://a , service=x", false, true,
		  "https://a", "x", NULL },
		{ "Basic realm=\"x\", Bearer realm=\"y\"", true, true, "y",
		  NULL, NULL },
		{ "Bearer realm=\"a\\\"b\"", false, true, "a\"b", NULL, NULL },
		{ "Bearer realm=\"one\",realm=\"two\"", false, true, "one",
		  NULL, NULL },
		{ "Bearer realm=\"open", false, true, "open", NULL, NULL },
		{ "realm=\"x\"", false, false, NULL, NULL, NULL },
		{ "Digest realm=\"x\"", false, false, NULL, NULL, NULL },
		{ "", false, false, NULL, NULL, NULL },
		{ "\"\"\"", false, false, NULL, NULL, NULL },
		{ "Bearer =", false, false, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct challenge c = { 0 };

		challenge_add(&c, cases[i].text);
		assert_int_equal(c.basic, cases[i].basic);
		assert_int_equal(c.bearer, cases[i].bearer);
		assert_text(c.realm, cases[i].realm);
		assert_text(c.service, cases[i].service);
		assert_text(c.scope, cases[i].scope);
		challenge_release(&c);
	}
}

static void test_image_ref__credentials(void **state)
{
	static const char config[] =
		"{\"auths\":{\"https://index.docker.io/v1/\":"
		"{\"auth\":\"bWU6cGFzcw==\"},"
		"\"h.x:5000\":{\"username\":\"u\",\"password\":\"p\"},"
		"\"bad.x\":{\"auth\":\"a\\r\\nX-Evil: 1\"},"
		"\"token.x\":{\"identitytoken\":\"t\"},\"store.x\":{}},"
		"\"credsStore\":\"vault\",\"credHelpers\":{\"help.x\":\"gcr\"}}";
	static const struct { const char *host, *basic, *elsewhere; } cases[] = {
		{ "docker.io", "bWU6cGFzcw==", NULL },
		{ "h.x:5000", "dTpw", NULL },
		{ "h.x", NULL, NULL },
		{ "x", NULL, NULL },
		{ "bad.x", NULL, "the helper 'vault'" },
		{ "store.x", NULL, "the helper 'vault'" },
		{ "help.x", NULL, "the helper 'gcr'" },
	};
	static const char *const broken[] = { "{", "[1]", "{\"auths\":" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct credentials c;

		assert_int_equal(credentials_find(config, sizeof(config) - 1,
						  cases[i].host, &c, &err), 0);
		assert_text(c.basic, cases[i].basic);
		assert_text(c.elsewhere, cases[i].elsewhere);
		credentials_release(&c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct credentials c;

		assert_int_equal(credentials_find(broken[i], strlen(broken[i]),
						  "h", &c, &err), -1);
		assert_int_equal(err.code, SVM_BAD_REQUEST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image_ref__canonical),
		cmocka_unit_test(test_image_ref__length),
		cmocka_unit_test(test_image_ref__registry),
		cmocka_unit_test(test_image_ref__challenges),
		cmocka_unit_test(test_image_ref__credentials),
	};

	return cmocka_run_group_tests_name("image-ref", tests, NULL, NULL);
}
