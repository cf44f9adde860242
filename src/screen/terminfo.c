/* What terminfo has, and an entry of our own where it has none of 24 bits: the terminal's, as it
 * is compiled (term(5), numbers of 32 bits), with other colours. */
#include <curses.h>
#include <stdint.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#include "base/out.h"
#include "screen/terminfo.h"

#define MAGIC_32_BITS 01036
#define TABLE_MAX 32000 /* offsets have 16 bits */
#define SEMICOLONS "%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%dm"

bool terminfo_has(const char *name, const char *capability)
{
	int status;
	if (setupterm(name, STDOUT_FILENO, &status) != OK)
		return false;
	const char *found = tigetstr((char *)capability);
	bool has = found && found != (char *)-1;
	del_curterm(cur_term);
	return has;
}

/* ---- one of 24 bits ---- */

static void put_16(struct out *out, unsigned value)
{
	out_char(out, (char)(value & 0xff));
	out_char(out, (char)(value >> 8 & 0xff));
}

static void put_32(struct out *out, unsigned value)
{
	put_16(out, value);
	put_16(out, value >> 16);
}

static void put_even(struct out *out)
{
	if (out->n % 2)
		out_char(out, '\0');
}

static void put_text(struct out *out, const char *text)
{
	out_bytes(out, text, strlen(text) + 1);
}

static unsigned count(const char *const *names)
{
	unsigned n = 0;
	while (names[n])
		n++;
	return n;
}

static int number_of(const char *name)
{
	if (strcmp(name, "colors") == 0)
		return 1 << 24;
	return strcmp(name, "pairs") == 0 ? INT16_MAX : tigetnum((char *)name);
}

/* NULL: the terminal has none. */
static const char *string_of(const char *name)
{
	if (strcmp(name, "setaf") == 0)
		return "\033[38;2;" SEMICOLONS;
	if (strcmp(name, "setab") == 0)
		return "\033[48;2;" SEMICOLONS;
	if (strcmp(name, "setf") == 0 || strcmp(name, "setb") == 0 || strcmp(name, "initc") == 0)
		return NULL;
	const char *text = tigetstr((char *)name);
	return text == (char *)-1 ? NULL : text;
}

static void put_strings(struct out *out, struct out *table)
{
	unsigned n = count(strnames);
	for (unsigned i = 0; i < n; i++) {
		const char *text = string_of(strnames[i]);
		put_16(out, text ? (unsigned)table->n : UINT16_MAX);
		if (text)
			put_text(table, text);
	}
}

/* What is of use of what ncurses has added to terminfo: that the colours have defaults (AX), that
 * they are direct (RGB), how the mouse is asked for (XM). */
static void put_added(struct out *out)
{
	static const char names[] = "AX\0RGB\0XM"; /* of two booleans and a string */
	static const uint8_t starts[] = {0, 3, 7};
	const char *mouse = tigetstr("XM");
	bool has_mouse = mouse && mouse != (char *)-1;
	put_even(out);
	put_16(out, 2); /* booleans */
	put_16(out, 0); /* numbers */
	put_16(out, 1); /* strings */
	put_16(out, has_mouse + 3u);
	put_16(out, (unsigned)(has_mouse ? strlen(mouse) + 1 : 0) + sizeof(names));
	out_char(out, tigetflag("AX") > 0);
	out_char(out, 1);
	put_16(out, has_mouse ? 0 : UINT16_MAX);
	for (unsigned i = 0; i < sizeof(starts); i++)
		put_16(out, starts[i]);
	if (has_mouse)
		put_text(out, mouse);
	out_bytes(out, names, sizeof(names));
}

static void compile(struct out *out, struct out *offsets, struct out *table)
{
	unsigned n_booleans = count(boolnames), n_numbers = count(numnames);
	put_strings(offsets, table);
	put_16(out, MAGIC_32_BITS);
	put_16(out, sizeof(TERMINFO_OWN));
	put_16(out, n_booleans);
	put_16(out, n_numbers);
	put_16(out, count(strnames));
	put_16(out, (unsigned)table->n);
	put_text(out, TERMINFO_OWN);
	for (unsigned i = 0; i < n_booleans; i++)
		out_char(out,
			 strcmp(boolnames[i], "ccc") != 0 && tigetflag((char *)boolnames[i]) > 0);
	put_even(out);
	for (unsigned i = 0; i < n_numbers; i++)
		put_32(out, (unsigned)number_of(numnames[i]));
	out_bytes(out, offsets->data, offsets->n);
	out_bytes(out, table->data, table->n);
	put_added(out);
}

bool terminfo_direct(const char *term, struct out *ret)
{
	cleanup(out_done) struct out entry = {.fd = -1}, offsets = {.fd = -1}, table = {.fd = -1};
	int status;
	if (out_init(&entry, -1) < 0 || out_init(&offsets, -1) < 0 || out_init(&table, -1) < 0 ||
	    setupterm(term, STDOUT_FILENO, &status) != OK)
		return false;
	bool has_colours = tigetnum("colors") > 1;
	if (has_colours)
		compile(&entry, &offsets, &table);
	del_curterm(cur_term);
	out_string(ret, "hex:");
	for (size_t i = 0; i < entry.n; i++)
		out_format(ret, "%02x", (unsigned)(uint8_t)entry.data[i]);
	out_char(ret, '\0');
	return has_colours && table.n <= TABLE_MAX && !entry.error && !offsets.error &&
	       !table.error && !ret->error;
}
