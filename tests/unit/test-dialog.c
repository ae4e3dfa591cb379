/* SPDX-License-Identifier: MIT */
/* What stands above a screen: keys in, requests and text out. */
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>

#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "lib/base/width.h"
#include "tests/unit/model-fixture.h"
#include "tui/sandbox-act.h"

static struct model *start(void **state)
{
	(void)state;
	return fixture_model(30, 100);
}

static void assert_no_dialog(const struct model *m)
{
	assert_null(m->dialog);
}

/* -- questions */

struct asked {
	int yes, released;
};

static void on_yes(struct model *m, void *data)
{
	(void)m;
	((struct asked *)data)->yes++;
}

static void on_release(void *data)
{
	((struct asked *)data)->released++;
}

static void ask(struct model *m, struct asked *a, const char *name)
{
	*a = (struct asked){ 0 };
	confirm_ask(m, &(struct confirm){
			       .title = "REALLY?",
			       .lines = (const char *const[]){ "lost", NULL },
			       .name = name,
			       .yes = on_yes,
			       .release = on_release,
			       .data = a });
}

static void test_dialog__confirm(void **state)
{
	static const struct {
		const char *keys;
		int yes;
	} cases[] = {
		{ "Enter", 0 },	    { "n", 0 },	      { "Escape", 0 },
		{ "^C", 0 },	    { "y", 1 },	      { "a n", 0 },
		{ "Right Enter", 1 },
		{ "Tab Enter", 1 },
		{ "Right Left Enter", 0 },
		{ "Right Right Enter", 0 },
		{ "q x Space Enter", 0 },
	};
	struct model *m = start(state);
	struct asked a;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ask(m, &a, NULL);
		assert_shown(m, "REALLY?");
		assert_shown(m, "[ No ]");
		fixture_keys(m, cases[i].keys);
		assert_no_dialog(m);
		assert_int_equal(a.yes, cases[i].yes);
		assert_int_equal(a.released, 1);
	}
	/* Nor does leaving the program. */
	ask(m, &a, NULL);
	fixture_free(m);
	assert_int_equal(a.yes, 0);
	assert_int_equal(a.released, 1);
}

static void test_dialog__confirm_by_name(void **state)
{
	struct model *m = start(state);
	struct asked a;

	ask(m, &a, "prod");
	fixture_keys(m, "y Enter"); /* "y" is text */
	assert_shown(m, "it is prod");
	assert_int_equal(a.released, 0);
	fixture_paste(m, "prod");
	fixture_keys(m, "Enter"); /* has to be typed */
	assert_int_equal(a.yes, 0);
	fixture_type(m, "prox");
	fixture_keys(m, "Backspace d Enter");
	assert_int_equal(a.yes, 1);
	assert_int_equal(a.released, 1);
	ask(m, &a, "prod");
	fixture_type(m, "prod");
	fixture_keys(m, "Escape");
	assert_no_dialog(m);
	assert_int_equal(a.yes, 0);
	assert_int_equal(a.released, 1);
	fixture_free(m);
}

/* -- kill: asks, waits, can be undone, is sent once */

static void test_dialog__kill_and_undo(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "j d");
	assert_shown(m, "KILL sb-7f3a91c2?");
	fixture_keys(m, "y");
	assert_null(fixture_request(m, "DELETE"));
	assert_shown(m, "killing sb-7f3a91c2 in 5 s");
	fixture_keys(m, "u");
	fixture_time(m, INT64_C(6000000000));
	update_tick(m);
	assert_null(fixture_request(m, "DELETE"));
	fixture_keys(m, "d y");
	fixture_time(m, INT64_C(4900000000));
	update_tick(m);
	assert_null(fixture_request(m, "DELETE"));
	fixture_time(m, INT64_C(200000000));
	update_tick(m);
	assert_string_equal(fixture_request(m, "DELETE")->target,
			    "/api/v1/sandboxes/sb-7f3a91c2");
	assert_int_equal(fixture_answer(m, "DELETE",
					"/api/v1/sandboxes/sb-7f3a91c2",
					SVM_OK, ""), 1);
	assert_not_shown(m, "sb-7f3a91c2 web");
	assert_shown(m, "killed sb-7f3a91c2");
	fixture_free(m);
}

