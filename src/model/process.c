/* Words of a process. */
#include <string.h>

#include "model/process.h"

const char *const engine_words[ENGINE_MAX + 1] = {
	"", "docker", "podman", "containerd", "cri-o", "lxc", "systemd-nspawn", "rootlesskit"};

const char *process_title(const struct process *process, char *to, unsigned size)
{
	const char *parts[] = {process->name ? process->name : "?", process->runs};
	size_t at = 0;
	for (unsigned i = 0; i < 2 && parts[i]; i++) {
		size_t n = strlen(parts[i]), room = size - 1 - at;
		if (i && room) {
			to[at++] = ' ';
			room--;
		}
		n = n < room ? n : room;
		memcpy(to + at, parts[i], n);
		at += n;
	}
	to[at] = '\0';
	return to;
}
