/* OpenSSL over memory, never trusting, never refusing: the oldest version and the weakest cipher
 * are answers, too. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/module.h"
#include "scan/tls/tls.h"

#define DAY 86400

struct tls {
	SSL_CTX *context;
	SSL *ssl;
	BIO *in, *out; /* the SSL's own */
};

static void close_tls(struct tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	free(tls);
}

static bool set_up(struct tls *tls, const char *name, enum tls_offer offer)
{
	static const unsigned char protocols[] = "\x02h2\x08http/1.1";
	tls->context = SSL_CTX_new(TLS_client_method());
	if (!tls->context)
		return false;
	SSL_CTX_set_security_level(tls->context, 0);
	SSL_CTX_set_options(tls->context, SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_NONE, NULL);
	if (SSL_CTX_set_min_proto_version(tls->context, TLS1_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(tls->context, "ALL:@SECLEVEL=0") != 1)
		return false;
	tls->ssl = SSL_new(tls->context);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->ssl || !tls->in || !tls->out) {
		BIO_free(tls->in);
		BIO_free(tls->out);
		return false;
	}
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	if (name)
		SSL_set_tlsext_host_name(tls->ssl, name);
	if (offer == TLS_OFFER_HTTP2)
		SSL_set_alpn_protos(tls->ssl, protocols, sizeof(protocols) - 1);
	else if (offer == TLS_OFFER_HTTP1)
		SSL_set_alpn_protos(tls->ssl, protocols + 3, sizeof(protocols) - 4);
	SSL_set_connect_state(tls->ssl);
	return true;
}

static struct tls *open_tls(const char *name, enum tls_offer offer)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	if (tls && !set_up(tls, name, offer)) {
		close_tls(tls);
		tls = NULL;
	}
	ERR_clear_error();
	if (tls)
		SSL_do_handshake(tls->ssl);
	ERR_clear_error();
	return tls;
}

static int feed(struct tls *tls, const void *bytes, size_t n)
{
	return BIO_write(tls->in, bytes, (int)n) == (int)n ? 0 : -ENOMEM;
}

static size_t drain(struct tls *tls, void *to, size_t size)
{
	int n = BIO_read(tls->out, to, (int)size);
	return n > 0 ? (size_t)n : 0;
}

static int again_or_fault(const struct tls *tls, int r)
{
	int why = SSL_get_error(tls->ssl, r);
	ERR_clear_error();
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return -EAGAIN;
	return why == SSL_ERROR_ZERO_RETURN ? 0 : -EPROTO;
}

static int shake(struct tls *tls)
{
	int r = SSL_do_handshake(tls->ssl);
	if (r == 1)
		return 0;
	r = again_or_fault(tls, r);
	return r == 0 ? -EPROTO : r;
}

static ssize_t read_tls(struct tls *tls, void *to, size_t size)
{
	int r = SSL_read(tls->ssl, to, (int)size);
	return r > 0 ? r : again_or_fault(tls, r);
}

static int write_tls(struct tls *tls, const void *bytes, size_t n)
{
	int r = SSL_write(tls->ssl, bytes, (int)n);
	return r == (int)n ? 0 : r > 0 ? -EIO : again_or_fault(tls, r);
}

static void end(struct tls *tls)
{
	SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

static void keep(char *to, size_t size, const unsigned char *from, size_t n)
{
	size_t used = 0;
	for (size_t i = 0; i < n && used + 1 < size; i++)
		to[used++] = from[i] > ' ' && from[i] < 0x7f ? (char)from[i] : '?';
	to[used] = '\0';
}

static void add_name(struct identified_tls *ret, const unsigned char *name, size_t n)
{
	if (ret->n_names == IDENTIFIED_NAMES_MAX) {
		ret->n_more_names++;
		return;
	}
	keep(ret->names[ret->n_names], sizeof(ret->names[0]), name, n);
	ret->n_names++;
}

static void add_address(struct identified_tls *ret, const unsigned char *bytes, int n)
{
	char text[INET6_ADDRSTRLEN];
	if ((n == 4 || n == 16) &&
	    inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)))
		add_name(ret, (unsigned char *)text, strlen(text));
}

static void read_alternatives(X509 *certificate, struct identified_tls *ret)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_DNS)
			add_name(ret, ASN1_STRING_get0_data(name->d.dNSName),
				 (size_t)ASN1_STRING_length(name->d.dNSName));
		else if (name->type == GEN_IPADD)
			add_address(ret, ASN1_STRING_get0_data(name->d.iPAddress),
				    ASN1_STRING_length(name->d.iPAddress));
	}
	GENERAL_NAMES_free(names);
}

static void read_common_name(X509 *certificate, struct identified_tls *ret)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	X509_NAME_ENTRY *entry = at < 0 ? NULL : X509_NAME_get_entry(subject, at);
	const ASN1_STRING *name = entry ? X509_NAME_ENTRY_get_data(entry) : NULL;
	if (name)
		add_name(ret, ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name));
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm broken;
	return ASN1_TIME_to_tm(time, &broken) == 1 ? timegm(&broken) : 0;
}

static void read_certificate(X509 *certificate, int64_t now, struct identified_tls *ret,
			     uint32_t *findings)
{
	read_alternatives(certificate, ret);
	if (ret->n_names == 0)
		read_common_name(certificate, ret);
	ret->not_after = seconds_of(X509_get0_notAfter(certificate));
	if (ret->not_after <= now || seconds_of(X509_get0_notBefore(certificate)) > now)
		*findings |= FINDING(CERTIFICATE_EXPIRED);
	else if (ret->not_after < now + CERTIFICATE_EXPIRING_DAYS * DAY)
		*findings |= FINDING(CERTIFICATE_EXPIRING);
	if (X509_check_issued(certificate, certificate) == X509_V_OK)
		*findings |= FINDING(CERTIFICATE_SELF_SIGNED);
}

static void describe(struct tls *tls, int64_t now, struct identified_tls *ret, uint32_t *findings)
{
	const char *cipher = SSL_get_cipher_name(tls->ssl);
	X509 *certificate = SSL_get1_peer_certificate(tls->ssl);
	memset(ret, 0, sizeof(*ret));
	ret->is_there = true;
	if (cipher && SSL_get_current_cipher(tls->ssl)) { /* else nothing is agreed upon yet */
		snprintf(ret->version, sizeof(ret->version), "%s", SSL_get_version(tls->ssl));
		snprintf(ret->cipher, sizeof(ret->cipher), "%s", cipher);
	}
	if (certificate)
		read_certificate(certificate, now, ret, findings);
	X509_free(certificate);
	ERR_clear_error();
}

static bool is_h2(struct tls *tls)
{
	const unsigned char *chosen = NULL;
	unsigned n = 0;
	SSL_get0_alpn_selected(tls->ssl, &chosen, &n);
	return n == 2 && memcmp(chosen, "h2", 2) == 0;
}

static const struct tls_functions functions = {
	.open = open_tls,
	.close = close_tls,
	.feed = feed,
	.drain = drain,
	.shake = shake,
	.read = read_tls,
	.write = write_tls,
	.end = end,
	.describe = describe,
	.is_h2 = is_h2,
};

MODULE_DEFINE(tls) = {.name = "tls", .version = TLS_VERSION, .functions = &functions};
