/* Socket activation: the service behind a socket that systemd holds. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/numbers.h"
#include "source/activation.h"
#include "source/units.h"

/* One socket of one systemd, with the unit that names it and the service behind. */
struct activated {
	int32_t systemd;
	struct listened listened;
	const char *socket_unit, *service;
};

static const char *trim(const char *at, const char **end)
{
	while (at < *end && isspace((unsigned char)*at))
		at++;
	while (*end > at && isspace((unsigned char)(*end)[-1]))
		(*end)--;
	return at;
}

/* "80", "0.0.0.0:80", "[::]:80", "[fe80::1]:80%eth0"; a path, vsock or netlink is none of ours. */
static int add_listened(struct socket_unit *unit, enum proto proto, const char *at, const char *end)
{
	const char *scope = memrchr(at, '%', (size_t)(end - at));
	if (scope)
		end = scope;
	const char *colon = memrchr(at, ':', (size_t)(end - at)), *digits = colon ? colon + 1 : at;
	uint64_t port;
	bool is_v4;
	if (at == end || *at == '/' || *at == '@' || number_scan(&digits, end, 10, &port) < 0 ||
	    digits != end || !port || port > UINT16_MAX)
		return 0;
	struct listened listened = {
		.proto = (uint8_t)proto, .port = (uint16_t)port, .has_address = colon != NULL};
	if (colon) {
		size_t length = (size_t)(colon - at);
		if (length > 2 && at[0] == '[' && at[length - 1] == ']') {
			at++;
			length -= 2;
		}
		if (ip_parse(at, length, &listened.address, &is_v4) < 0)
			return 0;
	}
	struct listened *added = vector_add(&unit->listened);
	if (!added)
		return -ENOMEM;
	*added = listened;
	return 0;
}

static bool is_key(const char *key, const char *end, const char *word)
{
	return (size_t)(end - key) == strlen(word) && memcmp(key, word, strlen(word)) == 0;
}

static int assign(struct socket_unit *unit, const char *key, const char *key_end, const char *value,
		  const char *end)
{
	bool is_stream = is_key(key, key_end, "ListenStream"),
	     is_datagram = is_key(key, key_end, "ListenDatagram");
	if (value == end && key_end - key > 6 && memcmp(key, "Listen", 6) == 0)
		unit->listened.n = 0; /* empty: of every kind, systemd.socket(5) */
	else if (is_stream || is_datagram)
		return add_listened(unit, is_stream ? PROTO_TCP : PROTO_UDP, value, end);
	else if (is_key(key, key_end, "Service"))
		snprintf(unit->service, sizeof(unit->service), "%.*s", (int)(end - value), value);
	else if (is_key(key, key_end, "Accept"))
		unit->accepts = value < end && memchr("yYtT1", *value, 5) != NULL;
	return 0;
}

int activation_parse(const char *text, size_t n, struct socket_unit *unit)
{
	bool is_socket_section = false;
	int r = 0;
	for (const char *line = text, *stop = text + n; r >= 0 && line < stop;) {
		const char *newline = memchr(line, '\n', (size_t)(stop - line)),
			   *end = newline ? newline : stop, *next = end + 1;
		line = trim(line, &end);
		const char *equals = memchr(line, '=', (size_t)(end - line));
		if (line < end && *line == '[')
			is_socket_section = end - line == 8 && memcmp(line, "[Socket]", 8) == 0;
		else if (is_socket_section && equals && *line != '#' && *line != ';') {
			const char *key_end = equals, *value_end = end;
			const char *key = trim(line, &key_end),
				   *value = trim(equals + 1, &value_end);
			r = assign(unit, key, key_end, value, value_end);
		}
		line = next;
	}
	return r;
}

void activation_service(const struct socket_unit *unit, const char *name, char *to, size_t size)
{
	const char *dot = strrchr(name, '.');
	int stem = dot ? (int)(dot - name) : (int)strlen(name);
	bool is_instance = memchr(name, '@', (size_t)stem) != NULL;
	if (unit->service[0])
		snprintf(to, size, "%s", unit->service);
	else
		snprintf(to, size, "%.*s%s.service", stem, name,
			 unit->accepts && !is_instance ? "@" : "");
}

/* ---- the units of one systemd ---- */

struct reading {
	struct snapshot *snapshot;
	struct vector *activated; /* struct activated */
	int32_t systemd;
	struct socket_unit unit;
};

