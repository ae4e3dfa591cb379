/* SPDX-License-Identifier: MIT */
/* Changing the configuration on screen 6. */
#include <dirent.h>

#include "tests/unit/settings-fixture.h"

static void holds(const char *text)
{
	auto_buf struct buf b = BUF_INIT;

	if (fd_slurp_path(AT_FDCWD, settings_path, KIB(64), &b) < 0)
		assert_null(text);
	else
		assert_string_equal(buf_str(&b), text);
}

static void put(const char *text)
{
	assert_int_equal(fd_replace_path(AT_FDCWD, settings_path, text,
					 strlen(text), 0600), 0);
}

static struct model *open_screen(void)
{
	struct model *m = fixture_model(24, 100);

	settings_fixture_open(m);
	return m;
}

/* Rows: server.port defaults.ttl server.host auth.api_key ui.theme keys... */

static void test_settings__a_value_is_typed_where_it_stands(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "j Enter");
	assert_shown(m, "Enter do it");
	fixture_keys(m, "^U");
	fixture_type(m, "2h");
	holds(NULL);
	fixture_keys(m, "Enter");
	holds("defaults:\n  ttl: 2h\n");
	assert_int_equal(settings_applied, 1);
	assert_shown(m, "defaults.ttl: written");
	/* The daemon reads it again, then says what it goes by. */
	assert_null(fixture_request(m, "GET"));
	assert_int_equal(fixture_answer(m, REQUEST_HANGUP, "daemon", SVM_OK,
					""), 1);
	assert_non_null(fixture_request(m, "GET"));
	fixture_free(m);
}

/* What can't take effect says so, on its row; what can, does at once. */
static void test_settings__started_with_an_option(void **state)
{
	struct model *m;

	(void)state;
	settings_fixture_over = "--theme";
	m = open_screen();
	fixture_keys(m, "G");
	for (int i = 0; i < 5; i++) {
		auto_free char *screen = fixture_screen(m);

		if (strstr(screen, "started with --theme"))
			break;
		fixture_keys(m, "k");
	}
	assert_shown(m, "started with --theme: the next one goes by this");
	settings_fixture_over = NULL;
	assert_not_shown(m, "started with");
	fixture_free(m);
}

static void test_settings__scrollback_of_open_terminals(void **state)
{
	struct model *m = open_screen();
	struct terminal *t = terminal_new(m, "sb-7f3a91c2", "s1", 2, 8);

	(void)state;
	terminal_write(t, "1\r\n2\r\n3\r\n4\r\n5\r\n", 15);
	assert_int_equal(emu_top(t->emu) - emu_first(t->emu), 4);
	m->set.scrollback = 3;
	settings_spread(m, "ui.scrollback");
	assert_int_equal(emu_top(t->emu) - emu_first(t->emu), 3);
	assert_true(m->effects & EFFECT_STYLE);
	fixture_free(m);
}

static void test_settings__a_bad_value_is_refused_in_place(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "j Enter ^U");
	fixture_type(m, "bad");
	fixture_keys(m, "Enter");
	assert_shown(m, "'bad' is not a value");
	assert_shown(m, "Enter do it"); /* still there to be mended */
	holds(NULL);
	fixture_keys(m, "^U");
	fixture_type(m, "1h");
	fixture_keys(m, "Enter");
	assert_not_shown(m, "'bad' is not a value");
	holds("defaults:\n  ttl: 1h\n");
	fixture_free(m);
}

static void test_settings__escape_leaves_it_as_it_was(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "j Enter 9 Escape");
	assert_shown(m, "Enter edit");
	holds(NULL);
	fixture_free(m);
}

