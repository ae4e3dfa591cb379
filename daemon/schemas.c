/* SPDX-License-Identifier: MIT */
/*
 * JSON schemas.  tests/system/test_openapi.py holds every reply against its
 * own; a reply may carry more than is said here (API.md).
 */
#include "daemon/schemas.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "lib/base/mem.h"

#define STR "{\"type\":\"string\"}"
#define STR_NULL "{\"type\":[\"string\",\"null\"]}"
#define INT_NULL "{\"type\":[\"integer\",\"null\"]}"
#define INT "{\"type\":\"integer\"}"
#define NUM "{\"type\":\"number\"}"
#define BOOL "{\"type\":\"boolean\"}"
#define ANY "{}"
#define TIME "{\"type\":\"string\",\"format\":\"date-time\"}"
#define ONE_OF(list) "{\"type\":\"string\",\"enum\":[" list "]}"
#define ARRAY(of) "{\"type\":\"array\",\"items\":" of "}"
#define MAP(of) "{\"type\":\"object\",\"additionalProperties\":" of "}"
#define REF(name) "{\"$ref\":\"#/components/schemas/" name "\"}"
#define P(name, type) "\"" name "\":" type
#define OBJECT(required, properties)                     \
	"{\"type\":\"object\",\"required\":[" required \
	"],\"properties\":{" properties "}}"
#define HASH "{\"type\":\"string\",\"pattern\":\"^sha256:[0-9a-f]{64}$\"}"

#define STATES                                                             \
	"\"creating\",\"running\",\"paused\",\"stopped\",\"unhealthy\","   \
	"\"expired\",\"destroying\",\"destroyed\",\"error\""

#define SANDBOX                                                            \
	P("id", "{\"type\":\"string\",\"pattern\":\"^sb-[0-9a-f]{8}$\"}")  \
	"," P("state", ONE_OF(STATES)) "," P("provider", STR) ","          \
	P("image", STR) "," P("memory_mb", INT) "," P("vcpus", INT) ","    \
	P("created_at", TIME) "," P("expires_at", TIME) ","                \
	P("name", STR) "," P("metadata", MAP(STR)) ","                     \
	P("preview_domain", STR) "," P("owner_id", STR) ","                \
	P("template", STR) "," P("network", STR) ","                       \
	P("disk_mb", INT) "," P("pids", INT) "," P("timings", MAP(NUM)) "," \
	P("posture", MAP(ANY)) "," P("reason", STR)

#define OPERATION                                                          \
	OBJECT("\"operation\",\"provider\",\"count\",\"failures\","        \
	       "\"latency\"",                                              \
	       P("operation", STR) "," P("provider", STR) ","              \
	       P("count", INT) "," P("failures", INT) ","                  \
	       P("latency", OBJECT("\"sum_ms\",\"buckets\"",               \
		 P("sum_ms", NUM) "," P("buckets", ARRAY(OBJECT(           \
		 "\"le_ms\",\"count\"",                                    \
		 P("le_ms", "{\"type\":[\"number\",\"null\"]}") ","        \
		 P("count", INT)))))))

#define QUOTA                                                              \
	P("owner_id", STR) "," P("max_sandboxes", INT) ","                 \
	P("max_ttl", STR) "," P("max_exec_timeout", STR) ","               \
	P("max_memory_mb", INT) "," P("max_vcpus", INT)

#define TEMPLATE                                                           \
	P("name", STR) "," P("version", STR) "," P("image", STR) ","       \
	P("description", STR) "," P("provider", STR) ","                   \
	P("memory_mb", INT) "," P("vcpus", INT) ","                        \
	P("cpu_cores", INT) "," P("disk_mb", INT) "," P("pids", INT) ","   \
	P("ttl", STR) "," P("ttl_seconds", INT) ","                        \
	P("env", MAP(STR)) "," P("metadata", MAP(STR)) ","                 \
	P("setup", ARRAY(STR)) "," P("network", ANY) ","                   \
	P("read_only_rootfs", BOOL) "," P("pool_size", INT)

