/* A snapshot put together again: things that are named by numbers, values by key. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "model/field.h"
#include "base/numbers.h"
#include "source/saved-restore.h"

#define SECONDS_MAX 1e11

static uint64_t netns_key(const void *owner, uint32_t index)
{
	return table_mix(snapshot_netns(owner, index)->inode);
}

static uint64_t pid_key(const void *owner, uint32_t index)
{
	return table_mix((uint64_t)snapshot_process(owner, index)->pid);
}

static uint64_t uid_key(const void *owner, uint32_t index)
{
	const struct snapshot *snapshot = owner;
	return table_mix(((const struct user *)vector_at(&snapshot->users, index))->uid);
}

static uint64_t mix_container(const struct container *container)
{
	return table_mix((uintptr_t)container->id ^ table_mix((uintptr_t)container->name) ^
			 container->engine);
}

static uint64_t container_key(const void *owner, uint32_t index)
{
	return mix_container(snapshot_container(owner, index));
}

static uint64_t inode_key(const void *owner, uint32_t index)
{
	return table_mix(snapshot_socket(owner, index)->inode);
}

static uint64_t mix_service(const struct service_name *service)
{
	return table_mix((uint64_t)service->port << 8 | service->proto);
}

static uint64_t service_key(const void *owner, uint32_t index)
{
	return mix_service(vector_at(owner, index));
}

int restore_init(struct restore *restore, const char *name)
{
	*restore = (struct restore){.name = name};
	vector_init(&restore->interfaces, sizeof(struct restore_interface));
	vector_init(&restore->services, sizeof(struct service_name));
	vector_init(&restore->peers, sizeof(struct restore_peer));
	vector_init(&restore->ranges, sizeof(struct restore_range));
	restore->snapshot = snapshot_new();
	table_init(&restore->by_netns, netns_key, restore->snapshot);
	table_init(&restore->by_pid, pid_key, restore->snapshot);
	table_init(&restore->by_uid, uid_key, restore->snapshot);
	table_init(&restore->by_container, container_key, restore->snapshot);
	table_init(&restore->by_inode, inode_key, restore->snapshot);
	table_init(&restore->by_service, service_key, &restore->services);
	if (!restore->snapshot)
		return -ENOMEM;
	restore->snapshot->origin = ORIGIN_FILE;
	restore->snapshot->is_privileged = true; /* what it could not see stands in `missing` */
	restore->snapshot->origin_name = arena_intern_string(&restore->snapshot->arena, name);
	return 0;
}

void restore_done(struct restore *restore)
{
	snapshot_free(restore->snapshot);
	vector_done(&restore->interfaces);
	vector_done(&restore->services);
	vector_done(&restore->peers);
	vector_done(&restore->ranges);
	table_done(&restore->by_netns);
	table_done(&restore->by_pid);
	table_done(&restore->by_uid);
	table_done(&restore->by_container);
	table_done(&restore->by_service);
	table_done(&restore->by_inode);
}

/* ---- values by key ---- */

static json_t *value_of(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_null(value) ? NULL : value;
}

static void set_wrong(struct restore *restore, const char *key)
{
	if (!restore->wrong)
		restore->wrong = key;
}

bool restore_number(struct restore *restore, json_t *object, const char *key, uint64_t max,
		    uint64_t *ret)
{
	json_t *value = value_of(object, key);
	if (!value)
		return false;
	json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
	if (number < 0 || (uint64_t)number > max) {
		set_wrong(restore, key);
		return false;
	}
	*ret = (uint64_t)number;
	return true;
}

bool restore_real(struct restore *restore, json_t *object, const char *key, double *ret)
{
	json_t *value = value_of(object, key);
	if (!value)
		return false;
	double number = json_is_number(value) ? json_number_value(value) : -1;
	if (!(number >= 0 && number <= SECONDS_MAX)) {
		set_wrong(restore, key);
		return false;
	}
	*ret = number;
	return true;
}

