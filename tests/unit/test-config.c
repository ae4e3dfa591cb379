/* SPDX-License-Identifier: MIT */
/* Configuration: what is accepted, which source wins, what is said. */
#include "daemon/config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config-internal.h"
#include "lib/api/limits.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "tests/unit/unit.h"

static char dir[32];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/svm-config-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	path_remove_tree(tmp, dir + 5);
	close(tmp);
	return 0;
}

/* A file in dir; the name is owned by the caller. */
static char *file(const char *name, const char *text)
{
	char *path = path_join(dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

/* Load one file; the message (owned) or NULL when it is good. */
static char *complaint(const char *text, enum svm_code *ret_code)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *path = file("t.yaml", text);
	struct config_source src = { .file = path };
	struct config *c = NULL;
	int r = config_load(&src, &c, &err);

	config_free(c);
	*ret_code = err.code;
	return r < 0 ? xasprintf("%s", err.msg + strlen(dir) + 1) : NULL;
}

static void must_say(const char *text, const char *expect)
{
	enum svm_code code;
	auto_free char *msg = complaint(text, &code);

	assert_non_null(msg);
	if (!strstr(msg, expect))
		fail_msg("for <%s>\nexpected <%s>\ngot <%s>", text, expect,
			 msg);
}

static struct config *load(const struct config_source *src)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct config *c = NULL;

	if (config_load(src, &c, &err) < 0)
		fail_msg("%s", err.msg);
	return c;
}

static void test_config__defaults(void **state)
{
	const struct config_source src = { 0 };
	struct config *c = load(&src);

	(void)state;
	assert_int_equal(c->server_port, 7423);
	assert_string_equal(c->server_host[0], "localhost");
	assert_null(c->server_host[1]);
	assert_null(c->server_allowed_hosts[0]);
	assert_null(c->server_socket);
	assert_string_equal(c->providers_default, "auto");
	assert_true(c->providers_native_enabled);
	assert_false(c->providers_mock_enabled);
	assert_true(c->defaults_ttl == SECONDS(1800));
	assert_true(c->defaults_max_ttl == SECONDS(86400));
	assert_int_equal(c->defaults_memory_mb, 1024);
	assert_int_equal(c->logging_max_size, MIB(10));
	assert_string_equal(c->logging_level, "info");
	assert_string_equal(config_origin(c, "server.port"), "default");
	assert_null(config_origin(c, "no.such"));
	assert_null(config_value(c, "no.such"));
	config_free(c);
}

/* Every default survives being written out and read again. */
static void test_config__table_is_sound(void **state)
{
	const struct config_source src = { 0 };
	struct config *c = load(&src);

	(void)state;
	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		const struct config_key *k = config_key((enum config_id)i);
		auto_free char *value = config_value(c, k->name);

		assert_non_null(strchr(k->name, '.'));
		assert_true(strlen(k->name) <= CONFIG_NAME_MAX);
		assert_true(k->help && strlen(k->help) > 5);
		assert_true(k->min <= k->max);
		assert_int_equal(!!k->choices, k->kind == CONFIG_CHOICE);
		if (!*value)
			continue;
		auto_free char *flag = xasprintf("%s=%s", k->name, value);
		char *flags[] = { flag, NULL };
		const struct config_source again = { .flags = flags };
		struct config *c2 = load(&again);
		auto_free char *same = config_value(c2, k->name);
		assert_string_equal(value, same);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(
				k->name, config_key((enum config_id)j)->name);
		config_free(c2);
	}
	config_free(c);
}

