/* A snapshot from a file. Reader and parser apart: the parser is fuzzed. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/attributes.h"
#include "model/field.h"
#include "source/saved-dump.h"
#include "source/saved.h"

#define FILE_MAX (1ull << 31)
#define HOLDERS_MAX 65536

static const char *text_of(struct snapshot *snapshot, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? arena_intern(&snapshot->arena, text, json_string_length(json_object_get(object, key))) : NULL;
}

/* A whole number in range, or @missing. */
static uint64_t number_of(const json_t *object, const char *key, uint64_t max, uint64_t missing)
{
	const json_t *value = json_object_get(object, key);
	if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
		return missing;
	return (uint64_t)json_integer_value(value);
}

static int word_of(const json_t *object, const char *key, const char *const *words, unsigned n)
{
	const char *text = json_string_value(json_object_get(object, key));
	for (unsigned i = 0; text && i < n; i++)
		if (words[i] && strcmp(words[i], text) == 0)
			return (int)i;
	return -1;
}

static bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static bool ip_of(const json_t *object, const char *key, enum family family, struct ip *ret)
{
	const char *text = json_string_value(json_object_get(object, key));
	bool is_v4;
	if (text && ip_parse(text, strlen(text), ret, &is_v4) == 0)
		return true;
	*ret = family == FAMILY_IPV4 ? ip_from_v4((const uint8_t[4]){0}) : ip_from_v6((const uint8_t[16]){0});
	return false;
}

static uint32_t netns_of(struct snapshot *snapshot, const json_t *object)
{
	uint64_t inode = number_of(object, "netns", UINT32_MAX, 0);
	for (uint32_t i = 0; i < snapshot->netns.n; i++)
		if (snapshot_netns(snapshot, i)->inode == inode)
			return i;
	if (!inode)
		return NONE;
	struct netns *added = vector_add(&snapshot->netns);
	if (!added)
		return NONE;
	*added = (struct netns){.inode = inode, .name = text_of(snapshot, object, "netns_name")};
	return snapshot->netns.n - 1;
}

static int read_namespaces(struct snapshot *snapshot, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list) && i < 65536; i++) {
		const json_t *object = json_array_get(list, i);
		struct netns *added = vector_add(&snapshot->netns);
		if (!added)
			return -ENOMEM;
		*added = (struct netns){.inode = number_of(object, "netns", UINT32_MAX, 0),
					.name = text_of(snapshot, object, "name"),
					.is_self = is_true(object, "self")};
		added->ephemeral.first = (uint16_t)number_of(object, "ephemeral_first", UINT16_MAX, 0);
		added->ephemeral.last = (uint16_t)number_of(object, "ephemeral_last", UINT16_MAX, 0);
	}
	return 0;
}

static int learn_user(struct snapshot *snapshot, const json_t *object, uint32_t uid)
{
	const char *name = text_of(snapshot, object, "user");
	for (uint32_t i = 0; i < snapshot->users.n; i++)
		if (((struct user *)vector_at(&snapshot->users, i))->uid == uid)
			return 0;
	struct user *added = vector_add(&snapshot->users);
	if (!added)
		return -ENOMEM;
	*added = (struct user){.uid = uid, .name = name};
	return 0;
}

static uint32_t container_of(struct snapshot *snapshot, const json_t *object)
{
	int engine = word_of(object, "engine", engine_words, ENGINE_MAX);
	const char *id = text_of(snapshot, object, "id");
	if (engine <= 0 || !id)
		return NONE;
	for (uint32_t i = 0; i < snapshot->containers.n; i++) {
		const struct container *known = snapshot_container(snapshot, i);
		if (known->engine == engine && known->id == id)
			return i;
	}
	struct container *added = vector_add(&snapshot->containers);
	if (!added)
		return NONE;
	*added = (struct container){.id = id, .name = text_of(snapshot, object, "name"), .engine = (uint8_t)engine};
	return snapshot->containers.n - 1;
}