static void test_settings__choices_count_when_applied(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "j j j j");
	assert_shown(m, "auto  ( mission )");
	fixture_keys(m, "Right");
	assert_shown(m, "( light )");
	/* Where there is no room for all, the chosen one is there. */
	fixture_keys(m, "Right Right Right");
	assert_shown(m, "( one-more )");
	assert_not_shown(m, "auto  mission");
	fixture_keys(m, "Right");
	assert_shown(m, "( auto )");
	holds(NULL);
	fixture_keys(m, "Space");
	holds("ui:\n  theme: auto\n");
	/* The dashboard alone goes by it. */
	assert_null(fixture_request(m, REQUEST_HANGUP));
	assert_true(m->effects & EFFECT_STYLE);
	fixture_free(m);
}

static void test_settings__leaving_a_row_drops_the_choice(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "j j j j Right j k Space");
	holds(NULL);
	fixture_free(m);
}

/* An answer that has other rows moves nothing under the hands. */
static void test_settings__rows_that_come_while_typing(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "^R j Enter ^U");
	fixture_type(m, "5h");
	fixture_answer(m, "GET", "/api/v1/config", SVM_OK,
		       "{\"a.b\":{\"value\":1},\"a.c\":{\"value\":2},"
		       "\"server.port\":{\"value\":1},"
		       "\"defaults.ttl\":{\"value\":\"30m\"}}");
	fixture_keys(m, "Enter");
	holds("defaults:\n  ttl: 5h\n");
	fixture_free(m);
}

static void click(struct model *m, int row, int col)
{
	update_input(m, &(struct input_event){
				.type = INPUT_MOUSE,
				.mouse = { .kind = MOUSE_PRESS, .button = 1,
					   .row = row, .col = col } });
}

static void test_settings__a_click_selects(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "j j j j Right");
	click(m, 4, 90); /* and drops what was chosen elsewhere */
	fixture_keys(m, "Space");
	holds(NULL);
	fixture_keys(m, "Enter ^U");
	fixture_type(m, "5h");
	fixture_keys(m, "Enter");
	holds("defaults:\n  ttl: 5h\n");
	click(m, 15, 5); /* nothing there */
	assert_shown(m, "life of a sandbox");
	fixture_free(m);
}

static void test_settings__undone_in_order_reset_included(void **state)
{
	struct model *m = open_screen();

	(void)state;
	put("# mine\nui:\n  theme: light # for the day\n");
	fixture_keys(m, "j j j j R");
	holds("# mine\n");
	fixture_keys(m, "Left Space");
	holds("# mine\nui:\n  theme: auto\n");
	fixture_keys(m, "u u");
	holds("# mine\nui:\n  theme: light # for the day\n");
	fixture_keys(m, "u");
	assert_shown(m, "nothing was changed here");
	fixture_free(m);
}

static void test_settings__others_work_is_not_undone(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "j j j j Right Space");
	put("a: 1\n");
	fixture_keys(m, "u");
	assert_shown(m, "changed by another since");
	holds("a: 1\n");
	fixture_free(m);
}

static void test_settings__a_new_key(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "n");
	fixture_type(m, "list.up");
	fixture_keys(m, "Enter");
	fixture_type(m, "F7");
	fixture_keys(m, "Enter");
	holds("keys:\n  list:\n    up: F7\n");
	fixture_free(m);
}

/* A name is refused where it is typed, a value too: whole, and to be
 * mended. */
static void test_settings__a_new_key_is_checked_first(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "n ^U");
	fixture_type(m, "nosuch.kil");
	fixture_keys(m, "Enter");
	assert_shown(m, "key nosuch.kil");
	assert_shown(m, "nosuch.kil: no such setting");
	assert_shown(m, "to its very end");
	fixture_keys(m, "^U");
	fixture_type(m, "list.up");
	fixture_keys(m, "Enter");
	assert_not_shown(m, "no such setting");
	fixture_type(m, "bad");
	fixture_keys(m, "Enter");
	assert_shown(m, "list.up bad");
	assert_shown(m, "'bad' is not a value");
	holds(NULL);
	fixture_keys(m, "^U F 7 Enter");
	assert_null(m->dialog);
	holds("list:\n  up: F7\n");
	fixture_free(m);
}

