/* SPDX-License-Identifier: MIT */
/* Entry point of the native provider's launcher, for cli/main.c alone. */
#ifndef SVM_PROVIDERS_NATIVE_H
#define SVM_PROVIDERS_NATIVE_H

/* `stacyvm __launcher`, exec'd by the daemon.  Returns the exit status. */
int native_launcher_main(int argc, char **argv);

#endif
