/* The front leaves itself only the system calls by which it serves. */
#ifndef WEB_CONFINE_H
#define WEB_CONFINE_H

/* From here on this process opens no file, makes no connection, starts, traces and signals nobody:
 * other system calls fail with EPERM (seccomp(2)). What is open stays usable. 0; -ENOTSUP: not on
 * this machine, or not in a build with sanitizers, which need more; other negative errno. */
int confine(void);

#endif
