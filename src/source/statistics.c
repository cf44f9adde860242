/* Counters of the protocols: /proc/net/snmp and snmp6 (net/ipv4/proc.c, net/ipv6/proc.c). */
#include <errno.h>

#include "base/numbers.h"
#include "source/statistics.h"

#define FILE_LIMIT 65536

static int add_counter(struct statistics *ret, const char *group, const char *name, uint64_t value)
{
	struct counter *added = group && name ? vector_add(&ret->counters) : NULL;
	if (!added)
		return -ENOMEM;
	*added = (struct counter){.group = group, .name = name, .value = value};
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word of a line; its length, 0 at the end. Moves *@at behind it. */
static size_t next_word(const char **at, const char *end, const char **word)
{
	while (*at < end && is_blank(**at))
		(*at)++;
	*word = *at;
	while (*at < end && !is_blank(**at))
		(*at)++;
	return (size_t)(*at - *word);
}

/* "Tcp: RtoAlgorithm RtoMin" above "Tcp: 1 200": names and values in the same places. What is no
 * counter but may be negative (MaxConn) is left out. */
static int parse_pair(const char *names, const char *names_end, const char *values,
		      const char *values_end, struct statistics *ret)
{
	const char *word, *value;
	size_t n = next_word(&names, names_end, &word);
	size_t n_value = next_word(&values, values_end, &value);
	if (n < 2 || n != n_value || memcmp(word, value, n) != 0)
		return 0;
	const char *group = arena_intern(&ret->arena, word, n - 1);

	while ((n = next_word(&names, names_end, &word)) &&
	       (n_value = next_word(&values, values_end, &value))) {
		uint64_t number;
		const char *at = value;
		if (number_scan(&at, value + n_value, 10, &number) < 0 || at != value + n_value)
			continue;
		int r = add_counter(ret, group, arena_intern(&ret->arena, word, n), number);
		if (r < 0)
			return r;
	}
	return 0;
}

int snmp_parse(const char *bytes, size_t n, struct statistics *ret)
{
	const char *end = bytes + n;
	while (bytes < end) {
		const char *names_end = memchr(bytes, '\n', (size_t)(end - bytes));
		if (!names_end)
			return 0;
		const char *values = names_end + 1;
		const char *values_end =
			values < end ? memchr(values, '\n', (size_t)(end - values)) : NULL;
		if (!values_end)
			return 0;
		int r = parse_pair(bytes, names_end, values, values_end, ret);
		if (r < 0)
			return r;
		bytes = values_end + 1;
	}
	return 0;
}

/* "Ip6InReceives   123": the group ends behind its 6. */
static int parse_line6(const char *line, const char *end, struct statistics *ret)
{
	static const char *const groups[] = {"Ip6", "Icmp6", "UdpLite6", "Udp6"};
	const char *at = line, *word, *digits;
	size_t n = next_word(&at, end, &word);
	uint64_t number;
	next_word(&at, end, &digits);
	if (number_scan(&digits, end, 10, &number) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		size_t length = strlen(groups[i]);
		if (n > length && memcmp(word, groups[i], length) == 0)
			return add_counter(ret, groups[i],
					   arena_intern(&ret->arena, word + length, n - length),
					   number);
	}
	return 0;
}

int snmp6_parse(const char *bytes, size_t n, struct statistics *ret)
{
	const char *end = bytes + n;
	while (bytes < end) {
		const char *line_end = memchr(bytes, '\n', (size_t)(end - bytes));
		if (!line_end)
			line_end = end;
		int r = parse_line6(bytes, line_end, ret);
		if (r < 0)
			return r;
		bytes = line_end < end ? line_end + 1 : end;
	}
	return 0;
}

int statistics_read(struct host *host, struct statistics *ret, struct error *err)
{
	cleanup(freep) char *snmp = NULL, *snmp6 = NULL;
	ssize_t n = host_read_all(host, &snmp, FILE_LIMIT, "proc/self/net/snmp");
	if (n < 0)
		return error_set(err, (int)n, "read /proc/net/snmp");
	int r = snmp_parse(snmp, (size_t)n, ret);
	n = r < 0 ? 0 : host_read_all(host, &snmp6, FILE_LIMIT, "proc/self/net/snmp6");
	if (r >= 0 && n > 0)
		r = snmp6_parse(snmp6, (size_t)n, ret);
	return r < 0 ? error_set(err, r, "read the statistics") : 0;
}

int statistics_read_more(struct host *host, struct statistics *ret, struct error *err)
{
	cleanup(freep) char *text = NULL;
	ssize_t n = host_read_all(host, &text, FILE_LIMIT, "proc/self/net/netstat");
	int r = n < 0 ? (int)n : snmp_parse(text, (size_t)n, ret);
	return r < 0 ? error_set(err, r, "read /proc/net/netstat") : 0;
}