static int on_start(void *data, const char *name)
{
	struct reading *reading = data;
	(void)name;
	reading->unit.listened.n = 0;
	reading->unit.service[0] = '\0';
	reading->unit.accepts = false;
	return 0;
}

static int on_text(void *data, const char *text, size_t n)
{
	struct reading *reading = data;
	return activation_parse(text, n, &reading->unit);
}

static int on_end(void *data, const char *name)
{
	struct reading *reading = data;
	char service[300];
	if (!reading->unit.listened.n)
		return 0;
	activation_service(&reading->unit, name, service, sizeof(service));
	const char *kept_service = arena_intern_string(&reading->snapshot->arena, service),
		   *kept_name = arena_intern_string(&reading->snapshot->arena, name);
	if (!kept_service || !kept_name)
		return -ENOMEM;
	for (uint32_t i = 0; i < reading->unit.listened.n; i++) {
		struct activated *added = vector_add(reading->activated);
		if (!added)
			return -ENOMEM;
		*added = (struct activated){
			.systemd = reading->systemd,
			.listened = *(struct listened *)vector_at(&reading->unit.listened, i),
			.socket_unit = kept_name,
			.service = kept_service};
	}
	return 0;
}

static int read_sockets(struct host *host, struct snapshot *snapshot, const struct process *systemd,
			struct vector *activated)
{
	struct reading reading = {
		.snapshot = snapshot, .activated = activated, .systemd = systemd->pid};
	vector_init(&reading.unit.listened, sizeof(struct listened));
	bool is_user = systemd->cmdline && strstr(systemd->cmdline, " --user") != NULL;
	int r = units_read(host, systemd->pid, is_user, ".socket",
			   &(struct unit_reader){on_start, on_text, on_end, &reading});
	vector_done(&reading.unit.listened);
	return r;
}

/* Of several units that name the socket, the one that runs. */
static const struct activated *find_activated(struct host *host, const struct vector *all,
					      int32_t systemd, const struct socket *socket)
{
	const struct activated *found = NULL;
	for (uint32_t i = 0; i < all->n; i++) {
		const struct activated *one = vector_at(all, i);
		const struct listened *listened = &one->listened;
		if (one->systemd != systemd || listened->proto != socket->proto ||
		    listened->port != socket->local_port ||
		    !(listened->has_address ? ip_equal(&listened->address, &socket->local)
					    : ip_is_any(&socket->local)))
			continue;
		if (!found || (!units_is_active(host, systemd, found->socket_unit) &&
			       units_is_active(host, systemd, one->socket_unit)))
			found = one;
	}
	return found;
}

/* The systemd among the holders, which a service that it started may hold too; or NULL. */
static const struct process *find_systemd(const struct snapshot *snapshot,
					  const struct socket *socket)
{
	for (const struct holder *holder = snapshot_holder(snapshot, socket->holder); holder;
	     holder = snapshot_holder(snapshot, holder->next)) {
		const struct process *process = snapshot_process(snapshot, holder->process);
		if (process->name && strcmp(process->name, "systemd") == 0)
			return process;
	}
	return NULL;
}

int activation_answer(struct host *host, struct snapshot *snapshot, struct error *err)
{
	cleanup(vector_done) struct vector activated, systemds;
	vector_init(&activated, sizeof(struct activated));
	vector_init(&systemds, sizeof(int32_t));
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct process *systemd =
			socket_is_open(socket) ? find_systemd(snapshot, socket) : NULL;
		if (!systemd)
			continue;
		bool is_read = false;
		for (uint32_t k = 0; k < systemds.n; k++)
			is_read |= *(int32_t *)vector_at(&systemds, k) == systemd->pid;
		if (!is_read) {
			int32_t *added = vector_add(&systemds);
			r = added ? read_sockets(host, snapshot, systemd, &activated) : -ENOMEM;
			if (added)
				*added = systemd->pid;
		}
		const struct activated *found =
			r < 0 ? NULL : find_activated(host, &activated, systemd->pid, socket);
		struct answer_for *answer = found ? vector_add(&snapshot->answers) : NULL;
		if (found && !answer)
			r = -ENOMEM;
		if (answer)
			*answer = (struct answer_for){.socket = i,
						      .container = NONE,
						      .process = NONE,
						      .unit = found->service,
						      .socket_unit = found->socket_unit};
	}
	return r < 0 ? error_set(err, r, "read the units of systemd") : 0;
}
