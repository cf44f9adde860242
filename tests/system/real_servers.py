# SPDX-License-Identifier: GPL-2.0-or-later
"""Real servers of Debian on a port of their own: how each is started, and what it tells a stranger.

    with running("nginx", "::1") as server:
        server.port

A server is up when the kernel lists its port. It carries a mark in its environment, and at the end whatever carries
that mark is ended, by pid: some leave their process group. In the words and files below, {d} is a folder of the
server's own with cert.pem and key.pem, {a} the address, {b} the same in brackets where it is IPv6's, {p} the port.
"""

import contextlib
import dataclasses
import functools
import glob
import importlib.util
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import types
import uuid

import pytest


@dataclasses.dataclass
class Server:
    words: str
    service: str
    product: str = None
    told: str = None  # what tells the version that is expected, a command; None: the server says none
    files: dict = dataclasses.field(default_factory=dict)
    before: tuple = ()  # commands
    proto: str = "tcp"
    findings: tuple = ()
    protocol: str = None
    tls: bool = False
    starttls: bool = False
    root: bool = False
    v4_only: bool = False
    folders: tuple = ()
    environment: dict = dataclasses.field(default_factory=dict)
    hint: str = "-"
    ready: tuple = ()  # what it is asked, and what its answer has once it serves: it listens before


def dpkg(package):
    return "dpkg-query -W -f '${Version}' " + package


NGINX = """error_log {d}/err; pid {d}/pid; events {{}}
http {{ access_log off; client_body_temp_path {d}/a; proxy_temp_path {d}/b; fastcgi_temp_path {d}/c;
uwsgi_temp_path {d}/e; scgi_temp_path {d}/f;
server {{ listen {b}:{p} %s; ssl_certificate {d}/cert.pem; ssl_certificate_key {d}/key.pem; root {d}; }} }}"""
DOVECOT = """protocols = %(kind)s
base_dir = {d}/run
log_path = {d}/log
ssl = no
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
service %(kind)s-login {{
  chroot =
  inet_listener %(kind)s {{
    address = {a}
    port = {p}
  }}
  inet_listener %(kind)ss {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password=x
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/tmp
}}
"""
SECURE = "\nssl_cert = <{d}/cert.pem\nssl_key = <{d}/key.pem\n"
OPEN, CLEAR, SELF = "no-password", "clear-text", "certificate-self-signed"
POSTGRES = (glob.glob("/usr/lib/postgresql/*/bin") or [""])[-1]

