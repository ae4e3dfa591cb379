/* SPDX-License-Identifier: MIT */
/* Digests: known answers, streaming, and one spelling only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "lib/base/defs.h"
#include "lib/base/digest.h"

#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb924" \
	      "27ae41e4649b934ca495991b7852b855"
#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223" \
	    "b00361a396177a9cb410ff61f20015ad"

static void test_digest__known(void **state)
{
	char text[DIGEST_TEXT + 1];
	struct digest d = digest_of("", 0);

	(void)state;
	digest_format(&d, text);
	assert_string_equal(text, EMPTY);
	d = digest_of("abc", 3);
	digest_format(&d, text);
	assert_string_equal(text, ABC);
}

static void test_digest__streams(void **state)
{
	char data[1000];
	struct digest_stream s;
	struct digest whole, parts;

	(void)state;
	memset(data, 'x', sizeof(data));
	whole = digest_of(data, sizeof(data));
	digest_start(&s);
	for (size_t i = 0; i < sizeof(data); i += 40)
		digest_update(&s, data + i, 40);
	digest_finish(&s, &parts);
	assert_true(digest_equal(&whole, &parts));
	data[999] = 'y';
	parts = digest_of(data, sizeof(data));
	assert_false(digest_equal(&whole, &parts));
}

static void test_digest__parse(void **state)
{
	struct digest d = { { 7 } }, abc = digest_of("abc", 3);
	static const char *const bad[] = {
		"", "sha256:", "sha512:00", EMPTY "0", ABC " ",
		"SHA256:ba7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad",
		"sha256:BA7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad",
		"sha256:../816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad",
		"sha256:ba7816bf8f01cfea414140de5dae2223",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(digest_parse(bad[i], &d), -EINVAL);
		assert_int_equal(d.b[0], 7);
	}
	assert_int_equal(digest_parse(ABC, &d), 0);
	assert_true(digest_equal(&d, &abc));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest__known),
		cmocka_unit_test(test_digest__streams),
		cmocka_unit_test(test_digest__parse),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
