/* SPDX-License-Identifier: MIT */
/* Commands, options, exit statuses and the environment: the tables of cli. */
#include <ctype.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/help.h"
#include "lib/base/mem.h"
#include "man/mdoc.h"
#include "man/page.h"

static void add_value(struct buf *out, const struct opt *o)
{
	if (!o->arg)
		return;
	if (o->type == OPT_CHOICE) {
		buf_addch(out, ' ');
		mdoc_choices(out, o->arg);
	} else {
		buf_addstr(out, o->type == OPT_OPTIONAL ? " Ns Oo Ns = Ns " :
							  " ");
		mdoc_args(out, o->arg);
		buf_addstr(out, o->type == OPT_OPTIONAL ? " Oc" : "");
	}
}

static void add_option(struct table *t, enum row_level level,
		       const char *before, const struct opt *o)
{
	struct row *r = table_row(t, level,
				  xasprintf("%s--%s", before, o->name), NULL);

	if (o->letter)
		buf_addf(&r->head, "Fl %c , ", o->letter);
	buf_addf(&r->head, "Fl -%s", o->name);
	add_value(&r->head, o);
	mdoc_sentence(&r->text, o->help);
}

static void add_options(struct table *t, enum row_level level,
			const char *before, const struct opt *o)
{
	for (; o && o->type != OPT_END; o++)
		if (!o->hidden)
			add_option(t, level, before, o);
}

/* "ls, list"; a command of another page with the same options. */
static void add_aliases(struct buf *out, const struct cmd *cmd)
{
	if (!cmd->aliases)
		return;
	buf_addstr(out, "Also:\n.Cm ");
	for (const char *c = cmd->aliases; *c; c++)
		if (*c == ' ')
			buf_addstr(out, " ,\n.Cm ");
		else
			buf_addch(out, *c);
	buf_addstr(out, " .\n");
}

static const struct cmd *owner_of(const struct opt *opts)
{
	for (const struct cmd *const *c = cmds; opts && *c; c++)
		if ((*c)->opts == opts)
			return *c;
	return NULL;
}

static void add_sub(struct table *t, const struct cmd *sub)
{
	const struct cmd *like = owner_of(sub->opts);
	struct row *r = table_row(t, ROW_ITEM, xstrdup(sub->name), NULL);
	auto_free char *before = xasprintf("%s ", sub->name);

	buf_addf(&r->head, "Ic %s", sub->name);
	if (sub->opts)
		buf_addstr(&r->head, " Oo Ar options Oc");
	if (sub->args) {
		buf_addch(&r->head, ' ');
		mdoc_args(&r->head, sub->args);
	}
	mdoc_sentence(&r->text, sub->summary);
	add_aliases(&r->text, sub);
	if (like)
		buf_addf(&r->text, "The options are those of\n"
			 ".Xr stacyvm-%s 1 .\n", like->name);
	else
		add_options(t, ROW_PART, before, sub->opts);
}

/* "get [KEY] | lint [FILE] | path": verbs of a command that parses its own
 * arguments. */
static void add_verbs(struct table *t, const char *args)
{
	while (*args) {
		const char *bar = strstr(args, " | ");
		auto_free char *one = bar ? xstrndup(args, (size_t)(bar - args)) :
					    xstrdup(args);
		struct row *r = table_row(t, ROW_ITEM,
					  xstrndup(one, strcspn(one, " ")),
					  NULL);

		mdoc_args(&r->head, one);
		args = bar ? bar + 3 : "";
	}
}

static bool has_verbs(const struct cmd *cmd)
{
	return !cmd->subs && cmd->args &&
	       islower((unsigned char)*cmd->args) && strstr(cmd->args, " | ");
}

static void add_command(struct manual *m, const struct cmd *cmd)
{
	struct table *t = manual_table(m, xasprintf("options %s", cmd->name));

	add_options(t, ROW_ITEM, "", cmd->opts);
	t = manual_table(m, xasprintf("commands %s", cmd->name));
	for (const struct cmd *const *s = cmd->subs; s && *s; s++)
		if (!((*s)->flags & CMD_HIDDEN))
			add_sub(t, *s);
	if (has_verbs(cmd))
		add_verbs(t, cmd->args);
}

