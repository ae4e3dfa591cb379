/* SPDX-License-Identifier: MIT */
/* The client object.  See client.h. */
#include "lib/client/client.h"

#include <stdlib.h>

#include "lib/base/fd.h"
#include "lib/client/conn.h"

void client_free(struct client *c)
{
	if (!c)
		return;
	dirs_release(&c->dirs);
	free(c->unix_path);
	free(c->host);
	free(c->port);
	free(c->name);
	free(c->api_key);
	fd_close(c->idle_fd);
	free(c);
}
