/* A container engine told to stop a container. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/engine.h"
#include "base/numbers.h"
#include "base/vector.h"
#include "source/inside.h"
#include "source/proc.h"

#define SOCKETS_MAX 16
#define PATH_SIZE 108 /* sun_path, unix(7) */
#define WORDS_MAX 64
#define ANSWER_MAX 8192
#define EXTRA_S 30 /* for the engine's own work beyond the grace */

struct sockets {
	unsigned n;
	char paths[SOCKETS_MAX][PATH_SIZE];
};

/* ---- its socket ---- */

static void add_socket(struct sockets *sockets, const char *before, const char *path)
{
	if (sockets->n == SOCKETS_MAX || !path || path[0] != '/')
		return;
	int n = snprintf(sockets->paths[sockets->n], PATH_SIZE, "%s%s", before, path);
	if (n > 0 && n < PATH_SIZE && access(sockets->paths[sockets->n], F_OK) == 0)
		sockets->n++;
}

static void add_address(struct sockets *sockets, const char *before, const char *address)
{
	if (address && strncmp(address, "unix://", 7) == 0)
		add_socket(sockets, before, address + 7);
}

/* "-H unix:///run/docker.sock", "--host=unix://..." of a dockerd. */
static void add_arguments(struct sockets *sockets, const char *words, size_t n)
{
	const char *end = words + n;
	for (const char *at = words; at < end; at += strlen(at) + 1) {
		const char *value = at + strlen(at) + 1;
		if (strcmp(at, "-H") == 0 || strcmp(at, "--host") == 0)
			add_address(sockets, "", value < end ? value : NULL);
		else if (strncmp(at, "--host=", 7) == 0)
			add_address(sockets, "", at + 7);
		else if (strncmp(at, "-H", 2) == 0)
			add_address(sockets, "", at + 2);
	}
}

static void add_running(struct host *host, struct sockets *sockets)
{
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	if (proc_pids(host, &pids) < 0)
		return;
	for (uint32_t i = 0; i < pids.n; i++) {
		char text[8192];
		int32_t pid = *(int32_t *)vector_at(&pids, i);
		if (host_read(host, text, sizeof(text), "proc/%d/comm", pid) <= 0 ||
		    strcmp(text, "dockerd\n") != 0)
			continue;
		ssize_t n = host_read(host, text, sizeof(text), "proc/%d/cmdline", pid);
		if (n > 0)
			add_arguments(sockets, text, (size_t)n);
	}
}

static void find_sockets(struct host *host, enum engine engine, struct sockets *ret)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	*ret = (struct sockets){.n = 0};
	if (engine == ENGINE_DOCKER) {
		add_address(ret, "", getenv("DOCKER_HOST"));
		add_socket(ret, "", "/run/docker.sock");
		add_socket(ret, runtime ? runtime : "", "/docker.sock");
		add_running(host, ret);
	} else {
		add_address(ret, "", getenv("CONTAINER_HOST"));
		add_socket(ret, "", "/run/podman/podman.sock");
		add_socket(ret, runtime ? runtime : "", "/podman/podman.sock");
	}
}

int engine_parse_answer(const char *text, const char **ret_body)
{
	uint16_t status;
	char digits[4] = "";
	if (strncmp(text, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)text[7]) || text[8] != ' ')
		return -EBADMSG;
	memcpy(digits, text + 9, strnlen(text + 9, 3));
	if (number_u16(digits, &status) < 0 || status < 100 || status > 599)
		return -EBADMSG;
	const char *end = strstr(text, "\r\n\r\n");
	*ret_body = end ? end + 4 : "";
	return status;
}

static int send_all(int fd, const char *text)
{
	for (size_t n = strlen(text); n;) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		text += sent;
		n -= (size_t)sent;
	}
	return 0;
}

static ssize_t receive_all(int fd, char *to, size_t size)
{
	size_t n = 0;
	while (n + 1 < size) {
		ssize_t r = recv(fd, to + n, size - 1 - n, 0);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && !n)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (r <= 0)
			break;
		n += (size_t)r;
	}
	to[n] = '\0';
	return (ssize_t)n;
}

/* What the engine says went wrong. */
static int tell_refusal(int status, const char *body, struct error *err)
{
	json_t *answer = json_loads(body, JSON_DISABLE_EOF_CHECK, NULL);
	const char *message = json_string_value(json_object_get(answer, "message"));
	int code = status == 404 ? -ENOENT : status == 403 ? -EACCES : -EIO;
	error_text(err, code, "the engine answers %d%s%.120s", status, message ? ": " : "",
		   message ? message : "");
	json_decref(answer);
	return code;
}

