/* Both sides of a door. */
#include <errno.h>
#include <stdio.h>

#include "base/attributes.h"
#include "base/format.h"
#include "scan/compare.h"

#define PORTS 65536

struct comparing {
	const struct snapshot *snapshot;
	struct scan *scan;
	uint32_t *at;	/* port to socket, or NONE */
	uint32_t *away; /* port to a socket that takes nothing for this address */
};

/* Which of the host's namespaces answered. Of an own address the one that the packets set out from;
 * else one that has the address: ours before all others, since a stranger comes for it. Where
 * several others have it nothing tells which of them it was. */
static uint32_t find_netns(const struct snapshot *snapshot, struct scan *scan,
			   const struct scan_result *result)
{
	uint32_t found = NONE, own = NONE, n_found = 0;
	snapshot_own_netns(snapshot, &own);
	for (uint32_t i = 0; i < snapshot->netns.n; i++) {
		const struct netns *netns = snapshot_netns(snapshot, i);
		if (result->target.is_own && netns->inode == result->inode)
			return i;
		if (result->target.is_own || netns->inode == result->inode ||
		    ip_reach(&result->target.ip) == REACH_LOOPBACK ||
		    !netns_has_address(netns, &result->target.ip))
			continue;
		if (i == own)
			return i;
		found = i;
		n_found++;
	}
	if (n_found < 2)
		return found;
	char address[FORMAT_IP_MAX];
	size_t n = ip_format(address, &result->target.ip, result->target.is_v4);
	scan_note(scan,
		  "%.*s: %u network namespaces of this host have this address; which of them "
		  "answered is not known, so it is compared with none",
		  (int)n, address, n_found);
	return NONE;
}

static bool is_door(const struct socket *socket)
{
	return socket_is_open(socket) && !socket_has_peer(socket);
}

/* How well the socket fits the address: 0 it takes nothing that goes there. */
static unsigned fit(const struct socket *socket, const struct scan_target *target)
{
	if (!is_door(socket))
		return 0;
	if (ip_equal(&socket->local, &target->ip))
		return 3;
	if (!ip_is_any(&socket->local))
		return 0;
	if (socket_is_v4(socket) == target->is_v4)
		return 2;
	return target->is_v4 && socket_is_dual_stack(socket) ? 1 : 0;
}

static void find_sockets(struct comparing *comparing, const struct scan_result *result,
			 uint8_t proto)
{
	const struct snapshot *snapshot = comparing->snapshot;
	memset(comparing->at, 0xff, PORTS * sizeof(*comparing->at));
	memset(comparing->away, 0xff, PORTS * sizeof(*comparing->away));
	for (uint32_t i = 0; i < snapshot->sockets.n; i++) {
		const struct socket *socket = snapshot_socket(snapshot, i);
		if (socket->netns != result->netns || socket->proto != proto)
			continue;
		unsigned its = fit(socket, &result->target);
		uint32_t *at = &comparing->at[socket->local_port];
		if (its &&
		    (*at == NONE || its > fit(snapshot_socket(snapshot, *at), &result->target)))
			*at = i;
		if (!its && is_door(socket))
			comparing->away[socket->local_port] = i;
	}
}

static const char *why_not(struct comparing *comparing, const struct socket *socket,
			   const struct answer *answer)
{
	char text[96];
	if (answer->reason == BECAUSE_TIME_OUT && socket->state == STATE_LISTEN &&
	    socket->flags & SOCKET_QUEUES_KNOWN && socket->recv_queue > socket->send_queue) {
		snprintf(text, sizeof(text), "its backlog is full: %u wait, %u have room",
			 socket->recv_queue, socket->send_queue);
		return arena_intern_string(&comparing->scan->arena, text);
	}
	if (socket->interface)
		return "it is bound to one interface";
	switch (answer->reason) {
	case BECAUSE_TIME_OUT:
	case BECAUSE_NO_ANSWER:
		return "packets are dropped on the way, as a firewall does";
	case BECAUSE_ICMP:
		if (answer->state == DOOR_CLOSED) /* UDP: the kernel's own word, or a rule's */
			return "it is refused all the same: a firewall that rejects it, or it has "
			       "just begun";
		return "a firewall rejects it";
	case BECAUSE_ICMP_LIMITED: /* its siblings proved it */
		return "a firewall rejects it";
	case BECAUSE_RST:
		return "it is refused all the same: a firewall that resets, or it has just begun";
	case BECAUSE_REFUSED_HERE:
		return "our own firewall lets nothing out to it";
	default:
		return NULL;
	}
}

