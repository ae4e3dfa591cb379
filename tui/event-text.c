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

/* Members that stand first and without their names, in this order; NULL:
 * not at all, for the rest of the line has it. */
static const struct {
	const char *member, *before;
} told[] = {
	{ "provider", "" },      { "image", "" },
	{ "command", "" },       { "path", "" },
	{ "new_path", "to " },   { "exit_code", "exit " },
	{ "name", "name=" },     { "ttl", "ttl=" },
	{ "owner_id", "by " },   { "duration", NULL },
	{ "session_id", NULL },  { "created_at", NULL },
	{ "updated_at", NULL },
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

static bool is_told(const char *member)
{
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (strcmp(told[i].member, member) == 0)
			return true;
	return false;
}

/* Nobody reads the nanoseconds of a command. */
static void add_took(const cJSON *took, struct buf *out)
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
		if (told[i].before)
			add_value(json_get(data, told[i].member),
				  told[i].before, out);
	add_took(json_get(data, "duration"), out);
	cJSON_ArrayForEach(member, data) {
		if (!member->string || is_told(member->string))
			continue;
		auto_free char *before = xasprintf("%s=", member->string);

		add_value(member, before, out);
	}
}

void event_text(const struct model *m, const cJSON *event, struct buf *out)
{
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
	if (outcomes[type])
		buf_addf(out, " %s", outcomes[type]);
}

bool event_is_bad(const cJSON *event)
{
	const char *type = json_text(event, "type");

	return strstr(type, "fail") || strstr(type, "error") ||
	       strstr(type, "timeout") || strstr(type, "limit");
}
