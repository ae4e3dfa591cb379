/* SPDX-License-Identifier: MIT */
/* Views of the fleet that are kept. */
#include <sys/stat.h>

#include "tests/unit/model-fixture.h"
#include "tui/fleet-table.h"
#include "tui/views.h"

static char *json_of(const struct model *m)
{
	struct buf b = BUF_INIT;

	views_json(m, &b);
	return buf_steal(&b);
}

static void test_views__come_back(void **state)
{
	struct model *m = fixture_model(24, 140), *again;
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	fixture_keys(m, "2 z o Down Down Enter O C Down Enter /");
	fixture_type(m, "image=node:20");
	fixture_keys(m, "Enter");
	assert_not_shown(m, "STATE");
	fixture_keys(m, "C");
	assert_shown(m, "show state");
	fixture_keys(m, "Down Down Enter B Down Enter S");
	assert_not_shown(m, " mock ");
	assert_true(m->effects & EFFECT_SAVE_VIEW);
	auto_free char *text = json_of(m);
	again = fixture_model(24, 140);
	assert_int_equal(views_load(again, text, strlen(text), &err), 0);
	auto_free char *same = json_of(again);
	assert_string_equal(text, same);
	fixture_keys(again, "2 z");
	assert_shown(again, "sort: state, inverted  by: template  "
			    "filter: image=node:20");
	assert_shown(again, "data-science  1 running");
	assert_shown(again, "sb-2c8e04d7");
	assert_not_shown(again, "sb-9d11ba00");
	assert_not_shown(again, "STATE");
	assert_not_shown(again, " mock ");
	/* The dashboard has its own. */
	fixture_keys(again, "1");
	assert_shown(again, "STATE");
	fixture_free(again);
	fixture_free(m);
}

static void test_views__nonsense_changes_nothing(void **state)
{
	static const char *const texts[] = {
		"{}", "{\"sandboxes\":7}", "{\"nothing\":{}}",
		("{\"sandboxes\":{\"filter\":\"\",\"sort\":\"nose\","
		 "\"inverted\":\"yes\",\"hidden\":[\"id\",\"nose\",7]}}"),
		"{\"sandboxes\":{\"hidden\":{\"a\":\"b\"},\"group\":\"nose\"}}",
		"{\"sandboxes\":{\"group\":7,\"sizes\":{\"fleet\":29}}}",
		("{\"sandboxes\":{\"sizes\":{\"fleet\":81,\"nose\":50}},"
		 "\"workspace\":{\"sizes\":{\"files\":\"40\","
		 "\"viewer\":1e300}}}"),
		"{\"sandboxes\":{\"sizes\":[40]},\"dash\":{\"sizes\":{}}}",
	};
	struct model *m = fixture_model(24, 140);
	auto_free char *before = json_of(m);
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		auto_free char *after = NULL;

		assert_int_equal(views_load(m, texts[i], strlen(texts[i]),
					    &err), 0);
		after = json_of(m);
		assert_string_equal(before, after);
	}
	assert_int_equal(views_load(m, "[", 1, &err), -1);
	fixture_free(m);
}

static bool says(const struct model *m, const char *part)
{
	auto_free char *text = json_of(m);

	return strstr(text, part) != NULL;
}

/* What + _ and = do is kept at once, and nothing else with it. */
static void test_views__sizes(void **state)
{
	struct model *m = fixture_model(24, 140), *again;
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	fixture_keys(m, "2 O =");
	assert_false(m->effects & EFFECT_SAVE_SIZES); /* they are equal */
	fixture_keys(m, "+ +");
	assert_true(m->effects & EFFECT_SAVE_SIZES);
	assert_false(m->effects & EFFECT_SAVE_VIEW);
	assert_true(says(m, "\"sizes\":{\"fleet\":70}"));
	fixture_keys(m, "+");
	m->effects = 0;
	fixture_keys(m, "+"); /* as big as it gets */
	assert_false(m->effects & EFFECT_SAVE_SIZES);
	fixture_keys(m, "_ f + _ _");
	assert_true(m->effects & EFFECT_SAVE_SIZES);
	assert_true(says(m, "\"sizes\":{\"files\":30,\"viewer\":50}"));
	auto_free char *text = json_of(m);

	again = fixture_model(24, 140);
	assert_int_equal(views_load(again, text, strlen(text), &err), 0);
	fixture_keys(again, "2");
	assert_not_shown(again, "inverted"); /* without S */
	assert_true(says(again, "\"sizes\":{\"fleet\":70}"));
	fixture_keys(again, "=");
	assert_true(again->effects & EFFECT_SAVE_SIZES);
	fixture_free(again);
	fixture_free(m);
}

