/* SPDX-License-Identifier: MIT */
/* Themes of the user's own.  See theme-file.h. */
#include "tui/theme-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/config-doc.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

static const char *const roles[] = {
	[ROLE_INK] = "ink", [ROLE_DIM] = "dim", [ROLE_FAINT] = "faint",
	[ROLE_LINE] = "line", [ROLE_FOCUS] = "focus",
	[ROLE_ACCENT] = "accent", [ROLE_ACCENT2] = "accent2",
	[ROLE_OK] = "ok", [ROLE_BAD] = "bad", [ROLE_VALUE] = "value",
	[ROLE_SELECTED] = "selected",
};
_Static_assert(ARRAY_SIZE(roles) == ROLE_MAX, "a name per role");

static bool parse_hex(const char *s, uint32_t *ret)
{
	if (strlen(s) != 6 || strspn(s, "0123456789abcdefABCDEF") != 6)
		return false;
	*ret = COLOUR_RGB((uint32_t)strtoul(s, NULL, 16));
	return true;
}

static bool parse_name(const char *s, uint32_t *ret)
{
	static const char *const names[] = { "black", "red", "green",
					     "yellow", "blue", "magenta",
					     "cyan", "white" };
	bool bright = strncmp(s, "bright-", 7) == 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(s + (bright ? 7 : 0), names[i]) != 0)
			continue;
		*ret = COLOUR_PALETTE(i + (bright ? 8 : 0));
		return true;
	}
	return false;
}

static bool parse_colour(const char *s, uint32_t *ret)
{
	size_t n = strlen(s);

	if (strcmp(s, "default") == 0) {
		*ret = COLOUR_DEFAULT;
		return true;
	}
	if (*s == '#')
		return parse_hex(s + 1, ret);
	if (n && n <= 3 && strspn(s, "0123456789") == n) {
		*ret = COLOUR_PALETTE((uint32_t)strtoul(s, NULL, 10));
		return colour_value(*ret) < 256;
	}
	return parse_hex(s, ret) || parse_name(s, ret);
}

