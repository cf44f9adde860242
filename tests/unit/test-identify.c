/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings of real servers (tests/golden/identify), fed whole, byte by byte, and in every two
 * pieces: always the same answer, and the one that stands in `expected`. */
#include "check.h"

#include <dirent.h>
#include <stdio.h>

#include "replay-dialogue.h"
#include "scan/identify/http.h"

#define RECORDINGS SOURCE_ROOT "/tests/golden/identify"

struct recording {
	uint8_t bytes[65536];
	struct section sections[SECTIONS_MAX];
	size_t n;
	struct place place;
};

static const struct protocol *protocol_of(const char *service)
{
	for (unsigned i = 0; i < n_protocols; i++)
		if (strcmp(protocols[i]->service, service) == 0)
			return protocols[i];
	return NULL;
}

/* Sections of "tcp|udp ASKED|- LENGTH\n" and as many bytes. */
static void read_recording(const char *name, struct recording *ret)
{
	char path[512];
	snprintf(path, sizeof(path), RECORDINGS "/%s", name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	memset(ret, 0, sizeof(*ret));
	ret->place = (struct place){.host = "127.0.0.1", .authority = "127.0.0.1"};
	size_t n = fread(ret->bytes, 1, sizeof(ret->bytes) - 1, file), at = 0;
	fclose(file);
	while (at < n && ret->n < SECTIONS_MAX) {
		char proto[8], asked[32];
		size_t length = 0;
		assert_int_equal(
			sscanf((char *)ret->bytes + at, "%7s %31s %zu", proto, asked, &length), 3);
		const uint8_t *end = memchr(ret->bytes + at, '\n', n - at);
		assert_non_null(end);
		at = (size_t)(end - ret->bytes) + 1;
		assert_true(length <= n - at);
		ret->place.is_udp = strcmp(proto, "udp") == 0;
		ret->sections[ret->n++] =
			(struct section){protocol_of(asked), ret->bytes + at, length};
		at += length;
	}
}

static void describe(const char *name, const struct identified *seen, char *to, size_t size)
{
	snprintf(to, size, "%s|%s|%s|%s|%s|%x", name, seen->service, seen->product, seen->version,
		 seen->protocol_version, seen->findings);
}

static size_t one_byte(size_t unused_argument i, size_t unused_argument argument)
{
	return 1;
}

static size_t two_pieces(size_t i, size_t argument)
{
	return i == 0 ? argument : 0;
}

static size_t sevens(size_t i, size_t argument)
{
	return 1 + (i * 7 + argument) % 13;
}

static void check_same(const char *name, const struct recording *recording, piece_length *length,
		       size_t argument, const struct replayed *whole)
{
	static struct replayed pieces;
	replay_dialogue(recording->sections, recording->n, &recording->place, length, argument,
			&pieces);
	if (memcmp(&pieces, whole, sizeof(pieces)) != 0)
		fail_msg("%s differs when fed in pieces (%zu)", name, argument);
}

static void check_splits(const char *name)
{
	static struct recording recording;
	static struct replayed whole;
	size_t longest = 0;
	read_recording(name, &recording);
	replay_dialogue(recording.sections, recording.n, &recording.place, NULL, 0, &whole);
	for (size_t i = 0; i < recording.n; i++)
		longest = longest < recording.sections[i].n ? recording.sections[i].n : longest;
	check_same(name, &recording, one_byte, 0, &whole);
	for (size_t i = 0; i < 13; i++)
		check_same(name, &recording, sevens, i, &whole);
	for (size_t split = 1; split < longest; split++)
		check_same(name, &recording, two_pieces, split, &whole);
}

static int is_recording(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "expected") != 0;
}

static void test_any_pieces_give_the_same_answer(void **state)
{
	struct dirent **names = NULL;
	(void)state;
	int n = scandir(RECORDINGS, &names, is_recording, alphasort);
	assert_true(n > 40);
	for (int i = 0; i < n; i++) {
		check_splits(names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

static void test_recordings_are_named_as_expected(void **state)
{
	static struct recording recording;
	static struct replayed whole;
	char line[1024], is[1024];
	FILE *file = fopen(RECORDINGS "/expected", "r");
	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char name[64];
		line[strcspn(line, "\n")] = '\0';
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, "|"), line);
		read_recording(name, &recording);
		replay_dialogue(recording.sections, recording.n, &recording.place, NULL, 0, &whole);
		describe(name, &whole.seen, is, sizeof(is));
		if (getenv("IDENTIFY_SHOW"))
			puts(is);
		else
			assert_string_equal(is, line);
	}
	fclose(file);
}

