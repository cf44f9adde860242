/* What many rows speak of, kept once. */
#include <errno.h>
#include <string.h>

#include "base/out.h"
#include "base/table.h"
#include "history/intern.h"

/* While the disk is full no more than this waits. */
#define FRESH_MAX 262144
#define CREW_MAX 256

static const char *const tables[INTERN_MAX] = {"string", "netns", "process", "place", "crew"};

static uint64_t hash_bytes(uint8_t kind, const char *bytes, size_t n)
{
	uint64_t hash = 0x9e3779b97f4a7c15u * (kind + 1u) ^ n, word;
	for (; n >= 8; n -= 8, bytes += 8) {
		memcpy(&word, bytes, 8);
		hash = (hash ^ word) * 0x9fb21c651e98df25u;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, bytes, n);
	return table_mix(hash ^ word);
}

static int prepare_all(struct intern *intern, sqlite3 *db, struct error *err)
{
	const struct {
		sqlite3_stmt **statement;
		const char *sql;
	} all[] = {
		{&intern->put_string, "INSERT INTO string VALUES (?1, ?2, ?3)"},
		{&intern->put_crew, "INSERT INTO crew VALUES (?1, ?2, ?3)"},
		{&intern->put_netns, "INSERT INTO netns VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
		{&intern->put_process, "INSERT INTO process VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
				       " ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,"
				       " ?20)"},
		{&intern->put_place,
		 "INSERT INTO place VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"},
		{&intern->put_user, "INSERT OR REPLACE INTO user VALUES (?1, ?2)"},
	};
	int r = 0;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(all); i++)
		r = store_prepare(db, all[i].statement, err, "%s", all[i].sql);
	for (unsigned i = 0; r >= 0 && i < INTERN_MAX; i++)
		r = store_prepare(db, &intern->put_again[i], err,
				  "UPDATE %s SET seen = max(seen, ?2) WHERE id = ?1", tables[i]);
	for (unsigned i = 0; r >= 0 && i < INTERN_MAX; i++) {
		int64_t last;
		r = store_number(db, 0, &last, err, "SELECT max(id) FROM %s", tables[i]);
		intern->next[i] = r < 0 || last < 0 || last >= UINT32_MAX ? 1 : (uint32_t)last + 1;
	}
	return r;
}

static int start(struct intern *intern)
{
	arena_done(&intern->arena);
	intern->known.n = 0;
	return slots_start(&intern->slots, INTERN_KNOWN_MAX, INTERN_KNOWN_MAX);
}

int intern_init(struct intern *intern, sqlite3 *db, int64_t segment, struct error *err)
{
	*intern = (struct intern){.segment = segment};
	arena_init(&intern->arena);
	slots_init(&intern->slots);
	vector_init(&intern->known, sizeof(struct interned));
	vector_init(&intern->users, sizeof(struct user));
	vector_init(&intern->fresh.strings, sizeof(struct new_bytes));
	vector_init(&intern->fresh.crews, sizeof(struct new_bytes));
	vector_init(&intern->fresh.netns, sizeof(struct new_netns));
	vector_init(&intern->fresh.processes, sizeof(struct process_row));
	vector_init(&intern->fresh.places, sizeof(struct new_place));
	vector_init(&intern->fresh.users, sizeof(struct user));
	vector_init(&intern->fresh.again, sizeof(struct seen_again));
	intern->scratch = calloc(1, sizeof(*intern->scratch));
	if (!intern->scratch || out_init(intern->scratch, -1) < 0 || start(intern) < 0)
		return error_set(err, -ENOMEM, "record");
	return prepare_all(intern, db, err);
}

#define FRESH(i)                                                                                  \
	{                                                                                         \
		&(i)->fresh.strings, &(i)->fresh.crews, &(i)->fresh.netns, &(i)->fresh.processes, \
			&(i)->fresh.places, &(i)->fresh.users, &(i)->fresh.again                  \
	}