/* On a low screen not all is named; what is lost is said all the same. */
static void test_dialog__many_on_a_low_screen(void **state)
{
	struct model *m = fixture_model(10, 40);

	(void)state;
	confirm_ask(m, &(struct confirm){
			       .title = "REALLY?",
			       .lines = (const char *const[]){
				       "one", "two", "three", "four", "five",
				       "six", "seven", "all is lost", NULL },
			       .yes = on_yes });
	assert_shown(m, "four");
	assert_shown(m, "...");
	assert_not_shown(m, "six");
	assert_shown(m, "all is lost");
	fixture_keys(m, "n");
	assert_no_dialog(m);
	fixture_free(m);
}

static void test_dialog__failed_kill_is_told(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "j Space d y");
	fixture_time(m, INT64_C(6000000000));
	update_tick(m);
	fixture_answer(m, "DELETE", "/api/v1/sandboxes/sb-7f3a91c2",
		       SVM_FORBIDDEN, "it is somebody else's");
	assert_shown(m, "kill sb-7f3a91c2: it is somebody else's");
	assert_shown(m, "  sb-7f3a91c2 web      \u25cf run");
	fixture_free(m);
}

/* -- menus */

static void test_dialog__menu(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "j x");
	assert_shown(m, "extend the time to live");
	fixture_keys(m, "E"); /* its key chooses it */
	assert_shown(m, "EXTEND sb-7f3a91c2");
	/* What is done to the marked ones says so, whatever is selected. */
	fixture_keys(m, "Escape Space j x");
	assert_shown(m, "extend the time to live (of all marked): 1 marked");
	fixture_keys(m, "Escape k Space k x");
	assert_not_shown(m, "1 marked");
	fixture_keys(m, "Down Down Up Enter");
	assert_int_equal(m->screen, SCREEN_WORKSPACE); /* new terminal */
	fixture_free(m);
	m = start(state);
	m->read_only = true;
	fixture_keys(m, "x");
	assert_not_shown(m, "kill the selected");
	assert_shown(m, "logs of the sandbox");
	fixture_keys(m, "Escape");
	assert_no_dialog(m);
	fixture_free(m);
}

/* -- prompts */

static void test_dialog__prompt(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "j E ^U");
	fixture_type(m, "-1h");
	fixture_keys(m, "Enter");
	assert_shown(m, "not a duration");
	fixture_keys(m, "^U");
	fixture_paste(m, "2\nh\033"); /* one line of text */
	fixture_keys(m, "Enter");
	assert_no_dialog(m);
	assert_string_equal(buf_str(&fixture_request(m, "POST")->body),
			    "{\"ttl\":\"2h\"}");
	fixture_keys(m, "E Escape");
	assert_no_dialog(m);
	fixture_free(m);
}

/* -- help */

static void on_path(struct model *m, const char *text, void *data)
{
	(void)m;
	snprintf(data, 200, "%s", text);
}

static void ask_path(struct model *m, const char *path, char *got)
{
	*got = '\0';
	prompt_open(m, &(struct prompt){ .title = "SAVE",
					 .label = "to",
					 .writes = prompt_writes_it,
					 .done = on_path,
					 .data = got });
	fixture_type(m, path);
	fixture_keys(m, "Enter");
}