static void test_text_of_a_server_is_clean_and_bounded(void **state)
{
	char to[8];
	(void)state;
	KEEP(to, "a\033[2Jb", 6);
	assert_string_equal(to, "a?[2Jb");
	KEEP(to, "\xff\xfe\x80", 3);
	assert_string_equal(to, "???");
	KEEP(to, "0123456789", 10);
	assert_string_equal(to, "0123456");
	KEEP(to, "  x  ", 5);
	assert_string_equal(to, "x");
	KEEP(to,
	     "\xe2\x80\xae"
	     "abc",
	     6); /* right-to-left override */
	assert_string_equal(to, "?abc");
	KEEP(to, "abcdef\xc3\xa4", 8); /* no half characters */
	assert_string_equal(to, "abcdef");
}

static void check_product(const char *text, const char *parts, const char *ends,
			  const char *product, const char *version)
{
	struct identified seen = {0};
	keep_product(&seen, text, strlen(text), parts, ends);
	assert_string_equal(seen.product, product);
	assert_string_equal(seen.version, version);
}

static void test_products_are_parted_from_versions(void **state)
{
	(void)state;
	check_product("OpenSSH_9.2p1 Debian-2+deb12u3", "_/-", NULL, "OpenSSH",
		      "9.2p1 Debian-2+deb12u3");
	check_product("OpenSSH_for_Windows_9.5", "_/-", NULL, "OpenSSH_for_Windows", "9.5");
	check_product("Cisco-1.25", "_/-", NULL, "Cisco", "1.25");
	check_product("nginx/1.22.1", "/(", " ;,()", "nginx", "1.22.1");
	check_product("Apache/2.4.57 (Debian)", "/(", " ;,()", "Apache", "2.4.57");
	check_product("Jetty(9.4.50.v20221201)", "/(", " ;,()", "Jetty", "9.4.50.v20221201");
	check_product("Caddy", "/(", " ;,()", "Caddy", "");
	check_product("Apache (Unix)", "/(", " ;,()", "Apache", "");
	check_product("kamailio (5.6.3 (x86_64/linux))", "/(", " )", "kamailio", "5.6.3");
	check_product("", "/", NULL, "", "");
}

static void check_one(const char *asked, const void *bytes, size_t n, bool is_udp,
		      const char *service, struct identified *ret)
{
	static struct replayed whole, pieces;
	struct section section = {protocol_of(asked), bytes, n};
	struct place place = {.host = "127.0.0.1", .is_udp = is_udp};
	replay_dialogue(&section, 1, &place, NULL, 0, &whole);
	replay_dialogue(&section, 1, &place, one_byte, 0, &pieces);
	assert_memory_equal(&whole, &pieces, sizeof(whole));
	assert_string_equal(whole.seen.service, whole.state == DIALOGUE_NOBODY ? "" : service);
	*ret = whole.seen;
}

/* By their specifications only: no Debian package has these servers. */
static void test_answers_by_specification_double(void **state)
{
	struct identified seen;
	(void)state;
	static const char kafka[] = "\0\0\0\x10"
				    "DOOR"
				    "\0\0"
				    "\0\0\0\1"
				    "\0\x12\0\0\0\3";
	check_one("kafka", kafka, sizeof(kafka) - 1, false, "kafka", &seen);
	assert_string_equal(seen.product, "");
	static const char elastic[] = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
				      "{ \"name\" : \"n\", \"cluster_name\" : \"c\", \"version\" : "
				      "{ \"number\" : \"8.11.1\" },"
				      " \"tagline\" : \"You Know, for Search\" }";
	check_one("http", elastic, sizeof(elastic) - 1, false, "elasticsearch", &seen);
	assert_string_equal(seen.product, "Elasticsearch");
	assert_string_equal(seen.version, "8.11.1");
	assert_true(seen.findings & FINDING(NO_PASSWORD));
	static const char api[] =
		"HTTP/1.0 403 Forbidden\r\n\r\n{\"kind\":\"Status\",\"apiVersion\":"
		"\"v1\",\"status\":\"Failure\",\"code\":403}";
	check_one("http", api, sizeof(api) - 1, false, "kubernetes", &seen);
	static const char kubelet[] =
		"HTTP/1.0 403 Forbidden\r\n\r\nForbidden (user=system:anonymous, verb=get, "
		"resource=nodes, subresource=proxy)";
	check_one("http", kubelet, sizeof(kubelet) - 1, false, "kubelet", &seen);
	static const char docker[] = "HTTP/1.0 404 Not Found\r\nServer: Docker/24.0.5 (linux)\r\n"
				     "Content-Type: application/json\r\n\r\n{\"message\":\"page\"}";
	check_one("http", docker, sizeof(docker) - 1, false, "docker", &seen);
	assert_string_equal(seen.version, "24.0.5");
}

