/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may ask the page's server, and what a question becomes. */
#include "check.h"

#include "web/guard.h"
#include "web/question.h"

#define TOKEN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct web_settings settings = {
	.port = 8080, .token = TOKEN, .names = {"127.0.0.1", "localhost"}};
static const struct guard guard = {.settings = &settings};

static struct asked get(const char *target, const char *host)
{
	return (struct asked){
		.is_get = true, .target = target, .headers = {{"Host", host}}, .n_headers = 1};
}

static struct asked post(const char *target, const char *length, size_t n)
{
	return (struct asked){.is_post = true,
			      .target = target,
			      .headers = {{"Host", "127.0.0.1:8080"},
					  {"Origin", "http://127.0.0.1:8080"},
					  {"Content-Length", length},
					  {"Content-Type", "application/json"}},
			      .n_headers = 4,
			      .n_body = n};
}

static void add(struct asked *asked, const char *name, const char *value)
{
	asked->headers[asked->n_headers++] = (struct header){name, value};
}

static void assert_status(const struct asked *asked, int status)
{
	assert_int_equal(guard_check(&guard, asked).status, status);
}

static void test_host_is_ours_exactly(unused_argument void **state)
{
	static const struct {
		const char *host;
		int status;
	} cases[] = {
		{"127.0.0.1:8080", 0},	      {"localhost:8080", 0},	{"LocalHost:8080", 403},
		{"127.0.0.1", 403},	      {"127.0.0.1:808", 403},	{"127.0.0.1:80800", 403},
		{"127.0.0.1:08080", 403},     {"127.0.0.1:8080 ", 403}, {"127.0.0.1:+8080", 403},
		{"127.0.0.1.a:8080", 403},    {"xlocalhost:8080", 403}, {"", 403},
		{"127.0.0.1:8080:8080", 403}, {"127.0.0.1:8080/", 403}, {"[::1]:8080", 403},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct asked asked = get("/", cases[i].host);
		assert_status(&asked, cases[i].status);
	}
	struct asked none = {.is_get = true, .target = "/"};
	assert_status(&none, 403);
}

static void test_a_forwarded_path_has_any_port_and_no_other_name(unused_argument void **state)
{
	static const struct web_settings forwarded = {
		.is_socket = true, .token = TOKEN, .names = {"127.0.0.1", "localhost"}};
	static const struct guard other = {.settings = &forwarded};
	struct asked asked = get("/", "localhost:1");
	assert_int_equal(guard_check(&other, &asked).status, 0);
	asked = get("/", "localhost");
	assert_int_equal(guard_check(&other, &asked).status, 403);
	asked = get("/", "evil.example:1");
	assert_int_equal(guard_check(&other, &asked).status, 403);
}

static void test_the_usual_port_of_https_is_not_said(unused_argument void **state)
{
	static const struct web_settings public = {.is_public = true,
						   .port = 443,
						   .token = TOKEN,
						   .names = {"doors.example"},
						   .certificate = "cert.pem"};
	static const struct guard other = {.settings = &public};
	struct asked asked = get("/", "doors.example");
	assert_int_equal(guard_check(&other, &asked).status, 0);
	add(&asked, "Origin", "https://doors.example");
	assert_int_equal(guard_check(&other, &asked).status, 0);
	asked.headers[1].value = "http://doors.example";
	assert_int_equal(guard_check(&other, &asked).status, 403);
	asked = get("/", "Doors.Example"); /* as it may stand in a certificate */
	assert_int_equal(guard_check(&other, &asked).status, 0);
	asked = get("/", "doors.example.evil");
	assert_int_equal(guard_check(&other, &asked).status, 403);
}

static void test_metrics_are_asked_for_by_names_of_this_host(unused_argument void **state)
{
	static const struct web_settings measured = {
		.metrics_port = 9273, .is_metrics_loopback = true, .metrics_name = "127.0.0.2"};
	static const struct guard other = {.settings = &measured, .is_metrics = true};
	static const struct {
		const char *host;
		int status;
	} cases[] = {
		{"127.0.0.1:9273", 0}, {"localhost:9273", 0},	{"[::1]:9273", 0},
		{"127.0.0.2:9273", 0}, {"127.0.0.2", 403},	{"127.0.0.3:9273", 403},
		{"evil.example", 403}, {"127.0.0.2:9274", 403}, {"127.0.0.2.evil:9273", 403},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct asked asked = get("/metrics", cases[i].host);
		assert_int_equal(guard_check(&other, &asked).status, cases[i].status);
	}
}

static void test_a_body_is_as_long_as_it_says(unused_argument void **state)
{
	struct asked asked = post("/api/plan", "2", 2);
	assert_status(&asked, 0);
	asked = post("/api/plan", "3", 2);
	assert_status(&asked, 400);
	asked = post("/api/plan", "0x2", 2);
	assert_status(&asked, 400);
	asked = post("/api/plan", "2", 2);
	add(&asked, "Transfer-Encoding", "identity");
	assert_status(&asked, 400);
	asked = post("/api/plan", "2", 2);
	add(&asked, "content-length", "2");
	assert_status(&asked, 400);
	asked = get("/", "127.0.0.1:8080");
	add(&asked, "Content-Length", "1");
	assert_status(&asked, 400);
}

