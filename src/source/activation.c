/* Socket activation: the service behind a socket that systemd holds. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/numbers.h"
#include "source/activation.h"

#define UNIT_MAX (256 << 10)

/* Where a systemd looks for units, in the order of their weight (systemd.unit(5)). */
static const char *const directories[] = {
	"etc/systemd/system",	  "run/systemd/system",
	"run/systemd/generator",  "usr/local/lib/systemd/system",
	"usr/lib/systemd/system", "lib/systemd/system",
	"etc/systemd/user",	  "run/systemd/user",
	"usr/lib/systemd/user",
};

/* One socket as a unit file has it, with the service behind. */
struct listened {
	int32_t systemd;
	uint8_t proto;
	uint16_t port;
	bool has_address;
	struct ip address;
	const char *unit;
};

static const char *trim(const char *at, const char **end)
{
	while (at < *end && isspace((unsigned char)*at))
		at++;
	while (*end > at && isspace((unsigned char)(*end)[-1]))
		(*end)--;
	return at;
}

/* "80", "0.0.0.0:80", "[::]:80"; a path, vsock or netlink is none of ours. */
static int parse_address(const char *at, const char *end, enum proto proto,
			 int (*each)(void *, enum proto, const char *, size_t, uint16_t),
			 void *data)
{
	const char *colon = memrchr(at, ':', (size_t)(end - at)), *digits = colon ? colon + 1 : at;
	uint64_t port;
	if (at == end || *at == '/' || *at == '@' || number_scan(&digits, end, 10, &port) < 0 ||
	    digits != end || !port || port > UINT16_MAX)
		return 0;
	size_t length = colon ? (size_t)(colon - at) : 0;
	if (length > 2 && at[0] == '[' && at[length - 1] == ']') {
		at++;
		length -= 2;
	}
	return each(data, proto, colon ? at : NULL, length, (uint16_t)port);
}

static bool is_key(const char *line, const char *equals, const char *key)
{
	return (size_t)(equals - line) == strlen(key) && memcmp(line, key, strlen(key)) == 0;
}

int activation_parse(const char *text, size_t n,
		     int (*each)(void *data, enum proto proto, const char *address, size_t length,
				 uint16_t port),
		     void *data, char *ret_service, bool *ret_accepts)
{
	bool is_socket_section = false;
	ret_service[0] = '\0';
	*ret_accepts = false;
	for (const char *line = text, *stop = text + n; line < stop;) {
		const char *newline = memchr(line, '\n', (size_t)(stop - line)),
			   *end = newline ? newline : stop, *next = end + 1;
		line = trim(line, &end);
		const char *equals = memchr(line, '=', (size_t)(end - line));
		if (line < end && *line == '[')
			is_socket_section = end - line == 8 && memcmp(line, "[Socket]", 8) == 0;
		if (is_socket_section && equals && *line != '#' && *line != ';') {
			const char *key_end = equals, *value_end = end;
			const char *key = trim(line, &key_end),
				   *value = trim(equals + 1, &value_end);
			int r = 0;
			if (is_key(key, key_end, "ListenStream"))
				r = parse_address(value, value_end, PROTO_TCP, each, data);
			else if (is_key(key, key_end, "ListenDatagram"))
				r = parse_address(value, value_end, PROTO_UDP, each, data);
			else if (is_key(key, key_end, "Service"))
				snprintf(ret_service, 256, "%.*s", (int)(value_end - value), value);
			else if (is_key(key, key_end, "Accept"))
				*ret_accepts = value < value_end && strchr("yYtT1", *value) != NULL;
			if (r < 0)
				return r;
		}
		line = next;
	}
	return 0;
}

struct reading {
	struct vector *listened;
	uint32_t first;
	int32_t systemd;
};

static int on_listen(void *data, enum proto proto, const char *address, size_t length,
		     uint16_t port)
{
	struct reading *reading = data;
	struct listened *added = vector_add(reading->listened);
	bool is_v4;
	if (!added)
		return -ENOMEM;
	*added = (struct listened){
		.systemd = reading->systemd, .proto = (uint8_t)proto, .port = port};
	added->has_address = address && ip_parse(address, length, &added->address, &is_v4) == 0;
	return 0;
}

