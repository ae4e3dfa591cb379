/* SPDX-License-Identifier: MIT */
/* LONG: all scenes are here, for all that is done with each of them. */
/*
 * Every screen and dialog as text, beside tests/screen/golden, at the sizes
 * people have.  UPDATE_GOLDEN=1 writes what is drawn now; look at the
 * difference before committing it.
 */
#include <fcntl.h>
#include <locale.h>

#include "lib/base/fd.h"
#include "tests/unit/settings-fixture.h"

#define GOLDEN "tests/screen/golden"
/* As it stands in JSON: a clipboard write, CSI in one byte, bidi. */
#define EVIL "\\u001b]52;c;x\\u0007\\u009b2J\\u202eevil"

static const struct {
	int cols, rows;
} sizes[] = { { 200, 50 }, { 120, 40 }, { 80, 24 }, { 60, 16 } };


static void show_dash(struct model *m)
{
	static const char *const events[] = {
		"{\"type\":\"sandbox.created\",\"sandbox_id\":\"sb-7f3a91c2\","
		"\"timestamp\":\"2026-03-01T11:55:00Z\","
		"\"data\":{\"image\":\"python:3.12\",\"warm\":true}}",
		"{\"type\":\"exec.completed\",\"sandbox_id\":\"sb-2c8e04d7\","
		"\"timestamp\":\"2026-02-28T11:58:02Z\","
		"\"data\":{\"exit_code\":0,\"command\":\"\\u001b]0;x\\u0007\"}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		fixture_line(m, m->events, events[i]);
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2", SVM_OK,
		       FIXTURE_SANDBOX("sb-7f3a91c2", "web", "running",
				       "python:3.12", "55",
				       ",\"expires_at\":"
				       "\"2026-03-01T12:24:00Z\""));
}

static void with_figures(struct model *m)
{
	for (int i = 0; i <= 100; i += 20) {
		auto_free char *stats = xasprintf(
			"{\"supported\":true,\"cpu_pct\":%d,"
			"\"mem_bytes\":220200960,\"mem_limit_bytes\":536870912,"
			"\"pids\":7,\"disk_bytes\":123456}", i);

		fixture_time(m, INT64_C(3000000000));
		update_tick(m);
		fixture_answer(m, "GET",
			       "/api/v1/sandboxes/sb-7f3a91c2/stats", SVM_OK,
			       stats);
		fixture_answer(m, "GET",
			       "/api/v1/sandboxes/sb-2c8e04d7/stats", SVM_OK,
			       "{\"supported\":false}");
	}
}

static void busy_host(struct model *m)
{
	struct host_texts t = {
		.stat = "cpu  100 0 0 900 0 0 0 0 0 0\ncpu0 1 2 3 4\n",
		.meminfo = "MemTotal: 1000 kB\nMemFree: 1 kB\n"
			   "MemAvailable: 390 kB\n",
		.loadavg = "0.82 0.5 0.4 1/200 4242\n",
		.net_dev = "Inter-| Receive\n face |bytes\n"
			   "    lo: 9999 1 0 0 0 0 0 0 9999 1 0 0 0 0 0 0\n"
			   "  eth0: 1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0\n",
		.disk_size = 100, .disk_free = 79,
	};

	show_dash(m);
	host_take(&m->host, &t, m->boot_ns);
	t.stat = "cpu  134 0 0 966 0 0 0 0 0 0\n";
	t.net_dev = "  eth0: 1001000 1 0 0 0 0 0 0 202000 1 0 0 0 0 0 0\n";
	host_take(&m->host, &t, m->boot_ns + INT64_C(1000000000));
}

static void show_sandboxes(struct model *m)
{
	with_figures(m);
	fixture_keys(m, "2 j Space k");
}

static void show_stats(struct model *m)
{
	with_figures(m);
	fixture_keys(m, "2 j i ]");
}

static void show_posture(struct model *m)
{
	auto_free char *list = xasprintf("[%s]", FIXTURE_SANDBOX(
		"sb-7f3a91c2", "web", "running", "python:3.12", "55",
		",\"posture\":{\"isolation\":\"namespaces\","
		"\"mode\":\"root\",\"seccomp\":\"filter\","
		"\"no_new_privs\":true,"
		"\"agent_capabilities\":\"00000000000001e0\","
		"\"user_namespace\":true,\"mapped_ids\":65536,"
		"\"network_namespace\":false,\"pid_namespace\":true,"
		"\"mount_namespace\":true,\"ipc_namespace\":true,"
		"\"uts_namespace\":true,\"cgroup_namespace\":true,"
		"\"limits\":\"cgroup\",\"cgroup\":{\"version\":\"v1\","
		"\"memory_bytes\":1610612736,\"cpu_quota_us\":100000},"
		"\"disk_mb\":512,\"landlock_abi\":7}"));

	model_refresh(m);
	fixture_answer(m, "GET", "/api/v1/sandboxes", SVM_OK, list);
	fixture_keys(m, "2 i ] ] ] ]");
}

