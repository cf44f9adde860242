/* Connections as they come in. evhttp knows of no look at one before it reads; but it asks for a
 * bufferevent for each (evhttp_set_bevcb), sets the descriptor, and reads in a later turn of the
 * loop: in between it is asked whose the connection is. */
#include <errno.h>
#include <fcntl.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "web/front.h"
#include "web/peer.h"

#define HEADERS_BYTES_MAX 16384
#define BODY_BYTES_MAX 16384
#define SEND_BUFFER (128 << 10) /* what the kernel keeps for a reader that does not read */
#define READ_MAX (64 << 10)	/* what is read before it is looked at */
#define SILENCE_S 20		/* while something is waited for, or may not be written */

struct greeting {
	struct entrance *entrance;
	struct bufferevent *bufferevent;
	struct event *event;
};

/* The number stays with who has it, and behind it there is nobody: not one byte is read. */
static void turn_away(struct bufferevent *bufferevent, int fd)
{
	int ends[2];
	bufferevent_disable(bufferevent, EV_READ | EV_WRITE);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0) {
		close(ends[1]);
		dup3(ends[0], fd, O_CLOEXEC);
		close(ends[0]);
	}
	shutdown(fd, SHUT_RDWR);
	bufferevent_enable(bufferevent, EV_READ);
}

static bool is_welcome(struct entrance *entrance, int fd)
{
	struct front *front = entrance->front;
	if (entrance->is_open_to_all)
		return true;
	if (entrance->is_unix)
		return peer_is_unix(fd, front->settings->uid);
	return peer_is_tcp(front->netlink, fd, front->settings->uid);
}

static void greet(evutil_socket_t none, short what, void *data)
{
	struct greeting *greeting = data;
	struct front *front = greeting->entrance->front;
	int fd = bufferevent_getfd(greeting->bufferevent), size = SEND_BUFFER, one = 1;
	(void)none;
	(void)what;
	if (fd >= 0 && !is_welcome(greeting->entrance, fd)) {
		front->n_strangers++;
		turn_away(greeting->bufferevent, fd);
	} else if (fd >= 0 && !guests_add(&front->guests, fd, clock_ms())) {
		turn_away(greeting->bufferevent, fd);
	} else if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* not of AF_UNIX */
		if (!event_pending(front->sweeper, EV_TIMEOUT, NULL))
			event_add(front->sweeper, &(struct timeval){.tv_sec = 1});
	}
	bufferevent_decref(greeting->bufferevent);
	event_free(greeting->event);
	free(greeting);
}

