/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what engines and units write: the first says which. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "source/activation.h"
#include "source/docker.h"
#include "source/proxy.h"

static void check_proxy(const char *text)
{
	static const char *const names[] = {"docker-proxy", "conmon",	   "slirp4netns",
					    "pasta",	    "rootlesskit", "rootlessport"};
	struct proxy proxy;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert(proxy_parse(names[i], text, PROTO_TCP, 8080, &proxy));
		assert(proxy.pid >= 0 && strnlen(proxy.netns, 256) < 256 &&
		       strnlen(proxy.id, 128) < 128 && strnlen(proxy.name, 128) < 128);
	}
}

static void check_docker(const char *text)
{
	struct docker_container container;
	if (docker_parse(text, &container) == 0)
		assert(container.n_addresses <= 16 && container.n_ports <= 64);
}

static void check_unit(const char *text, size_t n)
{
	char service[300];
	struct socket_unit unit = {0};
	vector_init(&unit.listened, sizeof(struct listened));
	activation_parse(text, n, &unit);
	for (uint32_t i = 0; i < unit.listened.n; i++)
		assert(((struct listened *)vector_at(&unit.listened, i))->port != 0);
	activation_service(&unit, "shop.socket", service, sizeof(service));
	assert(service[0]);
	vector_done(&unit.listened);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (!n)
		return 0;
	cleanup(freep) char *text = malloc(n);
	if (!text)
		return 0;
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	if (data[0] == 'p')
		check_proxy(text);
	else if (data[0] == 'd')
		check_docker(text);
	else
		check_unit(text, n - 1);
	return 0;
}
