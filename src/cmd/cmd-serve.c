/* doorward serve: the page in the browser, and metrics. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/module.h"
#include "base/numbers.h"
#include "base/privilege.h"
#include "base/stop.h"
#include "cmd/archive.h"
#include "cmd/look.h"
#include "cmd/serving.h"
#include "serve/desk.h"
#include "serve/job.h"
#include "web/web.h"

#define INTERVAL_MS 1000

struct settings {
	uint32_t port;
	const char *listen, *certificate, *key, *name, *socket, *metrics, *user, *db;
	bool is_read_only, opens;
	uint64_t interval_ms;
	struct look look;
	int certificate_fd, key_fd; /* of --listen, else -1 */
	bool is_key_open;	    /* to every user of this host, who could be us then */
};

static const struct option options[] = {
	{.kind = OPTION_NUMBER,
	 .letter = 'p',
	 .name = "port",
	 .at = offsetof(struct settings, port),
	 .argument = "PORT",
	 .help = N_("listen at this port of 127.0.0.1; else at one that is free"),
	 .max = 65535},
	{.kind = OPTION_TEXT,
	 .name = "socket",
	 .at = offsetof(struct settings, socket),
	 .argument = "PATH",
	 .help = N_("listen at a path instead, for ssh -L PORT:PATH"),
	 .completes = "file"},
	{.kind = OPTION_TEXT,
	 .name = "listen",
	 .at = offsetof(struct settings, listen),
	 .argument = "ADDRESS[:PORT]",
	 .help = N_("listen at another address, by TLS: it needs --certificate, --key and --name")},
	{.kind = OPTION_TEXT,
	 .name = "certificate",
	 .at = offsetof(struct settings, certificate),
	 .argument = "FILE",
	 .help = N_("your certificate with its chain, PEM"),
	 .completes = "file"},
	{.kind = OPTION_TEXT,
	 .name = "key",
	 .at = offsetof(struct settings, key),
	 .argument = "FILE",
	 .help = N_("its key, PEM"),
	 .completes = "file"},
	{.kind = OPTION_TEXT,
	 .name = "name",
	 .at = offsetof(struct settings, name),
	 .argument = "HOST",
	 .help = N_("the name in the certificate, by which the page is opened")},
	{.kind = OPTION_FLAG,
	 .name = "read-only",
	 .at = offsetof(struct settings, is_read_only),
	 .help = N_("nothing can be closed or blocked from the page")},
	{.kind = OPTION_FLAG,
	 .name = "open",
	 .at = offsetof(struct settings, opens),
	 .help = N_("open the page in the browser")},
	{.kind = OPTION_TEXT,
	 .name = "user",
	 .at = offsetof(struct settings, user),
	 .argument = "USER",
	 .help = N_("whose browser may come, where that is not you: under sudo")},
	{.kind = OPTION_TEXT,
	 .name = "metrics",
	 .at = offsetof(struct settings, metrics),
	 .argument = "ADDRESS:PORT",
	 .help = N_("answer /metrics there, in OpenMetrics text, to whoever asks")},
	{.kind = OPTION_DURATION,
	 .name = "interval",
	 .at = offsetof(struct settings, interval_ms),
	 .argument = "TIME",
	 .help = N_("how often it looks while a page is open (1s)")},
	ARCHIVE_DB_OPTION(struct settings, db),
	LOOK_OPTIONS(struct settings, look),
	{.kind = OPTION_END},
};

static void set_defaults(void *data)
{
	struct settings *settings = data;
	settings->interval_ms = INTERVAL_MS;
	settings->certificate_fd = settings->key_fd = -1;
}

/* What one serving is made of. */
struct serving {
	struct web_settings web;
	char token[65], address[64], metrics_address[64], metrics_name[72], page[320], file[160];
	struct error notice;	/* of who speaks HTTP, and serves all the same */
	int desk, ready, maker; /* our ends */
	pid_t front, maker_pid;
	const char *path; /* where we listen, to be removed; NULL: at an address */
};

static void close_pem(struct web_settings *web)
{
	if (web->certificate_fd >= 0)
		close(TAKE_FD(web->certificate_fd));
	if (web->key_fd >= 0)
		close(TAKE_FD(web->key_fd));
}