int restore_bool(struct restore *restore, json_t *object, const char *key)
{
	json_t *value = value_of(object, key);
	if (!value)
		return -1;
	if (!json_is_boolean(value)) {
		set_wrong(restore, key);
		return -1;
	}
	return json_is_true(value);
}

const char *restore_text(struct restore *restore, json_t *object, const char *key)
{
	json_t *value = value_of(object, key);
	if (!value)
		return NULL;
	if (!json_is_string(value)) {
		set_wrong(restore, key);
		return NULL;
	}
	const char *text = arena_intern(&restore->snapshot->arena, json_string_value(value),
					json_string_length(value));
	restore->has_no_memory |= !text;
	return text;
}

int restore_word(struct restore *restore, json_t *object, const char *key, const char *const *words,
		 int n)
{
	json_t *value = value_of(object, key);
	if (!value)
		return -1;
	const char *text = json_string_value(value);
	for (int i = 0; text && i < n; i++)
		if (words[i] && words[i][0] && strcmp(words[i], text) == 0)
			return i;
	set_wrong(restore, key);
	return -1;
}

/* ---- things that are known by a number ---- */

uint32_t restore_netns(struct restore *restore, uint64_t inode)
{
	struct snapshot *snapshot = restore->snapshot;
	uint32_t place;
	uint64_t key = table_mix(inode);
	for (uint32_t i = table_find(&restore->by_netns, key, &place); i != TABLE_NONE;
	     i = table_next(&restore->by_netns, key, &place))
		if (snapshot_netns(snapshot, i)->inode == inode)
			return i;
	struct netns *added = vector_add(&snapshot->netns);
	struct restore_range *range = vector_add(&restore->ranges);
	if (!added || !range)
		return NONE;
	*range = (struct restore_range){0};
	*added = (struct netns){.inode = inode};
	uint32_t index = snapshot->netns.n - 1;
	return table_add(&restore->by_netns, key, index) < 0 ? NONE : index;
}

/* A process is its pid and start time; where only one side knows the time the pid must do. */
uint32_t restore_process(struct restore *restore, int32_t pid, double start_time)
{
	struct snapshot *snapshot = restore->snapshot;
	uint32_t place;
	uint64_t key = table_mix((uint64_t)pid);
	for (uint32_t i = table_find(&restore->by_pid, key, &place); i != TABLE_NONE;
	     i = table_next(&restore->by_pid, key, &place)) {
		struct process *process = vector_at(&snapshot->processes, i);
		if (process->pid == pid && (!(process->known & KNOWN_STAT) || start_time <= 0 ||
					    fabs(process->start_time - start_time) < 0.005))
			return i;
	}
	struct process *added = vector_add(&snapshot->processes);
	if (!added)
		return NONE;
	*added = (struct process){.pid = pid, .container = NONE, .parent = NONE, .netns = NONE};
	uint32_t index = snapshot->processes.n - 1;
	return table_add(&restore->by_pid, key, index) < 0 ? NONE : index;
}

void restore_user(struct restore *restore, uint32_t uid, const char *name)
{
	struct snapshot *snapshot = restore->snapshot;
	uint32_t place;
	uint64_t key = table_mix(uid);
	for (uint32_t i = table_find(&restore->by_uid, key, &place); i != TABLE_NONE;
	     i = table_next(&restore->by_uid, key, &place)) {
		struct user *user = vector_at(&snapshot->users, i);
		if (user->uid == uid) {
			user->name = user->name ? user->name : name;
			return;
		}
	}
	struct user *added = vector_add(&snapshot->users);
	if (added)
		*added = (struct user){.uid = uid, .name = name};
	restore->has_no_memory |=
		!added || table_add(&restore->by_uid, key, snapshot->users.n - 1) < 0;
}