static int read_unit(struct host *host, struct snapshot *snapshot, const char *directory,
		     const char *name, struct reading *reading)
{
	cleanup(freep) char *text = NULL;
	ssize_t n = host_read_all(host, &text, UNIT_MAX, "proc/%d/root/%s/%s", reading->systemd,
				  directory, name);
	if (n <= 0)
		return 0;
	char service[256], unit[300];
	bool accepts;
	reading->first = reading->listened->n;
	int r = activation_parse(text, (size_t)n, on_listen, reading, service, &accepts);
	if (r < 0)
		return r;
	int stem = (int)(strlen(name) - strlen(".socket"));
	if (service[0])
		snprintf(unit, sizeof(unit), "%s", service);
	else
		snprintf(unit, sizeof(unit), "%.*s%s.service", stem, name, accepts ? "@" : "");
	const char *kept = arena_intern_string(&snapshot->arena, unit);
	for (uint32_t i = reading->first; i < reading->listened->n; i++)
		((struct listened *)vector_at(reading->listened, i))->unit = kept;
	return kept ? 0 : -ENOMEM;
}

static int read_units(struct host *host, struct snapshot *snapshot, int32_t systemd,
		      struct vector *listened)
{
	struct reading reading = {.listened = listened, .systemd = systemd};
	int r = 0;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(directories); i++) {
		int fd = host_openat(host, O_RDONLY | O_DIRECTORY, "proc/%d/root/%s", systemd,
				     directories[i]);
		DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
		if (!directory) {
			closep(&fd);
			continue;
		}
		for (struct dirent *entry; r >= 0 && (entry = readdir(directory));) {
			size_t length = strlen(entry->d_name);
			if (length > 7 && strcmp(entry->d_name + length - 7, ".socket") == 0)
				r = read_unit(host, snapshot, directories[i], entry->d_name,
					      &reading);
		}
		closedir(directory);
	}
	return r;
}

static bool is_systemd(const struct process *process)
{
	return process->name && strcmp(process->name, "systemd") == 0;
}

static const char *find_unit(const struct vector *listened, int32_t systemd,
			     const struct socket *socket)
{
	for (uint32_t i = 0; i < listened->n; i++) {
		const struct listened *one = vector_at(listened, i);
		if (one->systemd == systemd && one->proto == socket->proto &&
		    one->port == socket->local_port &&
		    (one->has_address ? ip_equal(&one->address, &socket->local)
				      : ip_is_any(&socket->local)))
			return one->unit;
	}
	return NULL;
}

int activation_answer(struct host *host, struct snapshot *snapshot, struct error *err)
{
	cleanup(vector_done) struct vector listened;
	vector_init(&listened, sizeof(struct listened));
	int32_t last = 0;
	int r = 0;
	for (uint32_t i = 0; r >= 0 && i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		const struct holder *holder = snapshot_holder(snapshot, socket->holder);
		const struct process *process =
			holder ? snapshot_process(snapshot, holder->process) : NULL;
		if (!process || !socket_is_open(socket) || !is_systemd(process))
			continue;
		bool is_read = last == process->pid;
		for (uint32_t k = 0; k < listened.n && !is_read; k++)
			is_read = ((struct listened *)vector_at(&listened, k))->systemd ==
				  process->pid;
		if (!is_read)
			r = read_units(host, snapshot, process->pid, &listened);
		last = process->pid;
		const char *unit = r < 0 ? NULL : find_unit(&listened, process->pid, socket);
		struct answer_for *answer = unit ? vector_add(&snapshot->answers) : NULL;
		if (unit && !answer)
			r = -ENOMEM;
		if (answer)
			*answer = (struct answer_for){
				.socket = i, .container = NONE, .process = NONE, .unit = unit};
	}
	return r < 0 ? error_set(err, r, "read the units of systemd") : 0;
}
