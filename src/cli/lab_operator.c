/* SPDX-License-Identifier: Apache-2.0 */
/** @file An operator of the lab: its authorities, servers and gateway, as real programs. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/lab.h"

/* ---- authorities ---- */

int lab_operator_issue(struct lab *lab, struct lab_operator *op, const char *name, const char *role,
                       struct base_error *err)
{
	return lab_run(lab, err,
	               "gatehouse pki issue --role %s --dns %s.%s.example --out %s/%s %s/pki", role,
	               name, op->name, op->name, name, op->name);
}

int lab_operator_publish(struct lab *lab, struct lab_operator *op, struct base_error *err)
{
	int rc = lab_run(lab, err, "gatehouse pki publish %s/pki %s/www", op->name, op->name);

	if (!rc && op->slapd)
		rc = lab_run(
		        lab, err,
		        "gatehouse pki publish --create --bind cn=admin,o=%s --password-file "
		        "%s/slapd/password --unsafe-clear-bind %s/pki ldap://127.0.0.1:%u/o=%s",
		        op->name, op->name, op->name, op->ldap_port, op->name);
	return rc;
}

int lab_operator_crl(struct lab *lab, struct lab_operator *op, const char *ca, unsigned seconds,
                     struct base_error *err)
{
	int rc = lab_run(lab, err, "gatehouse pki crl --ca %s --seconds %u %s/pki", ca,
	                 seconds ? seconds : 24U * 3600, op->name);

	return rc ? rc : lab_operator_publish(lab, op, err);
}

int lab_operator_pki(struct lab *lab, struct lab_operator *op, struct base_error *err)
{
	int rc = lab_run(
	        lab, err,
	        "mkdir %s && cd %s && mkdir www cache state cross known nginx slapd slapd/db",
	        op->name, op->name);

	if (!rc)
		rc = lab_run(lab, err,
		             "gatehouse pki init --name 'Operator %s' --crl-url "
		             "'http://127.0.0.1:%u/{ca}.crl' %s/pki",
		             op->name, op->http_port, op->name);
	/* the fetcher gives root's rights away; these are public, or its own */
	if (!rc)
		rc = lab_run(lab, err,
		             "cd %s && cp pki/interconnection/ca.pem interconnection.pem && "
		             "cp pki/tls-client/ca.pem known/own-clients.pem && "
		             "cp pki/tls-server/ca.pem known/own-servers.pem",
		             op->name);
	if (!rc && !geteuid())
		rc = lab_run(lab, err, "chown nobody %s/cache %s/state", op->name, op->name);
	if (!rc)
		rc = lab_operator_issue(lab, op, "client", "client", err);
	if (!rc)
		rc = lab_operator_issue(lab, op, "gw1", "server", err);
	if (!rc)
		rc = lab_operator_issue(lab, op, "gw2", "server", err);
	return rc;
}

int lab_operator_vouch(struct lab *lab, struct lab_operator *op, const struct lab_operator *peer,
                       const char *role, const char *as, struct base_error *err)
{
	int rc = lab_run(lab, err, "cp %s/pki/tls-%s/ca.pem %s/known/%s.pem", peer->name, role,
	                 op->name, as);

	return rc ? rc
	          : lab_run(lab, err,
	                    "gatehouse pki cross-certify --yes --role %s --peer %s/known/%s.pem "
	                    "--permit %s.example --out %s/cross/%s.pem %s/pki",
	                    role, op->name, as, peer->name, op->name, as, op->name);
}

/* ---- servers ---- */

static bool listens(void *port)
{
	return lab_listens(*(unsigned *)port);
}

/* Start it, and wait until it listens. */
static int server_start(struct lab *lab, struct play_child **child, const char *name,
                        const char *command, unsigned *port, struct base_error *err)
{
	int rc = lab_start(lab, child, name, err, "%s", command);

	if (!rc && lab_until(lab, listens, port, LAB_PATIENCE_MS))
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0), "%s does not listen: %.300s", name,
		                    play_child_text(*child));
	return rc;
}

int lab_nginx_start(struct lab *lab, struct lab_operator *op, struct base_error *err)
{
	char name[32], command[320];
	int rc;

	(void)snprintf(name, sizeof(name), "%s/nginx/nginx.conf", op->name);
	rc = lab_write(lab, name, err,
	               "daemon off; master_process off; pid nginx.pid;\n"
	               "events { worker_connections 64; }\n"
	               "http {\n"
	               "  access_log off;\n"
	               "  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;\n"
	               "  uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
	               "  server { listen 127.0.0.1:%u; root %s/%s/www; }\n"
	               "}\n",
	               op->http_port, lab->dir, op->name);
	(void)snprintf(name, sizeof(name), "%s-nginx", op->name);
	(void)snprintf(command, sizeof(command), "nginx -e stderr -p %s/%s/nginx -c nginx.conf",
	               lab->dir, op->name);
	return rc ? rc : server_start(lab, &op->nginx, name, command, &op->http_port, err);
}

