/* Output made in pieces by two threads. */
#include <pthread.h>
#include <sched.h>

#include "base/pieces.h"

/* Pieces 0, 2, 4, ... are made by the caller, straight into the output; 1, 3, 5, ... by a worker,
 * AHEAD of them at most before their turn. The caller makes one of the worker's itself where that
 * has not begun it. Were each to take the next, the worker would take them all: the caller, which
 * writes, would find every piece begun and wait for it. */
#define AHEAD 2

struct pieces {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	piece_make *make;
	void *data;
	uint32_t n;
	uint32_t next;		 /* of the worker's: not begun yet */
	uint32_t waiting[AHEAD]; /* begun by the worker; free where they are NOBODY */
	bool is_made[AHEAD];
	struct out made[AHEAD];
	bool is_unwanted;
};

#define NOBODY UINT32_MAX

/* A place for a piece of the worker, or AHEAD. */
static unsigned place_of(const struct pieces *pieces, uint32_t index)
{
	unsigned at = 0;
	while (at < AHEAD && pieces->waiting[at] != index)
		at++;
	return at;
}

static void *work(void *data)
{
	struct pieces *pieces = data;
	unsigned at;
	pthread_mutex_lock(&pieces->lock);
	while (!pieces->is_unwanted && pieces->next < pieces->n) {
		if ((at = place_of(pieces, NOBODY)) == AHEAD) {
			pthread_cond_wait(&pieces->changed, &pieces->lock);
			continue;
		}
		uint32_t index = pieces->next;
		pieces->next += 2;
		pieces->waiting[at] = index;
		pieces->is_made[at] = false;
		pthread_mutex_unlock(&pieces->lock);
		pieces->made[at].n = 0;
		pieces->make(pieces->data, 1, &pieces->made[at], index);
		pthread_mutex_lock(&pieces->lock);
		pieces->is_made[at] = true;
		pthread_cond_signal(&pieces->changed);
	}
	pthread_mutex_unlock(&pieces->lock);
	return NULL;
}

/* Writes the piece of the worker whose turn it is. Called with the lock held. */
static void write_waiting(struct pieces *pieces, struct out *out, unsigned at)
{
	while (!pieces->is_made[at])
		pthread_cond_wait(&pieces->changed, &pieces->lock);
	pthread_mutex_unlock(&pieces->lock);
	if (pieces->made[at].error)
		out->error = out->error ? out->error : pieces->made[at].error;
	out_bytes(out, pieces->made[at].data, pieces->made[at].n);
	pthread_mutex_lock(&pieces->lock);
	pieces->waiting[at] = NOBODY;
	pthread_cond_signal(&pieces->changed);
}

static void write_all(struct pieces *pieces, struct out *out)
{
	pthread_mutex_lock(&pieces->lock);
	for (uint32_t turn = 0; turn < pieces->n && !out->error; turn++) {
		unsigned at = place_of(pieces, turn);
		if (at < AHEAD) {
			write_waiting(pieces, out, at);
			continue;
		}
		if (pieces->next == turn)
			pieces->next += 2;
		pthread_mutex_unlock(&pieces->lock);
		pieces->make(pieces->data, 0, out, turn);
		pthread_mutex_lock(&pieces->lock);
	}
	pieces->is_unwanted = true;
	pthread_cond_signal(&pieces->changed);
	pthread_mutex_unlock(&pieces->lock);
}

static bool has_two_processors(void)
{
	cpu_set_t set;
	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

static void write_alone(struct out *out, uint32_t n, piece_make *make, void *data)
{
	for (uint32_t i = 0; i < n && !out->error; i++)
		make(data, 0, out, i);
}

void pieces_write(struct out *out, uint32_t n, piece_make *make, void *data)
{
	struct pieces pieces = {.lock = PTHREAD_MUTEX_INITIALIZER,
				.changed = PTHREAD_COND_INITIALIZER,
				.make = make,
				.data = data,
				.n = n,
				.next = 1};
	pthread_t thread;
	int r = n > 1 && has_two_processors() ? 0 : -1;
	for (unsigned i = 0; i < AHEAD; i++) {
		pieces.waiting[i] = NOBODY;
		if (r == 0)
			r = out_init(&pieces.made[i], -1);
	}
	if (r == 0 && pthread_create(&thread, NULL, work, &pieces) == 0) {
		write_all(&pieces, out);
		pthread_join(thread, NULL);
	} else {
		write_alone(out, n, make, data);
	}
	for (unsigned i = 0; i < AHEAD; i++)
		out_done(&pieces.made[i]);
}