/* Owners, templates, and one folded away. */
static void show_groups(struct model *m)
{
	static const char list[] =
		"[" FIXTURE_SANDBOX("sb-7f3a91c2", "web", "running",
				    "python:3.12", "55",
				    ",\"template\":\"data-science\"") ","
		FIXTURE_SANDBOX("sb-2c8e04d7", "a-long-name-of-a-sandbox",
				"running", "python:3.12", "40",
				",\"template\":\"data-science\"") ","
		FIXTURE_SANDBOX("sb-9d11ba00", "", "creating", "node:20",
				"59", ",\"template\":\"" EVIL "\"") ","
		FIXTURE_SANDBOX("sb-4a77e2f1", "old", "error", "alpine",
				"10", "") "]";

	model_refresh(m);
	fixture_answer(m, "GET", "/api/v1/sandboxes", SVM_OK, list);
	fixture_keys(m, "2 B Down Enter G h h g Space g");
}

static void show_net(struct model *m)
{
	show_posture(m);
	fixture_keys(m, "[");
}

static void show_filter(struct model *m)
{
	fixture_keys(m, "2 /");
	fixture_type(m, "state=running");
}

static void show_templates(struct model *m)
{
	fixture_keys(m, "3 j");
}

static void show_providers(struct model *m)
{
	static const double ms[] = { 4, 3.2, 9, 12.4, 7, 3 };

	fixture_keys(m, "4");
	for (size_t i = 0; i < ARRAY_SIZE(ms); i++) {
		auto_free char *list = xasprintf(
			"[{\"name\":\"native\",\"healthy\":true,"
			"\"default\":true,\"latency_ms\":%g,"
			"\"runtime_count\":2,\"last_checked\":\"%zu\"},"
			"{\"name\":\"mock\",\"healthy\":true,"
			"\"latency_ms\":0,\"runtime_count\":3},"
			"{\"name\":\"docker\",\"healthy\":false,"
			"\"error\":\"no socket /var/run/docker.sock\"}]",
			ms[i], i);

		fixture_answer(m, "GET", "/api/v1/providers", SVM_OK, list);
		fixture_time(m, INT64_C(10000000000));
		update_tick(m);
	}
}

/* More than have room as cards where it is low. */
static void show_providers_many(struct model *m)
{
	auto_buf struct buf list = BUF_INIT;

	fixture_keys(m, "4");
	for (int i = 0; i < 9; i++)
		buf_addf(&list, "%c{\"name\":\"%s%d\",\"healthy\":%s,"
			 "\"latency_ms\":%d,\"error\":\"" EVIL "\"}",
			 i ? ',' : '[', i ? "p" : EVIL, i,
			 i % 3 ? "true" : "false", i * 100);
	buf_addch(&list, ']');
	fixture_answer(m, "GET", "/api/v1/providers", SVM_OK, buf_str(&list));
	fixture_keys(m, "j j");
}

static struct stream *last_stream(struct model *m)
{
	return list_entry(m->streams.prev, struct stream, link);
}

static void show_logs(struct model *m)
{
	fixture_keys(m, "j l");
	fixture_line(m, last_stream(m), "\"24 passed in 1.83s\"");
	fixture_line(m, last_stream(m),
		     "{\"stream\":\"stderr\",\"line\":"
		     "\"could not bind \\u001b[31m:3000\"}");
	fixture_line(m, last_stream(m), "\"\u6f22\u5b57 and more\"");
}

static void show_logs_times(struct model *m)
{
	static const char *const lines[] = {
		"{\"time\":\"2026-03-01T11:59:58.120Z\","
		"\"stream\":\"stdout\",\"line\":\"24 passed\"}",
		"{\"time\":\"2026-03-01T11:59:59.001Z\","
		"\"stream\":\"stderr\",\"line\":\"could not bind\"}",
		"{\"time\":\"2026-03-01T12:00:00Z\",\"stream\":\"pty\","
		"\"line\":\"{\\\"level\\\":\\\"info\\\",\\\"n\\\":-1.5,"
		"\\\"a\\\":[true,\\\"\\u001b[2J\\\"]}\"}",
		"{\"time\":\"nonsense\",\"stream\":\"nose\","
		"\"line\":\"unknown\"}",
		"{\"time\":\"2026-03-01T12:00:01Z\",\"stream\":\"system\","
		"\"line\":\"killed\"}",
	};

	fixture_keys(m, "j l T");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		fixture_line(m, last_stream(m), lines[i]);
}

/* All that its border can say. */
static void show_logs_only(struct model *m)
{
	fixture_keys(m, "j l S");
	fixture_type(m, "1h");
	fixture_keys(m, "Enter");
	for (int i = 0; i < 60; i++) {
		auto_free char *line = xasprintf("\"request %d: %s\"", i,
						 i % 3 ? "ok" : "error");

		fixture_line(m, last_stream(m), line);
	}
	fixture_keys(m, "w & e r r o r Enter Space");
	fixture_line(m, last_stream(m), "\"request 60: error\"");
	fixture_line(m, last_stream(m), "\"request 61: ok\"");
}

static void show_config(struct model *m)
{
	settings_fixture_open(m);
}

static void show_config_choose(struct model *m)
{
	settings_fixture_open(m);
	fixture_keys(m, "j j j j Right");
}

static void show_config_refused(struct model *m)
{
	settings_fixture_open(m);
	fixture_keys(m, "j j Enter ^U");
	fixture_type(m, "bad");
	fixture_keys(m, "Enter");
}

static void show_events(struct model *m)
{
	show_dash(m);
	fixture_keys(m, "7");
}

