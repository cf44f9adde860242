/* A Unix socket connected from within another process's namespace of pids: there alone a server can
 * tell who it is that connects (SO_PEERCRED, unix(7)), and systemd answers nobody else. */
#ifndef SOURCE_INSIDE_H
#define SOURCE_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

/* Connects to @path, which is opened as this process sees it. A descriptor or negative errno. */
int inside_connect(int32_t pid, const char *path);

#endif
