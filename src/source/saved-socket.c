/* One socket of a saved snapshot with its holders: from JSON's keys (model/fields-*.c) to nouns. */
#include <errno.h>
#include <string.h>

#include "source/saved-restore.h"

#define PARENTS_MAX 64

/* A process that is only named: {"pid":..., "name":..., "exe":...}. */
static uint32_t named_process(struct restore *restore, json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	uint64_t pid;
	if (!json_is_object(value) || !restore_number(restore, value, "pid", INT32_MAX, &pid))
		return NONE;
	const char *name = restore_text(restore, value, "name"),
		   *exe = restore_text(restore, value, "exe");
	uint32_t index = restore_process(restore, (int32_t)pid, 0);
	if (index == NONE) {
		restore->has_no_memory = true;
		return NONE;
	}
	struct process *process = vector_at(&restore->snapshot->processes, index);
	process->name = process->name ? process->name : name;
	process->exe = process->exe ? process->exe : exe;
	return index;
}

static void read_uid(struct restore *restore, json_t *object, struct process *process)
{
	uint64_t uid;
	const char *user = restore_text(restore, object, "user");
	if (!restore_number(restore, object, "uid", UINT32_MAX, &uid))
		return;
	process->uid = (uint32_t)uid;
	process->known |= KNOWN_UID;
	restore_user(restore, (uint32_t)uid, user);
}

static bool is_above(const struct snapshot *snapshot, uint32_t process, uint32_t start)
{
	for (unsigned i = 0; start != NONE && i < PARENTS_MAX; i++) {
		if (start == process)
			return true;
		start = snapshot_process(snapshot, start)->parent;
	}
	return start != NONE;
}

/* From the parent up to the first process. A chain never leads back into itself. */
static void read_parents(struct restore *restore, json_t *object, uint32_t child)
{
	struct snapshot *snapshot = restore->snapshot;
	json_t *parents = json_object_get(object, "parents"), *parent;
	size_t i;
	json_array_foreach(parents, i, parent)
	{
		uint64_t pid;
		if (i == PARENTS_MAX || !json_is_object(parent) ||
		    !restore_number(restore, parent, "pid", INT32_MAX, &pid))
			return;
		uint32_t index = restore_process(restore, (int32_t)pid, 0);
		if (index == NONE) {
			restore->has_no_memory = true;
			return;
		}
		struct process *process = vector_at(&snapshot->processes, index);
		if (!process->name)
			process->name = restore_text(restore, parent, "name");
		if (!process->unit)
			process->unit = restore_text(restore, parent, "unit");
		if (!process->is)
			process->is = restore_text(restore, parent, "is");
		if (!process->from)
			process->from = restore_text(restore, parent, "from");
		if (process->container == NONE)
			process->container = restore_container(restore, parent, "container");
		if (!(process->known & KNOWN_UID))
			read_uid(restore, parent, process);

		struct process *below = vector_at(&snapshot->processes, child);
		if (below->parent == NONE && !is_above(snapshot, child, index))
			below->parent = index;
		if (!below->ppid)
			below->ppid = (int32_t)pid;
		child = index;
	}
}

static const char *or_text(struct restore *restore, const char *known, json_t *object,
			   const char *key)
{
	return known ? known : restore_text(restore, object, key);
}

static void read_process(struct restore *restore, json_t *object, struct process *process)
{
	uint64_t ppid = 0;
	double start_time = 0;
	process->name = or_text(restore, process->name, object, "name");
	process->runs = or_text(restore, process->runs, object, "runs");
	process->exe = or_text(restore, process->exe, object, "exe");
	process->cmdline = or_text(restore, process->cmdline, object, "cmdline");
	process->cwd = or_text(restore, process->cwd, object, "cwd");
	process->unit = or_text(restore, process->unit, object, "unit");
	process->known |= process->cmdline ? KNOWN_CMDLINE : 0;
	process->known |= process->cwd ? KNOWN_CWD : 0;

	int deleted = restore_bool(restore, object, "exe_deleted");
	if (deleted >= 0) {
		process->exe_deleted = deleted;
		process->known |= KNOWN_EXE;
	}
	if (restore_real(restore, object, "start_time", &start_time)) {
		process->start_time = start_time;
		process->known |= KNOWN_STAT;
	}
	if (restore_number(restore, object, "ppid", INT32_MAX, &ppid))
		process->ppid = (int32_t)ppid;
	if (json_object_get(object, "uid"))
		read_uid(restore, object, process);
	if (process->container == NONE) {
		uint32_t container = restore_container(restore, object, "container");
		process->container = container;
		process->known |= container != NONE || process->unit ? KNOWN_CGROUP : 0;
	}
}

