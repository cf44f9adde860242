/* Words of a process. */
#include <stdio.h>

#include "model/process.h"

const char *const engine_words[ENGINE_MAX + 1] = {
	"", "docker", "podman", "containerd", "cri-o", "lxc", "systemd-nspawn", "rootlesskit"};

const char *process_title(const struct process *process, char *to, unsigned size)
{
	const char *name = process->name ? process->name : "?";
	if (process->runs)
		snprintf(to, size, "%s %s", name, process->runs);
	else
		snprintf(to, size, "%s", name);
	return to;
}
