/* One loop over all ports: as many inquiries at once as connections are allowed, epoll for what is
 * ready, the earliest time of all for what is late. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "scan/identify/inquiry.h"
#include "scan/identify/loop.h"

#define EVENTS 64
#define PARTED_MAX 64
#define PARTED_WAIT UINT64_C(100000)

struct parted { /* said goodbye to; read until the peer's end, so that it is met by no reset */
	int fd;
	uint64_t until;
};

struct loop {
	const struct identify_target *targets;
	size_t n, next;
	const struct identify_options *options;
	const struct tls_functions *tls;
	struct identify_sink *sink;
	int epoll;
	struct inquiry **active;
	unsigned n_active, most;
	struct parted parted[PARTED_MAX];
	unsigned n_parted;
	uint64_t now, ends; /* microseconds; @ends 0: none */
	int64_t seconds;
	bool is_stopped; /* by the descriptor of who waits for us */
};

static void read_clock(struct loop *loop)
{
	struct timespec date;
	clock_gettime(CLOCK_REALTIME, &date);
	loop->now = clock_us();
	loop->seconds = date.tv_sec;
}

/* Edge-triggered and both ways: what is ready is told once, and where it is changed once more. */
static void enrol(struct loop *loop, struct connection *connection, int how)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				    .data.ptr = connection};
	epoll_ctl(loop->epoll, how, connection->fd, &event);
	connection->is_attended = true;
}

/* Each socket is registered once. */
static void attend(struct loop *loop, struct inquiry *inquiry)
{
	for (unsigned i = 0; i < INQUIRY_SLOTS; i++) {
		struct connection *connection = &inquiry->slots[i];
		if (connection->fd >= 0 && !connection->is_attended)
			enrol(loop, connection, EPOLL_CTL_ADD);
	}
}

/* Reads away what still comes; true: it is over. */
static bool has_parted(struct parted *parted, uint64_t now)
{
	char bytes[4096];
	ssize_t n;
	unsigned turns = 0;
	while ((n = recv(parted->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0 && ++turns < 16)
		;
	bool waits = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (waits && now < parted->until)
		return false;
	close(parted->fd);
	return true;
}

static void see_parted_off(struct loop *loop)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < loop->n_parted; i++)
		if (!has_parted(&loop->parted[i], loop->now))
			loop->parted[kept++] = loop->parted[i];
	loop->n_parted = kept;
}

static void part(struct loop *loop, struct inquiry *inquiry)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = NULL};
	if (inquiry->parted < 0)
		return;
	if (loop->n_parted == PARTED_MAX) {
		close(inquiry->parted);
		return;
	}
	epoll_ctl(loop->epoll, EPOLL_CTL_MOD, inquiry->parted, &event);
	loop->parted[loop->n_parted++] = (struct parted){inquiry->parted, loop->now + PARTED_WAIT};
}

static int tell(struct loop *loop, size_t i, const struct identified *what)
{
	return loop->sink->identified(loop->sink, i, what);
}

static bool is_withheld(const struct identify_target *target,
			const struct identify_options *options)
{
	bool prints = target->port == 515 || (target->port >= 9100 && target->port <= 9107);
	return prints && !target->is_own && !options->asks_printers;
}

/* Begins inquiries as long as there is room. */
static int begin(struct loop *loop)
{
	static const struct identified withheld = {.outcome = IDENTIFY_WITHHELD};
	while (loop->next < loop->n && loop->n_active < loop->most) {
		const struct identify_target *target = &loop->targets[loop->next];
		if (is_withheld(target, loop->options)) {
			int r = tell(loop, loop->next++, &withheld);
			if (r != 0)
				return r;
			continue;
		}
		struct inquiry *inquiry = calloc(1, sizeof(*inquiry));
		if (!inquiry)
			return loop->n_active > 0 ? 0 : -ENOMEM;
		uint32_t limit = loop->options->port_limit_ms ? loop->options->port_limit_ms
							      : IDENTIFY_PORT_LIMIT_MS;
		inquiry->i = loop->next++;
		inquiry->target = target;
		inquiry->tls = loop->tls;
		inquiry->ends = loop->now + limit * UINT64_C(1000);
		loop->active[loop->n_active++] = inquiry;
		inquiry_start(inquiry, loop->now);
		attend(loop, inquiry);
	}
	return 0;
}

static void note_late(struct loop *loop, struct inquiry *inquiry)
{
	if (inquiry->phase != PHASE_DONE && loop->now >= inquiry->ends)
		inquiry_end(inquiry, IDENTIFY_TIMED_OUT);
	for (unsigned i = 0; i < INQUIRY_SLOTS && inquiry->phase != PHASE_DONE; i++) {
		struct connection *connection = &inquiry->slots[i];
		if (connection->fd >= 0 && loop->now >= connection->until)
			inquiry_late(inquiry, connection, loop->now);
	}
	attend(loop, inquiry);
}

