/* One systemd, asked and told through D-Bus with libsystemd's sd-bus (org.freedesktop.systemd1(5)).
 * A module (base/module.h): module_get("bus", BUS_VERSION, ...) gives `struct bus_functions`. */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include <stdbool.h>

#include "base/error.h"

#define BUS_VERSION 2
#define BUS_TRIGGERS_MAX 8
#define BUS_NAME_MAX 256

struct bus; /* a connection */

struct bus_unit {
	char restart[32]; /* "always", "no"; "" of what is no service */
	char triggers[BUS_TRIGGERS_MAX][BUS_NAME_MAX]; /* the .socket units that start it */
	unsigned n_triggers;
};

struct bus_functions {
	/* @fd is connected to systemd's own socket (@is_private) or to a message bus, and is taken
	 * over in either case. 0 or negative errno with @err told. */
	int (*open)(int fd, bool is_private, struct bus **ret, struct error *err);
	void (*close)(struct bus *bus); /* NULL is fine */
	/* 0 or negative errno with @err told. */
	int (*read_unit)(struct bus *bus, const char *name, struct bus_unit *ret,
			 struct error *err);
	/* "active", "inactive", "deactivating", "failed", ... at @to. 0 or negative errno. */
	int (*read_state)(struct bus *bus, const char *name, char *to, unsigned size);
	/* Begins to stop it. 0; -ENOENT: it is not loaded; -EACCES; other negative errno, with @err
	 * told. */
	int (*stop_unit)(struct bus *bus, const char *name, struct error *err);
	/* The bus of the user's session, by his environment. 0 or negative errno with @err told. */
	int (*open_session)(struct bus **ret, struct error *err);
	/* Shows a notification on his desktop. 0 or negative errno. */
	int (*notify)(struct bus *bus, const char *title, const char *body);
};

#endif
