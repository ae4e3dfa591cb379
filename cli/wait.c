/* SPDX-License-Identifier: MIT */
/* stacyvm wait: until a sandbox is in a state, by events, never by asking
 * again and again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "cli/sse.h"
#include "lib/api/state.h"
#include "lib/base/mem.h"

struct wait_opts {
	const char *what;
};

static const struct opt opts[] = {
	{ OPT_STRING, 0, "for", offsetof(struct wait_opts, what), "STATE",
	  "a state such as running, or end (default)", COMPLETE_STATE, false },
	OPTS_END,
};

static bool is_end(const char *state)
{
	static const char *const ends[] = { "stopped", "expired", "destroyed",
					    "error" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (strcmp(state, ends[i]) == 0)
			return true;
	return false;
}

/* 1: there; 0: not yet; -1 with err: it will never be. */
static int look(struct cli *cli, const char *id, const char *want,
		struct svm_err *err)
{
	auto_free char *target = sandbox_path(id, "");
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	auto_err struct svm_err gone = SVM_ERR_INIT;
	const char *state = "";

	if (cli_get(cli, target, &body, &gone) < 0) {
		if (gone.code != SVM_NOT_FOUND)
			return svm_err_move(err, &gone);
		state = "destroyed";
	} else if (out_parse_object(&doc, &body, err) < 0 ||
		   json_get_string(doc.root, "state", &state, err) < 0) {
		return -1;
	}
	if (strcmp(want, "end") == 0 ? is_end(state) :
				       strcmp(want, state) == 0)
		return 1;
	if (gone.code == SVM_NOT_FOUND)
		return svm_err_move(err, &gone);
	if (is_end(state) && strcmp(want, "destroyed") != 0)
		return svm_err_set(err, SVM_CONFLICT,
				   "sandbox %s is '%s' and won't be '%s'", id,
				   state, want);
	return 0;
}

/* Subscribe, look, then look again at each of its events: what happens in
 * between is not missed. */
static int wait_for(struct cli *cli, const char *id, const char *want,
		    struct svm_err *err)
{
	auto_buf struct buf target = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const char *raw;

	buf_addstr(&target, API "/events");
	query_add(&target, "sandbox_id", id);
	auto_exchange struct exchange *x =
		exchange_new(cli_client(cli, err), "GET", buf_str(&target),
			     CLIENT_NO_BODY, err);

	if (!x || exchange_reply(x, err) < 0)
		return -1;
	for (;;) {
		int r = look(cli, id, want, err);

		if (r)
			return r < 0 ? -1 : 0;
		r = sse_next(x, &doc, &raw, err);
		if (r == 0)
			svm_err_set(err, SVM_UNREACHABLE,
				    "the daemon stopped while waiting");
		if (r <= 0)
			return -1;
	}
}

/* Nobody is late who was only waited for. */
static int explain(const char *name, const char *want, struct svm_err *why,
		   struct svm_err *err)
{
	if (why->code != SVM_TIMEOUT)
		return svm_err_move(err, why);
	return strcmp(want, "end") == 0 ?
		       svm_err_set(err, SVM_TIMEOUT, "sandbox '%s' did not "
				   "end within --timeout", name) :
		       svm_err_set(err, SVM_TIMEOUT, "sandbox '%s' was not "
				   "'%s' within --timeout", name, want);
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct wait_opts *o = values;
	const char *want = o->what ? o->what : "end";
	auto_err struct svm_err why = SVM_ERR_INIT;
	enum sandbox_state state;

	if (strcmp(want, "end") != 0 && !sandbox_state_parse(want, &state))
		return cli_usage(cli, err, "'%s' is no state of a sandbox",
				 want);
	if (!cli_client(cli, err))
		return -1;
	for (int i = 0; i < argc; i++) {
		auto_free char *id = sandbox_resolve(cli, args[i], &why);

		if (!id || wait_for(cli, id, want, &why) < 0)
			return explain(args[i], want, &why, err);
	}
	return 0;
}

const struct cmd cmd_wait = {
	.name = "wait",
	.args = "ID...",
	.summary = "wait until a sandbox ends or reaches a state",
	.help = "Status 0 when it is so, also when it already was; 6 when it "
		"can no longer be; 3 when\nthere is no such sandbox (unless "
		"its end was waited for); 124 after --timeout.",
	.examples = "stacyvm wait ID\n"
		    "stacyvm wait --for running --timeout 30s ID",
	.opts = opts,
	.opts_size = sizeof(struct wait_opts),
	.min_args = 1,
	.max_args = -1,
	.complete = COMPLETE_SANDBOX,
	.flags = CMD_TYPED,
	.run = run,
};