static void show_files(struct model *m)
{
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files/list",
		       SVM_OK,
		       "[{\"name\":\"main.py\",\"path\":\"/workspace/main.py\","
		       "\"size\":412,\"mode\":\"0644\","
		       "\"mod_time\":\"2026-03-01T11:59:50Z\"},"
		       "{\"name\":\"src\",\"path\":\"/workspace/src\","
		       "\"is_dir\":true,\"mode\":\"0755\"},"
		       "{\"name\":\"e\\u001b[31mvil\","
		       "\"path\":\"/workspace/e\\u001b[31mvil\",\"size\":0}]");
}

/* Open, closed, refused, asked for, empty, new, changed, three deep. */
static void show_tree(struct model *m)
{
#define LIST "/api/v1/sandboxes/sb-7f3a91c2/files/list?path=%2Fworkspace"
#define ENTRY(path, more) \
	"{\"path\":\"/workspace/" path "\",\"mode\":\"0644\"," \
	"\"mod_time\":\"2026-03-01T11:59:50Z\"," more "}"
#define DIRECTORY(path, name) \
	ENTRY(path name, "\"name\":\"" name "\",\"is_dir\":true")
#define PLAIN(path, name, size) \
	ENTRY(path name, "\"name\":\"" name "\",\"size\":" size)
#define TOP \
	DIRECTORY("", "private") "," DIRECTORY("", "src") "," \
	DIRECTORY("", "tests") "," DIRECTORY("", "void") "," \
	DIRECTORY("", "wait") "," PLAIN("", "README.md", "2048")
#define IN_SRC \
	DIRECTORY("src/", "lib") "," DIRECTORY("src/", "e\\u001b[31mvil") "," \
	PLAIN("src/", "a_file_with_quite_a_long_name.py", "1")
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", LIST, SVM_OK, "[" TOP "]");
	fixture_keys(m, "l j l j l j l j l");
	fixture_answer(m, "GET", LIST "%2Fprivate", SVM_FORBIDDEN, "no");
	fixture_answer(m, "GET", LIST "%2Fsrc", SVM_OK, "[" IN_SRC "]");
	fixture_answer(m, "GET", LIST "%2Ftests", SVM_OK, "[]");
	fixture_answer(m, "GET", LIST "%2Fvoid", SVM_OK, "[]");
	fixture_keys(m, "g j j j l");
	fixture_answer(m, "GET", LIST "%2Fsrc%2Flib", SVM_OK,
		       "[" PLAIN("src/lib/", "deep.py", "7") "]");
	fixture_keys(m, "^R");
	fixture_answer(m, "GET", LIST "%2Fprivate", SVM_FORBIDDEN, "no");
	fixture_answer(m, "GET", LIST, SVM_OK,
		       "[" TOP "," PLAIN("", "new.txt", "3") "]");
	fixture_answer(m, "GET", LIST "%2Fsrc", SVM_OK,
		       "[" IN_SRC "," PLAIN("src/", "z.py", "3") "]");
	fixture_answer(m, "GET", LIST "%2Ftests", SVM_OK,
		       "[" PLAIN("tests/", "t.py", "3") "]");
	fixture_answer(m, "GET", LIST "%2Fvoid", SVM_OK, "[]");
	fixture_answer(m, "GET", LIST "%2Fsrc%2Flib", SVM_OK,
		       "[" PLAIN("src/lib/", "deep.py", "8") "]");
	fixture_keys(m, "G k k k k k h j Space g j j j");
	fixture_time(m, INT64_C(20000000000)); /* what was said is read */
	update_tick(m);
}

static void show_file(struct model *m)
{
	show_files(m);
	fixture_keys(m, "j j Enter");
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files",
		       SVM_OK, "import sys\n\tdef main():\n\033[31mred\n");
}

/* CRLF, a stray byte, what steers terminals, and no line end at the end. */
static void show_edit(struct model *m)
{
	static const char text[] = "import sys\r\n\tdef main():\r\n"
				   "\033[31mred\xff \u6f22\u202e\r\nend";

	show_files(m);
	fixture_keys(m, "j j i");
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files",
		       SVM_OK, text);
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files/stat",
		       SVM_OK, "{\"type\":\"file\",\"size\":40,"
			       "\"mode\":\"0644\"}");
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files",
		       SVM_OK, text);
	fixture_keys(m, "j o");
	fixture_type(m, "typed");
}

static void show_edit_command(struct model *m)
{
	show_edit(m);
	fixture_keys(m, "Escape :");
	fixture_type(m, "wq");
}

static void show_terminal(struct model *m)
{
	static const char text[] = "$ pytest\r\n\033[32m....\033[m \u6f22\r\n$ ";
	struct terminal *t;

	show_files(m);
	fixture_keys(m, "T");
	t = list_entry(m->terminals.next, struct terminal, link);
	t->sid = xstrdup("s1");
	t->state = TERMINAL_LIVE;
	terminal_write(t, text, sizeof(text) - 1);
}

/* All three panes, the viewer made bigger and the files smaller; another
 * viewer of the terminal has a smaller screen. */
static void show_panes(struct model *m)
{
	struct terminal *t;

	show_terminal(m);
	fixture_keys(m, "^] 1 j j Enter");
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files",
		       SVM_OK, "import sys\n");
	fixture_keys(m, "+ + S-Tab _ _ Tab");
	t = list_entry(m->terminals.next, struct terminal, link);
	terminal_resized(t, 3, 20);
}