static void add_lines(struct manual *m, const char *name, bool repeats,
		      const char *macro, const struct help_line *l)
{
	struct table *t = manual_table(m, xstrdup(name));

	t->repeats = repeats;
	for (; l->name; l++) {
		struct row *r = table_row(t, ROW_ITEM, xstrdup(l->name), NULL);

		buf_addf(&r->head, "%s ", macro);
		for (const char *c = l->name; *c; c++)
			buf_addf(&r->head, "%s%c", *c == ',' ? " " : "", *c);
		mdoc_sentence(&r->text, l->text);
	}
}

void tables_of_cli(struct manual *m)
{
	struct table *t;

	for (const struct cmd *const *c = cmds; *c; c++)
		if (!((*c)->flags & CMD_HIDDEN))
			add_command(m, *c);
	t = manual_table(m, xstrdup("commands"));
	for (const struct cmd *const *c = cmds; *c; c++) {
		if ((*c)->flags & CMD_HIDDEN)
			continue;
		struct row *r = table_row(t, ROW_ITEM, xstrdup((*c)->name),
					  NULL);

		buf_addf(&r->head, "Xr stacyvm-%s 1", (*c)->name);
		mdoc_sentence(&r->text, (*c)->summary);
	}
	t = manual_table(m, xstrdup("global-options"));
	add_options(t, ROW_ITEM, "", global_opts);
	add_lines(m, "exits", true, "Li", help_exit_codes);
	add_lines(m, "environment", false, "Ev", help_env);
}

const struct cmd *page_command(const char *name)
{
	size_t n = strlen(name);

	if (strncmp(name, "stacyvm-", 8) != 0 || n < 11 ||
	    strcmp(name + n - 2, ".1") != 0)
		return NULL;
	auto_free char *word = xstrndup(name + 8, n - 10);

	for (const struct cmd *const *c = cmds; *c; c++)
		if (strcmp((*c)->name, word) == 0 &&
		    !((*c)->flags & CMD_HIDDEN))
			return *c;
	return NULL;
}

/* Usage: one line of options and arguments for each form. */

static void usage_options(const struct opt *opts, struct buf *out)
{
	auto_buf struct buf flags = BUF_INIT;

	for (const struct opt *o = opts; o && o->type != OPT_END; o++)
		if (!o->hidden && o->letter && o->type == OPT_FLAG)
			buf_addch(&flags, o->letter);
	if (flags.len)
		buf_addf(out, ".Op Fl %s\n", buf_str(&flags));
	for (const struct opt *o = opts; o && o->type != OPT_END; o++) {
		if (o->hidden || (o->letter && o->type == OPT_FLAG))
			continue;
		if (o->letter)
			buf_addf(out, ".Op Fl %c", o->letter);
		else
			buf_addf(out, ".Op Fl -%s", o->name);
		add_value(out, o);
		buf_addch(out, '\n');
	}
}

static void usage_form(const struct cmd *cmd, const char *sub,
		       const struct opt *opts, const char *args,
		       struct buf *out)
{
	buf_addf(out, ".Nm \"stacyvm %s%s%s\"\n", cmd->name, sub ? " " : "",
		 sub ? sub : "");
	if (sub && owner_of(opts))
		buf_addstr(out, ".Op Ar options\n");
	else
		usage_options(opts, out);
	if (args && *args) {
		buf_addch(out, '.');
		mdoc_args(out, args);
		buf_addch(out, '\n');
	}
}

void page_synopsis(const struct cmd *cmd, struct buf *out)
{
	buf_addstr(out, ".Sh SYNOPSIS\n");
	for (const struct cmd *const *s = cmd->subs; s && *s; s++)
		usage_form(cmd, (*s)->name, (*s)->opts, (*s)->args, out);
	for (const char *a = has_verbs(cmd) ? cmd->args : ""; *a;) {
		const char *bar = strstr(a, " | ");
		size_t n = bar ? (size_t)(bar - a) : strlen(a);
		auto_free char *verb = xstrndup(a, strcspn(a, " "));
		auto_free char *rest = xstrndup(a + strlen(verb),
						n - strlen(verb));

		usage_form(cmd, verb, NULL, rest, out);
		a += n + (bar ? 3 : 0);
	}
	if (!cmd->subs && !has_verbs(cmd))
		usage_form(cmd, NULL, cmd->opts, cmd->args, out);
	if (cmd->aliases) {
		buf_addf(out, ".Nm stacyvm\n.%s ",
			 strchr(cmd->aliases, ' ') ? "Brq Cm" : "Cm");
		for (const char *c = cmd->aliases; *c; c++)
			buf_addf(out, *c == ' ' ? " |%c" : "%c", *c);
		buf_addstr(out, "\n.No ...\n");
	}
}