/* Groups stay folded, of a view with a name too; no more than are kept. */
static void test_views__folds(void **state)
{
	struct model *m = fixture_model(24, 140), *again;
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf many = BUF_INIT;

	(void)state;
	fixture_keys(m, "2 z B Down Enter g Left");
	assert_not_shown(m, "sb-2c8e04d7");
	assert_shown(m, "sb-7f3a91c2"); /* has no template */
	fixture_keys(m, "S");
	assert_true(says(m, "\"folded\":[\"data-science\"]"));
	fixture_keys(m, "G Left Left S V n");
	fixture_type(m, "all folded");
	fixture_keys(m, "Enter g Right S");
	auto_free char *text = json_of(m);

	again = fixture_model(24, 140);
	assert_int_equal(views_load(again, text, strlen(text), &err), 0);
	auto_free char *same = json_of(again);
	assert_string_equal(text, same);
	fixture_keys(again, "2 z");
	assert_shown(again, "sb-2c8e04d7");
	assert_not_shown(again, "sb-7f3a91c2");
	fixture_keys(again, "V 1");
	assert_not_shown(again, "sb-2c8e04d7");
	assert_not_shown(again, "sb-7f3a91c2");

	buf_addstr(&many, "{\"dash\":{\"group\":\"owner\",\"folded\":[7,{},"
			  "\"\\u001b[2J\",\"\\u001b[2J\",\"");
	for (int i = 0; i < 200; i++)
		buf_addch(&many, 'x');
	for (int i = 0; i < 200; i++)
		buf_addf(&many, "\",\"g%d", i);
	buf_addstr(&many, "\"]},\"sandboxes\":{\"folded\":{\"a\":\"b\"}}}");
	assert_int_equal(views_load(again, buf_str(&many), many.len, &err), 0);
	assert_true(says(again, "[\"\\u001b[2J\",\"g0\""));
	assert_true(says(again, "\"g30\"]"));
	assert_false(says(again, "xxx"));
	fixture_free(again);
	fixture_free(m);
}

/* Control characters don't get in by the file either. */
static void test_views__hostile_filter(void **state)
{
	static const char text[] = "{\"sandboxes\":{\"filter\":"
				   "\"a\\u001b[2J\\nb\"}}";
	struct model *m = fixture_model(24, 140);
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	assert_int_equal(views_load(m, text, sizeof(text) - 1, &err), 0);
	auto_free char *after = json_of(m);
	assert_non_null(strstr(after, "\"a[2Jb\""));
	fixture_free(m);
}

static void save(struct model *m, const char *name)
{
	fixture_keys(m, "V n");
	fixture_type(m, name);
	fixture_keys(m, "Enter");
}

static void test_views__with_names(void **state)
{
	struct model *m = fixture_model(24, 140), *again;
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	fixture_keys(m, "2 o Down Down Enter");
	save(m, "by state");
	assert_true(m->effects & EFFECT_SAVE_VIEW);
	fixture_keys(m, "/");
	fixture_type(m, "node");
	fixture_keys(m, "Enter");
	save(m, "node");
	auto_free char *text = json_of(m);

	again = fixture_model(24, 140);
	assert_int_equal(views_load(again, text, strlen(text), &err), 0);
	fixture_keys(again, "2");
	assert_shown(again, "sort: age"); /* as it began: no S */
	fixture_keys(again, "V");
	assert_shown(again, "by state");
	fixture_keys(again, "2");
	assert_shown(again, "sort: state  filter: node");
	fixture_keys(again, "V 1");
	assert_shown(again, "sort: state");
	assert_not_shown(again, "filter: node");
	/* Under a name that is there: instead of it, if that is meant. */
	fixture_keys(again, "O");
	auto_free char *before = json_of(again);
	save(again, "node");
	assert_shown(again, "REPLACE IT?");
	assert_shown(again, "The view of this name is lost.");
	fixture_keys(again, "Enter"); /* No */
	assert_shown(again, "name node");
	auto_free char *after = json_of(again);
	assert_string_equal(before, after);
	fixture_keys(again, "Enter y");
	assert_not_shown(again, "SAVE THIS VIEW");
	assert_int_equal(again->n_views, 2);
	auto_free char *instead = json_of(again);
	assert_string_not_equal(before, instead);
	fixture_keys(again, "V D Enter");
	assert_int_equal(again->n_views, 1);
	assert_string_equal(again->views[0].name, "node");
	save(again, "");
	assert_shown(again, "a name has 1 to 64 bytes");
	fixture_free(again);
	fixture_free(m);
}