/* Over HTTP the daemon's keys aren't even asked for their values. */
static void test_settings__a_new_key_of_another(void **state)
{
	struct model *m = open_screen();

	(void)state;
	free(m->server);
	m->server = xstrdup("http://other:7423");
	fixture_keys(m, "n ^U");
	fixture_type(m, "server.port");
	fixture_keys(m, "Enter");
	assert_shown(m, "key server.port");
	assert_shown(m, "keys and commands can be changed");
	fixture_free(m);
}

static void test_settings__what_the_daemon_takes_over_later(void **state)
{
	struct model *m = open_screen();

	(void)state;
	assert_shown(m, "config.yaml:3 says 8000, which is not in force yet");
	assert_shown(m, "needs a restart");
	fixture_keys(m, "Enter ^U");
	fixture_type(m, "9000");
	fixture_keys(m, "Enter");
	assert_shown(m, "needs stacyvm daemon restart");
	assert_null(fixture_request(m, REQUEST_HANGUP));
	fixture_keys(m, "j Enter ^U");
	fixture_type(m, "3h");
	fixture_keys(m, "Enter");
	fixture_answer(m, REQUEST_HANGUP, "daemon", SVM_UNREACHABLE, "gone");
	assert_shown(m, "written; the daemon reads it when it starts");
	fixture_free(m);
}

/* Your own file is not that of a daemon elsewhere. */
static void test_settings__of_a_daemon_elsewhere(void **state)
{
	struct model *m = open_screen();

	(void)state;
	free(m->server);
	m->server = xstrdup("http://other:7423");
	fixture_keys(m, "Enter ^U");
	fixture_type(m, "9000");
	fixture_keys(m, "Enter");
	assert_shown(m, "the daemon at http://other:7423 has a configuration "
			"of its own");
	holds(NULL);
	fixture_keys(m, "Escape j j j j Right Space");
	holds("ui:\n  theme: light\n");
	fixture_free(m);
}

static void test_settings__read_only_changes_nothing(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "j j j j Right Space");
	m->read_only = true;
	fixture_keys(m, "Right Space R u n Enter e");
	holds("ui:\n  theme: light\n");
	assert_false(m->effects & EFFECT_EDITOR);
	assert_null(m->dialog);
	assert_shown(m, "read-only: ");
	fixture_free(m);
}

static void test_settings__a_secret_is_not_shown(void **state)
{
	struct model *m = open_screen();

	(void)state;
	fixture_keys(m, "j j j Enter");
	fixture_type(m, "k");
	fixture_keys(m, "Enter");
	holds("auth:\n  api_key: k\n");
	fixture_free(m);
}

static void test_settings__the_default_provider(void **state)
{
	struct model *m = fixture_model(24, 100);

	(void)state;
	m->settings = &settings_fixture;
	fixture_keys(m, "4 D");
	assert_shown(m, "native is the default already");
	fixture_keys(m, "j D");
	assert_shown(m, "MAKE mock THE DEFAULT?");
	assert_shown(m, "spawned then: NONE: for tests.");
	fixture_keys(m, "Enter D");
	assert_int_equal(settings_applied, 0);
	fixture_keys(m, "y");
	holds("providers:\n  default: mock\n");
	fixture_free(m);
}

/* The palette leads to one, by its name or what it is for. */
static void test_settings__found_by_the_palette(void **state)
{
	static const char *const typed[] = {
		"theme", "colours", "color", "mono theme", "colour of DASH",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		struct model *m = open_screen();

		fixture_keys(m, "2 :");
		fixture_type(m, typed[i]);
		assert_shown(m, "ui.theme");
		fixture_keys(m, "Enter");
		assert_int_equal(m->screen, SCREEN_CONFIG);
		assert_shown(m, "\u258c ui.theme");
		fixture_free(m);
	}
}

