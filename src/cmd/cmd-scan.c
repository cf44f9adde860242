/* doorward scan: what a stranger finds at the door. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <linux/capability.h>

#include "base/clock.h"
#include "base/format.h"
#include "base/privilege.h"
#include "base/text.h"
#include "cmd/tell.h"
#include "model/field.h"
#include "model/target.h"
#include "scan/changes.h"
#include "scan/compare.h"
#include "scan/elsewhere.h"
#include "scan/saved.h"
#include "scan/scan.h"
#include "source/netns.h"
#include "view/scan.h"

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_JSONL };
static const char *const output_words[] = {"table", "json", "jsonl", NULL};
static const char *const method_words[METHOD_MAX + 1] = {"auto", "connect", "syn", NULL};

struct settings {
	struct look look;
	const char *ports, *exclude, *file, *from, *xml, *grepable, *resume, *diff;
	char *resume_text, *diff_text, *list; /* read before the rights are there */
	int xml_fd, grepable_fd; /* opened before the rights are there; 0: not wanted */
	bool tcp, udp, sctp, is_json, is_sure, has_compare, wants_identify, lacks_identify,
		asks_printers;
	int output, method;
	uint32_t rate;
	uint64_t max_time;
};

static const struct option options[] = {
	{OPTION_TEXT, 'p', "ports", offsetof(struct settings, ports), "PORTS",
	 N_("numbers, ranges and services, with commas between; - for all (the default)")},
	{OPTION_FLAG, 0, "tcp", offsetof(struct settings, tcp), NULL, N_("TCP, as without")},
	{OPTION_FLAG, 0, "udp", offsetof(struct settings, udp), NULL, N_("UDP")},
	{OPTION_FLAG, 0, "sctp", offsetof(struct settings, sctp), NULL,
	 N_("SCTP (which needs CAP_NET_RAW)")},
	{OPTION_TEXT, 0, "file", offsetof(struct settings, file), "FILE",
	 N_("targets from a file, one a word; - reads standard input"), .completes = "file"},
	{OPTION_TEXT, 0, "exclude", offsetof(struct settings, exclude), "LIST",
	 N_("addresses, names and networks that are left out")},
	{OPTION_TEXT, 0, "from", offsetof(struct settings, from), "PLACE",
	 N_("seen from another network namespace, or as by a stranger: one made for it"),
	 .completes = "stranger"},
	{OPTION_FLAG, 0, "yes", offsetof(struct settings, is_sure), NULL,
	 N_("more than 256 addresses that are not this host's: they are mine to scan")},
	{OPTION_WORD, 0, "method", offsetof(struct settings, method), "METHOD",
	 N_("auto, connect or syn (which needs CAP_NET_RAW)"), .words = method_words},
	{OPTION_NUMBER, 0, "rate", offsetof(struct settings, rate), "N",
	 N_("probes a second, instead of what the path bears"), .min = 1, .max = 10000000},
	{OPTION_DURATION, 0, "max-time", offsetof(struct settings, max_time), "TIME",
	 N_("end after so long; what is left is unknown"), .min = 1, .max = UINT32_MAX},
	{OPTION_FLAG, 0, "compare", offsetof(struct settings, has_compare), NULL,
	 N_("hold it against the table of sockets: the default on this host")},
	{OPTION_NO_FLAG, 0, "no-compare", offsetof(struct settings, has_compare), NULL,
	 N_("do not")},
	{OPTION_FLAG, 0, "identify", offsetof(struct settings, wants_identify), NULL,
	 N_("say what stands behind open ports: the default on this host")},
	{OPTION_FLAG, 0, "no-identify", offsetof(struct settings, lacks_identify), NULL,
	 N_("send nothing to open ports")},
	{OPTION_FLAG, 0, "printers", offsetof(struct settings, asks_printers), NULL,
	 N_("with --identify: other hosts' ports 515 and 9100 to 9107, too; a printer prints it")},
	{OPTION_FLAG, 'j', "json", offsetof(struct settings, is_json), NULL,
	 N_("the same as --output json")},
	{OPTION_WORD, 'o', "output", offsetof(struct settings, output), "FORM",
	 N_("table, json or jsonl"), .words = output_words},
	{OPTION_TEXT, 0, "resume", offsetof(struct settings, resume), "FILE",
	 N_("go on with a scan that --json saved: only what is unknown is asked"),
	 .completes = "file"},
	{OPTION_TEXT, 0, "diff", offsetof(struct settings, diff), "FILE",
	 N_("what has changed since the scan that --json saved"), .completes = "file"},
	{OPTION_TEXT, 0, "oX", offsetof(struct settings, xml), "FILE",
	 N_("nmap's XML to FILE; - prints it instead"), .completes = "file",
	 .is_single_dash = true},
	{OPTION_TEXT, 0, "oG", offsetof(struct settings, grepable), "FILE",
	 N_("nmap's grepable form to FILE; - prints it instead"), .completes = "file",
	 .is_single_dash = true},
	LOOK_OPTIONS(struct settings, look),
	/* of nmap */
	{OPTION_MEANT, .name = "sV", .is_single_dash = true, .is_hidden = true,
	 .help = N_("--identify says what stands behind; on this host it is the default")},
	{OPTION_MEANT, .name = "sS", .is_single_dash = true, .is_hidden = true,
	 .help = N_("--method syn; where it may, it does so by itself")},
	{OPTION_MEANT, .name = "sT", .is_single_dash = true, .is_hidden = true,
	 .help = N_("--method connect")},
	{OPTION_MEANT, .name = "sU", .is_single_dash = true, .is_hidden = true,
	 .help = N_("--udp")},
	{OPTION_END},
};