static int read_holder(struct restore *restore, json_t *object, uint32_t socket)
{
	uint64_t pid, fd;
	double start_time = 0;
	if (!json_is_object(object) || !restore_number(restore, object, "pid", INT32_MAX, &pid)) {
		restore->wrong = restore->wrong ? restore->wrong : "pid";
		return 0;
	}
	restore_real(restore, object, "start_time", &start_time);
	bool has_fd = restore_number(restore, object, "fd", INT32_MAX, &fd);
	uint32_t index = restore_process(restore, (int32_t)pid, start_time);
	if (index == NONE)
		return -ENOMEM;
	read_process(restore, object, vector_at(&restore->snapshot->processes, index));
	read_parents(restore, object, index);
	if (snapshot_add_holder(restore->snapshot, socket, index, has_fd ? (int32_t)fd : -1) ==
	    NONE)
		return -ENOMEM;
	return 0;
}

static int read_holders(struct restore *restore, json_t *object, uint32_t socket)
{
	json_t *holders = json_object_get(object, "holders"), *holder;
	size_t i;
	if (holders && !json_is_null(holders) && !json_is_array(holders))
		restore->wrong = restore->wrong ? restore->wrong : "holders";
	json_array_foreach(holders, i, holder)
	{
		int r = read_holder(restore, holder, socket);
		if (r < 0)
			return r;
	}
	return 0;
}

static uint32_t container_of_holders(const struct snapshot *snapshot, uint32_t socket)
{
	for (const struct holder *holder =
		     snapshot_holder(snapshot, snapshot_socket(snapshot, socket)->holder);
	     holder; holder = snapshot_holder(snapshot, holder->next)) {
		uint32_t container = snapshot_process(snapshot, holder->process)->container;
		if (container != NONE)
			return container;
	}
	return NONE;
}

/* Who answers for a holder. A file without that key may still name another's container. */
static int read_answer(struct restore *restore, json_t *object, uint32_t socket)
{
	struct snapshot *snapshot = restore->snapshot;
	json_t *answered = json_object_get(object, "answered_by");
	struct answer_for answer = {.socket = socket, .container = NONE, .process = NONE};
	if (json_is_object(answered)) {
		answer.unit = restore_text(restore, answered, "unit");
		answer.container = restore_container(restore, answered, "container");
		answer.process = named_process(restore, answered, "process");
	} else {
		answer.container = restore_container(restore, object, "container");
		if (answered || answer.container == NONE ||
		    answer.container == container_of_holders(snapshot, socket))
			return 0;
	}
	struct answer_for *added = vector_add(&snapshot->answers);
	if (!added)
		return -ENOMEM;
	*added = answer;
	return 0;
}

static int read_peer(struct restore *restore, json_t *object, uint32_t socket)
{
	if (!json_object_get(object, "peer_process"))
		return 0;
	restore->told |= TOLD_PEERS;
	uint32_t process = named_process(restore, object, "peer_process");
	if (process == NONE)
		return 0;
	struct restore_peer *peer = vector_add(&restore->peers);
	if (!peer)
		return -ENOMEM;
	*peer = (struct restore_peer){.socket = socket, .process = process};
	return 0;
}

