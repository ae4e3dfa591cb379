/* SPDX-License-Identifier: MIT */
/*
 * What is at a path, before it is edited.  Links are followed here: the mode
 * is to be the file's, and writing to a link would replace it by a file.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/files.h"

#define LINKS_MAX 8 /* one after the other */

struct look {
	struct files *f;
	char *id, *path;
	unsigned links, serial;
	files_look_fn then;
};

static void look_free(void *data)
{
	struct look *k = data;

	free(k->id);
	free(k->path);
	free(k);
}

static void ask(struct model *m, struct look *k);

static void follow(struct model *m, struct look *k, const char *target)
{
	auto_free char *path = steal_ptr(&k->path);
	char *slash = strrchr(path, '/');

	if (slash)
		slash[slash == path] = '\0';
	k->path = *target == '/' ? xstrdup(target) : path_join(path, target);
	if (++k->links <= LINKS_MAX) {
		ask(m, k);
		return;
	}
	model_say(m, "%s: too many links, one to the other", k->path);
	look_free(k);
}

static void looked(struct model *m, struct request *r)
{
	struct look *k = r->data;
	struct files *f = k->f;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *o = request_object(r, &doc);
	bool wanted = o && f->look_serial == k->serial && f->id &&
		      strcmp(f->id, k->id) == 0;

	if (wanted && *json_text(o, "target")) {
		follow(m, k, json_text(o, "target"));
		return;
	}
	if (wanted && strcmp(json_text(o, "type"), "file") != 0)
		model_say(m, "%s is a %s", k->path, json_text(o, "type"));
	else if (wanted)
		k->then(m, f, k->path, o);
	else if (f->look_serial != k->serial)
		svm_err_release(&r->err); /* of no matter by now */
	look_free(k);
}

static void ask(struct model *m, struct look *k)
{
	const struct files its = { .id = k->id };
	struct request *r = files_request(&its, "GET", "stat", k->path,
					  looked);

	r->data = k;
	r->forget = look_free;
	r->doing = xasprintf("edit %s", k->path);
	request_send(m, r);
}

void files_look(struct model *m, struct files *f, const char *path,
		files_look_fn then)
{
	struct look *k = xcalloc(1, sizeof(*k));

	k->f = f;
	k->id = xstrdup(f->id);
	k->path = xstrdup(path);
	k->then = then;
	k->serial = ++f->look_serial; /* an older one is for nobody */
	ask(m, k);
}
