/* A protocol as identification knows it: what it sends, how its first bytes are recognised, and
 * what is asked after that. Both functions are pure over the bytes of one connection.
 *
 * They say how many bytes they want to see (`want`, or a whole line), and are called with exactly
 * that many: which prefixes a parser ever sees follows from the bytes alone, not from the pieces in
 * which they came (dialogue.h). */
#ifndef SCAN_IDENTIFY_PROTOCOL_H
#define SCAN_IDENTIFY_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "model/identified.h"

#define MESSAGE_MAX 16384	 /* of what a parser wants at once */
#define LINE_MAX_BYTES 4096	 /* of a line */
#define CONNECTION_MAX (1 << 20) /* of all that is read of one connection */
#define SAY_MAX 1500
#define MEMORY_MAX 512

#define WANT_LINE SIZE_MAX /* up to and with the first newline behind what was seen so far */

enum verdict {
	VERDICT_MORE,  /* @want is what it waits for */
	VERDICT_NOT,   /* another's */
	VERDICT_MINE,  /* recognise: it is this protocol */
	VERDICT_DONE,  /* converse: all is known; what stands in @say goes out before the end */
	VERDICT_TLS,   /* converse: the server awaits a TLS handshake now, on this connection; what
			* stands in @say goes out before. Called again when that is done, with
			* is_secured and nothing read yet */
	VERDICT_AGAIN, /* converse: it is there, but not ready yet: asked anew in a while */
	VERDICT_FRESH, /* converse: goes on over a new connection, on which @say is sent first */
};

struct place { /* where the server stands; to be named in requests */
	char host[80];
	char authority[84]; /* the same as URLs have it: IPv6 in brackets */
	uint32_t number; /* another at each call: where a name of our own must be nobody else's */
	bool is_tls, is_udp;
	bool can_tls; /* a handshake can be made here: STARTTLS may be asked for */
};

struct look {
	const uint8_t *in;
	size_t n;
	bool ended; /* no more comes: closed, silent for long, or a datagram's end */
	const struct protocol *asked; /* whose hello was sent; NULL: it spoke first */
	const struct place *place;
	size_t want; /* out, with VERDICT_MORE */
};

struct talk {
	const uint8_t *in; /* what is not taken yet */
	size_t n;
	bool ended;
	size_t want;			 /* out, with VERDICT_MORE: bytes from @in + @taken on */
	size_t taken;			 /* out: bytes of @in that are done with */
	unsigned step;			 /* the protocol's own; 0 at first */
	uint64_t memory[MEMORY_MAX / 8]; /* the protocol's own; zero at first */
	uint8_t say[SAY_MAX];
	size_t n_say;
	bool is_secured; /* a handshake was made on the way (VERDICT_TLS) */
	bool tls_too;	 /* out: what is read here says that TLS is spoken on this port */
	const struct place *place;
	struct identified *seen;
};

struct protocol {
	const char *service;
	uint16_t ports[6]; /* where it is usual: only for the order of questions */
	bool over_tcp, over_udp;
	bool only_plain; /* not asked inside TLS */
	/* Writes what is sent to a silent port; NULL: it is only listened for, or asked by others.
	 */
	void (*hello)(struct talk *talk);
	enum verdict (*recognise)(struct look *look);
	/* From the first byte of a connection on which it was recognised; or on which its hello was
	 * sent, when it had been recognised by an answer to another's. */
	enum verdict (*converse)(struct talk *talk);
};

extern const struct protocol
	*const protocols[]; /* NULL-terminated; the first to recognise has it */
extern const unsigned n_protocols;
#define PROTOCOLS_MAX 64

