/* What is new of strings, processes and places, written. */
#include <errno.h>
#include <string.h>

#include "history/intern.h"

#define KNOWN_ENOUGH 100000 /* then all is forgotten, and begins anew */
#define ARENA_ENOUGH (32u << 20)

static int write_bytes(sqlite3_stmt *put, const struct vector *fresh, int64_t seen)
{
	int code = SQLITE_OK;
	for (uint32_t i = 0; code == SQLITE_OK && i < fresh->n; i++) {
		const struct new_bytes *new = vector_at(fresh, i);
		sqlite3_bind_int64(put, 1, new->id);
		sqlite3_bind_int64(put, 2, seen);
		sqlite3_bind_blob(put, 3, new->bytes, (int)new->length, SQLITE_STATIC);
		code = store_step(put);
	}
	return code;
}

static int write_netns(struct intern *intern)
{
	sqlite3_stmt *put = intern->put_netns;
	int code = SQLITE_OK;
	for (uint32_t i = 0; code == SQLITE_OK && i < intern->fresh.netns.n; i++) {
		const struct new_netns *new = vector_at(&intern->fresh.netns, i);
		const int64_t numbers[] = {new->id,
					   intern->segment,
					   (int64_t) new->inode,
					   number_known(new->name),
					   new->is_self,
					   new->is_initial};
		store_bind(put, 1, numbers, ARRAY_SIZE(numbers));
		sqlite3_bind_blob(put, 7, new->details, (int)new->length, SQLITE_STATIC);
		code = store_step(put);
	}
	return code;
}

static int write_process(struct intern *intern, const struct process_row *row)
{
	sqlite3_stmt *put = intern->put_process;
	const int64_t numbers[] = {row->id, intern->segment, row->pid, row->ppid,
				   (int64_t)row->start_ticks},
		      rest[] = {row->uid,
				row->known,
				number_known(row->name),
				number_known(row->exe),
				row->exe_deleted,
				number_known(row->cmdline),
				number_known(row->cwd),
				number_known(row->unit),
				number_known(row->runs),
				number_known(row->from),
				number_known(row->engine),
				number_known(row->container),
				number_known(row->container_name),
				number_known(row->netns)};
	store_bind(put, 1, numbers, ARRAY_SIZE(numbers));
	sqlite3_bind_double(put, 6, row->start_time);
	store_bind(put, 7, rest, ARRAY_SIZE(rest));
	return store_step(put);
}

static int write_place(struct intern *intern, const struct new_place *new)
{
	sqlite3_stmt *put = intern->put_place;
	const struct place *place = &new->place;
	const int64_t numbers[] = {new->id,	   intern->segment, place->proto,
				   place->family,  place->state,    place->flags,
				   place->held_by, place->uid,	    number_known(place->interface),
				   place->backlog},
		      netns = number_known(place->netns);
	store_bind(put, 1, numbers, ARRAY_SIZE(numbers));
	sqlite3_bind_blob(put, 11, place->local.bytes, sizeof(place->local.bytes), SQLITE_STATIC);
	store_bind(put, 12, &netns, 1);
	return store_step(put);
}

static int write_users(struct intern *intern)
{
	sqlite3_stmt *put = intern->put_user;
	int code = SQLITE_OK;
	for (uint32_t i = 0; code == SQLITE_OK && i < intern->fresh.users.n; i++) {
		const struct user *user = vector_at(&intern->fresh.users, i);
		sqlite3_bind_int64(put, 1, user->uid);
		sqlite3_bind_text(put, 2, user->name, -1, SQLITE_STATIC);
		code = store_step(put);
	}
	return code;
}

int intern_write(struct intern *intern)
{
	int code = write_bytes(intern->put_string, &intern->fresh.strings, intern->segment);
	if (code == SQLITE_OK)
		code = write_bytes(intern->put_crew, &intern->fresh.crews, intern->segment);
	if (code == SQLITE_OK)
		code = write_netns(intern);
	for (uint32_t i = 0; code == SQLITE_OK && i < intern->fresh.processes.n; i++)
		code = write_process(intern, vector_at(&intern->fresh.processes, i));
	for (uint32_t i = 0; code == SQLITE_OK && i < intern->fresh.places.n; i++)
		code = write_place(intern, vector_at(&intern->fresh.places, i));
	if (code == SQLITE_OK)
		code = write_users(intern);
	for (uint32_t i = 0; code == SQLITE_OK && i < intern->fresh.again.n; i++) {
		const struct seen_again *again = vector_at(&intern->fresh.again, i);
		sqlite3_stmt *put = intern->put_again[again->kind];
		sqlite3_bind_int64(put, 1, again->id);
		sqlite3_bind_int64(put, 2, intern->segment);
		code = store_step(put);
	}
	return code;
}

int intern_written(struct intern *intern)
{
	struct vector *const vectors[] = {&intern->fresh.strings, &intern->fresh.crews,
					  &intern->fresh.netns,	  &intern->fresh.processes,
					  &intern->fresh.places,  &intern->fresh.users,
					  &intern->fresh.again};
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		vectors[i]->n = 0;
	if (intern->known.n < KNOWN_ENOUGH && arena_size(&intern->arena) < ARENA_ENOUGH)
		return 0;
	arena_done(&intern->arena);
	intern->known.n = 0;
	return slots_start(&intern->slots, INTERN_KNOWN_MAX, INTERN_KNOWN_MAX);
}
