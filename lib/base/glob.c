/* SPDX-License-Identifier: MIT */
/* Shell-like patterns.  See glob.h. */
