/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the messages of a dump; the first says of which protocol. */
#include <assert.h>

#include "source/sock-diag.h"

static int check(struct sink *sink, const struct found_socket *found)
{
	(void)sink;
	const struct socket *socket = &found->socket;
	assert(socket->proto < PROTO_MAX && socket->family < FAMILY_MAX);
	assert(socket->state && socket->state < STATE_MAX && state_words[socket->state]);
	assert((socket->family == FAMILY_IPV4) <= ip_is_mapped(&socket->local));
	assert((found->has_file == FILE_NOBODY) == !socket->inode);
	if (found->info)
		assert(socket->proto == PROTO_TCP && socket->state != STATE_LISTEN);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sink sink = {.socket = check};
	struct query query = {.bounds = BOUNDS_ALL, .needs = NEED_TCP_INFO};
	bool done = false, interrupted = false;
	int error = 0;
	if (!n)
		return 0;
	int r = sock_diag_parse(data + 1, n - 1, data[0] % PROTO_MAX, &query, &sink, &done, &error,
				&interrupted);
	assert(r <= 0 && error <= 0);
	return 0;
}
