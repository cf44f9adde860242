/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines of interpreters as people type them. */
#include "check.h"

#include "source/interpreter.h"

#define A(words) words, sizeof(words)

static const struct {
	const char *exe, *arguments;
	size_t n;
	const char *runs;
} lines[] = {
	{"/usr/bin/python3.11", A("python3\0app.py"), "app.py"},
	{"/usr/bin/python3.11", A("python3\0-u\0/srv/shop/app.py\0--port\08080"), "app.py"},
	{"/usr/bin/python3.11", A("python3\0-m\0http.server\08000"), "http.server"},
	{"/usr/bin/python3.11", A("python3\0-um\0http.server"), "http.server"},
	{"/usr/bin/python3.11", A("python3\0-X\0dev\0-W\0ignore\0-Wd\0a.py"), "a.py"},
	{"/usr/bin/python3.11", A("python3\0-c\0import x\0a.py"), NULL},
	{"/usr/bin/python3.11", A("python3\0-"), NULL},
	{"/usr/bin/python3.11", A("python3"), NULL},
	{"/usr/bin/python3.11", A("/usr/bin/python3\0/usr/bin/gunicorn\0app:app"), "gunicorn"},
	{"/usr/bin/python3.11", A("gunicorn: master [app]\0\0\0"), NULL},
	{"/usr/bin/perl", A("perl\0-Mstrict\0-I\0lib\0server.pl"), "server.pl"},
	{"/usr/bin/perl", A("perl\0-we\0sleep"), NULL},
	{"/usr/bin/ruby3.1", A("ruby\0-rbundler/setup\0-I\0lib\0bin/rails\0server"), "rails"},
	{"/usr/bin/ruby3.1", A("puma 5.6.5 (tcp://0.0.0.0:3000) [shop]"), NULL},
	{"/usr/bin/node", A("node\0--inspect\0-r\0dotenv/config\0/srv/index.js"), "index.js"},
	{"/usr/bin/nodejs", A("node\0--require\0x\0server.mjs"), "server.mjs"},
	{"/usr/bin/node", A("node\0-e\0require('http')"), NULL},
	{"/usr/bin/node", A("node\0--eval\0require('http')"), NULL},
	{"/usr/bin/deno", A("deno\0run\0--allow-net=:80\0app.ts"), "app.ts"},
	{"/usr/bin/php8.2", A("php\0-S\0localhost:8000\0-t\0public\0router.php"), "router.php"},
	{"/usr/bin/php8.2", A("php\0-S\0localhost:8000"), NULL},
	{"/usr/bin/php8.2", A("php\0-f\0/srv/x.php"), "x.php"},
	{"/usr/sbin/php-fpm8.2", A("php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)"),
	 NULL},
	{"/usr/lib/jvm/java-17/bin/java", A("java\0-Xmx1g\0-jar\0/opt/app.jar\0--port=1"),
	 "app.jar"},
	{"/usr/lib/jvm/java-17/bin/java",
	 A("java\0-cp\0/a.jar:/b.jar\0-Dx=y\0org.example.Main\0arg"), "org.example.Main"},
	{"/usr/lib/jvm/java-17/bin/java",
	 A("java\0--add-opens\0java.base/java.lang=ALL-UNNAMED\0-m\0shop/shop.Main"),
	 "shop/shop.Main"},
	{"/usr/lib/jvm/java-17/bin/java", A("java\0-version"), NULL},
	{"/usr/bin/bash", A("bash\0-euo\0pipefail\0/usr/local/bin/serve.sh"), "serve.sh"},
	{"/usr/bin/bash", A("bash\0-lc\0exec nc -l 80"), NULL},
	{"/usr/bin/bash", A("-bash"), NULL},
	{"/usr/bin/bash", A("bash\0--rcfile\0x\0--\0-odd.sh"), "-odd.sh"},
	{"/usr/bin/dash", A("/bin/sh\0/etc/init.d/x\0start"), "x"},
	{"/usr/bin/lua5.4", A("lua\0-l\0socket\0s.lua"), "s.lua"},
	{"/usr/bin/dotnet", A("dotnet\0exec\0/srv/Shop.dll"), "Shop.dll"},
	{"/usr/sbin/nginx", A("nginx\0-g\0daemon off;"), NULL},
	{"/usr/bin/pythonista", A("pythonista\0a.py"), NULL},
	{"/usr/bin/python3", A("python3\0/srv/"), NULL},
};

static void test_what_runs_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *runs = interpreter_runs(lines[i].exe, lines[i].arguments, lines[i].n);
		if (!runs != !lines[i].runs || (runs && strcmp(runs, lines[i].runs) != 0))
			fail_msg("line %zu of %s gives %s", i, lines[i].exe, runs);
	}
}

static void test_without_arguments_nothing_runs(void **state)
{
	(void)state;
	assert_null(interpreter_runs("/usr/bin/python3", "", 0));
	assert_null(interpreter_runs("/usr/bin/python3", "python3", 7));
	assert_null(interpreter_runs(NULL, "python3", 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_runs_is_named),
		cmocka_unit_test(test_without_arguments_nothing_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
