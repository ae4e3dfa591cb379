/* SPDX-License-Identifier: MIT */
/* The agent's entry. */
int main(void)
{
	return 0;
}
