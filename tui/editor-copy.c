/* SPDX-License-Identifier: MIT */
/* Texts on their way through $EDITOR.  See editor-copy.h. */
#include "tui/editor-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/api/dirs.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/screen.h"

char *editor_copy_make(const char *name, struct svm_err *err)
{
	struct dirs d;

	dirs_init(&d);
	auto_free char *dir = path_join(d.runtime, "edit-XXXXXX");
	int r = path_make_private_dir(d.runtime, 0700, err);

	if (r == 0 && !mkdtemp(dir))
		r = svm_err_sys(err, SVM_INTERNAL, errno, "can't make a copy "
				"in %s", d.runtime);
	dirs_release(&d);
	return r < 0 ? NULL : path_join(dir, name);
}

void editor_copy_remove(const char *path)
{
	auto_free char *dir = path ? xstrdup(path) : NULL;
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (!slash)
		return;
	*slash = '\0';
	slash = strrchr(dir, '/');
	*slash = '\0';
	auto_close int above = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (above >= 0)
		(void)path_remove_tree(above, slash + 1);
}

void editor_copy_release(struct editor_copy *c)
{
	free(c->path);
	buf_release(&c->shown);
}

void editor_copy_finish(struct editor_copy *c)
{
	editor_copy_remove(c->path);
	c->release(c);
}

/* -- when it is not taken */

struct again {
	struct model *m;
	struct editor_copy *c; /* NULL once it is in the editor */
};

static void edit(struct model *m, struct editor_copy *c);

/* Left, or with an editor being opened for something else, it can still be
 * read where the copy is. */
static void again_free(void *data)
{
	struct again *g = data;

	if (g->c) {
		model_say(g->m, "what you wrote is in %s", g->c->path);
		g->c->release(g->c);
	}
	free(g);
}

static void edit_again(struct model *m, void *data)
{
	struct again *g = data;

	if (!editor_copy_is_busy(m))
		edit(m, steal_ptr(&g->c));
}

void editor_copy_refuse(struct model *m, struct editor_copy *c,
			const char *why)
{
	struct again *g = xcalloc(1, sizeof(*g));

	g->m = m;
	g->c = c;
	confirm_ask(m, &(struct confirm){
			       .title = "NOT TAKEN.  EDIT IT AGAIN?",
			       .lines = (const char *const[]){
				       why, c->refused, c->path, NULL },
			       .yes = edit_again,
			       .release = again_free,
			       .data = g });
}

/* -- the editor */

static void edited(struct model *m, void *data, bool ok)
{
	struct editor_copy *c = data;
	const struct svm_err *err = &m->editor.err;
	auto_buf struct buf text = BUF_INIT;
	int r = fd_slurp_path(AT_FDCWD, c->path, LIMIT_TUI_EDIT, &text);

	if (r < 0) {
		model_say(m, "can't read %s: %s", c->path, strerror(-r));
		c->release(c);
	} else if (text.len == c->shown.len &&
		   memcmp(buf_str(&text), buf_str(&c->shown), text.len) == 0) {
		editor_copy_finish(c);
		if (ok)
			model_say(m, "nothing was changed");
		else
			model_complain(m, err, NULL);
	} else if (!ok) {
		editor_copy_refuse(m, c, err->msg ? err->msg :
						    "The editor failed.");
	} else {
		c->take(m, c, &text);
	}
}

bool editor_copy_is_busy(struct model *m)
{
	if (m->editor.path)
		model_say(m, "an editor is being opened already");
	return m->editor.path;
}

static void edit(struct model *m, struct editor_copy *c)
{
	m->editor.path = xstrdup(c->path);
	m->editor.done = edited;
	m->editor.data = c;
	m->effects |= EFFECT_EDITOR;
}

int editor_copy_open(struct model *m, struct editor_copy *c, const char *name,
		     struct svm_err *err)
{
	int r;

	c->path = editor_copy_make(name, err);
	r = c->path ? fd_replace_path(AT_FDCWD, c->path, buf_str(&c->shown),
				      c->shown.len, 0600) : -1;
	if (r == 0) {
		edit(m, c);
		return 0;
	}
	if (c->path)
		svm_err_sys(err, SVM_INTERNAL, r, "can't write %s", c->path);
	editor_copy_finish(c);
	return -1;
}
