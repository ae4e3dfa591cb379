/* SPDX-License-Identifier: MIT */
/*
 * A configuration for the model: four keys, a file below /tmp that is really
 * changed, and a check that refuses the value "bad".
 */
#ifndef SVM_TESTS_SETTINGS_FIXTURE_H
#define SVM_TESTS_SETTINGS_FIXTURE_H

#include <fcntl.h>

#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "tests/unit/model-fixture.h"

static char settings_dir[32];
static char *settings_path;
static int settings_applied;
static const char *settings_fixture_over;

static bool settings_fixture_at(void *data, size_t i, struct setting *ret)
{
	const struct setting all[] = {
		{ .name = "server.port", .def = "7423", .help = "TCP port",
		  .restart = true },
		{ .name = "defaults.ttl", .def = "30m",
		  .help = "life of a sandbox" },
		{ .name = "auth.api_key", .def = "",
		  .help = "the key of callers", .secret = true },
		{ .name = "ui.theme",
		  .choices = "auto|mission|light|contrast|mono|one-more",
		  .def = "auto",
		  .help = "colours of the dashboard: auto, mission, light, "
			  "contrast, mono or a file of yours, themes/NAME.yaml, "
			  "beside the configuration",
		  .over = settings_fixture_over },
	};

	(void)data;
	if (i < ARRAY_SIZE(all))
		*ret = all[i];
	return i < ARRAY_SIZE(all);
}

static int settings_fixture_check_key(void *data, const char *key,
				      struct svm_err *err)
{
	(void)data;
	return strncmp(key, "nosuch", 6) == 0 ?
		       svm_err_set(err, SVM_BAD_REQUEST,
				   "%s: no such setting; here is more of what "
				   "is to be said of it, to its very end", key) :
		       0;
}

static int settings_fixture_show(void *data, struct buf *json,
				 struct svm_err *err)
{
	(void)data, (void)err;
	buf_addstr(json,
		   "{\"server.port\":{\"value\":8000,"
		   "\"origin\":\"/etc/x/config.yaml:3\"},"
		   "\"defaults.ttl\":{\"value\":\"30m\","
		   "\"origin\":\"default\"},"
		   "\"ui.theme\":{\"value\":\"mission\",\"origin\":"
		   "\"environment STACYVM_UI_THEME\"},"
		   "\"keys.sandboxes.kill\":{\"value\":\"F8\","
		   "\"origin\":\"/etc/x/config.yaml:9\"}}");
	return 0;
}

static int settings_fixture_check(const char *path, const char *text, size_t n,
				  void *data, struct svm_err *err)
{
	(void)path, (void)n, (void)data;
	if (strstr(text, "bad"))
		return svm_err_set(err, SVM_BAD_REQUEST, "cannot set: 'bad' "
				   "is not a value");
	return 0;
}

static int settings_fixture_change(void *data, const char *key,
				   const char *value,
				   struct config_change *ret,
				   struct svm_err *err)
{
	return config_file_set(settings_path, key, value,
			       settings_fixture_check, data, ret, err);
}

static int settings_fixture_read(void *data, struct buf *ret,
				 struct svm_err *err)
{
	(void)data, (void)err;
	(void)fd_slurp_path(AT_FDCWD, settings_path, KIB(64), ret);
	return 0;
}

static int settings_fixture_replace(void *data, const char *before,
				    const char *text, size_t n,
				    struct svm_err *err)
{
	return config_file_replace(settings_path, before, text, n,
				   settings_fixture_check, data, err);
}

static int settings_fixture_apply(void *data, struct model *m,
				  struct svm_err *err)
{
	(void)data, (void)m, (void)err;
	settings_applied++;
	return 0;
}

static const struct settings_ops settings_fixture = {
	.at = settings_fixture_at,
	.check = settings_fixture_check_key,
	.show = settings_fixture_show,
	.change = settings_fixture_change,
	.read = settings_fixture_read,
	.replace = settings_fixture_replace,
	.apply = settings_fixture_apply,
};

/* At screen 6, with the daemon's answer. */
static inline void settings_fixture_open(struct model *m)
{
	m->settings = &settings_fixture;
	fixture_keys(m, "6");
	fixture_answer(m, "GET", "/api/v1/config", SVM_OK,
		       "{\"server.port\":{\"value\":7423,"
		       "\"origin\":\"default\"},"
		       "\"defaults.ttl\":{\"value\":\"30m\","
		       "\"origin\":\"/etc/x/config.yaml:4\"},"
		       "\"server.host\":{\"value\":[\"a\",\"\\u001b[2Jb\"],"
		       "\"origin\":\"./stacyvm.yaml:1\"},"
		       "\"auth.api_key\":{\"value\":\"***\","
		       "\"origin\":\"environment STACYVM_AUTH_API_KEY\"},"
		       "\"ui.theme\":{\"value\":\"auto\","
		       "\"origin\":\"default\"}}");
}

static inline int settings_fixture_setup(void **state)
{
	(void)state;
	strcpy(settings_dir, "/tmp/svm-settings-XXXXXX");
	if (!mkdtemp(settings_dir))
		return -1;
	settings_path = path_join(settings_dir, "config.yaml");
	settings_applied = 0;
	return 0;
}

static inline int settings_fixture_teardown(void **state)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	path_remove_tree(tmp, settings_dir + 5);
	close(tmp);
	free(settings_path);
	settings_path = NULL;
	return 0;
}

#endif
