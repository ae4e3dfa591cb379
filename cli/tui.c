/* SPDX-License-Identifier: MIT */
/* stacyvm tui: checks the options, then the dashboard takes over. */
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/paging.h"

struct tui_opts {
	bool read_only, no_mouse, ascii, dump, print_keys;
	const char *theme;
	int64_t frames;
};

#define O(m) offsetof(struct tui_opts, m)

static const struct opt opts[] = {
	{ OPT_FLAG, 'r', "read-only", O(read_only), NULL,
	  "change nothing: no spawn, kill or edit, terminals only watched",
	  COMPLETE_NONE, false },
	{ OPT_STRING, 0, "theme", O(theme), "NAME",
	  "its colours: auto, mission, light, contrast, mono or your own",
	  COMPLETE_THEME, false },
	{ OPT_FLAG, 0, "no-mouse", O(no_mouse), NULL,
	  "leave the mouse to the terminal", COMPLETE_NONE, false },
	{ OPT_FLAG, 0, "ascii", O(ascii), NULL,
	  "draw with ASCII characters alone", COMPLETE_NONE, false },
	{ OPT_FLAG, 0, "print-keys", O(print_keys), NULL,
	  "print the keys and leave", COMPLETE_NONE, false },
	{ OPT_NUMBER, 0, "frames", O(frames), "N",
	  "leave after N frames, once nothing is awaited", COMPLETE_NONE,
	  false },
	{ OPT_FLAG, 0, "dump", O(dump), NULL,
	  "no terminal: print the last frame as text", COMPLETE_NONE,
	  false },
	OPTS_END,
};

/* Of those there are now: the user's own, too. */
static bool is_theme(const struct cli *cli, const char *name)
{
	const char *key, *about, *choices;
	size_t n = strlen(name);

	for (size_t i = 0; (key = cli->entries->setting(i, &about, &choices));
	     i++)
		if (strcmp(key, "ui.theme") == 0)
			break;
	for (const char *c = key ? choices : ""; *c;) {
		size_t len = strcspn(c, "|");

		if (len == n && strncmp(c, name, n) == 0)
			return true;
		c += len + (c[len] == '|');
	}
	return false;
}

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	const struct tui_opts *o = values;
	auto_buf struct buf key = BUF_INIT;

	(void)argc, (void)args;
	if (o->print_keys) {
		paging_begin(cli);
		cli->entries->keys();
		return 0;
	}
	if (o->theme && !is_theme(cli, o->theme))
		return cli_usage(cli, err, "bad value '%s' for --theme: there "
				 "are auto, mission, light, contrast and mono, "
				 "and themes/NAME.yaml beside the "
				 "configuration", o->theme);
	if (cli_key(cli, &key, err) < 0)
		return -1;
	const struct tui_args a = {
		.server = cli->server,
		.api_key = key.len ? buf_str(&key) : NULL,
		.theme = o->theme,
		.read_only = o->read_only,
		.no_mouse = o->no_mouse,
		.no_color = !out_color(cli) && !o->dump,
		.ascii = o->ascii,
		.dump = o->dump,
		.frames = o->frames,
	};

	cli_escape_for(-1); /* it knows its terminal itself */
	return cli->entries->tui(&a, err);
}

const struct cmd cmd_tui = {
	.name = "tui",
	.summary = "open the full-screen dashboard",
	.help = "Sandboxes, live terminals, files, logs, events, templates "
		"and providers on one\nscreen.  ? shows the keys that work "
		"where you are, : finds a command, q leaves;\nsandboxes go "
		"on running.",
	.examples = "stacyvm tui\nstacyvm tui --read-only",
	.opts = opts,
	.opts_size = sizeof(struct tui_opts),
	.min_args = 0,
	.max_args = 0,
	.flags = CMD_PAGED,
	.run = run,
};