/* Wrapped: a line that is longer than the pane, with its one number. */
static void show_file_wrapped(struct model *m)
{
	auto_buf struct buf text = BUF_INIT;

	for (int i = 1; i <= 3; i++) {
		for (int x = 0; x < 70; x++)
			buf_addf(&text, "%d\u6f22 ", i);
		buf_addch(&text, '\n');
	}
	show_files(m);
	fixture_keys(m, "j j Enter");
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files",
		       SVM_OK, buf_str(&text));
	fixture_keys(m, "w");
}

static void show_file_zoomed(struct model *m)
{
	show_file(m);
	fixture_keys(m, "z");
}

static void show_zoomed(struct model *m)
{
	show_terminal(m);
	fixture_keys(m, "^] z Enter");
}

static void show_silent(struct model *m)
{
	show_dash(m);
	sync_silent(m, m->boot_ns - INT64_C(12000000000), m->boot_ns);
}

static void show_terminal_silent(struct model *m)
{
	show_zoomed(m);
	sync_silent(m, m->boot_ns - INT64_C(12000000000), m->boot_ns);
}

static void show_kill(struct model *m)
{
	fixture_keys(m, "j d");
}

static void show_kill_several(struct model *m)
{
	fixture_keys(m, "A d l");
}

static void show_type_name(struct model *m)
{
	fixture_keys(m, "3 D");
	fixture_type(m, "data");
}

static void show_prune_all(struct model *m)
{
	fixture_keys(m, "2 :");
	fixture_type(m, "prune-all");
	fixture_keys(m, "Enter");
	fixture_type(m, "al");
}

static void show_menu(struct model *m)
{
	fixture_keys(m, "j x j");
}

static void show_prompt(struct model *m)
{
	fixture_keys(m, "j E");
	fixture_type(m, "x");
	fixture_keys(m, "Enter");
}

static void show_help(struct model *m)
{
	fixture_keys(m, "?");
}

static void show_palette(struct model *m)
{
	fixture_keys(m, "j :");
	fixture_type(m, "te");
}

static void show_spawn(struct model *m)
{
	fixture_keys(m, "s Up Right Tab Tab");
	fixture_type(m, "job");
	fixture_keys(m, "S-Tab S-Tab S-Tab");
	fixture_type(m, "task=it's");
}

static void show_label(struct model *m)
{
	fixture_keys(m, "j R");
	fixture_type(m, "-2");
	fixture_keys(m, "Tab");
	fixture_type(m, " why='it runs'");
}

static void show_label_several(struct model *m)
{
	fixture_keys(m, "A R");
	fixture_type(m, "task=ci old-");
}

/* An image on its way. */
static void show_spawning(struct model *m)
{
	static const char *const lines[] = {
		"{\"type\":\"progress\",\"stage\":\"download\",\"layer\":0,"
		"\"layers\":2,\"bytes\":32505856,\"total\":48234496}",
		"{\"type\":\"progress\",\"stage\":\"download\",\"layer\":1,"
		"\"layers\":2,\"bytes\":0,\"total\":2097152}",
	};

	fixture_keys(m, "s Up Right Enter");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		fixture_line(m, fixture_spawn(m), lines[i]);
		fixture_time(m, INT64_C(1040000000));
		update_tick(m);
	}
}

static void show_spawning_setup(struct model *m)
{
	m->set.ascii = true;
	show_spawning(m);
	fixture_line(m, fixture_spawn(m),
		     "{\"type\":\"progress\",\"stage\":\"queue\","
		     "\"waiting\":1}");
	fixture_time(m, INT64_C(40000000));
	fixture_line(m, fixture_spawn(m),
		     "{\"type\":\"progress\",\"stage\":\"create\","
		     "\"id\":\"sb-9d11ba00\"}");
	fixture_line(m, fixture_spawn(m),
		     "{\"type\":\"progress\",\"stage\":\"setup\","
		     "\"command\":1,\"commands\":2}");
}

static void show_spawn_behind(struct model *m)
{
	show_spawning(m);
	fixture_keys(m, "Escape");
}

static void show_spawn_failed(struct model *m)
{
	show_spawning(m);
	fixture_line(m, fixture_spawn(m),
		     "{\"type\":\"error\",\"code\":\"UNAVAILABLE\","
		     "\"message\":\"the image 'python:3.12' is not here and "
		     "can't be pulled: no answer from the registry\","
		     "\"remediation\":\"set registries.pull, or: stacyvm "
		     "image import FILE\"}");
}

static void show_output(struct model *m)
{
	fixture_keys(m, "j e");
	fixture_type(m, "ls");
	fixture_keys(m, "Enter");
	fixture_answer(m, "POST", "/api/v1/sandboxes/sb-7f3a91c2/exec", SVM_OK,
		       "{\"exit_code\":2,\"duration\":\"12.994877ms\",\"stdout\":"
		       "\"a\\nb\\n\",\"stderr\":\"\\u001b[31mno\\n\"}");
}

static void show_read_only(struct model *m)
{
	m->read_only = true;
	fixture_keys(m, "d");
}

static void show_lost(struct model *m)
{
	m->starts = true;
	m->events->state = STREAM_BROKEN;
	m->events->changed(m, m->events);
}