static int read_tcp_info(struct restore *restore, json_t *object, struct socket *socket)
{
	uint64_t rtt = 0, variance = 0, cwnd = 0, retransmits = 0, acked = 0, received = 0,
		 idle = 0;
	bool has = restore_number(restore, object, "rtt", UINT32_MAX, &rtt);
	has |= restore_number(restore, object, "rtt_variance", UINT32_MAX, &variance);
	has |= restore_number(restore, object, "cwnd", UINT32_MAX, &cwnd);
	has |= restore_number(restore, object, "retransmits", UINT32_MAX, &retransmits);
	has |= restore_number(restore, object, "bytes_acked", INT64_MAX, &acked);
	has |= restore_number(restore, object, "bytes_received", INT64_MAX, &received);
	has |= restore_number(restore, object, "last_activity", UINT32_MAX, &idle);
	if (!has)
		return 0;
	struct tcp_info_part *info = vector_add(&restore->snapshot->tcp_infos);
	if (!info)
		return -ENOMEM;
	*info = (struct tcp_info_part){
		.rtt = (uint32_t)rtt,
		.rtt_variance = (uint32_t)variance,
		.cwnd = (uint32_t)cwnd,
		.retransmits = (uint32_t)retransmits,
		.bytes_acked = acked,
		.bytes_received = received,
		.last_data_sent = (uint32_t)idle,
		.last_data_received = (uint32_t)idle,
	};
	socket->tcp_info = restore->snapshot->tcp_infos.n - 1;
	return 0;
}

/* An address of the socket's family; null is any. */
static struct ip read_address(struct restore *restore, json_t *object, const char *key,
			      enum family family)
{
	struct ip ip;
	bool is_v4;
	json_t *value = json_object_get(object, key);
	if (!value || json_is_null(value))
		return family == FAMILY_IPV4 ? ip_from_v4((const uint8_t[4]){0})
					     : ip_from_v6((const uint8_t[16]){0});
	if (!json_is_string(value) ||
	    ip_parse(json_string_value(value), json_string_length(value), &ip, &is_v4) < 0 ||
	    is_v4 != (family == FAMILY_IPV4)) {
		restore->wrong = restore->wrong ? restore->wrong : key;
		return ip_from_v6((const uint8_t[16]){0});
	}
	return ip;
}

static void read_ends(struct restore *restore, json_t *object, struct socket *socket)
{
	uint64_t port = 0;
	int proto = restore_word(restore, object, "proto", proto_words, PROTO_MAX),
	    state = restore_word(restore, object, "state", state_words, STATE_MAX),
	    family = restore_word(restore, object, "family", family_words, FAMILY_MAX);
	static const char *const needed[] = {"proto", "family", "state", "local_address",
					     "local_port"};
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		json_t *value = json_object_get(object, needed[i]);
		if (!restore->wrong && (!value || json_is_null(value)))
			restore->wrong = needed[i];
	}
	if (restore->wrong)
		return;
	socket->proto = (uint8_t)proto;
	socket->state = (uint8_t)state;
	socket->family = (uint8_t)family;
	socket->local = read_address(restore, object, "local_address", socket->family);
	socket->peer = read_address(restore, object, "peer_address", socket->family);
	if (restore_number(restore, object, "local_port", UINT16_MAX, &port))
		socket->local_port = (uint16_t)port;
	if (restore_number(restore, object, "peer_port", UINT16_MAX, &port))
		socket->peer_port = (uint16_t)port;
}

static void read_numbers(struct restore *restore, json_t *object, struct socket *socket)
{
	uint64_t number = 0;
	if (restore_number(restore, object, "cookie", INT64_MAX, &number))
		socket->cookie = number;
	if (restore_number(restore, object, "inode", UINT32_MAX, &number))
		socket->inode = (uint32_t)number;
	const char *user = restore_text(restore, object, "user");
	if (restore_number(restore, object, "uid", UINT32_MAX, &number)) {
		socket->uid = (uint32_t)number;
		socket->flags |= SOCKET_UID_KNOWN;
		restore_user(restore, socket->uid, user);
	}
	if (restore_number(restore, object, "recv_queue", UINT32_MAX, &number)) {
		socket->recv_queue = (uint32_t)number;
		socket->flags |= SOCKET_QUEUES_KNOWN;
	}
	const char *second = socket->state == STATE_LISTEN ? "backlog" : "send_queue";
	if (restore_number(restore, object, second, UINT32_MAX, &number))
		socket->send_queue = (uint32_t)number;
}

