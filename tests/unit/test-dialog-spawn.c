/* SPDX-License-Identifier: MIT */
/* The spawn form, and the panel of a spawn that takes its time. */
#include <locale.h>

#include "tests/unit/model-fixture.h"

static struct model *start(void **state)
{
	(void)state;
	return fixture_model(30, 100);
}

static void assert_no_dialog(const struct model *m)
{
	assert_null(m->dialog);
}

#define SPAWNED \
	"{\"type\":\"sandbox\",\"sandbox\":{\"id\":\"sb-00000001\"," \
	"\"state\":\"running\",\"timings\":{\"total_ms\":12.4}}}"
#define CREATING \
	"{\"type\":\"progress\",\"stage\":\"create\",\"id\":\"sb-00000001\"}"

static void test_dialog_spawn__fields(void **state)
{
	struct model *m = start(state);
	struct stream *s;

	fixture_keys(m, "s");
	fixture_answer(m, "GET", "/api/v1/images", SVM_OK,
		       "[{\"ref\":\"alpine\"},{\"ref\":\"python\"}]");
	fixture_keys(m, "Up Right Right Right"); /* around, to none */
	assert_not_shown(m, "--template");
	fixture_keys(m, "Left");
	assert_shown(m, "--template web-build");
	fixture_keys(m, "Down Right Right Tab");
	fixture_type(m, "job");
	fixture_keys(m, "Tab");
	fixture_type(m, "1h30m");
	fixture_keys(m, "Tab");
	fixture_type(m, "2g");
	fixture_keys(m, "Tab 3 Tab Left Left Tab Right Tab");
	fixture_type(m, "a=b c=");
	fixture_keys(m, "Tab");
	fixture_type(m, "N=it's");
	assert_shown(m, "--image python --name job");
	assert_shown(m, "'N=it'\\''s'");
	fixture_keys(m, "^S");
	s = fixture_spawn(m);
	assert_string_equal(s->target, "/api/v1/sandboxes?frames=full");
	assert_true(s->once);
	assert_string_equal(
		s->body,
		"{\"template\":\"web-build\",\"image\":\"python\","
		"\"name\":\"job\",\"ttl\":\"1h30m\",\"memory_mb\":2048,"
		"\"vcpus\":3,\"provider\":\"mock\",\"network\":\"none\","
		"\"metadata\":{\"a\":\"b\",\"c\":\"\"},"
		"\"env\":{\"N\":\"it's\"}}");
	assert_shown(m, "spawning");
	/* It can't be sent twice. */
	fixture_keys(m, "Enter x");
	fixture_line(m, s, "{\"type\":\"progress\",\"stage\":\"create\","
			   "\"id\":\"sb-00000001\"}");
	fixture_line(m, s, SPAWNED);
	assert_true(s->closed);
	assert_null(fixture_spawn(m));
	assert_true(list_empty(&m->spawns));
	assert_no_dialog(m);
	assert_shown(m, "sb-00000001 runs after 12 ms");
	assert_shown(m, "\u258c sb-00000001"); /* is what is meant now */
	fixture_keys(m, "k");
	assert_not_shown(m, "\u258c sb-00000001");
	fixture_free(m);
}

/* What is typed, the command that is shown for it, and what is sent. */
static void test_dialog_spawn__values_with_blanks(void **state)
{
	static const struct {
		const char *typed, *command, *metadata;
	} cases[] = {
		{ "a='x y' b=\"it's\"", "--label 'a=x y' --label 'b=it'\\''s'",
		  "{\"a\":\"x y\",\"b\":\"it's\"}" },
		{ "'a=x y'", "--label 'a=x y'", "{\"a\":\"x y\"}" },
		{ "a=\"\"", "--label a=", "{\"a\":\"\"}" },
		{ "a=b='c", "--label 'a=b='\\''c'", "{\"a\":\"b='c\"}" },
		{ "a='x'y", "--label a=xy", "{\"a\":\"xy\"}" },
		{ "a=$(id);b=`id`", "--label 'a=$(id);b=`id`'",
		  "{\"a\":\"$(id);b=`id`\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model *m = start(state);
		auto_free char *body = xasprintf("{\"metadata\":%s}",
						 cases[i].metadata);

		fixture_keys(m, "s Up Up Up");
		fixture_type(m, cases[i].typed);
		assert_shown(m, cases[i].command);
		fixture_keys(m, "^S");
		assert_string_equal(fixture_spawn(m)->body, body);
		fixture_free(m);
	}
}

/* What was typed is still there when the daemon says no. */
static void test_dialog_spawn__refused(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "s Tab");
	fixture_type(m, "web");
	fixture_keys(m, "Enter");
	fixture_broken(m, fixture_spawn(m), SVM_CONFLICT,
		       "there is a sandbox 'web'");
	assert_shown(m, "there is a sandbox 'web'");
	assert_shown(m, "--name web");
	fixture_type(m, "2");
	fixture_keys(m, "Enter");
	assert_string_equal(fixture_spawn(m)->body, "{\"name\":\"web2\"}");
	fixture_free(m);
}

