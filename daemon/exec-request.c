/* SPDX-License-Identifier: MIT */
/* The body of an exec.  See exec-request.h. */
#include "daemon/exec-request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sandbox.h"
#include "lib/api/frame.h"
#include "lib/api/limits.h"
#include "lib/base/duration.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/shell.h"

static int arg_fits(const char *arg, struct svm_err *err)
{
	if (strlen(arg) < LIMIT_ARG_BYTES)
		return 0;
	svm_err_set(err, SVM_TOO_LARGE,
		    "an argument of %zu bytes; the kernel takes less than %d",
		    strlen(arg), LIMIT_ARG_BYTES);
	return svm_err_hint(err, "write it to a file and run that, or send "
			    "it as 'stdin'");
}

static int get_args(const cJSON *root, char ***ret, struct svm_err *err)
{
	const cJSON *args = json_get(root, "args"), *a;
	size_t n = 0;

	if (args && !cJSON_IsNull(args) && !cJSON_IsArray(args))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'args' must be an array of strings");
	size_t count = args ? (size_t)cJSON_GetArraySize(args) : 0;
	if (count >= LIMIT_ARGS)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "%zu arguments, at most %d are allowed",
				   count, LIMIT_ARGS - 1);
	char **v = xcalloc(count + 2, sizeof(*v));
	*ret = v; /* [0] stays free for the command */
	cJSON_ArrayForEach(a, args) {
		if (!cJSON_IsString(a))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'args' must be an array of "
					   "strings");
		v[1 + n++] = xstrdup(a->valuestring);
		if (arg_fits(a->valuestring, err) < 0)
			return -1;
	}
	return 0;
}

static void free_args(char ***v)
{
	if (!*v)
		return;
	for (char **a = *v + 1; *a; a++)
		free(*a);
	free((*v)[0]);
	free(*v);
}

static void keep_shown(struct exec_request *q, const char *text)
{
	q->shown = xstrndup(text, LIMIT_COMMAND_SHOWN);
}

static int get_command(const cJSON *root, struct exec_request *q,
		       struct svm_err *err)
{
	CLEANUP(free_args) char **args = NULL;
	auto_buf struct buf line = BUF_INIT;
	const char *command = NULL, *mode = "shell";

	if (json_get_string(root, "command", &command, err) < 0 ||
	    json_get_string(root, "mode", &mode, err) < 0 ||
	    get_args(root, &args, err) < 0)
		return -1;
	if (!command)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'command' is missing");
	buf_addstr(&line, command);
	for (char **a = args + 1; *a; a++) {
		buf_addch(&line, ' ');
		shell_word(&line, *a);
	}
	keep_shown(q, buf_str(&line));
	if (strcmp(mode, "argv") == 0) {
		args[0] = xstrdup(command);
		q->argv = steal_ptr(&args);
		return arg_fits(command, err);
	}
	if (strcmp(mode, "shell") != 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'mode' must be 'shell' or 'argv'");
	if (arg_fits(buf_str(&line), err) < 0)
		return -1;
	q->argv = xcalloc(4, sizeof(*q->argv));
	q->argv[0] = xstrdup("/bin/sh");
	q->argv[1] = xstrdup("-c");
	q->argv[2] = buf_steal(&line);
	return 0;
}

static bool name_ok(const char *name)
{
	if (!*name || strlen(name) > LIMIT_METADATA_KEY)
		return false;
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || *name == '=' ||
		    *name == 0x7f)
			return false;
	return true;
}

static int get_env(const cJSON *root, struct exec_request *q,
		   struct svm_err *err)
{
	const cJSON *env = json_get(root, "env"), *e;
	size_t n = 0, bytes = 0;

	if (env && !cJSON_IsNull(env) && !cJSON_IsObject(env))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'env' must be an object of strings");
	size_t count = env ? (size_t)cJSON_GetArraySize(env) : 0;
	if (count > LIMIT_ENV_VARS)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "'env' has %zu variables, at most %d are "
				   "allowed", count, LIMIT_ENV_VARS);
	q->env = xcalloc(count + 1, sizeof(*q->env));
	cJSON_ArrayForEach(e, env) {
		if (!name_ok(e->string))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'env': a name must be 1 to %d "
					   "bytes without '=' and white space",
					   LIMIT_METADATA_KEY);
		if (!cJSON_IsString(e))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'env': the value of '%s' must be "
					   "a string", e->string);
		q->env[n] = xasprintf("%s=%s", e->string, e->valuestring);
		bytes += strlen(q->env[n++]) + 1;
		if (bytes >= LIMIT_ENV_BYTES)
			return svm_err_set(err, SVM_TOO_LARGE,
					   "'env' is larger than %d bytes",
					   LIMIT_ENV_BYTES);
	}
	return 0;
}

static int get_timeout(const cJSON *root, struct exec_request *q,
		       struct svm_err *err)
{
	const char *text = NULL;

