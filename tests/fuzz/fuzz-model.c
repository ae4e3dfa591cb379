/* SPDX-License-Identifier: MIT */
/*
 * Whatever is pressed, pasted and clicked, whatever the daemon answers and
 * in which order, however large the terminal is: the dashboard goes on, and
 * what it draws are printable characters.
 *
 * The input is a program: a byte that says what happens, and what it needs.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tui/model.h"
#include "tui/screen.h"
#include "tui/terminal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 400

struct program {
	const uint8_t *data;
	size_t size, at;
};

static unsigned take(struct program *p)
{
	return p->at < p->size ? p->data[p->at++] : 0;
}

/* Up to 63 bytes of the input as text. */
static char *take_text(struct program *p)
{
	size_t wanted = take(p) & 63, n = MIN(wanted, p->size - p->at);
	char *text = xstrndup((const char *)p->data + p->at, n);

	p->at += n;
	return text;
}

static const char *const replies[] = {
	"[{\"id\":\"sb-1\",\"state\":\"running\",\"name\":\"a\\u001b[m\","
	"\"image\":\"i\",\"expires_at\":\"2030-01-01T00:00:00Z\"},"
	"{\"id\":\"sb-2\",\"state\":\"error\",\"template\":\"t\"}]",
	"[{\"name\":\"t\",\"path\":\"/workspace/t\",\"is_dir\":true,"
	"\"image\":\"i\",\"ref\":\"r\",\"healthy\":true,\"pool_size\":3}]",
	"{\"id\":\"sb-1\",\"state\":\"stopped\",\"supported\":true,"
	"\"cpu_pct\":50,\"stdout\":\"a\\nb\",\"exit_code\":1,"
	"\"url\":\"http://x\",\"type\":\"sandbox.created\","
	"\"sandbox_id\":\"sb-1\",\"timestamp\":\"2026-01-01T00:00:00Z\"}",
	"[]", "{}", "null", "", "[1,\"x\",{},[]]",
	"\"a line of text \\ud83d\\ude00\"",
	"{\"stream\":\"stderr\",\"line\":\"\\u0007\"}",
};

/* One of the replies, or the input's own bytes; the caller's. */
static char *take_reply(struct program *p)
{
	unsigned which = take(p);

	return which < ARRAY_SIZE(replies) ? xstrdup(replies[which]) :
					     take_text(p);
}

static void answer(struct model *m, const char *text, bool works)
{
	struct request *r = list_entry(m->requests.next, struct request, link);

	if (list_empty(&m->requests))
		return;
	list_remove(&r->link);
	m->waiting -= !r->quiet;
	if (works)
		buf_addstr(&r->reply, text);
	else
		svm_err_set(&r->err, SVM_INTERNAL, "%s", text);
	request_done(m, r);
	if (r->err.code != SVM_OK)
		model_complain(m, &r->err, r->doing);
	request_free(r);
	update_settle(m);
}

/* The program would close them; what is closed says nothing any more. */
static void stream_said(struct model *m, unsigned which, const char *text)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->streams) {
		struct stream *s = list_entry(pos, struct stream, link);

		if (s->closed) {
			stream_free(s);
			continue;
		}
		if (which-- != 0)
			continue;
		s->line(m, s, text, strlen(text));
		s->state = (enum stream_state)(strlen(text) & 3);
		if (s->changed)
			s->changed(m, s);
		break;
	}
	update_settle(m);
}

static void terminals_go(struct model *m, bool all)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &m->terminals) {
		struct terminal *t = list_entry(pos, struct terminal, link);

		buf_clear(&t->typed);
		if (t->closed || all)
			terminal_free(t);
	}
}

static void terminal_said(struct model *m, unsigned what, const char *text)
{
	struct terminal *t = list_entry(m->terminals.next, struct terminal,
					link);

	if (list_empty(&m->terminals))
		return;
	t->state = (enum terminal_state)(what % 5);
	terminal_write(t, text, strlen(text));
	update_settle(m);
}

static void press(struct model *m, struct program *p)
{
	struct input_event ev = { .type = INPUT_KEY };
	unsigned code = take(p), mods = take(p);

	/* Mostly what is typed; sometimes what has a name. */
	ev.key.code = mods & 8 ? KEY_CODE_NONE + 1 +
			code % (KEY_CODE_MAX - KEY_CODE_NONE - 1) : code;
	ev.key.mods = (uint8_t)(mods & 7);
	update_input(m, &ev);
}

static void point(struct model *m, struct program *p)
{
	struct input_event ev = { .type = INPUT_MOUSE };

	ev.mouse.kind = take(p) % 5;
	ev.mouse.row = (int)take(p);
	ev.mouse.col = (int)take(p);
	update_input(m, &ev);
}

static void edit(struct model *m, bool ok)
{
	if (!m->editor.path)
		return;
	free(m->editor.path);
	m->editor.path = NULL;
	m->editor.done(m, m->editor.data, ok);
	update_settle(m);
}