/* However long the reason is, at the usual sizes all of it is there. */
static void test_dialog_spawn__says_why(void **state)
{
	struct model *m = start(state);
	char why[900];

	memset(why, 'w', sizeof(why));
	memcpy(why + sizeof(why) - 5, " end", 5);
	model_resize(m, 24, 80);
	fixture_keys(m, "s Enter");
	fixture_broken(m, fixture_spawn(m), SVM_NOT_FOUND, why);
	assert_shown(m, "ww end");
	fixture_free(m);
}

static void later(struct model *m, int64_t ms)
{
	fixture_time(m, ms * 1000000);
	update_tick(m);
}

static void test_dialog_spawn__of_nonsense(void **state)
{
	static const char *const last[] = {
		"{\"type\":\"sandbox\"}", "{\"type\":\"sandbox\",\"sandbox\":7}",
		"{\"type\":\"sandbox\",\"sandbox\":{\"id\":7}}",
		"{\"type\":\"sandbox\",\"sandbox\":[{\"id\":\"x\"}]}",
	};
	static const char *const progress[] = {
		"7", "{}", "{\"type\":[]}", "{\"type\":\"progress\"}",
		"{\"type\":\"progress\",\"stage\":\"download\","
		"\"layer\":-1,\"layers\":1e300,\"bytes\":-5,\"total\":1e18}",
		"{\"type\":\"progress\",\"stage\":\"download\","
		"\"layer\":128,\"layers\":128,\"bytes\":8e15,\"total\":1}",
		"{\"type\":\"progress\",\"stage\":\"setup\","
		"\"command\":1e300,\"commands\":\"x\"}",
		"{\"type\":\"progress\",\"stage\":\"create\",\"id\":7}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
		struct model *m = start(state);

		fixture_keys(m, "s Enter");
		for (size_t k = 0; k < ARRAY_SIZE(progress); k++) {
			fixture_line(m, fixture_spawn(m), progress[k]);
			later(m, 500);
			assert_shown(m, "SPAWNING");
		}
		fixture_line(m, fixture_spawn(m), last[i]);
		assert_shown(m, "the daemon's reply is no sandbox");
		assert_true(list_empty(&m->spawns));
		fixture_free(m);
	}
}

static void test_dialog_spawn__in_background(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "s Enter Escape");
	assert_no_dialog(m);
	/* Another form doesn't take the answer for its own. */
	fixture_time(m, 1);
	fixture_keys(m, "s Tab x");
	fixture_line(m, fixture_spawn(m), SPAWNED);
	assert_shown(m, "--name x");
	fixture_keys(m, "Enter ^C"); /* before there is a panel */
	assert_null(fixture_spawn(m));
	assert_non_null(m->dialog);
	fixture_free(m);
}

/* The panel comes when it takes long, and not before. */
static void test_dialog_spawn__panel(void **state)
{
	struct model *m = start(state);
	struct stream *s;

	fixture_keys(m, "s Enter");
	s = fixture_spawn(m);
	fixture_line(m, s, CREATING);
	later(m, 299);
	assert_int_equal(update_wake(m), m->boot_ns + 1000000);
	assert_not_shown(m, "SPAWNING");
	later(m, 1);
	assert_shown(m, "SPAWNING sb-00000001");
	assert_int_equal(update_wake(m), m->boot_ns + 100000000);
	fixture_line(m, s, "{\"type\":\"progress\",\"stage\":\"setup\","
			   "\"command\":2,\"commands\":3}");
	later(m, 2000);
	assert_shown(m, "create done sb-00000001");
	assert_shown(m, "setup  now  command 2 of 3");
	assert_shown(m, " 2.3s ");
	fixture_keys(m, "x Enter ^S Tab"); /* none of the form's keys */
	assert_shown(m, "SPAWNING");
	fixture_line(m, s, SPAWNED);
	assert_no_dialog(m);
	assert_shown(m, "sb-00000001 runs after 12 ms");
	fixture_free(m);
}

/* What was made goes away, what was typed stays. */
static void test_dialog_spawn__cancelled(void **state)
{
	static const char *const keys[] = { "c", "^C" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct model *m = start(state);

		fixture_keys(m, "s Tab x Enter");
		fixture_line(m, fixture_spawn(m), CREATING);
		later(m, 400);
		fixture_keys(m, keys[i]);
		assert_null(fixture_spawn(m));
		assert_string_equal(fixture_request(m, "DELETE")->target,
				    "/api/v1/sandboxes/sb-00000001");
		assert_not_shown(m, "SPAWNING");
		assert_shown(m, "--name x");
		assert_shown(m, "Enter spawn");
		fixture_keys(m, "Enter");
		assert_string_equal(fixture_spawn(m)->body,
				    "{\"name\":\"x\"}");
		fixture_free(m);
	}
}

