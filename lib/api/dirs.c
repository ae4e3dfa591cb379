/* SPDX-License-Identifier: MIT */
/* Where things are kept.  See dirs.h. */
#include "lib/api/dirs.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/path.h"

#define STATE "STACYVM_STATE_DIR"
#define RUNTIME "STACYVM_RUNTIME_DIR"

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

	return base ? xasprintf("%s/stacyvm", base) :
		      xasprintf("%s/%s/stacyvm", home(), fallback);
}

static char *runtime_dir(void)
{
	const char *base = env_path("XDG_RUNTIME_DIR");

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
	else if (geteuid() == 0 && !env_path("XDG_STATE_HOME"))
		d->state = xstrdup("/var/lib/stacyvm");
	else
		d->state = below_home("XDG_STATE_HOME", ".local/state");
	d->runtime = runtime && *runtime ? xstrdup(runtime) : runtime_dir();
	d->config = below_home("XDG_CONFIG_HOME", ".config");
	d->socket = path_join(d->runtime, "stacyvm.sock");
}

/* It may be anybody's directory, so no hint says to change it at once. */
static int make(const char *path, const char *variable, struct svm_err *err)
{
	if (path_make_private_dir(path, 0700, err) == 0)
		return 0;
	return svm_err_hint(err, "name another directory with %s, or, if this "
				 "one is stacyvm's own: chmod 700 '%s'",
			    variable, path);
}

int dirs_make(const struct dirs *d, struct svm_err *err)
{
	static const char *const below[] = { "images", "boxes", "logs" };

	if (make(d->state, STATE, err) < 0 ||
	    make(d->runtime, RUNTIME, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
		auto_free char *path = path_join(d->state, below[i]);

		if (make(path, STATE, err) < 0)
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