static uint32_t process_of(struct snapshot *snapshot, const json_t *object)
{
	uint64_t pid = number_of(object, "pid", INT32_MAX, 0);
	double start = json_number_value(json_object_get(object, "start_time"));
	if (!pid)
		return NONE;
	for (uint32_t i = snapshot->processes.n; i-- > 0;) {
		const struct process *known = snapshot_process(snapshot, i);
		if (known->pid == (int32_t)pid && fabs(known->start_time - start) < 0.01)
			return i;
	}
	struct process *added = vector_add(&snapshot->processes);
	if (!added)
		return NONE;
	*added = (struct process){
		.pid = (int32_t)pid,
		.ppid = (int32_t)number_of(object, "ppid", INT32_MAX, 0),
		.start_time = start,
		.uid = (uint32_t)number_of(object, "uid", UINT32_MAX, 0),
		.name = text_of(snapshot, object, "name"),
		.exe = text_of(snapshot, object, "exe"),
		.cmdline = text_of(snapshot, object, "cmdline"),
		.cwd = text_of(snapshot, object, "cwd"),
		.unit = text_of(snapshot, object, "unit"),
		.runs = text_of(snapshot, object, "runs"),
		.exe_deleted = is_true(object, "exe_deleted"),
		.container = NONE,
		.parent = NONE,
		.netns = NONE,
	};
	added->known |= json_is_number(json_object_get(object, "start_time")) ? KNOWN_STAT : 0;
	added->known |= added->exe ? KNOWN_EXE : 0;
	added->known |= json_is_integer(json_object_get(object, "uid")) ? KNOWN_UID : 0;
	uint32_t index = snapshot->processes.n - 1, container = container_of(snapshot, json_object_get(object, "container"));
	((struct process *)vector_at(&snapshot->processes, index))->container = container;
	if (added->known & KNOWN_UID && learn_user(snapshot, object, added->uid) < 0)
		return NONE;
	return index;
}

static int read_holders(struct snapshot *snapshot, uint32_t socket, const json_t *holders)
{
	for (size_t i = 0; i < json_array_size(holders) && i < HOLDERS_MAX; i++) {
		const json_t *object = json_array_get(holders, i);
		uint32_t process = process_of(snapshot, object);
		uint64_t fd = number_of(object, "fd", INT32_MAX, UINT64_MAX);
		if (process == NONE)
			continue;
		if (snapshot_add_holder(snapshot, socket, process, fd == UINT64_MAX ? -1 : (int32_t)fd) == NONE)
			return -ENOMEM;
	}
	return 0;
}

static int read_answer(struct snapshot *snapshot, uint32_t socket, const json_t *object)
{
	const json_t *told = json_object_get(object, "answered_by"), *process = json_object_get(told, "process");
	if (!json_is_object(told))
		return 0;
	struct answer_for answer = {.socket = socket,
				    .unit = text_of(snapshot, told, "unit"),
				    .container = container_of(snapshot, json_object_get(told, "container")),
				    .process = json_is_object(process) ? process_of(snapshot, process) : NONE};
	struct answer_for *added = vector_add(&snapshot->answers);
	if (!added)
		return -ENOMEM;
	*added = answer;
	return 0;
}

static uint8_t flags_of(const json_t *object)
{
	uint8_t flags = is_true(object, "mptcp") ? SOCKET_MPTCP : 0;
	flags |= is_true(object, "v6only") ? SOCKET_V6ONLY : 0;
	flags |= json_is_boolean(json_object_get(object, "v6only")) ? SOCKET_V6ONLY_KNOWN : 0;
	flags |= is_true(object, "two_owners") ? SOCKET_TWO_OWNERS : 0;
	flags |= json_is_integer(json_object_get(object, "recv_queue")) ? SOCKET_QUEUES_KNOWN : 0;
	flags |= json_is_integer(json_object_get(object, "uid")) ? SOCKET_UID_KNOWN : 0;
	return flags;
}