uint32_t restore_container(struct restore *restore, json_t *object, const char *key)
{
	json_t *value = value_of(object, key);
	if (!value)
		return NONE;
	if (!json_is_object(value)) {
		set_wrong(restore, key);
		return NONE;
	}
	struct container container = {
		.id = restore_text(restore, value, "id"),
		.name = restore_text(restore, value, "name"),
	};
	int engine = restore_word(restore, value, "engine", engine_words, ENGINE_MAX);
	container.engine = engine < 0 ? ENGINE_NONE : (uint8_t)engine;

	uint32_t place;
	uint64_t mixed = mix_container(&container);
	for (uint32_t i = table_find(&restore->by_container, mixed, &place); i != TABLE_NONE;
	     i = table_next(&restore->by_container, mixed, &place)) {
		const struct container *known = snapshot_container(restore->snapshot, i);
		if (known->id == container.id && known->name == container.name &&
		    known->engine == container.engine)
			return i;
	}
	struct container *added = vector_add(&restore->snapshot->containers);
	if (added)
		*added = container;
	uint32_t index = restore->snapshot->containers.n - 1;
	if (added && table_add(&restore->by_container, mixed, index) >= 0)
		return index;
	restore->has_no_memory = true;
	return NONE;
}

/* ---- the end ---- */

static int compare_services(const void *a, const void *b)
{
	const struct service_name *x = a, *y = b;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return (x->proto > y->proto) - (x->proto < y->proto);
}

static int keep_services(struct restore *restore)
{
	struct arena *arena = &restore->snapshot->arena;
	uint32_t n = restore->services.n;
	if (!n)
		return 0;
	struct services *services = arena_alloc(arena, sizeof(*services));
	struct service_name *names = arena_alloc(arena, (size_t)n * sizeof(*names));
	if (!services || !names)
		return -ENOMEM;
	memcpy(names, restore->services.data, (size_t)n * sizeof(*names));
	qsort(names, n, sizeof(*names), compare_services);
	*services = (struct services){.names = names, .n = n};
	restore->snapshot->services = services;
	return 0;
}

static uint32_t number_of_interface(const struct netns *netns, const char *name)
{
	for (uint32_t i = 0; i < netns->n_interfaces; i++)
		if (netns->interfaces[i].name == name)
			return netns->interfaces[i].index;
	return 0;
}

/* A name that no entry of `namespaces` explains gets a number that no real interface has. */
static int add_interface(struct restore *restore, uint32_t netns_index, const char *name,
			 uint32_t number)
{
	struct netns *netns = vector_at(&restore->snapshot->netns, netns_index);
	struct interface *longer = arena_alloc(&restore->snapshot->arena,
					       (netns->n_interfaces + 1u) * sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	if (netns->n_interfaces)
		memcpy(longer, netns->interfaces, netns->n_interfaces * sizeof(*longer));
	longer[netns->n_interfaces] =
		(struct interface){.index = number, .name = name, .is_up = true};
	netns->interfaces = longer;
	netns->n_interfaces++;
	return 0;
}

#define INTERFACE_UNKNOWN 0x40000000u

/* Until now a socket's interface was the place of its name in the list, and one. */
static int settle_interfaces(struct restore *restore)
{
	struct snapshot *snapshot = restore->snapshot;
	uint32_t n = restore->interfaces.n;
	if (!n)
		return 0;
	cleanup(freep) uint32_t *numbers = calloc(n, sizeof(*numbers));
	if (!numbers)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct restore_interface *named = vector_at(&restore->interfaces, i);
		const char *name = named->name;
		uint32_t number = 0;
		if (named->netns != NONE)
			number = number_of_interface(snapshot_netns(snapshot, named->netns), name);
		if (!number && number_u32(name, 1, UINT32_MAX, &number) < 0) {
			number = INTERFACE_UNKNOWN + i;
			if (named->netns != NONE &&
			    add_interface(restore, named->netns, name, number) < 0)
				return -ENOMEM;
		}
		numbers[i] = number;
	}
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		struct socket *socket = vector_at(&snapshot->sockets, i);
		if (socket->interface)
			socket->interface = numbers[socket->interface - 1];
	}
	return 0;
}

