/* SPDX-License-Identifier: MIT */
/* Which sandboxes a filter lets through.  See fleet-table.h. */
#include <string.h>
#include <strings.h>

#include "lib/base/mem.h"
#include "tui/fleet-table.h"

static bool contains(const char *text, const char *word)
{
	return strcasestr(text, word) != NULL;
}

/* All letters of the word, in order. */
static bool fuzzy(const char *text, const char *word)
{
	for (; *word; word++, text++) {
		const char c[2] = { *word, '\0' };

		text = strcasestr(text, c);
		if (!text)
			return false;
	}
	return true;
}

static bool any_field(const struct sandbox *s, const char *word,
		      bool (*matches)(const char *text, const char *word))
{
	const char *const fields[] = { s->id, s->name, s->state, s->provider,
				       s->image, s->owner, s->template };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (matches(fields[i], word))
			return true;
	return false;
}

/* key=value, of the metadata or of the object. */
static bool pair(const struct sandbox *s, const char *word,
		 const char *equals)
{
	auto_free char *key = xstrndup(word, (size_t)(equals - word));
	const cJSON *metadata = json_get(s->json, "metadata");
	const cJSON *v = cJSON_IsObject(metadata) ? json_get(metadata, key) :
						    NULL;

	if (!v)
		v = json_get(s->json, key);
	return cJSON_IsString(v) && contains(v->valuestring, equals + 1);
}

static bool word_holds(const struct sandbox *s, const char *word)
{
	const char *equals = strchr(word, '=');

	if (word[0] == '!')
		return !word[1] || !word_holds(s, word + 1);
	if (word[0] == '~')
		return any_field(s, word + 1, fuzzy);
	if (equals && equals != word)
		return pair(s, word, equals);
	return any_field(s, word, contains);
}

bool fleet_filter(const char *filter, const struct sandbox *s)
{
	auto_free char *words = xstrdup(filter);
	char *rest = NULL;

	for (char *w = strtok_r(words, " ", &rest); w;
	     w = strtok_r(NULL, " ", &rest))
		if (!word_holds(s, w))
			return false;
	return true;
}
