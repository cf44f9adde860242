/* The table of protocols. Where several recognise the same bytes at once, the first has them; and
 * in this order a silent port is asked, after what its number and its holder suggest. */
#include "scan/identify/protocol.h"

const struct protocol *const protocols[] = {
	/* speak first */
	&protocol_ssh,
	&protocol_smtp,
	&protocol_ftp,
	&protocol_imap,
	&protocol_pop3,
	&protocol_telnet,
	&protocol_mysql,
	&protocol_vnc,
	&protocol_rsync,
	&protocol_nats,
	&protocol_mpd,
	/* have to be asked */
	&protocol_http,
	&protocol_tls,
	&protocol_redis,
	&protocol_memcached,
	&protocol_mqtt,
	&protocol_postgresql,
	&protocol_ldap,
	&protocol_dns,
	&protocol_mongodb,
	&protocol_zookeeper,
	&protocol_amqp,
	&protocol_git,
	&protocol_sip,
	&protocol_rdp,
	&protocol_smb,
	&protocol_xmpp,
	&protocol_beanstalkd,
	&protocol_irc,
	&protocol_http2,
	&protocol_kafka,
	/* over UDP only */
	&protocol_ntp,
	&protocol_snmp,
	&protocol_quic,
	&protocol_stun,
	&protocol_tftp,
	NULL,
};

const unsigned n_protocols = ARRAY_SIZE(protocols) - 1;
_Static_assert(ARRAY_SIZE(protocols) - 1 <= PROTOCOLS_MAX, "a bit each");
