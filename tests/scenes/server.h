/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the echo server share. */
#pragma once

#include <stdint.h>

/* As the tests read it: unsigned 64-bit numbers. */
struct counters {
	_Atomic uint64_t interrupted; /* calls that gave EINTR */
	_Atomic uint64_t errors;      /* calls that gave another error */
	_Atomic uint64_t turns;	      /* of the loop */
	_Atomic uint64_t accepted;
	_Atomic uint64_t gap_ns; /* the longest time between two beats of --beat */
	_Atomic uint64_t beats;
	_Atomic uint64_t ready; /* threads that are about to wait */
};

extern struct counters *counters;
extern int listener;
extern const char *loop_name;

_Noreturn void fail(const char *what);
int is_good(long result); /* counts what a call gave; true: it is a value */
int echo(int fd);	  /* once; 0: the connection is over */
int take(void);		  /* accepts one */
void *serve(void *fd);	  /* a connection to its end */
void start_thread(void *(*run)(void *), void *arg);

/* The ways of waiting: each serves for ever. */
struct loop {
	const char *name;
	void (*run)(void);
};
extern const struct loop loops[]; /* ends with a nameless one */

/* What else a process may have. Threads: each says in counters->ready that it is up. */
void *wait_in_accept(void *arg);
void *wait_in_epoll(void *arg);
void *wait_apart(void *arg);	/* with a table of descriptors of its own */
void *wait_in_vfork(void *arg); /* for its child to start another program, which it does not */
void *beat(void *arg);		/* looks at the clock every millisecond */
void *fork_often(void *arg);	/* children that live on with what they inherited */
void fork_closed(void);	    /* a child: a thread waits on a descriptor that another has closed */
void filter_calls(void);    /* calls that are no business of an echo server end the process */
void on_signal(int number); /* counts it in counters->beats */
