/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Docker's config.v2.json, and where it is looked for. */
#include "check.h"

#include <errno.h>

#include "laid-out.h"
#include "source/docker.h"

#define CONFIG(id, name, pid, ip, port)                                                         \
	"{\"ID\":\"" id "\",\"Name\":\"/" name "\",\"State\":{\"Running\":true,\"Pid\":" pid    \
	"},\"NetworkSettings\":{\"Networks\":{\"bridge\":{\"IPAddress\":\"" ip                  \
	"\",\"GlobalIPv6Address\":\"fd00::2\"},\"none\":{\"IPAddress\":\"\"}},\"Ports\":{\"80/" \
	"tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"" port "\"}],\"81/tcp\":null}}}"

static struct ip ip_of(const char *text)
{
	struct ip ip;
	bool is_v4;
	assert_int_equal(ip_parse(text, strlen(text), &ip, &is_v4), 0);
	return ip;
}

static void test_a_config_names_the_container(void **state)
{
	(void)state;
	struct docker_container container;
	assert_int_equal(
		docker_parse(CONFIG("ab12", "web", "77", "172.17.0.2", "8080"), &container), 0);
	assert_string_equal(container.id, "ab12");
	assert_string_equal(container.name, "web");
	assert_int_equal(container.pid, 77);
	assert_int_equal(container.n_addresses, 2);
	assert_int_equal(container.n_ports, 1);
	assert_int_equal(container.ports[0], 8080);
}

static void test_what_is_no_config_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "{", "[]", "{}", "{\"ID\":1}", "null"};
	struct docker_container container;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(docker_parse(wrong[i], &container), -EBADMSG);
	assert_int_equal(
		docker_parse("{\"ID\":\"x\",\"NetworkSettings\":[],\"State\":7}", &container), 0);
	assert_int_equal(container.pid, 0);
}

static void put_config(struct laid_out *laid, const char *path, const char *text)
{
	laid_out_put(laid, path, text, strlen(text));
}

static void test_it_is_found_in_the_usual_place(void **state)
{
	struct laid_out *laid = *state;
	struct docker docker;
	struct docker_container found;
	put_config(laid, "var/lib/docker/containers/ab/config.v2.json",
		   CONFIG("ab", "web", "77", "172.17.0.2", "8080"));
	docker_init(&docker, &laid->host);
	assert_true(docker_find(&docker, "ab", &found));
	assert_string_equal(found.name, "web");
	assert_false(docker_find(&docker, "cd", &found));
	docker_done(&docker);
}

static void test_daemon_json_and_an_engine_s_own_word_move_it(void **state)
{
	struct laid_out *laid = *state;
	struct docker docker;
	struct docker_container found;
	put_config(laid, "etc/docker/daemon.json", "{\"data-root\":\"/srv/docker\"}");
	put_config(laid, "srv/docker/containers/ab/config.v2.json",
		   CONFIG("ab", "web", "77", "172.17.0.2", "8080"));
	put_config(laid, "proc/9/comm", "dockerd\n");
	laid_out_put(laid, "proc/9/cmdline", "dockerd\0--data-root\0/other\0", 27);
	put_config(laid, "proc/9/root/other/containers/cd/config.v2.json",
		   CONFIG("cd", "shop", "78", "172.17.0.2", "8081"));
	docker_init(&docker, &laid->host);
	assert_true(docker_find(&docker, "ab", &found));
	assert_true(docker_find(&docker, "cd", &found));
	assert_string_equal(found.name, "shop");
	docker_done(&docker);
}

static void test_of_two_engines_with_one_address_the_port_tells(void **state)
{
	struct laid_out *laid = *state;
	struct docker docker;
	struct docker_container found;
	struct ip ip = ip_of("172.17.0.2"), other = ip_of("172.17.0.3");
	put_config(laid, "var/lib/docker/containers/ab/config.v2.json",
		   CONFIG("ab", "web", "77", "172.17.0.2", "8080"));
	put_config(laid, "proc/9/comm", "dockerd\n");
	laid_out_put(laid, "proc/9/cmdline", "dockerd\0--data-root=/other\0", 27);
	put_config(laid, "proc/9/root/other/containers/cd/config.v2.json",
		   CONFIG("cd", "shop", "78", "172.17.0.2", "8081"));
	docker_init(&docker, &laid->host);
	assert_true(docker_find_published(&docker, &ip, 8081, &found));
	assert_string_equal(found.name, "shop");
	assert_true(docker_find_published(&docker, &ip, 8080, &found));
	assert_string_equal(found.name, "web");
	assert_false(docker_find_published(&docker, &other, 8080, &found));
	docker_done(&docker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_config_names_the_container),
		cmocka_unit_test(test_what_is_no_config_is_refused),
		LAID_OUT(test_it_is_found_in_the_usual_place),
		LAID_OUT(test_daemon_json_and_an_engine_s_own_word_move_it),
		LAID_OUT(test_of_two_engines_with_one_address_the_port_tells),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
