/* What is new of strings, processes and places, written. */
#include <errno.h>
#include <string.h>

#include "history/intern.h"

#define KNOWN_ENOUGH 100000 /* then all is forgotten, and begins anew */
#define ARENA_ENOUGH (32u << 20)

/* 0, what is unknown, is NULL. */
static void bind_number(sqlite3_stmt *statement, int at, uint32_t number)
{
	if (number)
		sqlite3_bind_int64(statement, at, number);
	else
		sqlite3_bind_null(statement, at);
}

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
		sqlite3_bind_int64(put, 1, new->id);
		sqlite3_bind_int64(put, 2, intern->segment);
		sqlite3_bind_int64(put, 3, (int64_t) new->inode);
		bind_number(put, 4, new->name);
		sqlite3_bind_int(put, 5, new->is_self);
		sqlite3_bind_int(put, 6, new->is_initial);
		sqlite3_bind_blob(put, 7, new->details, (int)new->length, SQLITE_STATIC);
		code = store_step(put);
	}
	return code;
}

static int write_process(struct intern *intern, const struct process_row *row)
{
	sqlite3_stmt *put = intern->put_process;
	sqlite3_bind_int64(put, 1, row->id);
	sqlite3_bind_int64(put, 2, intern->segment);
	sqlite3_bind_int(put, 3, row->pid);
	sqlite3_bind_int(put, 4, row->ppid);
	sqlite3_bind_int64(put, 5, (int64_t)row->start_ticks);
	sqlite3_bind_double(put, 6, row->start_time);
	sqlite3_bind_int64(put, 7, row->uid);
	sqlite3_bind_int64(put, 8, row->known);
	bind_number(put, 9, row->name);
	bind_number(put, 10, row->exe);
	sqlite3_bind_int(put, 11, row->exe_deleted);
	bind_number(put, 12, row->cmdline);
	bind_number(put, 13, row->cwd);
	bind_number(put, 14, row->unit);
	bind_number(put, 15, row->runs);
	bind_number(put, 16, row->from);
	bind_number(put, 17, row->engine);
	bind_number(put, 18, row->container);
	bind_number(put, 19, row->container_name);
	bind_number(put, 20, row->netns);
	return store_step(put);
}

static int write_place(struct intern *intern, const struct new_place *new)
{
	sqlite3_stmt *put = intern->put_place;
	const struct place *place = &new->place;
	sqlite3_bind_int64(put, 1, new->id);
	sqlite3_bind_int64(put, 2, intern->segment);
	sqlite3_bind_int(put, 3, place->proto);
	sqlite3_bind_int(put, 4, place->family);
	sqlite3_bind_int(put, 5, place->state);
	sqlite3_bind_int(put, 6, place->flags);
	sqlite3_bind_int(put, 7, place->held_by);
	sqlite3_bind_int64(put, 8, place->uid);
	bind_number(put, 9, place->interface);
	sqlite3_bind_int64(put, 10, place->backlog);
	sqlite3_bind_blob(put, 11, place->local.bytes, sizeof(place->local.bytes), SQLITE_STATIC);
	bind_number(put, 12, place->netns);
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
