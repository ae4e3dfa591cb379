/* SPDX-License-Identifier: MIT */
/* Where things are kept.  See dirs.h. */
#include "lib/api/dirs.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/path.h"

#define STATE "STACYVM_STATE_DIR"
#define RUNTIME "STACYVM_RUNTIME_DIR"
#define XDG_STATE "XDG_STATE_HOME"
#define XDG_RUNTIME "XDG_RUNTIME_DIR"

static const char *env_path(const char *name)
{
	const char *v = getenv(name);

	return v && v[0] == '/' ? v : NULL;
}

static const char *home(void)
{
	const char *v = env_path("HOME");
	const struct passwd *pw = v ? NULL : getpwuid(geteuid());

	return v ? v : pw && pw->pw_dir ? pw->pw_dir : "/";
}

static char *below_home(const char *xdg, const char *fallback)
{
	const char *base = env_path(xdg);

	auto_free char *below = base ? xstrdup(base) :
				       path_join(home(), fallback);

	return path_join(below, "stacyvm");
}

static char *runtime_dir(void)
{
	const char *base = env_path(XDG_RUNTIME);

	if (base)
		return xasprintf("%s/stacyvm", base);
	return geteuid() == 0 ? xstrdup("/run/stacyvm") :
				xasprintf("/tmp/stacyvm-%u",
					  (unsigned)geteuid());
}

void dirs_init(struct dirs *d)
{
	const char *state = getenv(STATE);
	const char *runtime = getenv(RUNTIME);

	/* One that is relative is kept, for dirs_make() to refuse: silently
	 * taking another would be worse. */
	if (state && *state)
		d->state = xstrdup(state);
	else if (geteuid() == 0 && !env_path(XDG_STATE))
		d->state = xstrdup("/var/lib/stacyvm");
	else
		d->state = below_home(XDG_STATE, ".local/state");
	d->runtime = runtime && *runtime ? xstrdup(runtime) : runtime_dir();
	d->config = below_home("XDG_CONFIG_HOME", ".config");
	d->socket = path_join(d->runtime, "stacyvm.sock");
}

static bool is_set(const char *name)
{
	const char *v = name ? getenv(name) : NULL;

	return v && *v;
}

/* Did HOME decide, for want of both variables? */
static bool went_by_home(const char *xdg, const char *own)
{
	return !env_path(xdg) && !is_set(own) &&
	       strcmp(xdg, XDG_RUNTIME) != 0 && (geteuid() || !own);
}

int dirs_hint(const char *xdg, const char *own, struct svm_err *err)
{
	auto_free char *name = is_set(own) ? xstrdup(own) :
		xasprintf("%s%s%s", xdg, own ? " or " : "", own ? own : "");

	if (!went_by_home(xdg, own))
		return svm_err_hint(err, "name a directory of yours with %s",
				    name);
	if (!is_set("HOME"))
		return svm_err_hint(err, "HOME is not set: set it, or name a "
					 "directory of yours with %s", name);
	if (!env_path("HOME"))
		return svm_err_hint(err, "HOME is no absolute path ('%s'): set "
					 "it, or name a directory of yours "
					 "with %s", getenv("HOME"), name);
	return svm_err_hint(err, "set HOME to a directory of yours, or name "
				 "one with %s", name);
}

/* It may be anybody's directory, so no hint says to change it at once. */
static int make(const char *path, const char *xdg, const char *own,
		struct svm_err *err)
{
	struct stat st;

	if (path_make_private_dir(path, 0700, err) == 0)
		return 0;
	if (*path != '/' || lstat(path, &st) < 0)
		return dirs_hint(xdg, own, err);
	return svm_err_hint(err, "name another directory with %s, or, if this "
				 "one is stacyvm's own: chmod 700 '%s'",
			    own, path);
}

int dirs_make_runtime(const struct dirs *d, struct svm_err *err)
{
	return make(d->runtime, XDG_RUNTIME, RUNTIME, err);
}

int dirs_make(const struct dirs *d, struct svm_err *err)
{
	static const char *const below[] = { "images", "boxes", "logs" };

	if (make(d->state, XDG_STATE, STATE, err) < 0 ||
	    dirs_make_runtime(d, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		auto_free char *path = path_join(d->state, below[i]);

		if (make(path, XDG_STATE, STATE, err) < 0)
			return -1;
	}
	return 0;
}

void dirs_release(struct dirs *d)
{
	free(d->state);
	free(d->runtime);
	free(d->config);
	free(d->socket);
	*d = (struct dirs){ 0 };
}
