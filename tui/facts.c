/* SPDX-License-Identifier: MIT */
/* Labels and texts.  See facts.h. */
#include "tui/facts.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"
#include "lib/base/width.h"
#include "tui/frame.h"
#include "tui/wrap.h"

int facts_row(struct facts *f)
{
	size_t line = f->line++;

	if (!f->c || line < f->top || line >= f->top + (size_t)f->a.rows)
		return -1;
	return f->a.row + (int)(line - f->top);
}

static void wrapped(struct facts *f, enum theme_role role, const char *label,
		    int indent, const char *text)
{
	auto_buf struct buf safe = BUF_INIT;
	size_t width = (size_t)MAX(f->a.cols - indent - 1, 8), at = 0, n;

	escape_line(&safe, text, strlen(text));
	do {
		const char *rest = buf_str(&safe) + at;
		int row = facts_row(f);

		n = wrap_fit(rest, safe.len - at, width);
		auto_free char *line = xstrndup(rest, n);

		at += n;
		at += safe.len > at && safe.data[at] == ' ';
		if (row < 0)
			continue;
		if (label)
			canvas_text(f->c, row, f->a.col + 1, FACTS_LABEL - 1,
				    pen_role(ROLE_DIM), label);
		canvas_text(f->c, row, f->a.col + indent,
			    f->a.cols - indent, pen_role(role), line);
		label = NULL;
	} while (at < safe.len);
}

void facts_pair_role(struct facts *f, enum theme_role role,
		     const char *label, const char *text)
{
	/* A longer label has a line to itself. */
	if (!*text)
		return;
	if (strlen(label) > FACTS_LABEL - 2) {
		facts_plain(f, ROLE_DIM, label);
		label = NULL;
	}
	wrapped(f, role, label, FACTS_LABEL, text);
}

void facts_pair(struct facts *f, const char *label, const char *text)
{
	facts_pair_role(f, ROLE_INK, label, text);
}

void facts_plain(struct facts *f, enum theme_role role, const char *text)
{
	wrapped(f, role, NULL, 1, text);
}

void facts_when(struct facts *f, const char *label, int64_t ns)
{
	char text[FRAME_CLOCK_SIZE] = "";

	if (ns)
		frame_clock(f->m, ns, text);
	facts_pair(f, label, text);
}

/* -- objects */

/* In this order, before what isn't here; said twice is said once. */
static const struct known {
	const char *key, *label; /* NULL: not shown */
} known[] = {
	{ "description", "about" },
	{ "isolation", "isolation" },
	{ "mode", "mode" },
	{ "healthy", "healthy" },
	{ "enabled", "enabled" },
	{ "error", "problem" },
	{ "remediation", "to do" },
	{ "image", "image" },
	{ "provider", "provider" },
	{ "memory_mb", "memory" },
	{ "vcpus", "vCPUs" },
	{ "disk_mb", "disk" },
	{ "disk", "disk is" },
	{ "pids", "processes" },
	{ "ttl", "ttl" },
	{ "pool_size", "warm" },
	{ "network", "network" },
	{ "no_new_privs", "no setuid" },
	{ "capabilities", "offers" },
	{ "agent_capabilities", "agent caps" },
	{ "agent_bounding_set", "caps bound" },
	{ "landlock_abi", "Landlock" },
	{ "read_only_rootfs", "root r/o" },
	{ "runtime_count", "running" },
	{ "latency_ms", "answers in" },
	{ "last_checked", "looked at" },
	{ "created_at", "created" },
	{ "updated_at", "changed" },
	{ "name", NULL },
	{ "cpu_cores", NULL },   /* vcpus */
	{ "ttl_seconds", NULL }, /* ttl */
};

static bool is_known(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].key, key) == 0)
			return true;
	return false;
}

static bool ends(const char *key, const char *end)
{
	size_t n = strlen(key), k = strlen(end);

	return n > k && strcmp(key + n - k, end) == 0;
}

/* Without its unit, which stands behind the number. */
static size_t name_length(const char *key)
{
	static const char *const units[] = { "_mb", "_ms", "_us", "_bytes" };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (ends(key, units[i]))
			return strlen(key) - strlen(units[i]);
	return strlen(key);
}

static void add_number(struct buf *out, const char *key, double v)
{
	char text[FRAME_TIME_SIZE];

	if (v < 0 || v > 9e15)
		buf_addf(out, "%g", v);
	else if (ends(key, "_mb"))
		buf_addf(out, "%.0f MiB", v);
	else if (ends(key, "_ms"))
		buf_addf(out, "%.0f ms", v);
	else if (ends(key, "_us"))
		buf_addf(out, "%.0f us", v);
	else if (ends(key, "_bytes"))
		buf_addstr(out, (frame_bytes((int64_t)v, text), text));
	else
		buf_addf(out, "%.15g", v);
}