static void serving_done(struct serving *serving)
{
	closep(&serving->web.page);
	closep(&serving->web.metrics);
	closep(&serving->web.desk);
	closep(&serving->web.ready);
	closep(&serving->desk); /* by which the front ends */
	closep(&serving->ready);
	closep(&serving->maker);
	if (serving->front > 0)
		waitpid(serving->front, NULL, 0);
	if (serving->maker_pid > 0)
		waitpid(serving->maker_pid, NULL, 0);
	close_pem(&serving->web);
	if (serving->file[0])
		unlink(serving->file);
	if (serving->path)
		unlink(serving->path);
}

/* ---- what is asked for ---- */

static int check(const struct settings *settings, struct error *err)
{
	bool has_tls = settings->certificate && settings->key && settings->name;
	if (settings->socket && (settings->listen || settings->port))
		return error_text(err, -EINVAL, "--socket: it takes neither --listen nor --port");
	if (settings->socket && settings->opens)
		return error_text(err, -EINVAL, "--open: a browser opens no --socket");
	if (settings->listen && !has_tls) {
		error_text(err, -EINVAL,
			   "--listen: another address only by TLS, with a certificate of yours");
		error_hint(err,
			   "--certificate FILE --key FILE --name HOST; or --socket and ssh -L");
		return -EINVAL;
	}
	if (!settings->listen && (settings->certificate || settings->key || settings->name))
		return error_text(err, -EINVAL, "--certificate, --key, --name: only with --listen");
	if (settings->listen && !serving_is_host(settings->name))
		return error_text(err, -EINVAL, "--name %.60s: it is no name of a host",
				  settings->name);
	if (settings->listen && settings->user)
		return error_text(err, -EINVAL,
				  "--user: with --listen the token alone says who may come");
	if (settings->interval_ms < 100 || settings->interval_ms > 3600000)
		return error_text(err, -EINVAL, "--interval: from 100ms to 1h");
	if (settings->db && !settings->db[0])
		return error_text(err, -EINVAL, "--db: it takes the file of a record");
	return 0;
}

static int open_pem(const char *option, const char *name, int *ret, struct error *err)
{
	*ret = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return *ret < 0 ? error_set(err, -errno, "%s %.100s", option, name) : 0;
}

/* The certificate and its key are read by the front, which has no right left, and opened as who
 * calls may: under sudo they are another's. */
static int prepare(struct context *context unused_argument, void *data,
		   char **arguments unused_argument, struct error *err)
{
	struct settings *settings = data;
	int r = check(settings, err);
	if (r >= 0 && settings->listen)
		r = open_pem("--certificate", settings->certificate, &settings->certificate_fd,
			     err);
	if (r >= 0 && settings->listen)
		r = open_pem("--key", settings->key, &settings->key_fd, err);
	struct stat key;
	settings->is_key_open = r >= 0 && settings->listen && fstat(settings->key_fd, &key) == 0 &&
				key.st_mode & S_IROTH;
	return r;
}

static int whose(const struct settings *settings, uid_t *ret, struct error *err)
{
	uint32_t uid;
	*ret = geteuid();
	if (!settings->user)
		return 0;
	if (number_u32(settings->user, 0, UINT32_MAX - 1, &uid) == 0) {
		*ret = uid;
		return 0;
	}
	char text[4096];
	struct passwd entry, *user = NULL;
	if (getpwnam_r(settings->user, &entry, text, sizeof(text), &user) != 0 || !user)
		return error_text(err, -EINVAL, "--user %.60s: there is no such user",
				  settings->user);
	*ret = user->pw_uid;
	return 0;
}

static int open_metrics(const struct settings *settings, struct serving *serving, struct error *err)
{
	struct web_settings *web = &serving->web;
	if (!settings->metrics)
		return 0;
	int r = serving_parse(settings->metrics, serving->metrics_address,
			      sizeof(serving->metrics_address), &web->metrics_port, err);
	if (r >= 0 && !web->metrics_port)
		r = error_text(err, -EINVAL, "--metrics: it takes ADDRESS:PORT");
	if (r < 0)
		return r;
	snprintf(serving->metrics_name, sizeof(serving->metrics_name),
		 strchr(serving->metrics_address, ':') ? "[%s]" : "%s", serving->metrics_address);
	web->metrics_name = serving->metrics_name;
	web->metrics =
		serving_listen(serving->metrics_address, &web->metrics_port, "--metrics", err);
	web->is_metrics_loopback = web->metrics >= 0 && serving_is_loopback(web->metrics);
	return web->metrics;
}

