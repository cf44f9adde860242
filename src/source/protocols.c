/* How many sockets of each protocol are in use. */
#include <errno.h>
#include <string.h>

#include "base/attributes.h"
#include "base/numbers.h"
#include "source/protocols.h"
#include "source/statistics.h"

#define FILE_MAX (64 << 10)

struct reading {
	struct host *host;
	struct protocols *ret;
};

/* The number in a line's third column: -1 where the protocol does not count. */
static bool count_of(const char *line, const char *end, uint64_t *ret)
{
	const char *at = line;
	for (unsigned column = 0; column < 2; column++) {
		while (at < end && *at != ' ')
			at++;
		while (at < end && *at == ' ')
			at++;
	}
	return number_scan(&at, end, 10, ret) == 0;
}

static void add_line(const char *line, const char *end, struct protocols *ret)
{
	static const struct {
		const char *name;
		enum proto proto;
	} names[] = {
		{"TCP", PROTO_TCP},	{"TCPv6", PROTO_TCP},	     {"UDP", PROTO_UDP},
		{"UDPv6", PROTO_UDP},	{"UDP-Lite", PROTO_UDPLITE}, {"UDPLITEv6", PROTO_UDPLITE},
		{"RAW", PROTO_RAW},	{"RAWv6", PROTO_RAW},	     {"SCTP", PROTO_SCTP},
		{"SCTPv6", PROTO_SCTP}, {"MPTCP", PROTO_MAX},	     {"MPTCPv6", PROTO_MAX},
	};
	const char *space = memchr(line, ' ', (size_t)(end - line));
	size_t length = space ? (size_t)(space - line) : 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		uint64_t n;
		if (strlen(names[i].name) != length || memcmp(line, names[i].name, length) != 0)
			continue;
		if (!count_of(line, end, &n))
			n = 1; /* that it has none is not said */
		*(names[i].proto == PROTO_MAX ? &ret->n_mptcp : &ret->n[names[i].proto]) += n;
	}
}

void protocols_parse(const char *text, size_t n, struct protocols *ret)
{
	static const char head[] = "protocol ";
	const char *end = text + n;
	*ret = (struct protocols){.is_known = n > sizeof(head) &&
					      memcmp(text, head, sizeof(head) - 1) == 0};
	while (ret->is_known && text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		stop = stop ? stop : end;
		add_line(text, stop, ret);
		text = stop + 1;
	}
}

/* The number behind @word. */
static bool number_behind(const char *text, size_t n, const char *word, uint64_t *ret)
{
	const char *at = memmem(text, n, word, strlen(word));
	if (!at)
		return false;
	at += strlen(word);
	return number_scan(&at, text + n, 10, ret) == 0;
}

bool protocols_parse_sockstat(const char *text, size_t n, struct protocols *ret)
{
	return number_behind(text, n, "sockets: used ", &ret->n_sockets) &&
	       number_behind(text, n, " tw ", &ret->n_time_wait);
}

static int read_files(void *data)
{
	struct reading *reading = data;
	cleanup(freep) char *text = NULL;
	ssize_t n = host_read_all(reading->host, &text, FILE_MAX, "proc/thread-self/net/protocols");
	if (n > 0)
		protocols_parse(text, (size_t)n, reading->ret);
	char stat[1024];
	n = host_read(reading->host, stat, sizeof(stat), "proc/thread-self/net/sockstat");
	if (n <= 0 || !protocols_parse_sockstat(stat, (size_t)n, reading->ret))
		reading->ret->is_known = false;
	return 0;
}

void protocols_read(struct host *host, const struct found_netns *place, struct protocols *ret)
{
	struct reading reading = {host, ret};
	*ret = (struct protocols){.is_known = false};
	if (netns_call(place, read_files, &reading) < 0)
		*ret = (struct protocols){.is_known = false};
}

struct counting {
	struct host *host;
	uint64_t dialled, accepted;
};

static int read_counters(void *data)
{
	struct counting *counting = data;
	cleanup(freep) char *text = NULL;
	cleanup(statistics_done) struct statistics statistics;
	statistics_init(&statistics);
	ssize_t n = host_read_all(counting->host, &text, FILE_MAX, "proc/thread-self/net/snmp");
	int r = n < 0 ? (int)n : snmp_parse(text, (size_t)n, &statistics);
	if (r < 0)
		return r;
	return statistics_find(&statistics, "Tcp", "ActiveOpens", &counting->dialled) &&
			       statistics_find(&statistics, "Tcp", "PassiveOpens",
					       &counting->accepted)
		       ? 0
		       : -ENOENT;
}

bool protocols_opened(struct host *host, const struct found_netns *place, uint64_t *ret)
{
	struct counting counting = {.host = host};
	int r = netns_call(place, read_counters, &counting);
	*ret = counting.dialled + counting.accepted;
	return r >= 0;
}
