/* The tree of a filter, shared by its parser and its matcher. */
#ifndef MODEL_FILTER_NODE_H
#define MODEL_FILTER_NODE_H

#include "model/filter.h"

enum operation {
	OP_EQUAL,
	OP_NOT_EQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_CONTAINS,
	OP_IN
};

/* One value or range that a test compares with. */
struct operand {
	uint64_t first, last; /* numbers, booleans, words (index) */
	struct ip ip;	      /* addresses */
	unsigned prefix;      /* of 128 bits */
	const char *text;     /* as typed */
};

enum node_kind { NODE_TEST, NODE_NOT, NODE_AND, NODE_OR };

struct node {
	enum node_kind kind;
	enum operation operation;
	const struct field *field;
	uint32_t left, right; /* indexes of nodes; NOT has left */
	uint32_t first, n;    /* operands of a test */
};

struct filter {
	struct vector nodes;	/* struct node; the last is the root */
	struct vector operands; /* struct operand */
	struct arena arena;
	uint32_t root;
};

static inline struct node *filter_node(const struct filter *filter, uint32_t i)
{
	return vector_at(&filter->nodes, i);
}
static inline struct operand *filter_operand(const struct filter *filter, uint32_t i)
{
	return vector_at(&filter->operands, i);
}

#endif
