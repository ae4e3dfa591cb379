/* SPDX-License-Identifier: MIT */
/* Names of keys.  See key.h. */
#include "tui/key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/defs.h"
#include "lib/base/utf8.h"

/* The first name of a code is the one that is shown. */
static const struct {
	const char *name;
	uint32_t code;
} names[] = {
	{ "Enter", KEY_CODE_ENTER },
	{ "Tab", KEY_CODE_TAB },
	{ "Esc", KEY_CODE_ESCAPE },
	{ "Escape", KEY_CODE_ESCAPE },
	{ "Backspace", KEY_CODE_BACKSPACE },
	{ "DEL", KEY_CODE_BACKSPACE }, /* the byte 0x7f */
	{ "Insert", KEY_CODE_INSERT },
	{ "Del", KEY_CODE_DELETE },
	{ "Delete", KEY_CODE_DELETE },
	{ "Home", KEY_CODE_HOME },
	{ "End", KEY_CODE_END },
	{ "PgUp", KEY_CODE_PAGE_UP },
	{ "PageUp", KEY_CODE_PAGE_UP },
	{ "PgDn", KEY_CODE_PAGE_DOWN },
	{ "PageDown", KEY_CODE_PAGE_DOWN },
	{ "Up", KEY_CODE_UP },
	{ "Down", KEY_CODE_DOWN },
	{ "Left", KEY_CODE_LEFT },
	{ "Right", KEY_CODE_RIGHT },
	{ "Space", ' ' },
};

static int parse_code(const char *s, uint32_t *ret_code)
{
	size_t n = strlen(s);
	char *end;
	long f;

	if (n && utf8_decode(s, n, ret_code) == (int)n && *ret_code > 0x20 &&
	    *ret_code != 0x7f)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].name, s) == 0) {
			*ret_code = names[i].code;
			return 0;
		}
	if (s[0] != 'F' || s[1] < '1' || s[1] > '9')
		return -EINVAL;
	f = strtol(s + 1, &end, 10);
	if (*end || f > 20)
		return -EINVAL;
	*ret_code = KEY_CODE_F1 + (uint32_t)f - 1;
	return 0;
}

int key_parse(const char *s, struct key *ret_key)
{
	static const char letters[] = "SMC";
	struct key k = { 0 };
	const char *mod;

	while (s[0] && s[1] == '-' && s[2] && (mod = strchr(letters, s[0]))) {
		k.mods |= 1u << (mod - letters);
		s += 2;
	}
	if (s[0] == '^' && s[1]) {
		k.mods |= KEY_MOD_CTRL;
		s++;
	}
	if (parse_code(s, &k.code) < 0)
		return -EINVAL;
	/* Ctrl knows no case, and Shift is in the character already. */
	if (k.mods & KEY_MOD_CTRL && k.code >= 'A' && k.code <= 'Z')
		k.code += 'a' - 'A';
	if (k.code < KEY_NAMED && k.code != ' ')
		k.mods &= ~(unsigned)KEY_MOD_SHIFT;
	*ret_key = k;
	return 0;
}

static void code_name(uint32_t code, char out[16])
{
	if (code < KEY_NAMED && code != ' ') {
		out[utf8_encode(code, out)] = '\0';
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].code == code) {
			snprintf(out, 16, "%s", names[i].name);
			return;
		}
	if (code >= KEY_CODE_F1 && code < KEY_CODE_MAX)
		snprintf(out, 16, "F%u", code - KEY_CODE_F1 + 1);
	else
		snprintf(out, 16, "?");
}

const char *key_name(struct key k, char out[KEY_NAME_MAX])
{
	bool ctrl = k.mods & KEY_MOD_CTRL, character = k.code < KEY_NAMED;
	char code[16];

	code_name(k.code, code);
	if (character && ctrl && k.code >= 'a' && k.code <= 'z')
		code[0] -= 'a' - 'A'; /* ^K, as it is on the key */
	snprintf(out, KEY_NAME_MAX, "%s%s%s%s",
		 k.mods & KEY_MOD_ALT ? "M-" : "",
		 k.mods & KEY_MOD_SHIFT ? "S-" : "",
		 !ctrl ? "" : character && k.code != ' ' ? "^" : "C-", code);
	return out;
}
