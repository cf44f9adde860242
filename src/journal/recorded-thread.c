/* The walk through the record in a thread of its own: no key waits for a disk. */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/background.h"
#include "base/privilege.h"
#include "journal/recorded.h"

struct recorded {
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t change;
	struct recorded_wish wish;
	struct recorded_answer answer;
	bool is_wished, is_answered, is_ended;

	const char *path;
	int fd;
};

static struct recorded_answer find(const struct recorded *recorded,
				   const struct recorded_wish *wish)
{
	struct record_of of;
	struct recorded_answer made = {.time_ns = wish->time_ns, .number = wish->number};
	made.result = record_open(recorded->path, &of, &made.error);
	if (made.result >= 0)
		recorded_find(&of, wish, &made);
	record_close(&of);
	return made;
}

static void give(struct recorded *recorded, const struct recorded_answer *made)
{
	uint64_t one = 1;
	recorded_done(&recorded->answer);
	recorded->answer = *made;
	recorded->is_answered = true;
	if (write(recorded->fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

/* Who is not root has been given no right by himself; root without any may not look into another's
 * folder. */
static void *run(void *data)
{
	struct recorded *recorded = data;
	pthread_setname_np(pthread_self(), "doorward-past");
	privilege_keep(geteuid() == 0 ? CAP(DAC_READ_SEARCH) : 0);
	background_thread();
	pthread_mutex_lock(&recorded->lock);
	while (!recorded->is_ended) {
		if (!recorded->is_wished) {
			pthread_cond_wait(&recorded->change, &recorded->lock);
			continue;
		}
		struct recorded_wish wish = recorded->wish;
		recorded->is_wished = false;
		pthread_mutex_unlock(&recorded->lock);
		struct recorded_answer made = find(recorded, &wish);
		pthread_mutex_lock(&recorded->lock);
		give(recorded, &made);
	}
	pthread_mutex_unlock(&recorded->lock);
	return NULL;
}

static void done(struct recorded *recorded)
{
	recorded_done(&recorded->answer);
	pthread_cond_destroy(&recorded->change);
	pthread_mutex_destroy(&recorded->lock);
	closep(&recorded->fd);
	free(recorded);
}

int recorded_start(const char *path, struct recorded **ret, struct error *err)
{
	struct recorded *recorded = calloc(1, sizeof(*recorded));
	if (!recorded)
		return error_set(err, -ENOMEM, "read the record");
	recorded->path = path;
	recorded->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&recorded->lock, NULL);
	pthread_cond_init(&recorded->change, NULL);
	int r = recorded->fd < 0 ? -errno : background_start(&recorded->thread, run, recorded);
	if (r < 0) {
		done(recorded);
		return error_set(err, r, "start a thread");
	}
	*ret = recorded;
	return 0;
}

void recorded_free(struct recorded *recorded)
{
	if (!recorded)
		return;
	pthread_mutex_lock(&recorded->lock);
	recorded->is_ended = true;
	pthread_cond_signal(&recorded->change);
	pthread_mutex_unlock(&recorded->lock);
	pthread_join(recorded->thread, NULL);
	done(recorded);
}

void recorded_ask(struct recorded *recorded, const struct recorded_wish *wish)
{
	pthread_mutex_lock(&recorded->lock);
	recorded->wish = *wish;
	recorded->is_wished = true;
	pthread_cond_signal(&recorded->change);
	pthread_mutex_unlock(&recorded->lock);
}

int recorded_fd(const struct recorded *recorded)
{
	return recorded->fd;
}

bool recorded_take(struct recorded *recorded, struct recorded_answer *ret)
{
	uint64_t count;
	if (read(recorded->fd, &count, sizeof(count)) < 0)
		count = 0; /* it was taken before it was told */
	pthread_mutex_lock(&recorded->lock);
	bool is_there = recorded->is_answered;
	if (is_there)
		*ret = recorded->answer;
	recorded->answer = (struct recorded_answer){0};
	recorded->is_answered = false;
	pthread_mutex_unlock(&recorded->lock);
	return is_there;
}