void intern_done(struct intern *intern)
{
	struct vector *vectors[] = FRESH(intern);
	sqlite3_stmt *const statements[] = {intern->put_string, intern->put_crew,
					    intern->put_netns,	intern->put_process,
					    intern->put_place,	intern->put_user};
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		vector_done(vectors[i]);
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		sqlite3_finalize(statements[i]);
	for (unsigned i = 0; i < INTERN_MAX; i++)
		sqlite3_finalize(intern->put_again[i]);
	vector_done(&intern->known);
	vector_done(&intern->users);
	slots_done(&intern->slots);
	arena_done(&intern->arena);
	if (intern->scratch)
		out_done(intern->scratch);
	free(intern->scratch);
}

bool intern_has_news(const struct intern *intern)
{
	const struct vector *const vectors[] = FRESH(intern);
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		if (vectors[i]->n)
			return true;
	return false;
}

/* ---- to find, and to make ---- */

/* What has these bytes; *@is_old: it was not yet used in this segment. NULL: it is new. */
static struct interned *find(struct intern *intern, uint8_t kind, const char *bytes, size_t n,
			     uint64_t hash, bool *is_old)
{
	uint32_t place;
	for (uint32_t i = slots_find(&intern->slots, hash, &place); i != SLOTS_NONE;
	     i = slots_next(&intern->slots, hash, &place)) {
		struct interned *known = vector_at(&intern->known, i);
		if (known->hash != hash || known->kind != kind || known->length != n ||
		    memcmp(known->key, bytes, n) != 0)
			continue;
		*is_old = known->seen < intern->segment;
		if (!*is_old)
			return known;
		struct seen_again *again = vector_add(&intern->fresh.again);
		if (again) {
			*again = (struct seen_again){.id = known->id, .kind = kind};
			known->seen = intern->segment;
		}
		return known;
	}
	return NULL;
}

static struct interned *add(struct intern *intern, uint8_t kind, const char *bytes, size_t n,
			    uint64_t hash)
{
	if (slots_is_full(&intern->slots) || n > UINT32_MAX ||
	    intern->fresh.strings.n + intern->fresh.processes.n > FRESH_MAX)
		return NULL;
	const char *key = arena_copy(&intern->arena, bytes, n);
	struct interned *known = key ? vector_add(&intern->known) : NULL;
	if (!known)
		return NULL;
	*known = (struct interned){.key = key,
				   .hash = hash,
				   .seen = intern->segment,
				   .id = intern->next[kind],
				   .length = (uint32_t)n,
				   .kind = kind};
	return known;
}

/* Only now is it found: what had no memory on the way is tried again the next time. */
static uint32_t keep(struct intern *intern, struct interned *known)
{
	slots_add(&intern->slots, known->hash, intern->known.n - 1);
	intern->next[known->kind]++;
	return known->id;
}

static uint32_t intern_bytes(struct intern *intern, uint8_t kind, const char *bytes, size_t n,
			     struct vector *fresh)
{
	bool is_old;
	uint64_t hash = hash_bytes(kind, bytes, n);
	struct interned *known = find(intern, kind, bytes, n, hash, &is_old);
	if (known)
		return known->id;
	known = add(intern, kind, bytes, n, hash);
	struct new_bytes *new = known ? vector_add(fresh) : NULL;
	if (!new) {
		intern->known.n -= known != NULL;
		return 0;
	}
	*new = (struct new_bytes){.bytes = known->key, .id = known->id, .length = known->length};
	return keep(intern, known);
}

static uint32_t intern_string(struct intern *intern, const char *text)
{
	if (!text)
		return 0;
	return intern_bytes(intern, INTERN_STRING, text, strlen(text), &intern->fresh.strings);
}

/* ---- namespaces ---- */

