/* SPDX-License-Identifier: MIT */
/* The configuration file in $EDITOR.  See config-edit.h. */
#include "tui/config-edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/dirs.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/rand.h"
#include "tui/screen.h"
#include "tui/settings.h"

#define EMPTY "# The configuration of stacyvm: see stacyvm.yaml(5).\n" \
	      "# What each setting is for stands on the settings screen.\n"

/* The copy that is edited. */
struct editing {
	char *dir, *path;  /* its directory: editors leave things beside it */
	struct buf before; /* what the file said */
	struct buf shown;  /* what the editor was given */
};

static void editing_free(void *data)
{
	struct editing *e = data;

	free(e->dir);
	free(e->path);
	buf_release(&e->before);
	buf_release(&e->shown);
	free(e);
}

/* With the copy, which nobody needs any more. */
static void finish(struct editing *e)
{
	char *slash = e->dir ? strrchr(e->dir, '/') : NULL;

	if (slash) {
		auto_free char *parent =
			xstrndup(e->dir, (size_t)(slash - e->dir));
		auto_close int fd = open(parent, O_RDONLY | O_DIRECTORY |
							 O_CLOEXEC);

		if (fd >= 0)
			(void)path_remove_tree(fd, slash + 1);
	}
	editing_free(e);
}

static void edited(struct model *m, void *data, bool ok);

/* Keys may come faster than an editor. */
static bool is_opening(struct model *m)
{
	if (m->editor.path)
		model_say(m, "an editor is being opened already");
	return m->editor.path;
}

/* Only where none is being opened. */
static void open_editor(struct model *m, struct editing *e)
{
	m->editor.path = xstrdup(e->path);
	m->editor.done = edited;
	m->editor.data = e;
	m->effects |= EFFECT_EDITOR;
}

/* -- when it is not taken */

struct again {
	struct model *m;
	struct editing *e; /* NULL once it is somebody else's */
};

/* Left, or with an editor being opened for something else, it can still be
 * read where the copy is. */
static void again_free(void *data)
{
	struct again *g = data;

	if (g->e) {
		model_say(g->m, "what you wrote is in %s", g->e->path);
		editing_free(g->e);
	}
	free(g);
}

static void edit_again(struct model *m, void *data)
{
	struct again *g = data;

	if (!is_opening(m))
		open_editor(m, steal_ptr(&g->e));
}

/* Takes the editing. */
static void refused(struct model *m, struct editing *e, const char *why)
{
	struct again *g = xcalloc(1, sizeof(*g));

	g->m = m;
	g->e = e;
	confirm_ask(m, &(struct confirm){
			       .title = "NOT TAKEN.  EDIT IT AGAIN?",
			       .lines = (const char *const[]){
				       why, "The file is as it was.  What "
				       "you wrote is kept as", e->path,
				       NULL },
			       .yes = edit_again,
			       .release = again_free,
			       .data = g });
}

/* -- back from the editor */

static void take(struct model *m, struct editing *e, const struct buf *text)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	const struct settings_ops *ops = m->settings;

	if (memchr(buf_str(text), '\0', text->len)) {
		refused(m, e, "There is a NUL in the text.");
	} else if (ops->replace(ops->data, buf_str(&e->before), buf_str(text),
				text->len, &err) < 0) {
		refused(m, e, err.msg);
	} else {
		finish(e);
		model_say(m, "the configuration is changed");
		settings_spread(m, "");
	}
}

static void edited(struct model *m, void *data, bool ok)
{
	struct editing *e = data;
	auto_buf struct buf text = BUF_INIT;
	int r = fd_slurp_path(AT_FDCWD, e->path, LIMIT_TUI_EDIT, &text);

	if (r < 0) {
		model_say(m, "can't read %s: %s", e->path, strerror(-r));
		editing_free(e);
	} else if (text.len == e->shown.len &&
		   memcmp(buf_str(&text), buf_str(&e->shown), text.len) == 0) {
		finish(e);
		if (ok)
			model_say(m, "nothing was changed");
		else
			model_complain(m, &m->editor.err, NULL);
	} else if (!ok) {
		refused(m, e, m->editor.err.msg ? m->editor.err.msg :
						  "The editor failed.");
	} else {
		take(m, e, &text);
	}
}

/* -- to the editor */

static int make_copy(struct editing *e, struct svm_err *err)
{
	char suffix[9];
	struct dirs d;

	rand_hex(suffix, 8);
	auto_free char *name = xasprintf("config-%s", suffix);
	dirs_init(&d);
	auto_free char *dir = path_join(d.runtime, name);
	int r = path_make_private_dir(d.runtime, 0700, err);
	dirs_release(&d);
	if (r < 0)
		return -1;
	if (mkdir(dir, 0700) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "can't make %s",
				   dir);
	e->dir = steal_ptr(&dir);
	e->path = path_join(e->dir, "config.yaml");
	r = fd_replace_path(AT_FDCWD, e->path, buf_str(&e->shown),
			    e->shown.len, 0600);
	return r < 0 ? svm_err_sys(err, SVM_INTERNAL, r, "can't write %s",
				   e->path) : 0;
}

static int prepare(struct model *m, struct editing *e, struct svm_err *err)
{
	const struct settings_ops *ops = m->settings;

	if (ops->read(ops->data, &e->before, err) < 0)
		return -1;
	if (memchr(buf_str(&e->before), '\0', e->before.len))
		return svm_err_set(err, SVM_BAD_REQUEST, "there is a NUL in "
				   "it");
	if (e->before.len)
		buf_add(&e->shown, e->before.data, e->before.len);
	else
		buf_addstr(&e->shown, EMPTY);
	return make_copy(e, err);
}

void config_edit_open(struct model *m)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct editing *e;

	/* Before there is a copy, which nobody would remove. */
	if (is_opening(m))
		return;
	e = xcalloc(1, sizeof(*e));
	if (m->settings && prepare(m, e, &err) == 0) {
		open_editor(m, e);
		return;
	}
	if (m->settings)
		model_complain(m, &err, "edit the configuration");
	else
		model_say(m, "the configuration can't be changed here");
	finish(e);
}
