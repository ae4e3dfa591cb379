/* SPDX-License-Identifier: MIT */
/* What the spawn form asks for.  See spawn-form.h. */
#include "tui/spawn-form.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/duration.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/shell.h"
#include "tui/pairs.h"

const struct spawn_field_info spawn_fields[SPAWN_FIELDS] = {
	[SPAWN_TEMPLATE] = { "template", "template", "--template",
			     "Left and Right choose" },
	[SPAWN_IMAGE] = { "image", "image", "--image",
			  "the default; Left and Right choose" },
	[SPAWN_NAME] = { "name", "name", "--name", "one of your own" },
	[SPAWN_TTL] = { "ttl", "ttl", "--ttl", "the default; 30m, 1h30m" },
	[SPAWN_MEMORY] = { "memory", "memory_mb", "--memory",
			   "the default; 512m, 2g" },
	[SPAWN_VCPUS] = { "vcpus", "vcpus", "--vcpus", "the default" },
	[SPAWN_PROVIDER] = { "provider", "provider", "--provider",
			     "the default; Left and Right choose" },
	[SPAWN_NETWORK] = { "network", "network", "--network",
			    "the default; Left and Right choose" },
	[SPAWN_LABELS] = { "labels", "metadata", "--label", "KEY=VALUE KEY='a b' ..." },
	[SPAWN_ENV] = { "env", "env", "--env", "NAME=VALUE NAME='a b' ..." },
};

void spawn_form_release(struct spawn_form *f)
{
	for (size_t i = 0; i < SPAWN_FIELDS; i++)
		field_release(&f->field[i]);
}

void spawn_form_copy(struct spawn_form *to, const struct spawn_form *from)
{
	for (size_t i = 0; i < SPAWN_FIELDS; i++)
		field_set(&to->field[i], field_text(&from->field[i]));
}

static const char *text_of(const struct spawn_form *f, enum spawn_field i)
{
	return field_text(&f->field[i]);
}

bool spawn_form_filled(const struct spawn_form *f)
{
	for (enum spawn_field i = 0; i < SPAWN_FIELDS; i++)
		if (*text_of(f, i))
			return true;
	return false;
}

/* -- the command */

static void add_option(struct buf *out, enum spawn_field i, const char *s)
{
	buf_addf(out, " %s ", spawn_fields[i].option);
	shell_word(out, s);
}

void spawn_form_command(const struct spawn_form *f, struct buf *out)
{
	buf_addstr(out, "stacyvm spawn");
	for (enum spawn_field i = 0; i < SPAWN_FIELDS; i++) {
		const char *text = text_of(f, i);
		char *pair;
		bool open;

		if (i < SPAWN_LABELS) {
			if (*text)
				add_option(out, i, text);
			continue;
		}
		for (; (pair = pairs_next(&text, &open)); free(pair))
			add_option(out, i, pair);
	}
}

/* -- the request */

static bool whole_number(const char *s)
{
	return *s && !s[strspn(s, "0123456789")] && strlen(s) < 10;
}

/* As `--memory` takes it: 512, 512m, 2g; -1 for another. */
static int64_t mebibytes(const char *s)
{
	size_t digits = strspn(s, "0123456789");
	const char *unit = s + digits;
	int64_t v = strtoll(s, NULL, 10);

	if (!digits || digits > 9)
		return -1;
	if (!*unit)
		return v;
	if (strcasecmp(unit + 1, "") != 0 && strcasecmp(unit + 1, "b") != 0 &&
	    strcasecmp(unit + 1, "ib") != 0)
		return -1;
	return tolower((unsigned char)*unit) == 'm' ? v :
	       tolower((unsigned char)*unit) == 'g' ? v * 1024 : -1;
}

static int add_pairs(struct json_writer *w, const struct spawn_form *f,
		     enum spawn_field i, struct svm_err *err)
{
	const char *text = text_of(f, i);

	json_open(w, spawn_fields[i].key, '{');
	for (;;) {
		bool open;
		auto_free char *pair = pairs_next(&text, &open);
		char *equals = pair ? strchr(pair, '=') : NULL;

		if (!pair)
			break;
		if (open)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "the quote of '%s' is not closed",
					   pair);
		if (!equals || equals == pair)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'%s' is not KEY=VALUE", pair);
		*equals = '\0';
		json_str(w, pair, equals + 1);
	}
	json_close(w, '}');
	return 0;
}

static int add_field(struct json_writer *w, const struct spawn_form *f,
		     enum spawn_field i, struct svm_err *err)
{
	const char *text = text_of(f, i), *key = spawn_fields[i].key;
	int64_t n;

	switch (i) {
	case SPAWN_TTL:
		if (duration_parse(text, &n) < 0 || n <= 0)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'%s' is not a duration (30s, "
					   "10m, 1h30m)", text);
		json_str(w, key, text);
		return 0;
	case SPAWN_MEMORY:
		n = mebibytes(text);
		if (n <= 0)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'%s' is not a size (512, 512m, "
					   "2g)", text);
		json_int(w, key, n);
		return 0;
	case SPAWN_VCPUS:
		if (!whole_number(text))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'%s' is not a whole number",
					   text);
		json_int(w, key, strtoll(text, NULL, 10));
		return 0;
	case SPAWN_LABELS:
	case SPAWN_ENV:
		return add_pairs(w, f, i, err);
	default:
		json_str(w, key, text);
		return 0;
	}
}

int spawn_form_body(const struct spawn_form *f, struct buf *out,
		    enum spawn_field *ret_at, struct svm_err *err)
{
	struct json_writer w = json_writer(out);

	json_open(&w, NULL, '{');
	for (enum spawn_field i = 0; i < SPAWN_FIELDS; i++)
		if (*text_of(f, i) && add_field(&w, f, i, err) < 0) {
			*ret_at = i;
			return svm_err_prefix(err, "%s",
					      spawn_fields[i].label);
		}
	json_close(&w, '}');
	return 0;
}
