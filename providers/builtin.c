/* SPDX-License-Identifier: MIT */
/* The providers that are built in, the preferred first. */
#include "providers/builtin.h"

const struct provider_ops *const provider_builtin[] = {
	&provider_native_ops,
	&provider_mock_ops,
	NULL,
};