/* It listens before it has read its data, and says so to whom asks then. */
static void test_zookeeper_is_named_before_it_serves(void **state)
{
	struct identified seen;
	(void)state;
	static const char loading[] = "This ZooKeeper instance is not currently serving requests\n";
	check_one("zookeeper", loading, sizeof(loading) - 1, false, "zookeeper", &seen);
	assert_string_equal(seen.product, "ZooKeeper");
	assert_string_equal(seen.version, "");
}

/* A ping names the engine; only what needs the right to see shows that none is asked for. */
static void test_docker_is_named_by_its_ping(void **state)
{
	struct identified seen = {0};
	struct http_answer answer = {.ask = ASK_PING,
				     .status = 200,
				     .server = "Docker/20.10.24 (linux)",
				     .api = "1.41",
				     .body = "OK",
				     .n = 2};
	(void)state;
	assert_true(http_read_docker(&answer, &seen));
	assert_string_equal(seen.service, "docker");
	assert_string_equal(seen.product, "Docker");
	assert_string_equal(seen.version, "20.10.24");
	assert_string_equal(seen.protocol_version, "1.41");
	assert_int_equal(seen.findings, 0);
	answer = (struct http_answer){.ask = ASK_CONTAINERS,
				      .status = 403,
				      .server = "",
				      .api = "",
				      .body = "[]",
				      .n = 2};
	assert_true(http_read_docker(&answer, &seen));
	assert_int_equal(seen.findings, 0);
	answer.status = 200;
	assert_true(http_read_docker(&answer, &seen));
	assert_int_equal(seen.findings, FINDING(NO_PASSWORD));
	memset(&seen, 0, sizeof(seen));
	answer = (struct http_answer){.ask = ASK_PING,
				      .status = 200,
				      .server = "nginx/1.22.1",
				      .api = "",
				      .body = "OK",
				      .n = 2};
	assert_false(http_read_docker(&answer, &seen));
}

static void test_metrics_name_program_and_version(void **state)
{
	struct identified seen = {0};
	static const char go[] = "go_build_info{checksum=\"\",path=\"x\",version=\"(devel)\"} 1";
	static const char node[] =
		"node_exporter_build_info{branch=\"HEAD\",goversion=\"go1.19.8\","
		"revision=\"1.5.0-1+b6\",version=\"1.5.0\"} 1";
	(void)state;
	assert_false(http_read_metric(go, strlen(go), &seen));
	assert_true(http_read_metric(node, strlen(node), &seen));
	assert_string_equal(seen.product, "node_exporter");
	assert_string_equal(seen.version, "1.5.0");
	assert_string_equal(seen.service, "prometheus-exporter");
}

/* Endless lines, endless bytes: an end, and no name. */
static void test_endless_data_ends(void **state)
{
	static uint8_t endless[2 * CONNECTION_MAX];
	struct identified seen;
	(void)state;
	memset(endless, 'A', sizeof(endless));
	check_one("http", endless, 100000, false, "", &seen);
	memcpy(endless, "HTTP/1.1 200 OK\r\n", 17);
	check_one("http", endless, 100000, false, "http", &seen);
	for (size_t i = 17; i + 6 < sizeof(endless); i += 6)
		memcpy(endless + i, "a: b\r\n", 6);
	check_one("http", endless, sizeof(endless), false, "http", &seen);
	memcpy(endless, "220-a FTP\r\n", 11);
	check_one("-", endless, sizeof(endless), false, "ftp", &seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_pieces_give_the_same_answer),
		cmocka_unit_test(test_recordings_are_named_as_expected),
		cmocka_unit_test(test_text_of_a_server_is_clean_and_bounded),
		cmocka_unit_test(test_products_are_parted_from_versions),
		cmocka_unit_test(test_answers_by_specification_double),
		cmocka_unit_test(test_zookeeper_is_named_before_it_serves),
		cmocka_unit_test(test_docker_is_named_by_its_ping),
		cmocka_unit_test(test_metrics_name_program_and_version),
		cmocka_unit_test(test_endless_data_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