static int keep_peers(struct restore *restore)
{
	struct snapshot *snapshot = restore->snapshot;
	if (!(restore->told & TOLD_PEERS))
		return 0;
	snapshot->peer_processes =
		malloc(((size_t)snapshot->sockets.n + 1) * sizeof(*snapshot->peer_processes));
	if (!snapshot->peer_processes)
		return -ENOMEM;
	for (uint32_t i = 0; i < snapshot->sockets.n; i++)
		snapshot->peer_processes[i] = NONE;
	for (uint32_t i = 0; i < restore->peers.n; i++) {
		const struct restore_peer *peer = vector_at(&restore->peers, i);
		snapshot->peer_processes[peer->socket] = peer->process;
	}
	return 0;
}

#define EPHEMERAL_FIRST 32768 /* net/ipv4/af_inet.c, inet_init_net() */
#define EPHEMERAL_LAST 60999

void restore_ephemeral(struct restore *restore, const struct socket *socket, bool is_ephemeral)
{
	struct restore_range *range = vector_at(&restore->ranges, socket->netns);
	uint16_t port = socket->local_port;
	range->is_told = true;
	range->is_unusual |= is_ephemeral != (port >= EPHEMERAL_FIRST && port <= EPHEMERAL_LAST);
	if (!is_ephemeral)
		return;
	range->first = range->first && range->first < port ? range->first : port;
	range->last = range->last > port ? range->last : port;
}

/* JSON lines say only of each port whether it is in its namespace's range: the default where that
 * agrees with all of them. */
static void guess_ranges(struct restore *restore)
{
	for (uint32_t i = 0; i < restore->ranges.n; i++) {
		const struct restore_range *range = vector_at(&restore->ranges, i);
		struct netns *netns = vector_at(&restore->snapshot->netns, i);
		if (!range->is_told || netns->ephemeral.last)
			continue;
		netns->ephemeral = range->is_unusual
					   ? (struct port_range){range->first, range->last}
					   : (struct port_range){EPHEMERAL_FIRST, EPHEMERAL_LAST};
	}
}

/* Where the file does not say which namespace it was made in, a single one is it. */
static void guess_self(struct snapshot *snapshot)
{
	if (snapshot->netns.n == 1)
		((struct netns *)vector_at(&snapshot->netns, 0))->is_self = true;
}

static int tell_missing(const struct restore *restore)
{
	static const struct missing
		cut = {.what = WHAT_SOCKETS, .why = WHY_CUT, .hint = "the file ends early"},
		broken = {.what = WHAT_SOCKETS,
			  .why = WHY_CUT,
			  .hint = "a dump in it ended with an error"},
		absent = {.what = WHAT_SOCKETS,
			  .why = WHY_UNSUPPORTED,
			  .hint = "the kernel that was recorded could not list all kinds"};
	int r = restore->is_cut ? snapshot_add_missing(restore->snapshot, &cut) : 0;
	if (r >= 0 && restore->has_broken_end)
		r = snapshot_add_missing(restore->snapshot, &broken);
	if (r >= 0 && restore->has_absent)
		r = snapshot_add_missing(restore->snapshot, &absent);
	return r;
}

int restore_finish(struct restore *restore, struct snapshot **ret)
{
	struct snapshot *snapshot = restore->snapshot;
	int r = keep_services(restore);
	if (r >= 0)
		r = settle_interfaces(restore);
	if (r >= 0)
		r = keep_peers(restore);
	if (!(restore->told & TOLD_NAMESPACES))
		guess_self(snapshot);
	guess_ranges(restore);

	if (r >= 0)
		r = tell_missing(restore);
	snapshot->collected = NEED_PEERS;
	if (!(restore->told & TOLD_ROLE))
		snapshot->collected |= NEED_ROLE;
	if (!(restore->told & TOLD_TWO_OWNERS))
		snapshot->collected |= NEED_HOLDERS;
	if (r >= 0)
		r = snapshot_seal(snapshot);
	if (r >= 0)
		*ret = TAKE_POINTER(restore->snapshot);
	return r;
}
