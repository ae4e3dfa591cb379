/* SPDX-License-Identifier: MIT */
/* stacyvm completion: the scripts of completions/, which are in the binary. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/paging.h"

/* The bytes of a file, as they are.  make knows of them: see Makefile. */
#define EMBED(name, file)                                              \
	__asm__(".pushsection .rodata\n"                               \
		#name ": .incbin \"completions/" file "\"\n"           \
		#name "_end: .byte 0\n"                                \
		".popsection\n");                                      \
	extern const char name[] __attribute__((visibility("hidden"))), \
		name##_end[] __attribute__((visibility("hidden")))

EMBED(completion_bash, "stacyvm.bash");
EMBED(completion_zsh, "_stacyvm");
EMBED(completion_fish, "stacyvm.fish");

static const struct {
	const char *shell, *text, *end;
} scripts[] = {
	{ "bash", completion_bash, completion_bash_end },
	{ "zsh", completion_zsh, completion_zsh_end },
	{ "fish", completion_fish, completion_fish_end },
};

static int run(struct cli *cli, void *values, int argc, char **args,
	       struct svm_err *err)
{
	(void)values, (void)argc;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		if (strcmp(scripts[i].shell, args[0]) != 0)
			continue;
		paging_begin(cli);
		fwrite(scripts[i].text, 1,
		       (size_t)(scripts[i].end - scripts[i].text), stdout);
		return 0;
	}
	return cli_usage(cli, err, "no script for the shell '%s': there are "
				   "bash, zsh and fish", args[0]);
}

const struct cmd cmd_completion = {
	.name = "completion",
	.args = "bash|zsh|fish",
	.summary = "print a shell's completion script",
	.help = "What `make install` puts where the shells look, for a binary "
		"that came another way.\nThe script asks this program, so it "
		"needs no renewal when the program is renewed.",
	.examples = "source <(stacyvm completion bash)     # in ~/.bashrc\n"
		    "source <(stacyvm completion zsh)      # in ~/.zshrc, "
		    "after compinit\n"
		    "stacyvm completion fish | source      # in "
		    "~/.config/fish/config.fish",
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_WORDS,
	.words = "bash|zsh|fish",
	.flags = CMD_PAGED,
	.run = run,
};
