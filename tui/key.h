/* SPDX-License-Identifier: MIT */
/*
 * A key, and what a mouse does, as the terminal's input, tables of bindings
 * and the emulator share them.
 *
 * Written as in the help: "a" "?" "^K" "M-b" "Enter" "S-Tab" "C-Up" "F5".
 * "^x" is Ctrl with a character, "C-" Ctrl with a named key.  Shift is part
 * of a character ("A"), and of a named key only "S-".
 */
#ifndef SVM_TUI_KEY_H
#define SVM_TUI_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_mod {
	KEY_MOD_SHIFT = 1u << 0,
	KEY_MOD_ALT = 1u << 1,
	KEY_MOD_CTRL = 1u << 2,
};

/* Codes below this are characters. */
#define KEY_NAMED 0x110000u

enum key_code {
	KEY_CODE_NONE = KEY_NAMED,
	KEY_CODE_ENTER,
	KEY_CODE_TAB,
	KEY_CODE_ESCAPE,
	KEY_CODE_BACKSPACE,
	KEY_CODE_INSERT,
	KEY_CODE_DELETE,
	KEY_CODE_HOME,
	KEY_CODE_END,
	KEY_CODE_PAGE_UP,
	KEY_CODE_PAGE_DOWN,
	KEY_CODE_UP,
	KEY_CODE_DOWN,
	KEY_CODE_LEFT,
	KEY_CODE_RIGHT,
	KEY_CODE_F1, /* to F20, in order */
	KEY_CODE_MAX = KEY_CODE_F1 + 20,
};

struct key {
	uint32_t code; /* a character, or an enum key_code */
	unsigned mods; /* enum key_mod */
};

static inline bool key_is(struct key k, uint32_t code, unsigned mods)
{
	return k.code == code && k.mods == mods;
}

enum mouse_kind {
	MOUSE_PRESS,
	MOUSE_RELEASE,
	MOUSE_DRAG, /* a move with a button pressed */
	MOUSE_MOVE,
	MOUSE_WHEEL_UP,
	MOUSE_WHEEL_DOWN,
};

struct mouse {
	enum mouse_kind kind;
	int button;    /* 1 left, 2 middle, 3 right; 0: none or unknown */
	unsigned mods; /* enum key_mod */
	int row, col;  /* from 0; not checked against any size */
};

/* 0, or -EINVAL when it is no key. */
int key_parse(const char *s, struct key *ret_key);

/* The first of its names; returns out. */
#define KEY_NAME_MAX 24
const char *key_name(struct key k, char out[KEY_NAME_MAX]);

#endif