static uint32_t intern_netns(struct intern *intern, const struct snapshot *snapshot, uint32_t index)
{
	const struct netns *netns =
		index < snapshot->netns.n ? snapshot_netns(snapshot, index) : NULL;
	if (!netns)
		return 0;
	struct out *out = intern->scratch;
	out->n = 0;
	out_bytes(out, &netns->inode, sizeof(netns->inode));
	out_char(out, (char)(netns->is_self | netns->is_initial << 1));
	out_string(out, netns->name ? netns->name : "");
	out_char(out, '\0');
	size_t details = out->n;
	details_write(out, netns);
	if (out->error)
		return 0;

	bool is_old;
	uint64_t hash = hash_bytes(INTERN_NETNS, out->data, out->n);
	struct interned *known = find(intern, INTERN_NETNS, out->data, out->n, hash, &is_old);
	if (known) {
		uint32_t id = known->id;
		if (is_old)
			intern_string(intern, netns->name);
		return id;
	}
	uint32_t length = (uint32_t)(out->n - details), name = intern_string(intern, netns->name);
	known = add(intern, INTERN_NETNS, out->data, out->n, hash);
	struct new_netns *new = known ? vector_add(&intern->fresh.netns) : NULL;
	if (!new) {
		intern->known.n -= known != NULL;
		return 0;
	}
	*new = (struct new_netns){.inode = netns->inode,
				  .details = known->key + details,
				  .id = known->id,
				  .length = length,
				  .name = name,
				  .is_self = netns->is_self,
				  .is_initial = netns->is_initial};
	return keep(intern, known);
}

/* ---- users ---- */

static void intern_user(struct intern *intern, const struct snapshot *snapshot, uint32_t uid)
{
	for (uint32_t i = 0; i < intern->users.n; i++)
		if (((struct user *)vector_at(&intern->users, i))->uid == uid)
			return;
	const char *name = snapshot_user(snapshot, uid);
	if (!name || intern->users.n >= FRESH_MAX)
		return;
	struct user *known = vector_add(&intern->users);
	struct user *new = known ? vector_add(&intern->fresh.users) : NULL;
	if (known)
		*known = (struct user){.uid = uid};
	if (new)
		*new = (struct user){.uid = uid,
				     .name = arena_copy(&intern->arena, name, strlen(name))};
}

/* ---- processes ---- */

static void put_text(struct out *out, const char *text)
{
	out_char(out, text ? 1 : 0);
	if (text)
		out_bytes(out, text, strlen(text) + 1);
}

/* Its own facts, whole: two processes whose bytes are equal are one. */
static void process_bytes(struct out *out, const struct snapshot *snapshot,
			  const struct process *process)
{
	const struct container *container = snapshot_container(snapshot, process->container);
	const char *const texts[] = {process->name,
				     process->exe,
				     process->cmdline,
				     process->cwd,
				     process->unit,
				     process->runs,
				     process->from,
				     container ? container->id : NULL,
				     container ? container->name : NULL};
	const struct {
		uint64_t start_ticks, netns;
		double start_time;
		int32_t pid, ppid;
		uint32_t uid, known;
	} numbers = {.start_ticks = process->start_ticks,
		     .netns = process->netns == NONE
				      ? 0
				      : snapshot_netns(snapshot, process->netns)->inode,
		     .start_time = process->start_time,
		     .pid = process->pid,
		     .ppid = process->ppid,
		     .uid = process->uid,
		     .known = process->known};
	out->n = 0;
	out_bytes(out, &numbers, sizeof(numbers));
	out_char(out, (char)(process->exe_deleted << 7 | (container ? container->engine : 0)));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		put_text(out, texts[i]);
}

static struct process_row process_row(struct intern *intern, const struct snapshot *snapshot,
				      const struct process *process)
{
	const struct container *container = snapshot_container(snapshot, process->container);
	if (process->known & KNOWN_UID)
		intern_user(intern, snapshot, process->uid);
	return (struct process_row){
		.start_ticks = process->start_ticks,
		.start_time = process->start_time,
		.uid = process->uid,
		.known = process->known,
		.name = intern_string(intern, process->name),
		.exe = intern_string(intern, process->exe),
		.cmdline = intern_string(intern, process->cmdline),
		.cwd = intern_string(intern, process->cwd),
		.unit = intern_string(intern, process->unit),
		.runs = intern_string(intern, process->runs),
		.from = intern_string(intern, process->from),
		.container = container ? intern_string(intern, container->id) : 0,
		.container_name = container ? intern_string(intern, container->name) : 0,
		.netns = intern_netns(intern, snapshot, process->netns),
		.pid = process->pid,
		.ppid = process->ppid,
		.engine = container ? container->engine : 0,
		.exe_deleted = process->exe_deleted,
	};
}

