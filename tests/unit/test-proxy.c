/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines of those who hold a port for somebody, as the engines write them. */
#include "check.h"

#include "source/proxy.h"

#define ID "b923b8e2ccea82057874b596d323f64afc28d2ac98da004b1469321eacf12944"

static const struct {
	const char *name, *cmdline;
	enum proto proto;
	uint16_t port; /* that it holds */
	enum proxy_kind kind;
	uint16_t to;
	int32_t pid;
	const char *netns, *ip;
} lines[] = {
	{"docker-proxy",
	 "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip "
	 "172.17.0.2 -container-port 80",
	 PROTO_TCP, 8080, PROXY_DOCKER, 80, 0, "", "172.17.0.2"},
	{"docker-proxy",
	 "docker-proxy -proto udp -host-ip :: -host-port 53 -container-ip fd00::2 "
	 "-container-port 5353 -use-listen-fd",
	 PROTO_UDP, 53, PROXY_DOCKER, 5353, 0, "", "fd00::2"},
	{"docker-proxy", "docker-proxy -container-port 99999", PROTO_TCP, 8080, PROXY_DOCKER, 0, 0,
	 "", NULL},
	{"conmon", "/usr/bin/conmon --api-version 1 -c " ID " -u " ID " -n shop --exit-dir /run",
	 PROTO_TCP, 8080, PROXY_CONMON, 0, 0, "", NULL},
	{"slirp4netns", "slirp4netns --configure --mtu=65520 --disable-host-loopback 4711 tap0",
	 PROTO_TCP, 8080, PROXY_NAMESPACE, 0, 4711, "", NULL},
	{"slirp4netns",
	 "/usr/bin/slirp4netns -c -e 3 -r 4 --netns-type=path "
	 "/run/user/1000/netns/netns-ab-cd tap0",
	 PROTO_TCP, 8080, PROXY_NAMESPACE, 0, 0, "/run/user/1000/netns/netns-ab-cd", NULL},
	{"pasta", "pasta --config-net -t 8080:80 -u none 4711", PROTO_TCP, 8080, PROXY_NAMESPACE,
	 80, 4711, "", NULL},
	{"pasta.avx2",
	 "/usr/bin/pasta.avx2 --config-net -t 127.0.0.1/8000-8010:9000-9010,443:8443 "
	 "-t 22:2222 --netns /run/user/1000/netns/x",
	 PROTO_TCP, 8003, PROXY_NAMESPACE, 9003, 0, "/run/user/1000/netns/x", NULL},
	{"pasta", "pasta -t 8000-8010:9000-9010,443:8443 -t 22:2222 4711", PROTO_TCP, 443,
	 PROXY_NAMESPACE, 8443, 4711, "", NULL},
	{"pasta", "pasta -t 443:8443 -t 22:2222 4711", PROTO_TCP, 22, PROXY_NAMESPACE, 2222, 4711,
	 "", NULL},
	{"pasta", "pasta -t auto 4711", PROTO_TCP, 8080, PROXY_NAMESPACE, 8080, 4711, "", NULL},
	{"pasta", "pasta -t 53:1 -u 53:5353 4711", PROTO_UDP, 53, PROXY_NAMESPACE, 5353, 4711, "",
	 NULL},
	{"passt.avx2", "/usr/bin/pasta --config-net -t 8080:80 4711", PROTO_TCP, 8080,
	 PROXY_NAMESPACE, 80, 4711, "", NULL},
	{"passt", "/usr/bin/passt -t 8080:80", PROTO_TCP, 8080, PROXY_NONE, 8080, 0, "", NULL},
	{"rootlesskit",
	 "rootlesskit --net=slirp4netns --port-driver=builtin -p 0.0.0.0:8080:80/tcp dockerd",
	 PROTO_TCP, 8080, PROXY_PARENT, 80, 0, "", NULL},
	{"rootlesskit", "rootlesskit --publish=8080:80/tcp --publish=[::1]:22:2222/tcp sh",
	 PROTO_TCP, 22, PROXY_PARENT, 2222, 0, "", NULL},
	{"rootlesskit", "rootlesskit --net=slirp4netns dockerd-rootless.sh", PROTO_TCP, 8080,
	 PROXY_PARENT, 8080, 0, "", NULL},
	{"rootlessport", "rootlessport", PROTO_TCP, 8080, PROXY_PARENT, 0, 0, "", NULL},
	{"nginx", "nginx -p /srv -c conf", PROTO_TCP, 80, PROXY_NONE, 80, 0, "", NULL},
	{"docker-proxy-x", "docker-proxy-x", PROTO_TCP, 80, PROXY_NONE, 80, 0, "", NULL},
};

static void test_a_proxy_says_where_it_sends_to(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct proxy proxy;
		struct ip ip;
		bool is_v4;
		proxy_parse(lines[i].name, lines[i].cmdline, lines[i].proto, lines[i].port, &proxy);
		if (proxy.kind != lines[i].kind || proxy.port != lines[i].to ||
		    proxy.pid != lines[i].pid || strcmp(proxy.netns, lines[i].netns) != 0)
			fail_msg("%s: kind %d, port %u, pid %d, netns %s", lines[i].cmdline,
				 proxy.kind, proxy.port, proxy.pid, proxy.netns);
		assert_int_equal(proxy.has_ip, lines[i].ip != NULL);
		if (!lines[i].ip)
			continue;
		assert_int_equal(ip_parse(lines[i].ip, strlen(lines[i].ip), &ip, &is_v4), 0);
		assert_true(ip_equal(&ip, &proxy.ip));
	}
}

static void test_a_monitor_says_its_container(void **state)
{
	(void)state;
	struct proxy proxy;
	assert_true(proxy_parse("conmon", "conmon -c " ID " -u " ID " -n shop -l x", PROTO_TCP, 1,
				&proxy));
	assert_string_equal(proxy.id, ID);
	assert_string_equal(proxy.name, "shop");
	assert_true(proxy_parse("conmon", "conmon", PROTO_TCP, 1, &proxy));
	assert_string_equal(proxy.id, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_proxy_says_where_it_sends_to),
		cmocka_unit_test(test_a_monitor_says_its_container),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