/* What is there is asked about before it is written, or refused. */
static void test_dialog__prompt_replaces(void **state)
{
	char dir[] = "/tmp/svmdXXXXXX", got[200];
	struct model *m = start(state);

	assert_non_null(mkdtemp(dir));
	auto_free char *new = path_join(dir, "new"), *old = path_join(dir, "old"),
		       *fifo = path_join(dir, "fifo"),
		       *link = path_join(dir, "link");

	assert_int_equal(fd_replace_path(AT_FDCWD, old, "abc", 3, 0600), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(symlink("fifo", link), 0);
	ask_path(m, new, got);
	assert_no_dialog(m);
	assert_string_equal(got, new);
	ask_path(m, dir, got);
	assert_shown(m, "is a directory: name a file");
	fixture_keys(m, "Escape");
	ask_path(m, fifo, got);
	assert_shown(m, "is no file: name a file");
	fixture_keys(m, "Escape");
	ask_path(m, link, got);
	assert_shown(m, "link is no file: name a file");
	fixture_keys(m, "Escape");
	assert_int_equal(unlink(link), 0);
	/* The link's own length, 6, isn't what is lost. */
	assert_int_equal(symlink(".//old", link), 0);
	ask_path(m, link, got);
	assert_shown(m, "/link -> /");
	assert_shown(m, "/.//old");
	assert_shown(m, "What it holds now, 3 B, is lost.");
	fixture_keys(m, "Escape Escape");
	ask_path(m, old, got);
	assert_shown(m, "REPLACE A FILE?");
	assert_shown(m, "What it holds now, 3 B, is lost.");
	/* No is the default, and leads back. */
	fixture_keys(m, "Enter");
	assert_shown(m, "Enter does it, Esc leaves");
	assert_string_equal(got, "");
	fixture_keys(m, "Enter y");
	assert_no_dialog(m);
	assert_string_equal(got, old);
	unlink(old);
	unlink(fifo);
	unlink(link);
	rmdir(dir);
	fixture_free(m);
}

static void open_local(struct model *m, const char *text)
{
	prompt_open(m, &(struct prompt){ .title = "SAVE",
					 .label = "local file",
					 .text = text,
					 .past = PAST_LOCAL,
					 .done = on_path });
}

/* A name alone doesn't say where it goes. */
static void test_dialog__prompt_shows_the_place(void **state)
{
	char top[] = "/tmp/svmdXXXXXX";
	auto_free char *before = getcwd(NULL, 0);
	auto_free char *home = xstrdup(getenv("HOME") ? getenv("HOME") : "/");
	struct model *m = start(state);

	assert_non_null(mkdtemp(top));
	assert_int_equal(chdir(top), 0);
	setenv("HOME", "/tmp/svmd-elsewhere", true);
	auto_free char *in_top = xasprintf("is %s/a.log", top);
	auto_free char *dir = xstrdup(top);

	open_local(m, "a.log");
	assert_shown(m, in_top);
	fixture_keys(m, "Escape");
	open_local(m, "/etc/b.log");
	assert_shown(m, "is /etc/b.log");
	fixture_keys(m, "Escape");
	setenv("HOME", top, true);
	open_local(m, "./a.log");
	assert_shown(m, "is ~/a.log");
	fixture_type(m, "2");
	assert_shown(m, "is ~/a.log2");
	fixture_keys(m, "Escape");
	open_local(m, ".");
	assert_shown(m, "is ~ ");
	fixture_keys(m, "Escape");
	/* A neighbour of the home directory is none of it. */
	top[strlen(top) - 1] = '\0';
	setenv("HOME", top, true);
	open_local(m, "a.log");
	assert_shown(m, "is /tmp/svmd");
	fixture_keys(m, "Escape");
	/* The end of a long one, and nothing a terminal would obey. */
	open_local(m, "/0123456789/0123456789/0123456789/0123456789/0123456789/"
		      "0123456789/\033[31m/the-end");
	assert_shown(m, "is ...");
	assert_shown(m, "[31m/the-end");
	fixture_keys(m, "Escape");
	fixture_free(m);
	setenv("HOME", home, true);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void test_dialog__help(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "?");
	assert_shown(m, "HELP: sandboxes");
	assert_shown(m, "kill the selected");
	fixture_type(m, "palet");
	assert_not_shown(m, "kill the selected");
	fixture_keys(m, "^U Down Down");
	assert_not_shown(m, "live terminal");
	fixture_keys(m, "Up Up");
	assert_shown(m, "live terminal");
	for (int i = 0; i < 200; i++)
		fixture_keys(m, "PageDown");
	assert_shown(m, "quit; sandboxes go on running");
	fixture_keys(m, "Escape");
	assert_no_dialog(m);
	fixture_free(m);
}

/* What has no key any more isn't in it. */
static void test_dialog__help_of_changed_keys(void **state)
{
	struct model *m = start(state);
	auto_err struct svm_err err = SVM_ERR_INIT;

	assert_int_equal(keymap_set(m->keymap, "sandboxes.kill", "F8", &err),
			 0);
	assert_int_equal(keymap_set(m->keymap, "sandboxes.preview", "", &err),
			 0);
	fixture_keys(m, "?");
	assert_shown(m, "F8 ");
	assert_not_shown(m, "address of a port");
	fixture_free(m);
}

static void type_command(struct model *m, const char *text)
{
	fixture_keys(m, ":");
	fixture_type(m, text);
	fixture_keys(m, "Enter");
	assert_true(!m->dialog || strcmp(text, "q") != 0);
}

/* -- leaving */

static void test_dialog__quit(void **state)
{
	struct model *m = start(state);

	/* Nothing would be lost: nothing is asked. */
	fixture_keys(m, "q");
	assert_true(m->effects & EFFECT_QUIT);
	assert_no_dialog(m);
	m->effects = 0;
	/* ^C twice asks, and No is the default. */
	fixture_keys(m, "^C");
	assert_shown(m, "^C again quits; sandboxes go on running");
	assert_false(m->effects & EFFECT_CANCEL);
	fixture_keys(m, "^C");
	assert_shown(m, "QUIT?");
	assert_shown(m, "Sandboxes go on running.");
	fixture_keys(m, "Enter");
	assert_false(m->effects & EFFECT_QUIT);
	/* Another key in between: it is the first again. */
	fixture_keys(m, "^C j ^C");
	assert_no_dialog(m);
	fixture_keys(m, "^C y");
	assert_true(m->effects & EFFECT_QUIT);
	fixture_free(m);
}

/* What runs is cancelled first. */
static void test_dialog__interrupt(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "j e");
	fixture_type(m, "sleep 9");
	fixture_keys(m, "Enter ^C");
	assert_true(m->effects & EFFECT_CANCEL);
	assert_shown(m, "cancelled; ^C again quits");
	assert_no_dialog(m);
	fixture_keys(m, "^C");
	assert_shown(m, "QUIT?");
	fixture_free(m);
}