static int open_page(const struct settings *settings, struct serving *serving, struct error *err)
{
	struct web_settings *web = &serving->web;
	web->port = (uint16_t)settings->port;
	snprintf(serving->address, sizeof(serving->address), "127.0.0.1");
	if (settings->socket) {
		web->is_socket = true;
		web->page = serving_listen_at(settings->socket, web->uid, err);
		serving->path = web->page >= 0 ? settings->socket : NULL;
		return web->page;
	}
	if (settings->listen) {
		int r = serving_parse(settings->listen, serving->address, sizeof(serving->address),
				      &web->port, err);
		if (r < 0)
			return r;
		if (settings->port && web->port != settings->port)
			return error_text(err, -EINVAL, "--port %u: --listen names another",
					  settings->port);
		web->is_public = true;
		web->certificate = settings->certificate;
		web->key = settings->key;
	}
	return web->page = serving_listen(
		       serving->address, &web->port,
		       settings->listen && !settings->port ? "--listen" : "--port", err);
}

static int open_all(const struct settings *settings, struct serving *serving, struct error *err)
{
	struct web_settings *web = &serving->web;
	int r = whose(settings, &web->uid, err);
	if (r >= 0)
		r = open_page(settings, serving, err);
	if (r >= 0)
		r = open_metrics(settings, serving, err);
	if (r >= 0 && (r = serving_token(serving->token)) < 0)
		error_set(err, r, "make a token");
	web->token = serving->token;
	web->is_read_only = settings->is_read_only;
	web->names[0] = settings->listen ? settings->name : "127.0.0.1";
	web->names[1] = settings->listen ? NULL : "localhost";
	return r;
}

/* ---- two processes ---- */

/* The front: reads strangers' bytes, and has nothing that they could want but its sockets. */
static int be_front(struct serving *serving)
{
	struct error err = {0};
	closep(&serving->desk);
	closep(&serving->ready);
	privilege_drop();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN); /* of the terminal's whole group: the desk ends us */
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	const struct web_functions *web = module_get("web", WEB_VERSION, &err);
	int r = web ? web->run(&serving->web, &err) : -ENOTSUP;
	if (r < 0 && write(serving->web.ready, &err, sizeof(err)) < 0)
		return EXIT_REFUSED;
	return r < 0 ? EXIT_REFUSED : EXIT_DONE;
}

static int start_front(struct serving *serving, struct error *err)
{
	int desk[2], ready[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, desk) < 0)
		return error_set(err, -errno, "make a socket");
	serving->desk = desk[0];
	serving->web.desk = desk[1];
	if (pipe2(ready, O_CLOEXEC) < 0)
		return error_set(err, -errno, "make a pipe");
	serving->ready = ready[0];
	serving->web.ready = ready[1];
	serving->front = fork();
	if (serving->front < 0)
		return error_set(err, -errno, "start a process");
	if (serving->front == 0)
		_exit(be_front(serving));
	close(TAKE_FD(serving->web.desk));
	close(TAKE_FD(serving->web.ready));
	close_pem(&serving->web);
	struct error *told = &serving->notice;
	if (read(serving->ready, told, sizeof(*told)) != (ssize_t)sizeof(*told))
		return error_text(err, -EPIPE, "the process that speaks HTTP has ended");
	if (told->code)
		*err = *told;
	return told->code;
}

/* Who works for pages. */
static int start_maker(struct context *context, const struct desk_settings *desk,
		       struct serving *serving, struct error *err)
{
	const struct job_settings settings = {
		.looking = {.host = &context->host,
			    .services = desk->services,
			    .scope = desk->scope,
			    .source = desk->source,
			    .needs = desk->needs},
		.stop = context->stop,
		.is_read_only = desk->is_read_only,
		.record = desk->record,
	};
	const int keep_not[] = {serving->desk, serving->web.page, serving->web.metrics, -1};
	return job_start_maker(&settings, keep_not, &serving->maker, &serving->maker_pid, err);
}

/* ---- what is said ---- */