/* A Certificate Repository. The server runs under another path, so that a profile of AppArmor for
 * the packaged one does not hold for it. */
static int slapd_start(struct lab *lab, struct lab_operator *op, struct base_error *err)
{
	char name[32], command[448];
	int rc;

	(void)snprintf(name, sizeof(name), "%s/slapd/slapd.conf", op->name);
	rc = lab_write(lab, name, err,
	               "include /etc/ldap/schema/core.schema\n"
	               "modulepath /usr/lib/ldap\nmoduleload back_mdb\n"
	               "pidfile %s/%s/slapd/pid\nargsfile %s/%s/slapd/args\n"
	               "database mdb\nmaxsize 16777216\nsuffix \"o=%s\"\n"
	               "rootdn \"cn=admin,o=%s\"\nrootpw lab\n"
	               "directory %s/%s/slapd/db\naccess to * by * read\n",
	               lab->dir, op->name, lab->dir, op->name, op->name, op->name, lab->dir,
	               op->name);
	if (!rc)
		rc = lab_run(
		        lab, err,
		        "(umask 077; printf lab > %s/slapd/password); cp \"$(command -v slapd)\" "
		        "%s/slapd/slapd",
		        op->name, op->name);
	(void)snprintf(name, sizeof(name), "%s-slapd", op->name);
	(void)snprintf(command, sizeof(command),
	               "%s/%s/slapd/slapd -d 0 -f %s/slapd/slapd.conf -h ldap://127.0.0.1:%u/",
	               lab->dir, op->name, op->name, op->ldap_port);
	if (!rc)
		rc = server_start(lab, &op->slapd, name, command, &op->ldap_port, err);
	if (!rc)
		rc = lab_run(
		        lab, err,
		        "printf 'dn: o=%s\\nobjectClass: organization\\no: %s\\n' | "
		        "ldapadd -x -H ldap://127.0.0.1:%u -D cn=admin,o=%s -y %s/slapd/password",
		        op->name, op->name, op->ldap_port, op->name, op->name);
	return rc;
}

/* ---- the fetcher ---- */

/* Times as no operator would have them: the story is told in a minute. */
static int fetch_write(struct lab *lab, struct lab_operator *op, struct base_error *err)
{
	const struct lab_operator *peer = op == &lab->a ? &lab->b : &lab->a;
	char name[32];

	(void)snprintf(name, sizeof(name), "%s/fetch.yaml", op->name);
	return lab_write(
	        lab, name, err,
	        "fetch: {cache: cache, metrics: state/fetch.prom%s}\n"
	        "issuers: [known]\n"
	        "interconnection-cas: [interconnection.pem]\n"
	        "sources:\n"
	        "  - {name: own-repository, repository: \"ldap://127.0.0.1:%u/o=%s\"}\n"
	        "  - {name: interconnection, crl: \"http://127.0.0.1:%u/interconnection.crl\"}\n"
	        "  - {name: peer-clients, crl: \"http://127.0.0.1:%u/tls-client.crl\"}\n"
	        "  - {name: peer-servers, crl: \"http://127.0.0.1:%u/tls-server.crl\"}\n"
	        "socket: {path: state/socket%s}\n"
	        "schedule: {refresh: 1s, retry: 500ms, retry-max: 1s}\n"
	        "alarms: {warn: 10s, critical: 5s, remind: 1h}\n",
	        geteuid() ? "" : ", user: nobody", op->ldap_port, op->name, op->http_port,
	        peer->http_port, peer->http_port, geteuid() ? "" : ", users: [root]");
}

unsigned long lab_metric(struct lab *lab, struct lab_operator *op, const char *name,
                         const char *source)
{
	char path[192], text[32768], wanted[160], number[24] = "0";
	FILE *file;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s/state/fetch.prom", lab->dir, op->name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	len = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file); /* it was only read */
	text[len] = '\0';
	(void)snprintf(wanted, sizeof(wanted),
	               "gatehouse_fetch_%s\\{source=\"%s\"[^}]*\\} ([0-9]+)", name, source);
	(void)lab_find(text, wanted, number, sizeof(number)); /* 0, then */
	return strtoul(number, NULL, 10);
}

struct filling {
	struct lab *lab;
	struct lab_operator *op;
};

/* Has every source brought something good? */
static bool is_filled(void *arg)
{
	static const char *const sources[] = { "own-repository", "interconnection", "peer-clients",
		                               "peer-servers" };
	struct filling *f = arg;

	for (size_t i = 0; i < BASE_COUNT(sources); i++)
		if (!lab_metric(f->lab, f->op, "source_last_success_seconds", sources[i]))
			return false;
	return true;
}

