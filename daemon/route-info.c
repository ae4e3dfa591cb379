/* SPDX-License-Identifier: MIT */
/* What is known of each route.  See route-info.h. */
#include "daemon/route-info.h"

#include <string.h>

#include "daemon/http/http.h"
#include "daemon/routes.h"
#include "lib/base/mem.h"

#define V1 "/api/v1"
#define SB V1 "/sandboxes"
#define ID SB "/{id}"
#define CALL ROUTE_AUDITED
#define INSIDE (ROUTE_AUDITED | ROUTE_AUDITED_INSIDE)

const struct route_info route_infos[] = {
	{ "GET", V1 "/health", "health", 0, "Whether the daemon is well",
	  NULL, NULL, "200 Health" },
	{ "GET", V1 "/live", "live", 0, "Whether it answers at all", NULL,
	  NULL, "200 Status" },
	{ "GET", V1 "/ready", "ready", 0, "Whether a provider is usable",
	  NULL, NULL, "200 Status" },
	{ "GET", V1 "/metrics", "metrics", 0, "Counters and latencies", NULL,
	  NULL, "200 Metrics" },
	{ "GET", V1 "/metrics/prometheus", "metrics.prometheus", 0,
	  "The same for Prometheus", NULL, NULL, "200 text/plain" },
	{ "GET", V1 "/openapi.json", "openapi", 0, "This document", NULL,
	  NULL, "200 Object" },
	{ "GET", V1 "/config", "config", 0,
	  "The configuration in force, without secrets", NULL, NULL,
	  "200 Config" },
	{ "GET", V1 "/doctor", "doctor", 0, "What this host can do", NULL,
	  NULL, "200 Object" },
	{ "GET", V1 "/events", "events", ROUTE_UNTIMED,
	  "What happened, and what happens",
	  "since type sandbox_id follow:boolean", NULL,
	  "200 text/event-stream" },
	{ "GET", V1 "/audit", "audit.list", ROUTE_UNTIMED,
	  "Who did what, newest records last",
	  "limit:integer actor action sandbox_id owner since format", NULL,
	  "200 [AuditRecord]" },
	{ "GET", V1 "/audit/verify", "audit.verify", 0,
	  "Whether the chain of audit records is whole", NULL, NULL,
	  "200 AuditVerdict" },
	{ "GET", V1 "/providers", "provider.list", 0, "Kinds of runtimes",
	  NULL, NULL, "200 [Provider]" },
	{ "POST", V1 "/providers/test", "provider.test", 0,
	  "Probe every provider now", NULL, NULL, "200 Booleans" },
	{ "GET", V1 "/providers/{name}", "provider.get", 0, "One of them",
	  NULL, NULL, "200 Provider" },
	{ "GET", V1 "/pool/status", "pool.status", 0,
	  "Runtimes that users share", NULL, NULL, "200 PoolStatus" },
	{ "GET", V1 "/snapshots", "snapshot.list", 0,
	  "Sandboxes that were kept", NULL, NULL, "200 [Snapshot]" },

	{ "GET", V1 "/images", "image.list", 0, "Images that are here", NULL,
	  NULL, "200 [Image]" },
	{ "POST", V1 "/images/import", "image.import", CALL,
	  "Import an archive", "name frames", "*", "201 Image" },
	{ "POST", V1 "/images/pull", "image.pull", CALL,
	  "Fetch an image from its registry", "frames", "PullRequest",
	  "201 Image" },
	{ "POST", V1 "/images/prune", "image.prune", CALL,
	  "Remove the images nothing uses", NULL, NULL, "200 Object" },
	{ "DELETE", V1 "/images/{ref}", "image.delete", CALL,
	  "Remove an image", NULL, NULL, "200 Object" },

	{ "GET", V1 "/quotas", "quota.list", 0, "What owners may have", NULL,
	  NULL, "200 [Quota]" },
	{ "GET", V1 "/quotas/summary", "quota.summary", 0,
	  "How many quotas there are", NULL, NULL, "200 QuotaSummary" },
	{ "GET", V1 "/quotas/{owner}", "quota.get", 0, "One owner's", NULL,
	  NULL, "200 Quota" },
	{ "PUT", V1 "/quotas/{owner}", "quota.put", INSIDE, "Set it", NULL,
	  "QuotaRequest", "200 Quota" },
	{ "DELETE", V1 "/quotas/{owner}", "quota.delete", INSIDE,
	  "Take it back", NULL, NULL, "200 Status" },
	{ "GET", V1 "/quotas/{owner}/usage", "quota.usage", 0,
	  "What the owner has, beside what is allowed", NULL, NULL,
	  "200 Usage" },

	{ "POST", SB "/admission", "sandbox.admission", 0,
	  "Whether a spawn would be admitted", NULL, "SandboxRequest",
	  "200 Admission" },
	{ "POST", SB, "sandbox.create", INSIDE, "Spawn a sandbox", "frames",
	  "SandboxRequest", "201 Sandbox" },
	{ "GET", SB, "sandbox.list", 0, "Sandboxes, newest first",
	  "state owner provider all:boolean", NULL, "200 [Sandbox]" },
	{ "DELETE", SB, "sandbox.prune", CALL, "Destroy what has expired",
	  NULL, NULL, "200 Pruned" },
	{ "GET", ID, "sandbox.get", 0, "One sandbox, by id or name", NULL,
	  NULL, "200 Sandbox" },
	{ "PATCH", ID, "sandbox.update", INSIDE,
	  "Change its name and metadata", NULL, "SandboxPatch",
	  "200 Sandbox" },
	{ "DELETE", ID, "sandbox.destroy", INSIDE, "Destroy it", NULL, NULL,
	  "200 Status" },
	{ "POST", ID "/extend", "sandbox.extend", INSIDE,
	  "Give it a new time to live", NULL, "ExtendRequest",
	  "200 Sandbox" },
	{ "GET", ID "/stats", "sandbox.stats", 0, "What it uses", NULL, NULL,
	  "200 Stats" },
	{ "GET", ID "/preview", "sandbox.preview", 0,
	  "The address of a port inside", "port:integer", NULL,
	  "200 Preview" },
	{ "GET", ID "/logs", "sandbox.logs", ROUTE_UNTIMED,
	  "Output of its commands: lines of text, or with details objects",
	  "lines:integer since stream before:integer after:integer "
	  "follow:boolean details:boolean", NULL,
	  "200 [LogLine]" },

	{ "GET", V1 "/templates", "template.list", 0, "Templates, by name",
	  NULL, NULL, "200 [Template]" },
	{ "POST", V1 "/templates", "template.save", CALL,
	  "Create one, or change the fields that are given", NULL,
	  "TemplateRequest", "201 Template" },
	{ "GET", V1 "/templates/{name}", "template.get", 0, "One of them",
	  NULL, NULL, "200 Template" },
	{ "PUT", V1 "/templates/{name}", "template.replace", CALL,
	  "Replace it", NULL, "TemplateRequest", "200 Template" },
	{ "DELETE", V1 "/templates/{name}", "template.delete", CALL,
	  "Remove it and its warm copies", NULL, NULL, "200 Status" },
	{ "POST", V1 "/templates/{name}/spawn", "template.spawn", INSIDE,
	  "Spawn a sandbox from it", "frames", "SandboxRequest",
	  "201 Sandbox" },

	{ "POST", ID "/exec", "exec", INSIDE, "Run a command", NULL,
	  "ExecRequest", "200 ExecResult" },
	{ "GET", ID "/exec/ws", "exec.ws", INSIDE | ROUTE_UNTIMED,
	  "Run a command over a WebSocket", NULL, NULL, "101" },
	{ "GET", ID "/sessions", "session.list", 0,
	  "Commands with a terminal, and detached ones", NULL, NULL,
	  "200 [Session]" },
	{ "GET", ID "/sessions/{sid}", "session.get", 0, "One of them", NULL,
	  NULL, "200 Session" },
	{ "DELETE", ID "/sessions/{sid}", "session.delete", CALL,
	  "End it", NULL, NULL, "200 Status" },
	{ "GET", ID "/sessions/{sid}/ws", "session.attach",
	  CALL | ROUTE_UNTIMED, "Attach to it over a WebSocket",
	  "mode since:integer binary:boolean", NULL, "101" },
	{ "POST", ID "/sessions/{sid}/signal", "session.signal", CALL,
	  "Send it a signal", NULL, "SignalRequest", "200 Status" },
	{ "POST", ID "/sessions/{sid}/resize", "session.resize", 0,
	  "Resize its terminal", NULL, "ResizeRequest", "200 Status" },

	{ "POST", ID "/files", "file.write", INSIDE, "Write a file", NULL,
	  "FileRequest", "200 Status" },
	{ "PUT", ID "/files", "file.write", INSIDE,
	  "Write a file from the raw body", "path! mode", "*",
	  "200 Status" },
	{ "GET", ID "/files", "file.read", 0, "Read a file", "path!", NULL,
	  "200 application/octet-stream" },
	{ "DELETE", ID "/files", "file.delete", INSIDE,
	  "Remove a file or directory", "path! recursive:boolean", NULL,
	  "200 Status" },
	{ "GET", ID "/files/list", "file.list", 0, "List a directory",
	  "path", NULL, "200 [FileInfo]" },
	{ "POST", ID "/files/move", "file.move", INSIDE, "Rename", NULL,
	  "MoveRequest", "200 Status" },
	{ "POST", ID "/files/chmod", "file.chmod", INSIDE, "Change the mode",
	  NULL, "ChmodRequest", "200 Status" },
	{ "GET", ID "/files/stat", "file.stat", 0, "What a path is", "path!",
	  NULL, "200 FileInfo" },
	{ "GET", ID "/files/glob", "file.glob", 0, "Paths that match",
	  "pattern!", NULL, "200 [String]" },
	{ "GET", ID "/files/archive", "archive.read", 0, "A tree as tar",
	  "path!", NULL, "200 application/x-tar" },
	{ "PUT", ID "/files/archive", "archive.write", INSIDE,
	  "Unpack a tar", "path!", "*", "200 Status" },
	{ 0 },
};

