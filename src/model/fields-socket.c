/* The fields of a socket. Where a getter gives null and why stands in its help. */
#include <stdio.h>

#include "model/fields.h"
#include "model/get.h"
#include "model/services.h"

#define S record->socket

static const struct netns *netns_of(const struct record *record)
{
	return snapshot_netns(record->snapshot, S->netns);
}

static void get_proto(const struct record *record, struct value *ret)
{
	set_word(ret, proto_words[S->proto]);
}

static void get_family(const struct record *record, struct value *ret)
{
	set_word(ret, family_words[S->family]);
}

/* A mapped address talks IPv4: that is what a filter means by it. */
static void get_spoken_family(const struct record *record, struct value *ret)
{
	set_word(ret, family_words[socket_is_v4(S) ? FAMILY_IPV4 : FAMILY_IPV6]);
}

static void get_state(const struct record *record, struct value *ret)
{
	set_word(ret, S->state < STATE_MAX ? state_words[S->state] : NULL);
}

static void get_local_address(const struct record *record, struct value *ret)
{
	set_ip(ret, &S->local, S->family == FAMILY_IPV4);
}

static void get_local_port(const struct record *record, struct value *ret)
{
	set_uint(ret, S->local_port);
}

static void get_peer_address(const struct record *record, struct value *ret)
{
	if (socket_has_peer(S))
		set_ip(ret, &S->peer, S->family == FAMILY_IPV4);
	else
		set_null(ret);
}

static void get_peer_port(const struct record *record, struct value *ret)
{
	if (S->peer_port)
		set_uint(ret, S->peer_port);
	else
		set_null(ret);
}

static void get_local(const struct record *record, struct value *ret)
{
	set_endpoint(ret, &S->local, S->local_port);
}

static void get_remote(const struct record *record, struct value *ret)
{
	if (socket_has_peer(S))
		set_endpoint(ret, &S->peer, S->peer_port);
	else
		set_null(ret);
}

/* The address of a row: what a person reads. A mapped one is IPv4. */
static void get_shown_address(const struct record *record, struct value *ret)
{
	set_ip(ret, &S->local, ip_is_mapped(&S->local));
}

static void get_role(const struct record *record, struct value *ret)
{
	set_word(ret, role_words[S->role]);
}

static void get_service(const struct record *record, struct value *ret)
{
	set_string(ret, service_name(record->snapshot->services, S->proto, S->local_port));
}

static void get_class(const struct record *record, struct value *ret)
{
	set_word(ret, S->proto == PROTO_RAW ? NULL : class_words[port_class(S->local_port)]);
}

static void get_ephemeral(const struct record *record, struct value *ret)
{
	const struct netns *netns = netns_of(record);
	if (netns && netns->ephemeral.last && S->proto != PROTO_RAW)
		set_bool(ret, netns_port_is_ephemeral(netns, S->local_port));
	else
		set_null(ret);
}

static void get_reach(const struct record *record, struct value *ret)
{
	set_word(ret, reach_words[ip_reach(&S->local)]);
}

static void get_interface(const struct record *record, struct value *ret)
{
	const struct netns *netns = netns_of(record);
	const char *name = netns && S->interface ? netns_interface_name(netns, S->interface) : NULL;
	if (S->interface && !name) {
		snprintf(ret->scratch, 16, "%u", S->interface);
		name = ret->scratch;
	}
	set_string(ret, name);
}

static void get_inode(const struct record *record, struct value *ret)
{
	if (S->inode)
		set_uint(ret, S->inode);
	else
		set_null(ret);
}

static void get_cookie(const struct record *record, struct value *ret)
{
	if (S->cookie)
		set_uint(ret, S->cookie);
	else
		set_null(ret);
}

static void get_netns(const struct record *record, struct value *ret)
{
	const struct netns *netns = netns_of(record);
	if (netns)
		set_uint(ret, netns->inode);
	else
		set_null(ret);
}

static void get_netns_name(const struct record *record, struct value *ret)
{
	const struct netns *netns = netns_of(record);
	set_string(ret, netns ? netns->name : NULL);
}