static int fetch_start(struct lab *lab, struct lab_operator *op, struct base_error *err)
{
	struct filling filled = { lab, op };
	char name[32];
	int rc = fetch_write(lab, op, err);

	(void)snprintf(name, sizeof(name), "%s-fetch", op->name);
	if (!rc)
		rc = lab_start(lab, &op->fetch, name, err, "gatehouse-fetch -c %s/fetch.yaml",
		               op->name);
	if (!rc && lab_until(lab, is_filled, &filled, LAB_PATIENCE_MS))
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                    "%s's fetcher has not got everything: %.400s", op->name,
		                    play_child_text(op->fetch));
	return rc;
}

/* ---- the gateway ---- */

int lab_gateway_write(struct lab *lab, struct lab_operator *op, const char *const *domains,
                      struct base_error *err)
{
	struct base_writer w = { .data = NULL };
	char name[32];
	int rc;

	base_writer_printf(&w,
	                   "mg: {workers: 1, leave: forced}\n"
	                   "controllers: [\"127.0.0.1:%u\"]\n"
	                   "h248: {transport: udp, listen: \"127.0.0.1:0\", version: 3, encoding: "
	                   "pretty}\n"
	                   "media: {addresses: [127.0.0.1]}\n"
	                   "fetch: {socket: state/socket}\n"
	                   "tls-domains:\n",
	                   op->mgc.local.port);
	for (size_t i = 0; domains[i]; i++)
		base_writer_printf(&w,
		                   "  - name: %s\n    profile: ts33210-rel17\n"
		                   "    certificate: %s.pem\n    key: %s.key\n"
		                   "    client-auth: require\n    client-methods: [ca]\n"
		                   "    server-methods: [ca]\n"
		                   "    trust:\n      interconnect: true\n"
		                   "      interconnection-cas: [interconnection.pem]\n"
		                   "      client-cas: [pki/tls-client/ca.pem]\n"
		                   "      server-cas: [pki/tls-server/ca.pem]\n"
		                   "      cache: cache\n",
		                   domains[i], domains[i], domains[i]);
	(void)snprintf(name, sizeof(name), "%s/mg.yaml", op->name);
	rc = w.failed ? BASE_ERR(BASE_LOCAL, 0)
	              : lab_write(lab, name, err, "%s", base_writer_cstr(&w));
	base_writer_done(&w);
	return rc;
}

static bool is_registered(void *arg)
{
	struct lab_operator *op = arg;

	return strstr(play_child_text(op->gateway), "mg: registered controller=") ||
	       play_child_status(op->gateway) >= 0;
}

static int gateway_start(struct lab *lab, struct lab_operator *op, struct base_error *err)
{
	static const char *const domains[] = { "client", "gw1", "gw2", NULL };
	char name[32];
	int rc = lab_gateway_write(lab, op, domains, err);

	(void)snprintf(name, sizeof(name), "%s-mg", op->name);
	if (!rc)
		rc = lab_start(lab, &op->gateway, name, err, "gatehouse-mg -c %s/mg.yaml",
		               op->name);
	if (!rc && (lab_until(lab, is_registered, op, LAB_PATIENCE_MS) ||
	            play_child_status(op->gateway) >= 0))
		rc = base_error_set(err, BASE_ERR(BASE_PEER, 0),
		                    "%s's gateway does not register: %.400s", op->name,
		                    play_child_text(op->gateway));
	return rc;
}

int lab_reload(struct lab *lab, struct play_child *child, struct base_error *err)
{
	unsigned before = lab_said(child, "reloaded: ");
	uint64_t begun = loop_now_ms(lab->loop);

	(void)kill(child->pid, SIGHUP); /* that it is gone is told below */
	while (lab_said(child, "reloaded: ") == before)
		if (play_child_status(child) >= 0 || lab_wait(lab, 20) ||
		    loop_now_ms(lab->loop) > begun + LAB_PATIENCE_MS)
			return base_error_set(err, BASE_ERR(BASE_PEER, 0),
			                      "%s did not take its new file: %.300s", child->name,
			                      play_child_text(child));
	return 0;
}

int lab_servers_start(struct lab *lab, struct lab_operator *op, struct base_error *err)
{
	int rc = slapd_start(lab, op, err);

	if (!rc)
		rc = lab_operator_publish(lab, op, err);
	return rc ? rc : lab_nginx_start(lab, op, err);
}

int lab_gateway_start(struct lab *lab, struct lab_operator *op, struct base_error *err)
{
	int rc = fetch_start(lab, op, err);

	return rc ? rc : gateway_start(lab, op, err);
}