uint32_t intern_process(struct intern *intern, const struct snapshot *snapshot, uint32_t index,
			uint32_t *ret_exe)
{
	*ret_exe = 0;
	if (index >= snapshot->processes.n)
		return 0;
	const struct process *process = snapshot_process(snapshot, index);
	struct out *out = intern->scratch;
	process_bytes(out, snapshot, process);
	if (out->error)
		return 0;
	bool is_old;
	uint64_t hash = hash_bytes(INTERN_PROCESS, out->data, out->n);
	struct interned *known = find(intern, INTERN_PROCESS, out->data, out->n, hash, &is_old);
	if (known) {
		if (is_old) {
			uint32_t id = known->id;
			*ret_exe = known->more;
			process_row(intern, snapshot, process); /* what it names is seen, too */
			return id;
		}
		*ret_exe = known->more;
		return known->id;
	}
	struct process_row row = process_row(intern, snapshot, process);
	process_bytes(out, snapshot, process); /* the namespace had the same scratch */
	known = out->error ? NULL : add(intern, INTERN_PROCESS, out->data, out->n, hash);
	struct process_row *new = known ? vector_add(&intern->fresh.processes) : NULL;
	if (!new) {
		intern->known.n -= known != NULL;
		return 0;
	}
	*new = row;
	new->id = known->id;
	known->more = *ret_exe = row.exe;
	return keep(intern, known);
}

uint32_t intern_crew(struct intern *intern, const struct snapshot *snapshot,
		     const struct socket *socket)
{
	uint32_t members[CREW_MAX * 2], n = 0, exe;
	const struct holder *holder = snapshot_holder(snapshot, socket->holder);
	for (holder = holder ? snapshot_holder(snapshot, holder->next) : NULL;
	     holder && n < CREW_MAX * 2; holder = snapshot_holder(snapshot, holder->next)) {
		uint32_t process = intern_process(intern, snapshot, holder->process, &exe);
		if (!process)
			continue;
		members[n++] = process;
		members[n++] = (uint32_t)holder->fd;
	}
	if (!n)
		return 0;
	return intern_bytes(intern, INTERN_CREW, (const char *)members, n * sizeof(*members),
			    &intern->fresh.crews);
}

/* ---- places ---- */

uint32_t intern_place(struct intern *intern, const struct snapshot *snapshot,
		      const struct socket *socket, uint8_t state)
{
	struct place place = {.proto = socket->proto,
			      .family = socket->family,
			      .state = state,
			      .flags = socket->flags & (uint8_t)~SOCKET_TWO_OWNERS,
			      .held_by = socket->held_by,
			      .uid = socket->uid,
			      .interface = socket->interface,
			      .local = socket->local,
			      .netns = intern_netns(intern, snapshot, socket->netns)};
	if (state == STATE_LISTEN)
		place.backlog = socket->send_queue;
	else
		place.flags &= (uint8_t)~SOCKET_QUEUES_KNOWN; /* true of one moment only */
	if (socket->flags & SOCKET_UID_KNOWN)
		intern_user(intern, snapshot, socket->uid);

	bool is_old;
	const char *bytes = (const char *)&place;
	uint64_t hash = hash_bytes(INTERN_PLACE, bytes, sizeof(place));
	struct interned *known = find(intern, INTERN_PLACE, bytes, sizeof(place), hash, &is_old);
	if (known)
		return known->id;
	known = add(intern, INTERN_PLACE, bytes, sizeof(place), hash);
	struct new_place *new = known ? vector_add(&intern->fresh.places) : NULL;
	if (!new) {
		intern->known.n -= known != NULL;
		return 0;
	}
	*new = (struct new_place){.place = place, .id = known->id};
	return keep(intern, known);
}
