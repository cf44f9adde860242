/* In which order a silent port is asked: what its number or its hint suggests, then the table's. */
#include <string.h>

#include "scan/identify/order.h"
#include "base/text.h"

/* Protocols that hide behind names of programs and of the registry. */
static const struct {
	const char *word, *service;
} hints[] = {
	{"apache", "http"},
	{"nginx", "http"},
	{"httpd", "http"},
	{"caddy", "http"},
	{"squid", "http"},
	{"docker", "http"},
	{"podman", "http"},
	{"etcd", "http"},
	{"prometheus", "http"},
	{"node_exporter", "http"},
	{"elastic", "http"},
	{"kube", "http"},
	{"cups", "http"},
	{"ipp", "http"},
	{"https", "tls"},
	{"stunnel", "tls"},
	{"imaps", "tls"},
	{"pop3s", "tls"},
	{"ldaps", "tls"},
	{"slapd", "ldap"},
	{"postgres", "postgresql"},
	{"mosquitto", "mqtt"},
	{"secure-mqtt", "tls"},
	{"mongo", "mongodb"},
	{"rabbit", "amqp"},
	{"beam.smp", "amqp"},
	{"ms-wbt-server", "rdp"},
	{"xrdp", "rdp"},
	{"microsoft-ds", "smb"},
	{"netbios-ssn", "smb"},
	{"smbd", "smb"},
	{"kamailio", "sip"},
	{"asterisk", "sip"},
	{"prosody", "xmpp"},
	{"ejabberd", "xmpp"},
	{"domain", "dns"},
	{"named", "dns"},
	{"unbound", "dns"},
	{"dnsmasq", "dns"},
	{"irc", "irc"},
	{"beanstalk", "beanstalkd"},
	{"redis", "redis"},
	{"valkey", "redis"},
	{"memcache", "memcached"},
	{"kafka", "kafka"},
	{"zookeeper", "zookeeper"},
	{"git", "git"},
	{"nghttpd", "http2"},
	{"chronyd", "ntp"},
	{"ntpd", "ntp"},
	{"snmpd", "snmp"},
	{"tftpd", "tftp"},
};

static bool is_hinted(const struct protocol *protocol, const char *hint)
{
	if (!hint)
		return false;
	if (text_contains(hint, protocol->service))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (strcmp(hints[i].service, protocol->service) == 0 &&
		    text_contains(hint, hints[i].word))
			return true;
	return false;
}

static bool has_port(const struct protocol *protocol, uint16_t port)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocol->ports); i++)
		if (protocol->ports[i] == port && port != 0)
			return true;
	return false;
}

static bool may_be_asked(const struct protocol *protocol, const struct place *place, bool tls)
{
	if (protocol == &protocol_tls)
		return tls && !place->is_udp && !place->is_tls;
	if (!protocol->hello || (place->is_tls && protocol->only_plain))
		return false;
	return place->is_udp ? protocol->over_udp : protocol->over_tcp;
}

unsigned order_questions(const struct protocol *to[], const struct identify_target *target,
			 const struct place *place, bool tls, uint64_t excluded)
{
	unsigned n = 0;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < n_protocols; i++) {
			const struct protocol *protocol = protocols[i];
			unsigned fit = is_hinted(protocol, target->hint)  ? 0
				       : has_port(protocol, target->port) ? 1
									  : 2;
			if (fit == round && !(excluded >> i & 1) &&
			    may_be_asked(protocol, place, tls))
				to[n++] = protocol;
		}
	}
	return n;
}

unsigned order_patient(const struct protocol *order[], unsigned n, uint64_t silent, unsigned most)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < n && kept < most; i++)
		for (unsigned at = 0; at < n_protocols; at++)
			if (protocols[at] == order[i] && silent >> at & 1)
				order[kept++] = order[i];
	return kept;
}