/* As many as there is room for, each with a name that can be shown. */
static void test_views__hostile_names(void **state)
{
	struct model *m = fixture_model(40, 140);
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf text = BUF_INIT;

	(void)state;
	buf_addstr(&text, "{\"views\":[7,null,{},{\"name\":\"\"},"
			  "{\"name\":{}},{\"name\":\"");
	for (int i = 0; i < 65; i++)
		buf_addch(&text, 'x');
	buf_addstr(&text, "\"},{\"name\":\"e\\u001b[2Jvil\","
			  "\"sort\":9,\"hidden\":\"all\"}");
	for (int i = 0; i < 100; i++)
		buf_addf(&text, ",{\"name\":\"v%d\"}", i);
	buf_addstr(&text, "]}");
	assert_int_equal(views_load(m, buf_str(&text), text.len, &err), 0);
	assert_int_equal(m->n_views, LIMIT_TUI_VIEWS);
	assert_string_equal(m->views[0].name, "e\033[2Jvil");
	fixture_keys(m, "2 V");
	assert_shown(m, "e^[[2Jvil");
	fixture_keys(m, "Enter V n x Enter");
	assert_shown(m, "there are 32 views already");
	fixture_free(m);
}

static void write_file(struct model *m)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (views_write(m, &err) < 0)
		fail_msg("%s", err.msg);
}

static struct model *start_another(void)
{
	struct model *m = fixture_model(24, 140);
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (views_read(m, &err) < 0)
		fail_msg("%s", err.msg);
	return m;
}

/* What each of two dashboards has saved, changed and deleted is there. */
static void test_views__of_two_dashboards(void **state)
{
	char dir[] = "/tmp/svm-views-XXXXXX";
	auto_err struct svm_err nowhere = SVM_ERR_INIT, err = SVM_ERR_INIT;
	auto_free char *path = NULL, *aside = NULL;
	struct model *a, *b, *c;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("STACYVM_STATE_DIR", dir, 1);
	path = xasprintf("%s/tui-views.json", dir);
	a = start_another();
	fixture_keys(a, "2");
	save(a, "both know");
	save(a, "goes");
	write_file(a);
	b = start_another();
	assert_int_equal(b->n_views, 2);

	fixture_keys(a, "O");
	save(a, "of a");
	save(a, "both know");
	fixture_keys(a, "y S + +");
	write_file(a);
	assert_string_equal(a->views[0].name, "both know");
	assert_true(a->views[0].invert);
	fixture_keys(b, "2 V D Down Enter"); /* "goes" */
	save(b, "of b");
	fixture_keys(b, "1 O S f _");
	/* What can't be written is with the next time. */
	aside = xasprintf("%s/aside", dir);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(views_write(b, &nowhere), -1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rename(aside, path), 0);
	write_file(b);
	assert_int_equal(b->n_views, 3);
	write_file(a);
	assert_int_equal(a->n_views, 3);

	c = start_another();
	assert_int_equal(c->n_views, 3);
	fixture_keys(c, "2 V");
	assert_shown(c, "both know");
	assert_shown(c, "of a");
	assert_shown(c, "of b");
	assert_not_shown(c, "goes");
	fixture_keys(c, "Esc");
	assert_shown(c, "inverted");
	fixture_keys(c, "1");
	assert_true(c->begin[SCREEN_DASH].invert);
	assert_true(says(c, "\"sizes\":{\"fleet\":70}"));
	assert_true(says(c, "\"sizes\":{\"files\":30,"));

	/* No room for those of all. */
	for (int i = 0; i < LIMIT_TUI_VIEWS - 3; i++) {
		auto_free char *name = xasprintf("more %d", i);

		save(c, name);
	}
	fixture_keys(a, "2");
	save(a, "one too many");
	write_file(c);
	assert_int_equal(views_write(a, &err), -1);
	assert_non_null(strstr(err.msg, "that another dashboard has saved"));
	unlink(path);
	rmdir(dir);
	unsetenv("STACYVM_STATE_DIR");
	fixture_free(a);
	fixture_free(b);
	fixture_free(c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_views__##name)
	const struct CMUnitTest tests[] = {
		TEST(come_back),
		TEST(nonsense_changes_nothing),
		TEST(sizes),
		TEST(folds),
		TEST(hostile_filter),
		TEST(with_names),
		TEST(hostile_names),
		TEST(of_two_dashboards),
#undef TEST
	};

	return cmocka_run_group_tests_name("views", tests, NULL, NULL);
}
