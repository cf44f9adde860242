/* One table of descriptors, in which the socket stands under one or more numbers: the stand-in is
 * brought into it, takes their place, or gives it back. Each step is made by a thread of its own.
 */
#ifndef ACT_SWAP_TABLE_H
#define ACT_SWAP_TABLE_H

#include <sys/resource.h>

#include "act/hold.h"
#include "act/inject.h"
#include "act/stand-in.h"

#define TABLE_NUMBERS_MAX 64

/* A number in the table. */
struct table_number {
	int32_t fd;
	bool is_cloexec, is_nonblocking, is_swapped;
};

struct swap_table {
	const struct host *host;
	uint32_t number;  /* struct held_thread's table */
	int32_t pid, tid; /* whose it is; tid: the thread that was first found to have it */
	bool has_leader;  /* it is the leader's */
	struct injection injection;
	struct table_number numbers[TABLE_NUMBERS_MAX];
	uint32_t n_numbers;
	bool is_cut;   /* there are more */
	uint64_t page; /* of the process's memory, borrowed; 0 none yet */
	int32_t kept,
		stand_in; /* numbers in the table: a copy of the socket, and its stand-in; -1 */
	bool is_unix;	  /* the stand-in is of AF_UNIX */
	bool is_raised;	  /* the process's limit of descriptors was raised from: */
	struct rlimit limit;
};

/* The numbers under which socket @inode stands in the table of thread @tid, as /proc shows them. 0,
 * -ESRCH, -EACCES. */
int swap_find(struct swap_table *table, uint32_t inode);

/* The same for the numbers that are known: those that are another by now are forgotten, flags are
 * read again. False: none is left. */
bool swap_look_again(struct swap_table *table, uint32_t inode);

/* Chooses a thread that has the table and can do our calls. Alters nothing. 0 or negative errno. */
int swap_choose(struct swap_table *table, const struct hold *hold, struct error *err);

/* Compares the cookie (0: it is not known) of each number and forgets those that are another by
 * now; brings a copy of @stand_in into the table, or makes one there of AF_UNIX where it is -1 or
 * cannot be brought. All numbers are as before. 0 or negative errno. */
int swap_bring(struct swap_table *table, uint64_t cookie, int stand_in, const struct looks *looks,
	       struct error *err);

/* The stand-in takes the numbers. */
int swap_take(struct swap_table *table, struct error *err);
/* The socket has them again. */
void swap_give_back(struct swap_table *table);

/* Nothing borrowed is left; the thread is as it was. */
void swap_finish(struct swap_table *table);

#endif
