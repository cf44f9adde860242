/* Blocks: read, worked out, changed in one transaction, read again. */
#include <errno.h>
#include <linux/capability.h>

#include "act/block.h"
#include "base/module.h"
#include "base/privilege.h"

#define TRIES_MAX 16 /* an element that ends, or another's change, between reading and changing */

static int tell_refused(int code, struct error *err)
{
	error_set(err, code, "the packet filter");
	error_hint(err, "run it with sudo: it needs the capability CAP_NET_ADMIN");
	return code;
}

int block_open(struct host *host, const struct netns_scope *scope, struct block_place *ret,
	       struct error *err)
{
	*ret = (struct block_place){.nft = NULL};
	vector_init(&ret->netns, sizeof(struct found_netns));
	if (!privilege_has(CAP_NET_ADMIN))
		return tell_refused(-EPERM, err);
	int r = netns_find(host, scope, NULL, &ret->netns, NULL, err);
	if (r < 0)
		return r;
	if (!ret->netns.n)
		return error_set(err, -ENOENT, "find the network namespace");
	ret->nft = module_get("nft", NFT_VERSION, err);
	return ret->nft ? 0 : -ENOTSUP;
}

void block_close(struct block_place *place)
{
	netns_list_done(&place->netns);
}

/* ---- inside the namespace ---- */

struct call {
	const struct nft *nft;
	struct block_table *table;
	const struct block_change *change;
	struct error *err;
};

static int read_inside(void *data)
{
	struct call *call = data;
	return call->nft->read(call->table, call->err);
}

static int change_inside(void *data)
{
	struct call *call = data;
	return call->nft->change(call->table, call->change, call->err);
}

static int call_inside(const struct block_place *place, int (*inside)(void *),
		       const struct call *asked, struct error *err)
{
	struct error told = {.code = 0};
	struct call call = *asked;
	call.nft = place->nft;
	call.err = &told;
	int r = netns_call(block_netns(place), inside, &call);
	if (r >= 0 || r == -EAGAIN)
		return r;
	if (r == -EPERM || r == -EACCES)
		return tell_refused(r, err);
	if (!told.code)
		return error_set(err, r, "enter the network namespace");
	if (err)
		*err = told;
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct block *x = a, *y = b;
	char name_x[BLOCK_SCOPE_NAME_MAX], name_y[BLOCK_SCOPE_NAME_MAX];
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->proto != y->proto)
		return x->proto < y->proto ? -1 : 1;
	block_scope_name(&x->scope, name_x);
	block_scope_name(&y->scope, name_y);
	return strcmp(name_x, name_y);
}

int block_read(const struct block_place *place, struct block_table *ret, struct error *err)
{
	const struct call call = {.table = ret};
	block_table_done(ret);
	block_table_init(ret);
	int r = call_inside(place, read_inside, &call, err);
	if (r >= 0 && ret->blocks.n)
		qsort(ret->blocks.data, ret->blocks.n, sizeof(struct block), compare);
	return r;
}

static int change(const struct block_place *place, struct block_table *table,
		  const struct block_change *asked, struct error *err)
{
	const struct call call = {.table = table, .change = asked};
	return call_inside(place, change_inside, &call, err);
}

/* ---- the two changes ---- */

static int try_add(const struct block_place *place, const struct vector *wanted,
		   struct block_table *table, struct error *err)
{
	cleanup(block_change_done) struct block_change asked;
	block_change_init(&asked);
	int r = block_read(place, table, err);
	if (r < 0)
		return r;
	r = block_change_begin(&asked, table);
	for (uint32_t i = 0; r >= 0 && i < wanted->n; i++)
		r = block_change_add(&asked, vector_at(wanted, i));
	return r < 0 ? error_set(err, r, "work the blocks out") : change(place, table, &asked, err);
}

static int tell_unquiet(int r, struct error *err)
{
	if (r == -EAGAIN)
		error_text(err, r,
			   "the packet filter: our table changes under way, again and again");
	return r;
}

/* The first of @wanted that is not in the table; NULL: all stand. */
static const struct block *find_absent(const struct block_table *table, const struct vector *wanted)
{
	for (uint32_t i = 0; i < wanted->n; i++)
		if (!block_find(table, vector_at(wanted, i)))
			return vector_at(wanted, i);
	return NULL;
}

int block_add(const struct block_place *place, const struct vector *wanted, struct block_table *ret,
	      struct error *err)
{
	/* Looked at afterwards. Who changes the table at the same moment may be seen in the middle
	 * of it, so what is absent is asked for again before it is said not to stand. */
	const struct block *absent = NULL;
	int r = -EAGAIN;
	for (unsigned i = 0; (r == -EAGAIN || absent) && i < TRIES_MAX; i++) {
		absent = NULL;
		r = try_add(place, wanted, ret, err);
		if (r >= 0)
			r = block_read(place, ret, err);
		if (r >= 0)
			absent = find_absent(ret, wanted);
		if (r < 0 && r != -EAGAIN)
			return r;
	}
	if (r >= 0 && absent) {
		char text[128];
		block_text(absent, text, sizeof(text));
		return error_text(err, -EIO, "%s: the packet filter took it, and it does not stand",
				  text);
	}
	return r < 0 ? tell_unquiet(r, err) : r;
}

static int try_remove(const struct block_place *place, const struct vector *wanted, bool has_from,
		      struct block_table *table, uint32_t *n, struct error *err)
{
	cleanup(block_change_done) struct block_change asked;
	block_change_init(&asked);
	*n = 0;
	int r = block_read(place, table, err);
	if (r < 0 || !table->is_there)
		return r;
	if (table->is_dormant && wanted) {
		error_text(err, -EBUSY,
			   "our table is dormant: it refuses nothing, nor can it be read");
		error_hint(err, "`doorward unblock --all` takes it away");
		return -EBUSY;
	}
	if (wanted)
		r = block_change_begin(&asked, table);
	else
		*n = table->is_dormant ? 1 : table->blocks.n;
	for (uint32_t i = 0; wanted && r >= 0 && i < wanted->n; i++)
		r = block_change_remove(&asked, vector_at(wanted, i), has_from, n);
	if (r < 0)
		return error_set(err, r, "work the blocks out");
	return *n || !table->blocks.n ? change(place, table, &asked, err) : 0;
}

int block_remove(const struct block_place *place, const struct vector *wanted, bool has_from,
		 struct block_table *ret, uint32_t *n, struct error *err)
{
	int r = -EAGAIN;
	for (unsigned i = 0; r == -EAGAIN && i < TRIES_MAX; i++)
		r = try_remove(place, wanted, has_from, ret, n, err);
	return r < 0 ? tell_unquiet(r, err) : block_read(place, ret, err);
}
