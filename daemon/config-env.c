/* SPDX-License-Identifier: MIT */
/* Configuration from the environment and from flags.  See config.h. */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "daemon/config-internal.h"
#include "lib/base/mem.h"

/* STACYVM_* that are not configuration. */
static const char *const not_keys[] = {
	"STATE_DIR", "RUNTIME_DIR", "FAULT", "FAULT_LOG", "TRACE", "API_KEY",
	"ADMIN_API_KEY", "SERVER",
};

/* Is "SERVER_PROT" about a section we know?  Others (STACYVM_FOO) belong to
 * somebody else. */
static bool env_is_ours(const char *name, bool *ret_later)
{
	char section[CONFIG_NAME_MAX + 1];

	for (size_t i = 0; config_later[i]; i++) {
		config_env_name(config_later[i], section);
		if (strncmp(name, section, strlen(section)) == 0) {
			*ret_later = true;
			return true;
		}
	}
	*ret_later = false;
	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		config_env_name(config_key((enum config_id)i)->name, section);
		size_t n = strcspn(section, "_") + 1;
		if (strncmp(name, section, n) == 0)
			return true;
	}
	return false;
}

/* The variable that was probably meant, for a message. */
static void env_unknown(struct config_load *ld, const char *name)
{
	char known[CONFIG_NAME_MAX + 1], best[CONFIG_NAME_MAX + 1] = "";
	unsigned least = 4;

	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		config_env_name(config_key((enum config_id)i)->name, known);
		unsigned d = config_distance(name, known);
		if (d < least) {
			least = d;
			memcpy(best, known, sizeof(best));
		}
	}
	if (*best)
		config_problem(ld, "environment: STACYVM_%.64s is no key; did "
			       "you mean STACYVM_%s?", name, best);
	else
		config_problem(ld, "environment: STACYVM_%.64s is no key",
			       name);
}

static void set_variable(struct config_load *ld, const char *name,
			 const char *value)
{
	char known[CONFIG_NAME_MAX + 1];
	char *values[] = { (char *)(uintptr_t)value, NULL };
	bool not_yet;

	for (size_t i = 0; i < ARRAY_SIZE(not_keys); i++)
		if (strcmp(name, not_keys[i]) == 0)
			return;
	for (unsigned i = 0; i < CONFIG_ID_MAX; i++) {
		const char *key = config_key((enum config_id)i)->name;

		config_env_name(key, known);
		if (strcmp(known, name) != 0)
			continue;
		auto_free char *where = xasprintf("environment STACYVM_%s",
						  name);
		if (*value)
			config_set(ld, where, key, values);
		return;
	}
	if (!env_is_ours(name, &not_yet))
		return;
	if (not_yet)
		config_not_yet(ld, "environment: STACYVM_%.64s is not "
			       "supported by this version; unset it", name);
	else
		env_unknown(ld, name);
}

/* Whatever it is set to, as other programs have it, but for a plain no. */
static void set_accessible(struct config_load *ld, char *const *env)
{
	static const char name[] = "ACCESSIBLE=";
	static const char *const no[] = { "0", "false", "no", "off" };
	char yes_word[] = "true", no_word[] = "false";
	char *values[] = { yes_word, NULL };

	for (; env && *env; env++)
		if (strncmp(*env, name, sizeof(name) - 1) == 0)
			break;
	if (!env || !*env || !(*env)[sizeof(name) - 1])
		return;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (strcasecmp(*env + sizeof(name) - 1, no[i]) == 0)
			values[0] = no_word;
	config_set(ld, "environment ACCESSIBLE", "ui.accessible", values);
}

void config_set_env(struct config_load *ld, char *const *env)
{
	static const char prefix[] = "STACYVM_";
	const size_t n = sizeof(prefix) - 1;

	set_accessible(ld, env); /* STACYVM_UI_ACCESSIBLE goes over it */
	for (; env && *env; env++) {
		const char *eq = strchr(*env, '=');

		if (!eq || strncmp(*env, prefix, n) != 0)
			continue;
		auto_free char *name =
			xstrndup(*env + n, (size_t)(eq - *env) - n);
		set_variable(ld, name, eq + 1);
	}
}

void config_set_flags(struct config_load *ld, char *const *flags)
{
	for (; flags && *flags; flags++) {
		char *eq = strchr(*flags, '=');
		char *values[] = { eq ? eq + 1 : NULL, NULL };

		if (!eq) {
			config_problem(ld, "flag: '%.64s' is not KEY=VALUE",
				       *flags);
			continue;
		}
		auto_free char *key =
			xstrndup(*flags, (size_t)(eq - *flags));
		config_set(ld, "flag", key, values);
	}
}
