/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/PID/cgroup as hosts have them. */
#include "check.h"

#include "source/cgroup.h"

#define ID "4f5b2c8e9d1a07b36e4f5b2c8e9d1a07b36e4f5b2c8e9d1a07b36e4f5b2c8e9d"
#define OTHER "aaaa2c8e9d1a07b36e4f5b2c8e9d1a07b36e4f5b2c8e9d1a07b36e4f5b2c8e9d"

static const struct {
	const char *text;
	enum engine engine;
	const char *id, *unit;
} places[] = {
	/* no container */
	{"0::/\n", ENGINE_NONE, "", ""},
	{"0::/init.scope\n", ENGINE_NONE, "", "init.scope"},
	{"0::/system.slice/nginx.service\n", ENGINE_NONE, "", "nginx.service"},
	{"0::/system.slice/system-ssh.slice/ssh@1.service", ENGINE_NONE, "", "ssh@1.service"},
	{"0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n", ENGINE_NONE, "",
	 "postgresql@15-main.service"},
	{"0::/system.slice/postgres.service/worker\n", ENGINE_NONE, "", "postgres.service"},
	{"0::/system.slice/foo.service (deleted)\n", ENGINE_NONE, "", "foo.service"},
	{"0::/system.slice/dev-hugepages.mount\n", ENGINE_NONE, "", "dev-hugepages.mount"},
	{"0::/system.slice/docker.service\n", ENGINE_NONE, "", "docker.service"},
	{"0::/user.slice/user-1000.slice/session-3.scope\n", ENGINE_NONE, "", "session-3.scope"},
	{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service\n", ENGINE_NONE,
	 "", "foo.service"},
	{"0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", ENGINE_NONE, "",
	 "init.scope"},
	{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/"
	 "app-gnome-org.gnome.Terminal.slice/vte-spawn-1.scope\n",
	 ENGINE_NONE, "", "vte-spawn-1.scope"},
	{"0::/system.slice/system-my\\x2dapp.slice/my\\x2dapp@1.service\n", ENGINE_NONE, "",
	 "my-app@1.service"},
	{"0::/../../system.slice/nginx.service\n", ENGINE_NONE, "", "nginx.service"},
	{"0::/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator\n", ENGINE_NONE, "",
	 "machine-qemu-1-web.scope"},

	/* version 1: what systemd says of units counts, not a controller's coarser path */
	{"12:pids:/system.slice/ssh.service\n3:cpu,cpuacct:/user.slice\n"
	 "1:name=systemd:/user.slice/user-1000.slice/session-1.scope\n0::/\n",
	 ENGINE_NONE, "", "session-1.scope"},
	{"12:memory:/\n1:name=systemd:/system.slice/cron.service\n0::/system.slice/cron.service\n",
	 ENGINE_NONE, "", "cron.service"},

	/* docker */
	{"0::/system.slice/docker-" ID ".scope\n", ENGINE_DOCKER, ID, ""},
	{"0::/docker/" ID "\n", ENGINE_DOCKER, ID, ""},
	{"0::/docker/" ID "/system.slice/nginx.service\n", ENGINE_DOCKER, ID, "nginx.service"},
	{"0::/docker/" OTHER "/docker/" ID "\n", ENGINE_DOCKER, ID, ""},
	{"13:pids:/docker/" ID "\n12:cpuset:/docker/" ID "\n1:name=systemd:/docker/" ID
	 "\n0::/system.slice/containerd.service\n",
	 ENGINE_DOCKER, ID, ""},
	{"11:memory:/docker/" ID "\n1:name=systemd:/\n0::/\n", ENGINE_DOCKER, ID, ""},
	{"0::/actions_job/" ID "\n", ENGINE_DOCKER, ID, ""},
	{"0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope\n",
	 ENGINE_DOCKER, ID, ""},

	/* podman */
	{"0::/machine.slice/libpod-" ID ".scope/container\n", ENGINE_PODMAN, ID, ""},
	{"0::/libpod_parent/libpod-" ID "\n", ENGINE_PODMAN, ID, ""},
	{"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
	 ".scope/container\n",
	 ENGINE_PODMAN, ID, ""},
	{"0::/system.slice/web.service/libpod-payload-" ID "\n", ENGINE_PODMAN, ID, "web.service"},
	{"0::/machine.slice/libpod-conmon-" ID ".scope\n", ENGINE_NONE, "",
	 "libpod-conmon-" ID ".scope"},
	{"0::/libpod_parent/conmon\n", ENGINE_NONE, "", ""},

	/* Kubernetes */
	{"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod7.slice/"
	 "cri-containerd-" ID ".scope\n",
	 ENGINE_CONTAINERD, ID, ""},
	{"0::/kubepods/besteffort/pod3b4d/" ID "\n", ENGINE_CONTAINERD, ID, ""},
	{"0::/system.slice/containerd.service/kubepods-besteffort-pod7.slice:cri-containerd:" ID
	 "\n",
	 ENGINE_CONTAINERD, ID, "containerd.service"},
	{"0::/system.slice/nerdctl-" ID ".scope\n", ENGINE_CONTAINERD, ID, ""},
	{"0::/default/" ID "\n", ENGINE_CONTAINERD, ID, ""},
	{"0::/kubepods.slice/kubepods-pod7.slice/crio-" ID ".scope/container\n", ENGINE_CRIO, ID,
	 ""},
	{"0::/kubepods/besteffort/pod1/crio-" ID "\n", ENGINE_CRIO, ID, ""},
	{"0::/kubepods.slice/kubepods-pod7.slice/crio-conmon-" ID ".scope\n", ENGINE_NONE, "",
	 "crio-conmon-" ID ".scope"},

	/* lxc, with systemd in it or without */
	{"0::/lxc.payload.shop\n", ENGINE_LXC, "shop", ""},
	{"0::/lxc.payload.shop/system.slice/nginx.service\n", ENGINE_LXC, "shop", "nginx.service"},
	{"0::/lxc/101/ns/system.slice/ssh.service\n", ENGINE_LXC, "101", "ssh.service"},
	{"0::/lxc.monitor.shop\n", ENGINE_NONE, "", ""},

	/* systemd-nspawn */
	{"0::/machine.slice/machine-shop.scope/payload/system.slice/nginx.service\n", ENGINE_NSPAWN,
	 "shop", "nginx.service"},
	{"0::/machine.slice/machine-my\\x2dshop.scope/payload\n", ENGINE_NSPAWN, "my-shop", ""},
	{"0::/machine.slice/systemd-nspawn@shop.service/payload/init.scope\n", ENGINE_NSPAWN,
	 "shop", "init.scope"},
	{"0::/machine.slice/systemd-nspawn@shop.service/supervisor\n", ENGINE_NONE, "",
	 "systemd-nspawn@shop.service"},

	/* what only resembles one */
	{"0::/docker\n", ENGINE_NONE, "", ""},
	{"0::/docker/not-an-id\n", ENGINE_NONE, "", ""},
	{"0::/dockerless/abc\n", ENGINE_NONE, "", ""},
	{"0::/system.slice/docker-web.scope\n", ENGINE_NONE, "", "docker-web.scope"},
	{"nonsense", ENGINE_NONE, "", ""},
	{"", ENGINE_NONE, "", ""},
};