static const struct scene {
	const char *name;
	void (*show)(struct model *m);
} scenes[] = {
	{ "dash", show_dash },
	{ "dash-host", busy_host },
	{ "sandboxes", show_sandboxes },
	{ "sandboxes-stats", show_stats },
	{ "sandboxes-posture", show_posture },
	{ "sandboxes-net", show_net },
	{ "sandboxes-filter", show_filter },
	{ "sandboxes-groups", show_groups },
	{ "templates", show_templates },
	{ "providers", show_providers },
	{ "providers-many", show_providers_many },
	{ "logs", show_logs },
	{ "logs-times", show_logs_times },
	{ "logs-only", show_logs_only },
	{ "config", show_config },
	{ "config-choose", show_config_choose },
	{ "config-refused", show_config_refused },
	{ "events", show_events },
	{ "files", show_files },
	{ "files-tree", show_tree },
	{ "file", show_file },
	{ "edit", show_edit },
	{ "edit-command", show_edit_command },
	{ "terminal", show_terminal },
	{ "terminal-zoomed", show_zoomed },
	{ "panes", show_panes },
	{ "file-zoomed", show_file_zoomed },
	{ "file-wrapped", show_file_wrapped },
	{ "kill", show_kill },
	{ "kill-several", show_kill_several },
	{ "type-name", show_type_name },
	{ "prune-all", show_prune_all },
	{ "menu", show_menu },
	{ "prompt", show_prompt },
	{ "help", show_help },
	{ "palette", show_palette },
	{ "spawn", show_spawn },
	{ "label", show_label },
	{ "label-several", show_label_several },
	{ "spawning", show_spawning },
	{ "spawning-setup", show_spawning_setup },
	{ "spawn-behind", show_spawn_behind },
	{ "spawn-failed", show_spawn_failed },
	{ "output", show_output },
	{ "read-only", show_read_only },
	{ "lost", show_lost },
	{ "silent", show_silent },
	{ "terminal-silent", show_terminal_silent },
};

/* One scene at every size, one below the other. */
static void draw(const struct scene *s, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct model *m = fixture_model(sizes[i].rows, sizes[i].cols);
		auto_free char *text = NULL;

		s->show(m);
		text = fixture_screen(m);
		buf_addf(out, "== %dx%d\n%s", sizes[i].cols, sizes[i].rows,
			 text);
		fixture_free(m);
	}
}

/* All of a file; "" when there is none. */
static char *read_all(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!f)
		return xstrdup("");
	if (getdelim(&text, &room, '\0', f) < 0) {
		free(text);
		text = xstrdup("");
	}
	fclose(f);
	return text;
}

static void compare(const char *path, const char *is, const char *was)
{
	for (int line = 1;; line++) {
		size_t a = strcspn(is, "\n"), b = strcspn(was, "\n");

		if (a != b || memcmp(is, was, a) != 0)
			fail_msg("%s:%d\n was %.*s|\n  is %.*s|\n"
				 "UPDATE_GOLDEN=1 takes what is", path, line,
				 (int)b, was, (int)a, is);
		if (!is[a] || !was[b])
			break;
		is += a + 1;
		was += b + 1;
	}
}

/* What is longer than the pane scrolls, also where it has all the room. */
static void test_screens__details_scroll(void **state)
{
	struct input_event wheel = { .type = INPUT_MOUSE };
	struct model *m = fixture_model(14, 120);

	(void)state;
	fixture_keys(m, "3");
	assert_shown(m, "Tab scrolls");
	assert_not_shown(m, "used by");
	fixture_keys(m, "Tab G");
	assert_shown(m, "used by");
	assert_not_shown(m, "Tab scrolls");
	fixture_keys(m, "g");
	assert_not_shown(m, "used by");
	/* Another row begins at its top; the wheel does it without keys. */
	fixture_keys(m, "G Escape j");
	assert_shown(m, "node:20");
	fixture_keys(m, "k");
	wheel.mouse = (struct mouse){ MOUSE_WHEEL_DOWN, 0, 0, 5, 100 };
	for (int i = 0; i < 9; i++)
		update_input(m, &wheel);
	assert_shown(m, "used by");
	model_resize(m, 14, 60);
	update_settle(m);
	assert_not_shown(m, "used by");
	fixture_keys(m, "Enter");
	assert_shown(m, "used by");
	assert_not_shown(m, "web-build");
	fixture_keys(m, "Escape");
	assert_shown(m, "web-build");
	fixture_free(m);
}

static void test_screens__golden(void **state)
{
	bool update = getenv("UPDATE_GOLDEN") != NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		auto_free char *path = xasprintf("%s/%s.txt", GOLDEN,
						 scenes[i].name);
		auto_buf struct buf is = BUF_INIT;
		auto_free char *was = NULL;

		draw(&scenes[i], &is);
		if (update)
			assert_int_equal(fd_replace_path(AT_FDCWD, path,
							 buf_str(&is), is.len,
							 0644), 0);
		was = read_all(path);
		compare(path, buf_str(&is), was);
	}
}

/* Nothing of a stranger's text steers the terminal, and nothing is half a
 * wide character, whatever the size. */