/* -- what loses much */

/* Only the word does it, and no setting leaves it out. */
static void test_dialog__prune_all(void **state)
{
	struct model *m = start(state);

	for (int i = CONFIRM_ALWAYS; i <= CONFIRM_NEVER; i++) {
		m->set.confirm = i;
		type_command(m, "prune-all");
		assert_shown(m, "KILL ALL SANDBOXES (5)?");
		assert_shown(m, "type all:");
		fixture_keys(m, "Enter y Enter A L L Enter");
		assert_shown(m, "it is all:");
		assert_int_equal(sandbox_act_wake(m), 0);
		fixture_keys(m, "Escape");
		assert_no_dialog(m);
	}
	type_command(m, "prune-all");
	fixture_type(m, "all");
	fixture_keys(m, "Enter");
	assert_shown(m, "killing 5 in 5 s; u undoes");
	fixture_keys(m, "u");
	assert_shown(m, "5 stay");
	/* What is over is asked about as well, but No is enough. */
	type_command(m, "prune");
	assert_shown(m, "KILL WHAT HAS EXPIRED?");
	assert_shown(m, "[ No ]");
	fixture_keys(m, "Enter");
	assert_null(fixture_request(m, "DELETE"));
	type_command(m, "prune");
	fixture_keys(m, "y");
	assert_string_equal(fixture_request(m, "DELETE")->target,
			    "/api/v1/sandboxes");
	fixture_no_sandboxes(m);
	type_command(m, "prune-all");
	assert_no_dialog(m);
	assert_shown(m, "there is no sandbox");
	fixture_free(m);
}

