/* SPDX-License-Identifier: MIT */
/* stacyvm template edit: all fields in the user's editor, as YAML or JSON. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/edit.h"
#include "cli/out.h"
#include "cli/template.h"
#include "lib/api/template-form.h"
#include "lib/api/yaml.h"
#include "lib/base/mem.h"

struct edit_opts {
	const char *owner;
};

/* A template on its way through the editor. */
struct editing {
	const char *name;
	char *target, *file;
	cJSON *before; /* as the daemon gave it */
};

static cJSON *fetch(struct cli *cli, const char *target, struct svm_err *err)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	if (cli_get(cli, target, &body, err) < 0 ||
	    out_parse_object(&doc, &body, err) < 0)
		return NULL;
	return cJSON_Duplicate(doc.root, true);
}

/* Somebody else's change must not be written over. */
static int check_unchanged(struct cli *cli, const struct editing *e,
			   struct svm_err *err)
{
	cJSON *now = fetch(cli, e->target, err);

	if (!now)
		return -1;
	bool same = strcmp(json_text(now, "updated_at"),
			   json_text(e->before, "updated_at")) == 0;
	cJSON_Delete(now);
	if (same)
		return 0;
	return svm_err_set(err, SVM_CONFLICT, "the template '%s' was changed "
			   "by another since", e->name);
}

static int take(struct cli *cli, const struct buf *text, void *data,
		struct svm_err *err)
{
	const struct editing *e = data;
	auto_buf struct buf body = BUF_INIT;
	cJSON *fields = yaml_read(e->file, buf_str(text), text->len, err);

	if (!fields)
		return -1;
	template_form_json(fields, &body);
	cJSON_Delete(fields);
	if (check_unchanged(cli, e, err) < 0)
		return -1;
	return cli_send(cli, "PUT", e->target, &body, NULL, err);
}

static int edit(struct cli *cli, struct editing *e, struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;

	e->before = fetch(cli, e->target, err);
	if (!e->before)
		return -1;
	bool json = template_form_write(e->before, cli->json != NULL, &text);
	e->file = xasprintf("template.%s", json ? "json" : "yaml");
	int r = edit_text(cli, e->file, buf_str(&text), text.len, take, e, err);
	if (r == 0)
		cli_notice(cli, "nothing was changed");
	return r < 0 ? -1 : 0;
}

static int run_edit(struct cli *cli, void *values, int argc, char **args,
		    struct svm_err *err)
{
	const struct edit_opts *o = values;
	struct editing e = { .name = args[0] };

	(void)argc;
	if (template_act_for(cli, o->owner, err) < 0)
		return -1;
	e.target = template_path(args[0]);
	int r = edit(cli, &e, err);
	cJSON_Delete(e.before);
	free(e.target);
	free(e.file);
	return r;
}

static const struct opt edit_opts[] = {
	{ OPT_STRING, 0, "owner", offsetof(struct edit_opts, owner), "OWNER",
	  "the template of this owner", COMPLETE_NONE, false },
	OPTS_END,
};

const struct cmd template_edit = {
	.name = "edit",
	.args = "NAME",
	.summary = "change a template in $VISUAL or $EDITOR",
	.help = "All its fields, as YAML, or as JSON with --json.  What was "
		"written is checked before it\nis taken, and can be edited "
		"again when it won't do; it is never lost.",
	.opts = edit_opts,
	.opts_size = sizeof(struct edit_opts),
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_TEMPLATE,
	.run = run_edit,
};
