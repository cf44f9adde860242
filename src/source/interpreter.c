/* Interpreters and their command lines. */
#include <stdbool.h>
#include <string.h>

#include "base/attributes.h"
#include "source/interpreter.h"

/* How an interpreter's options read until its script comes. */
struct interpreter {
	const char *name;     /* of its file, before a version */
	const char *with;     /* letters whose argument is the rest of the word, or the next */
	const char *attached; /* letters whose argument is the rest of the word */
	const char *code;     /* letters that bring the code themselves: no script */
	const char *names;    /* letters whose argument is what it runs: python's -m, php's -f */
	const char *words;    /* long options with the next word as argument, and commands that
				 stand before the script; a space round each */
};

/* python(1), perlrun(1), ruby(1), node(1), php(1), bash(1), lua(1) */
static const struct interpreter interpreters[] = {
	{"python", "WX", "", "c", "m", " --check-hash-based-pycs "},
	{"pypy", "WX", "", "c", "m", ""},
	{"perl", "I", "CDFMVilmx0", "eE", "", ""},
	{"ruby", "CEIr", "FKTWix0", "e", "", ""},
	{"node", "Cr", "", "ep", "",
	 " --require --import --loader --experimental-loader --conditions --env-file "},
	{"deno", "c", "", "", "", " --config --import-map "},
	{"bun", "", "", "e", "", " --preload --config "},
	{"php", "Scdtz", "", "BERr", "f", " --server --docroot --php-ini --define "},
	{"bash", "Oo", "", "cs", "", " --rcfile --init-file "},
	{"dash", "o", "", "cs", "", ""},
	{"sh", "o", "", "cs", "", ""},
	{"zsh", "o", "", "cs", "", ""},
	{"ksh", "o", "", "cs", "", ""},
	{"fish", "Cdo", "", "c", "", " --init-command --debug "},
	{"lua", "l", "", "e", "", ""},
	{"luajit", "bl", "jO", "e", "", ""},
	{"Rscript", "", "", "e", "", ""},
	{"julia", "JLpt", "", "eE", "", ""},
	{"tclsh", "", "", "", "", ""},
	{"expect", "", "", "c", "f", ""},
	{"mono", "", "", "", "", " --config "},
	{"dotnet", "", "", "", "",
	 " --runtimeconfig --depsfile --additionalprobingpath --fx-version "},
};

/* Words between the interpreter and its script: `deno run app.ts`. */
static const struct {
	const char *name, *word;
} commands[] = {{"deno", "run"}, {"deno", "serve"}, {"bun", "run"}, {"dotnet", "exec"}};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static const char *after(const char *word)
{
	return word + strlen(word) + 1;
}

static bool stands_in(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = strstr(list, word); n && at; at = strstr(at + 1, word))
		if (at > list && at[-1] == ' ' && at[n] == ' ')
			return true;
	return false;
}

/* java(1): the class path may be long, the main class or the jar comes after the options. */
static const char *java_runs(const char *at, const char *end)
{
	static const char with[] = " -cp -classpath --class-path -p --module-path --add-modules "
				   "--add-opens --add-exports --add-reads --limit-modules "
				   "--upgrade-module-path --source ";
	for (; at < end; at = after(at)) {
		const char *next = after(at);
		if (strcmp(at, "-jar") == 0)
			return next < end && *next ? base_name(next) : NULL;
		if (strcmp(at, "-m") == 0 || strcmp(at, "--module") == 0)
			return next < end && *next ? next : NULL;
		if (stands_in(with, at))
			at = next < end ? next : at;
		else if (at[0] != '-' && at[0] != '@')
			return *at ? at : NULL;
	}
	return NULL;
}

enum option_says { SAYS_GO_ON, SAYS_SKIP_NEXT, SAYS_CODE, SAYS_NAMES_NEXT };

/* What a word of joined letters says of what follows: -um of `python3 -um http.server`. @ret_rest:
 * where the argument stands in the word itself. */
static enum option_says read_letters(const struct interpreter *interpreter, const char *letters,
				     const char **ret_rest)
{
	for (const char *letter = letters; *letter; letter++) {
		if (strchr(interpreter->code, *letter))
			return SAYS_CODE;
		if (strchr(interpreter->attached, *letter))
			return SAYS_GO_ON;
		if (strchr(interpreter->with, *letter))
			return letter[1] ? SAYS_GO_ON : SAYS_SKIP_NEXT;
		if (strchr(interpreter->names, *letter)) {
			*ret_rest = letter[1] ? letter + 1 : NULL;
			return SAYS_NAMES_NEXT;
		}
	}
	return SAYS_GO_ON;
}

static bool is_command(const struct interpreter *interpreter, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(interpreter->name, commands[i].name) == 0 &&
		    strcmp(word, commands[i].word) == 0)
			return true;
	return false;
}

static const char *script_runs(const struct interpreter *interpreter, const char *at,
			       const char *end)
{
	bool is_first = true;
	for (; at < end; at = after(at)) {
		const char *next = after(at), *rest = NULL;
		if (is_first && is_command(interpreter, at)) {
			is_first = false;
			continue;
		}
		if (at[0] == '\0' || strcmp(at, "-") == 0)
			return NULL;
		if (strcmp(at, "--") == 0)
			return next < end && *next ? base_name(next) : NULL;
		if (strncmp(at, "--", 2) == 0) {
			if (strncmp(at, "--eval", 6) == 0 || strncmp(at, "--print", 7) == 0)
				return NULL;
			if (stands_in(interpreter->words, at) && next < end)
				at = next;
			continue;
		}
		if (at[0] != '-' && at[0] != '+')
			return base_name(at);
		switch (read_letters(interpreter, at + 1, &rest)) {
		case SAYS_CODE:
			return NULL;
		case SAYS_NAMES_NEXT:
			rest = rest ? rest : next < end ? next : "";
			return *rest ? base_name(rest) : NULL;
		case SAYS_SKIP_NEXT:
			at = next < end ? next : at;
			break;
		case SAYS_GO_ON:
			break;
		}
	}
	return NULL;
}

/* "python3.11" is python, "nodejs" is not node but is treated as it. */
static bool is_named(const char *file, const char *name)
{
	size_t n = strlen(name);
	if (strncmp(file, name, n) != 0)
		return false;
	file += n;
	if (strcmp(name, "node") == 0 && strcmp(file, "js") == 0)
		return true;
	return file[strspn(file, "0123456789.-")] == '\0';
}

const char *interpreter_runs(const char *exe, const char *arguments, size_t n)
{
	if (!exe || !n || arguments[n - 1] != '\0')
		return NULL;
	const char *file = base_name(exe), *end = arguments + n, *first = after(arguments);
	const char *runs = NULL;
	if (is_named(file, "java"))
		runs = java_runs(first, end);
	for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++)
		if (is_named(file, interpreters[i].name))
			runs = script_runs(&interpreters[i], first, end);
	return runs && *runs ? runs : NULL;
}

bool interpreter_is(const char *exe)
{
	const char *file = base_name(exe);
	for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++)
		if (is_named(file, interpreters[i].name))
			return true;
	return is_named(file, "java");
}