static const struct route_info *search(const struct http_route *route)
{
	const struct route_info *i = route_infos;

	while (i->method && (strcmp(i->pattern, route->pattern) != 0 ||
			     strcmp(i->method, route->method) != 0))
		i++;
	return i;
}

/* Every request asks twice, so what was found is remembered. */
const struct route_info *route_info(const struct http_route *route)
{
	static const struct route_info *memo[256];
	size_t at = (size_t)(route - daemon_routes);
	const struct route_info *i = at < ARRAY_SIZE(memo) ? memo[at] : NULL;

	if (!i) {
		i = search(route);
		if (at < ARRAY_SIZE(memo))
			memo[at] = i;
	}
	return i->method ? i : NULL;
}

unsigned route_info_flags(const struct http_route *route)
{
	const struct route_info *i = route_info(route);

	if (i)
		return i->flags;
	return strcmp(route->method, "GET") == 0 ? 0 : ROUTE_AUDITED;
}

char *route_info_action(const struct http_route *route)
{
	const struct route_info *i = route ? route_info(route) : NULL;

	if (i)
		return xstrdup(i->action);
	return route ? xasprintf("%s %s", route->method, route->pattern) :
		       xstrdup("call");
}

const char *route_info_headers(const struct route_info *i)
{
	static const struct {
		const char *action, *headers;
	} heeded[] = {
		{ "file.write", "If-Match If-None-Match" },
		{ "file.read", "Range If-Range" },
		{ "file.move", "If-None-Match" },
		{ "template.save", "If-None-Match" },
	};

	for (size_t k = 0; k < ARRAY_SIZE(heeded); k++)
		if (strcmp(heeded[k].action, i->action) == 0)
			return heeded[k].headers;
	return NULL;
}
