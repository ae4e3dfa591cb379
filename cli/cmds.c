/* SPDX-License-Identifier: MIT */
/* Every subcommand, in the order `stacyvm help` shows them. */
#include "cli/cmd.h"

const struct cmd *const cmds[] = {
	&cmd_spawn,
	&cmd_exec,
	&cmd_shell,
	&cmd_attach,
	&cmd_list,
	&cmd_inspect,
	&cmd_kill,
	&cmd_extend,
	&cmd_prune,
	&cmd_wait,
	&cmd_logs,
	&cmd_events,
	&cmd_audit,
	&cmd_cp,
	&cmd_files,
	&cmd_image,
	&cmd_quota,
	&cmd_provider,
	&cmd_daemon,
	&cmd_serve,
	&cmd_doctor,
	&cmd_config,
	&cmd_bench,
	&cmd_version,
	&cmd_help,
	&cmd_complete,
	NULL,
};