static void check_model(const struct model *m, const char *name)
{
	auto_canvas struct canvas *c = canvas_new(m->rows, m->cols);

	frame_view(m, c);
	for (int i = 0; i < m->rows * m->cols; i++) {
		uint32_t cp = (uint32_t)c->cells[i].cp;

		if (cp && (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
			   cp == 0x202e))
			fail_msg("%s at %dx%d: U+%04X", name, m->cols,
				 m->rows, cp);
	}
	/* Screen readers and magnifiers follow it: it's on what is chosen. */
	if (!c->cursor_visible && m->rows >= 16 && m->cols >= 60)
		fail_msg("%s at %dx%d: no cursor", name, m->cols, m->rows);
	if (c->cursor_visible) {
		assert_in_range(c->cursor_row, 0, m->rows - 1);
		assert_in_range(c->cursor_col, 0, m->cols - 1);
	}
}

static void check_cells(const struct scene *s, int rows, int cols)
{
	struct model *m = fixture_model(rows, cols);

	s->show(m);
	check_model(m, s->name);
	fixture_free(m);
}

/* Every text of the daemon is one that would steer the terminal. */
static void show_hostile(struct model *m)
{
	static const char object[] =
		"{\"id\":\"" EVIL "\",\"name\":\"" EVIL "\",\"state\":\"" EVIL
		"\",\"provider\":\"" EVIL "\",\"image\":\"" EVIL
		"\",\"owner_id\":\"" EVIL "\",\"template\":\"" EVIL
		"\",\"network\":\"" EVIL "\",\"error\":\"" EVIL
		"\",\"version\":\"" EVIL "\",\"uptime\":\"" EVIL
		"\",\"preview_domain\":\"" EVIL "\",\"type\":\"" EVIL
		"\",\"sandbox_id\":\"" EVIL "\",\"metadata\":{\"" EVIL
		"\":\"" EVIL "\"},\"data\":{\"" EVIL "\":\"" EVIL
		"\"},\"" EVIL "\":{\"value\":\"" EVIL "\"}}";
	static const char *const lists[] = { "sandboxes", "templates",
					     "providers" };
	auto_free char *list = xasprintf("[%s]", object);

	model_refresh(m);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		auto_free char *path = xasprintf("/api/v1/%s", lists[i]);

		fixture_answer(m, "GET", path, SVM_OK, list);
	}
	fixture_answer(m, "GET", "/api/v1/health", SVM_OK, object);
	fixture_answer(m, "GET", "/api/v1/metrics", SVM_OK, object);
	fixture_line(m, m->events, object);
	fixture_keys(m, "6");
	fixture_answer(m, "GET", "/api/v1/config", SVM_OK, object);
}

static void show_hostile_sandbox(struct model *m)
{
	show_hostile(m);
	fixture_keys(m, "1 f");
	fixture_answer(m, "GET",
		       "/api/v1/sandboxes/%1B%5D52%3Bc%3Bx%07%C2%9B2J"
		       "%E2%80%AEevil/files/list",
		       SVM_OK,
		       "[{\"name\":\"" EVIL "\",\"path\":\"/" EVIL
		       "\",\"mode\":\"" EVIL "\",\"target\":\"" EVIL
		       "\",\"size\":-1e300}]");
	assert_shown(m, "evil");
}

static void test_screens__hostile(void **state)
{
	static const char *const keys[] = {
		"1", "1 d", "1 x", "1 E", "1 e", "1 l", "2 ] ]", "2 ] ] ] ]",
		"3", "3 D", "3 s Right", "4", "5", "5 i", "6", "7", "1 s Right",
		"1 :", "1 : k i l l Space",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct model *m = fixture_model(40, 200);

		show_hostile(m);
		fixture_keys(m, keys[i]);
		check_model(m, keys[i]);
		fixture_free(m);
	}
	check_cells(&(struct scene){ "files", show_hostile_sandbox }, 40, 160);
}

static void test_screens__any_size(void **state)
{
	static const int some[] = { 1, 2, 3, 9, 10, 11, 17, 39, 40, 41, 61, 79,
				    81, 99, 101, 200, 500 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++)
		for (size_t r = 0; r < ARRAY_SIZE(some); r++)
			for (size_t x = 0; x < ARRAY_SIZE(some); x++)
				check_cells(&scenes[i], some[r], some[x]);
}

/* With ASCII alone no other character is ours. */
static void test_screens__ascii(void **state)
{
	struct model *m = fixture_model(40, 120);
	auto_canvas struct canvas *c = canvas_new(40, 120);

	(void)state;
	m->set.ascii = true;
	fixture_no_sandboxes(m);
	fixture_keys(m, "x");
	frame_view(m, c);
	for (int i = 0; i < 40 * 120; i++)
		if (c->cells[i].cp >= 0x7f &&
		    (c->cells[i].cp < 0x2500 || c->cells[i].cp > 0x257f))
			fail_msg("U+%04X", (unsigned)c->cells[i].cp);
	fixture_free(m);
}

/* Up to the most there was lately; no curve where nothing is to move, and
 * no panel of a machine that isn't known. */