/* -EINVAL: it is no socket of ours. */
static int read_socket(struct snapshot *snapshot, const json_t *object)
{
	int proto = word_of(object, "proto", proto_words, PROTO_MAX), family = word_of(object, "family", family_words, FAMILY_MAX);
	int state = word_of(object, "state", state_words, STATE_MAX), held_by = word_of(object, "held_by", held_by_words, HELD_MAX);
	int role = word_of(object, "role", role_words, ROLE_MAX);
	uint64_t port = number_of(object, "local_port", UINT16_MAX, UINT64_MAX);
	if (proto < 0 || family < 0 || state <= 0 || port == UINT64_MAX)
		return -EINVAL;
	bool is_listener = state == STATE_LISTEN;
	struct socket socket = {
		.cookie = number_of(object, "cookie", INT64_MAX, 0),
		.local_port = (uint16_t)port,
		.peer_port = (uint16_t)number_of(object, "peer_port", UINT16_MAX, 0),
		.inode = (uint32_t)number_of(object, "inode", UINT32_MAX, 0),
		.uid = (uint32_t)number_of(object, "uid", UINT32_MAX, 0),
		.recv_queue = (uint32_t)number_of(object, "recv_queue", UINT32_MAX, 0),
		.send_queue = (uint32_t)number_of(object, is_listener ? "backlog" : "send_queue", UINT32_MAX, 0),
		.holder = NONE,
		.tcp_info = NONE,
		.proto = (uint8_t)proto,
		.family = (uint8_t)family,
		.state = (uint8_t)state,
		.flags = flags_of(object),
		.held_by = held_by < 0 ? HELD_UNASKED : (uint8_t)held_by,
		.role = role < 0 ? ROLE_NONE : (uint8_t)role,
	};
	ip_of(object, "local_address", socket.family, &socket.local);
	ip_of(object, "peer_address", socket.family, &socket.peer);
	socket.netns = netns_of(snapshot, object);
	uint32_t index = snapshot_add_socket(snapshot, &socket);
	int r = index == NONE ? -ENOMEM : read_holders(snapshot, index, json_object_get(object, "holders"));
	if (r >= 0 && socket.flags & SOCKET_UID_KNOWN)
		r = learn_user(snapshot, object, socket.uid);
	return r < 0 ? r : read_answer(snapshot, index, object);
}

static int read_missing(struct snapshot *snapshot, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list) && i < 64; i++) {
		const json_t *object = json_array_get(list, i);
		int what = word_of(object, "what", what_words, WHAT_MAX), why = word_of(object, "why", why_words, WHY_MAX);
		if (what < 0 || why < 0)
			continue;
		struct missing missing = {.what = (enum what)what, .why = (enum why)why,
					  .count = number_of(object, "count", INT64_MAX, 0),
					  .hint = text_of(snapshot, object, "hint")};
		if (snapshot_add_missing(snapshot, &missing) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int tell_socket(struct error *err, int r, const char *name, size_t number)
{
	if (r == -EINVAL)
		return error_text(err, r, "read %.80s: socket %zu is none of ours", name, number + 1);
	return error_set(err, r, "read %.80s", name);
}

static int read_object(struct snapshot *snapshot, const json_t *root, const char *name, struct error *err)
{
	const char *schema = json_string_value(json_object_get(root, "schema"));
	const json_t *sockets = json_object_get(root, "sockets");
	if (!schema || strncmp(schema, "doorward/", 9) != 0 || !json_is_array(sockets)) {
		error_text(err, -EINVAL, "read %.80s: it is JSON, but not what doorward writes", name);
		error_hint(err, "save a listing with `doorward list --all --json > FILE`");
		return -EINVAL;
	}
	snapshot->host = text_of(snapshot, root, "host");
	snapshot->boot_id = text_of(snapshot, root, "boot_id");
	snapshot->time = json_number_value(json_object_get(root, "time"));
	if (read_namespaces(snapshot, json_object_get(root, "namespaces")) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(sockets); i++) {
		int r = read_socket(snapshot, json_array_get(sockets, i));
		if (r < 0)
			return tell_socket(err, r, name, i);
	}
	return read_missing(snapshot, json_object_get(root, "missing"));
}

/* A socket a line, and an object that ends it. */
static int read_lines(struct snapshot *snapshot, const char *bytes, size_t n, const char *name, struct error *err)
{
	bool is_ended = false;
	size_t number = 0;
	for (const char *line = bytes, *end = bytes + n; line < end; number++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line)), *stop = newline ? newline : end;
		json_error_t where;
		json_t *object = json_loadb(line, (size_t)(stop - line), 0, &where);
		if (!object)
			break; /* cut within a line */
		int r = 0;
		if (json_object_get(object, "end")) {
			is_ended = true;
			r = read_missing(snapshot, json_object_get(object, "missing"));
		} else {
			r = read_socket(snapshot, object);
		}
		json_decref(object);
		if (r < 0)
			return tell_socket(err, r, name, number);
		line = stop + 1;
	}
	return is_ended ? 0 : snapshot_add_missing(snapshot, &(struct missing){.what = WHAT_SOCKETS, .why = WHY_CUT});
}