/* What a person calls it; the number where it has no name. A live host's sockets are in one or the
 * other: without privilege it may only be known that it is not our own. */
static void get_namespace(const struct record *record, struct value *ret)
{
	const struct netns *netns = netns_of(record);
	const char *name = netns && !netns->name && netns->is_self ? "self" : NULL;
	if (!netns && record->snapshot->origin == ORIGIN_HOST)
		name = "another";
	if (netns && !netns->name && !name) {
		snprintf(ret->scratch, 24, "%llu", (unsigned long long)netns->inode);
		name = ret->scratch;
	}
	set_string(ret, netns && netns->name ? netns->name : name);
}

static void get_uid(const struct record *record, struct value *ret)
{
	if (S->flags & SOCKET_UID_KNOWN)
		set_uint(ret, S->uid);
	else
		set_null(ret);
}

static void get_user(const struct record *record, struct value *ret)
{
	set_string(ret,
		   S->flags & SOCKET_UID_KNOWN ? snapshot_user(record->snapshot, S->uid) : NULL);
}

static bool is_users_number(const struct record *record, const char *text)
{
	return S->flags & SOCKET_UID_KNOWN && field_is_number(S->uid, text);
}

static void get_recv_queue(const struct record *record, struct value *ret)
{
	if (S->flags & SOCKET_QUEUES_KNOWN)
		set_uint(ret, S->recv_queue);
	else
		set_null(ret);
}

static void get_send_queue(const struct record *record, struct value *ret)
{
	if (S->flags & SOCKET_QUEUES_KNOWN && S->state != STATE_LISTEN)
		set_uint(ret, S->send_queue);
	else
		set_null(ret);
}

static void get_backlog(const struct record *record, struct value *ret)
{
	if (S->flags & SOCKET_QUEUES_KNOWN && S->state == STATE_LISTEN)
		set_uint(ret, S->send_queue);
	else
		set_null(ret);
}

static void get_v6only(const struct record *record, struct value *ret)
{
	if (S->family == FAMILY_IPV6 && S->flags & SOCKET_V6ONLY_KNOWN && !socket_has_peer(S))
		set_bool(ret, S->flags & SOCKET_V6ONLY);
	else
		set_null(ret);
}

static void get_mptcp(const struct record *record, struct value *ret)
{
	set_bool(ret, S->flags & SOCKET_MPTCP);
}

static void get_held_by(const struct record *record, struct value *ret)
{
	set_word(ret, held_by_words[S->held_by]);
}

static void get_two_owners(const struct record *record, struct value *ret)
{
	set_bool(ret, S->flags & SOCKET_TWO_OWNERS);
}

/* The container that a published port belongs to, else that of the first holder. */
static const struct container *container_of_socket(const struct record *record)
{
	const struct answer_for *answer = snapshot_answer(record->snapshot, record->index);
	if (answer && answer->container != NONE)
		return snapshot_container(record->snapshot, answer->container);
	for (const struct holder *holder = snapshot_holder(record->snapshot, S->holder); holder;
	     holder = snapshot_holder(record->snapshot, holder->next)) {
		const struct process *process = snapshot_process(record->snapshot, holder->process);
		if (process->container != NONE)
			return snapshot_container(record->snapshot, process->container);
	}
	return NULL;
}

static void get_container(const struct record *record, struct value *ret)
{
	set_object(ret, field_container_text(container_of_socket(record), ret->scratch));
}

static bool is_container_called(const struct record *record, const char *text)
{
	return field_container_is(container_of_socket(record), text);
}

static void write_container(const struct record *record, struct out *out)
{
	field_container_json(container_of_socket(record), out);
}

/* The process at the other end, within this host. */
static const struct process *peer_process(const struct record *record, uint32_t *ret_peer)
{
	const struct snapshot *snapshot = record->snapshot;
	*ret_peer = snapshot->peers ? snapshot->peers[record->index] : NONE;
	if (snapshot->peer_processes)
		return snapshot_process(snapshot, snapshot->peer_processes[record->index]);
	if (*ret_peer == NONE)
		return NULL;
	const struct holder *holder =
		snapshot_holder(snapshot, snapshot_socket(snapshot, *ret_peer)->holder);
	return holder ? snapshot_process(snapshot, holder->process) : NULL;
}

