/* SPDX-License-Identifier: MIT */
/* An event of the daemon as a line. */
#ifndef SVM_TUI_EVENT_TEXT_H
#define SVM_TUI_EVENT_TEXT_H

#include "tui/model.h"

/* "17:38:04 exec.completed sb-7f3a91c2 exit_code=0": appended, not escaped. */
void event_text(const struct model *m, const cJSON *event, struct buf *out);

#endif