/* Refused here, since who listens does so at another address. */
static const char *why_away(struct comparing *comparing, const struct socket *socket)
{
	char text[FORMAT_IP_MAX + 64], address[FORMAT_IP_MAX];
	bool is_v4 = socket_is_v4(socket);
	size_t n = ip_format(address, &socket->local, is_v4);
	snprintf(text, sizeof(text), "it is bound to %.*s%s, not to this address", (int)n, address,
		 !ip_is_any(&socket->local) ? ""
		 : is_v4		    ? " (IPv4)"
					    : " (IPv6 only)");
	return arena_intern_string(&comparing->scan->arena, text);
}

static bool was_asked(const struct answer *answer)
{
	return answer->state != DOOR_UNKNOWN && answer->reason != BECAUSE_SELF_CONNECT;
}

static int compare_open(struct comparing *comparing, struct scan_result *result, uint8_t proto)
{
	for (uint32_t i = 0; i < result->doors.n; i++) {
		struct scan_door *door = vector_at(&result->doors, i);
		uint32_t socket = comparing->at[door->port];
		if (door->proto != proto || door->answer.state != DOOR_OPEN)
			continue;
		door->socket = socket;
		door->verdict = socket == NONE ? VERDICT_NOT_IN_TABLE : VERDICT_EXPECTED;
		if (socket == NONE)
			door->detail = "no socket of this host that may be seen answers there";
	}
	(void)comparing;
	return 0;
}

/* In the table, but not found open. A bound UDP socket that says nothing is as expected. */
static int compare_table(struct comparing *comparing, struct scan_result *result,
			 const struct scan_sweep *sweep)
{
	for (uint32_t i = 0; i < sweep->n_ports; i++) {
		uint32_t socket = comparing->at[sweep->ports[i]];
		const struct answer *answer = &sweep->answers[i];
		bool is_away = socket == NONE && answer->state == DOOR_CLOSED;
		if (is_away)
			socket = comparing->away[sweep->ports[i]];
		if (socket == NONE || answer->state == DOOR_OPEN || !was_asked(answer))
			continue;
		struct scan_door *door = scan_result_door(result, sweep->proto, sweep->ports[i]);
		if (!door)
			return -ENOMEM;
		door->socket = socket;
		if (answer->state == DOOR_OPEN_FILTERED) {
			door->verdict = VERDICT_EXPECTED;
			door->detail = "bound, and did not answer";
			continue;
		}
		door->verdict = VERDICT_NOT_REACHABLE;
		const struct socket *its = snapshot_socket(comparing->snapshot, socket);
		door->detail = is_away ? why_away(comparing, its) : why_not(comparing, its, answer);
	}
	return 0;
}

int compare_answers(const struct snapshot *snapshot, struct scan *scan)
{
	struct comparing comparing = {snapshot, scan, malloc(PORTS * sizeof(uint32_t)),
				      malloc(PORTS * sizeof(uint32_t))};
	int r = comparing.at && comparing.away ? 0 : -ENOMEM;
	scan->snapshot = snapshot;
	for (uint32_t i = 0; i < scan->results.n && r >= 0; i++) {
		struct scan_result *result = scan_result(scan, i);
		result->netns = find_netns(snapshot, scan, result);
		for (uint32_t k = 0; k < result->n_sweeps && r >= 0 && result->netns != NONE; k++) {
			const struct scan_sweep *sweep = &result->sweeps[k];
			find_sockets(&comparing, result, sweep->proto);
			r = compare_open(&comparing, result, sweep->proto);
			if (r >= 0)
				r = compare_table(&comparing, result, sweep);
		}
	}
	free(comparing.at);
	free(comparing.away);
	return r;
}