static int ask_socket(const char *path, const char *id, uint64_t grace_ms, struct error *err)
{
	char request[512], answer[ANSWER_MAX];
	const char *body;
	uint64_t seconds = (grace_ms + 999) / 1000;
	struct timeval limit = {.tv_sec = (time_t)seconds + EXTRA_S};
	cleanup(closep) int fd = inside_connect(getpid(), path);
	if (fd < 0)
		return error_set(err, fd, "connect to %.100s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	snprintf(request, sizeof(request),
		 "POST /v1.24/containers/%.64s/stop?t=%u HTTP/1.1\r\nHost: localhost\r\n"
		 "Content-Length: 0\r\nConnection: close\r\n\r\n",
		 id, (unsigned)seconds);
	int r = send_all(fd, request);
	if (r >= 0)
		r = (int)receive_all(fd, answer, sizeof(answer));
	if (r < 0)
		return error_set(err, r, "ask the engine at %.100s", path);
	int status = engine_parse_answer(answer, &body);
	if (status < 0)
		return error_set(err, status, "ask the engine at %.100s", path);
	return status == 204 || status == 304 ? 0 : tell_refusal(status, body, err);
}

/* ---- its command ---- */

struct command_line {
	unsigned n;
	const char *words[WORDS_MAX + 8];
	char *text; /* of a conmon's command line; owned */
};

/* Podman's monitor of the container has the whole command that cleans up after it, with the places
 * that were chosen when it was started: "--exit-command /usr/bin/podman --exit-command-arg --root
 * ... container cleanup ID". */
static void take_exit_command(struct command_line *line, const char *words, size_t n)
{
	const char *end = words + n;
	for (const char *at = words; at < end && line->n < WORDS_MAX; at += strlen(at) + 1) {
		const char *value = at + strlen(at) + 1;
		bool is_word = strcmp(at, "--exit-command-arg") == 0;
		if (value >= end || (!is_word && strcmp(at, "--exit-command") != 0))
			continue;
		if (is_word && strcmp(value, "container") == 0)
			return;
		line->words[line->n++] = value;
	}
}

static bool find_monitor(struct host *host, const char *id, struct command_line *line)
{
	cleanup(vector_done) struct vector pids;
	vector_init(&pids, sizeof(int32_t));
	if (proc_pids(host, &pids) < 0)
		return false;
	for (uint32_t i = 0; i < pids.n; i++) {
		char name[32];
		int32_t pid = *(int32_t *)vector_at(&pids, i);
		if (host_read(host, name, sizeof(name), "proc/%d/comm", pid) <= 0 ||
		    strcmp(name, "conmon\n") != 0)
			continue;
		free(TAKE_POINTER(line->text));
		ssize_t n = host_read_all(host, &line->text, 65536, "proc/%d/cmdline", pid);
		if (n <= 0 || !memmem(line->text, (size_t)n, id, strlen(id)))
			continue;
		take_exit_command(line, line->text, (size_t)n);
		return line->n > 0;
	}
	return false;
}

static int run_command(const char *const *words)
{
	pid_t child = fork();
	int status = 0;
	if (child < 0)
		return -errno;
	if (child == 0) {
		execvp(words[0], (char *const *)(uintptr_t)words);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status))
		return -EINTR;
	return WEXITSTATUS(status) == 0 ? 0 : WEXITSTATUS(status) == 127 ? -ENOENT : -EIO;
}

static int stop_by_command(struct host *host, enum engine engine, const char *id, uint64_t grace_ms,
			   struct error *err)
{
	struct command_line line = {.n = 0};
	char seconds[24];
	snprintf(seconds, sizeof(seconds), "%u", (unsigned)((grace_ms + 999) / 1000));
	if (engine != ENGINE_PODMAN || !find_monitor(host, id, &line)) {
		line.words[0] = engine_words[engine];
		line.n = 1;
	}
	const char *const behind[] = {"stop", "-t", seconds, id, NULL};
	const char *program = line.words[0];
	memcpy(line.words + line.n, behind, sizeof(behind));
	int saved = dup(STDOUT_FILENO); /* the engine says the id there */
	if (saved >= 0)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	int r = run_command(line.words);
	if (saved >= 0) {
		dup2(saved, STDOUT_FILENO);
		close(saved);
	}
	if (r < 0)
		error_set(err, r, "run %.80s stop", program);
	free(line.text);
	return r;
}

int engine_stop(struct host *host, enum engine engine, const char *id, uint64_t grace_ms,
		struct error *err)
{
	struct sockets sockets;
	struct error told = {.code = 0};
	find_sockets(host, engine, &sockets);
	for (unsigned i = 0; i < sockets.n; i++) {
		struct error one = {.code = 0};
		int r = ask_socket(sockets.paths[i], id, grace_ms, &one);
		if (r == 0)
			return 0;
		if (!told.code || told.code == -ENOENT)
			told = one; /* another engine may have it: what the one that has says counts
				     */
	}
	if (told.code && told.code != -ENOENT && told.code != -ECONNREFUSED) {
		if (err)
			*err = told;
		return told.code;
	}
	return stop_by_command(host, engine, id, grace_ms, err);
}