static void get_peer_process(const struct record *record, struct value *ret)
{
	uint32_t peer;
	const struct process *process = peer_process(record, &peer);
	set_object(ret, process ? process_title(process, ret->scratch, 256) : NULL);
}

static bool is_peer_called(const struct record *record, const char *text)
{
	uint32_t peer;
	return field_process_is(peer_process(record, &peer), text);
}

void field_process_json(const struct process *process, struct out *out)
{
	if (!process) {
		out_string(out, "null");
		return;
	}
	out_string(out, "{\"pid\":");
	out_i64(out, process->pid);
	out_string(out, ",\"name\":");
	if (process->name)
		json_quote(out, process->name, strlen(process->name));
	else
		out_string(out, "null");
	out_string(out, ",\"exe\":");
	if (process->exe)
		json_quote(out, process->exe, strlen(process->exe));
	else
		out_string(out, "null");
	out_char(out, '}');
}

static void write_peer_process(const struct record *record, struct out *out)
{
	uint32_t peer;
	field_process_json(peer_process(record, &peer), out);
}

/* Who answers where a proxy or pid 1 holds the port: a container's process, a unit. */
static void get_answered_by(const struct record *record, struct value *ret)
{
	const struct answer_for *answer = snapshot_answer(record->snapshot, record->index);
	const struct process *process =
		answer ? snapshot_process(record->snapshot, answer->process) : NULL;
	if (answer && answer->unit)
		set_object(ret, answer->unit);
	else
		set_object(ret, process ? process_title(process, ret->scratch, 256) : NULL);
}

static bool is_answer_called(const struct record *record, const char *text)
{
	const struct answer_for *answer = snapshot_answer(record->snapshot, record->index);
	return answer &&
	       (field_unit_is(answer->unit, text) ||
		field_process_is(snapshot_process(record->snapshot, answer->process), text));
}

static void write_answered_by(const struct record *record, struct out *out)
{
	const struct answer_for *answer = snapshot_answer(record->snapshot, record->index);
	if (!answer) {
		out_string(out, "null");
		return;
	}
	const struct process *process = snapshot_process(record->snapshot, answer->process);
	out_string(out, "{\"unit\":");
	if (answer->unit)
		json_quote(out, answer->unit, strlen(answer->unit));
	else
		out_string(out, "null");
	out_string(out, ",\"container\":");
	field_container_json(snapshot_container(record->snapshot, answer->container), out);
	out_string(out, ",\"process\":");
	field_process_json(process, out);
	out_char(out, '}');
}

#define J FIELD_JSON
#define D FIELD_DEFAULT
#define C FIELD_CONNECTIONS
#define W FIELD_WIDE
#define NEVER FIELD_NEVER_CUT

