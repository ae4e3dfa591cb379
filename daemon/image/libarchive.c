/* SPDX-License-Identifier: MIT */
/* libarchive behind dlopen.  See libarchive.h. */
#include "daemon/image/libarchive.h"

#include <dlfcn.h>
#include <string.h>

struct libarchive la;

static int find(void *lib, const char *name, void *slot, struct svm_err *err)
{
	void *p = dlsym(lib, name);

	if (!p)
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "libarchive.so.13 has no '%s'", name);
	memcpy(slot, &p, sizeof(p));
	return 0;
}

int libarchive_load(struct svm_err *err)
{
	void *lib = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);

	if (!lib) {
		svm_err_set(err, SVM_UNAVAILABLE,
			    "can't load the archive library: %s", dlerror());
		return svm_err_hint(err, "apt install libarchive13");
	}
#define LIBARCHIVE_FIND(name) \
	if (find(lib, #name, &la.name, err) < 0) return -1;
	LIBARCHIVE_FUNCTIONS(LIBARCHIVE_FIND)
#undef LIBARCHIVE_FIND
	return 0;
}
