/* SPDX-License-Identifier: MIT */
/* GNU readline behind dlopen.  See libreadline.h. */
#include "cli/libreadline.h"

#include <dlfcn.h>
#include <string.h>

struct libreadline lrl;

static int find(void *lib, const char *name, void *slot, struct svm_err *err)
{
	void *p = dlsym(lib, name);

	if (!p)
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "libreadline.so.8 has no '%s'", name);
	memcpy(slot, &p, sizeof(p));
	return 0;
}

int libreadline_load(struct svm_err *err)
{
	void *lib = dlopen("libreadline.so.8", RTLD_NOW | RTLD_LOCAL);

	if (!lib) {
		svm_err_set(err, SVM_UNAVAILABLE,
			    "can't load the line editor: %s", dlerror());
		return svm_err_hint(err, "apt install libreadline8");
	}
#define LIBREADLINE_FIND(name) \
	if (find(lib, #name, &lrl.name, err) < 0) return -1;
	LIBREADLINE_SYMBOLS(LIBREADLINE_FIND)
#undef LIBREADLINE_FIND
	return 0;
}