/* However little room there is, one line says what the setting is. */
static void test_settings__explained_where_it_is_small(void **state)
{
	struct model *m = open_screen();

	(void)state;
	model_resize(m, 10, 40);
	assert_shown(m, "TCP port");
	assert_shown(m, "? help");
	fixture_keys(m, "j j");
	assert_not_shown(m, "TCP port");
	assert_shown(m, "server.host");
	fixture_free(m);
}

/* Without a setting in view nothing can be done to one. */
static void test_settings__a_filter_that_matches_nothing(void **state)
{
	struct model *m = open_screen();

	(void)state;
	assert_shown(m, "Enter edit");
	assert_shown(m, "R default");
	fixture_keys(m, "/ z q z Enter");
	assert_shown(m, "nothing matches the filter; Esc clears it");
	assert_not_shown(m, "Enter edit");
	assert_not_shown(m, "Space apply");
	assert_not_shown(m, "R default");
	assert_shown(m, "n new  e $EDITOR");
	fixture_keys(m, "Enter Right Space R");
	assert_null(m->dialog);
	holds(NULL);
	fixture_free(m);
}

/* -- the file in $EDITOR */

static struct model *in_editor(void)
{
	struct model *m = open_screen();
	auto_free char *runtime = path_join(settings_dir, "r");

	assert_int_equal(setenv("STACYVM_RUNTIME_DIR", runtime, 1), 0);
	m->effects = 0;
	fixture_keys(m, "e");
	assert_true(m->effects & EFFECT_EDITOR);
	assert_non_null(m->editor.path);
	assert_string_not_equal(m->editor.path, settings_path);
	return m;
}

static void assert_copy(const char *path, const char *text)
{
	auto_buf struct buf b = BUF_INIT;
	int r = fd_slurp_path(AT_FDCWD, path, KIB(64), &b);

	assert_int_equal(r < 0, !text);
	if (text)
		assert_string_equal(buf_str(&b), text);
}

static void test_settings__edited_and_taken(void **state)
{
	struct model *m;

	(void)state;
	put("# mine\nui:\n  theme: light\n");
	m = in_editor();
	assert_copy(m->editor.path, "# mine\nui:\n  theme: light\n");
	auto_free char *copy = fixture_leave_editor(m, "ui:\n  theme: mono\n", true);
	holds("ui:\n  theme: mono\n");
	assert_copy(copy, NULL);
	assert_shown(m, "the configuration is changed");
	assert_int_equal(settings_applied, 1);
	assert_null(m->dialog);
	assert_non_null(fixture_request(m, REQUEST_HANGUP));
	fixture_free(m);
}

static void test_settings__a_file_is_made_in_the_editor(void **state)
{
	struct model *m = in_editor();

	(void)state;
	free(fixture_leave_editor(m, NULL, true));
	assert_shown(m, "nothing was changed");
	holds(NULL);
	fixture_keys(m, "e");
	free(fixture_leave_editor(m, "ui: {theme: mono}\n", true));
	holds("ui: {theme: mono}\n");
	fixture_free(m);
}

/* The file is checked before it counts: the old one stays, the new isn't
 * lost. */
static void test_settings__edited_and_refused(void **state)
{
	struct model *m;

	(void)state;
	put("a: 1\n");
	m = in_editor();
	auto_free char *copy = fixture_leave_editor(m, "a: bad\n", true);
	holds("a: 1\n");
	assert_shown(m, "NOT TAKEN.  EDIT IT AGAIN?");
	assert_shown(m, "cannot set: 'bad' is not a value");
	assert_shown(m, copy);
	assert_int_equal(settings_applied, 0);
	m->effects = 0;
	fixture_keys(m, "y");
	assert_true(m->effects & EFFECT_EDITOR);
	assert_string_equal(m->editor.path, copy);
	assert_copy(copy, "a: bad\n");
	free(fixture_leave_editor(m, "a: 2 bad\n", false));
	assert_shown(m, "The editor failed.");
	fixture_keys(m, "n");
	assert_null(m->dialog);
	assert_shown(m, "what you wrote is in /");
	holds("a: 1\n");
	assert_copy(copy, "a: 2 bad\n");
	fixture_free(m);
}