static void test_headers_are_names_and_no_more_than_there_is_room(unused_argument void **state)
{
	struct asked asked = get("/", "127.0.0.1:8080");
	add(&asked, "Host ", "x");
	assert_status(&asked, 400);
	asked = get("/", "127.0.0.1:8080");
	add(&asked, "X", "a\rb");
	assert_status(&asked, 400);
	asked = get("/", "127.0.0.1:8080");
	asked.n_headers = ASKED_HEADERS_MAX + 1;
	assert_status(&asked, 400);
	asked = get("http://127.0.0.1:8080/", "127.0.0.1:8080");
	assert_status(&asked, 400);
}

static void test_the_token_is_known_whole(unused_argument void **state)
{
	static const char *const wrong[] = {"Bearer", "Bearer ",      "Bearer " TOKEN "0",
					    TOKEN,    "Basic " TOKEN, "Bearer  " TOKEN};
	struct asked asked = get("/api/fields", "127.0.0.1:8080");
	assert_false(guard_knows_token(&guard, &asked));
	add(&asked, "Authorization", "Bearer " TOKEN);
	assert_true(guard_knows_token(&guard, &asked));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		asked.headers[1].value = wrong[i];
		assert_false(guard_knows_token(&guard, &asked));
	}
}

static void test_parameters_become_a_request(unused_argument void **state)
{
	struct question question;
	struct asked asked = get("/api/stream?tab=connections&filter=port+%3D%2080&count=7&map=1",
				 "127.0.0.1:8080");
	assert_int_equal(question_parse(&asked, "", &question).status, 0);
	assert_int_equal(question.kind, QUESTION_STREAM);
	assert_int_equal(question.request.verb, VERB_STREAM);
	assert_int_equal(question.request.wish.tab, TAB_CONNECTIONS);
	assert_string_equal(question.request.wish.filter, "port = 80");
	assert_int_equal(question.request.wish.count, 7);
	assert_int_equal(question.request.wish.has_map, 1);
	assert_int_equal(question.request.wish.parts, WISH_TAB | WISH_FILTER | WISH_COUNT);
}

static void test_a_body_becomes_a_deed(unused_argument void **state)
{
	static const char body[] = "{\"action\":\"block\",\"target\":\"80\",\"for_ms\":600000,"
				   "\"cut\":true,\"reason\":null,\"netns\":4026531833}";
	struct question question;
	struct asked asked = post("/api/plan", "", sizeof(body) - 1);
	assert_int_equal(question_parse(&asked, body, &question).status, 0);
	assert_true(question.is_act);
	assert_int_equal(question.request.deed.kind, ACT_BLOCK);
	assert_string_equal(question.request.deed.target, "80");
	assert_true(question.request.deed.has_end);
	assert_int_equal(question.request.deed.for_ms, 600000);
	assert_int_equal(question.request.deed.cuts, 1);
	assert_int_equal(question.request.netns, 4026531833u);
}

static void test_what_is_not_known_is_refused(unused_argument void **state)
{
	static const struct {
		const char *target;
		int status;
	} cases[] = {
		{"/api/nothing", 404},
		{"/api/fields?x=1", 400},
		{"/api/stream?count=501", 400},
		{"/api/stream?filter=%0", 400},
		{"/api/stream?filter=%00", 400},
		{"/api/stream?tab", 400},
		{"/api/plan", 405},
		{"/api/stream/12", 404},
		{"/api/map?proto=sctp", 400},
		{"/api/story?netns=-1", 400},
	};
	struct question question;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct asked asked = get(cases[i].target, "127.0.0.1:8080");
		assert_int_equal(question_parse(&asked, "", &question).status, cases[i].status);
	}
}

static void test_only_what_is_whole_is_a_request(unused_argument void **state)
{
	struct request request = {.verb = VERB_CHECK};
	assert_true(request_is_valid(&request));
	request.verb = VERB_MAX;
	assert_false(request_is_valid(&request));
	request = (struct request){.verb = VERB_STREAM};
	memset(request.wish.filter, 'a', sizeof(request.wish.filter)); /* no end */
	assert_false(request_is_valid(&request));
	request = (struct request){.verb = VERB_ACT, .n_identities = STEPS_MAX + 1};
	assert_false(request_is_valid(&request));
	request = (struct request){.verb = VERB_PLAN, .deed = {.by = 6}};
	assert_false(request_is_valid(&request));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_is_ours_exactly),
		cmocka_unit_test(test_a_forwarded_path_has_any_port_and_no_other_name),
		cmocka_unit_test(test_the_usual_port_of_https_is_not_said),
		cmocka_unit_test(test_metrics_are_asked_for_by_names_of_this_host),
		cmocka_unit_test(test_a_body_is_as_long_as_it_says),
		cmocka_unit_test(test_headers_are_names_and_no_more_than_there_is_room),
		cmocka_unit_test(test_the_token_is_known_whole),
		cmocka_unit_test(test_parameters_become_a_request),
		cmocka_unit_test(test_a_body_becomes_a_deed),
		cmocka_unit_test(test_what_is_not_known_is_refused),
		cmocka_unit_test(test_only_what_is_whole_is_a_request),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