/* Names that the registry has for what servers call themselves; "+" in front: spoken inside TLS. */
static const char *const spoken[][2] = {
	{"http", "http"},
	{"www", "http"},
	{"https", "+http"},
	{"http-alt", "http"},
	{"ssh", "ssh"},
	{"smtp", "smtp"},
	{"submission", "smtp"},
	{"submissions", "+smtp"},
	{"imap", "imap"},
	{"imap2", "imap"},
	{"imaps", "+imap"},
	{"pop3", "pop3"},
	{"pop3s", "+pop3"},
	{"ftp", "ftp"},
	{"ftps", "+ftp"},
	{"domain", "dns"},
	{"domain-s", "+dns"},
	{"mysql", "mysql"},
	{"postgresql", "postgresql"},
	{"redis", "redis"},
	{"memcache", "memcached"},
	{"mongodb", "mongodb"},
	{"amqp", "amqp"},
	{"amqps", "+amqp"},
	{"mqtt", "mqtt"},
	{"secure-mqtt", "+mqtt"},
	{"ldap", "ldap"},
	{"ldaps", "+ldap"},
	{"ms-wbt-server", "rdp"},
	{"rfb", "vnc"},
	{"microsoft-ds", "smb"},
	{"ntp", "ntp"},
	{"snmp", "snmp"},
	{"telnet", "telnet"},
	{"telnets", "+telnet"},
	{"sip", "sip"},
	{"sips", "+sip"},
	{"rsync", "rsync"},
	{"xmpp-client", "xmpp"},
	{"xmpp-server", "xmpp"},
	{"git", "git"},
	{"ipp", "http"},
	{"ircs-u", "+irc"},
	{"tftp", "tftp"},
	{"docker", "http"},
	{"docker-s", "+http"},
	{"etcd-client", "http"},
	{"etcd-server", "http"},
	{"couchdb", "http"},
	{"sip-tls", "+sip"},
	{"irc", "irc"},
	{"ircd", "irc"},
	{"netbios-ssn", "smb"},
	/* what is not recognised here: whatever is recognised is another */
	{"finger", "finger"},
	{"gopher", "gopher"},
	{"kerberos", "kerberos"},
	{"sunrpc", "sunrpc"},
	{"nntp", "nntp"},
	{"nntps", "+nntp"},
	{"printer", "lpd"},
	{"rtsp", "rtsp"},
	{"socks", "socks"},
	{"openvpn", "openvpn"},
	{"ms-sql-s", "tds"},
	{"pptp", "pptp"},
	{"nfs", "nfs"},
	{"epmd", "epmd"},
	{"x11", "x11"},
};

/* What is spoken over HTTP is HTTP. */
static const char *base_of(const char *identified)
{
	static const char *const over_http[] = {
		"elasticsearch", "etcd",    "docker",	  "prometheus", "http2",
		"kubernetes",	 "kubelet", "http-proxy", "ipp",	"prometheus-exporter"};
	for (unsigned i = 0; i < ARRAY_SIZE(over_http); i++)
		if (strcmp(identified, over_http[i]) == 0)
			return "http";
	return identified;
}

bool compare_is_other_service(const char *registered, const char *identified, bool has_tls)
{
	if (!registered || !identified || !identified[0])
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(spoken); i++) {
		if (strcmp(spoken[i][0], registered) != 0)
			continue;
		const char *wanted = spoken[i][1];
		bool wants_tls = wanted[0] == '+';
		if (strcmp(wanted + wants_tls, base_of(identified)) != 0)
			return !(wants_tls && strcmp(identified, "tls") == 0);
		return wants_tls && !has_tls;
	}
	return false; /* nothing is known of what that name speaks */
}

/* Programs that speak one thing, by the name of the process; "|" between several. Whoever serves
 * whatever its settings say (nginx, haproxy, systemd, an interpreter) is not among them. */
static const char *const programs[][2] = {
	{"sshd", "ssh"},
	{"dropbear", "ssh"},
	{"apache2", "http"},
	{"httpd", "http"},
	{"lighttpd", "http"},
	{"cupsd", "http"},
	{"squid", "http|ftp"},
	{"redis-server", "redis"},
	{"valkey-server", "redis"},
	{"memcached", "memcached"},
	{"mysqld", "mysql"},
	{"mariadbd", "mysql"},
	{"postgres", "postgresql"},
	{"mongod", "mongodb"},
	{"mongos", "mongodb"},
	{"mosquitto", "mqtt|http"},
	{"vsftpd", "ftp"},
	{"proftpd", "ftp"},
	{"pure-ftpd", "ftp"},
	{"exim4", "smtp"},
	{"named", "dns|http"},
	{"unbound", "dns|http"},
	{"dnsmasq", "dns|tftp"},
	{"chronyd", "ntp"},
	{"ntpd", "ntp"},
	{"snmpd", "snmp"},
	{"slapd", "ldap"},
	{"smbd", "smb"},
	{"rsync", "rsync"},
	{"xrdp", "rdp"},
	{"Xtigervnc", "vnc"},
	{"beanstalkd", "beanstalkd"},
	{"ngircd", "irc"},
	{"etcd", "http"},
};

/* What the process @program speaks, "|" between several; NULL: it is not known to speak one thing
 * alone. */
static const char *compare_program_speaks(const char *program)
{
	for (unsigned i = 0; program && i < ARRAY_SIZE(programs); i++)
		if (strcmp(programs[i][0], program) == 0)
			return programs[i][1];
	return NULL;
}

bool compare_is_other_program(const char *program, const char *identified)
{
	const char *at = compare_program_speaks(program);
	if (!at || !identified || !identified[0] || strcmp(identified, "tls") == 0)
		return false;
	const char *what = base_of(identified);
	size_t n = strlen(what);
	for (; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
		if (strcspn(at, "|") == n && strncmp(at, what, n) == 0)
			return false;
	return true;
}
