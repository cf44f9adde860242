/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scene NAME [--option VALUE ...]: makes the real thing, says so in one line of JSON, stays until
 * its standard input ends or SIGTERM comes, then takes everything down. Status 77: this host
 * cannot, and standard error says why; 2: the command line was wrong; 3: it failed. */
#include "stage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "netns.h"

static const struct option everywhere[] = {
	{"own-netns", "0|1", "0", "play in a network namespace of its own"},
	{"uid", "N", NULL, "play as this user"},
	{"name", "TEXT", NULL, "the name of the process"},
	{"argv0", "TEXT", NULL, "the first word of its command line"},
	{"cookies", "0|1", "1", "ask for the cookies, which gives each socket one"},
	{0},
};

static const struct option *option_find(const struct option *options, const char *name)
{
	for (const struct option *o = options; o && o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

static void list_options(const struct option *options)
{
	for (const struct option *o = options; o && o->name; o++)
		printf("    --%s %s  %s%s%s\n", o->name, o->argument, o->help,
		       o->standard ? "; else " : "", o->standard ? o->standard : "");
}

static int list_scenes(void)
{
	puts("Every scene:");
	list_options(everywhere);
	for (size_t i = 0; scenes[i]; i++) {
		printf("%s: %s\n", scenes[i]->name, scenes[i]->summary);
		list_options(scenes[i]->options);
	}
	return 0;
}

static int wrong(const char *what, const char *word)
{
	fprintf(stderr, "scene: %s %s (scene --list names them all)\n", what, word);
	return 2;
}

static int options_parse(struct stage *stage, char **words)
{
	for (; *words; words += 2) {
		if (strcmp(*words, "--") == 0) {
			stage->rest = words + 1;
			return 0;
		}
		const struct option *option = NULL;
		if (strncmp(*words, "--", 2) == 0) {
			option = option_find(stage->scene->options, *words + 2);
			option = option ? option : option_find(everywhere, *words + 2);
		}
		if (!option)
			return wrong("no such option:", *words);
		if (!words[1])
			return wrong("a value is missing after", *words);
		if (stage->n_given == LOOKUP_MAX)
			return wrong("too many options at", *words);
		stage->given[stage->n_given] = option;
		stage->values[stage->n_given++] = words[1];
	}
	return 0;
}

static void set_up(struct stage *stage)
{
	const char *name = stage_word(stage, "name"), *argv0 = stage_word(stage, "argv0");

	if (argv0)
		exec_self_as(stage, NULL, argv0);
	if (stage_is(stage, "cookies", "0"))
		setenv("SCENE_NO_COOKIES", "1", 1);
	if (name)
		prctl(PR_SET_NAME, name);
	if (stage_number(stage, "own-netns"))
		netns_new();
	if (stage_word(stage, "uid"))
		become(stage_number(stage, "uid"));
}

static void say_who(struct stage *stage)
{
	json_string(&stage->keys, "scene", stage->scene->name);
	json_uint(&stage->keys, "scene_pid", (uint64_t)stage->pid);
	json_uint(&stage->keys, "uid", getuid());
	json_uint(&stage->keys, "netns", netns_inode());
}

int main(int argc, char **argv)
{
	struct stage stage = {.pid = getpid(), .argv = argv, .ready = -1};

	while (strcmp(argv[0], "java") ==
	       0) /* the scene `interpreter` wants just the command line */
		pause();
	if (argc < 2 || strcmp(argv[1], "--list") == 0 || strcmp(argv[1], "--help") == 0)
		return argc < 2 ? wrong("which scene?", "") : list_scenes();
	for (size_t i = 0; scenes[i]; i++)
		if (strcmp(scenes[i]->name, argv[1]) == 0)
			stage.scene = scenes[i];
	if (!stage.scene)
		return wrong("no such scene:", argv[1]);
	int r = options_parse(&stage, argv + 2);
	if (r)
		return r;

	json_start(&stage.keys);
	json_start(&stage.sockets);
	on_exit(stage_end, &stage); /* also when the making fails half-way */
	set_up(&stage);
	say_who(&stage);
	stage.scene->run(&stage);
	stage_stay(&stage);
	exit(0); /* not return: stage_end() needs this frame */
}