static void add_value(const struct facts *f, struct buf *out,
		      const char *key, const cJSON *v)
{
	char text[FRAME_CLOCK_SIZE];
	int64_t ns;

	if (cJSON_IsBool(v)) {
		buf_addstr(out, cJSON_IsTrue(v) ? "yes" : "no");
	} else if (cJSON_IsNumber(v)) {
		add_number(out, key, v->valuedouble);
	} else if (cJSON_IsString(v) &&
		   clock_parse_rfc3339(v->valuestring, &ns) == 0) {
		frame_clock(f->m, ns, text);
		buf_addstr(out, text);
	} else if (cJSON_IsString(v)) {
		buf_addstr(out, v->valuestring);
	}
}

static bool is_simple(const cJSON *v)
{
	return !cJSON_IsObject(v) && !cJSON_IsArray(v);
}

/* "label a=1", and the rest below it. */
static void object_pairs(struct facts *f, const char *label, const cJSON *o)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, o) {
		auto_buf struct buf text = BUF_INIT;
		auto_free char *deep = is_simple(v) ? NULL :
						      cJSON_PrintUnformatted(v);

		buf_addf(&text, "%.*s=", (int)name_length(v->string),
			 v->string);
		if (deep)
			buf_addstr(&text, deep);
		else
			add_value(f, &text, v->string, v);
		facts_pair(f, label, buf_str(&text));
		label = "";
	}
}

/* Short words in a row, commands one below the other. */
static void array_pairs(struct facts *f, const char *label, const cJSON *o)
{
	auto_buf struct buf row = BUF_INIT;
	bool words = true;
	const cJSON *v;

	cJSON_ArrayForEach(v, o)
		words &= is_simple(v) && (!cJSON_IsString(v) ||
					  !strchr(v->valuestring, ' '));
	cJSON_ArrayForEach(v, o) {
		auto_free char *deep = is_simple(v) ? NULL :
						      cJSON_PrintUnformatted(v);

		buf_addstr(&row, words && row.len ? ", " : "");
		if (deep)
			buf_addstr(&row, deep);
		else
			add_value(f, &row, label, v);
		if (words)
			continue;
		facts_pair(f, label, buf_str(&row));
		buf_clear(&row);
		label = "";
	}
	facts_pair(f, label, buf_str(&row));
}

static void member(struct facts *f, const char *label, const cJSON *v)
{
	auto_buf struct buf text = BUF_INIT;
	bool bad = strcmp(v->string, "error") == 0 ||
		   (strcmp(v->string, "healthy") == 0 && cJSON_IsFalse(v));

	if (cJSON_IsObject(v)) {
		object_pairs(f, label, v);
	} else if (cJSON_IsArray(v)) {
		array_pairs(f, label, v);
	} else {
		add_value(f, &text, v->string, v);
		facts_pair_role(f, bad ? ROLE_BAD : ROLE_INK, label,
				buf_str(&text));
	}
}

/* What a sandbox has of its own, and what it shares with this machine. */
static void namespaces(struct facts *f, const cJSON *o)
{
	auto_buf struct buf own = BUF_INIT, shared = BUF_INIT;
	const cJSON *v;

	cJSON_ArrayForEach(v, o) {
		struct buf *to = cJSON_IsTrue(v) ? &own : &shared;

		if (cJSON_IsBool(v) && ends(v->string, "_namespace"))
			buf_addf(to, "%s%.*s", to->len ? ", " : "",
				 (int)(strlen(v->string) -
				       strlen("_namespace")), v->string);
	}
	facts_pair(f, "namespaces", buf_str(&own));
	facts_pair_role(f, ROLE_BAD, "SHARED", buf_str(&shared));
}

static char *label_of(const char *key)
{
	char *label = xstrndup(key, name_length(key));

	for (char *p = label; (p = strchr(p, '_'));)
		*p = ' ';
	return label;
}

void facts_object(struct facts *f, const cJSON *o)
{
	const cJSON *v;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		v = json_get(o, known[i].key);
		if (v && known[i].label)
			member(f, known[i].label, v);
	}
	namespaces(f, o);
	cJSON_ArrayForEach(v, o) {
		auto_free char *label = NULL;

		if (!v->string || is_known(v->string) ||
		    (cJSON_IsBool(v) && ends(v->string, "_namespace")))
			continue;
		label = label_of(v->string);
		member(f, label, v);
	}
}