static void test_screens__host_network(void **state)
{
	static const int64_t rates[] = { 0, 15, 29, 43, 58, 72, 86, 100 };
	struct model *m = fixture_model(40, 200);

	(void)state;
	assert_not_shown(m, " HOST ");
	m->host = (struct host){ .known = true };
	assert_shown(m, "NET  -");
	m->host.has_rates = true;
	m->host.net = 2048;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		m->host.cpu_samples[m->host.n_samples] = 100;
		m->host.net_samples[m->host.n_samples++] = rates[i];
	}
	assert_shown(m, "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
			" 2.0 KiB/s");
	assert_shown(m, "\u2588\u2588\u2588 0%  mem");
	m->set.ascii = true;
	assert_shown(m, ".:-=+*#% 2.0 KiB/s");
	m->set.motion = false;
	assert_shown(m, "NET  2.0 KiB/s");
	assert_shown(m, "cpu 0%  mem");
	fixture_free(m);
}

struct walk {
	void (*show)(struct model *m);
	const char *keys; /* pressed then; or NULL */
};

/* Of one context, at most. */
#define WALK_BINDINGS 64

/* Longer than a screen, with a word that is there often. */
static void many_lines(struct buf *out, const char *end)
{
	for (int i = 0; i < 200; i++)
		buf_addf(out, "  line %d of %d words%s", i, i % 7, end);
}

static void walk_file(struct model *m)
{
	auto_buf struct buf text = BUF_INIT;

	many_lines(&text, " and so on, further than any screen is wide, which "
			  "is why it is as long as it is, with no end in sight"
			  " or so it seems to whoever reads on and on\n");
	show_files(m);
	fixture_keys(m, "j j Enter");
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files",
		       SVM_OK, buf_str(&text));
	fixture_keys(m, "w / l i n e Enter PageDown PageDown");
}

static void walk_edit(struct model *m)
{
	static const char files[] = "/api/v1/sandboxes/sb-7f3a91c2/files";
	auto_buf struct buf text = BUF_INIT;

	many_lines(&text, "\n");
	show_files(m);
	fixture_keys(m, "j j i");
	fixture_answer(m, "GET", files, SVM_OK, buf_str(&text));
	fixture_answer(m, "GET",
		       "/api/v1/sandboxes/sb-7f3a91c2/files/stat", SVM_OK,
		       "{\"type\":\"file\",\"size\":40,\"mode\":\"0644\"}");
	fixture_answer(m, "GET", files, SVM_OK, buf_str(&text));
	fixture_keys(m, "Escape / l i n e Enter PageDown PageDown w x x u y w");
}

static void walk_left(struct model *m)
{
	auto_buf struct buf text = BUF_INIT;
	struct terminal *t;

	many_lines(&text, "\r\n");
	show_terminal(m);
	t = list_entry(m->terminals.next, struct terminal, link);
	terminal_write(t, text.data, text.len);
	update_settle(m);
	fixture_keys(m, "^]");
	fixture_time(m, INT64_C(1000000000));
}

static void walk_live(struct model *m)
{
	walk_left(m);
	fixture_keys(m, "PageUp Enter");
}

static void walk_ended(struct model *m)
{
	walk_left(m);
	list_entry(m->terminals.next, struct terminal, link)->state =
		TERMINAL_EXITED;
}

static void walk_two_terminals(struct model *m)
{
	walk_left(m);
	fixture_keys(m, "T ^]");
	fixture_time(m, INT64_C(1000000000));
}

static void walk_copy(struct model *m)
{
	walk_left(m);
	fixture_keys(m, "[ / w o r d Enter PageUp PageUp");
}

static void walk_dot_files(struct model *m)
{
	fixture_keys(m, "j f");
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files/list",
		       SVM_OK, "[{\"name\":\".git\",\"path\":"
			       "\"/workspace/.git\",\"is_dir\":true},"
			       "{\"name\":\"a\",\"path\":\"/workspace/a\"}]");
}

static void walk_quiet(struct model *m)
{
	(void)m;
}

/* All that a key could have changed. */
static void everything(struct model *m, struct buf *out)
{
	auto_canvas struct canvas *c = canvas_new(m->rows, m->cols);
	struct list *pos, *tmp;

	frame_view(m, c);
	buf_add(out, c->cells,
		(size_t)(c->rows * c->cols) * sizeof(*c->cells));
	buf_addf(out, "%d %d %u %d %d %d %u\n", c->cursor_row, c->cursor_col,
		 m->effects & ~(unsigned)EFFECT_REDRAW, (int)m->screen,
		 m->mouse, m->read_only, m->waiting);
	buf_add(out, m->clipboard.data, m->clipboard.len);
	list_for_each_safe(pos, tmp, &m->requests) {
		const struct request *r =
			list_entry(pos, struct request, link);

		buf_addf(out, "%s %s\n", r->method, r->target);
	}
	list_for_each_safe(pos, tmp, &m->streams)
		buf_addch(out, 's');
	list_for_each_safe(pos, tmp, &m->terminals)
		buf_addch(out, 't');
}

/* Does it do anything there? */
static bool key_does(const struct walk *w, struct key key)
{
	struct model *m = fixture_model(40, 160);
	auto_buf struct buf before = BUF_INIT, after = BUF_INIT;

	w->show(m);
	if (w->keys)
		fixture_keys(m, w->keys);
	everything(m, &before);
	update_input(m, &(struct input_event){ .type = INPUT_KEY,
					       .key = key });
	everything(m, &after);
	fixture_free(m);
	return before.len != after.len ||
	       memcmp(before.data, after.data, before.len) != 0;
}

