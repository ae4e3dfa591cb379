/* SPDX-License-Identifier: MIT */
/* A template in $EDITOR.  See template-edit.h. */
#include "tui/template-edit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/api/dirs.h"
#include "lib/api/limits.h"
#include "lib/api/template-form.h"
#include "lib/api/yaml.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/rand.h"
#include "lib/base/urlenc.h"
#include "tui/screen.h"

/* A template on its way through the editor. */
struct editing {
	char *name, *path, *stamp; /* stamp: its updated_at */
	struct buf text;           /* as it was written */
	struct buf body;           /* what the daemon is to take */
};

static void editing_free(void *data)
{
	struct editing *e = data;

	free(e->name);
	free(e->path);
	free(e->stamp);
	buf_release(&e->text);
	buf_release(&e->body);
	free(e);
}

char *template_target(const char *name)
{
	struct buf b = BUF_INIT;

	buf_addstr(&b, "/api/v1/templates/");
	urlenc_encode(&b, name, strlen(name));
	return buf_steal(&b);
}

/* The editing goes along, and is ours again in `done`. */
static void ask(struct model *m, struct editing *e, const char *method,
		request_fn done)
{
	struct request *r = request_new(method, template_target(e->name), done);

	r->doing = xasprintf("edit %s", e->name);
	r->data = e;
	r->forget = editing_free;
	if (e->body.len && strcmp(method, "PUT") == 0) {
		buf_add(&r->body, buf_str(&e->body), e->body.len);
		r->has_body = true;
	}
	request_send(m, r);
}

static void edited(struct model *m, void *data, bool ok);

static void open_editor(struct model *m, struct editing *e)
{
	if (m->editor.path) {
		model_say(m, "an editor is being opened already; this text is "
			  "in %s", e->path);
		editing_free(e);
		return;
	}
	m->editor.path = xstrdup(e->path);
	m->editor.done = edited;
	m->editor.data = e;
	m->effects |= EFFECT_EDITOR;
}

/* -- when it is not taken */

struct again {
	struct editing *e; /* NULL once it is somebody else's */
};

static void again_free(void *data)
{
	struct again *g = data;

	if (g->e)
		editing_free(g->e);
	free(g);
}

static void edit_again(struct model *m, void *data)
{
	struct again *g = data;

	open_editor(m, steal_ptr(&g->e));
}

/* Takes the editing. */
static void refused(struct model *m, struct editing *e, const char *why)
{
	auto_free char *kept = xasprintf("It is kept as %s", e->path);
	struct again *g = xcalloc(1, sizeof(*g));

	g->e = e;
	confirm_ask(m, &(struct confirm){
			       .title = "NOT TAKEN.  EDIT IT AGAIN?",
			       .lines = (const char *const[]){ why, kept,
							       NULL },
			       .yes = edit_again,
			       .release = again_free,
			       .data = g });
}

/* -- back from the editor */

static void put_done(struct model *m, struct request *r)
{
	struct editing *e = r->data;

	if (r->err.code != SVM_OK) {
		refused(m, e, r->err.msg);
		svm_err_release(&r->err);
		return;
	}
	unlink(e->path);
	model_say(m, "changed %s", e->name);
	sync_templates(m);
	editing_free(e);
}

/* Somebody else's change must not be written over. */
static void compared(struct model *m, struct request *r)
{
	struct editing *e = r->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *now = request_object(r, &doc);

	if (now && strcmp(json_text(now, "updated_at"), e->stamp) == 0) {
		ask(m, e, "PUT", put_done);
		return;
	}
	refused(m, e, now ? "It was changed by another since." : r->err.msg);
	svm_err_release(&r->err);
}

/* False when it can't be taken; says why. */
static bool take_text(struct model *m, struct editing *e,
		      const struct buf *text)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	cJSON *fields = yaml_read("template.yaml", buf_str(text), text->len,
				  &err);

	if (!fields) {
		refused(m, e, err.msg);
		return false;
	}
	buf_clear(&e->body);
	template_form_json(fields, &e->body);
	cJSON_Delete(fields);
	return true;
}

static void edited(struct model *m, void *data, bool ok)
{
	struct editing *e = data;
	auto_buf struct buf text = BUF_INIT;
	int r = fd_slurp_path(AT_FDCWD, e->path, LIMIT_TUI_EDIT, &text);

	if (r < 0) {
		model_say(m, "can't read %s: %s", e->path, strerror(-r));
		editing_free(e);
	} else if (!ok) {
		refused(m, e, m->editor.err.msg ? m->editor.err.msg :
						  "The editor failed.");
	} else if (text.len == e->text.len &&
		   memcmp(buf_str(&text), buf_str(&e->text), text.len) == 0) {
		unlink(e->path);
		model_say(m, "nothing was changed");
		editing_free(e);
	} else if (take_text(m, e, &text)) {
		ask(m, e, "GET", compared);
	}
}

/* -- to the editor */

static int write_file(struct editing *e, struct svm_err *err)
{
	char suffix[9];
	struct dirs d;

	rand_hex(suffix, 8);
	auto_free char *name = xasprintf("template-%s.yaml", suffix);
	dirs_init(&d);
	e->path = path_join(d.runtime, name);
	int r = path_make_private_dir(d.runtime, 0700, err);
	dirs_release(&d);
	if (r < 0)
		return -1;
	r = fd_replace_path(AT_FDCWD, e->path, buf_str(&e->text), e->text.len,
			    0600);
	return r < 0 ? svm_err_sys(err, SVM_INTERNAL, r, "can't write %s",
				   e->path) : 0;
}

static void fetched(struct model *m, struct request *r)
{
	struct editing *e = r->data;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	cJSON *object = request_object(r, &doc);

	if (!object) {
		editing_free(e);
		return;
	}
	e->stamp = xstrdup(json_text(object, "updated_at"));
	template_form_write(object, false, &e->text);
	if (write_file(e, &r->err) < 0)
		editing_free(e);
	else
		open_editor(m, e);
}

void template_edit_open(struct model *m, const char *name)
{
	struct editing *e = xcalloc(1, sizeof(*e));

	e->name = xstrdup(name);
	ask(m, e, "GET", fetched);
}
