/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of a history: what is dropped, a full disk, what breaks. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mount.h>

#include "feed.h"

static int set_up(void **state)
{
	struct fed *fed = malloc(sizeof(*fed));
	feed_init(fed);
	*state = fed;
	return 0;
}

static int tear_down(void **state)
{
	feed_done(*state);
	free(*state);
	return 0;
}

static int64_t number_of(struct fed *fed, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *statement = NULL;
	assert_int_equal(sqlite3_open_v2(fed->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return number;
}

static void run_sql(struct fed *fed, const char *sql)
{
	sqlite3 *db;
	char *why = NULL;
	assert_int_equal(sqlite3_open(fed->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}

/* @n connections that come and go, a tenth of them for long. */
static void feed_connections(struct fed *fed, uint32_t n)
{
	static uint32_t turn;
	uint32_t process = made_process(fed->snapshot, 11, 1, "nginx", "nginx.service"),
		 sockets[10];
	for (unsigned i = 0; i < ARRAY_SIZE(sockets); i++) {
		char peer[32];
		snprintf(peer, sizeof(peer), "198.51.100.7:%u", 10000 + i);
		sockets[i] = made_socket(fed->snapshot, PROTO_TCP, STATE_ESTABLISHED,
					 "203.0.113.9:80", peer);
		made_hold(fed->snapshot, sockets[i], process, 9);
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t socket = sockets[i % ARRAY_SIZE(sockets)];
		made_at(fed->snapshot, socket)->cookie = 10000000 + ++turn;
		hand(fed, EVENT_ESTABLISHED, socket);
		fed->uptime += SECOND / 1000;
		hand(fed, EVENT_ENDED, socket);
		if (i % 1000 == 999)
			later(fed, SECOND / 2);
	}
	later(fed, SECOND);
}

static void test_what_is_too_much_is_dropped_and_its_space_given_back(void **state)
{
	struct fed *fed = *state;
	const uint64_t bound = 1 << 20;
	const struct recorder_wish wish = {.path = fed->path,
					   .boot_id = fed->boot,
					   .time_ns = now_ns(fed),
					   .uptime_ns = fed->uptime,
					   .retain_size = bound,
					   .group = (gid_t)-1};
	struct error err = {.code = 0};
	assert_int_equal(fed->history->record(&wish, &fed->recorder, &err), 0);
	hand(fed, EVENT_STARTED, NONE);
	uint32_t listener =
		made_socket(fed->snapshot, PROTO_TCP, STATE_LISTEN, "0.0.0.0:8080", NULL);
	made_hold(fed->snapshot, listener, made_process(fed->snapshot, 10, 1, "old", NULL), 6);
	hand(fed, EVENT_OPENED, listener);
	uint64_t opened = now_ns(fed);
	for (unsigned i = 0; i < 60; i++) {
		feed_connections(fed, 1000);
		for (unsigned k = 0; k < 3; k++)
			later(fed, 31 * SECOND);
	}
	struct recorder_state told;
	fed->history->state(fed->recorder, &told);
	assert_true(told.n_pruned > 10);
	assert_true(told.size <= bound + bound / 4);
	for (unsigned k = 0; k < 5; k++)
		later(fed, 31 * SECOND);
	struct stat status;
	assert_int_equal(stat(fed->path, &status), 0);
	assert_true((uint64_t)status.st_size <= bound * 3 / 2);
	assert_int_equal(number_of(fed, "SELECT count(*) FROM pragma_integrity_check"
					" WHERE integrity_check <> 'ok'"),
			 0);

	/* what was pruned is not known; what is open since then is known whole */
	struct snapshot *snapshot = listing_at(fed, opened + 3 * SECOND, NULL);
	assert_false(snapshot->is_complete);
	snapshot_free(snapshot);
	snapshot = listing_at(fed, now_ns(fed), NULL);
	assert_true(snapshot->is_complete);
	assert_int_equal(snapshot->sockets.n, 1);
	const struct holder *holder =
		snapshot_holder(snapshot, snapshot_socket(snapshot, 0)->holder);
	assert_string_equal(snapshot_process(snapshot, holder->process)->exe, "/usr/bin/old");
	assert_string_equal(snapshot_process(snapshot, holder->process)->name, "old");
	snapshot_free(snapshot);
}

static void test_what_is_too_old_is_dropped(void **state)
{
	struct fed *fed = *state;
	const struct recorder_wish wish = {.path = fed->path,
					   .boot_id = fed->boot,
					   .time_ns = now_ns(fed),
					   .uptime_ns = fed->uptime,
					   .retain_ns = 24 * 3600 * SECOND,
					   .group = (gid_t)-1};
	struct error err = {.code = 0};
	assert_int_equal(fed->history->record(&wish, &fed->recorder, &err), 0);
	hand(fed, EVENT_STARTED, NONE);
	for (unsigned i = 0; i < 60; i++) {
		feed_connections(fed, 100);
		later(fed, 3600 * SECOND);
		later(fed, 31 * SECOND);
	}
	struct remembered remembered;
	ask_intervals(fed, NULL, 0, 0, 0, &remembered);
	assert_true(remembered.intervals.n >= 2300 && remembered.intervals.n <= 2800);
	remembered_done(&remembered);
	assert_true(number_of(fed, "SELECT count(*) FROM process") <= 30);
}

static void test_a_full_disk_drops_counts_and_goes_on(void **state)
{
	struct fed *fed = *state;
	if (geteuid() != 0 || mount("tmpfs", fed->folder, "tmpfs", 0, "size=3m") < 0)
		skip();
	must_start(fed);
	hand(fed, EVENT_STARTED, NONE);
	feed_connections(fed, 2000);
	char big[128];
	snprintf(big, sizeof(big), "%s/big", fed->folder);
	int fd = open(big, O_CREAT | O_WRONLY, 0600);
	char block[4096] = {1};
	while (write(fd, block, sizeof(block)) > 0)
		;
	while (write(fd, block, 1) > 0)
		;
	close(fd);

	struct error err = {.code = 0};
	struct recorder_state told;
	uint32_t process = made_process(fed->snapshot, 11, 1, "nginx", NULL),
		 socket = made_socket(fed->snapshot, PROTO_TCP, STATE_ESTABLISHED, "203.0.113.9:80",
				      "198.51.100.7:1");
	made_hold(fed->snapshot, socket, process, 9);
	unsigned n_told = 0;
	for (uint32_t i = 0; i < 400000; i++) {
		made_at(fed->snapshot, socket)->cookie = 20000000 + i;
		hand(fed, EVENT_ESTABLISHED, socket);
		fed->uptime += 10000;
		hand(fed, EVENT_ENDED, socket);
		if (i % 10000 == 0) {
			fed->uptime += 2 * SECOND;
			int r = fed->history->turn(fed->recorder, now_ns(fed), fed->uptime, &err);
			assert_true(r == 0 || r == -ENOSPC);
			n_told += r == -ENOSPC;
		}
	}
	fed->history->state(fed->recorder, &told);
	assert_true(n_told > 0);
	assert_non_null(strstr(err.what, "no space left"));
	assert_true(told.is_full);
	assert_true(told.n_dropped > 30000);
	assert_int_equal(unlink(big), 0);
	assert_int_equal(mount("tmpfs", fed->folder, "tmpfs", MS_REMOUNT, "size=300m"), 0);
	later(fed, 2 * SECOND);
	later(fed, 2 * SECOND);
	fed->history->state(fed->recorder, &told);
	assert_false(told.is_full);
	struct remembered remembered;
	ask_intervals(fed, NULL, 0, 0, 1, &remembered);
	assert_true(remembered.gaps.n >= 1);
	const struct gap *gap = vector_at(&remembered.gaps, 0);
	assert_int_equal(gap->lost, told.n_dropped);
	remembered_done(&remembered);
	assert_int_equal(number_of(fed, "SELECT sum(n) FROM segment"),
			 2000 + 400000 - (int64_t)told.n_dropped);
	stop_recorder(fed);
	umount2(fed->folder, MNT_DETACH);
}

static void test_who_may_only_read_reads_with_and_without_a_recorder(void **state)
{
	struct fed *fed = *state;
	if (geteuid() != 0)
		skip();
	must_start(fed);
	hand(fed, EVENT_STARTED, NONE);
	feed_connections(fed, 10);
	assert_int_equal(chmod(fed->folder, 0755), 0);
	const char *const files[] = {"", "-wal", "-shm", ".lock"};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char name[128];
		struct stat status;
		snprintf(name, sizeof(name), "%s%s", fed->path, files[i]);
		assert_int_equal(stat(name, &status), 0);
		assert_int_equal(status.st_mode & 0777, 0640);
		assert_int_equal(chown(name, (uid_t)-1, 65534), 0);
	}
	for (unsigned with = 0; with < 2; with++) {
		struct remembered remembered;
		assert_int_equal(setegid(65534), 0);
		assert_int_equal(seteuid(65534), 0);
		ask_intervals(fed, NULL, 0, 0, 0, &remembered);
		assert_int_equal(remembered.intervals.n, 10);
		remembered_done(&remembered);
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(setegid(0), 0);
		if (!with)
			stop_recorder(fed);
	}
	/* not of the group */
	struct archive *archive;
	struct error err = {.code = 0};
	assert_int_equal(seteuid(65533), 0);
	assert_int_equal(fed->history->open(fed->path, &archive, &err), -EACCES);
	assert_int_equal(seteuid(0), 0);
}

static void test_a_page_that_breaks_is_no_crash_and_nothing_is_deleted(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	hand(fed, EVENT_STARTED, NONE);
	feed_connections(fed, 3000);
	stop_recorder(fed);
	struct stat status;
	assert_int_equal(stat(fed->path, &status), 0);
	int fd = open(fed->path, O_RDWR);
	for (off_t at = 4096; at < status.st_size; at += 4096) /* all but the first */
		assert_int_equal(pwrite(fd, "broken broken broken", 20, at), 20);
	close(fd);
	must_start(fed);
	struct recorder_state told;
	fed->history->state(fed->recorder, &told);
	struct stat aside;
	assert_int_equal(stat(told.set_aside, &aside), 0);
	assert_int_equal(aside.st_size, status.st_size);
	hand(fed, EVENT_STARTED, NONE);
	feed_connections(fed, 5);
	assert_int_equal(number_of(fed, "SELECT sum(n) FROM segment"), 5);
}

static void test_another_programs_database_is_left_alone(void **state)
{
	struct fed *fed = *state;
	run_sql(fed, "PRAGMA application_id = 5; CREATE TABLE theirs (a)");
	struct error err = {.code = 0};
	assert_int_equal(start_recorder(fed, &err), -EBADMSG);
	assert_non_null(strstr(err.what, "another program"));
	assert_int_equal(number_of(fed, "SELECT count(*) FROM theirs"), 0);
}

static void test_an_idle_recorder_does_not_touch_the_file(void **state)
{
	struct fed *fed = *state;
	must_start(fed);
	hand(fed, EVENT_STARTED, NONE);
	feed_connections(fed, 5);
	later(fed, 10 * SECOND);
	struct stat before, after;
	char log[128];
	snprintf(log, sizeof(log), "%s-wal", fed->path);
	assert_int_equal(stat(fed->path, &before), 0);
	int64_t version = number_of(fed, "PRAGMA data_version");
	struct stat log_before, log_after;
	assert_int_equal(stat(log, &log_before), 0);
	for (unsigned i = 0; i < 1000; i++) {
		fed->ahead += 3000; /* the clock is steered */
		later(fed, 5 * SECOND);
		assert_true(fed->history->due(fed->recorder, fed->uptime) >= 4000);
	}
	assert_int_equal(stat(fed->path, &after), 0);
	assert_int_equal(stat(log, &log_after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(log_before.st_mtim.tv_nsec, log_after.st_mtim.tv_nsec);
	assert_int_equal(version, number_of(fed, "PRAGMA data_version"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_too_much_is_dropped_and_its_space_given_back),
		TEST(test_what_is_too_old_is_dropped),
		TEST(test_a_full_disk_drops_counts_and_goes_on),
		TEST(test_who_may_only_read_reads_with_and_without_a_recorder),
		TEST(test_a_page_that_breaks_is_no_crash_and_nothing_is_deleted),
		TEST(test_another_programs_database_is_left_alone),
		TEST(test_an_idle_recorder_does_not_touch_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