/* 0 or negative errno, which main tells of all output. */
static int tell(struct context *context, const struct settings *settings, struct serving *serving)
{
	struct out *out = &context->out;
	const char *caller = getenv("SUDO_USER");
	if (settings->is_key_open)
		dprintf(STDERR_FILENO, "%s: serve: --key %s: every user of this host may read it\n",
			context->program, settings->key);
	if (serving->notice.what[0])
		dprintf(STDERR_FILENO, "%s: serve: %s\n  %s\n", context->program,
			serving->notice.what, serving->notice.hint);
	if (settings->socket)
		snprintf(serving->page, sizeof(serving->page), "http://127.0.0.1:8080/#token=%s",
			 serving->token);
	else if (settings->listen)
		snprintf(serving->page, sizeof(serving->page), "https://%s:%u/#token=%s",
			 settings->name, serving->web.port, serving->token);
	else
		snprintf(serving->page, sizeof(serving->page), "http://127.0.0.1:%u/#token=%s",
			 serving->web.port, serving->token);
	out_string(out, serving->page);
	out_char(out, '\n');
	if (settings->socket)
		out_format(out, "  once ssh forwards it: ssh -L 8080:%s HOST\n", settings->socket);
	if (!settings->user && caller && serving->web.uid == 0 && !settings->listen)
		out_format(out, "  only root's browser may come; for yours: --user %.60s\n",
			   caller);
	if (settings->metrics)
		out_format(out, "  metrics: http://%s:%u/metrics\n", serving->metrics_name,
			   serving->web.metrics_port);
	/* whom it does not reach can never come: it would serve nobody, and say nothing. A pipe
	 * without a reader must leave no path behind either */
	sighandler_t was = signal(SIGPIPE, SIG_IGN);
	int r = out_flush(out);
	signal(SIGPIPE, was);
	return r;
}

/* Without a browser it serves as well: the address stands above. */
static void open_browser(struct context *context, struct serving *serving)
{
	struct error err = {0};
	if (serving_open(serving->page, serving->web.uid, serving->file, sizeof(serving->file),
			 &err) < 0)
		dprintf(STDERR_FILENO, "%s: serve: --open: %s\n  open the address above\n",
			context->program, err.what);
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	cleanup(serving_done) struct serving serving = {
		.web = {.desk = -1,
			.ready = -1,
			.page = -1,
			.metrics = -1,
			.certificate_fd = settings->certificate_fd,
			.key_fd = settings->key_fd},
		.desk = -1,
		.ready = -1};
	struct desk_settings desk = {
		.host = &context->host,
		.services = look_services(context),
		.source = (enum source_choice)settings->look.source,
		.needs = settings->look.is_numeric ? NEED_NO_NSS : 0,
		.interval_ms = (unsigned)settings->interval_ms,
		.is_read_only = settings->is_read_only,
		.record = settings->db ? settings->db : HISTORY_PATH,
		.wants_record = settings->db,
		.stop = context->stop,
	};
	(void)arguments;
	context->ends_by_stop = true;
	stop_by(SIGQUIT); /* by which the path of --socket would stay behind */
	int r = look_scope(&settings->look, &desk.scope, err);
	if (r >= 0)
		r = look_has_place(context, &desk.scope, err);
	if (r >= 0)
		r = open_all(settings, &serving, err);
	if (r >= 0)
		r = start_front(&serving, err);
	if (r >= 0)
		r = tell(context, settings, &serving);
	if (r >= 0 && settings->opens)
		open_browser(context, &serving);
	if (settings->is_read_only)
		privilege_keep(CAPS_SEE);
	if (r >= 0)
		r = start_maker(context, &desk, &serving, err);
	desk.front = serving.desk;
	desk.maker = serving.maker;
	if (r >= 0)
		r = desk_run(&desk, err);
	return r < 0 ? r : EXIT_DONE;
}

static const char *const examples[] = {
	"doorward serve --open",
	"doorward serve --port 8080 --read-only",
	"doorward serve --socket ~/doorward.sock",
	"doorward serve --metrics 127.0.0.1:9273",
	NULL,
};

const struct command cmd_serve = {
	.name = "serve",
	.summary = N_("the page: all doors in the browser, live"),
	.arguments = "",
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = UINT64_MAX, /* until it is known that no engine's command is run */
	.examples = examples,
	.prepare = prepare,
	.run = run,
};