static void test_a_line_names_unit_and_container(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct cgroup_place place;
		cgroup_parse(places[i].text, strlen(places[i].text), &place);
		if (strcmp(place.id, places[i].id) != 0 || place.engine != places[i].engine ||
		    strcmp(place.unit, places[i].unit) != 0)
			fail_msg("%s gives %s \"%s\", unit \"%s\"", places[i].text,
				 engine_words[place.engine], place.id, place.unit);
	}
}

static void test_a_name_longer_than_its_place_is_cut(void **state)
{
	(void)state;
	char text[1024] = "0::/system.slice/";
	memset(text + strlen(text), 'a', 600);
	memcpy(text + 17 + 600, ".service", 9);
	struct cgroup_place place;
	cgroup_parse(text, strlen(text), &place);
	assert_int_equal(strlen(place.unit), CGROUP_NAME_MAX - 1);
}

static void test_escapes_are_decoded_and_broken_ones_stay(void **state)
{
	(void)state;
	static const char text[] = "0::/system.slice/a\\x2db\\xzz\\x-1\\x00\\x2.service";
	struct cgroup_place place;
	cgroup_parse(text, sizeof(text) - 1, &place);
	assert_string_equal(place.unit, "a-b\\xzz\\x-1\\x00\\x2.service");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_names_unit_and_container),
		cmocka_unit_test(test_a_name_longer_than_its_place_is_cut),
		cmocka_unit_test(test_escapes_are_decoded_and_broken_ones_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
