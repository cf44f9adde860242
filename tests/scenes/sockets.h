/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets as scenes make them: what cannot be had ends the scene with the reason. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "stage.h"

struct address {
	struct sockaddr_storage storage;
	socklen_t size;
};

struct address address_of(const char *text, uint16_t port); /* "127.0.0.1", "::1", "fe80::1%eth0" */
struct address socket_local(int fd);
uint16_t socket_port(int fd);
const char *socket_proto_word(int protocol);

int socket_new(int family, int type, int protocol);
void socket_set(int fd, int level, int option, int value);
void socket_bind(int fd, struct address address);
int socket_listen(const char *address, uint16_t port,
		  int backlog);	       /* TCP; V6ONLY as the host has it */
int socket_connect(struct address to); /* TCP, blocking */
int socket_accept(int fd);
void socket_reset_on_close(int fd); /* so that it leaves no TIME_WAIT behind */
void socket_deafen(int fd); /* whatever arrives for it is dropped unseen, by a filter of its own */
int socket_state(int fd);   /* TCP_ESTABLISHED, ... */
const char *state_word(int state);    /* as doorward's JSON has it */
void socket_await(int fd, int state); /* within five seconds */
void socket_answer(int fd);	      /* says our pid to the one who knocks */
void pause_shortly(void);	      /* a millisecond, between two looks at what no event tells */
