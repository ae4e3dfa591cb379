/* SPDX-License-Identifier: MIT */
/* What is not written down.  See secret-line.h. */
#include "lib/api/secret-line.h"

#include <string.h>

#include "lib/base/buf.h"

/* The next word, as it is meant: without quotes.  False at the end. */
static bool next_word(const char **at, struct buf *word)
{
	char quote = '\0';

	buf_clear(word);
	*at += strspn(*at, " \t");
	if (!**at)
		return false;
	for (; **at && (quote || !strchr(" \t", **at)); (*at)++) {
		if (quote ? **at == quote : **at == '"' || **at == '\'')
			quote = quote ? '\0' : **at;
		else if (**at != '\\')
			buf_addch(word, **at);
	}
	return true;
}

/* "-e", "-te", "-eNAME=VALUE", "--env=NAME=VALUE": where the value may begin;
 * NULL when it is no such option. */
static const char *variable_of(const char *word)
{
	if (strcmp(word, "--env") == 0)
		return word + strlen("--env");
	if (strncmp(word, "--env=", 6) == 0)
		return word + 6;
	if (word[0] != '-' || word[1] == '-')
		return NULL;
	word += strcspn(word, "e=");
	return *word == 'e' ? word + 1 : NULL;
}

bool secret_line(const char *line)
{
	static const char key[] = "--api-key";
	auto_buf struct buf word = BUF_INIT;
	bool variable = false;

	while (next_word(&line, &word)) {
		const char *text = buf_str(&word);
		const char *value = variable ? text : variable_of(text);

		if ((value && strchr(value, '=')) || strstr(text, "api_key") ||
		    (strncmp(text, key, strlen(key)) == 0 &&
		     text[strlen(key)] != '-'))
			return true;
		variable = !variable && value && !*value;
	}
	return false;
}