/* In use: its name; not in use: No is the default. */
static void test_dialog__delete_template(void **state)
{
	struct model *m = start(state);

	m->set.confirm = CONFIRM_NEVER;
	fixture_keys(m, "3 D");
	assert_shown(m, "1 sandbox was made from it");
	fixture_keys(m, "y Enter d a t a Enter");
	assert_shown(m, "it is data-science:");
	assert_null(fixture_request(m, "DELETE"));
	fixture_type(m, "data-science");
	fixture_keys(m, "Enter");
	assert_string_equal(fixture_request(m, "DELETE")->target,
			    "/api/v1/templates/data-science");
	fixture_answer(m, "DELETE", "/api/v1/templates/data-science", SVM_OK,
		       "{}");
	fixture_keys(m, "j D");
	assert_shown(m, "[ No ]");
	fixture_keys(m, "Enter");
	assert_null(fixture_request(m, "DELETE"));
	fixture_free(m);
}

/* What can be checked here is, while it can be mended. */
static void test_dialog__template_names(void **state)
{
	static const char *const bad[] = {
		"web!bad", "a/b", "..",
		("65-------------------------------"
		 "--------------------------------"),
	};
	struct model *m = start(state);

	fixture_keys(m, "3 n Enter");
	assert_shown(m, "a name is needed");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fixture_keys(m, "^U");
		fixture_type(m, bad[i]);
		fixture_keys(m, "Enter");
		assert_shown(m, "NEW TEMPLATE");
		assert_shown(m, "1 to 64 letters, digits, spaces and ._-, not "
				". or ..");
		assert_not_shown(m, "image host");
	}
	fixture_keys(m, "^U");
	fixture_type(m, "web.ok");
	fixture_keys(m, "Enter");
	assert_shown(m, "image host");
	fixture_keys(m, "^U Enter");
	assert_shown(m, "an image is needed");
	assert_null(fixture_request(m, "POST"));
	fixture_type(m, "host");
	fixture_keys(m, "Enter");
	assert_no_dialog(m);
	assert_non_null(fixture_request(m, "POST"));
	fixture_free(m);
}

/* -- all of them */

/* No key and no paste does anything to the screen below. */
static void test_dialog__has_the_keys(void **state)
{
	static const char *const open[] = { "j d", "x", "E", "?", ":", "s" };
	struct model *m = start(state);

	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		fixture_keys(m, open[i]);
		assert_non_null(m->dialog);
		fixture_paste(m, "2d\ry");
		update_input(m, &(struct input_event){
					.type = INPUT_MOUSE,
					.mouse = { .kind = MOUSE_PRESS,
						   .row = 1, .col = 8 } });
		assert_int_equal(m->screen, SCREEN_DASH);
		assert_non_null(m->dialog);
		assert_null(fixture_request(m, "DELETE"));
		fixture_keys(m, "Escape");
		if (m->dialog) /* what is filled in asks */
			fixture_keys(m, "y");
		assert_no_dialog(m);
	}
	fixture_free(m);
}

/* ^Z suspends wherever one is, in the middle of a line too; but what runs in a
 * live terminal has its own. */
static void test_dialog__suspended_anywhere(void **state)
{
	static const char *const open[] = {
		"1", "1 /", "2 /", "3 /", "4 /", "5 /", "5 &", "6 /",
		"6 Enter", "7 /", "d", "x", "E", "?", ":", "s" };
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct model *m = start(state);

	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		fixture_keys(m, open[i]);
		m->effects = 0;
		fixture_keys(m, "^Z");
		if (!(m->effects & EFFECT_SUSPEND))
			fail_msg("not after '%s'", open[i]);
		m->effects = 0;
		fixture_keys(m, "^L");
		assert_true(m->effects & EFFECT_REPAINT);
		fixture_keys(m, "Escape 1");
	}
	assert_int_equal(keymap_set(m->keymap, "global.suspend", "Z", &err), 0);
	fixture_keys(m, "2 /");
	m->effects = 0;
	fixture_keys(m, "Z"); /* is text there */
	assert_false(m->effects & EFFECT_SUSPEND);
	fixture_keys(m, "Escape Z");
	assert_true(m->effects & EFFECT_SUSPEND);
	assert_int_equal(keymap_set(m->keymap, "global.suspend", "^Z", &err),
			 0);
	fixture_keys(m, "T");
	m->effects = 0;
	fixture_keys(m, "^Z");
	assert_false(m->effects & EFFECT_SUSPEND);
	fixture_free(m);
}