SERVERS = {
    "openssh": Server(
        "/usr/sbin/sshd -D -e -f {d}/conf", "ssh", "OpenSSH", dpkg("openssh-server"), protocol="2.0", root=True,
        before=("ssh-keygen -q -t ed25519 -N '' -f {d}/host",), folders=("/run/sshd",),
        files={"conf": "Port {p}\nListenAddress {a}\nHostKey {d}/host\nUsePAM no\nPidFile none\nStrictModes no\n"}),
    "dropbear": Server("dropbear -F -E -r {d}/host -p {b}:{p} -P {d}/pid", "ssh", "dropbear", dpkg("dropbear-bin"),
                       protocol="2.0", before=("dropbearkey -t ed25519 -f {d}/host",)),
    "nginx": Server("nginx -p {d} -c {d}/conf -g 'daemon off;'", "http", "nginx", dpkg("nginx-light"),
                    files={"conf": NGINX % ""}, findings=(CLEAR,), protocol="1.1"),
    "nginx-tls": Server("nginx -p {d} -c {d}/conf -g 'daemon off;'", "http", "nginx", dpkg("nginx-light"),
                        files={"conf": NGINX % "ssl http2"}, findings=(SELF,), protocol="2", tls=True),
    "apache": Server("apache2 -DFOREGROUND -f {d}/conf", "http", "Apache", dpkg("apache2-bin"), findings=(CLEAR,),
                     protocol="1.1", files={"conf": """ServerRoot {d}
PidFile {d}/pid
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
Listen {b}:{p}
ServerName x
ErrorLog {d}/err
User nobody
Group nogroup
DocumentRoot {d}
"""}),
    "lighttpd": Server("lighttpd -D -f {d}/conf", "http", "lighttpd", dpkg("lighttpd"), findings=(CLEAR,), files={
        "conf": 'server.document-root = "{d}"\nserver.port = {p}\nserver.bind = "{b}"\n'}),
    "nghttpd": Server("nghttpd --no-tls -a {a} -d {d} {p}", "http", "nghttpd nghttp2", dpkg("nghttp2-server"),
                      findings=(CLEAR,), protocol="2"),
    "caddy": Server("caddy run --config {d}/conf.json", "http", "Caddy", findings=(CLEAR,), environment={"HOME": "{d}"},
                    files={"conf.json": '{{"admin":{{"disabled":true}},"apps":{{"http":{{"servers":{{"a":{{"listen":'
                                        '["{b}:{p}"],"routes":[{{"handle":[{{"handler":"static_response",'
                                        '"body":"hi"}}]}}]}}}}}}}}}}'}),
    "squid": Server("squid -N -f {d}/conf", "http-proxy", "squid", dpkg("squid"), findings=(CLEAR,), root=True, files={
        "conf": "http_port {b}:{p}\npid_filename none\ncache_log {d}/cache.log\naccess_log none\ncoredump_dir {d}\n"
                "http_access deny all\n"}),
    "tinyproxy": Server("tinyproxy -d -c {d}/conf", "http-proxy", "tinyproxy", dpkg("tinyproxy-bin"),
                        findings=(CLEAR,), files={"conf": "Port {p}\nListen {a}\nMaxClients 10\n"}),
    "cups": Server("cupsd -f -c {d}/cupsd.conf -s {d}/files.conf", "ipp", "CUPS", "echo 2.4", findings=(CLEAR,), root=True,
                   protocol="2.1", files={
                       "cupsd.conf": "Listen {b}:{p}\n<Location />\n Order allow,deny\n</Location>\n",
                       "files.conf": "ServerRoot {d}\nStateDir {d}\nCacheDir {d}\nRequestRoot {d}\nTempDir {d}\n"
                                     "AccessLog {d}/a\nErrorLog {d}/e\nPageLog {d}/p\nUser nobody\nGroup nogroup\n"
                                     "SystemGroup root\n"}),
    "redis": Server("redis-server --bind {a} --port {p} --save '' --dir {d}", "redis", "Redis", dpkg("redis-server"),
                    findings=(OPEN, CLEAR)),
    "redis-password": Server("redis-server --bind {a} --port {p} --save '' --dir {d} --requirepass x", "redis",
                             findings=(CLEAR,)),
    "redis-tls": Server("redis-server --bind {a} --port 0 --tls-port {p} --tls-cert-file {d}/cert.pem --tls-key-file "
                        "{d}/key.pem --tls-ca-cert-file {d}/cert.pem --tls-auth-clients no --save '' --dir {d}",
                        "redis", "Redis", dpkg("redis-server"), findings=(OPEN, SELF), tls=True),
    "memcached": Server("memcached -u nobody -l {a} -p {p} -U 0", "memcached", "memcached", dpkg("memcached"),
                        findings=(OPEN, CLEAR)),
    "memcached-udp": Server("memcached -u nobody -l {a} -p 0 -U {p}", "memcached", "memcached", dpkg("memcached"),
                            findings=(OPEN, CLEAR), proto="udp"),
    "postgresql": Server(POSTGRES + "/postgres -D {d}/pg -p {p} -h {a} -k {d}", "postgresql", findings=(CLEAR,), protocol="3.0",
                         files={"password": "x"},
                         before=(POSTGRES + "/initdb -D {d}/pg -A scram-sha-256 --pwfile {d}/password -N",)),
    "postgresql-tls": Server(
        POSTGRES + "/postgres -D {d}/pg -p {p} -h {a} -k {d} -c ssl=on -c ssl_cert_file={d}/cert.pem -c ssl_key_file={d}/own.pem",
        "postgresql", findings=(SELF,), starttls=True, protocol="3.0", files={"password": "x"},
        before=(POSTGRES + "/initdb -D {d}/pg -A scram-sha-256 --pwfile {d}/password -N",
                "install -m 600 {d}/key.pem {d}/own.pem")),
    "mariadb-tls": Server(
        "mariadbd --no-defaults --datadir={d}/my --socket={d}/s --port={p} --bind-address={a} --skip-name-resolve "
        "--init-file={d}/init --ssl-cert={d}/cert.pem --ssl-key={d}/key.pem", "mysql", "MariaDB", dpkg("mariadb-server"),
        protocol="10", findings=(SELF,), starttls=True, files={"init": "CREATE USER door@'%' IDENTIFIED BY 'x';\n"},
        before=("mariadb-install-db --no-defaults --datadir={d}/my --skip-test-db --auth-root-authentication-method=socket",)),
    "mariadb": Server("mariadbd --no-defaults --datadir={d}/my --socket={d}/s --port={p} --bind-address={a} "
                      "--skip-name-resolve --init-file={d}/init", "mysql", "MariaDB", dpkg("mariadb-server"), protocol="10", findings=(CLEAR,),
                      files={"init": "CREATE USER door@'%' IDENTIFIED BY 'x';\n"},
                      before=("mariadb-install-db --no-defaults --datadir={d}/my --skip-test-db "
                              "--auth-root-authentication-method=socket",)),
    "mosquitto": Server("mosquitto -c {d}/conf", "mqtt", "mosquitto", dpkg("mosquitto"), findings=(OPEN, CLEAR),
                        protocol="3.1.1", files={"conf": "listener {p} {a}\nallow_anonymous true\n"}),
    "mosquitto-closed": Server("mosquitto -c {d}/conf", "mqtt", findings=(CLEAR,), protocol="3.1.1", files={
        "conf": "listener {p} {a}\nallow_anonymous false\n"}),
    "rabbitmq": Server("/usr/lib/rabbitmq/bin/rabbitmq-server", "amqp", "RabbitMQ", dpkg("rabbitmq-server"),
                       findings=(CLEAR,), protocol="0-9", v4_only=True, environment={
                           "RABBITMQ_NODENAME": "d{p}@localhost", "RABBITMQ_NODE_PORT": "{p}", "HOME": "{d}",
                           "RABBITMQ_NODE_IP_ADDRESS": "{a}", "RABBITMQ_MNESIA_BASE": "{d}", "RABBITMQ_LOG_BASE": "{d}",
                           "RABBITMQ_ENABLED_PLUGINS_FILE": "{d}/plugins", "RABBITMQ_DIST_PORT": "{other}",
                           "ERL_EPMD_PORT": "{third}"}),
    "nats": Server("nats-server -a {a} -p {p}", "nats", "nats-server", dpkg("nats-server"), findings=(OPEN, CLEAR),
                   protocol="1"),
    "slapd": Server("slapd -d 0 -h ldap://{b}:{p} -f {d}/conf", "ldap", "OpenLDAP", findings=(CLEAR,), protocol="3", files={
        "conf": "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_ldif\ndatabase ldif\n"
                'suffix "dc=x"\ndirectory {d}\n'}),
    "slapd-starttls": Server(
        "slapd -d 0 -h ldap://{b}:{p} -f {d}/conf", "ldap", "OpenLDAP", findings=(SELF,), starttls=True, protocol="3", files={
            "conf": "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_ldif\n"
                    "TLSCertificateFile {d}/cert.pem\nTLSCertificateKeyFile {d}/key.pem\ndatabase ldif\n"
                    'suffix "dc=x"\ndirectory {d}\n'}),
    "dovecot-imap": Server("dovecot -F -c {d}/conf", "imap", "Dovecot", findings=(CLEAR,), protocol="4rev1", root=True,
                           files={"conf": DOVECOT % {"kind": "imap"}}),
    "dovecot-pop3": Server("dovecot -F -c {d}/conf", "pop3", "Dovecot", findings=(CLEAR,), protocol="3", root=True,
                           files={"conf": DOVECOT % {"kind": "pop3"}}),
    "dovecot-imap-starttls": Server("dovecot -F -c {d}/conf", "imap", "Dovecot", protocol="4rev1", root=True, starttls=True,
                                    findings=(CLEAR, SELF), files={"conf": DOVECOT.replace("ssl = no", "ssl = yes" + SECURE) %
                                                             {"kind": "imap"}}),
    "dovecot-pop3-starttls": Server("dovecot -F -c {d}/conf", "pop3", "Dovecot", protocol="3", root=True, starttls=True,
                                    findings=(CLEAR, SELF), files={"conf": DOVECOT.replace("ssl = no", "ssl = yes" + SECURE) %
                                                             {"kind": "pop3"}}),
    "exim": Server("exim4 -bdf -oX '<; [{a}]:{p}' -C {d}/conf", "smtp", "Exim", dpkg("exim4-daemon-light"), root=True, starttls=True, findings=(SELF,), before=("chown nobody:nogroup {d}",), files={
        "conf": "exim_user = nobody\nexim_group = nogroup\nspool_directory = {d}/spool\nlog_file_path = {d}/%slog\n"
                "primary_hostname = door.test\nkeep_environment =\ntls_advertise_hosts = *\n"
                "tls_certificate = {d}/cert.pem\ntls_privatekey = {d}/key.pem\n"}),
    "exim-plain": Server("exim4 -bdf -oX '<; [{a}]:{p}' -C {d}/conf", "smtp", "Exim", dpkg("exim4-daemon-light"), root=True,
                         findings=(CLEAR,), before=("chown nobody:nogroup {d}",), files={
        "conf": "exim_user = nobody\nexim_group = nogroup\nspool_directory = {d}/spool\nlog_file_path = {d}/%slog\n"
                "primary_hostname = door.test\nkeep_environment =\ntls_advertise_hosts =\n"}),
    "aiosmtpd": Server("/usr/bin/python3 -m aiosmtpd -n -l {b}:{p}", "smtp", "Python SMTP", dpkg("python3-aiosmtpd"),
                       findings=(CLEAR,), v4_only=True),
    "vsftpd": Server("vsftpd {d}/conf", "ftp", "vsFTPd", dpkg("vsftpd"), findings=(CLEAR,), files={
        "conf": "listen%(six)s=YES\nlisten_address%(six_)s={a}\nlisten_port={p}\nrun_as_launching_user=YES\n"
                "background=NO\nseccomp_sandbox=NO\nanonymous_enable=NO\nlocal_enable=YES\nsecure_chroot_dir={d}/empty\n"}),
    "vsftpd-anonymous": Server("vsftpd {d}/conf", "ftp", "vsFTPd", dpkg("vsftpd"), findings=(OPEN, CLEAR), files={
        "conf": "listen%(six)s=YES\nlisten_address%(six_)s={a}\nlisten_port={p}\nrun_as_launching_user=YES\n"
                "background=NO\nseccomp_sandbox=NO\nanonymous_enable=YES\nsecure_chroot_dir={d}/empty\n"
                "anon_root={d}/empty\n"}),
    "vsftpd-starttls": Server("vsftpd {d}/conf", "ftp", "vsFTPd", dpkg("vsftpd"), findings=(SELF,), starttls=True, files={
        "conf": "listen%(six)s=YES\nlisten_address%(six_)s={a}\nlisten_port={p}\nrun_as_launching_user=YES\n"
                "background=NO\nseccomp_sandbox=NO\nanonymous_enable=NO\nlocal_enable=YES\nsecure_chroot_dir={d}/empty\n"
                "ssl_enable=YES\nrsa_cert_file={d}/cert.pem\nrsa_private_key_file={d}/key.pem\n"}),
    "xrdp": Server("xrdp --nodaemon --port tcp{sixdigit}://{b}:{p} -c {d}/xrdp.ini", "rdp", root=True, files={
        "xrdp.ini": "[Globals]\nport=tcp{sixdigit}://{b}:{p}\nsecurity_layer=negotiate\ncertificate={d}/cert.pem\n"
                    "key_file={d}/key.pem\nautorun=\n[Logging]\nLogFile={d}/log\nLogLevel=ERROR\n[Xorg]\nname=x\n"
                    "lib=libvnc.so\n"}, v4_only=True),
    "tigervnc": Server("Xtigervnc :{display} -rfbport {p} -SecurityTypes None -interface {a} -nolisten tcp -nolisten unix",
                       "vnc", findings=(OPEN, CLEAR), protocol="3.8", environment={"HOME": "{d}"},
                       ready=(b"", b"RFB")),
    "rsync": Server("rsync --daemon --no-detach --address {a} --port {p} --config {d}/conf", "rsync", findings=(CLEAR,),
                    protocol="32.0", files={"conf": "use chroot = no\n[m]\npath = {d}\n"}),
    "etcd": Server("etcd --data-dir {d}/e --listen-client-urls http://{b}:{p} --advertise-client-urls http://{b}:{p} "
                   "--listen-peer-urls http://{b}:{other} --initial-advertise-peer-urls http://{b}:{other} "
                   "--initial-cluster default=http://{b}:{other}", "etcd", "etcd", dpkg("etcd-server"), findings=(OPEN, CLEAR)),
    "prometheus": Server("prometheus --config.file {d}/conf.yml --storage.tsdb.path {d}/db --web.listen-address {b}:{p}",
                         "prometheus", "prometheus", dpkg("prometheus"), findings=(CLEAR,), files={"conf.yml": "global: {{}}\n"}),
    "node-exporter": Server("prometheus-node-exporter --web.listen-address {b}:{p}", "prometheus-exporter", "node_exporter",
                            dpkg("prometheus-node-exporter"), findings=(CLEAR,)),
    "podman": Server("podman --root {d}/a --runroot {d}/b --cgroup-manager cgroupfs system service --time 0 tcp://{b}:{p}",
                     "docker", "Podman", dpkg("podman"), findings=(OPEN, CLEAR), root=True, protocol="1.41"),
    "zookeeper": Server("java -cp '/etc/zookeeper/conf:/usr/share/java/zookeeper.jar:/usr/share/java/*' "
                        "org.apache.zookeeper.server.quorum.QuorumPeerMain {d}/conf", "zookeeper", "ZooKeeper",
                        dpkg("zookeeper"), findings=(CLEAR,), ready=(b"srvr", b"Zookeeper version"), files={
                            "conf": "tickTime=2000\ndataDir={d}\nclientPort={p}\nclientPortAddress={a}\n"
                                    "admin.enableServer=false\n"}),
    "kamailio": Server("kamailio -DD -E -f {d}/conf -Y {d} -m 32", "sip", "kamailio", dpkg("kamailio"), findings=(CLEAR,),
                       protocol="2.0", files={"conf": '#!KAMAILIO\nlisten=tcp:{b}:{p}\nlisten=udp:{b}:{p}\n'
                                                      'loadmodule "sl.so"\nchildren=1\n'
                                                      'request_route {{ sl_send_reply("200", "OK"); }}\n'}),
    "telnetd": Server("socat TCP-LISTEN:{p},bind={b},pf=ip{sixdigit_or_4},fork EXEC:'/usr/sbin/telnetd -E /bin/cat'", "telnet",
                      findings=(CLEAR,), root=True),
    "prosody": Server("prosody -F --config {d}/conf.cfg.lua", "xmpp", findings=(CLEAR,), protocol="1.0", files={
        "conf.cfg.lua": 'pidfile = "{d}/pid"\ndata_path = "{d}"\nrun_as_root = true\nc2s_ports = {{ {p} }}\ns2s_ports = {{}}\n'
                        'interfaces = {{ "{a}" }}\nmodules_disabled = {{ "s2s" }}\nVirtualHost "localhost"\n'
                        'log = {{ error = "{d}/log" }}\n'}),
    "prosody-starttls": Server("prosody -F --config {d}/conf.cfg.lua", "xmpp", findings=(SELF,), starttls=True, protocol="1.0",
                               files={
        "conf.cfg.lua": 'pidfile = "{d}/pid"\ndata_path = "{d}"\nrun_as_root = true\nc2s_ports = {{ {p} }}\ns2s_ports = {{}}\n'
                        'interfaces = {{ "{a}" }}\nmodules_enabled = {{ "tls"; "saslauth" }}\nmodules_disabled = {{ "s2s" }}\n'
                        'VirtualHost "door.test"\nssl = {{ certificate = "{d}/cert.pem"; key = "{d}/key.pem" }}\n'
                        'VirtualHost "{a}"\nssl = {{ certificate = "{d}/cert.pem"; key = "{d}/key.pem" }}\n'}),
    "ngircd": Server("ngircd -n -f {d}/conf", "irc", "ngircd", dpkg("ngircd"), findings=(CLEAR,), files={
        "conf": "[Global]\nName=irc.test\nInfo=x\nListen={a}\nPorts={p}\nServerUID=nobody\nServerGID=nogroup\n"
                "[Options]\nPAM=no\nDNS=no\nIdent=no\n"}),
    "git": Server("git daemon --listen={a} --port={p} --base-path={d}", "git", findings=(CLEAR,)),
    "beanstalkd": Server("beanstalkd -l {a} -p {p}", "beanstalkd", "beanstalkd", dpkg("beanstalkd"), findings=(OPEN, CLEAR)),
    "mpd": Server("mpd --no-daemon {d}/conf", "mpd", findings=(CLEAR,), protocol="0.23.5", files={
        "conf": 'bind_to_address "{a}"\nport "{p}"\nmusic_directory "{d}"\ndb_file "{d}/db"\n'
                'audio_output {{\n type "null"\n name "n"\n}}\n'}),
    "s_server": Server("openssl s_server -accept {b}:{p} -cert {d}/cert.pem -key {d}/key.pem -quiet", "tls", tls=True,
                       findings=(SELF,)),
    "stunnel": Server("stunnel4 {d}/conf", "mpd", tls=True, findings=(SELF,), protocol="1.2", files={
        "conf": "foreground = yes\npid =\n[x]\naccept = {a}:{p}\nexec = /bin/sh\nexecArgs = sh {d}/inner\n"
                "cert = {d}/cert.pem\nkey = {d}/key.pem\n", "inner": "echo OK MPD 1.2; read line"}),
    "smbd": Server("smbd -F --no-process-group -s {d}/conf", "smb", root=True, protocol="3.1.1", v4_only=True, files={
        "conf": "[global]\nsmb ports = {p}\nlock directory = {d}\nstate directory = {d}\ncache directory = {d}\n"
                "pid directory = {d}\nprivate dir = {d}\nncalrpc dir = {d}/n\nlog file = {d}/log\n"
                "bind interfaces only = yes\ninterfaces = lo\n"}),
    "dnsmasq-tcp": Server("dnsmasq -k -C /dev/null -p {p} --listen-address={a} --bind-interfaces --no-resolv --pid-file=",
                          "dns", "dnsmasq", dpkg("dnsmasq-base")),
    "dnsmasq": Server("dnsmasq -k -C /dev/null -p {p} --listen-address={a} --bind-interfaces --no-resolv --pid-file=",
                      "dns", "dnsmasq", dpkg("dnsmasq-base"), proto="udp"),
    "named": Server("named -f -c {d}/conf", "dns", "BIND", dpkg("bind9"), proto="udp", files={
        "conf": 'options {{ listen-on%(sixv)s port {p} {{ {a}; }}; listen-on%(otherv)s {{ none; }}; session-keyfile none; '
                'directory "{d}"; pid-file none; recursion no; }};\ncontrols {{}};\n'}),
    "unbound": Server("unbound -d -c {d}/conf", "dns", "unbound", dpkg("unbound"), proto="udp", files={
        "conf": 'server:\n interface: {a}@{p}\n username: ""\n chroot: ""\n pidfile: ""\n directory: "{d}"\n use-syslog: no\n'
                'remote-control:\n control-enable: no\n'}),
    "snmpd": Server("snmpd -f -Lo -C -c {d}/conf udp{sixdigit}:{b}:{p}", "snmp", "Net-SNMP", proto="udp", protocol="2c",
                    findings=(OPEN, CLEAR), environment={"SNMP_PERSISTENT_DIR": "{d}"}, files={
                        "conf": "rocommunity public\nrocommunity6 public\n"}),
    "chrony": Server("chronyd -d -x -U -f {d}/conf", "ntp", proto="udp", protocol="4", root=True, files={
        "conf": "port {p}\ncmdport 0\nallow\nlocal stratum 5\nbindaddress {a}\npidfile {d}/pid\n"}),
    "atftpd": Server("atftpd --daemon --no-fork --user nobody.nogroup --port {p} --bind-address {a} {d}", "tftp", proto="udp",
                     findings=(CLEAR,), root=True, v4_only=True),
    "gtlsserver": Server("gtlsserver {a} {p} {d}/key.pem {d}/cert.pem -q", "quic", proto="udp", protocol="1"),
    "kamailio-udp": Server("kamailio -DD -E -f {d}/conf -Y {d} -m 32", "sip", "kamailio", dpkg("kamailio"), findings=(CLEAR,),
                           proto="udp", protocol="2.0", files={
                               "conf": '#!KAMAILIO\nlisten=udp:{b}:{p}\nloadmodule "sl.so"\nchildren=1\n'
                                       'request_route {{ sl_send_reply("200", "OK"); }}\n'}),
}


