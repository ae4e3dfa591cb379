/* SPDX-License-Identifier: MIT */
/* The rules of keymap.def, and changing it. */
#include <string.h>

#include "tests/unit/unit.h"
#include "tui/keymap.h"

static void keys_of(const struct keymap *k, enum context c, size_t i,
		    struct key keys[8], size_t *n, enum action *a)
{
	auto_buf struct buf text = BUF_INIT;
	char *rest = NULL;

	*n = 0;
	assert_true(keymap_binding(k, c, i, &text, a));
	for (char *w = strtok_r(text.data, " ", &rest); w;
	     w = strtok_r(NULL, " ", &rest))
		assert_int_equal(key_parse(w, &keys[(*n)++]), 0);
}

static size_t bindings(const struct keymap *k, enum context c)
{
	size_t n = 0;
	enum action a;

	for (;; n++) {
		auto_buf struct buf text = BUF_INIT;

		if (!keymap_binding(k, c, n, &text, &a))
			return n;
	}
}

static void test_keymap__no_key_twice(void **state)
{
	struct keymap *k = keymap_new();

	(void)state;
	for (int c = CTX_NONE + 1; c < CTX_MAX; c++) {
		size_t n = bindings(k, (enum context)c), nx, ny;
		struct key x[8], y[8];
		enum action ax, ay;

		assert_true(n > 0);
		for (size_t i = 0; i < n; i++)
			for (size_t j = i + 1; j < n; j++) {
				keys_of(k, (enum context)c, i, x, &nx, &ax);
				keys_of(k, (enum context)c, j, y, &ny, &ay);
				for (size_t p = 0; p < nx * ny; p++)
					if (key_is(x[p / ny], y[p % ny].code,
						   y[p % ny].mods))
						fail_msg("%s: %s and %s",
							 context_name(
							   (enum context)c),
							 action_info(ax)->name,
							 action_info(ay)->name);
			}
	}
	keymap_free(k);
}

static void test_keymap__actions(void **state)
{
	struct keymap *k = keymap_new();

	(void)state;
	for (int a = ACT_NONE + 1; a < ACT_MAX; a++) {
		const struct action_info *info = action_info((enum action)a);
		bool bound = info->flags & ACTION_GLOBAL;

		assert_true(info->name && *info->name);
		assert_true(info->what && *info->what);
		assert_int_equal(action_find(info->name), a);
		for (int c = CTX_NONE + 1; c < CTX_MAX; c++) {
			const enum context chain[] = { (enum context)c,
						       CTX_NONE };
			char text[KEY_NAME_MAX];

			bound |= *keymap_key(k, chain, (enum action)a,
					     text) != '\0';
		}
		if (!bound)
			fail_msg("%s has no key", info->name);
	}
	keymap_free(k);
}

/* What destroys is not where fingers slip. */
static void test_keymap__destroying(void **state)
{
	struct keymap *k = keymap_new();

	(void)state;
	for (int c = CTX_NONE + 1; c < CTX_MAX; c++)
		for (size_t i = 0; i < bindings(k, (enum context)c); i++) {
			struct key keys[8];
			enum action a;
			size_t n;

			keys_of(k, (enum context)c, i, keys, &n, &a);
			if (!(action_info(a)->flags & ACTION_DESTROYS))
				continue;
			for (size_t x = 0; x < n; x++) {
				assert_false(keys[x].mods & KEY_MOD_CTRL);
				assert_int_not_equal(keys[x].code,
						     KEY_CODE_BACKSPACE);
				assert_null(strchr("hjklgG",
						   (int)keys[x].code));
			}
		}
	keymap_free(k);
}

static void test_keymap__chain(void **state)
{
	static const enum context chain[] = { CTX_LOGS, CTX_LIST, CTX_GLOBAL,
					      CTX_NONE };
	static const enum context providers[] = { CTX_PROVIDERS, CTX_LIST,
						  CTX_GLOBAL, CTX_NONE };
	struct keymap *k = keymap_new();
	char text[KEY_NAME_MAX];

	(void)state;
	/* The nearest context wins. */
	assert_int_equal(keymap_find(k, chain, (struct key){ ' ', 0 }),
			 ACT_FOLLOW);
	assert_int_equal(keymap_find(k, chain, (struct key){ 'q', 0 }),
			 ACT_QUIT);
	assert_int_equal(keymap_find(k, chain, (struct key){ 'D', 0 }),
			 ACT_NONE);
	/* So r refreshes where it means nothing else. */
	assert_int_equal(keymap_find(k, chain, (struct key){ 'r', 0 }),
			 ACT_REFRESH);
	assert_int_equal(keymap_find(k, providers, (struct key){ 'r', 0 }),
			 ACT_TEST);
	/* MARK has Space in lists, which means something else here. */
	assert_string_equal(keymap_key(k, chain, ACT_MARK, text), "");
	assert_string_equal(keymap_key(k, chain, ACT_DOWN, text), "j");
	keymap_free(k);
}