static void set_defaults(void *data)
{
	struct settings *settings = data;
	settings->has_compare = true;
}

/* Seconds; who says nothing is done only at the end, after three probes. */
static uint64_t time_left(uint64_t n_done, uint64_t n_sent, uint64_t n_all, uint64_t took)
{
	uint64_t n = n_done > n_sent / 3 ? n_done : n_sent / 3;
	if (n_done >= n_all || !n)
		return 0;
	uint64_t left = n < n_all ? took * (n_all - n) / n / 1000000 : 0;
	return left ? left : 1;
}

/* The one line on the terminal that is written again and again. */
static void show_progress(struct progress *progress, void *data)
{
	struct context *context = data;
	uint64_t n_done = atomic_load(&progress->n_done), n_all = progress->n_all,
		 n_sent = atomic_load(&progress->n_sent);
	uint64_t took = clock_us() - progress->began_us;
	uint64_t rate = took ? n_sent * 1000000 / took : 0;
	uint64_t left = time_left(n_done, n_sent, n_all, took);
	(void)context;
	dprintf(2, "\r%s: %llu of %llu done, %llu/s, %llu open so far, %llu s left\033[K",
		progress->doing, (unsigned long long)n_done, (unsigned long long)n_all,
		(unsigned long long)rate, (unsigned long long)atomic_load(&progress->n_open),
		(unsigned long long)left);
}

static void end_progress(const struct progress *progress)
{
	if (progress->show)
		dprintf(2, "\r\033[K");
}

static void announce(uint32_t n_addresses, uint64_t n_probes, void *data)
{
	const struct context *context = data;
	dprintf(2,
		"%s: scan: %llu probe%s to %u address%s that %s not this host's; what does not "
		"answer is asked again\n",
		context->program, (unsigned long long)n_probes, n_probes == 1 ? "" : "s",
		n_addresses, n_addresses == 1 ? "" : "es", n_addresses == 1 ? "is" : "are");
}

static void warn(const char *text, void *data)
{
	const struct context *context = data;
	struct out out;
	if (out_init(&out, 2) < 0)
		return;
	out_format(&out, "%s: scan: ", context->program);
	text_show(&out, text, strlen(text)); /* names of jails are an administrator's */
	out_char(&out, '\n');
	out_flush(&out);
	out_done(&out);
}

