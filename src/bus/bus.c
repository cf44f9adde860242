/* One systemd through sd-bus. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/module.h"
#include "bus/bus.h"

#define SERVICE "org.freedesktop.systemd1"
#define MANAGER "/org/freedesktop/systemd1"
#define UNITS MANAGER "/unit"
#define ANSWER_US 5000000 /* systemd answers at once, or hangs */

struct bus {
	sd_bus *bus;
	const char *service; /* NULL on systemd's own socket, which has no names */
};

static void close_bus(struct bus *bus)
{
	if (!bus)
		return;
	sd_bus_close_unref(bus->bus);
	free(bus);
}

static void close_busp(struct bus **bus)
{
	close_bus(*bus);
}

static void free_error(sd_bus_error *error)
{
	sd_bus_error_free(error);
}

static void unref_message(sd_bus_message **message)
{
	sd_bus_message_unref(*message);
}

static int open_bus(int fd, bool is_private, struct bus **ret, struct error *err)
{
	cleanup(closep) int own = fd;
	cleanup(close_busp) struct bus *bus = calloc(1, sizeof(*bus));
	if (!bus)
		return error_set(err, -ENOMEM, "connect to systemd");
	bus->service = is_private ? NULL : SERVICE;
	int r = sd_bus_new(&bus->bus);
	if (r >= 0)
		r = sd_bus_set_fd(bus->bus, own, own);
	if (r >= 0)
		own = -1;
	if (r >= 0 && !is_private)
		r = sd_bus_set_bus_client(bus->bus, 1);
	if (r >= 0)
		r = sd_bus_start(bus->bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus->bus, ANSWER_US);
	if (r < 0)
		return error_set(err, r, "connect to systemd");
	*ret = TAKE_POINTER(bus);
	return 0;
}

/* What systemd answered, in its own words; an errno of ours. */
static int tell(const sd_bus_error *error, int r, const char *what, const char *name,
		struct error *err)
{
	static const struct {
		const char *name;
		int code;
	} codes[] = {
		{SERVICE ".NoSuchUnit", -ENOENT},
		{"org.freedesktop.DBus.Error.AccessDenied", -EACCES},
		{"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", -EACCES},
	};
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (sd_bus_error_has_name(error, codes[i].name))
			r = codes[i].code;
	if (!error->message)
		return error_set(err, r, "%s %.100s", what, name);
	return error_text(err, r, "%s %.60s: %.100s", what, name, error->message);
}

static int path_of(const char *name, char **ret)
{
	return sd_bus_path_encode(UNITS, name, ret);
}

static int read_text(struct bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_error *error, char *to, size_t size)
{
	cleanup(freep) char *text = NULL;
	int r = sd_bus_get_property_string(bus->bus, bus->service, path, interface, property, error,
					   &text);
	if (r >= 0)
		snprintf(to, size, "%s", text);
	return r;
}

static bool is_service(const char *name)
{
	size_t n = strlen(name);
	return n > 8 && strcmp(name + n - 8, ".service") == 0;
}

static void keep_triggers(char **names, struct bus_unit *ret)
{
	for (char **name = names; name && *name; name++) {
		size_t n = strlen(*name);
		if (n > 7 && n < BUS_NAME_MAX && strcmp(*name + n - 7, ".socket") == 0 &&
		    ret->n_triggers < BUS_TRIGGERS_MAX)
			memcpy(ret->triggers[ret->n_triggers++], *name, n + 1);
		free(*name);
	}
	free(names);
}

static int read_unit(struct bus *bus, const char *name, struct bus_unit *ret, struct error *err)
{
	cleanup(freep) char *path = NULL;
	cleanup(free_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	char **names = NULL;
	*ret = (struct bus_unit){.n_triggers = 0};
	int r = path_of(name, &path);
	if (r >= 0)
		r = sd_bus_get_property_strv(bus->bus, bus->service, path, SERVICE ".Unit",
					     "TriggeredBy", &error, &names);
	keep_triggers(names, ret);
	if (r >= 0 && is_service(name))
		r = read_text(bus, path, SERVICE ".Service", "Restart", &error, ret->restart,
			      sizeof(ret->restart));
	return r < 0 ? tell(&error, r, "ask systemd for", name, err) : 0;
}

static int read_state(struct bus *bus, const char *name, char *to, unsigned size)
{
	cleanup(freep) char *path = NULL;
	cleanup(free_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = path_of(name, &path);
	return r < 0 ? r : read_text(bus, path, SERVICE ".Unit", "ActiveState", &error, to, size);
}

static int stop_unit(struct bus *bus, const char *name, struct error *err)
{
	cleanup(free_error) sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup(unref_message) sd_bus_message *answer = NULL;
	int r = sd_bus_call_method(bus->bus, bus->service, MANAGER, SERVICE ".Manager", "StopUnit",
				   &error, &answer, "ss", name, "replace");
	return r < 0 ? tell(&error, r, "stop", name, err) : 0;
}

static int open_session(struct bus **ret, struct error *err)
{
	cleanup(close_busp) struct bus *bus = calloc(1, sizeof(*bus));
	if (!bus)
		return error_set(err, -ENOMEM, "connect to the session bus");
	int r = sd_bus_open_user(&bus->bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus->bus, ANSWER_US);
	if (r < 0) {
		error_set(err, r, "connect to the session bus");
		error_hint(err, "notifications need a desktop: its DBUS_SESSION_BUS_ADDRESS");
		return r;
	}
	*ret = TAKE_POINTER(bus);
	return 0;
}

/* Desktop Notifications Specification 1.2, Notify. */
static int notify(struct bus *bus, const char *title, const char *body)
{
	return sd_bus_call_method(bus->bus, "org.freedesktop.Notifications",
				  "/org/freedesktop/Notifications", "org.freedesktop.Notifications",
				  "Notify", NULL, NULL, "susssasa{sv}i", "doorward", 0,
				  "network-wired", title, body, 0, 0, -1);
}

static const struct bus_functions functions = {
	.open = open_bus,
	.close = close_bus,
	.read_unit = read_unit,
	.read_state = read_state,
	.stop_unit = stop_unit,
	.open_session = open_session,
	.notify = notify,
};

MODULE_DEFINE(bus) = {.name = "bus", .version = BUS_VERSION, .functions = &functions};
