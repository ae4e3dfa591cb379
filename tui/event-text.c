/* SPDX-License-Identifier: MIT */
/* Events as lines.  See event-text.h. */
#include "tui/event-text.h"

#include <string.h>

#include "lib/base/clock.h"
#include "tui/frame.h"

static void add_list(struct buf *out, const cJSON *list)
{
	const cJSON *item;

	buf_addf(out, " %s=", list->string);
	cJSON_ArrayForEach(item, list)
		if (cJSON_IsString(item))
			buf_addf(out, "%s%s", item == list->child ? "" : ",",
				 item->valuestring);
}

void event_text(const struct model *m, const cJSON *event, struct buf *out)
{
	char clock[FRAME_CLOCK_SIZE] = "--:--:--";
	const cJSON *member;
	int64_t at;

	if (clock_parse_rfc3339(json_text(event, "timestamp"), &at) == 0)
		frame_clock(m, at, clock);
	buf_addf(out, "%s %s", clock, json_text(event, "type"));
	if (*json_text(event, "sandbox_id"))
		buf_addf(out, " %s", json_text(event, "sandbox_id"));
	cJSON_ArrayForEach(member, json_get(event, "data")) {
		if (!member->string)
			continue;
		if (cJSON_IsString(member))
			buf_addf(out, " %s=%s", member->string,
				 member->valuestring);
		else if (cJSON_IsNumber(member))
			buf_addf(out, " %s=%g", member->string,
				 member->valuedouble);
		else if (cJSON_IsArray(member))
			add_list(out, member);
		else if (cJSON_IsBool(member))
			buf_addf(out, " %s=%s", member->string,
				 cJSON_IsTrue(member) ? "true" : "false");
	}
}