const struct schema schemas[] = {
	{ "Object", "{\"type\":\"object\"}" },
	{ "String", STR },
	{ "Booleans", MAP(BOOL) },
	{ "LogLine", "{\"type\":[\"string\",\"object\"],"
		     "\"required\":[\"time\",\"stream\",\"line\",\"at\"],"
		     "\"properties\":{" P("time", STR_NULL) ","
		     P("stream", STR_NULL) "," P("line", STR) ","
		     P("at", INT_NULL) "}}" },
	{ "Error", OBJECT("\"code\",\"message\"",
			  P("code", STR) "," P("message", STR) ","
			  P("remediation", STR) "," P("request_id", STR)) },
	{ "Status", OBJECT("\"status\"", P("status", STR)) },
	{ "Health", OBJECT("\"status\",\"version\",\"uptime\"",
			   P("status", ONE_OF("\"ok\"")) ","
			   P("version", STR) "," P("uptime", STR)) },
	{ "Metrics", OBJECT("\"uptime\",\"goroutines\",\"memory_alloc\","
			    "\"active_sandboxes\",\"total_sandboxes\","
			    "\"sandboxes\",\"operations\"",
			    P("uptime", STR) "," P("goroutines", INT) ","
			    P("memory_alloc", INT) ","
			    P("active_sandboxes", INT) ","
			    P("total_sandboxes", INT) ","
			    P("sandboxes", OBJECT("\"total\",\"active\","
				"\"by_state\",\"by_provider\"",
				P("total", INT) "," P("active", INT) ","
				P("by_state", MAP(INT)) ","
				P("by_provider", MAP(INT)))) ","
			    P("providers", MAP(BOOL)) ","
			    P("operations", ARRAY(OPERATION))) },
	{ "Config", MAP(OBJECT("\"value\",\"origin\"",
			       P("value", ANY) "," P("origin", STR))) },
	{ "AuditRecord", OBJECT("\"seq\",\"time\",\"actor\",\"action\","
				"\"result\",\"hash\"",
				P("seq", INT) "," P("time", TIME) ","
				P("actor", STR_NULL) ","
				P("owner_id", STR_NULL) ","
				P("sandbox_id", STR_NULL) ","
				P("action", STR) "," P("target", STR_NULL) ","
				P("result", STR) ","
				P("request_id", STR_NULL) ","
				P("hash", HASH)) },
	{ "AuditVerdict", OBJECT("\"ok\",\"records\",\"first\",\"last\","
				 "\"head\"",
				 P("ok", BOOL) "," P("records", INT) ","
				 P("first", INT) "," P("last", INT) ","
				 P("head", HASH) ","
				 P("checkpoint", OBJECT("\"seq\",\"hash\"",
					P("seq", INT) "," P("hash", HASH)))
				 "," P("broken_at", INT) ","
				 P("problem", STR)) },
	{ "Provider", OBJECT("\"name\",\"healthy\",\"default\","
			     "\"latency_ms\",\"last_checked\",\"error\","
			     "\"remediation\",\"capabilities\","
			     "\"runtime_count\"",
			     P("name", STR) "," P("healthy", BOOL) ","
			     P("default", BOOL) "," P("latency_ms", NUM) ","
			     P("last_checked", STR) "," P("error", STR_NULL)
			     "," P("remediation", STR_NULL) ","
			     P("capabilities", ARRAY(STR)) ","
			     P("runtime_count", INT) ","
			     P("sandbox_count", INT) ","
			     P("description", STR) "," P("enabled", BOOL) ","
			     P("findings", ARRAY(ANY)) ","
			     P("config", MAP(ANY))) },
	{ "PoolStatus", OBJECT("\"enabled\",\"vms\",\"max_vms\","
			       "\"total_users\",\"max_users_per_vm\"",
			       P("enabled", BOOL) "," P("vms", INT) ","
			       P("max_vms", INT) ","
			       P("total_users", INT) ","
			       P("max_users_per_vm", INT) ","
			       P("warm", ARRAY(OBJECT("\"template\","
				"\"wanted\",\"ready\",\"refilling\","
				"\"claimed\"",
				P("template", STR) "," P("owner_id", STR) ","
				P("wanted", INT) "," P("ready", INT) ","
				P("refilling", INT) ","
				P("claimed", INT))))) },
	{ "Snapshot", OBJECT("\"id\",\"name\",\"sandbox_id\",\"image\","
			     "\"provider\",\"kind\",\"size_bytes\","
			     "\"created_at\"",
			     P("id", STR) "," P("name", STR) ","
			     P("sandbox_id", STR) "," P("image", STR) ","
			     P("provider", STR) "," P("kind", STR) ","
			     P("size_bytes", INT) ","
			     P("created_at", TIME)) },
	{ "Image", OBJECT("\"ref\",\"digest\",\"size_bytes\",\"created_at\","
			  "\"layers\",\"in_use\"",
			  P("ref", STR) "," P("digest", HASH) ","
			  P("size_bytes", INT) "," P("created_at", TIME) ","
			  P("layers", INT) "," P("in_use", BOOL)) },
	{ "PullRequest", OBJECT("\"ref\"", P("ref", STR)) },
	{ "SandboxRequest", OBJECT("", P("image", STR) ","
				   P("provider", STR) "," P("name", STR) ","
				   P("memory_mb", INT) "," P("vcpus", INT) ","
				   P("disk_mb", INT) "," P("pids", INT) ","
				   P("ttl", STR) "," P("template", STR) ","
				   P("metadata", MAP(STR)) ","
				   P("env", MAP(STR)) "," P("network", ANY)
				   "," P("owner_id", STR) ","
				   P("from_snapshot", STR) ","
				   P("read_only_rootfs", BOOL)) },
	{ "SandboxPatch", OBJECT("", P("name", STR_NULL) ","
				 P("metadata", "{\"type\":[\"object\","
				   "\"null\"],\"additionalProperties\":"
				   STR_NULL "}")) },
	{ "Sandbox", OBJECT("\"id\",\"state\",\"provider\",\"created_at\","
			    "\"metadata\"", SANDBOX) },
	{ "Admission", OBJECT("\"allowed\",\"queueable\",\"reason\","
			      "\"active_sandboxes\",\"max_sandboxes\","
			      "\"active_owner_sandboxes\","
			      "\"max_owner_sandboxes\",\"max_ttl\"",
			      P("allowed", BOOL) "," P("queueable", BOOL) ","
			      P("reason", STR) ","
			      P("active_sandboxes", INT) ","
			      P("max_sandboxes", INT) ","
			      P("active_owner_sandboxes", INT) ","
			      P("max_owner_sandboxes", INT) ","
			      P("max_ttl", STR)) },
	{ "QuotaRequest", OBJECT("", QUOTA) },
	{ "Quota", OBJECT("\"owner_id\",\"max_sandboxes\",\"max_ttl\","
			  "\"max_exec_timeout\",\"max_memory_mb\","
			  "\"max_vcpus\"",
			  QUOTA "," P("created_at", TIME) ","
			  P("updated_at", TIME)) },
	{ "QuotaSummary", OBJECT("\"total\",\"with_max_sandboxes\","
				 "\"with_max_ttl\","
				 "\"with_max_exec_timeout\"",
				 P("total", INT) ","
				 P("with_max_sandboxes", INT) ","
				 P("with_max_ttl", INT) ","
				 P("with_max_exec_timeout", INT)) },
	{ "Usage", OBJECT("\"owner_id\",\"active_sandboxes\","
			  "\"memory_mb\",\"vcpus\"",
			  QUOTA "," P("active_sandboxes", INT) ","
			  P("waiting_spawns", INT) "," P("memory_mb", INT)
			  "," P("vcpus", INT)) },
	{ "TemplateRequest", OBJECT("\"name\",\"image\"", TEMPLATE) },
	{ "Template", OBJECT("\"name\",\"version\",\"image\","
			     "\"memory_mb\",\"vcpus\",\"cpu_cores\","
			     "\"ttl\",\"ttl_seconds\",\"env\",\"metadata\","
			     "\"setup\",\"pool_size\",\"created_at\","
			     "\"updated_at\"",
			     TEMPLATE "," P("owner_id", STR) ","
			     P("created_at", TIME) ","
			     P("updated_at", TIME)) },
	{ "Pruned", OBJECT("\"pruned\"", P("pruned", INT)) },
	{ "ExtendRequest", OBJECT("", P("ttl", STR)) },
	{ "Stats", OBJECT("\"supported\",\"cpu_pct\",\"mem_bytes\","
			  "\"mem_limit_bytes\",\"pids\",\"disk_bytes\","
			  "\"net_rx_bytes\",\"net_tx_bytes\"",
			  P("supported", BOOL) "," P("cpu_pct", NUM) ","
			  P("mem_bytes", INT) "," P("mem_limit_bytes", INT)
			  "," P("pids", INT) "," P("disk_bytes", INT) ","
			  P("net_rx_bytes", INT) ","
			  P("net_tx_bytes", INT)) },
	{ "Preview", OBJECT("\"url\",\"port\",\"sandbox_id\",\"token\","
			    "\"expires_at\"",
			    P("url", STR) "," P("port", INT) ","
			    P("sandbox_id", STR) "," P("token", STR) ","
			    P("expires_at", TIME)) },
	{ "ExecRequest", OBJECT("\"command\"", P("command", STR) ","
				P("args", ARRAY(STR)) ","
				P("mode", ONE_OF("\"shell\",\"argv\"")) ","
				P("env", MAP(STR)) "," P("workdir", STR) ","
				P("timeout", STR) "," P("stdin", STR) ","
				P("stream", BOOL) "," P("detach", BOOL) ","
				P("tty", BOOL) "," P("cols", INT) ","
				P("rows", INT) ","
				P("frames", STR) "," P("encoding", STR)) },
	{ "ExecResult", OBJECT("", P("exit_code", INT) "," P("stdout", STR)
			       "," P("stderr", STR) "," P("duration", STR)
			       "," P("signal", STR) ","
			       P("truncated", BOOL) ","
			       P("session_id", STR)) },
	{ "Session", OBJECT("\"id\",\"command\",\"state\",\"tty\","
			    "\"detached\",\"started_at\"",
			    P("id", STR) "," P("command", STR) ","
			    P("state", ONE_OF("\"running\",\"exited\"")) ","
			    P("tty", BOOL) "," P("detached", BOOL) ","
			    P("pid", INT) "," P("started_at", TIME) ","
			    P("attached", INT) "," P("cols", INT) ","
			    P("rows", INT)) },
	{ "SignalRequest", OBJECT("\"signal\"", P("signal", STR)) },
	{ "ResizeRequest", OBJECT("\"cols\",\"rows\"",
				  P("cols", INT) "," P("rows", INT)) },
	{ "FileRequest", OBJECT("\"path\"", P("path", STR) ","
				P("content", STR) "," P("mode", STR) ","
				P("encoding", STR)) },
	{ "MoveRequest", OBJECT("\"old_path\",\"new_path\"",
				P("old_path", STR) ","
				P("new_path", STR)) },
	{ "ChmodRequest", OBJECT("\"path\",\"mode\"",
				 P("path", STR) "," P("mode", STR)) },
	{ "FileInfo", OBJECT("\"name\",\"path\",\"size\",\"is_dir\","
			     "\"mode\",\"mod_time\",\"type\"",
			     P("name", STR) "," P("path", STR) ","
			     P("size", INT) "," P("is_dir", BOOL) ","
			     P("mode", "{\"type\":\"string\",\"pattern\":"
				       "\"^[0-7]{4}$\"}") ","
			     P("mod_time", TIME) ","
			     P("type", ONE_OF("\"file\",\"dir\","
				"\"symlink\",\"fifo\",\"socket\",\"char\","
				"\"block\"")) "," P("target", STR)) },
	{ NULL, NULL },
};

char **schemas_fields(const char *name)
{
	const struct schema *s = schemas;

	while (s->name && strcmp(s->name, name) != 0)
		s++;
	cJSON *root = s->name ? cJSON_Parse(s->json) : NULL;
	const cJSON *p, *all = cJSON_GetObjectItem(root, "properties");
	size_t n = 0;
	char **ret = !all ? NULL : xcalloc((size_t)cJSON_GetArraySize(all) + 1,
					   sizeof(char *));

	cJSON_ArrayForEach(p, all)
		ret[n++] = xstrdup(p->string);
	cJSON_Delete(root);
	return ret;
}
