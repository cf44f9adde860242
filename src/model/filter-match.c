/* The filter language: does a socket match, and what need not be fetched. */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "model/filter-node.h"

/* What a test says before everything is known. */
enum answer { NO, YES, MAYBE };

static bool text_matches(const struct value *value, const struct operand *operand,
			 enum operation operation)
{
	char text[512], shown[64];
	size_t n = value->length < sizeof(text) - 1 ? value->length : sizeof(text) - 1;
	if (value->kind == VALUE_STRING || value->kind == VALUE_OBJECT ||
	    value->kind == VALUE_WORD) {
		memcpy(text, value->text, n);
		text[n] = '\0';
	} else {
		struct out memory = {.data = shown, .capacity = sizeof(shown), .fd = -1};
		value_text(&memory, value);
		n = memory.n < sizeof(shown) ? memory.n : sizeof(shown) - 1;
		memcpy(text, shown, n);
		text[n] = '\0';
	}
	if (operation == OP_CONTAINS)
		return text_contains(text, operand->text);
	return strcmp(text, operand->text) == 0;
}

static bool ip_matches(const struct value *value, const struct operand *operand)
{
	return value->ip && ip_in_prefix(value->ip, &operand->ip, operand->prefix);
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
		return strcmp(value->text, test->field->words[operand->first]) == 0;
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
	double x = value->kind == VALUE_TIME ? value->real : (double)value->number;
	switch (operation) {
	case OP_LESS:
		return x < (double)operand->first;
	case OP_LESS_EQUAL:
		return x <= (double)operand->last;
	case OP_GREATER:
		return x > (double)operand->last;
	default:
		return x >= (double)operand->first;
	}
}

/* A null matches nothing. */
static bool value_matches(const struct filter *filter, const struct node *test,
			  const struct value *value)
{
	if (value->kind == VALUE_NULL)
		return false;
	if (test->operation >= OP_LESS && test->operation <= OP_GREATER_EQUAL)
		return ordered_matches(test->operation, value, filter_operand(filter, test->first));
	bool is_one = false;
	for (uint32_t i = 0; i < test->n && !is_one; i++)
		is_one = one_matches(test, value, filter_operand(filter, test->first + i));
	return test->operation == OP_NOT_EQUAL ? !is_one : is_one;
}

static bool test_matches(const struct filter *filter, const struct node *test,
			 struct record *record)
{
	char scratch[256];
	struct value value = {.scratch = scratch};
	if (test->field->of == OF_SOCKET) {
		test->field->get(record, &value);
		return value_matches(filter, test, &value);
	}
	for (const struct holder *holder =
		     snapshot_holder(record->snapshot, record->socket->holder);
	     holder; holder = snapshot_holder(record->snapshot, holder->next)) {
		record->holder = holder;
		record->process = snapshot_process(record->snapshot, holder->process);
		test->field->get(record, &value);
		if (value_matches(filter, test, &value))
			return true;
	}
	return false;
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
	struct record record = {
		.snapshot = snapshot, .socket = snapshot_socket(snapshot, socket), .index = socket};
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

/* The bits of @test's operands; a word's index is the bit. */
static uint32_t word_bits(const struct filter *filter, const struct node *test, uint32_t all)
{
	uint32_t bits = 0;
	for (uint32_t i = 0; i < test->n; i++)
		bits |= 1u << filter_operand(filter, test->first + i)->first;
	if (test->operation == OP_NOT_EQUAL)
		return all & ~bits;
	return test->operation == OP_EQUAL || test->operation == OP_IN ? bits : all;
}

static void bound_port(const struct filter *filter, const struct node *test, struct bounds *ret)
{
	if (test->operation != OP_EQUAL && test->operation != OP_IN)
		return;
	ret->port_first = UINT16_MAX;
	ret->port_last = 0;
	for (uint32_t i = 0; i < test->n; i++) {
		const struct operand *operand = filter_operand(filter, test->first + i);
		if (operand->first < ret->port_first)
			ret->port_first = (uint16_t)operand->first;
		if (operand->last > ret->port_last)
			ret->port_last = (uint16_t)operand->last;
	}
}

static struct bounds test_bounds(const struct filter *filter, const struct node *test)
{
	struct bounds bounds = BOUNDS_ALL;
	const char *name = test->field->name;
	if (strcmp(name, "proto") == 0)
		bounds.protos = word_bits(filter, test, bounds.protos);
	else if (strcmp(name, "family") == 0)
		bounds.families = word_bits(filter, test, bounds.families);
	else if (strcmp(name, "state") == 0)
		bounds.states = word_bits(filter, test, bounds.states);
	else if (strcmp(name, "port") == 0 || strcmp(name, "shown_port") == 0)
		bound_port(filter, test, &bounds);
	return bounds;
}

static struct bounds bounds_of(const struct filter *filter, uint32_t index)
{
	const struct node *node = filter_node(filter, index);
	struct bounds a, b;
	switch (node->kind) {
	case NODE_TEST:
		return test_bounds(filter, node);
	case NODE_NOT: /* what is outside a bound may well match the contrary */
		return BOUNDS_ALL;
	case NODE_AND:
		a = bounds_of(filter, node->left);
		b = bounds_of(filter, node->right);
		a.protos &= b.protos;
		a.families &= b.families;
		a.states &= b.states;
		a.port_first = a.port_first > b.port_first ? a.port_first : b.port_first;
		a.port_last = a.port_last < b.port_last ? a.port_last : b.port_last;
		return a;
	case NODE_OR:
		a = bounds_of(filter, node->left);
		b = bounds_of(filter, node->right);
		a.protos |= b.protos;
		a.families |= b.families;
		a.states |= b.states;
		a.port_first = a.port_first < b.port_first ? a.port_first : b.port_first;
		a.port_last = a.port_last > b.port_last ? a.port_last : b.port_last;
		return a;
	}
	return BOUNDS_ALL;
}

struct bounds filter_bounds(const struct filter *filter)
{
	return filter ? bounds_of(filter, filter->root) : BOUNDS_ALL;
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
