/* What a person chose to see on a tab with a list: columns, order, groups. Kept in a file of his.
 */
#ifndef TOP_CHOICE_H
#define TOP_CHOICE_H

#include "model/field.h"
#include "model/rows.h"

#define CHOICE_COLUMNS_MAX 48
#define CHOICE_SORT_MAX 4
#define CHOICE_LISTS 3	       /* tabs with a list */
#define CHOICE_EVENTS "events" /* the one whose columns may be fields of events */

struct choice {
	const struct field *columns[CHOICE_COLUMNS_MAX + 1]; /* NULL ends */
	const struct field *sort[CHOICE_SORT_MAX + 1];	     /* NULL ends; none: the usual order */
	bool descending[CHOICE_SORT_MAX + 1];
	enum rows_by by;
};

unsigned choice_count(const struct choice *choice); /* columns */
uint32_t choice_needs(const struct choice *choice);
/* -1: it is no column. */
int choice_find(const struct choice *choice, const struct field *field);
/* In or out; the last column stays. False: there is no room for more. */
bool choice_toggle(struct choice *choice, const struct field *field);
/* Column @at goes @by places to the right; where it is then. */
unsigned choice_move(struct choice *choice, unsigned at, int by);
/* By that column; the same once more: from the large to the small; once more: the usual order. */
void choice_sort(struct choice *choice, const struct field *field);

/* "doors columns port,process\n...": @names of the tabs. What is not understood, of a line too, is
 * passed over, and said in *@ret_wrong (a line's number, 0: nothing). */
void choices_parse(const char *text, const char *const *names, struct choice *choices, unsigned n,
		   unsigned *ret_wrong);
void choices_write(struct out *out, const char *const *names, const struct choice *choices,
		   unsigned n);

/* The file of the user: $XDG_CONFIG_HOME/doorward/screen, else ~/.config/doorward/screen. 0;
 * -ENOENT; other negative errno with @err told. A home that is another's, as behind sudo, is not
 * written to: -EPERM. */
int choices_load(const char *const *names, struct choice *choices, unsigned n, struct error *err);
int choices_save(const char *const *names, const struct choice *choices, unsigned n,
		 struct error *err);

#endif
