/* SPDX-License-Identifier: MIT */
/* Events as lines.  See event-text.h. */
#include "tui/event-text.h"

#include <assert.h>
#include <string.h>

#include "lib/api/event-type.h"
#include "lib/base/clock.h"
#include "lib/base/defs.h"
#include "lib/base/duration.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "tui/frame.h"

#define MSEC INT64_C(1000000)

/* The daemon's types are more than eight columns wide. */
static const char *const words[] = {
	[EVENT_NONE] = "",
	[EVENT_SANDBOX_CREATED] = "SPAWN",
	[EVENT_SANDBOX_RUNNING] = "RUN",
	[EVENT_SANDBOX_EXTENDED] = "EXTEND",
	[EVENT_SANDBOX_UPDATED] = "UPDATE",
	[EVENT_SANDBOX_EXPIRED] = "EXPIRED",
	[EVENT_SANDBOX_DESTROYED] = "KILL",
	[EVENT_SANDBOX_ERROR] = "ERROR",
	[EVENT_EXEC_STARTED] = "EXEC",
	[EVENT_EXEC_COMPLETED] = "EXEC",
	[EVENT_EXEC_FAILED] = "EXEC",
	[EVENT_EXEC_TIMEOUT] = "EXEC",
	[EVENT_FILE_WRITTEN] = "WRITE",
	[EVENT_FILE_DELETED] = "DELETE",
	[EVENT_FILE_MOVED] = "MOVE",
	[EVENT_SPAWN_QUEUED] = "QUEUE",
	[EVENT_SPAWN_DEQUEUED] = "DEQUEUE",
	[EVENT_SPAWN_QUEUE_TIMEOUT] = "QUEUE",
	[EVENT_QUOTA_SAVED] = "QUOTA",
	[EVENT_QUOTA_DELETED] = "QUOTA",
	[EVENT_TEMPLATE_SAVED] = "TEMPLATE",
	[EVENT_TEMPLATE_DELETED] = "TEMPLATE",
	[EVENT_IMAGE_PROGRESS] = "IMAGE",
	[EVENT_IMAGE_SAVED] = "IMAGE",
	[EVENT_IMAGE_FAILED] = "IMAGE",
	[EVENT_IMAGE_DELETED] = "IMAGE",
	[EVENT_OPERATION_FAILED] = "CALL",
	[EVENT_PROVIDER_FAILED] = "PROVIDER",
	[EVENT_RESOURCE_LIMIT] = "REFUSED",
	[EVENT_RECONCILE_ACTION] = "RECOVER",
};
static_assert(ARRAY_SIZE(words) == EVENT_TYPE_MAX, "each type has a word");

/* What became of it, where the word alone doesn't tell. */
static const char *const outcomes[EVENT_TYPE_MAX] = {
	[EVENT_EXEC_STARTED] = "started",
	[EVENT_EXEC_FAILED] = "failed",
	[EVENT_EXEC_TIMEOUT] = "timed out",
	[EVENT_SPAWN_QUEUE_TIMEOUT] = "timed out",
	[EVENT_QUOTA_SAVED] = "saved",
	[EVENT_QUOTA_DELETED] = "deleted",
	[EVENT_TEMPLATE_SAVED] = "saved",
	[EVENT_TEMPLATE_DELETED] = "deleted",
	[EVENT_IMAGE_PROGRESS] = "fetching",
	[EVENT_IMAGE_SAVED] = "saved",
	[EVENT_IMAGE_FAILED] = "failed",
	[EVENT_IMAGE_DELETED] = "deleted",
	[EVENT_OPERATION_FAILED] = "failed",
	[EVENT_PROVIDER_FAILED] = "failed",
};

static void add_words(const cJSON *list, const char *before, struct buf *out)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, list) {
		if (!cJSON_IsString(v))
			continue;
		buf_addf(out, "%s%s", v == list->child ? " " : ",",
			 v == list->child ? before : "");
		buf_addstr(out, v->valuestring);
	}
}

static void add_value(const cJSON *v, const char *before, struct buf *out)
{
	if (cJSON_IsString(v))
		buf_addf(out, " %s%s", before, v->valuestring);
	else if (cJSON_IsNumber(v))
		buf_addf(out, " %s%g", before, v->valuedouble);
	else if (cJSON_IsBool(v))
		buf_addf(out, " %s%s", before,
			 cJSON_IsTrue(v) ? "true" : "false");
	else if (cJSON_IsArray(v))
		add_words(v, before, out);
}