static void read_facts(struct restore *restore, json_t *object, struct socket *socket)
{
	int v6only = restore_bool(restore, object, "v6only");
	socket->flags |= v6only >= 0 ? SOCKET_V6ONLY_KNOWN : 0;
	socket->flags |= v6only > 0 ? SOCKET_V6ONLY : 0;
	socket->flags |= restore_bool(restore, object, "mptcp") > 0 ? SOCKET_MPTCP : 0;
	socket->flags |= restore_bool(restore, object, "two_owners") > 0 ? SOCKET_TWO_OWNERS : 0;
	restore->told |= json_object_get(object, "two_owners") ? TOLD_TWO_OWNERS : 0;
	restore->told |= json_object_get(object, "role") ? TOLD_ROLE : 0;

	int held_by = restore_word(restore, object, "held_by", held_by_words, HELD_MAX),
	    role = restore_word(restore, object, "role", role_words, ROLE_MAX);
	socket->held_by = held_by < 0 ? HELD_UNASKED : (uint8_t)held_by;
	socket->role = role < 0 ? ROLE_NONE : (uint8_t)role;
}

/* The place of the interface's name in the list, and one; 0 for none, also for want of memory. */
static uint32_t place_of_interface(struct restore *restore, json_t *object, uint32_t netns)
{
	const char *name = restore_text(restore, object, "interface");
	if (!name)
		return 0;
	for (uint32_t i = 0; i < restore->interfaces.n; i++) {
		const struct restore_interface *known = vector_at(&restore->interfaces, i);
		if (known->netns == netns && known->name == name)
			return i + 1;
	}
	struct restore_interface *added = vector_add(&restore->interfaces);
	if (!added) {
		restore->has_no_memory = true;
		return 0;
	}
	*added = (struct restore_interface){.netns = netns, .name = name};
	return restore->interfaces.n;
}

static int read_place(struct restore *restore, json_t *object, struct socket *socket)
{
	uint64_t inode;
	if (restore_number(restore, object, "netns", INT64_MAX, &inode)) {
		socket->netns = restore_netns(restore, inode);
		if (socket->netns == NONE)
			return -ENOMEM;
		struct netns *netns = vector_at(&restore->snapshot->netns, socket->netns);
		netns->name = or_text(restore, netns->name, object, "netns_name");
		int is_ephemeral = restore_bool(restore, object, "ephemeral");
		if (is_ephemeral >= 0)
			restore_ephemeral(restore, socket, is_ephemeral);
	}
	socket->interface = place_of_interface(restore, object, socket->netns);
	return 0;
}

/* The host's name of the port stands for its /etc/services. */
static int read_service(struct restore *restore, json_t *object, const struct socket *socket)
{
	struct service_name service = {
		.port = socket->local_port,
		.proto = socket->proto == PROTO_UDPLITE ? PROTO_UDP : socket->proto,
		.name = restore_text(restore, object, "service"),
	};
	uint64_t key = table_mix((uint64_t)service.port << 8 | service.proto);
	uint32_t place;
	if (!service.name)
		return 0;
	for (uint32_t i = table_find(&restore->by_service, key, &place); i != TABLE_NONE;
	     i = table_next(&restore->by_service, key, &place)) {
		const struct service_name *known = vector_at(&restore->services, i);
		if (known->port == service.port && known->proto == service.proto)
			return 0;
	}
	struct service_name *added = vector_add(&restore->services);
	if (!added)
		return -ENOMEM;
	*added = service;
	return table_add(&restore->by_service, key, restore->services.n - 1);
}

int restore_socket(struct restore *restore, json_t *object)
{
	struct socket socket = {.netns = NONE, .holder = NONE, .tcp_info = NONE};
	restore->wrong = NULL;
	read_ends(restore, object, &socket);
	if (restore->wrong)
		return 0;
	read_numbers(restore, object, &socket);
	read_facts(restore, object, &socket);
	int r = read_place(restore, object, &socket);
	if (r >= 0)
		r = read_service(restore, object, &socket);
	if (r >= 0)
		r = read_tcp_info(restore, object, &socket);
	uint32_t index = r < 0 ? NONE : snapshot_add_socket(restore->snapshot, &socket);
	if (index == NONE)
		return -ENOMEM;
	r = read_holders(restore, object, index);
	if (r >= 0)
		r = read_answer(restore, object, index);
	if (r >= 0)
		r = read_peer(restore, object, index);
	return restore->has_no_memory ? -ENOMEM : r;
}