const struct field fields_socket[] = {
	{"proto", "proto", N_("PROTO"), N_("tcp, udp, udplite, raw or sctp"), get_proto, NULL,
	 proto_words, 0, OF_SOCKET, MERGE_LIST, 3, J | D | C | W | NEVER, VALUE_WORD},
	{"family", "family", N_("FAMILY"),
	 N_("ipv4 or ipv6; a mapped address stays ipv6 here, and a filter takes it for ipv4"),
	 get_family, NULL, family_words, 0, OF_SOCKET, MERGE_LIST, 4, J, VALUE_WORD,
	 .filter_get = get_spoken_family},
	{"state", "state", N_("STATE"),
	 N_("of TCP; BOUND is bound but inactive, UNCONN not TCP and without a peer"), get_state,
	 NULL, state_words, 0, OF_SOCKET, MERGE_LIST, 6, J | C | W, VALUE_WORD},
	{"address", "local_address", N_("ADDRESS"), N_("the local address"), get_local_address,
	 NULL, NULL, 0, OF_SOCKET, MERGE_LIST, 9, J | NEVER, VALUE_IP},
	{"port", "local_port", N_("PORT"), N_("the local port; of a raw socket its IP protocol"),
	 get_local_port, NULL, NULL, 0, OF_SOCKET, MERGE_LIST, 5, J | NEVER | FIELD_RIGHT,
	 VALUE_UINT},
	{"peer", "peer_address", N_("PEER"),
	 N_("the address of the other end; null where there is none"), get_peer_address, NULL, NULL,
	 0, OF_SOCKET, MERGE_LIST, 9, J | NEVER, VALUE_IP},
	{"peer_port", "peer_port", N_("PEER PORT"), N_("the port of the other end"), get_peer_port,
	 NULL, NULL, 0, OF_SOCKET, MERGE_LIST, 5, J | NEVER | FIELD_RIGHT, VALUE_UINT},
	{"shown_address", NULL, N_("ADDRESS"),
	 N_("the local address as a row shows it: a mapped one is IPv4"), get_shown_address, NULL,
	 NULL, 0, OF_SOCKET, MERGE_LIST, 9, D | W | NEVER, VALUE_IP},
	{"shown_port", NULL, N_("PORT"), N_("the local port as a row shows it"), get_local_port,
	 NULL, NULL, 0, OF_SOCKET, MERGE_LIST, 5, D | W | NEVER | FIELD_RIGHT, VALUE_UINT},
	{"local", NULL, N_("LOCAL"), N_("the local address and port"), get_local, NULL, NULL, 0,
	 OF_SOCKET, MERGE_LIST, 14, C | NEVER, VALUE_ENDPOINT},
	{"remote", NULL, N_("REMOTE"), N_("the address and port of the other end"), get_remote,
	 NULL, NULL, 0, OF_SOCKET, MERGE_LIST, 14, C | NEVER, VALUE_ENDPOINT},
	{"role", "role", N_("ROLE"), N_("of a connection: accepted, dialled or local"), get_role,
	 NULL, role_words, NEED_ROLE | NEED_PEERS, OF_SOCKET, MERGE_LIST, 8, J | C, VALUE_WORD},
	{"service", "service", N_("SERVICE"),
	 N_("the name of the local port: /etc/services first, then IANA"), get_service, NULL, NULL,
	 NEED_SERVICES, OF_SOCKET, MERGE_LIST, 8, J | D | W, VALUE_STRING},
	{"class", "class", N_("CLASS"), N_("of the local port: well-known, registered or dynamic"),
	 get_class, NULL, class_words, 0, OF_SOCKET, MERGE_LIST, 8, J, VALUE_WORD},
	{"ephemeral", "ephemeral", N_("EPHEMERAL"),
	 N_("the local port lies in its namespace's ephemeral range"), get_ephemeral, NULL, NULL,
	 NEED_ADDRESSES, OF_SOCKET, MERGE_LIST, 3, J, VALUE_BOOL},
	{"reach", "reach", N_("REACH"), N_("who can reach it, by its address"), get_reach, NULL,
	 reach_words, 0, OF_SOCKET, MERGE_LIST, 8, J | D | W, VALUE_WORD},
	{"interface", "interface", N_("INTERFACE"), N_("the interface that it is bound to"),
	 get_interface, NULL, NULL, NEED_ADDRESSES, OF_SOCKET, MERGE_LIST, 4, J | W, VALUE_STRING},
	{"inode", "inode", N_("INODE"), N_("of the socket; null where there is no struct socket"),
	 get_inode, NULL, NULL, 0, OF_SOCKET, MERGE_LIST, 6, J | FIELD_RIGHT, VALUE_UINT},
	{"cookie", "cookie", N_("COOKIE"), N_("unique for the life of the boot"), get_cookie, NULL,
	 NULL, NEED_COOKIE, OF_SOCKET, MERGE_LIST, 6, J | FIELD_RIGHT, VALUE_UINT},
	{"netns", "netns", N_("NETNS INODE"), N_("the network namespace: its inode"), get_netns,
	 NULL, NULL, 0, OF_SOCKET, MERGE_LIST, 10, J, VALUE_UINT},
	{"netns_name", "netns_name", N_("NETNS NAME"),
	 N_("the network namespace: its name, or its container's"), get_netns_name, NULL, NULL,
	 NEED_NETNS_NAMES, OF_SOCKET, MERGE_LIST, 6, J, VALUE_STRING},
	{"namespace", NULL, N_("NETNS"),
	 N_("the network namespace as a row shows it: its name, self, its inode, or another: which "
	    "may not be told"),
	 get_namespace, NULL, NULL, NEED_NETNS_NAMES, OF_SOCKET, MERGE_LIST, 6, 0, VALUE_STRING},
	{"uid", "uid", N_("UID"), N_("the owner of the socket"), get_uid, NULL, NULL, 0, OF_SOCKET,
	 MERGE_LIST, 4, J | FIELD_RIGHT, VALUE_UINT},
	{"user", "user", N_("USER"), N_("the owner of the socket by name"), get_user, NULL, NULL,
	 NEED_USERS, OF_SOCKET, MERGE_LIST, 6, J | D | C | W, VALUE_STRING,
	 .is_called = is_users_number},
	{"recv_queue", "recv_queue", N_("RECV-Q"),
	 N_("bytes not yet read; of a listener the connections that wait"), get_recv_queue, NULL,
	 NULL, 0, OF_SOCKET, MERGE_SUM, 6, J | W | FIELD_RIGHT, VALUE_UINT},
	{"send_queue", "send_queue", N_("SEND-Q"),
	 N_("bytes not yet acknowledged; null for a listener"), get_send_queue, NULL, NULL, 0,
	 OF_SOCKET, MERGE_SUM, 6, J | W | FIELD_RIGHT, VALUE_UINT},
	{"backlog", "backlog", N_("BACKLOG"), N_("how many connections a listener lets wait"),
	 get_backlog, NULL, NULL, 0, OF_SOCKET, MERGE_LIST, 7, J | W | FIELD_RIGHT, VALUE_UINT},
	{"v6only", "v6only", N_("V6ONLY"),
	 N_("IPV6_V6ONLY: no IPv4 through it; null for IPv4 and for connections"), get_v6only, NULL,
	 NULL, NEED_V6ONLY, OF_SOCKET, MERGE_LIST, 3, J, VALUE_BOOL},
	{"mptcp", "mptcp", N_("MPTCP"), N_("multipath TCP"), get_mptcp, NULL, NULL, 0, OF_SOCKET,
	 MERGE_LIST, 3, J, VALUE_BOOL},
	{"held_by", "held_by", N_("HELD BY"),
	 N_("process, kernel, nobody, or unseen where it cannot be told"), get_held_by, NULL,
	 held_by_words, NEED_HOLDERS, OF_SOCKET, MERGE_LIST, 7, J, VALUE_WORD},
	{"container", "container", N_("CONTAINER"),
	 N_("the container that it belongs to, through a proxy too"), get_container,
	 write_container, NULL, NEED_CGROUP | NEED_ANSWERS, OF_SOCKET, MERGE_LIST, 10, J | D | W,
	 VALUE_OBJECT, .is_called = is_container_called},
	{"peer_process", "peer_process", N_("PEER PROCESS"),
	 N_("the process at the other end, within this host"), get_peer_process, write_peer_process,
	 NULL, NEED_PEERS | NEED_HOLDERS | NEED_STAT | NEED_EXE, OF_SOCKET, MERGE_LIST, 10, J | C,
	 VALUE_OBJECT, .is_called = is_peer_called},
	{"answered_by", "answered_by", N_("ANSWERED BY"),
	 N_("who answers where a proxy or an activating systemd holds the port"), get_answered_by,
	 write_answered_by, NULL, NEED_ANSWERS | NEED_STAT, OF_SOCKET, MERGE_LIST, 10, J | D | W,
	 VALUE_OBJECT, .is_called = is_answer_called},
	{"two_owners", "two_owners", N_("TWO OWNERS"),
	 N_("its number has another owner in the same namespace"), get_two_owners, NULL, NULL,
	 NEED_HOLDERS | NEED_STAT | NEED_EXE | NEED_CGROUP, OF_SOCKET, MERGE_LIST, 3, J,
	 VALUE_BOOL},
	{0},
};