/* All keys of a scene that none before it had a use for. */
static void walk(const struct walk *w, bool (*seen)[WALK_BINDINGS][8])
{
	struct model *m = fixture_model(40, 160);
	enum context chain[CONTEXT_CHAIN];

	w->show(m);
	if (w->keys)
		fixture_keys(m, w->keys);
	update_contexts(m, chain);
	for (const enum context *of = chain; *of != CTX_NONE; of++)
		for (size_t i = 0; i < WALK_BINDINGS; i++) {
			auto_buf struct buf keys = BUF_INIT;
			enum action a;
			char *rest = NULL;
			size_t n = 0;

			if (!keymap_binding(m->keymap, *of, i, &keys, &a))
				break;
			for (char *word = strtok_r(keys.data, " ", &rest);
			     word; word = strtok_r(NULL, " ", &rest), n++) {
				struct key key;

				assert_int_equal(key_parse(word, &key), 0);
				if (!seen[*of][i][n] &&
				    keymap_find(m->keymap, chain, key) == a)
					seen[*of][i][n] = key_does(w, key);
			}
		}
	fixture_free(m);
}

/* What no scene saw a use of. */
static size_t tell_idle(bool (*seen)[WALK_BINDINGS][8])
{
	struct keymap *k = keymap_new();
	size_t idle = 0;

	for (int of = CTX_NONE + 1; of < CTX_MAX; of++)
		for (size_t i = 0; i < WALK_BINDINGS; i++) {
			auto_buf struct buf keys = BUF_INIT;
			enum action a;
			char *rest = NULL;
			size_t n = 0;

			if (!keymap_binding(k, (enum context)of, i, &keys, &a))
				break;
			for (char *word = strtok_r(keys.data, " ", &rest);
			     word; word = strtok_r(NULL, " ", &rest), n++) {
				if (seen[of][i][n])
					continue;
				print_error("%s: %s does nothing (%s)\n",
					    context_name((enum context)of),
					    word, action_info(a)->name);
				idle++;
			}
		}
	keymap_free(k);
	return idle;
}

/* Every key of every context does something where its help says so: each is
 * pressed in the scenes above, and in these, until one sees a difference. */
static void test_screens__every_key(void **state)
{
	static bool seen[CTX_MAX][WALK_BINDINGS][8];
	static const struct walk more[] = {
		{ walk_quiet, "1" },
		{ show_sandboxes, "g j j Space" },
		{ show_file, "1" },
		{ show_files, "j j" },
		{ show_files, "A" },
		{ show_tree, NULL },
		{ show_tree, "j" },
		{ walk_dot_files, NULL },
		{ walk_file, NULL },
		{ walk_file, "Right" },
		{ walk_edit, NULL },
		{ walk_edit, "w w Escape" },
		{ walk_edit, "i" },
		{ walk_live, NULL },
		{ walk_left, NULL },
		{ walk_left, "PageUp" },
		{ walk_ended, NULL },
		{ walk_two_terminals, NULL },
		{ walk_copy, NULL },
		{ walk_copy, "w w" },
		{ show_sandboxes, "e x Enter e" },
		{ show_sandboxes, "e x Enter e Up" },
		{ show_logs, "/ n Enter g" },
		{ show_events, "/ s Enter g" },
		{ show_palette, "Down Down" },
		{ show_help, "PageDown" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++)
		walk(&(struct walk){ scenes[i].show, NULL }, seen);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		walk(&more[i], seen);
	assert_false(key_does(&more[0], (struct key){ KEY_CODE_F1 + 11, 0 }));
	assert_int_equal(tell_idle(seen), 0);
}

/* What every list promises, each screen keeps. */
static void test_screens__lists_copy(void **state)
{
	static const struct walk lists[] = {
		{ show_sandboxes, NULL }, { show_templates, NULL },
		{ show_providers, NULL }, { show_logs, NULL },
		{ show_events, NULL },	  { show_files, NULL },
		{ show_dash, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct model *m = fixture_model(40, 160);

		lists[i].show(m);
		fixture_keys(m, "Y");
		buf_addch(&m->clipboard, '\0');
		cJSON *copied = cJSON_Parse(buf_str(&m->clipboard));

		if (!cJSON_IsObject(copied))
			fail_msg("scene %zu: no JSON: %s", i,
				 buf_str(&m->clipboard));
		cJSON_Delete(copied);
		fixture_free(m);
	}
}

static void test_screens__model_alone(void **state)
{
	struct model *m = model_new(24, 80);

	(void)state;
	assert_shown(m, "asking the daemon");
	for (const char *key = "1234567"; *key; key++)
		fixture_type(m, (char[2]){ *key, '\0' });
	fixture_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_screens__details_scroll),
		cmocka_unit_test(test_screens__golden),
		cmocka_unit_test(test_screens__any_size),
		cmocka_unit_test(test_screens__hostile),
		cmocka_unit_test(test_screens__ascii),
		cmocka_unit_test(test_screens__host_network),
		cmocka_unit_test(test_screens__every_key),
		cmocka_unit_test(test_screens__lists_copy),
		cmocka_unit_test(test_screens__model_alone),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		print_message("needs the locale C.UTF-8\n");
		return 1;
	}
	return cmocka_run_group_tests_name("screens", tests,
					   settings_fixture_setup,
					   settings_fixture_teardown);
}