/* -- the mouse */

/* A click on this text, which is on the screen once; beside it by `right`
 * columns. */
static void click_on(struct model *m, const char *text, int right)
{
	auto_free char *screen = fixture_screen(m);
	const char *at = strstr(screen, text), *line = at;
	struct input_event ev = { .type = INPUT_MOUSE };

	if (!at)
		fail_msg("no '%s' in\n%s", text, screen);
	while (line > screen && line[-1] != '\n')
		line--;
	for (const char *p = screen; p < line; p++)
		ev.mouse.row += *p == '\n';
	ev.mouse.col = (int)width_text(line, (size_t)(at - line)) + right;
	ev.mouse.kind = MOUSE_PRESS;
	ev.mouse.button = 1;
	update_input(m, &ev);
}

static void test_dialog__click_confirm(void **state)
{
	struct model *m = start(state);
	struct asked a;

	ask(m, &a, NULL);
	click_on(m, "lost", 0);
	click_on(m, "REALLY", -40); /* beside it: a question stays */
	assert_non_null(m->dialog);
	click_on(m, "[ No ]", 2);
	assert_no_dialog(m);
	assert_int_equal(a.yes, 0);
	ask(m, &a, NULL);
	click_on(m, "Yes  ", 0);
	assert_no_dialog(m);
	assert_int_equal(a.yes, 1);
	fixture_free(m);
}

static void test_dialog__click_lists(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "2 j x");
	click_on(m, "extend the time to live", 0);
	assert_shown(m, "EXTEND");
	fixture_keys(m, "Escape x");
	click_on(m, "FLEET", 0); /* beside it: the menu goes */
	assert_no_dialog(m);
	fixture_keys(m, ":");
	fixture_type(m, "settings");
	click_on(m, "config  ", 3);
	assert_no_dialog(m);
	assert_int_equal(m->screen, SCREEN_CONFIG);
	fixture_free(m);
}

static void test_dialog__click_form(void **state)
{
	struct model *m = start(state);

	fixture_keys(m, "s");
	click_on(m, "ttl  ", 12);
	fixture_type(m, "7m");
	assert_shown(m, "--ttl 7m");
	fixture_keys(m, "Escape y");
	fixture_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialog__confirm),
		cmocka_unit_test(test_dialog__confirm_by_name),
		cmocka_unit_test(test_dialog__kill_and_undo),
		cmocka_unit_test(test_dialog__many_on_a_low_screen),
		cmocka_unit_test(test_dialog__failed_kill_is_told),
		cmocka_unit_test(test_dialog__menu),
		cmocka_unit_test(test_dialog__prompt),
		cmocka_unit_test(test_dialog__prompt_replaces),
		cmocka_unit_test(test_dialog__prompt_shows_the_place),
		cmocka_unit_test(test_dialog__help),
		cmocka_unit_test(test_dialog__help_of_changed_keys),
		cmocka_unit_test(test_dialog__quit),
		cmocka_unit_test(test_dialog__interrupt),
		cmocka_unit_test(test_dialog__prune_all),
		cmocka_unit_test(test_dialog__delete_template),
		cmocka_unit_test(test_dialog__template_names),
		cmocka_unit_test(test_dialog__has_the_keys),
		cmocka_unit_test(test_dialog__suspended_anywhere),
		cmocka_unit_test(test_dialog__click_confirm),
		cmocka_unit_test(test_dialog__click_lists),
		cmocka_unit_test(test_dialog__click_form),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("dialog", tests, NULL, NULL);
}