static unsigned attribute(const char *word)
{
	static const struct {
		const char *name;
		unsigned attr;
	} attrs[] = {
		{ "bold", CELL_BOLD }, { "dim", CELL_DIM },
		{ "italic", CELL_ITALIC }, { "underline", CELL_UNDERLINE },
		{ "reverse", CELL_REVERSE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		if (strcmp(attrs[i].name, word) == 0)
			return attrs[i].attr;
	return 0;
}

/* The word that is no part of a style, in place in `words`; else NULL. */
static const char *parse_style(char *words, struct theme_style *ret)
{
	struct theme_style style = { 0 };
	const char *on = NULL; /* while no colour came after it */
	bool has_fg = false, has_bg = false;
	char *rest = NULL;

	for (char *w = strtok_r(words, " ", &rest); w;
	     w = strtok_r(NULL, " ", &rest)) {
		unsigned attr = attribute(w);

		style.attr |= attr;
		if (attr)
			continue;
		if (strcmp(w, "on") == 0 && !has_bg && !on) {
			on = w;
			continue;
		}
		bool *has = on ? &has_bg : &has_fg;

		if (*has || !parse_colour(w, on ? &style.bg : &style.fg))
			return w;
		*has = true;
		on = NULL;
	}
	if (on)
		return on;
	*ret = style;
	return NULL;
}

static int set_style(struct theme *t, const char *file,
		     const struct config_entry *e, struct svm_err *err)
{
	auto_free char *words = xstrdup(buf_str(&e->value));
	struct theme_style style = { 0 };
	const char *bad = parse_style(words, &style);

	if (bad)
		return svm_err_set(err, SVM_BAD_REQUEST, "%s:%zu: %s: '%.64s' "
				   "can't be there: a style is a colour "
				   "(rrggbb, 0 to 255, red, bright-red, "
				   "default), 'on' and another, and bold dim "
				   "italic underline reverse",
				   file, e->line, e->path, bad);
	if (strcmp(e->path, "background") == 0) {
		t->background = style.fg;
		return 0;
	}
	for (size_t i = 0; i < ROLE_MAX; i++) {
		if (strcmp(e->path, roles[i]) != 0)
			continue;
		t->role[i] = style;
		if (i == ROLE_INK)
			t->ink = style.fg;
		return 0;
	}
	return svm_err_set(err, SVM_BAD_REQUEST, "%s:%zu: '%.64s' is nothing "
			   "of a theme; there are base, background, ink, dim, "
			   "faint, line, focus, accent, accent2, ok, bad, "
			   "value and selected", file, e->line, e->path);
}

static int begin(const struct config_doc *d, const char *file,
		 struct theme *ret, struct svm_err *err)
{
	const struct config_entry *e = config_doc_find(d, "base");
	const char *name = e ? buf_str(&e->value) : "auto";
	const struct theme *base = theme_find(name);

	if (!base)
		return svm_err_set(err, SVM_BAD_REQUEST, "%s:%zu: base: "
				   "'%.64s' is not one of auto, mission, "
				   "light, contrast and mono", file, e->line,
				   name);
	*ret = *base;
	return 0;
}

int theme_parse(const char *file, const char *text, size_t n,
		struct theme *ret, struct svm_err *err)
{
	auto_config_doc struct config_doc d = CONFIG_DOC_INIT;
	struct theme t;

	if (config_doc_read(&d, file, text, n, err) < 0 ||
	    begin(&d, file, &t, err) < 0)
		return -1;
	for (size_t i = 1; i < d.n; i++) {
		const struct config_entry *e = &d.entries[i];

		if (strcmp(e->path, "base") == 0 || e->kind == ENTRY_NULL)
			continue;
		if (e->kind != ENTRY_SCALAR)
			return svm_err_set(err, SVM_BAD_REQUEST, "%s:%zu: "
					   "'%.64s' must be one line of text",
					   file, e->line, e->path);
		if (set_style(&t, file, e, err) < 0)
			return -1;
	}
	*ret = t;
	return 0;
}

static bool is_name(const char *name)
{
	size_t n = strlen(name);

	return n && n <= LIMIT_CONFIG_NAME &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
			    "WXYZ0123456789_-") == n;
}

int theme_load(const char *dir, const char *name, struct theme *ret,
	       struct svm_err *err)
{
	const struct theme *known = theme_find(name);
	auto_free char *path = xasprintf("%s/themes/%s.yaml", dir, name);
	auto_buf struct buf text = BUF_INIT;
	int r;

	if (known) {
		*ret = *known;
		return 0;
	}
	if (!is_name(name))
		return svm_err_set(err, SVM_BAD_REQUEST, "ui.theme: '%.64s' is "
				   "not the name of a theme", name);
	r = fd_slurp_file(AT_FDCWD, path, LIMIT_CONFIG_FILE, &text);
	if (r == -ENOENT)
		return svm_err_set(err, SVM_BAD_REQUEST, "ui.theme: '%.64s' is "
				   "not one of auto, mission, light, contrast "
				   "and mono, and there is no %s", name, path);
	if (r == -EINVAL)
		return svm_err_set(err, SVM_BAD_REQUEST, "ui.theme: %s is not "
				   "a regular file", path);
	if (r == -EPERM)
		return svm_err_set(err, SVM_BAD_REQUEST, "ui.theme: %s belongs "
				   "to somebody else, or all may write it",
				   path);
	if (r < 0)
		return svm_err_sys(err, SVM_BAD_REQUEST, r, "ui.theme: can't "
				   "read %s", path);
	return theme_parse(path, buf_str(&text), text.len, ret, err);
}

static int is_theme(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');
	auto_free char *name = dot ? xstrndup(d->d_name,
					      (size_t)(dot - d->d_name)) :
				     xstrdup("");

	return dot && strcmp(dot, ".yaml") == 0 && is_name(name) &&
	       !theme_find(name);
}

char *theme_names(const char *dir)
{
	auto_free char *path = xasprintf("%s/themes", dir);
	struct dirent **files = NULL;
	struct buf out = BUF_INIT;
	int n = scandir(path, &files, is_theme, alphasort);

	for (unsigned i = 0; theme_at(i); i++)
		buf_addf(&out, "%s%s", i ? "|" : "", theme_at(i)->name);
	for (int i = 0; i < n; i++) {
		if (i < LIMIT_TUI_THEMES)
			buf_addf(&out, "|%.*s",
				 (int)(strlen(files[i]->d_name) - 5),
				 files[i]->d_name);
		free(files[i]);
	}
	free(files);
	return buf_steal(&out);
}
