/* What stands behind an open port, as its server says it: names and versions are the server's own
 * words, and what it does not say is unknown, never a guess. Plain data without pointers, so that
 * it passes through a pipe. */
#ifndef MODEL_IDENTIFIED_H
#define MODEL_IDENTIFIED_H

#include <stdbool.h>
#include <stdint.h>

#define IDENTIFIED_WORD_MAX 32
#define IDENTIFIED_TEXT_MAX 128 /* with the NUL; longer ones are cut */
#define IDENTIFIED_NAMES_MAX 8

/* How it ended. All but NAMED leave service unknown; none of them says anything of the port's
 * state. */
enum identify_outcome {
	IDENTIFY_UNASKED,
	IDENTIFY_NAMED,	    /* service is known */
	IDENTIFY_UNNAMED,   /* it answers, in no language that is known here */
	IDENTIFY_SILENT,    /* it takes connections and says nothing */
	IDENTIFY_CLOSES,    /* it ends each connection without a word */
	IDENTIFY_REFUSED,   /* it took no connection any more */
	IDENTIFY_TIMED_OUT, /* the time was over first */
	IDENTIFY_WITHHELD,  /* a printer's port on another host: nothing was sent */
	IDENTIFY_STOPPED,   /* broken off */
	IDENTIFY_MAX
};
extern const char *const identify_outcome_words[IDENTIFY_MAX + 1];

/* What an administrator should know of it; bits of identified.findings. */
enum finding {
	FINDING_NO_PASSWORD,	     /* it answered more than a greeting to a stranger */
	FINDING_CLEAR_TEXT,	     /* secrets or content cross the wire unencrypted */
	FINDING_CERTIFICATE_EXPIRED, /* or not valid yet */
	FINDING_CERTIFICATE_EXPIRING,
	FINDING_CERTIFICATE_SELF_SIGNED,
	FINDING_MAX
};
extern const char *const finding_words[FINDING_MAX + 1];
#define FINDING(name) (UINT32_C(1) << FINDING_##name)
#define CERTIFICATE_EXPIRING_DAYS 30

struct identified_tls {
	bool is_there;
	bool is_upgraded; /* begun by a word of the protocol (STARTTLS), not from the first byte */
	char version[IDENTIFIED_WORD_MAX];     /* "TLSv1.3"; "" unknown */
	char cipher[64];		       /* "TLS_AES_256_GCM_SHA384"; "" unknown */
	uint8_t n_names;		       /* of the certificate */
	uint32_t n_more_names;		       /* that found no room */
	char names[IDENTIFIED_NAMES_MAX][128]; /* subjectAltName, or else the common name */
	int64_t not_after;		       /* seconds since 1970; 0 unknown */
};

struct identified {
	uint8_t outcome;		   /* enum identify_outcome */
	char service[IDENTIFIED_WORD_MAX]; /* "ssh", "http", ...; "" unknown, so the others: */
	char product[IDENTIFIED_TEXT_MAX]; /* "OpenSSH" */
	char version[IDENTIFIED_TEXT_MAX]; /* the product's: "9.2p1 Debian-2+deb12u3" */
	char protocol_version[IDENTIFIED_WORD_MAX]; /* "2.0" */
	struct identified_tls tls;
	uint32_t findings; /* 1 << enum finding */
};

#endif
