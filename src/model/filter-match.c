/* The filter language: does a socket match, and what need not be fetched. */
#include <string.h>

#include "model/filter-node.h"

#define MAPPED_BITS 96 /* of ::ffff:0:0/96 */

/* What a test says before everything is known. */
enum answer { NO, YES, MAYBE };

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* ASCII letters of either case; neither side is copied, however long a command line is. */
static bool contains(const char *text, size_t n, const char *needle)
{
	size_t wanted = strlen(needle);
	for (size_t at = 0; at + wanted <= n; at++) {
		size_t same = 0;
		while (same < wanted && lower(text[at + same]) == lower(needle[same]))
			same++;
		if (same == wanted)
			return true;
	}
	return false;
}

static bool text_matches(const struct value *value, const struct operand *operand,
			 enum operation operation)
{
	char plain[64];
	const char *text = value->text;
	size_t n = value->length;
	if (value->kind != VALUE_STRING && value->kind != VALUE_OBJECT &&
	    value->kind != VALUE_WORD) {
		struct out memory = {.data = plain, .capacity = sizeof(plain), .fd = -1};
		value_text(&memory, value);
		text = plain;
		n = memory.n;
	}
	if (operation == OP_CONTAINS)
		return contains(text, n, operand->text);
	return strlen(operand->text) == n && memcmp(text, operand->text, n) == 0;
}

static bool ip_matches(const struct value *value, const struct operand *operand)
{
	/* ::/0 is all of IPv6: IPv4 does not lie in it only because we keep it mapped */
	if (!value->ip || (operand->prefix < MAPPED_BITS && ip_is_mapped(value->ip)))
		return false;
	return ip_in_prefix(value->ip, &operand->ip, operand->prefix);
}

static bool one_matches(const struct node *test, const struct value *value,
			const struct operand *operand)
{
	if (test->operation == OP_CONTAINS)
		return text_matches(value, operand, OP_CONTAINS);
	switch ((enum value_kind)value->kind) {
	case VALUE_IP:
		return ip_matches(value, operand);
	case VALUE_WORD:
		return value->text == test->field->words[operand->first]; /* from that table */
	case VALUE_TIME:
		return value->real >= (double)operand->first &&
		       value->real < (double)operand->last + 1;
	case VALUE_UINT:
	case VALUE_INT:
	case VALUE_BOOL:
		return value->number >= operand->first && value->number <= operand->last;
	default:
		return text_matches(value, operand, OP_EQUAL);
	}
}

static bool ordered_matches(enum operation operation, const struct value *value,
			    const struct operand *operand)
{
	uint64_t x = value->kind == VALUE_TIME ? (uint64_t)value->real : value->number;
	switch (operation) {
	case OP_LESS:
		return x < operand->first;
	case OP_LESS_EQUAL:
		return x <= operand->first;
	case OP_GREATER:
		return x > operand->first;
	default:
		return x >= operand->first;
	}
}

/* A null matches nothing, but a thing without a name may be called by its number. */
static bool record_matches(const struct filter *filter, const struct node *test,
			   const struct record *record)
{
	if (!record->socket && test->field->of == OF_SOCKET) /* of the watching itself */
		return false;
	char scratch[256];
	struct value value = {.scratch = scratch};
	const struct field *field = test->field;
	(field->filter_get ? field->filter_get : field->get)(record, &value);
	bool is_null = value.kind == VALUE_NULL;
	if (test->operation >= OP_LESS && test->operation <= OP_GREATER_EQUAL)
		return !is_null && ordered_matches(test->operation, &value,
						   filter_operand(filter, test->first));
	bool is_one = false;
	for (uint32_t i = 0; i < test->n && !is_one; i++) {
		const struct operand *operand = filter_operand(filter, test->first + i);
		is_one = !is_null && one_matches(test, &value, operand);
		if (!is_one && field->is_called && test->operation != OP_CONTAINS)
			is_one = field->is_called(record, operand->text);
	}
	return test->operation == OP_NOT_EQUAL ? !is_null && !is_one : is_one;
}