static int read_json(struct snapshot *snapshot, const char *bytes, size_t n, const char *name, struct error *err)
{
	const char *newline = memchr(bytes, '\n', n);
	if (n > 9 && memcmp(bytes, "{\"proto\":", 9) == 0 && newline)
		return read_lines(snapshot, bytes, n, name, err);
	json_error_t where;
	json_t *root = json_loadb(bytes, n, 0, &where);
	if (!root) {
		error_text(err, -EINVAL, "read %.80s: line %d, column %d: %.60s", name, where.line, where.column, where.text);
		return -EINVAL;
	}
	int r = read_object(snapshot, root, name, err);
	json_decref(root);
	return r;
}

int saved_parse(const char *bytes, size_t n, const char *name, struct snapshot **ret, struct error *err)
{
	struct snapshot *snapshot = snapshot_new();
	if (!snapshot)
		return error_set(err, -ENOMEM, "read %.80s", name);
	snapshot->origin = ORIGIN_FILE;
	snapshot->origin_name = arena_intern_string(&snapshot->arena, name);
	snapshot->is_privileged = true;
	size_t blank = 0;
	while (blank < n && strchr(" \t\r\n", bytes[blank]) && bytes[blank])
		blank++;
	int r;
	if (blank < n && bytes[blank] == '{')
		r = read_json(snapshot, bytes + blank, n - blank, name, err);
	else
		r = saved_read_dump(snapshot, bytes, n, name, err);
	snapshot->collected = NEED_PEERS;
	if (r >= 0)
		r = snapshot_seal(snapshot);
	if (r < 0) {
		snapshot_free(snapshot);
		return err && err->code ? r : error_set(err, r, "read %.80s", name);
	}
	*ret = snapshot;
	return 0;
}

int saved_read(const char *path, struct snapshot **ret, struct error *err)
{
	cleanup(closep) int fd = strcmp(path, "-") == 0 ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, -errno, "open %.80s", path);
	cleanup(freep) char *bytes = NULL;
	size_t n = 0, size = 0;
	for (;;) {
		if (n == size) {
			size = size ? size * 2 : 65536;
			char *larger = size > FILE_MAX ? NULL : realloc(bytes, size);
			if (!larger)
				return error_set(err, -ENOMEM, "read %.80s", path);
			bytes = larger;
		}
		ssize_t got = read(fd, bytes + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(err, -errno, "read %.80s", path);
		if (!got)
			break;
		n += (size_t)got;
	}
	return saved_parse(bytes, n, path, ret, err);
}
