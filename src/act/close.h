/* A plan carried out: each way does its steps. */
#ifndef ACT_CLOSE_H
#define ACT_CLOSE_H

#include "act/way.h"

/* 0, or negative errno with @err told where a way could do nothing at all. */
int close_perform(struct acting *acting, struct error *err);

#endif
