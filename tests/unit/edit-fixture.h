/* SPDX-License-Identifier: MIT */
/* A file of a sandbox in the editor, with a state directory of its own. */
#ifndef SVM_TESTS_EDIT_FIXTURE_H
#define SVM_TESTS_EDIT_FIXTURE_H

#include <glob.h>
#include <unistd.h>

#include "tests/unit/model-fixture.h"

#define A "/api/v1/sandboxes/sb-7f3a91c2/files"

static const char list_a[] =
	"[{\"name\":\"main.py\",\"path\":\"/workspace/main.py\",\"size\":4,"
	"\"mode\":\"0755\"},{\"name\":\"other\",\"path\":"
	"\"/workspace/other\",\"size\":4}]";

#define STAT(type, size, more) \
	"{\"name\":\"main.py\",\"path\":\"/workspace/main.py\",\"size\":" \
	size ",\"mode\":\"0755\",\"type\":\"" type "\"" more "}"

/* In the editor, with this text. */
static inline struct model *editing(const char *text)
{
	struct model *m = fixture_model(30, 120);

	fixture_keys(m, "j f");
	fixture_answer(m, "GET", A "/list", SVM_OK, list_a);
	fixture_keys(m, "i");
	assert_int_equal(fixture_answer(m, "GET", A, SVM_OK, text), 1);
	assert_int_equal(fixture_answer(m, "GET", A "/stat", SVM_OK,
					STAT("file", "4", "")), 1);
	assert_int_equal(fixture_tagged(m, "GET", A, SVM_OK, text, "\"1\""),
			 1);
	assert_shown(m, "WRITE");
	return m;
}

static inline char *only_draft(const char *dir)
{
	auto_free char *pattern = xasprintf("%s/stacyvm/drafts/*", dir);
	char *path = NULL;
	glob_t g;

	if (glob(pattern, 0, NULL, &g) == 0 && g.gl_pathc == 1)
		path = xstrdup(g.gl_pathv[0]);
	globfree(&g);
	return path;
}

/* Whatever a test leaves as a draft isn't left to the user. */
static char state_dir[] = "/tmp/svm-edit-XXXXXX";

static inline int make_state(void **state)
{
	(void)state;
	if (!mkdtemp(state_dir))
		return -1;
	unsetenv("STACYVM_STATE_DIR"); /* it would win */
	return setenv("XDG_STATE_HOME", state_dir, 1);
}

static inline void drop_drafts(void)
{
	auto_free char *pattern = xasprintf("%s/stacyvm/drafts/*", state_dir);
	glob_t g;

	if (glob(pattern, 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			if (unlink(g.gl_pathv[i]) < 0)
				rmdir(g.gl_pathv[i]);
	globfree(&g);
}

static inline int remove_state(void **state)
{
	auto_free char *drafts = xasprintf("%s/stacyvm/drafts", state_dir);
	auto_free char *ours = xasprintf("%s/stacyvm", state_dir);

	(void)state;
	drop_drafts();
	rmdir(drafts);
	rmdir(ours);
	return rmdir(state_dir);
}

#endif
