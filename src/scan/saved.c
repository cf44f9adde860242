/* A scan that was saved as JSON, read again. The file may be anybody's: every number is checked. */
#include <errno.h>
#include <jansson.h>

#include "base/attributes.h"
#include "base/numbers.h"
#include "scan/saved.h"

#define PORTS 65536

struct reading {
	struct scan *scan;
	struct error *err;
	struct answer *all[PROTO_MAX]; /* of the address being read, by port; NULL: none yet */
	uint8_t *is_there[PROTO_MAX];
};

static int wrong(struct reading *reading, const char *what)
{
	return error_text(reading->err, -EINVAL, "the saved scan has %s that is none", what);
}

static int word_of(const char *word, const char *const *words, unsigned max)
{
	for (unsigned i = 0; word && i < max; i++)
		if (strcmp(word, words[i]) == 0)
			return (int)i;
	return -1;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int read_answer(struct reading *reading, const json_t *object, struct answer *ret)
{
	const char *reason = text_of(object, "reason");
	int state = word_of(text_of(object, "state"), door_words, DOOR_MAX);
	int because = word_of(reason, because_words, BECAUSE_MAX);
	unsigned type = 0, code = 0;
	if (reason && sscanf(reason, "icmp %3u/%3u", &type, &code) == 2)
		because = BECAUSE_ICMP;
	if (state < 0 || because < 0 || type > UINT8_MAX || code > UINT8_MAX)
		return wrong(reading, "an answer");
	json_int_t rtt = json_integer_value(json_object_get(object, "rtt_us"));
	*ret = (struct answer){.state = (uint8_t)state,
			       .reason = (uint8_t)because,
			       .icmp_type = (uint8_t)type,
			       .icmp_code = (uint8_t)code,
			       .rtt_us = rtt > 0 && rtt <= UINT32_MAX ? (uint32_t)rtt : 0};
	return 0;
}

/* What is longer than can be kept is cut; what is no text is unknown. */
static void read_word(const json_t *object, const char *key, char *to, size_t size)
{
	const char *text = text_of(object, key);
	snprintf(to, size, "%s", text ? text : "");
}

static void read_tls(const json_t *object, struct identified_tls *ret)
{
	const json_t *name;
	size_t i;
	ret->is_there = json_is_object(object);
	read_word(object, "version", ret->version, sizeof(ret->version));
	read_word(object, "cipher", ret->cipher, sizeof(ret->cipher));
	json_array_foreach(json_object_get(object, "names"), i, name)
	{
		if (ret->n_names == IDENTIFIED_NAMES_MAX)
			break;
		const char *text = json_string_value(name);
		snprintf(ret->names[ret->n_names++], sizeof(ret->names[0]), "%s", text ? text : "");
	}
	ret->not_after = json_integer_value(json_object_get(object, "not_after"));
}

/* Of the arena; NULL: nobody asked, or no memory. */
static const struct identified *read_identified(struct reading *reading, const json_t *object)
{
	const json_t *finding;
	size_t i;
	int outcome = word_of(text_of(object, "outcome"), identify_outcome_words, IDENTIFY_MAX);
	struct identified *ret =
		outcome < 0 ? NULL : arena_alloc(&reading->scan->arena, sizeof(*ret));
	if (!ret)
		return NULL;
	ret->outcome = (uint8_t)outcome;
	read_word(object, "service", ret->service, sizeof(ret->service));
	read_word(object, "product", ret->product, sizeof(ret->product));
	read_word(object, "version", ret->version, sizeof(ret->version));
	read_word(object, "protocol_version", ret->protocol_version, sizeof(ret->protocol_version));
	read_tls(json_object_get(object, "tls"), &ret->tls);
	json_array_foreach(json_object_get(object, "findings"), i, finding)
	{
		int its = word_of(json_string_value(finding), finding_words, FINDING_MAX);
		ret->findings |= its < 0 ? 0 : UINT32_C(1) << its;
	}
	return ret;
}

static int proto_of(struct reading *reading, const json_t *object)
{
	int proto = word_of(text_of(object, "proto"), proto_words, PROTO_MAX);
	if (proto < 0)
		return wrong(reading, "a protocol");
	if (!reading->all[proto])
		reading->all[proto] = calloc(PORTS, sizeof(struct answer));
	if (!reading->is_there[proto])
		reading->is_there[proto] = calloc(PORTS, 1);
	if (!reading->all[proto] || !reading->is_there[proto])
		return error_set(reading->err, -ENOMEM, "read the saved scan");
	return proto;
}

static void put(struct reading *reading, int proto, uint32_t port, const struct answer *answer)
{
	reading->all[proto][port] = *answer;
	reading->is_there[proto][port] = 1;
}

static int read_door(struct reading *reading, struct scan_result *result, const json_t *object)
{
	const struct identified *identified;
	struct answer answer;
	json_int_t port = json_integer_value(json_object_get(object, "port"));
	int proto = proto_of(reading, object);
	if (proto < 0)
		return proto;
	if (port < 1 || port >= PORTS)
		return wrong(reading, "a port");
	int r = read_answer(reading, object, &answer);
	if (r < 0)
		return r;
	put(reading, proto, (uint32_t)port, &answer);
	identified = read_identified(reading, json_object_get(object, "identified"));
	struct scan_door *door = identified ? vector_add(&result->doors) : NULL;
	if (door)
		*door = (struct scan_door){.proto = (uint8_t)proto,
					   .port = (uint16_t)port,
					   .socket = NONE,
					   .answer = answer,
					   .identified = identified};
	return identified && !door ? error_set(reading->err, -ENOMEM, "read the saved scan") : 0;
}

/* "1-21,23": ascending or not. */
static int read_others(struct reading *reading, const json_t *object)
{
	struct answer answer;
	const char *at = text_of(object, "ports");
	int proto = proto_of(reading, object);
	int r = proto < 0 ? proto : read_answer(reading, object, &answer);
	const char *end = at ? at + strlen(at) : NULL;
	while (r >= 0 && at && at < end) {
		uint64_t first, last;
		if (number_scan(&at, end, 10, &first) < 0)
			return wrong(reading, "a range");
		last = first;
		if (at < end && *at == '-') {
			at++;
			if (number_scan(&at, end, 10, &last) < 0)
				return wrong(reading, "a range");
		}
		if (first < 1 || last >= PORTS || first > last || (at < end && *at != ','))
			return wrong(reading, "a range");
		at += at < end;
		for (uint64_t port = first; port <= last; port++)
			put(reading, proto, (uint32_t)port, &answer);
	}
	return r;
}

static int add_sweep(struct reading *reading, struct scan_result *result, uint8_t proto)
{
	struct scan_sweep *sweep = &result->sweeps[result->n_sweeps];
	uint32_t n = 0;
	for (uint32_t port = 1; reading->is_there[proto] && port < PORTS; port++)
		n += reading->is_there[proto][port];
	if (!n || result->n_sweeps == SCAN_SWEEPS)
		return 0;
	uint16_t *ports = arena_alloc(&reading->scan->arena, n * sizeof(*ports));
	struct answer *answers = arena_alloc(&reading->scan->arena, n * sizeof(*answers));
	if (!ports || !answers)
		return error_set(reading->err, -ENOMEM, "read the saved scan");
	*sweep = (struct scan_sweep){.proto = proto, .ports = ports, .answers = answers};
	for (uint32_t port = 1; port < PORTS; port++) {
		if (!reading->is_there[proto][port])
			continue;
		ports[sweep->n_ports] = (uint16_t)port;
		answers[sweep->n_ports++] = reading->all[proto][port];
	}
	result->n_sweeps++;
	return 0;
}

static void forget(struct reading *reading)
{
	for (unsigned proto = 0; proto < PROTO_MAX; proto++) {
		free(reading->all[proto]);
		free(reading->is_there[proto]);
		reading->all[proto] = NULL;
		reading->is_there[proto] = NULL;
	}
}

static int read_result(struct reading *reading, const json_t *object)
{
	const char *address = text_of(object, "address"), *from = text_of(object, "from");
	const json_t *item;
	size_t i;
	int r = 0;
	struct scan_result *result = vector_add(&reading->scan->results);
	if (!result)
		return error_set(reading->err, -ENOMEM, "read the saved scan");
	*result = (struct scan_result){.netns = NONE};
	vector_init(&result->doors, sizeof(struct scan_door));
	vector_init(&result->others, sizeof(struct scan_others));
	if (!address ||
	    ip_parse(address, strcspn(address, "%"), &result->target.ip, &result->target.is_v4) < 0)
		return wrong(reading, "an address");
	const char *link = strchr(address, '%');
	result->target.link = link ? arena_intern_string(&reading->scan->arena, link + 1) : NULL;
	result->from = arena_intern_string(&reading->scan->arena, from ? from : "");
	json_array_foreach(json_object_get(object, "ports"), i, item) if (r >= 0) r =
		read_door(reading, result, item);
	json_array_foreach(json_object_get(object, "others"), i, item) if (r >= 0) r =
		read_others(reading, item);
	for (uint8_t proto = 0; r >= 0 && proto < PROTO_MAX; proto++)
		r = add_sweep(reading, result, proto);
	forget(reading);
	return r;
}

int saved_scan_parse(const char *text, size_t n, struct scan *ret, struct error *err)
{
	struct reading reading = {.scan = ret, .err = err};
	json_error_t error;
	const json_t *item;
	size_t i;
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	json_t *results = json_object_get(root, "results");
	int r = 0;
	if (!json_is_array(results))
		r = error_text(err, -EINVAL, "it is no scan that --json saved");
	else
		json_array_foreach(results, i, item) if (r >= 0) r = read_result(&reading, item);
	json_decref(root);
	return r;
}

const struct answer *saved_scan_answer(const struct scan *saved, const struct scan_target *target,
				       uint8_t proto, uint16_t port)
{
	for (uint32_t i = 0; i < saved->results.n; i++) {
		const struct scan_result *result = scan_result(saved, i);
		if (ip_equal(&result->target.ip, &target->ip)) {
			const struct answer *answer = scan_result_answer(result, proto, port);
			if (answer)
				return answer;
		}
	}
	return NULL;
}

const struct identified *saved_scan_identified(const struct scan *saved,
					       const struct scan_target *target, uint8_t proto,
					       uint16_t port)
{
	for (uint32_t i = 0; i < saved->results.n; i++) {
		const struct scan_result *result = scan_result(saved, i);
		if (!ip_equal(&result->target.ip, &target->ip))
			continue;
		for (uint32_t k = 0; k < result->doors.n; k++) {
			const struct scan_door *door = vector_at(&result->doors, k);
			if (door->proto == proto && door->port == port)
				return door->identified;
		}
	}
	return NULL;
}
