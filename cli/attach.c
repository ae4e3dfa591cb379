/* SPDX-License-Identifier: MIT */
/* stacyvm attach: back to a terminal, or a look over its shoulder. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/run.h"
#include "cli/sandbox.h"
#include "cli/term.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"

struct attach_opts {
	bool read_only, takeover;
	const char *detach_key;
};

#define O(m) offsetof(struct attach_opts, m)

static const struct opt opts[] = {
	{ OPT_FLAG, 'r', "read-only", O(read_only), NULL,
	  "watch only; the daemon refuses input from here", COMPLETE_NONE,
	  false },
	{ OPT_FLAG, 0, "takeover", O(takeover), NULL,
	  "send everybody else away", COMPLETE_NONE, false },
	{ OPT_STRING, 0, "detach-key", O(detach_key), "KEY",
	  "key that leaves: ctrl-] (default), none", COMPLETE_NONE, false },
	OPTS_END,
};

struct session {
	char *sid;
	bool tty;
};

/* The named session, or the only (else the newest) one that runs. */
static int find_session(struct cli *cli, const char *id, const char *wanted,
			struct session *ret, struct svm_err *err)
{
	auto_free char *target = sandbox_path(id, "/sessions");
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *item, *found = NULL;
	cJSON *items;

	if (cli_get(cli, target, &body, err) < 0 ||
	    out_parse_array(&doc, &body, &items, err) < 0)
		return -1;
	cJSON_ArrayForEach(item, items) {
		const cJSON *sid = out_field(item, "id", 2);
		const cJSON *state = out_field(item, "state", 5);

		if (!cJSON_IsString(sid) || !cJSON_IsString(state))
			continue;
		if (wanted ? strcmp(sid->valuestring, wanted) == 0 :
			     strcmp(state->valuestring, "running") == 0)
			found = item;
	}
	if (!found) {
		svm_err_set(err, SVM_NOT_FOUND, "sandbox %s has no %s%s%s", id,
			    wanted ? "session \"" : "session to attach to",
			    wanted ? wanted : "", wanted ? "\"" : "");
		return svm_err_hint(err, "open one with:  stacyvm shell %s",
				    id);
	}
	ret->sid = xstrdup(out_field(found, "id", 2)->valuestring);
	ret->tty = cJSON_IsTrue(out_field(found, "tty", 3));
	return 0;
}

static char *session_target(const char *id, const char *sid,
			    const struct attach_opts *o)
{
	struct buf target = BUF_INIT;
	auto_free char *base = sandbox_path(id, "/sessions/");

	buf_addstr(&target, base);
	urlenc_encode(&target, sid, strlen(sid));
	buf_addstr(&target, "/ws");
	if (o->read_only || o->takeover)
		query_add(&target, "mode",
			  o->read_only ? "read-only" : "takeover");
	query_add(&target, "binary", "true");
	return buf_steal(&target);
}

static int attach(struct cli *cli, const struct attach_opts *o,
		  const char *name, const char *sid, struct run *r,
		  struct svm_err *err)
{
	auto_close int signals = cli_client(cli, err) ?
					 cli_catch_signals(cli, err) : -1;
	auto_free char *id = signals < 0 ? NULL :
					   sandbox_resolve(cli, name, err);
	struct session s = { 0 };

	if (!id || find_session(cli, id, sid, &s, err) < 0)
		return -1;
	auto_free char *owned = s.sid;
	auto_free char *target = session_target(id, s.sid, o);

	r->id = id;
	r->target = target;
	r->signal_fd = signals;
	if (s.tty && isatty(STDIN_FILENO)) {
		r->flags |= RUN_TTY | RUN_STDIN;
		if (r->detach_key == TERM_DETACH_KEY)
			cli_notice(cli, "Ctrl-] leaves; it goes on");
	}
	else if (!o->read_only && !isatty(STDIN_FILENO))
		r->flags |= RUN_STDIN;
	return run_session(cli, r, err);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct attach_opts *o = values;
	const char *slash = strchr(args[0], '/');
	auto_free char *name = slash ? xstrndup(args[0], (size_t)(slash -
								  args[0])) :
				       xstrdup(args[0]);
	struct run r = { .flags = o->read_only ? RUN_READ_ONLY : 0,
			 .detach_key = term_parse_key(
				 o->detach_key ? o->detach_key : "ctrl-]") };

	(void)argc;
	if (r.detach_key < 0)
		return cli_usage(cli, err, "bad key '%s'", o->detach_key);
	if (o->read_only && o->takeover)
		return cli_usage(cli, err, "--read-only and --takeover "
					   "exclude each other");
	return attach(cli, o, name, slash && slash[1] ? slash + 1 : NULL, &r,
		      err);
}

const struct cmd cmd_attach = {
	.name = "attach",
	.args = "ID[/SESSION]",
	.summary = "come back to a terminal in a sandbox",
	.help = "Shows what is on record of the session, then what it writes. "
		"Without SESSION the\nnewest one that runs is taken.  Several "
		"may be attached to one session; leaving\n(Ctrl-]) never ends "
		"it.",
	.examples = "stacyvm attach sb-7f3a91c2\n"
		    "stacyvm attach --read-only ID/s1",
	.opts = opts,
	.opts_size = sizeof(struct attach_opts),
	.min_args = 1,
	.max_args = 1,
	.flags = CMD_EXIT_125,
	.complete = COMPLETE_SANDBOX,
	.run = run,
};