/* Tells what is known and forgets it. */
static int reap(struct loop *loop)
{
	int r = 0;
	for (unsigned i = 0; i < loop->n_active && r == 0;) {
		struct inquiry *inquiry = loop->active[i];
		if (inquiry->phase != PHASE_DONE) {
			i++;
			continue;
		}
		part(loop, inquiry);
		r = tell(loop, inquiry->i, &inquiry->result);
		loop->active[i] = loop->active[--loop->n_active];
		free(inquiry);
	}
	return r;
}

static int wait_ms(const struct loop *loop)
{
	uint64_t until = loop->ends ? loop->ends : UINT64_MAX;
	for (unsigned i = 0; i < loop->n_active; i++) {
		const struct inquiry *inquiry = loop->active[i];
		until = inquiry->ends < until ? inquiry->ends : until;
		for (unsigned slot = 0; slot < INQUIRY_SLOTS; slot++)
			if (inquiry->slots[slot].fd >= 0 && inquiry->slots[slot].until < until)
				until = inquiry->slots[slot].until;
	}
	for (unsigned i = 0; i < loop->n_parted; i++)
		until = loop->parted[i].until < until ? loop->parted[i].until : until;
	return until <= loop->now ? 0 : (int)((until - loop->now) / 1000 + 1);
}

static void take_events(struct loop *loop, int wait)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(loop->epoll, events, EVENTS, wait);
	read_clock(loop);
	for (int i = 0; i < n; i++) {
		struct connection *connection = events[i].data.ptr;
		loop->is_stopped |= connection == (void *)loop;
		if (!connection || connection == (void *)loop || connection->fd < 0)
			continue;
		struct inquiry *inquiry = connection->owner;
		bool has_more = inquiry_ready(inquiry, connection, loop->now, loop->seconds);
		if (has_more && connection->is_attended)
			enrol(loop, connection, EPOLL_CTL_MOD);
		attend(loop, inquiry);
	}
}

/* Whatever is not known yet is told so. */
static int break_off(struct loop *loop, enum identify_outcome outcome)
{
	const struct identified unknown = {.outcome = (uint8_t)outcome};
	for (unsigned i = 0; i < loop->n_active; i++)
		if (loop->active[i]->phase != PHASE_DONE)
			inquiry_end(loop->active[i], outcome);
	int r = reap(loop);
	while (r == 0 && loop->next < loop->n)
		r = tell(loop, loop->next++, &unknown);
	return r;
}

static int run(struct loop *loop, struct stop *stop)
{
	int r = 0;
	while (r == 0 && (loop->next < loop->n || loop->n_active > 0 || loop->n_parted > 0)) {
		if (stop_wanted(stop) || loop->is_stopped)
			return break_off(loop, IDENTIFY_STOPPED);
		if (loop->ends && loop->now >= loop->ends)
			return break_off(loop, IDENTIFY_TIMED_OUT);
		r = begin(loop);
		if (r == 0)
			r = reap(loop);
		if (r != 0 || (loop->n_active == 0 && loop->n_parted == 0))
			continue;
		take_events(loop, wait_ms(loop));
		for (unsigned i = 0; i < loop->n_active; i++)
			note_late(loop, loop->active[i]);
		see_parted_off(loop);
		r = reap(loop);
	}
	return r;
}

/* Half of the descriptors that this process may have stay free for who else is in it. */
static unsigned within_limit(unsigned in_flight)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 2 >= in_flight + PARTED_MAX)
		return in_flight;
	unsigned most = limit.rlim_cur > 4 * PARTED_MAX ? limit.rlim_cur / 2 - PARTED_MAX : 8;
	return most < in_flight ? most : in_flight;
}

static void loop_done(struct loop *loop)
{
	for (unsigned i = 0; i < loop->n_active; i++) {
		inquiry_end(loop->active[i], IDENTIFY_STOPPED);
		free(loop->active[i]);
	}
	for (unsigned i = 0; i < loop->n_parted; i++)
		close(loop->parted[i].fd);
	closep(&loop->epoll);
	free(loop->active);
}

int identify_here(const struct identify_target *targets, size_t n,
		  const struct identify_options *options, const struct tls_functions *tls,
		  struct identify_sink *sink, struct stop *stop, struct error *err)
{
	unsigned in_flight =
		within_limit(options->in_flight ? options->in_flight : IDENTIFY_IN_FLIGHT);
	cleanup(loop_done) struct loop loop = {.targets = targets,
					       .n = n,
					       .options = options,
					       .tls = tls,
					       .sink = sink,
					       .epoll = epoll_create1(EPOLL_CLOEXEC),
					       .most = (in_flight + 1) / INQUIRY_SLOTS};
	if (loop.epoll < 0)
		return error_set(err, -errno, "identify services");
	loop.active = calloc(loop.most, sizeof(struct inquiry *));
	if (!loop.active)
		return error_set(err, -ENOMEM, "identify services");
	read_clock(&loop);
	loop.ends = options->limit_ms ? loop.now + options->limit_ms * UINT64_C(1000) : 0;
	if (stop && stop->fd >= 0) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &loop};
		epoll_ctl(loop.epoll, EPOLL_CTL_ADD, stop->fd, &event);
	}
	return run(&loop, stop);
}
