/* SPDX-License-Identifier: MIT */
/* One line per provider; builtin.c orders them. */
#ifndef SVM_PROVIDERS_BUILTIN_H
#define SVM_PROVIDERS_BUILTIN_H

#include "providers/provider.h"

extern const struct provider_ops provider_native_ops;
extern const struct provider_ops provider_mock_ops;

#endif