/* It goes on, the ribbon tells; ^C and quitting know of it. */
static void test_dialog_spawn__goes_on(void **state)
{
	struct model *m = start(state);
	struct stream *s;

	fixture_keys(m, "s Tab x Enter");
	s = fixture_spawn(m);
	later(m, 400);
	fixture_line(m, s, "{\"type\":\"progress\",\"stage\":\"download\","
			   "\"layer\":0,\"layers\":2,\"bytes\":50,"
			   "\"total\":100}");
	fixture_line(m, s, "{\"type\":\"progress\",\"stage\":\"download\","
			   "\"layer\":1,\"layers\":2,\"bytes\":0,"
			   "\"total\":300}");
	fixture_keys(m, "Escape");
	assert_no_dialog(m);
	assert_false(s->closed);
	assert_shown(m, "spawn \u25d0 pull 12%");
	m->set.ascii = true;
	assert_shown(m, "spawn ~ pull 12%");
	fixture_keys(m, "q");
	assert_shown(m, "A spawn is under way");
	fixture_keys(m, "n");
	assert_false(s->closed);
	/* It fails: the next form has what was asked for, once. */
	fixture_line(m, s, "{\"type\":\"error\",\"code\":\"UNAVAILABLE\","
			   "\"message\":\"no such image\","
			   "\"remediation\":\"name another\"}");
	assert_shown(m, "no such image; name another");
	assert_not_shown(m, "pull 12%");
	fixture_keys(m, "s");
	assert_shown(m, "--name x");
	assert_shown(m, "no such image; name another");
	fixture_keys(m, "Escape y s");
	assert_not_shown(m, "--name x");
	fixture_keys(m, "Enter");
	fixture_line(m, fixture_spawn(m), CREATING);
	fixture_keys(m, "Escape ^C");
	assert_null(fixture_spawn(m));
	assert_shown(m, "cancelled");
	assert_true(m->effects & EFFECT_CANCEL);
	assert_true(fixture_request(m, "DELETE")->cleanup);
	fixture_free(m);
}

/* Why, and what to do; with what was typed. */
static void test_dialog_spawn__fails_late(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "s Tab x Enter");
	fixture_line(m, fixture_spawn(m), CREATING);
	later(m, 400);
	fixture_broken(m, fixture_spawn(m), SVM_UNREACHABLE, "it hung up");
	assert_not_shown(m, "SPAWNING");
	assert_shown(m, "sb-00000001 is not made: it hung up");
	assert_shown(m, "spawn again");
	assert_shown(m, "--name x");
	fixture_keys(m, "Enter");
	assert_non_null(fixture_spawn(m));
	fixture_broken(m, fixture_spawn(m), SVM_OK, NULL);
	assert_shown(m, "the daemon's reply broke off");
	fixture_free(m);
}

static void test_dialog_spawn__says_what_is_wrong(void **state)
{
	static const struct {
		int tabs;
		const char *text, *wrong;
	} cases[] = {
		{ 3, "never", "ttl: 'never' is not a duration" },
		{ 3, "0s", "ttl: '0s' is not a duration" },
		{ 4, "much", "memory: 'much' is not a size" },
		{ 4, "0", "memory: '0' is not a size" },
		{ 4, "5k", "memory: '5k' is not a size" },
		{ 5, "-1", "vcpus: '-1' is not a whole number" },
		{ 5, "99999999999", "is not a whole number" },
		{ 8, "a", "labels: 'a' is not KEY=VALUE" },
		{ 8, "a='b c", "labels: the quote of 'a=b c' is not closed" },
		{ 9, "=a", "env: '=a' is not KEY=VALUE" },
	};
	struct model *m = start(state);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture_keys(m, "s");
		for (int n = 1; n < cases[i].tabs; n++)
			fixture_keys(m, "Tab");
		fixture_type(m, cases[i].text);
		/* The field at fault is the one to type in. */
		fixture_keys(m, "Tab Enter");
		assert_shown(m, cases[i].wrong);
		assert_null(fixture_spawn(m));
		fixture_keys(m, "^U");
		assert_shown(m, "= stacyvm spawn     ");
		fixture_keys(m, "Escape");
		assert_no_dialog(m);
	}
	fixture_free(m);
}

static void test_dialog_spawn__asks_before_it_forgets(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "s Tab x Escape");
	assert_shown(m, "LEAVE THE FORM?");
	fixture_keys(m, "Enter"); /* no */
	assert_shown(m, "--name x");
	fixture_keys(m, "Escape y");
	assert_no_dialog(m);
	fixture_free(m);
}

/* There is nothing to choose with Left and Right. */
static void test_dialog_spawn__no_templates(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "s");
	assert_not_shown(m, "no templates yet");
	fixture_keys(m, "Escape");
	sync_templates(m);
	fixture_answer(m, "GET", "/api/v1/templates", SVM_OK, "[]");
	fixture_keys(m, "s");
	assert_shown(m, "template    no templates yet");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_dialog_spawn__##name)
	const struct CMUnitTest tests[] = {
		TEST(fields),
		TEST(values_with_blanks),
		TEST(refused),
		TEST(says_why),
		TEST(of_nonsense),
		TEST(in_background),
		TEST(panel),
		TEST(cancelled),
		TEST(goes_on),
		TEST(fails_late),
		TEST(says_what_is_wrong),
		TEST(asks_before_it_forgets),
		TEST(no_templates),
#undef TEST
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("dialog_spawn", tests, NULL, NULL);
}
