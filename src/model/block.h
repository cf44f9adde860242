/* A block: new traffic to some ports that the kernel refuses by our own table of its packet filter
 * (nft/nft.h). Whom it concerns is its scope; in the kernel a scope is one set and its rules, a
 * block one element, which ends by itself. */
#ifndef MODEL_BLOCK_H
#define MODEL_BLOCK_H

#include "base/error.h"
#include "base/vector.h"
#include "model/socket.h"
#include "model/target.h"

#define BLOCK_REASON_MAX 100 /* bytes; the kernel keeps 128 of a comment */
#define BLOCK_SCOPE_NAME_MAX 128
#define BLOCK_SECONDS_MAX (10 * 366 * 86400) /* longer is without end */

enum block_kind {
	BLOCK_ANY,
	BLOCK_IPV4,    /* to: every IPv4 address of the host */
	BLOCK_OUTSIDE, /* from: whatever does not come from this network namespace itself */
	BLOCK_PREFIX,  /* to: one address; from: a network */
};

struct block_end {
	uint8_t kind; /* enum block_kind */
	bool is_v4;
	uint8_t bits; /* of the family: 8 of 10.0.0.0/8 */
	struct ip ip; /* the bits beyond are zero */
};

struct block_scope {
	struct block_end to, from;
};

struct block {
	struct block_scope scope;
	uint8_t proto; /* enum proto, none without ports */
	uint16_t first, last;
	uint64_t seconds, seconds_left; /* of its life; 0: it has no end */
	uint64_t packets;		/* that it refused */
	bool is_there;			/* in the kernel as it stands here */
	char reason[BLOCK_REASON_MAX + 1];
};

/* One of ours in the kernel, with blocks in it or without. */
struct block_scope_found {
	struct block_scope scope;
	bool is_in_force; /* its rules stand where they must */
	bool has_set;
};

struct block_table {
	struct vector blocks; /* struct block; those that are in force and those that are not */
	struct vector scopes; /* struct block_scope_found */
	bool is_there;	      /* the table itself */
	bool is_dormant;      /* by hand, nft(8): none is in force, and what it has is not read */
};
void block_table_init(struct block_table *table);
void block_table_done(struct block_table *table);
/* NULL: the kernel has none of that scope. */
const struct block_scope_found *block_table_scope(const struct block_table *table,
						  const struct block_scope *scope);
/* Its scope's rules stand: it refuses. */
bool block_is_in_force(const struct block_table *table, const struct block *block);

/* "anywhere", "outside", "10.0.0.0/8", "2001:db8::1"; NULL: anywhere. 0, or -EINVAL with @err told.
 */
int block_parse_from(const char *text, struct block_end *ret, struct error *err);

/* Adds to @ret (struct block) what blocking @target means: for each protocol and address one. TCP
 * and UDP where the target names none. 0, -EINVAL with @err told (@text: as it was typed), or
 * -ENOMEM. */
int block_targets(const struct target *target, const char *text, const struct block_end *from,
		  struct vector *ret, struct error *err);

/* Why a person's reason cannot stand in the kernel's table, or NULL. */
const char *block_reason_objection(const char *reason);

/* "anywhere", "outside", "0.0.0.0", "10.0.0.0/8", "::1". Written at @to with NUL. */
void block_end_text(const struct block_end *end, char *to, size_t size);

bool block_scope_equal(const struct block_scope *a, const struct block_scope *b);
/* The name that its set has in the kernel: "to_any_from_outside", "to_127.0.0.1_from_any". Every
 * character is one of an nft identifier. */
void block_scope_name(const struct block_scope *scope, char to[BLOCK_SCOPE_NAME_MAX]);
/* False: it is no scope's name. */
bool block_scope_parse(const char *name, struct block_scope *ret);

/* "tcp/8080", "udp/127.0.0.1:5353", "tcp/[::1]:8000-8010". Written at @to with NUL. */
void block_text(const struct block *block, char *to, size_t size);

/* What the kernel is to be asked for, worked out from what it has. Pure. */
struct block_change {
	struct vector removed; /* struct block: elements that go */
	struct vector after;   /* struct block: all that are to be; those not is_there are new */
};
void block_change_init(struct block_change *change);
void block_change_done(struct block_change *change);
/* Starts from what @table has. 0 or -ENOMEM. */
int block_change_begin(struct block_change *change, const struct block_table *table);
/* @wanted stands, in place of what its scope has of its ports. 0 or -ENOMEM. */
int block_change_add(struct block_change *change, const struct block *wanted);
/* What @wanted names goes: its ports in every scope with its `to` (any: in all) and, where
 * @has_from, its `from`. *@n counts blocks that gave up all or a part. 0 or -ENOMEM. */
int block_change_remove(struct block_change *change, const struct block *wanted, bool has_from,
			uint32_t *n);

/* The one of the table that holds what @wanted asks for; NULL: it does not stand. */
const struct block *block_find(const struct block_table *table, const struct block *wanted);

/* The next one in force, from *@at on, that refuses new traffic to that port at some address, and
 * from somewhere; NULL: no further one. *@at is 0 at first. */
const struct block *block_of_port(const struct block_table *table, uint8_t proto, uint16_t port,
				  uint32_t *at);

/* What became of the connections that were to be ended with a block. */
struct cut {
	uint32_t n_ended, n_failed; /* connections */
	uint32_t n_spared;	    /* the one that this session came through */
	uint32_t n_elsewhere;	    /* whose server is in no network namespace of this host */
	int error;		    /* negative errno of the first that failed */
};

#endif