/* One for each file: see probes.c. */
extern const struct protocol protocol_ssh, protocol_http, protocol_http2, protocol_tls,
	protocol_smtp, protocol_ftp, protocol_imap, protocol_pop3, protocol_telnet, protocol_mysql,
	protocol_postgresql, protocol_redis, protocol_memcached, protocol_mongodb, protocol_amqp,
	protocol_mqtt, protocol_ldap, protocol_rdp, protocol_vnc, protocol_smb, protocol_kafka,
	protocol_sip, protocol_rsync, protocol_nats, protocol_zookeeper, protocol_xmpp,
	protocol_irc, protocol_git, protocol_beanstalkd, protocol_mpd, protocol_dns, protocol_ntp,
	protocol_snmp, protocol_tftp, protocol_quic, protocol_stun;

/* ---- what parsers are written with (words.c) ---- */

/* Adds to what is sent; what finds no room is a fault of ours. */
void say_bytes(struct talk *talk, const void *bytes, size_t n);
void say_text(struct talk *talk, const char *text);
void say_format(struct talk *talk, const char *format, ...) printf_like(2, 3);
void say_u8(struct talk *talk, uint8_t number);
void say_u16(struct talk *talk, uint16_t number); /* network order, as the next */
void say_u32(struct talk *talk, uint32_t number);

/* The bytes as printable UTF-8 without blanks at its ends, cut to @size with the NUL; what is no
 * such text is '?'. */
void keep_text(char *to, size_t size, const void *bytes, size_t n);
#define KEEP(field, bytes, n) keep_text(field, sizeof(field), bytes, n)

/* "nginx/1.22.1 (x)" or "OpenSSH_9.2p1 Debian-2": product and version, parted where one of @parts
 * stands before a digit; the version goes to the next of @ends (NULL: to the end). Without such a
 * place all is the product's name, to the first bracket, comma or semicolon. */
void keep_product(struct identified *seen, const char *text, size_t n, const char *parts,
		  const char *ends);

void keep_service(struct identified *seen, const char *service);

/* Of secrets in the clear: marks it, unless the connection is TLS's. */
void mark_clear(struct talk *talk);

/* STARTTLS may be asked for: there is TLS here, and none yet there. */
static inline bool may_start_tls(const struct talk *talk)
{
	return talk->place->can_tls && !talk->place->is_tls && !talk->is_secured;
}

bool begins(const void *in, size_t n, const char *text); /* @in has at least @text, and begins so */
/* @n bytes that may yet become a text that begins with @text. */
bool may_begin(const void *in, size_t n, const char *text);
/* The same without regard to case of ASCII letters. */
bool begins_folded(const void *in, size_t n, const char *text);
/* Where @text stands in @in; NULL: nowhere. */
const char *find_text(const void *in, size_t n, const char *text);
const char *find_folded(const void *in, size_t n, const char *text);
/* Without the line's end. */
size_t line_length(const void *in, size_t n);
/* The value of "key":"text" or "key":number in JSON, the first of that name; false: there is none.
 * Nothing is unescaped: versions need none. */
bool keep_json(const void *in, size_t n, const char *key, char *to, size_t size);

/* Names of products as they stand in greetings; the one that is found there is kept, with what
 * stands behind it as its version, if that is one. False: none is named. NULL ends the list. */
bool keep_named(struct identified *seen, const char *text, size_t n, const char *const *names);

/* A reply of lines as SMTP and FTP have them: "220-more", "220 last". The code, once the last line
 * is there; 0: more lines come; -1: this is none. */
int reply_code(const void *line, size_t n);

/* Recognises by a first word: MORE while it may yet come. */
enum verdict look_begins(struct look *look, const char *text);

struct cursor { /* network order; what is read beyond the end is 0, and marks it */
	const uint8_t *at, *end;
	bool is_short;
};
static inline struct cursor cursor_of(const void *in, size_t n)
{
	return (struct cursor){in, (const uint8_t *)in + n, false};
}
uint32_t get_u8(struct cursor *cursor);
uint32_t get_u16(struct cursor *cursor);
uint32_t get_u32(struct cursor *cursor);
uint32_t get_u32_little(struct cursor *cursor);
/* @n bytes, or NULL where there are fewer. */
const uint8_t *get_bytes(struct cursor *cursor, size_t n);
static inline size_t cursor_left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

#endif