static void test_settings__edited_beside_another(void **state)
{
	struct model *m;

	(void)state;
	put("a: 1\n");
	m = in_editor();
	put("a: 3\n");
	auto_free char *copy = fixture_leave_editor(m, "a: 2\n", true);
	holds("a: 3\n");
	assert_shown(m, "changed by another since");
	fixture_keys(m, "n");
	assert_copy(copy, "a: 2\n");
	fixture_free(m);
}

static size_t copies(void)
{
	auto_free char *runtime = path_join(settings_dir, "r");
	DIR *d = opendir(runtime);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += strncmp(e->d_name, "edit-", 5) == 0;
	closedir(d);
	return n;
}

/* Two keys at once: nobody would remove the copy of the second. */
static void test_settings__the_editor_is_opened_once(void **state)
{
	struct model *m;

	(void)state;
	put("a: 1\n");
	m = in_editor();
	fixture_keys(m, "e");
	assert_shown(m, "an editor is being opened already");
	assert_int_equal(copies(), 1);
	free(fixture_leave_editor(m, "a: 2\n", true));
	holds("a: 2\n");
	assert_int_equal(copies(), 0);
	fixture_free(m);
}

/* What was refused isn't lost where it can't be edited again now. */
static void test_settings__refused_beside_another_editor(void **state)
{
	struct model *m;

	(void)state;
	put("a: 1\n");
	m = in_editor();
	auto_free char *copy = fixture_leave_editor(m, "a: bad\n", true);
	m->editor.path = xstrdup("/another");
	m->editor.done = NULL;
	m->effects = 0;
	fixture_keys(m, "y");
	assert_null(m->dialog);
	assert_shown(m, "what you wrote is in /");
	assert_false(m->effects & EFFECT_EDITOR);
	assert_string_equal(m->editor.path, "/another");
	assert_copy(copy, "a: bad\n");
	fixture_free(m);
}

/* A file that is bad already is what must be mended. */
static void test_settings__a_bad_file_is_mended(void **state)
{
	struct model *m;

	(void)state;
	put("a: [bad\n");
	m = in_editor();
	assert_copy(m->editor.path, "a: [bad\n");
	free(fixture_leave_editor(m, "a: 1\n", true));
	holds("a: 1\n");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_settings__##name, \
						   settings_fixture_setup, \
						   settings_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_value_is_typed_where_it_stands),
		TEST(started_with_an_option),
		TEST(scrollback_of_open_terminals),
		TEST(a_bad_value_is_refused_in_place),
		TEST(escape_leaves_it_as_it_was),
		TEST(choices_count_when_applied),
		TEST(leaving_a_row_drops_the_choice),
		TEST(rows_that_come_while_typing),
		TEST(a_click_selects),
		TEST(undone_in_order_reset_included),
		TEST(others_work_is_not_undone),
		TEST(a_new_key),
		TEST(a_new_key_is_checked_first),
		TEST(a_new_key_of_another),
		TEST(what_the_daemon_takes_over_later),
		TEST(of_a_daemon_elsewhere),
		TEST(read_only_changes_nothing),
		TEST(a_secret_is_not_shown),
		TEST(the_default_provider),
		TEST(found_by_the_palette),
		TEST(explained_where_it_is_small),
		TEST(a_filter_that_matches_nothing),
		TEST(edited_and_taken),
		TEST(a_file_is_made_in_the_editor),
		TEST(edited_and_refused),
		TEST(edited_beside_another),
		TEST(the_editor_is_opened_once),
		TEST(refused_beside_another_editor),
		TEST(a_bad_file_is_mended),
#undef TEST
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