static struct bufferevent *make_bufferevent(struct entrance *entrance)
{
	struct event_base *base = entrance->front->base;
	if (!entrance->tls)
		return bufferevent_socket_new(base, -1, 0);
	SSL *ssl = SSL_new(entrance->tls);
	if (!ssl)
		return NULL;
	struct bufferevent *made = bufferevent_openssl_socket_new(
		base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (made)
		bufferevent_openssl_set_allow_dirty_shutdown(made, 1);
	else
		SSL_free(ssl);
	return made;
}

/* A NUL ends a text in C: evhttp keeps what stands before it, and another reader the whole. None
 * stands in a request (RFC 9110, 5.5; RFC 8259), so it becomes a byte that the guard and the parser
 * of JSON refuse. It is changed where it was read to, before evhttp looks. */
static void on_bytes(struct evbuffer *input, const struct evbuffer_cb_info *info, void *data)
{
	struct evbuffer_ptr at;
	struct evbuffer_iovec pieces[8];
	size_t left = info->n_added, offset = info->orig_size;
	(void)data;
	while (left && evbuffer_ptr_set(input, &at, offset, EVBUFFER_PTR_SET) == 0) {
		int n = evbuffer_peek(input, (ev_ssize_t)left, &at, pieces, ARRAY_SIZE(pieces));
		size_t seen = 0;
		for (int i = 0; i < n && i < (int)ARRAY_SIZE(pieces); i++) {
			char *text = pieces[i].iov_base, *end = text + pieces[i].iov_len;
			while ((text = memchr(text, '\0', (size_t)(end - text))))
				*text = '\1';
			seen += pieces[i].iov_len;
		}
		if (!seen)
			return;
		offset += seen;
		left -= seen < left ? seen : left;
	}
}

/* What is no HTTP, or too long, evhttp answers itself, with two headers of its own and none of
 * ours, and 2.1 asks nobody how. So behind the one that no answer of ours has come the others. */
static void on_answer(struct evbuffer *output, const struct evbuffer_cb_info *info, void *data)
{
	static const char own[] = "Content-Type: text/html\r\n";
	char line[sizeof(own) - 1];
	struct evbuffer_ptr at;
	(void)data;
	if (info->n_added == sizeof(line) &&
	    evbuffer_ptr_set(output, &at, info->orig_size, EVBUFFER_PTR_SET) == 0 &&
	    evbuffer_copyout_from(output, &at, line, sizeof(line)) == (ev_ssize_t)sizeof(line) &&
	    memcmp(line, own, sizeof(line)) == 0)
		answer_headers_put(output);
}

static struct bufferevent *on_connection(struct event_base *base, void *data)
{
	struct entrance *entrance = data;
	struct bufferevent *made = make_bufferevent(entrance);
	struct greeting *greeting = made ? calloc(1, sizeof(*greeting)) : NULL;
	struct event *event = greeting ? event_new(base, -1, 0, greet, greeting) : NULL;
	if (event && (!evbuffer_add_cb(bufferevent_get_input(made), on_bytes, NULL) ||
		      !evbuffer_add_cb(bufferevent_get_output(made), on_answer, NULL))) {
		event_free(event);
		event = NULL;
	}
	if (!event) { /* evhttp would make one of its own, which nobody looks at */
		free(greeting);
		event_base_loopbreak(base);
		return made;
	}
	*greeting = (struct greeting){entrance, made, event};
	bufferevent_setwatermark(made, EV_READ, 0, READ_MAX);
	bufferevent_incref(made);
	event_active(event, EV_TIMEOUT, 0);
	return made;
}

/* Out of descriptors: who waits in the backlog is taken later. */
static void on_listen_error(struct evconnlistener *listener, void *data)
{
	(void)listener;
	(void)data;
}

int entrance_open(struct entrance *entrance, int fd, struct error *err)
{
	struct event_base *base = entrance->front->base;
	struct evconnlistener *listener =
		evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	entrance->http = evhttp_new(base);
	if (!listener || !entrance->http || !evhttp_bind_listener(entrance->http, listener))
		return error_set(err, -ENOMEM, "listen");
	evconnlistener_set_error_cb(listener, on_listen_error);
	evhttp_set_bevcb(entrance->http, on_connection, entrance);
	evhttp_set_max_headers_size(entrance->http, HEADERS_BYTES_MAX);
	evhttp_set_max_body_size(entrance->http, BODY_BYTES_MAX);
	evhttp_set_timeout(entrance->http, SILENCE_S);
	evhttp_set_default_content_type(entrance->http, NULL);
	evhttp_set_allowed_methods(entrance->http, 0xffff); /* who may not is told so by us */
	return 0;
}

void entrance_close(struct entrance *entrance)
{
	if (entrance->http)
		evhttp_free(entrance->http);
	SSL_CTX_free(entrance->tls);
}

/* Every browser refuses one out of its time. */
static int check_time(const X509 *own, const char *name, struct error *err)
{
	const ASN1_TIME *begin = X509_get0_notBefore(own), *end = X509_get0_notAfter(own);
	bool is_over = X509_cmp_current_time(end) < 0;
	bool is_early = X509_cmp_current_time(begin) > 0;
	struct tm time;
	char day[16] = "?";
	if (!is_over && !is_early)
		return 0;
	if (ASN1_TIME_to_tm(is_over ? end : begin, &time) == 1)
		strftime(day, sizeof(day), "%Y-%m-%d", &time);
	return error_text(err, -EINVAL, "%.80s: the certificate is valid %s %s", name,
			  is_over ? "no longer, only until" : "not yet, but from", day);
}

/* The first certificate is ours, the others lead to who is trusted, as of
 * SSL_CTX_use_certificate_chain_file(3), which takes no descriptor. */
static int use_certificates(SSL_CTX *tls, BIO *pem, const char *name, struct error *err)
{
	X509 *own = PEM_read_bio_X509_AUX(pem, NULL, NULL, NULL), *other;
	bool is_right = own && SSL_CTX_use_certificate(tls, own) == 1;
	int r = is_right ? check_time(own, name, err) : 0;
	X509_free(own);
	while (is_right && (other = PEM_read_bio_X509(pem, NULL, NULL, NULL)))
		if (SSL_CTX_add0_chain_cert(tls, other) != 1) {
			X509_free(other);
			is_right = false;
		}
	unsigned long last = ERR_peek_last_error(); /* that there are no more is one */
	if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
		is_right = false;
	ERR_clear_error();
	return is_right ? r : error_text(err, -EINVAL, "%.80s: it is no certificate in PEM", name);
}

/* OpenSSL would ask the terminal for a pass phrase, of which this process has none. */
static int no_phrase(char *to, int size, int is_writing, void *data)
{
	(void)to;
	(void)size;
	(void)is_writing;
	*(bool *)data = true;
	return -1;
}

/* A key of another kind than the certificate's is taken as that of a second one, so both are held
 * against each other. */
static int use_key(SSL_CTX *tls, BIO *pem, const char *name, struct error *err)
{
	bool has_phrase = false;
	EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_phrase, &has_phrase);
	bool is_right = key && X509_check_private_key(SSL_CTX_get0_certificate(tls), key) == 1 &&
			SSL_CTX_use_PrivateKey(tls, key) == 1;
	int r = is_right ? 0
		: key	 ? error_text(err, -EINVAL, "%.80s: it is not the certificate's key", name)
			 : error_text(err, -EINVAL, "%.80s: it is no key in PEM", name);
	if (has_phrase) {
		error_text(err, -EINVAL,
			   "%.80s: the key has a pass phrase, which nobody can type in", name);
		error_hint(err, "`openssl pkey -in KEY -out NEW` writes it without one");
	}
	EVP_PKEY_free(key);
	ERR_clear_error();
	return r;
}

