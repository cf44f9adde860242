/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which jails of a fail2ban are on, as its own order of files has it. */
#include "check.h"
#include "laid-out.h"
#include "source/fail2ban.h"

static bool is_on(const struct fail2ban *all, const char *name)
{
	for (uint32_t i = 0; i < all->jails.n; i++) {
		const struct fail2ban_jail *jail = vector_at(&all->jails, i);
		if (strcmp(jail->name, name) == 0)
			return fail2ban_is_enabled(all, jail);
	}
	return false;
}

static void test_later_files_have_the_last_word(void **state)
{
	struct laid_out *laid = *state;
	struct fail2ban seen;
	laid_out_text(laid, "run/fail2ban/fail2ban.sock", "");
	laid_out_text(
		laid, "etc/fail2ban/jail.conf",
		"# all\n[INCLUDES]\nbefore = paths-debian.conf\n[DEFAULT]\nenabled = false\n"
		"ignorecommand =\n[sshd]\nport = ssh\nlogpath = a\n  enabled = true\n[vsftpd]\n"
		"[proftpd]\n");
	laid_out_text(laid, "etc/fail2ban/jail.d/b.conf",
		      "[sshd]\nenabled = true\n[vsftpd]\nenabled=1");
	laid_out_text(laid, "etc/fail2ban/jail.d/a.conf", "[sshd]\nenabled = false\n");
	laid_out_text(laid, "etc/fail2ban/jail.d/c.local", "[portscan]\nEnabled = YES\n");
	laid_out_text(laid, "etc/fail2ban/jail.local",
		      "[DEFAULT]\nignoreself = no\n[vsftpd]\nenabled = off\n");
	laid_out_text(laid, "etc/fail2ban/jail.d/x.bak", "[proftpd]\nenabled = true\n");
	fail2ban_read(&laid->host, &seen);
	assert_true(seen.is_running);
	assert_false(seen.ignores_self);
	assert_true(is_on(&seen, "sshd"));
	assert_true(is_on(&seen, "portscan"));
	assert_false(is_on(&seen, "vsftpd"));
	assert_false(is_on(&seen, "proftpd"));
	assert_false(is_on(&seen, "INCLUDES"));
	assert_false(is_on(&seen, "DEFAULT"));
	fail2ban_done(&seen);
}

static void test_one_that_has_died_watches_nothing(void **state)
{
	struct laid_out *laid = *state;
	struct fail2ban seen;
	fail2ban_read(&laid->host, &seen);
	assert_false(seen.is_running);
	fail2ban_done(&seen);
	laid_out_text(laid, "run/fail2ban/fail2ban.sock", "");
	laid_out_text(laid, "run/fail2ban/fail2ban.pid", "4711\n");
	fail2ban_read(&laid->host, &seen);
	assert_false(seen.is_running);
	fail2ban_done(&seen);
	laid_out_text(laid, "proc/4711/comm", "fail2ban-server\n");
	fail2ban_read(&laid->host, &seen);
	assert_true(seen.is_running);
	assert_true(seen.ignores_self);
	fail2ban_done(&seen);
}

static void test_any_text_is_read_within_bounds(void **state)
{
	(void)state;
	static const char *const texts[] = {"",
					    "[",
					    "[]",
					    "]",
					    "[x",
					    "=",
					    "[a]\n=\n",
					    "[a]\nenabled",
					    "[a]\nenabled=",
					    "\n\n[ ]\n = \n",
					    "[a]\r\nenabled = 1\r\n"};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct fail2ban seen = {0};
		vector_init(&seen.jails, sizeof(struct fail2ban_jail));
		char *copy = strdup(texts[i]); /* so that ASan sees a byte too far */
		fail2ban_parse(copy, &seen);
		assert_int_equal(is_on(&seen, "a"), i == 10);
		free(copy);
		fail2ban_done(&seen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAID_OUT(test_later_files_have_the_last_word),
		LAID_OUT(test_one_that_has_died_watches_nothing),
		cmocka_unit_test(test_any_text_is_read_within_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