static bool test_matches(const struct filter *filter, const struct node *test,
			 struct record *record)
{
	if (test->field->of != OF_HOLDER)
		return record_matches(filter, test, record);
	for (const struct holder *holder =
		     record->socket ? snapshot_holder(record->snapshot, record->socket->holder)
				    : NULL;
	     holder; holder = snapshot_holder(record->snapshot, holder->next)) {
		record->holder = holder;
		record->process = snapshot_process(record->snapshot, holder->process);
		if (record_matches(filter, test, record))
			return true;
	}
	if (!record->event || record->event->by == NONE)
		return false;
	record->holder = NULL;
	record->process = snapshot_process(record->snapshot, record->event->by);
	return record_matches(filter, test, record);
}

/* A getter that reads the socket alone knows before the join: it needs nothing. */
static bool is_known_early(const struct field *field)
{
	return field->of == OF_SOCKET && !field->needs && strcmp(field->name, "netns") != 0;
}

static enum answer evaluate(const struct filter *filter, uint32_t index, struct record *record,
			    bool early)
{
	const struct node *node = filter_node(filter, index);
	enum answer left, right;
	switch (node->kind) {
	case NODE_TEST:
		if (early && !is_known_early(node->field))
			return MAYBE;
		return test_matches(filter, node, record) ? YES : NO;
	case NODE_NOT:
		left = evaluate(filter, node->left, record, early);
		return left == MAYBE ? MAYBE : left == YES ? NO : YES;
	case NODE_AND:
		left = evaluate(filter, node->left, record, early);
		if (left == NO)
			return NO;
		right = evaluate(filter, node->right, record, early);
		return right == NO ? NO : left == YES && right == YES ? YES : MAYBE;
	case NODE_OR:
		left = evaluate(filter, node->left, record, early);
		if (left == YES)
			return YES;
		right = evaluate(filter, node->right, record, early);
		return right == YES ? YES : left == NO && right == NO ? NO : MAYBE;
	}
	return NO;
}

bool filter_match(const struct filter *filter, const struct snapshot *snapshot, uint32_t socket)
{
	if (!filter)
		return true;
	if (snapshot->events.n) {
		const struct event *event = vector_at(&snapshot->events, socket);
		return event_is_of_watching(event) || filter_match_event(filter, event);
	}
	struct record record = {
		.snapshot = snapshot, .socket = snapshot_socket(snapshot, socket), .index = socket};
	return evaluate(filter, filter->root, &record, false) == YES;
}

bool filter_match_event(const struct filter *filter, const struct event *event)
{
	if (!filter)
		return true;
	struct record record = {.snapshot = event->snapshot,
				.socket = event_socket(event),
				.index = event->socket,
				.event = event};
	return evaluate(filter, filter->root, &record, false) == YES;
}

bool filter_may_match(const struct filter *filter, const struct snapshot *snapshot,
		      const struct socket *socket)
{
	if (!filter)
		return true;
	struct record record = {.snapshot = snapshot, .socket = socket};
	return evaluate(filter, filter->root, &record, true) != NO;
}

/* ---- bounds ---- */

/* The words that @test leaves; a word's index is the bit. @turned: what `not` of it leaves. None of
 * these fields is ever null, so that a turned test is the other words. */
static uint32_t word_bits(const struct filter *filter, const struct node *test, uint32_t all,
			  bool turned)
{
	uint32_t bits = 0;
	if (test->operation == OP_CONTAINS)
		return all;
	for (uint32_t i = 0; i < test->n; i++)
		bits |= 1u << filter_operand(filter, test->first + i)->first;
	return (test->operation == OP_NOT_EQUAL) != turned ? all & ~bits : all & bits;
}

/* ipv4 may be on an IPv6 socket, as a mapped address. */
static uint32_t family_bits(const struct filter *filter, const struct node *test, bool turned)
{
	uint32_t bits = word_bits(filter, test, BOUNDS_ALL.families, turned);
	return bits & 1u << FAMILY_IPV4 ? BOUNDS_ALL.families : bits;
}