static void step(struct model *m, struct program *p)
{
	unsigned what = take(p) % 12;
	auto_free char *text = what == 3 || what == 4 ? take_reply(p) :
			       what >= 6 && what <= 7 ? take_text(p) : NULL;

	switch (what) {
	default:
		press(m, p);
		break;
	case 3:
		answer(m, text, take(p) & 1);
		break;
	case 4:
		stream_said(m, take(p) & 3, text);
		break;
	case 5:
		point(m, p);
		break;
	case 6:
		update_input(m, &(struct input_event){ .type = INPUT_PASTE,
						       .data = text,
						       .size = strlen(text) });
		break;
	case 7:
		terminal_said(m, take(p), text);
		break;
	case 8:
		model_resize(m, (int)take(p) + 1, (int)take(p) + 1);
		break;
	case 9:
		m->boot_ns += take(p) * INT64_C(300000000);
		m->wall_ns += take(p) * INT64_C(300000000);
		update_tick(m);
		break;
	}
	edit(m, false);
	terminals_go(m, false);
}

static void look(const struct model *m)
{
	auto_canvas struct canvas *c = canvas_new(m->rows, m->cols);

	frame_view(m, c);
	for (int i = 0; i < m->rows * m->cols; i++) {
		unsigned cp = (unsigned)c->cells[i].cp;

		if (cp && (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)))
			abort();
	}
	if (update_wake(m) <= 0)
		abort();
}

/* Nothing here may reach the user's files: what edits and saves does it in a
 * directory of the run. */
static char dir[] = "/tmp/svm-fuzz-XXXXXX";

static void remove_dir(void)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	path_remove_tree(tmp, dir + strlen("/tmp/"));
	close(tmp);
}

/* Settings that are taken, but not by everybody, and are nowhere. */

static bool setting_at(void *data, size_t i, struct setting *ret)
{
	static const struct setting all[] = {
		{ .name = "server.port", .def = "7423", .help = "TCP port",
		  .restart = true },
		{ .name = "ui.theme", .choices = "auto|mission|light",
		  .def = "auto", .help = "colours", .over = "--theme" },
		{ .name = "auth.api_key", .def = "", .help = "a key",
		  .secret = true },
	};

	(void)data;
	if (i < ARRAY_SIZE(all))
		*ret = all[i];
	return i < ARRAY_SIZE(all);
}

static int show_settings(void *data, struct buf *json, struct svm_err *err)
{
	(void)data, (void)err;
	buf_addstr(json, "{\"ui.theme\":{\"value\":\"light\",\"origin\":"
			 "\"/x:1\"},\"keys.a.b\":{\"value\":[\"\\u001b\"]}}");
	return 0;
}

static int change_setting(void *data, const char *key, const char *value,
			  struct config_change *ret, struct svm_err *err)
{
	(void)data;
	if (!value || strlen(value) & 1)
		return svm_err_set(err, SVM_BAD_REQUEST, "%s: no", key);
	*ret = (struct config_change){ .path = path_join(dir, "none/none"),
				       .after = xstrdup(value) };
	return 1;
}

static int check_setting(void *data, const char *key, struct svm_err *err)
{
	(void)data;
	return strlen(key) & 1 ? svm_err_set(err, SVM_NOT_FOUND, "%s: no",
					     key) : 0;
}

static int read_settings(void *data, struct buf *ret, struct svm_err *err)
{
	(void)data, (void)err;
	buf_addstr(ret, "ui:\n  theme: light\n");
	return 0;
}

static int replace_settings(void *data, const char *before, const char *text,
			    size_t n, struct svm_err *err)
{
	(void)data, (void)before, (void)text;
	return n & 1 ? svm_err_set(err, SVM_BAD_REQUEST, "config.yaml:1: no") :
		       0;
}

static int apply_settings(void *data, struct model *m, struct svm_err *err)
{
	(void)data, (void)m, (void)err;
	return 0;
}

static const struct settings_ops settings = { .at = setting_at,
					      .check = check_setting,
					      .show = show_settings,
					      .change = change_setting,
					      .read = read_settings,
					      .replace = replace_settings,
					      .apply = apply_settings };

/* One of the user's own, on the key Z where sandboxes are. */
static void add_command(struct model *m)
{
	static const char *const members[][2] = {
		{ "own.run", "echo" }, { "own.scope", "sandboxes" },
		{ "own.key", "Z" }, { "own.output", "show" },
	};
	auto_err struct svm_err err = SVM_ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		char *values[] = { (char *)(uintptr_t)members[i][1],
				   i ? NULL : (char *)(uintptr_t)"{name}",
				   NULL };

		if (commands_set(&m->commands, members[i][0], values, "x",
				 &err) < 0)
			abort();
	}
}

static void stay_inside(struct model *m)
{
	static bool made;
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (!made && (!mkdtemp(dir) || atexit(remove_dir) != 0 ||
		      setenv("STACYVM_RUNTIME_DIR", dir, 1) < 0 ||
		      /* Where no draft can be made. */
		      setenv("STACYVM_STATE_DIR", "/dev/null/none", 1) < 0 ||
		      setenv("XDG_CONFIG_HOME", dir, 1) < 0))
		abort();
	made = true;
	if (keymap_set(m->keymap, "logs.save", "", &err) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program p = { data, size, 0 };
	struct model *m = model_new(24, 80);

	stay_inside(m);
	m->settings = &settings;
	add_command(m);
	m->boot_ns = INT64_C(1000000000000);
	m->wall_ns = INT64_C(1772366400000000000);
	model_start(m);
	m->events->state = STREAM_LIVE;
	m->events->changed(m, m->events);
	for (int i = 0; i < STEPS_MAX && p.at < p.size; i++) {
		step(m, &p);
		if (i % 8 == 0)
			look(m);
	}
	look(m);
	while (!list_empty(&m->requests)) {
		answer(m, "", false);
		edit(m, false);
	}
	terminals_go(m, true);
	model_free(m);
	return 0;
}
