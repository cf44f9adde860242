/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel asked about one TCP socket, by sock_diag(7). */
#pragma once

#include "stage.h"

/* The state of the socket with these two ends, TCP_TIME_WAIT among them; 0: there is none. */
int diag_state(const struct made *made);
void diag_destroy(const struct made *made); /* SOCK_DESTROY; needs CAP_NET_ADMIN */