/* A browser warns of a page of another name than the certificate's: told, and no error, for a proxy
 * in between may be asked for that name. */
static void check_name(X509 *own, const struct web_settings *settings, struct error *err)
{
	const char *name = settings->names[0];
	size_t n = strlen(name);
	char address[64];
	snprintf(address, sizeof(address), "%.*s", (int)(name[0] == '[' ? n - 2 : n),
		 name[0] == '[' ? name + 1 : name);
	int is_right = X509_check_ip_asc(own, address, 0); /* -2: it is no address */
	if (is_right == -2)
		is_right = X509_check_host(own, name, n, 0, NULL);
	ERR_clear_error();
	if (is_right == 1)
		return;
	error_text(err, -EINVAL, "--name %.60s: %.80s is the certificate of another", name,
		   settings->certificate);
	error_hint(err, "`openssl x509 -in %.40s -noout -text` shows its names",
		   settings->certificate);
	err->code = 0;
}

int entrance_use_tls(struct entrance *entrance, const struct web_settings *settings,
		     struct error *err)
{
	SSL_CTX *tls = entrance->tls = SSL_CTX_new(TLS_server_method());
	BIO *certificate = BIO_new_fd(settings->certificate_fd, BIO_CLOSE),
	    *key = BIO_new_fd(settings->key_fd, BIO_CLOSE);
	int r = 0;
	if (!tls || !certificate || !key) {
		r = error_set(err, -ENOMEM, "prepare TLS");
	} else {
		SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
		SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
		r = use_certificates(tls, certificate, settings->certificate, err);
		if (r >= 0)
			r = use_key(tls, key, settings->key, err);
		if (r >= 0)
			check_name(SSL_CTX_get0_certificate(tls), settings, err);
	}
	BIO_free(certificate);
	BIO_free(key);
	return r;
}