static void bound_port(const struct filter *filter, const struct node *test, struct bounds *ret)
{
	const struct operand *operand = filter_operand(filter, test->first);
	uint32_t number = (uint32_t)operand->first, first = UINT16_MAX, last = 0;
	switch (test->operation) {
	case OP_EQUAL:
	case OP_IN:
		for (uint32_t i = 0; i < test->n; i++) {
			operand = filter_operand(filter, test->first + i);
			first = operand->first < first ? (uint32_t)operand->first : first;
			last = operand->last > last ? (uint32_t)operand->last : last;
		}
		break;
	case OP_LESS:
	case OP_LESS_EQUAL:
		first = 0;
		last = number && test->operation == OP_LESS ? number - 1 : number;
		break;
	case OP_GREATER:
	case OP_GREATER_EQUAL:
		first = number < UINT16_MAX && test->operation == OP_GREATER ? number + 1 : number;
		last = UINT16_MAX;
		break;
	case OP_NOT_EQUAL:
	case OP_CONTAINS:
		return;
	}
	ret->port_first = (uint16_t)first;
	ret->port_last = (uint16_t)last;
}

static struct bounds test_bounds(const struct filter *filter, const struct node *test, bool turned)
{
	struct bounds bounds = BOUNDS_ALL;
	const char *name = test->field->name;
	if (strcmp(name, "proto") == 0)
		bounds.protos = word_bits(filter, test, bounds.protos, turned);
	else if (strcmp(name, "family") == 0)
		bounds.families = family_bits(filter, test, turned);
	else if (strcmp(name, "state") == 0)
		bounds.states = word_bits(filter, test, bounds.states, turned);
	else if (strcmp(name, "event") == 0)
		bounds.events = word_bits(filter, test, bounds.events, turned);
	else if (!turned && (strcmp(name, "port") == 0 || strcmp(name, "shown_port") == 0))
		bound_port(filter, test, &bounds);
	return bounds;
}

static struct bounds meet(struct bounds a, const struct bounds *b)
{
	a.protos &= b->protos;
	a.families &= b->families;
	a.states &= b->states;
	a.events &= b->events;
	a.port_first = a.port_first > b->port_first ? a.port_first : b->port_first;
	a.port_last = a.port_last < b->port_last ? a.port_last : b->port_last;
	return a;
}

static struct bounds join(struct bounds a, const struct bounds *b)
{
	a.protos |= b->protos;
	a.families |= b->families;
	a.states |= b->states;
	a.events |= b->events;
	a.port_first = a.port_first < b->port_first ? a.port_first : b->port_first;
	a.port_last = a.port_last > b->port_last ? a.port_last : b->port_last;
	return a;
}

/* Of the node, or with @turned of what `not` makes of it (De Morgan). */
static struct bounds bounds_of(const struct filter *filter, uint32_t index, bool turned)
{
	const struct node *node = filter_node(filter, index);
	if (node->kind == NODE_TEST)
		return test_bounds(filter, node, turned);
	struct bounds a = bounds_of(filter, node->left, turned != (node->kind == NODE_NOT));
	if (node->kind == NODE_NOT)
		return a;
	struct bounds b = bounds_of(filter, node->right, turned);
	return (node->kind == NODE_AND) != turned ? meet(a, &b) : join(a, &b);
}

struct bounds filter_bounds(const struct filter *filter)
{
	return filter ? bounds_of(filter, filter->root, false) : BOUNDS_ALL;
}

uint32_t filter_needs(const struct filter *filter)
{
	uint32_t needs = 0;
	for (uint32_t i = 0; filter && i < filter->nodes.n; i++)
		if (filter_node(filter, i)->kind == NODE_TEST)
			needs |= filter_node(filter, i)->field->needs;
	return needs;
}

bool filter_names_state(const struct filter *filter)
{
	static const char *const names[] = {"state", "peer",	"peer_port",   "remote",
					    "role",  "held_by", "peer_process"};
	for (uint32_t i = 0; filter && i < filter->nodes.n; i++)
		for (size_t k = 0;
		     filter_node(filter, i)->kind == NODE_TEST && k < ARRAY_SIZE(names); k++)
			if (strcmp(filter_node(filter, i)->field->name, names[k]) == 0)
				return true;
	return false;
}
