/* SPDX-License-Identifier: MIT */
/* A template as people edit it.  See template-form.h. */
#include "lib/api/template-form.h"

#include "lib/api/yaml.h"
#include "lib/base/defs.h"

/* What the daemon makes of the rest, or nobody can change. */
static const char *const derived[] = { "owner_id", "cpu_cores", "ttl_seconds",
				       "created_at", "updated_at" };

void template_form_json(const cJSON *fields, struct buf *out)
{
	char *text = cJSON_Print(fields);

	buf_addf(out, "%s\n", text ? text : "{}");
	cJSON_free(text);
}

bool template_form_write(const cJSON *template, bool json, struct buf *out)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	cJSON *fields = cJSON_Duplicate(template, true);
	size_t start = out->len;

	for (size_t i = 0; i < ARRAY_SIZE(derived); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(fields, derived[i]);
	if (!json) {
		buf_addf(out, "# The template '%s'.  A field that is taken "
			 "out gets its default.\n",
			 json_text(template, "name"));
		yaml_write(fields, out);
		cJSON *again = yaml_read("", buf_str(out) + start,
					 out->len - start, &err);
		json = !again || !cJSON_Compare(fields, again, true);
		cJSON_Delete(again);
	}
	if (json) {
		buf_truncate(out, start);
		template_form_json(fields, out);
	}
	cJSON_Delete(fields);
	return json;
}
