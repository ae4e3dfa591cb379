/* SPDX-License-Identifier: MIT */
/* Names of previews, and the MAC of their tokens. */
#include <stdio.h>
#include <string.h>

#include "daemon/preview.h"
#include "lib/base/defs.h"
#include "tests/unit/unit.h"

static void test_preview__host(void **state)
{
	static const struct {
		const char *host, *domain;
		int port; /* 0: none of ours */
		const char *id;
	} cases[] = {
		{ "3000-sb-1a.localhost:7423", "localhost:7423", 3000,
		  "sb-1a" },
		{ "3000-sb-1a.localhost", "localhost:7423", 3000, "sb-1a" },
		{ "3000-sb-1a.localhost.:1", "localhost:7423", 3000, "sb-1a" },
		{ "65535-SB-1A.LOCALHOST", "localhost", 65535, "sb-1a" },
		{ "1-web.p.example.org", "p.example.org", 1, "web" },
		{ "65536-sb.localhost", "localhost", 0, "" },
		{ "0-sb.localhost", "localhost", 0, "" },
		{ "123456-sb.localhost", "localhost", 0, "" },
		{ "3000-.localhost", "localhost", 0, "" },
		{ "3000.localhost", "localhost", 0, "" },
		{ "3000-sb.xlocalhost", "localhost", 0, "" },
		{ "3000-sb.localhost.evil", "localhost", 0, "" },
		{ "3000-sb.a.localhost", "localhost", 0, "" },
		{ "3000-s_b.localhost", "localhost", 0, "" },
		{ "3000-sblocalhost", "localhost", 0, "" },
		{ "-sb.localhost", "localhost", 0, "" },
		{ "localhost:7423", "localhost:7423", 0, "" },
		{ "", "localhost", 0, "" },
		{ ".", "localhost", 0, "" },
		{ "3000-", "localhost", 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char id[16];
		int port;
		bool ours = preview_parse_host(cases[i].host, cases[i].domain,
					       &port, id, sizeof(id));

		if (ours != (cases[i].port != 0))
			fail_msg("%s", cases[i].host);
		if (!ours)
			continue;
		assert_int_equal(port, cases[i].port);
		assert_string_equal(id, cases[i].id);
	}
	char small[4];
	int port;

	assert_false(preview_parse_host("1-abcd.localhost", "localhost",
					&port, small, sizeof(small)));
}

static void expect_mac(const char *key, size_t nkey, const char *text,
		       const char *wanted)
{
	unsigned char mac[32];
	char hex[65];

	preview_hmac(key, nkey, text, strlen(text), mac);
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", mac[i]);
	assert_string_equal(hex, wanted);
}

/* RFC 4231, 4.2, 4.3 and 4.7. */
static void test_preview__hmac(void **state)
{
	char b[20], a[131];

	(void)state;
	memset(b, 0x0b, sizeof(b));
	memset(a, 0xaa, sizeof(a));
	expect_mac(b, sizeof(b), "Hi There",
		   "b0344c61d8db38535ca8afceaf0bf12b"
		   "881dc200c9833da726e9376c2e32cff7");
	expect_mac("Jefe", 4, "what do ya want for nothing?",
		   "5bdcc146bf60754e6a042426089575c7"
		   "5a003f089d2739839dec58b964ec3843");
	expect_mac(a, sizeof(a),
		   "Test Using Larger Than Block-Size Key - Hash Key First",
		   "60e431591ee0b67f0d8a26aacbf5b77f"
		   "8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_preview__host),
		cmocka_unit_test(test_preview__hmac),
	};

	return cmocka_run_group_tests_name("preview", tests, NULL, NULL);
}