static void test_keymap__set(void **state)
{
	static const enum context chain[] = { CTX_SANDBOXES, CTX_NONE };
	static const char *const bad[][2] = {
		{ "sandboxes.kill", "^X" },      /* destroys */
		{ "sandboxes.kill", "t" },       /* the terminal's */
		{ "sandboxes.kill", "Nope" },
		{ "sandboxes.kill", "1 2 3 4 5" },
		{ "sandboxes.nothing", "x" },
		{ "nowhere.kill", "x" },
		{ "kill", "x" },
		{ "terminal.leave", "" },        /* no way out */
		{ "form.close", " " },
		{ "confirm.no", "" },
		/* What a terminal is for. */
		{ "terminal.leave", "Enter" }, { "terminal.leave", "x" },
		{ "terminal.leave", "Escape" }, { "terminal.leave", "Tab" },
		{ "terminal.leave", "^C" }, { "terminal.leave", "^M" },
		{ "terminal.leave", "^D" }, { "terminal.leave", "^[" },
		{ "terminal.leave", "Backspace" },
		{ "terminal.leave", "F12 Up" },
		{ "terminal.scroll-up", "PageUp" },
	};
	static const char *const leaving[] = { "F12", "^G", "^]", "M-q",
					       "C-Up", "^T F1" };
	struct keymap *k = keymap_new();
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (keymap_set(k, bad[i][0], bad[i][1], &err) == 0)
			fail_msg("%s: %s", bad[i][0], bad[i][1]);
		assert_int_equal(err.code, SVM_BAD_REQUEST);
		svm_err_release(&err);
		assert_int_equal(keymap_find(k, chain,
					     (struct key){ 'd', 0 }),
				 ACT_KILL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(leaving); i++)
		assert_int_equal(keymap_set(k, "terminal.leave", leaving[i],
					    &err), 0);
	assert_int_equal(keymap_set(k, "sandboxes.kill", "K F8", &err), 0);
	assert_int_equal(keymap_find(k, chain, (struct key){ 'd', 0 }),
			 ACT_NONE);
	assert_int_equal(keymap_find(k, chain, (struct key){ 'K', 0 }),
			 ACT_KILL);
	assert_int_equal(keymap_set(k, "sandboxes.kill", "", &err), 0);
	assert_int_equal(keymap_find(k, chain, (struct key){ 'K', 0 }),
			 ACT_NONE);
	keymap_free(k);
}

static void test_keymap__change_places(void **state)
{
	static const enum context chain[] = { CTX_SANDBOXES, CTX_NONE };
	static const struct keymap_change swap[] = {
		{ "sandboxes.kill", "t", NULL, NULL },
		{ "sandboxes.terminal", "d", NULL, NULL },
	};
	static const struct keymap_change bad[] = {
		{ "sandboxes.files", "F5", "a.yaml:1", NULL },
		{ "sandboxes.exec", "F5", "a.yaml:2", NULL },
	};
	static const struct keymap_change named = {
		"terminal.leave", "Enter", "a.yaml:3", "ui.leave_key" };
	struct keymap *k = keymap_new();
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	assert_int_equal(keymap_change(k, swap, 2, &err), 0);
	assert_int_equal(keymap_find(k, chain, (struct key){ 't', 0 }),
			 ACT_KILL);
	assert_int_equal(keymap_find(k, chain, (struct key){ 'd', 0 }),
			 ACT_TERMINAL);
	/* All or none. */
	assert_int_equal(keymap_change(k, bad, 2, &err), -1);
	assert_non_null(strstr(err.msg, "a.yaml:1: keys.sandboxes.files"));
	svm_err_release(&err);
	assert_int_equal(keymap_change(k, &named, 1, &err), -1);
	assert_non_null(strstr(err.msg, "a.yaml:3: ui.leave_key: 'Enter' is "
					"for what runs"));
	assert_int_equal(keymap_find(k, chain, (struct key){ 'f', 0 }),
			 ACT_FILES);
	keymap_free(k);
}

/* Who opens a menu, a form or a question can leave it by keyboard. */
static void test_keymap__ways_out(void **state)
{
	static const struct {
		enum context context;
		enum action action;
	} out[] = {
		{ CTX_TERMINAL, ACT_LEAVE }, { CTX_FORM, ACT_CLOSE },
		{ CTX_SPAWNING, ACT_BACKGROUND },
		{ CTX_PROMPT, ACT_CLOSE }, { CTX_CONFIRM, ACT_NO },
		{ CTX_PALETTE, ACT_CLOSE }, { CTX_HELP, ACT_CLOSE },
		{ CTX_MENU, ACT_CLOSE }, { CTX_GLOBAL, ACT_QUIT },
	};
	struct keymap *k = keymap_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(out); i++) {
		const enum context chain[] = { out[i].context, CTX_NONE };
		char text[KEY_NAME_MAX];

		assert_string_not_equal(keymap_key(k, chain, out[i].action,
						   text), "");
	}
	keymap_free(k);
}

static void test_keymap__print(void **state)
{
	struct keymap *k = keymap_new();
	auto_buf struct buf text = BUF_INIT;

	(void)state;
	keymap_print(k, &text);
	for (int c = CTX_NONE + 1; c < CTX_MAX; c++)
		assert_non_null(strstr(text.data,
				       context_what((enum context)c)));
	keymap_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keymap__no_key_twice),
		cmocka_unit_test(test_keymap__actions),
		cmocka_unit_test(test_keymap__destroying),
		cmocka_unit_test(test_keymap__chain),
		cmocka_unit_test(test_keymap__set),
		cmocka_unit_test(test_keymap__change_places),
		cmocka_unit_test(test_keymap__ways_out),
		cmocka_unit_test(test_keymap__print),
	};

	return cmocka_run_group_tests_name("keymap", tests, NULL, NULL);
}
