/* SPDX-License-Identifier: MIT */
/*
 * The program's entry.  The only file that may name every room: it hands the
 * internal commands (__launcher, __unpack, __pull) to their rooms and everything else
 * to the command line.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "daemon/image/image.h"
#include "daemon/serve.h"
#include "lib/base/defs.h"
#include "lib/base/fd.h"
#include "providers/native/native.h"
#include "tui/tui.h"

/* Processes we start ourselves.  They get argv from their own name on, and end
 * without exit handlers: a confined one may not do what those do. */
static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} internal[] = {
	{ "__launcher", native_launcher_main },
	{ "__unpack", image_unpack_main },
	{ "__pull", image_pull_main },
};

static int open_dashboard(const struct tui_args *args, struct svm_err *err)
{
	return tui_main(&(struct tui_options){
				.server = args->server,
				.api_key = args->api_key,
				.read_only = args->read_only,
				.no_mouse = args->no_mouse,
				.no_color = args->no_color,
				.ascii = args->ascii,
				.theme = args->theme,
				.frames = (unsigned)args->frames,
				.dump = args->dump },
			err);
}

static void print_keys(bool mdoc)
{
	struct keymap *keys = keymap_new();
	struct buf text = BUF_INIT;

	keymap_print(keys, mdoc, &text);
	fputs(buf_str(&text), stdout);
	buf_release(&text);
	keymap_free(keys);
}

int main(int argc, char **argv)
{
	const struct entries entries = {
		.serve = daemon_main,
		.config = daemon_config_main,
		.db = daemon_db_main,
		.tui = open_dashboard,
		.keys = print_keys,
	};

	if (fd_sanitise_std() < 0)
		return 1;
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(internal); i++) {
		if (strcmp(argv[1], internal[i].name) == 0) {
			umask(077);
			_exit(internal[i].main(argc - 1, argv + 1));
		}
	}
	return cli_main(&entries, argc, argv);
}
