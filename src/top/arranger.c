/* A thread for what takes longer than a key may wait. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/background.h"
#include "base/privilege.h"
#include "top/arranger.h"
#include "top/state.h"

struct burden {
	struct arrangement *arrangement;
	const struct snapshot *snapshot; /* the other is NULL */
};

struct arranger {
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t change;
	struct wish wish; /* snapshot NULL: none */
	struct arrangement *done;
	struct vector burdens;		     /* to be given up */
	struct choice choices[CHOICE_LISTS]; /* to be kept, if has_choices */
	struct error unkept;		     /* code 0: none */
	bool has_choices, is_ended;

	const struct services *services; /* the rest is the thread's */
	struct marks marks;
	struct arrangement *last;
	int fd;
};

static void wish_hold(struct wish *wish)
{
	snapshot_hold(wish->snapshot);
	if (wish->older)
		snapshot_hold(wish->older);
}

static void wish_release(struct wish *wish)
{
	snapshot_release(wish->snapshot);
	snapshot_release(wish->older);
	wish->snapshot = wish->older = NULL;
}

static void tell(const struct arranger *arranger)
{
	uint64_t one = 1;
	if (write(arranger->fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

static void give(struct arranger *arranger, struct arrangement *made)
{
	arrangement_release(arranger->last);
	arranger->last = made;
	pthread_mutex_lock(&arranger->lock);
	struct arrangement *old = arranger->done;
	arranger->done = arrangement_hold(made);
	pthread_mutex_unlock(&arranger->lock);
	arrangement_release(old); /* a large one takes its time, and who draws waits for the lock */
	tell(arranger);
}

static void drop_burdens(struct vector *burdens)
{
	for (uint32_t i = 0; i < burdens->n; i++) {
		const struct burden *burden = vector_at(burdens, i);
		arrangement_release(burden->arrangement);
		snapshot_release(burden->snapshot);
	}
	vector_done(burdens);
}

/* The lock is held, but not while it is written. */
static void keep_choices(struct arranger *arranger)
{
	struct choice choices[CHOICE_LISTS];
	struct error err = {0};
	if (!arranger->has_choices)
		return;
	memcpy(choices, arranger->choices, sizeof(choices));
	arranger->has_choices = false;
	pthread_mutex_unlock(&arranger->lock);
	int r = choices_save(top_list_names, choices, CHOICE_LISTS, &err);
	pthread_mutex_lock(&arranger->lock);
	if (r >= 0)
		return;
	arranger->unkept = err;
	tell(arranger);
}

static void *run(void *data)
{
	struct arranger *arranger = data;
	pthread_setname_np(pthread_self(), "doorward-show");
	privilege_drop(); /* of this thread */
	background_thread();
	pthread_mutex_lock(&arranger->lock);
	while (!arranger->is_ended) {
		if (!arranger->wish.snapshot && !arranger->burdens.n && !arranger->has_choices) {
			pthread_cond_wait(&arranger->change, &arranger->lock);
			continue;
		}
		struct wish wish = arranger->wish;
		struct vector burdens = arranger->burdens;
		struct arrangement *made = NULL;
		arranger->wish.snapshot = arranger->wish.older = NULL;
		vector_init(&arranger->burdens, sizeof(struct burden));
		pthread_mutex_unlock(&arranger->lock);
		if (wish.snapshot && arrange(&arranger->marks, arranger->last, &wish,
					     arranger->services, &made) >= 0)
			give(arranger, made);
		wish_release(&wish);
		drop_burdens(&burdens);
		pthread_mutex_lock(&arranger->lock);
		keep_choices(arranger);
	}
	keep_choices(arranger);
	pthread_mutex_unlock(&arranger->lock);
	return NULL;
}

static void done(struct arranger *arranger)
{
	wish_release(&arranger->wish);
	drop_burdens(&arranger->burdens);
	arrangement_release(arranger->done);
	arrangement_release(arranger->last);
	marks_done(&arranger->marks);
	pthread_cond_destroy(&arranger->change);
	pthread_mutex_destroy(&arranger->lock);
	if (arranger->fd >= 0)
		close(arranger->fd);
	free(arranger);
}

int arranger_start(const struct services *services, struct arranger **ret, struct error *err)
{
	struct arranger *arranger = calloc(1, sizeof(*arranger));
	if (!arranger)
		return error_set(err, -ENOMEM, "start the screen");
	arranger->services = services;
	vector_init(&arranger->burdens, sizeof(struct burden));
	pthread_mutex_init(&arranger->lock, NULL);
	pthread_cond_init(&arranger->change, NULL);
	arranger->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = arranger->fd < 0 ? -errno : background_start(&arranger->thread, run, arranger);
	if (r < 0) {
		done(arranger);
		return error_set(err, r, "start a thread");
	}
	*ret = arranger;
	return 0;
}

void arranger_free(struct arranger *arranger)
{
	if (!arranger)
		return;
	pthread_mutex_lock(&arranger->lock);
	arranger->is_ended = true;
	pthread_cond_signal(&arranger->change);
	pthread_mutex_unlock(&arranger->lock);
	pthread_join(arranger->thread, NULL);
	done(arranger);
}

void arranger_ask(struct arranger *arranger, const struct wish *wish)
{
	struct wish held = *wish;
	wish_hold(&held);
	pthread_mutex_lock(&arranger->lock);
	struct wish old = arranger->wish;
	held.is_fresh |= old.snapshot && old.is_fresh; /* it was not begun */
	arranger->wish = held;
	pthread_cond_signal(&arranger->change);
	pthread_mutex_unlock(&arranger->lock);
	wish_release(&old);
}

int arranger_fd(const struct arranger *arranger)
{
	return arranger->fd;
}

struct arrangement *arranger_take(struct arranger *arranger)
{
	uint64_t count;
	if (read(arranger->fd, &count, sizeof(count)) < 0)
		return NULL;
	pthread_mutex_lock(&arranger->lock);
	struct arrangement *taken = arranger->done;
	arranger->done = NULL;
	pthread_mutex_unlock(&arranger->lock);
	return taken;
}

static void give_up(struct arranger *arranger, const struct burden *burden)
{
	if (!burden->arrangement && !burden->snapshot)
		return;
	struct burden *added = NULL;
	if (arranger) {
		pthread_mutex_lock(&arranger->lock);
		added = vector_add(&arranger->burdens);
		if (added)
			*added = *burden;
		pthread_cond_signal(&arranger->change);
		pthread_mutex_unlock(&arranger->lock);
	}
	if (!added) {
		arrangement_release(burden->arrangement);
		snapshot_release(burden->snapshot);
	}
}

void arranger_release(struct arranger *arranger, struct arrangement *arrangement)
{
	give_up(arranger, &(struct burden){.arrangement = arrangement});
}

void arranger_release_snapshot(struct arranger *arranger, const struct snapshot *snapshot)
{
	give_up(arranger, &(struct burden){.snapshot = snapshot});
}

void arranger_keep(struct arranger *arranger, const struct choice choices[CHOICE_LISTS])
{
	pthread_mutex_lock(&arranger->lock);
	memcpy(arranger->choices, choices, sizeof(arranger->choices));
	arranger->has_choices = true;
	pthread_cond_signal(&arranger->change);
	pthread_mutex_unlock(&arranger->lock);
}

int arranger_kept(struct arranger *arranger, struct error *err)
{
	pthread_mutex_lock(&arranger->lock);
	int r = arranger->unkept.code;
	if (r < 0)
		*err = arranger->unkept;
	arranger->unkept = (struct error){0};
	pthread_mutex_unlock(&arranger->lock);
	return r;
}