/* A zero that ends a duration is not told. */
static void trim(struct buf *out, const char *end)
{
	size_t n = strlen(end);

	if (out->len > n && memcmp(out->data + out->len - n, end, n) == 0)
		buf_truncate(out, out->len - 2);
}

/* As people write it: "30m", not "30m0s". */
static void add_ttl(const cJSON *ttl, const char *before, struct buf *out)
{
	int64_t ns;

	add_value(ttl, before, out);
	if (!cJSON_IsString(ttl) || duration_parse(ttl->valuestring, &ns) < 0)
		return;
	trim(out, "m0s");
	trim(out, "h0m");
}

/* Members that stand first and without their names, in this order; those
 * that nobody adds: not at all, for the rest of the line has them. */
static const struct {
	const char *member, *before;
	void (*add)(const cJSON *v, const char *before, struct buf *out);
} told[] = {
	{ "provider", "", add_value },
	{ "image", "", add_value },
	{ "command", "", add_value },
	{ "path", "", add_value },
	{ "new_path", "to ", add_value },
	{ "name", "name=", add_value },
	{ "ttl", "ttl=", add_ttl },
	{ "owner_id", "by ", add_value },
	{ "exit_code", NULL, NULL },
	{ "duration", NULL, NULL },
	{ "session_id", NULL, NULL },
	{ "created_at", NULL, NULL },
	{ "updated_at", NULL, NULL },
};

static bool is_told(const char *member)
{
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (strcmp(told[i].member, member) == 0)
			return true;
	return false;
}

/* Nobody reads the nanoseconds of a command. */
void event_took(const cJSON *took, struct buf *out)
{
	char text[DURATION_SIZE];
	int64_t ns, unit = 1000;

	if (!cJSON_IsString(took) || duration_parse(took->valuestring, &ns) < 0)
		return;
	if (ns >= MSEC)
		unit = ns >= 1000 * MSEC ? 100 * MSEC : MSEC;
	duration_format(ns / unit * unit, text);
	buf_addf(out, " in %s", text);
}

static void add_data(const cJSON *data, struct buf *out)
{
	const cJSON *member;

	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (told[i].add)
			told[i].add(json_get(data, told[i].member),
				    told[i].before, out);
	cJSON_ArrayForEach(member, data) {
		if (!member->string || is_told(member->string))
			continue;
		auto_free char *before = xasprintf("%s=", member->string);

		add_value(member, before, out);
	}
}

static void add_outcome(enum event_type type, const cJSON *data,
			struct buf *out)
{
	add_value(json_get(data, "exit_code"), "exit ", out);
	event_took(json_get(data, "duration"), out);
	if (outcomes[type])
		buf_addf(out, " %s", outcomes[type]);
}

size_t event_text(const struct model *m, const cJSON *event, struct buf *out)
{
	size_t outcome;
	char clock[FRAME_CLOCK_SIZE] = "--:--:--";
	enum event_type type = EVENT_NONE;
	const char *name = json_text(event, "type");
	int64_t at;

	if (clock_parse_rfc3339(json_text(event, "timestamp"), &at) == 0)
		frame_clock(m, at, clock);
	event_type_parse(name, &type);
	buf_addf(out, "%s %-8s", clock, *words[type] ? words[type] :
		 name);
	if (*json_text(event, "sandbox_id"))
		buf_addf(out, " %s", json_text(event, "sandbox_id"));
	add_data(json_get(event, "data"), out);
	outcome = out->len;
	add_outcome(type, json_get(event, "data"), out);
	return outcome;
}

char *event_text_brief(const char *line, int cols)
{
	static const char dated[] = "dddd-dd-dd dd:dd:dd ";
	size_t n = sizeof(dated) - 1;

	if (cols >= EVENT_DATE_COLS)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (dated[i] == 'd' ? line[i] < '0' || line[i] > '9' :
				      line[i] != dated[i])
			return NULL;
	return xasprintf("%-8.5s %s", line + strlen("dddd-"), line + n);
}

bool event_is_bad(const cJSON *event)
{
	const char *type = json_text(event, "type");

	return strstr(type, "fail") || strstr(type, "error") ||
	       strstr(type, "timeout") || strstr(type, "limit");
}
