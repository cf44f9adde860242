/* What a systemd says of its units. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "act/units.h"
#include "base/module.h"
#include "source/inside.h"

/* Its own socket, which answers without a message bus, or else that bus; both as the systemd itself
 * sees them, which may have another root. */
int units_connect(int32_t pid, bool is_user, uint32_t uid,
		  const struct bus_functions **ret_functions, struct bus **ret, struct error *err)
{
	char root[32] = "", path[128];
	const struct bus_functions *functions = module_get("bus", BUS_VERSION, err);
	if (!functions)
		return -ENOTSUP;
	*ret_functions = functions;
	if (pid != 1)
		snprintf(root, sizeof(root), "/proc/%d/root", pid);
	int fd = -ENOENT;
	bool is_private = false;
	/* a user's bus takes nobody else: the system's asks polkit */
	for (unsigned i = 0; fd < 0 && i < 2 && (!i || !is_user || fd == -ENOENT); i++) {
		is_private = i == 0;
		if (is_user)
			snprintf(path, sizeof(path), "%s/run/user/%u/%s", root, uid,
				 is_private ? "systemd/private" : "bus");
		else
			snprintf(path, sizeof(path), "%s/run/%s", root,
				 is_private ? "systemd/private" : "dbus/system_bus_socket");
		fd = inside_connect(pid, path);
	}
	if (fd < 0)
		return error_set(err, fd, "connect to the systemd with pid %d", pid);
	return functions->open(fd, is_private, ret, err);
}

static bool is_known(const struct vector *facts, int32_t manager, const char *name)
{
	for (uint32_t i = 0; i < facts->n; i++) {
		const struct unit_fact *fact = vector_at(facts, i);
		if (fact->manager == manager && strcmp(fact->name, name) == 0)
			return true;
	}
	return false;
}

static int keep(struct arena *arena, const char *text, const char **ret)
{
	*ret = arena_intern_string(arena, text);
	return *ret ? 0 : -ENOMEM;
}

static int ask_one(struct arena *arena, const struct process *manager, const char *name,
		   struct vector *ret)
{
	struct error err = {0};
	struct bus_unit unit = {.n_triggers = 0};
	const struct bus_functions *functions = NULL;
	struct bus *bus = NULL;
	if (is_known(ret, manager->pid, name))
		return 0;
	struct unit_fact *fact = vector_add(ret);
	if (!fact)
		return -ENOMEM;
	*fact = (struct unit_fact){.manager = manager->pid};
	bool is_user = manager->cmdline && strstr(manager->cmdline, " --user");
	int asked = units_connect(manager->pid, is_user, manager->uid, &functions, &bus, &err);
	if (asked >= 0)
		asked = functions->read_unit(bus, name, &unit, &err);
	if (functions)
		functions->close(bus);
	int r = keep(arena, name, &fact->name);
	if (r >= 0 && asked < 0)
		r = keep(arena, err.what[0] ? err.what : error_reason(asked), &fact->error);
	if (r >= 0 && unit.restart[0])
		r = keep(arena, unit.restart, &fact->restart);
	for (unsigned i = 0; r >= 0 && i < unit.n_triggers && i < STEP_UNITS_MAX; i++)
		r = keep(arena, unit.triggers[i], &fact->triggers[fact->n_triggers++]);
	return r;
}

int units_ask(const struct snapshot *snapshot, const uint32_t *sockets, uint32_t n,
	      struct arena *arena, struct vector *ret)
{
	int r = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct answer_for *answer = snapshot_answer(snapshot, sockets[i]);
		uint32_t first = snapshot_socket(snapshot, sockets[i])->holder;
		for (const struct holder *holder = snapshot_holder(snapshot, first);
		     r >= 0 && holder; holder = snapshot_holder(snapshot, holder->next)) {
			const struct process *process = snapshot_process(snapshot, holder->process);
			const char *unit = plan_unit(process);
			const struct process *manager = plan_manager(snapshot, process);
			if (manager == process)
				unit = answer ? answer->unit : NULL;
			if (unit && manager && !strstr(unit, "@."))
				r = ask_one(arena, manager, unit, ret);
		}
	}
	return r;
}
