/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces of a scene's own. */
#pragma once

#include <stdint.h>

uint64_t netns_inode(void); /* of the calling thread */
int netns_open(void);	    /* a descriptor of the calling thread's */
void netns_new(void);	    /* the calling thread moves into a new one, whose lo is up */
void netns_enter(int fd);