	if (json_get_string(root, "timeout", &text, err) < 0)
		return -1;
	if (!text)
		return 0;
	if (duration_parse(text, &q->timeout_ns) < 0 || q->timeout_ns < 0) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "'timeout' is not a duration: '%.40s'", text);
		return svm_err_hint(err, "write it like 30s or 1h30m");
	}
	return 0;
}

static int get_cwd(const cJSON *root, struct exec_request *q,
		   struct svm_err *err)
{
	const char *cwd = "/workspace";

	if (json_get_string(root, "workdir", &cwd, err) < 0)
		return -1;
	if (path_validate(cwd, strlen(cwd), err) < 0)
		return svm_err_prefix(err, "'workdir'");
	q->cwd = xstrdup(cwd);
	return 0;
}

/* A word out of two; *ret says whether it is `on`. */
static int get_choice(const cJSON *root, const char *key, const char *off,
		      const char *on, bool *ret, struct svm_err *err)
{
	const char *text = off;

	if (json_get_string(root, key, &text, err) < 0)
		return -1;
	*ret = strcmp(text, on) == 0;
	if (!*ret && strcmp(text, off) != 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' must be '%s' or '%s'", key, off, on);
	return 0;
}

int exec_request_size(const cJSON *obj, uint16_t *ret_cols,
		      uint16_t *ret_rows, struct svm_err *err)
{
	int64_t cols = 80, rows = 24;

	if (json_get_int(obj, "cols", 1, LIMIT_TTY_SIZE, &cols, err) < 0 ||
	    json_get_int(obj, "rows", 1, LIMIT_TTY_SIZE, &rows, err) < 0)
		return -1;
	*ret_cols = (uint16_t)cols;
	*ret_rows = (uint16_t)rows;
	return 0;
}

static int get_options(const cJSON *root, struct exec_request *q,
		       struct svm_err *err)
{
	if (json_get_bool(root, "stream", &q->stream, err) < 0 ||
	    json_get_bool(root, "detach", &q->detach, err) < 0 ||
	    json_get_bool(root, "tty", &q->tty, err) < 0 ||
	    json_get_bool(root, "binary", &q->binary, err) < 0 ||
	    json_get_bool(root, "tagged", &q->tagged, err) < 0)
		return -1;
	if (get_choice(root, "frames", "plain", "full", &q->full_frames,
		       err) < 0 ||
	    get_choice(root, "encoding", "utf-8", "base64", &q->base64,
		       err) < 0)
		return -1;
	if (q->stream && q->detach)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'stream' and 'detach' exclude each other");
	return exec_request_size(root, &q->cols, &q->rows, err);
}

int exec_request_parse(const struct json_doc *doc, struct exec_request *ret,
		       struct svm_err *err)
{
	struct exec_request q = EXEC_REQUEST_INIT;

	if (get_command(doc->root, &q, err) < 0 ||
	    get_env(doc->root, &q, err) < 0 ||
	    get_cwd(doc->root, &q, err) < 0 ||
	    get_timeout(doc->root, &q, err) < 0 ||
	    get_options(doc->root, &q, err) < 0 ||
	    json_data(doc, JSON_STDIN, &q.input, &q.has_input, err) < 0) {
		exec_request_release(&q);
		return -1;
	}
	*ret = q;
	return 0;
}

/* The agent has the environment of the sandbox, but for what was decided
 * after it began: that goes first, since the later one wins.  The strings are
 * borrowed. */
static char **environment(const struct sandbox *s, char **env)
{
	char **own = s->spec.late_env ? s->spec.env : NULL;
	size_t n = strv_len(own), m = strv_len(env);
	char **v = xcalloc(n + m + 1, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = own[i];
	for (size_t i = 0; i < m; i++)
		v[n + i] = env[i];
	return v;
}

int exec_request_encode(const struct exec_request *q, const struct sandbox *s,
			const char *sid, bool live_input, struct buf *ret,
			struct svm_err *err)
{
	auto_free char **env = environment(s, q->env);
	bool input = q->has_input || live_input;
	size_t before = ret->len;
	const struct agent_exec m = {
		.sid = (char *)(uintptr_t)sid,
		.argv = q->argv, .env = env, .cwd = q->cwd,
		.flags = (q->tty ? AGENT_EXEC_TTY : 0) |
			 (q->detach ? AGENT_EXEC_DETACH : 0) |
			 (input ? AGENT_EXEC_STDIN : 0),
		.cols = q->cols, .rows = q->rows,
		.timeout_ns = (uint64_t)q->timeout_ns,
	};

	agent_exec_encode(ret, &m);
	if (ret->len - before <= LIMIT_AGENT_REQUEST)
		return 0;
	return svm_err_set(err, SVM_TOO_LARGE, "command, arguments and the "
			   "environment, with that of the sandbox, have %zu "
			   "bytes, at most %d are allowed", ret->len - before,
			   LIMIT_AGENT_REQUEST);
}

void exec_request_release(struct exec_request *q)
{
	strv_free(q->argv);
	strv_free(q->env);
	free(q->cwd);
	free(q->shown);
	audit_who_release(&q->who);
	buf_release(&q->input);
	*q = (struct exec_request)EXEC_REQUEST_INIT;
}