static bool is_dash(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

/* A file of the caller's, whose rights it is opened with. */
static int open_form(const char *path, int *ret, struct error *err)
{
	*ret = 0;
	if (!path || is_dash(path))
		return 0;
	*ret = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return *ret < 0 ? error_set(err, -errno, "open %.100s", path) : 0;
}

#define SAVED_MAX (256u << 20)

static int no_saved(const char *path, struct error *err)
{
	error_text(err, -EINVAL, "%.100s: it is no scan that --json saved", path);
	error_hint(err, "`doorward scan --json > FILE` saves one");
	return -EINVAL;
}

static int read_saved(struct context *context, const char *path, char **ret, struct error *err)
{
	struct stat status;
	if (!path)
		return 0;
	cleanup(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_set(err, -errno, "open %.100s", path);
	if (!S_ISREG(status.st_mode) || status.st_size > SAVED_MAX)
		return no_saved(path, err);
	size_t size = (size_t)status.st_size, n = 0;
	*ret = arena_alloc(&context->arena, size + 1);
	if (!*ret)
		return error_set(err, -ENOMEM, "read %.100s", path);
	for (ssize_t r; n < size; n += (size_t)r) {
		r = read(fd, *ret + n, size - n);
		if (r <= 0)
			return error_set(err, r < 0 ? -errno : -EIO, "read %.100s", path);
	}
	return 0;
}

#define LIST_MAX (4u << 20)

/* The targets of --file; "-" is standard input, which has no size. */
static int read_list(struct context *context, const char *path, char **ret, struct error *err)
{
	if (!path)
		return 0;
	bool is_input = is_dash(path);
	cleanup(closep) int fd = is_input ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, -errno, "open %.100s", path);
	cleanup(freep) char *text = malloc(LIST_MAX + 1);
	size_t n = 0;
	ssize_t r = text ? 1 : -1;
	while (r > 0 && n <= LIST_MAX && (r = read(fd, text + n, LIST_MAX + 1 - n)) > 0)
		n += (size_t)r;
	if (r < 0)
		return error_set(err, text ? -errno : -ENOMEM, "read %.100s", path);
	if (n > LIST_MAX || memchr(text, '\0', n))
		return error_text(err, -EINVAL, "%.80s: that is no list of targets", path);
	*ret = arena_copy(&context->arena, text, n);
	return *ret ? 0 : error_set(err, -ENOMEM, "read %.100s", path);
}

/* Standard output has room for one form. */
static int check_forms(const struct settings *settings, struct error *err)
{
	unsigned n = is_dash(settings->xml) + is_dash(settings->grepable) +
		     (settings->is_json || settings->output != OUTPUT_TABLE);
	return n > 1 ? error_text(err, -EINVAL, "only one of -oX -, -oG - and --json is printed")
		     : 0;
}

/* A port stands behind -p, not among the targets: 18080, 127.0.0.1:18080, tcp/80. */
static int check_targets(struct context *context, char **words, struct error *err)
{
	for (unsigned i = 0; words[i]; i++) {
		struct target target;
		if (target_parse(words[i], look_services(context), &target, NULL) < 0 ||
		    target.service || (target.first == 0 && target.last == UINT16_MAX))
			continue;
		char address[FORMAT_IP_MAX + 1] = " ", ports[16];
		size_t n = 0;
		if (target.has_address)
			n = 1 + ip_format(address + 1, &target.address, target.is_v4);
		snprintf(ports, sizeof(ports), target.first == target.last ? "%u" : "%u-%u",
			 target.first, target.last);
		error_text(err, -EINVAL, "%.60s: a target is an address, a name or a network",
			   words[i]);
		error_hint(err, "ports stand behind -p: doorward scan%.*s -p %s%s", (int)n, address,
			   ports,
			   target.protos == 1u << PROTO_UDP    ? " --udp"
			   : target.protos == 1u << PROTO_SCTP ? " --sctp"
							       : "");
		return -EINVAL;
	}
	return 0;
}

static int prepare(struct context *context, void *data, char **arguments, struct error *err)
{
	struct settings *settings = data;
	int r = check_forms(settings, err);
	if (r >= 0)
		r = check_targets(context, arguments, err);
	if (r >= 0)
		r = read_saved(context, settings->resume, &settings->resume_text, err);
	if (r >= 0)
		r = read_saved(context, settings->diff, &settings->diff_text, err);
	if (r >= 0)
		r = read_list(context, settings->file, &settings->list, err);
	if (r >= 0)
		r = open_form(settings->xml, &settings->xml_fd, err);
	return r < 0 ? r : open_form(settings->grepable, &settings->grepable_fd, err);
}

static int write_form(void (*form)(struct out *, const struct scan_show *), int fd,
		      const char *path, const struct scan_show *show, struct error *err)
{
	struct out out;
	if (fd <= 0)
		return 0;
	int r = out_init(&out, fd);
	if (r >= 0) {
		form(&out, show);
		r = out_flush(&out);
		out_done(&out);
	}
	close(fd);
	return r < 0 ? error_set(err, r, "write %.100s", path) : 0;
}

#define LINE_MAX_BYTES 1024

/* What was typed, for nmap's forms. */
static void own_line(struct context *context, char to[LINE_MAX_BYTES])
{
	ssize_t n = host_read(&context->host, to, LINE_MAX_BYTES, "proc/self/cmdline");
	for (ssize_t i = 0; i + 1 < n; i++)
		if (to[i] == '\0')
			to[i] = ' ';
	if (n <= 0)
		snprintf(to, LINE_MAX_BYTES, "doorward scan");
}

static int tell(struct context *context, const struct settings *settings, const struct scan *scan,
		struct error *err)
{
	char line[LINE_MAX_BYTES];
	struct scan_show show = {
		.scan = scan, .services = look_services(context), .arguments = line};
	struct page page = tell_page(context);
	own_line(context, line);
	/* one that cannot be written does not take the others along */
	int r = write_form(scan_xml, settings->xml_fd, settings->xml, &show, err);
	int other = write_form(scan_grepable, settings->grepable_fd, settings->grepable, &show,
			       r < 0 ? NULL : err);
	if (is_dash(settings->xml))
		scan_xml(&context->out, &show);
	else if (is_dash(settings->grepable))
		scan_grepable(&context->out, &show);
	else if (settings->is_json || settings->output == OUTPUT_JSON)
		scan_json(&context->out, &show);
	else if (settings->output == OUTPUT_JSONL)
		scan_jsonl(&context->out, &show);
	else
		scan_table(&page, &show);
	return r < 0 ? r : other;
}

static int request_of(struct context *context, const struct settings *settings, char **arguments,
		      struct scan_request *ret, struct error *err)
{
	struct look look = settings->look;
	if (!look.netns)
		look.netns = "self";
	*ret = (struct scan_request){
		.targets = arguments,
		.list = settings->list,
		.exclude = settings->exclude,
		.ports = settings->ports,
		.from = settings->from,
		.method = (enum scan_method)settings->method,
		.rate = settings->rate,
		.max_time_ms = settings->max_time,
		.is_sure = settings->is_sure,
		.stop = context->stop,
		.announce = announce,
		.warn = warn,
		.identifies = !settings->lacks_identify,
		.asks_printers = settings->asks_printers,
		.data = context,
	};
	ret->protos[PROTO_TCP] = settings->tcp || (!settings->udp && !settings->sctp);
	ret->protos[PROTO_UDP] = settings->udp;
	ret->protos[PROTO_SCTP] = settings->sctp;
	int r = look_scope(&look, &ret->scope, err);
	look.netns = settings->from;
	if (r >= 0 && settings->from && strcmp(settings->from, "stranger") != 0 &&
	    look_scope(&look, &ret->from_scope, err) < 0) {
		error_text(err, -EINVAL, "--from %.60s is no place", settings->from);
		error_hint(err, "stranger, or one network namespace: a name of `ip netns`, a "
				"container, a pid");
		r = -EINVAL;
	}
	return r;
}

/* Some of it is this host's, whose table of sockets can be looked at. */
static bool has_own(const struct scan *scan)
{
	for (uint32_t i = 0; i < scan->results.n; i++)
		if (scan_result(scan, i)->target.is_own || scan_result(scan, i)->target.is_near)
			return true;
	return false;
}

#define NEEDS                                                                                    \
	(NEED_HOLDERS | NEED_STAT | NEED_EXE | NEED_UID | NEED_USERS | NEED_CGROUP | NEED_RUNS | \
	 NEED_ADDRESSES | NEED_V6ONLY | NEED_NETNS_NAMES)

static int compare(struct context *context, const struct settings *settings,
		   const struct vector *places, struct scan *scan, struct snapshot **ret,
		   struct error *err)
{
	struct look look = settings->look;
	struct looking looking;
	struct bounds bounds = BOUNDS_ALL;
	bounds.states = STATES_OPEN;
	bounds.protos = 1u << PROTO_TCP | 1u << PROTO_UDP | 1u << PROTO_SCTP;
	look.netns = NULL; /* a near address is another namespace's */
	int r = look_looking(context, &look, &looking, err);
	if (r >= 0)
		r = collect_for(&looking, NULL, bounds, NEEDS, ret, err);
	if (r >= 0 && compare_answers(*ret, scan) < 0)
		r = error_set(err, -ENOMEM, "compare with the table");
	if (r >= 0)
		elsewhere_find(&context->host, *ret, places, scan);
	return r;
}

static void free_places(struct vector *places)
{
	netns_list_done(places);
}

/* What follows the answers: the table of sockets, and what stands behind the open doors. */
static int look_behind(struct context *context, const struct settings *settings,
		       const struct scan_request *request, const struct vector *places,
		       struct scan *scan, struct snapshot **ret, struct error *err)
{
	int r = 0;
	if (settings->has_compare && has_own(scan))
		r = compare(context, settings, places, scan, ret, err);
	if (r >= 0 && !settings->lacks_identify && !stop_wanted(context->stop))
		r = scan_identify(request, places, look_services(context), settings->wants_identify,
				  scan, err);
	return r;
}

/* Of --resume and --diff: which file is none, and how one is made. */
static int parse_saved(const char *path, const char *text, struct scan *ret, struct error *err)
{
	struct error why = {0};
	int r = saved_scan_parse(text, strlen(text), ret, &why);
	if (r != -EINVAL) {
		*err = r < 0 ? why : *err;
		return r;
	}
	error_text(err, r, "%.100s: %.200s", path, why.what);
	error_hint(err, "`doorward scan --json > FILE` saves one");
	return r;
}

/* With --resume ports and protocols are those of the saved scan where none are named. */
static int go_on(struct context *context, const struct settings *settings, struct scan *known,
		 struct scan_request *request, struct error *err)
{
	struct out ports;
	int r = parse_saved(settings->resume, settings->resume_text, known, err);
	if (r < 0 || !known->results.n)
		return r < 0 ? r
			     : error_text(err, -EINVAL, "%.100s: nothing was scanned there",
					  settings->resume);
	const struct scan_result *first = scan_result(known, 0);
	request->known = known;
	if (!settings->tcp && !settings->udp && !settings->sctp) {
		request->protos[PROTO_TCP] = false;
		for (uint32_t k = 0; k < first->n_sweeps; k++)
			request->protos[first->sweeps[k].proto] = true;
	}
	if (request->ports || !first->n_sweeps)
		return 0;
	r = out_init(&ports, -1);
	for (uint32_t p = 0; r >= 0 && p < first->sweeps[0].n_ports; p++)
		out_format(&ports, "%u,", first->sweeps[0].ports[p]);
	request->ports = r < 0 ? NULL : arena_copy(&context->arena, ports.data, ports.n);
	out_done(&ports);
	return request->ports ? 0 : error_set(err, -ENOMEM, "go on with the scan");
}

static int run(struct context *context, const void *data, char **arguments, struct error *err)
{
	const struct settings *settings = data;
	struct scan_request request;
	struct progress progress = {.data = context, .doing = "tcp"};
	cleanup(tell_free_snapshot) struct snapshot *snapshot = NULL;
	cleanup(free_places) struct vector places;
	cleanup(scan_done) struct scan scan;
	cleanup(scan_done) struct scan known;
	cleanup(scan_done) struct scan old;
	struct stranger stranger = {0};

	scan_init(&scan);
	scan_init(&known);
	scan_init(&old);
	vector_init(&places, sizeof(struct found_netns));
	if (isatty(2) && context->is_terminal)
		progress.show = show_progress;
	int r = request_of(context, settings, arguments, &request, err);
	request.progress = &progress;
	if (r >= 0 && settings->resume_text)
		r = go_on(context, settings, &known, &request, err);
	if (r >= 0 && settings->diff_text)
		r = parse_saved(settings->diff, settings->diff_text, &old, err);
	if (r >= 0)
		r = scan_run(&context->host, &request, &places, &stranger, &scan, err);
	if (r >= 0)
		r = look_behind(context, settings, &request, &places, &scan, &snapshot, err);
	if (stop_wanted(context->stop)) /* while it was asked what stands behind, too */
		scan.is_complete = false;
	scan.took_us = clock_us() - progress.began_us;
	stranger_end(&stranger);
	end_progress(&progress);
	privilege_drop();
	if (r >= 0 && settings->diff_text && scan_changes(&old, &scan) < 0)
		r = error_set(err, -ENOMEM, "find what has changed");
	if (r < 0)
		return r;
	r = tell(context, settings, &scan, err);
	if (r < 0)
		return r;
	if (snapshot)
		look_tell_missing(context, snapshot);
	if (!scan.is_complete)
		return EXIT_REFUSED;
	return scan_count(&scan, DOOR_OPEN) ? EXIT_DONE : EXIT_NOTHING;
}

static const char *const examples[] = {
	"doorward scan",
	"doorward scan 127.0.0.1 -p 1-1000 --json",
	"doorward scan 192.0.2.0/28 -p 22,80,443 --exclude 192.0.2.1",
	NULL,
};

const struct command cmd_scan = {
	.name = "scan",
	.summary = N_("what a stranger finds at the door"),
	.arguments = "[TARGET...]",
	.min = 0,
	.max = ARGUMENTS_ANY,
	.options = options,
	.settings_size = sizeof(struct settings),
	.set_defaults = set_defaults,
	.capabilities = CAPS_SEE | CAP(NET_RAW),
	.examples = examples,
	.prepare = prepare,
	.run = run,
};
