/* SPDX-License-Identifier: MIT */
/* The configuration file in $EDITOR.  See config-edit.h. */
#include "tui/config-edit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/editor-copy.h"
#include "tui/settings.h"

#define EMPTY "# The configuration of stacyvm: see stacyvm.yaml(5).\n" \
	      "# What each setting is for stands on the settings screen.\n"

struct editing {
	struct editor_copy copy;
	struct buf before; /* what the file said */
};

static void release(struct editor_copy *c)
{
	struct editing *e = container_of(c, struct editing, copy);

	editor_copy_release(c);
	buf_release(&e->before);
	free(e);
}

static void take(struct model *m, struct editor_copy *c,
		 const struct buf *text)
{
	struct editing *e = container_of(c, struct editing, copy);
	auto_err struct svm_err err = SVM_ERR_INIT;
	const struct settings_ops *ops = m->settings;

	if (memchr(buf_str(text), '\0', text->len)) {
		editor_copy_refuse(m, c, "There is a NUL in the text.");
	} else if (ops->replace(ops->data, buf_str(&e->before), buf_str(text),
				text->len, &err) < 0) {
		editor_copy_refuse(m, c, err.msg);
	} else {
		editor_copy_finish(c);
		model_say(m, "the configuration is changed");
		settings_spread(m, "");
	}
}

static int read_file(struct model *m, struct editing *e, struct svm_err *err)
{
	const struct settings_ops *ops = m->settings;

	if (ops->read(ops->data, &e->before, err) < 0)
		return -1;
	if (memchr(buf_str(&e->before), '\0', e->before.len))
		return svm_err_set(err, SVM_BAD_REQUEST, "there is a NUL in "
				   "it");
	if (e->before.len)
		buf_add(&e->copy.shown, e->before.data, e->before.len);
	else
		buf_addstr(&e->copy.shown, EMPTY);
	return 0;
}

void config_edit_open(struct model *m)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct editing *e;
	int r;

	if (editor_copy_is_busy(m))
		return;
	if (!m->settings) {
		model_say(m, "the configuration can't be changed here");
		return;
	}
	e = xcalloc(1, sizeof(*e));
	e->copy.refused = "The file is as it was.  What you wrote is kept as";
	e->copy.take = take;
	e->copy.release = release;
	r = read_file(m, e, &err);
	if (r < 0)
		release(&e->copy);
	else
		r = editor_copy_open(m, &e->copy, "config.yaml", &err);
	if (r < 0)
		model_complain(m, &err, "edit the configuration");
}