def free_port(address, inside=None):
    """An odd port that nobody has, TCP's and UDP's, outside the range that the kernel gives to clients, and those of the lanes;
    a server's others are 3,000 below."""
    if inside:
        return 21021
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in random.sample(range(20001, 23000, 2), 200):
        with contextlib.suppress(OSError), socket.socket(family) as tcp, socket.socket(family, socket.SOCK_DGRAM) as udp:
            tcp.bind((address, port))
            udp.bind((address, port))
            return port
    raise OSError("no port")


@functools.cache
def certificate():
    folder = tempfile.mkdtemp(prefix="doorward-cert-")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/key.pem", "-out",
                    f"{folder}/cert.pem", "-days", "300", "-subj", "/CN=door.test", "-addext",
                    "subjectAltName=DNS:door.test,DNS:www.door.test,IP:127.0.0.1"], check=True, capture_output=True)
    return folder


def listed(proto, port, inside="self"):
    """The kernel lists the port: listening, or bound."""
    for table in (f"/proc/{inside}/net/{proto}", f"/proc/{inside}/net/{proto}6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            words = line.split()
            if int(words[1].rsplit(":", 1)[1], 16) == port and (proto == "udp" or words[3] == "0A"):
                return True
    return False


def end_marked(mark):
    """Ends whatever carries the mark, by pid."""
    needle = f"DOORWARD_TEST_MARK={mark}".encode()
    for _ in range(50):
        found = []
        for place in glob.glob("/proc/[0-9]*"):
            with contextlib.suppress(OSError):
                if needle in pathlib.Path(place, "environ").read_bytes():
                    found.append(int(place[6:]))
        if not found:
            return
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                os.waitpid(pid, 0)


def _fill(text, names):
    six = names.a.find(":") >= 0
    text = text.replace("%(six)s", "_ipv6" if six else "").replace("%(six_)s", "6" if six else "")
    text = text.replace("%(sixv)s", "-v6" if six else "").replace("%(otherv)s", "" if six else "-v6")
    return text.format(**vars(names))


def _names(address, folder, inside):
    six = ":" in address
    port = free_port(address, inside)
    return types.SimpleNamespace(d=folder, a=address, b=f"[{address}]" if six else address, p=port, sixdigit="6" if six else "",
                                 sixdigit_or_4="6" if six else "4", display=port, other=port - 3000, third=port - 3001)


def _lay_out(server, names):
    for file in ("cert.pem", "key.pem"):
        shutil.copy(f"{certificate()}/{file}", names.d)
    os.mkdir(f"{names.d}/empty")
    os.chmod(names.d, 0o755)
    os.chmod(f"{names.d}/key.pem", 0o644)
    for place in server.folders:
        os.makedirs(place, exist_ok=True)
    for file, text in server.files.items():
        pathlib.Path(names.d, file).write_text(_fill(text, names))


# Who refuses to run as root is given the folder and run as nobody.
REFUSE_ROOT = ("postgresql", "postgresql-tls", "mariadb", "mariadb-tls")


def _as_user(name, words, inside=None):
    enter = f"nsenter -t {inside} --net -- " if inside else ""
    if name in REFUSE_ROOT and os.geteuid() == 0:
        return f"exec {enter}setpriv --reuid 65534 --regid 65534 --clear-groups {words}"
    return f"exec {enter}{words}"


def _await(process, proto, port, said, inside, limit=60):
    end = time.monotonic() + limit
    while not listed(proto, port, inside or "self"):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the server is not up ({process.returncode}): {pathlib.Path(said).read_text()[-500:]}")
        time.sleep(0.02)  # the kernel has no event for a port that is taken


def _await_answer(address, port, asked, expected, limit=60):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        with socket.create_connection((address, port), limit) as peer:
            peer.sendall(asked)
            if expected in peer.recv(4096):
                return
        time.sleep(0.05)  # it says only that it does not serve yet
    raise RuntimeError(f"the server does not answer {asked} by {expected}")


@contextlib.contextmanager
def running(name, address="127.0.0.1", inside=None, more=""):
    """The server, up on a port of @address until the block ends; in the network of the process @inside; with the words
    @more behind its own."""
    server = SERVERS[name]
    program = server.words.split()[0]
    if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
        pytest.skip(f"{name}: {program} is not installed")
    if server.told and subprocess.run(server.told, shell=True, capture_output=True, check=False).returncode:
        pytest.skip(f"{name}: its package is not installed")
    module = re.match(r"\S*python3 -m (\w+)", server.words)
    if module and not importlib.util.find_spec(module[1]):
        pytest.skip(f"{name}: python3-{module[1]} is not installed")
    if server.root and os.geteuid() != 0:
        pytest.skip(f"{name} wants root")
    if server.v4_only and ":" in address:
        pytest.skip(f"{name} has no IPv6 here")
    mark, process = uuid.uuid4().hex, None
    folder = tempfile.mkdtemp(prefix="doorward-server-")
    names = _names(address, folder, inside)
    environment = dict(os.environ, DOORWARD_TEST_MARK=mark, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", LC_ALL="C")
    environment.update({key: _fill(value, names) for key, value in server.environment.items()})
    try:
        _lay_out(server, names)
        if name in REFUSE_ROOT and os.geteuid() == 0:
            for place in (folder, *glob.glob(f"{folder}/*")):
                os.chown(place, 65534, 65534)
        for words in server.before:
            subprocess.run(_as_user(name, _fill(words, names)), shell=True, check=True, capture_output=True, env=environment)
        with open(f"{folder}/said", "wb") as said:
            process = subprocess.Popen(_as_user(name, _fill(server.words + more, names), inside), shell=True, env=environment, cwd="/",
                                       stdin=subprocess.PIPE, stdout=said, stderr=said, start_new_session=True)
            _await(process, server.proto, names.p, f"{folder}/said", inside)
            if server.ready and not inside:
                _await_answer(address, names.p, *server.ready)
            yield types.SimpleNamespace(port=names.p, address=address, folder=folder, pid=process.pid)
            process.stdin.close()
    finally:
        if process:  # some write their title over their environment, and with it the mark
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        end_marked(mark)
        for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():  # podman's store
            if line.split()[1].startswith(folder):
                subprocess.run(["umount", line.split()[1]], check=False)
        shutil.rmtree(folder, ignore_errors=True)
