/* SPDX-License-Identifier: MIT */
/* Lists are sorted by what is chosen, turned around, and kept so. */
#include "tests/unit/model-fixture.h"
#include "tui/glyph.h"
#include "tui/views.h"

#define A "/api/v1/sandboxes/sb-7f3a91c2/files"

static const char list[] =
	"[{\"name\":\"big\",\"path\":\"/workspace/big\",\"size\":900,"
	"\"mode\":\"0700\",\"mod_time\":\"2026-03-01T11:58:00.000Z\"},"
	"{\"name\":\"dir\",\"path\":\"/workspace/dir\",\"is_dir\":true,"
	"\"size\":4096,\"mod_time\":\"2026-03-01T10:00:00.000Z\"},"
	"{\"name\":\"new\",\"path\":\"/workspace/new\",\"size\":5,"
	"\"mode\":\"0644\",\"mod_time\":\"2026-03-01T11:59:50.000Z\"},"
	"{\"name\":\"old\",\"path\":\"/workspace/old\",\"size\":50,"
	"\"mode\":\"0600\",\"mod_time\":\"2026-02-01T11:59:50.000Z\"}]";

/* These stand below each other, in this order; NULL ends them. */
static void assert_order(const struct model *m, const char *const *names)
{
	auto_free char *screen = fixture_screen(m);
	const char *at = screen;

	for (; *names; names++) {
		const char *next = strstr(at, *names);

		if (!next) {
			fputs(screen, stderr);
			fail_msg("'%s' is not where it should be", *names);
		}
		at = next + strlen(*names);
	}
}
#define ORDER(m, ...) \
	assert_order(m, (const char *const[]){ __VA_ARGS__, NULL })

static void test_order__menu(void **state)
{
	struct model *m = fixture_model(30, 120);

	(void)state;
	fixture_keys(m, "2 o");
	assert_shown(m, "SORT BY");
	assert_shown(m, "age " GLYPH_UP);
	ORDER(m, "age", "id", "state", "image", "cpu", "memory", "ttl");
	fixture_keys(m, "Down Down Escape");
	assert_not_shown(m, "SORT BY");
	assert_shown(m, "FLEET  sort: age");
	fixture_keys(m, "o Down Down Down Enter");
	assert_shown(m, "FLEET  sort: image");
	/* It opens on the one that is so, which keeps its direction. */
	fixture_keys(m, "O o");
	assert_shown(m, "image " GLYPH_DOWN);
	fixture_keys(m, "Enter");
	assert_shown(m, "FLEET  sort: image, inverted");
	fixture_keys(m, "o Up Enter");
	assert_shown(m, "FLEET  sort: state");
	assert_not_shown(m, "inverted");
	m->set.ascii = true;
	fixture_keys(m, "o");
	assert_shown(m, "state ^");
	fixture_free(m);
}

static void test_order__templates(void **state)
{
	struct model *m = fixture_model(30, 160);

	(void)state;
	fixture_keys(m, "3");
	fixture_answer(m, "GET", "/api/v1/templates", SVM_OK,
		       FIXTURE_TEMPLATES);
	ORDER(m, "TEMPLATES \u2500", "data-science", "web-build");
	fixture_keys(m, "O"); /* it stays selected */
	ORDER(m, "sort: name " GLYPH_DOWN, "web-build",
	      GLYPH_MARKER " data-science", "2/2");
	fixture_keys(m, "o Down Down Enter");
	ORDER(m, "sort: memory", "data-science", "web-build", "1/2");
	fixture_keys(m, "O");
	ORDER(m, "web-build", "data-science");
	fixture_keys(m, "S");
	assert_true(m->effects & EFFECT_SAVE_VIEW);
	fixture_free(m);
}

static void test_order__providers(void **state)
{
	struct model *m = fixture_model(30, 160);

	(void)state;
	fixture_keys(m, "4");
	fixture_answer(m, "GET", "/api/v1/providers", SVM_OK,
		       FIXTURE_PROVIDERS);
	ORDER(m, "PROVIDERS \u2500", " NATIVE", " MOCK", " DOCKER");
	fixture_keys(m, "o Down Enter");
	ORDER(m, "sort: name", " DOCKER", " MOCK", " NATIVE");
	fixture_keys(m, "o Down Enter");
	ORDER(m, "sort: health", " NATIVE", " MOCK", " DOCKER");
	/* What wasn't measured is neither fast nor slow. */
	fixture_keys(m, "o Down Enter");
	ORDER(m, "sort: latency", " MOCK", " NATIVE", " DOCKER");
	fixture_keys(m, "o Down Enter");
	ORDER(m, "sort: sandboxes", " MOCK", " NATIVE", " DOCKER");
	fixture_free(m);
}

static void test_order__files(void **state)
{
	struct model *m = fixture_model(30, 120);

	(void)state;
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK, list);
	ORDER(m, "FILES /workspace \u2500", "dir/", "big", "new", "old");
	fixture_keys(m, "j j"); /* on "new", which it stays */
	fixture_keys(m, "o Down Enter");
	ORDER(m, "sort: size", "dir/", "big", "old", GLYPH_MARKER "   new");
	fixture_keys(m, "o Down Enter");
	ORDER(m, "sort: changed", "dir/", "new", "big", "old");
	assert_shown(m, "2m");
	fixture_keys(m, "O");
	ORDER(m, "dir/", "old", "big", "new");
	fixture_keys(m, "o Down Enter");
	ORDER(m, "sort: mode", "dir/", "old", "new", "big");
	fixture_free(m);
}

static void test_order__is_kept(void **state)
{
	struct model *m = fixture_model(30, 120), *again;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf text = BUF_INIT;

	(void)state;
	fixture_keys(m, "3 o Down Enter O");
	fixture_keys(m, "4 o Down Enter 2 j f o Down Enter S");
	assert_true(m->effects & EFFECT_SAVE_VIEW);
	views_json(m, &text);
	again = fixture_model(30, 120);
	assert_int_equal(views_load(again, buf_str(&text), text.len, &err),
			 0);
	fixture_keys(again, "3");
	assert_shown(again, "sort: image " GLYPH_DOWN);
	fixture_keys(again, "4");
	assert_shown(again, "sort: name " GLYPH_UP);
	fixture_keys(again, "2");
	assert_shown(again, "sort: age"); /* its own */
	fixture_keys(again, "f");
	assert_shown(again, "sort: size " GLYPH_UP);
	fixture_free(again);
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_order__##name)
	const struct CMUnitTest tests[] = {
		TEST(menu),
		TEST(templates),
		TEST(providers),
		TEST(files),
		TEST(is_kept),
#undef TEST
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
