/* SPDX-License-Identifier: MIT */
/* A sandbox's specification.  See spec.h. */
#include "lib/api/spec.h"

#include <stdlib.h>

#include "lib/base/mem.h"

void sandbox_spec_release(struct sandbox_spec *s)
{
	free(s->image);
	free(s->name);
	free(s->owner);
	free(s->template);
	strv_free(s->env);
	strv_free(s->metadata);
	strv_free(s->layers);
	strv_free(s->image_env);
	strv_free(s->setup);
	free(s->warm);
	*s = (struct sandbox_spec){ 0 };
}
