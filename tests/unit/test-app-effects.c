/* SPDX-License-Identifier: MIT */
/* What an update asked for, and what comes of it, without loop, terminal and
 * daemon: the two who would send are here. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "tests/unit/model-fixture.h"
#include "tui/app.h"

struct fetch {
	struct model *m;
	size_t sent; /* taken from the model */
};

struct links {
	size_t looked;
};

void fetch_sync(struct fetch *f)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &f->m->requests) {
		struct request *r = list_entry(pos, struct request, link);

		list_remove(&r->link);
		f->m->waiting--;
		request_free(r);
		f->sent++;
	}
}

void fetch_cancel(struct fetch *f)
{
	(void)f;
}

void links_sync(struct links *ls)
{
	ls->looked++;
}

bool app_resume(struct app *a)
{
	(void)a;
	return false;
}

static const struct tui_options options = { .dump = true };

static struct app start(struct fetch *f, struct links *ls)
{
	struct app a = { .o = &options, .m = fixture_model(30, 100),
			 .fetch = f, .links = ls };

	f->m = a.m;
	fetch_sync(f);
	f->sent = 0;
	a.m->effects = 0;
	return a;
}

static void send_something(struct model *m, void *data, bool ok)
{
	unsigned *left = data;

	(void)ok;
	request_send(m, request_new("GET", xstrdup("/api/v1/health"), NULL));
	if (!--*left)
		return;
	m->editor.path = xstrdup("/nowhere");
	m->effects |= EFFECT_EDITOR;
}

/* No key comes after an editor that was left: what is to be sent then would
 * wait for one. */
static void test_app_effects__what_an_editor_leaves_is_sent(void **state)
{
	struct fetch f = { 0 };
	struct links ls = { 0 };
	struct app a = start(&f, &ls);
	unsigned editors = 1;

	(void)state;
	a.m->editor.path = xstrdup("/nowhere");
	a.m->editor.done = send_something;
	a.m->editor.data = &editors;
	a.m->effects = EFFECT_EDITOR | EFFECT_REDRAW;
	app_carry_out(&a);
	assert_int_equal(f.sent, 1);
	assert_int_equal(ls.looked, 2);
	/* Painting and quitting are the loop's. */
	assert_int_equal(a.m->effects, EFFECT_REDRAW);
	assert_int_equal(a.m->waiting, 0);

	/* And one editor after another, each with something to be sent. */
	editors = 3;
	a.m->editor.path = xstrdup("/nowhere");
	a.m->effects = EFFECT_EDITOR | EFFECT_QUIT;
	app_carry_out(&a);
	assert_int_equal(f.sent, 4);
	assert_int_equal(a.m->effects, EFFECT_REDRAW | EFFECT_QUIT);
	fixture_free(a.m);
}

static void keep_why(struct model *m, void *data, bool ok)
{
	char **ret = data;

	free(*ret);
	*ret = xstrdup(ok ? "" : m->editor.err.msg);
}

static char *edit_with(struct app *a, const char *visual, const char *editor)
{
	char *why = NULL;

	setenv("VISUAL", visual, 1);
	setenv("EDITOR", editor, 1);
	a->m->editor.path = xstrdup("/nowhere");
	a->m->editor.done = keep_why;
	a->m->editor.data = &why;
	a->m->effects = EFFECT_EDITOR;
	app_carry_out(a);
	return why;
}

/* What can't be run is named, and why, without leaving the dashboard. */
static void test_app_effects__no_editor(void **state)
{
	struct fetch f = { 0 };
	struct links ls = { 0 };
	struct app a = start(&f, &ls);

	(void)state;
	auto_free char *none = edit_with(&a, "", "no-such-ed --wait");
	assert_string_equal(none, "can't start the editor: 'no-such-ed' is "
				  "not in PATH");
	assert_string_equal(a.m->editor.err.hint,
			    "choose another with VISUAL or EDITOR");
	auto_free char *gone = edit_with(&a, "/no/such/ed", "sh");
	assert_string_equal(gone, "can't start the editor: can't run "
				  "'/no/such/ed': No such file or directory");
	auto_free char *dir = edit_with(&a, "/tmp", "sh");
	assert_string_equal(dir, "can't start the editor: can't run '/tmp': "
				 "Permission denied");
	auto_free char *good = edit_with(&a, " ", "sh");
	assert_string_equal(good, "");
	unsetenv("VISUAL");
	unsetenv("EDITOR");
	fixture_free(a.m);
}

static struct model *copied(const char *runtime, const char *text, size_t n)
{
	struct fetch f = { 0 };
	struct links ls = { 0 };
	struct app a = start(&f, &ls);

	setenv("STACYVM_RUNTIME_DIR", runtime, 1);
	model_copy(a.m, text, n, "it");
	app_carry_out(&a);
	return a.m;
}

/* It says that it was copied when it was, and where it isn't. */
static void test_app_effects__copied_or_not(void **state)
{
	char base[] = "/tmp/test-app-effects.XXXXXX";
	auto_free char *text = xmalloc(LIMIT_TUI_CLIPBOARD + 1);
	auto_buf struct buf out = BUF_INIT;

	(void)state;
	memset(text, 'x', LIMIT_TUI_CLIPBOARD + 1);
	unsetenv("TMUX");
	assert_non_null(mkdtemp(base));
	auto_free char *runtime = path_join(base, "not/yet");
	auto_free char *file = path_join(runtime, "clipboard");
	auto_free char *below = path_join(file, "run");
	struct model *m = copied(runtime, "this", 4);

	assert_string_equal(m->toast, "copied it");
	assert_int_equal(fd_slurp_file(AT_FDCWD, file, 99, &out), 0);
	assert_string_equal(buf_str(&out), "this");
	fixture_free(m);

	m = copied(runtime, text, LIMIT_TUI_CLIPBOARD + 1);
	assert_non_null(strstr(m->toast, "they are in"));
	fixture_free(m);

	/* A directory that can't be. */
	for (size_t n = LIMIT_TUI_CLIPBOARD; n <= LIMIT_TUI_CLIPBOARD + 1; n++) {
		m = copied(below, text, n);
		assert_true(strncmp(m->toast, "not copied: ", 12) == 0);
		assert_true(m->toast_bad);
		fixture_free(m);
	}
	/* A file that can't be. */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkdir(file, 0700), 0);
	m = copied(runtime, "this", 4);
	assert_true(strncmp(m->toast, "not copied: cannot write", 24) == 0);
	fixture_free(m);
	auto_close int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(path_remove_tree(tmp, base + strlen("/tmp/")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_app_effects__what_an_editor_leaves_is_sent),
		cmocka_unit_test(test_app_effects__no_editor),
		cmocka_unit_test(test_app_effects__copied_or_not),
	};

	return cmocka_run_group_tests_name("app_effects", tests, NULL, NULL);
}
