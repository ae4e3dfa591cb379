/* SPDX-License-Identifier: MIT */
/* What a template can be called. */
#include "lib/api/template-name.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "lib/api/limits.h"

int template_check_name(const char *name, struct svm_err *err)
{
	size_t n = strlen(name);
	bool fits = n > 0 && n <= LIMIT_TEMPLATE_NAME &&
		    strcmp(name, ".") != 0 && strcmp(name, "..") != 0;

	for (size_t i = 0; i < n && fits; i++)
		fits = isalnum((unsigned char)name[i]) ||
		       strchr("._- ", name[i]);
	if (fits)
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "template name '%.80s' must be 1 to %d letters, "
			   "digits, spaces and characters of '._-'", name,
			   LIMIT_TEMPLATE_NAME);
}