static void test_config__later_source_wins(void **state)
{
	auto_free char *base = file("config.yaml",
				    "server:\n  port: 1001\n"
				    "defaults:\n  memory_mb: 11\n  vcpus: 2\n"
				    "  ttl: 11m\nlogging:\n"
				    "  level: debug\n");
	auto_free char *cwd = file("cwd.yaml",
				   "server: {port: 1002}\n"
				   "defaults: {memory_mb: 12, vcpus: 3}\n");
	auto_free char *given = file("given.yaml",
				     "server.port: 1003\n"
				     "defaults:\n  memory_mb: 13\n");
	char *env[] = { (char *)"HOME=/x", (char *)"STACYVM_SERVER_PORT=1004",
			(char *)"STACYVM_DEFAULTS_TTL=", NULL };
	char *flags[] = { (char *)"server.port=1005", NULL };
	struct config_source src = { .dir = dir, .cwd_file = cwd,
				     .file = given, .env = env,
				     .flags = flags };

	(void)state;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct config *c = NULL;
	if (config_load(&src, &c, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(c->server_port, 1005);
	assert_int_equal(c->defaults_memory_mb, 13);
	assert_int_equal(c->defaults_vcpus, 3);
	assert_true(c->defaults_ttl == SECONDS(660));
	assert_string_equal(config_origin(c, "server.port"), "flag");
	auto_free char *line2 = xasprintf("%s:2", cwd);
	auto_free char *line6 = xasprintf("%s:6", base);
	assert_string_equal(config_origin(c, "defaults.vcpus"), line2);
	assert_string_equal(config_origin(c, "defaults.ttl"), line6);
	config_free(c);
	src.flags = NULL;
	c = load(&src);
	assert_int_equal(c->server_port, 1004);
	assert_string_equal(config_origin(c, "server.port"),
			    "environment STACYVM_SERVER_PORT");
	config_free(c);
}

static void test_config__lists(void **state)
{
	auto_free char *path = file("t.yaml",
				    "server:\n  allowed_hosts:\n    - a.org\n"
				    "    - 'b.org'\n  host: localhost, ::1\n");
	struct config_source src = { .file = path };
	struct config *c = load(&src);

	(void)state;
	assert_string_equal(c->server_allowed_hosts[0], "a.org");
	assert_string_equal(c->server_allowed_hosts[1], "b.org");
	assert_null(c->server_allowed_hosts[2]);
	assert_string_equal(c->server_host[1], "::1");
	auto_free char *text = config_value(c, "server.allowed_hosts");
	assert_string_equal(text, "a.org,b.org");
	config_free(c);
}

static void test_config__names_file_line_and_key(void **state)
{
	(void)state;
	must_say("server:\n  prot: 1\n",
		 "t.yaml:2: unknown key 'server.prot'; did you mean "
		 "'server.port'?");
	must_say("defaults:\n  tll: 1m\n", "did you mean 'defaults.ttl'?");
	must_say("server:\n  ttl: 1m\n", "did you mean 'defaults.ttl'?");
	must_say("server:\n  prot:\n", "unknown key 'server.prot'");
	must_say("zzz: 1\n", "t.yaml:1: unknown key 'zzz'");
	must_say("server:\n\n  port: x\n",
		 "t.yaml:3: server.port: 'x' is not a whole number");
	must_say("server:\n  port: 65536\n",
		 "server.port: '65536' must be from 0 to 65535");
	must_say("server:\n  port: 99999999999999999999\n", "must be from 0");
	must_say("defaults:\n  ttl: 5\n", "'5' is not a duration");
	must_say("defaults:\n  ttl: -5m\n", "must be from 1s to");
	must_say("logging:\n  level: loud\n",
		 "'loud' is not one of debug|info|warn|error");
	must_say("logging:\n  level: ''\n", "is not one of");
	must_say("logging:\n  max_size: 5XB\n", "is not a size");
	must_say("logging:\n  file: here.log\n", "must be an absolute path");
	must_say("server:\n  port: [1, 2]\n", "takes one value, not a list");
	must_say("server: 5\n", "'server' is a section, not a value");
	must_say("providers:\n  mock:\n    enabled: perhaps\n",
		 "is not true or false");
	must_say("server:\n  preview_domain: \"a\\nb\"\n", "text of one line");
	must_say("server:\n  preview_domain: \"a\\0b\"\n", "NUL in a value");
}

static void test_config__later_keys_are_not_unknown(void **state)
{
	enum svm_code code;
	auto_free char *msg = complaint("providers:\n  docker:\n"
					"    socket: unix:///x\n"
					"pool:\n  enabled: true\n"
					"  image: x\n", &code);

	(void)state;
	assert_int_equal(code, SVM_UNSUPPORTED);
	assert_non_null(strstr(msg, "t.yaml:3: providers.docker.socket is not "
			       "supported by this version"));
	assert_non_null(strstr(msg, "pool.enabled is not supported"));
}

static void test_config__auth(void **state)
{
	enum svm_code code;

	(void)state;
	must_say("auth: {enabled: true}\n",
		 "t.yaml:1: auth.enabled: true needs a key");
	must_say("auth: {api_key: 'two words'}\n", "printable ASCII");
	auto_free char *msg = complaint("auth: {api_key: 'secret\u00e9'}\n",
					&code);
	assert_null(strstr(msg, "secret"));
	must_say("auth: {api_key: abc, admin_api_key: abc}\n",
		 "the same as auth.api_key");
	assert_null(complaint("auth: {enabled: false, api_key: ''}\n", &code));
	assert_null(complaint("auth: {admin_api_key: abc}\n", &code));
	/* A key opens the door to other addresses; written off, it doesn't. */
	assert_null(complaint("auth: {api_key: abc}\n"
			      "server: {host: 0.0.0.0}\n", &code));
	must_say("auth: {api_key: abc, enabled: false}\n"
		 "server: {host: 0.0.0.0}\n", "reached by others");
}

static void test_config__origins(void **state)
{
	enum svm_code code;

	(void)state;
	assert_null(complaint("server: {cors_allowed_origins: "
			      "['https://a.example', 'http://b:80']}\n",
			      &code));
	must_say("server: {cors_allowed_origins: [a.example]}\n",
		 "is not an origin");
	must_say("server: {cors_allowed_origins: ['https://a/b']}\n",
		 "is not an origin");
	must_say("server: {cors_allowed_origins: ['https://*.a']}\n",
		 "is not an origin");
	must_say("server: {cors_allowed_origins: ['*']}\n",
		 "needs authentication");
	assert_null(complaint("server: {cors_allowed_origins: ['*']}\n"
			      "auth: {api_key: abc}\n", &code));
}

static void test_config__hostile_yaml(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	must_say("a: &x 1\nb: *x\n", "anchors, aliases and tags");
	must_say("a: &a [x,x]\nb: &b [*a,*a]\n", "anchors, aliases and tags");
	must_say("server: !!map {port: 1}\n", "anchors, aliases and tags");
	must_say("server:\n  port: 1\n  port: 2\n",
		 "t.yaml:3: 'server.port' stands twice");
	must_say("server: {port: 1}\nserver: {socket: /x}\n",
		 "t.yaml:2: 'server' stands twice");
	must_say("a: 1\n---\nb: 1\n", "one document only");
	must_say("[1, 2]\n", "must hold \"key: value\"");
	must_say("just text\n", "must hold \"key: value\"");
	must_say("? {a: b}\n: c\n", "a key must be text");
	must_say("server: {allowed_hosts: [[a]]}\n", "plain values only");
	must_say("server: {allowed_hosts: [{a: b}]}\n", "plain values only");
	must_say("a: {b: {c: {d: {e: {f: {g: {h: {i: 1}}}}}}}}\n",
		 "nested too deep");
	must_say("server:\n\tport: 1\n", "t.yaml:2:");
	must_say("server: {port: 1\n", "t.yaml:");
	must_say("a: \xff\n", "t.yaml:");
	must_say("\"\\e[31m\": 1\n", "unknown key '^[[31m'");
	for (int i = 0; i < LIMIT_CONFIG_FILE / 2 + 1; i++)
		buf_addstr(&b, "# ");
	must_say(b.data, "larger than");
	buf_clear(&b);
	for (int i = 0; i < 40; i++)
		buf_addf(&b, "k%d: 1\n", i);
	must_say(b.data, "\n... and 20 more");
	buf_clear(&b);
	for (int i = 0; i <= LIMIT_CONFIG_KEYS; i++)
		buf_addf(&b, "k%d: 1\n", i);
	must_say(b.data, "... and");
	buf_clear(&b);
	buf_addstr(&b, "server: {allowed_hosts: [a");
	for (int i = 0; i < 500; i++)
		buf_addstr(&b, ", a");
	buf_addstr(&b, "]}\n");
	must_say(b.data, "the list is too long");
}

static void test_config__empty_files_are_fine(void **state)
{
	enum svm_code code;

	(void)state;
	assert_null(complaint("", &code));
	assert_null(complaint("# nothing\n", &code));
	assert_null(complaint("---\n", &code));
	assert_null(complaint("server:\ndefaults: {}\n", &code));
	assert_null(complaint("server: {port: ~, socket: null}\n", &code));
}

static void test_config__checks_across_keys(void **state)
{
	enum svm_code code;

	(void)state;
	must_say("defaults: {ttl: 25h}\n", "longer than defaults.max_ttl");
	must_say("defaults: {max_exec_timeout: 1s, default_exec_timeout: 2s}",
		 "default_exec_timeout is longer");
	must_say("providers: {default: mock}\n",
		 "providers.mock.enabled: true turns it on");
	must_say("server: {host: 0.0.0.0}\n",
		 "t.yaml:1: server.host: '0.0.0.0' can be reached by others");
	assert_null(complaint("server: {host: 0.0.0.0, "
			      "allow_unauthenticated: true}\n", &code));
	assert_null(complaint("server: {host: 0.0.0.0, port: 0}\n", &code));
	assert_null(complaint("providers: {default: mock, "
			      "mock: {enabled: yes}}\n", &code));
}

static void test_config__environment(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct config *c = NULL;
	char *fine[] = { (char *)"STACYVM_STATE_DIR=/s",
			 (char *)"STACYVM_SERVER=unix:///x",
			 (char *)"STACYVM_API_KEY=k", (char *)"STACYVM_FOO=1",
			 (char *)"STACYVM_FAULT_LOG=/l", (char *)"STACYVM_",
			 (char *)"STACYVM_DEFAULTS_MAX_TTL=48h", NULL };
	char *bad[] = { (char *)"STACYVM_SERVER_PROT=1",
			(char *)"STACYVM_POOL_ENABLED=1",
			(char *)"STACYVM_SERVER_PORT=abc", NULL };
	struct config_source src = { .env = fine };

	(void)state;
	c = load(&src);
	assert_true(c->defaults_max_ttl == SECONDS(48 * 3600));
	config_free(c);
	c = NULL;
	src.env = bad;
	assert_int_equal(config_load(&src, &c, &err), -1);
	assert_null(c);
	assert_int_equal(err.code, SVM_BAD_REQUEST);
	assert_non_null(strstr(err.msg, "STACYVM_SERVER_PROT is no key; did "
			       "you mean STACYVM_SERVER_PORT?"));
	assert_non_null(strstr(err.msg, "STACYVM_POOL_ENABLED is not "
			       "supported by this version"));
	assert_non_null(strstr(err.msg, "environment STACYVM_SERVER_PORT: "
			       "server.port: 'abc' is not a whole number"));
}

static void test_config__flags(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct config *c = NULL;
	char *bad[] = { (char *)"server.port", (char *)"server.prt=1", NULL };
	struct config_source src = { .flags = bad };

	(void)state;
	assert_int_equal(config_load(&src, &c, &err), -1);
	assert_non_null(strstr(err.msg, "flag: 'server.port' is not "
			       "KEY=VALUE"));
	assert_non_null(strstr(err.msg, "flag: unknown key 'server.prt'; did "
			       "you mean 'server.port'?"));
}

static void test_config__sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = { { "0", 0 }, { "4096", 4096 }, { "64KiB", 65536 },
		      { "64K", 65536 }, { "1MB", 1000000 }, { "2M", 2097152 },
		      { "1 GiB", 1073741824 }, { "1gb", 1000000000 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *flag = xasprintf("logging.max_size=%s",
						 cases[i].text);
		char *flags[] = { flag, NULL };
		struct config_source src = { .flags = flags };
		struct config *c = load(&src);

		assert_int_equal(c->logging_max_size, cases[i].bytes);
		config_free(c);
	}
	must_say("logging: {max_size: 9999999999999G}\n", "must be from 0");
	must_say("logging: {max_size: -1}\n", "is not a size");
}

/* Whoever can write the file commands the daemon. */
static void test_config__foreign_files_are_refused(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *path = file("t.yaml", "server: {port: 1}\n");
	auto_free char *fifo = path_join(dir, "fifo");
	struct config_source src = { .file = path };
	struct config *c = NULL;

	(void)state;
	assert_int_equal(chmod(path, 0606), 0);
	assert_int_equal(config_load(&src, &c, &err), -1);
	assert_non_null(strstr(err.msg, "mode 0606"));
	svm_err_release(&err);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	src.file = fifo;
	assert_int_equal(config_load(&src, &c, &err), -1);
	assert_non_null(strstr(err.msg, "not a regular file"));
	svm_err_release(&err);
	src.file = "/proc/nonexistent/x.yaml";
	assert_int_equal(config_load(&src, &c, &err), -1);
	assert_non_null(strstr(err.msg, "No such file"));
	svm_err_release(&err);
	src.file = NULL;
	src.cwd_file = "/proc/nonexistent/x.yaml";
	assert_int_equal(config_load(&src, &c, &err), 0);
	config_free(c);
	c = NULL;
	if (!unit_has_other_ids()) {
		print_message("only root can give a file away\n");
		skip();
	}
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chown(path, 65534, 65534), 0);
	src.cwd_file = path;
	assert_int_equal(config_load(&src, &c, &err), -1);
	assert_non_null(strstr(err.msg, "belongs to uid 65534"));
}

static void test_config__json(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct config_source src = { 0 };
	struct config *c = load(&src);
	auto_buf struct buf out = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;

	(void)state;
	c->auth_api_key = xstrdup("hunter2");
	config_json(c, &out);
	assert_null(strstr(out.data, "hunter2"));
	assert_int_equal(json_parse_object(&doc, out.data, out.len, &err), 0);
	assert_int_equal(cJSON_GetArraySize(doc.root), CONFIG_ID_MAX);
	const cJSON *port = json_get(doc.root, "server.port");
	assert_true(json_get(port, "value")->valuedouble == 7423);
	assert_string_equal(json_get(port, "origin")->valuestring, "default");
	const cJSON *key = json_get(doc.root, "auth.api_key");
	assert_string_equal(json_get(key, "value")->valuestring, "***");
	auto_free char *text = config_value(c, "auth.api_key");
	assert_string_equal(text, "***");
	config_free(c);
}

/* Which actions there are is for the dashboard to say; the form is ours. */
static void test_config__bindings(void **state)
{
	(void)state;
	auto_free char *path = file("t.yaml", "keys:\n  sandboxes:\n    kill: [X, Delete]\n"
			   "    logs: ''\n    exec:\n"
			   "  terminal.leave: F12\n");
	char *flags[] = { (char *)"keys.terminal.leave=F11", NULL };
	struct config *c = load(&(struct config_source){ .file = path,
							 .flags = flags });
	assert_int_equal(c->n_bindings, 3);
	auto_free char *kill = config_value(c, "keys.sandboxes.kill");
	auto_free char *logs = config_value(c, "keys.sandboxes.logs");
	auto_free char *leave = config_value(c, "keys.terminal.leave");
	assert_string_equal(kill, "X Delete");
	assert_string_equal(logs, "");
	assert_string_equal(leave, "F11");
	assert_string_equal(config_origin(c, "keys.terminal.leave"), "flag");
	assert_non_null(strstr(config_origin(c, "keys.sandboxes.kill"),
			       "t.yaml:3"));
	auto_buf struct buf json = BUF_INIT;
	config_json(c, &json);
	assert_non_null(strstr(buf_str(&json), "\"keys.sandboxes.kill\""));
	config_free(c);
	auto_free char *own = file("t.yaml", "commands:\n  log:\n"
				   "    run: [git, log, 'a b']\n"
				   "keys:\n  sandboxes:\n  # none\n");
	c = load(&(struct config_source){ .file = own });
	assert_int_equal(c->n_bindings, 1);
	assert_string_equal(c->bindings[0].values[2], "a b");
	assert_null(c->bindings[0].values[3]);
	config_free(c);
	must_say("commands: {log: x}\n", "unknown key 'commands.log'");
	must_say("keys: {kill: d}\n", "t.yaml:1: unknown key 'keys.kill'");
	must_say("keys: d\n", "'keys' is a section");
	must_say("keys: {a.b: \"x\\ny\"}\n", "text of one line");
	must_say("ui: {them: light}\n", "did you mean 'ui.theme'?");
	must_say("ui: {confirm: maybe}\n", "not one of always|bulk|never");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(test_config__##f, setup, teardown)
		TEST(defaults),
		TEST(table_is_sound),
		TEST(later_source_wins),
		TEST(lists),
		TEST(names_file_line_and_key),
		TEST(later_keys_are_not_unknown),
		TEST(auth),
		TEST(origins),
		TEST(hostile_yaml),
		TEST(empty_files_are_fine),
		TEST(checks_across_keys),
		TEST(environment),
		TEST(flags),
		TEST(sizes),
		TEST(foreign_files_are_refused),
		TEST(json),
		TEST(bindings),
#undef TEST
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
