/* SPDX-License-Identifier: MIT */
/* GET exec/ws and GET sessions/{sid}/ws: the routes of exec-socket.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api-call.h"
#include "daemon/api-exec.h"
#include "daemon/api.h"
#include "daemon/exec-socket.h"
#include "daemon/http/http.h"
#include "lib/api/limits.h"

void api_exec_ws(struct http_req *r, void *app)
{
	struct sandbox *s = api_call_sandbox(r, app);

	if (s)
		exec_socket_accept(r, s);
}

static int parse_since(const char *text, uint64_t *ret)
{
	char *end;

	if (!text || !*text)
		return 0;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10);
	if (errno || *end)
		return -EINVAL;
	*ret = v;
	return 0;
}

static bool is_word(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

void api_session_ws(struct http_req *r, void *app)
{
	struct exec_attach a = { 0 };
	const char *mode = http_query(r, "mode");
	struct sandbox *s = api_call_sandbox(r, app);

	if (!s)
		return;
	a.sid = http_param(r, "sid");
	a.read_only = is_word(mode, "read-only");
	a.takeover = is_word(mode, "takeover");
	a.binary = is_word(http_query(r, "binary"), "true");
	if (mode && *mode && !a.read_only && !a.takeover)
		api_call_refuse(r, SVM_BAD_REQUEST,
				"'mode' must be 'read-only' or 'takeover'");
	else if (parse_since(http_query(r, "since"), &a.since) < 0)
		api_call_refuse(r, SVM_BAD_REQUEST,
				"'since' must be an offset in bytes");
	else if (!api_exec_sid_ok(a.sid))
		api_call_refuse(r, SVM_NOT_FOUND, "there is no such session");
	else
		exec_socket_attach(r, s, &a);
}
