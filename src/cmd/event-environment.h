/* An event as environment variables, for a command. */
#ifndef CMD_EVENT_ENVIRONMENT_H
#define CMD_EVENT_ENVIRONMENT_H

#include "base/out.h"
#include "model/event.h"

/* `DOORWARD_PORT=8080` with NUL behind each: every field by its name in capital letters, those of a
 * socket by their key in JSON too, those of a holder of the first one, and who did it as
 * DOORWARD_BY_PID, _NAME, _EXE. What is not known is empty. */
void event_environment(struct out *out, const struct event *event);

#endif
