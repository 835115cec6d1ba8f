/**
 * The options of TLS, and of what stands around it, as plain data: rows of the option table. Data only.
 *
 * A group that is not given (`tls`, `proxyProtocol`) means that there is no such thing; its defaults hold once it is.
 */

import { integer, type OptionRow, other } from "./option-row.ts";

const MAX_AGE_SECONDS = 0x7fff_ffff;

/** In the order of the reference. */
export const TLS_OPTION_ROWS: readonly OptionRow[] = [
  other("tls.cert", "pem", null, "the certificate, and behind it those of its issuers, in PEM: the text itself"),
  other(
    "tls.certFile",
    "text",
    null,
    "path of a file with them, in place of cert; read again when it changes",
    "nginx ssl_certificate",
  ),
  other("tls.key", "pem", null, "the private key in PEM: the text itself"),
  other(
    "tls.keyFile",
    "text",
    null,
    "path of a file with it, in place of key; read again when it changes",
    "nginx ssl_certificate_key",
  ),
  other("tls.passphrase", "text", null, "opens the key, if it is locked"),
  other(
    "tls.ocspFile",
    "text",
    null,
    "path of a file with the OCSP response in DER, which is stapled to the certificate",
    "nginx ssl_stapling_file",
  ),
  other(
    "tls.servers",
    "objects",
    [],
    "more certificates, each { names, cert or certFile, key or keyFile, … }, chosen by the name that the client asks for (SNI); *.example.com stands for one label; names default to those in the certificate; the first is for unknown names unless there is one outside of the list",
  ),
  other("tls.minVersion", "tls-version", "TLSv1.2", "least version of TLS", "Mozilla intermediate, nginx TLSv1.2"),
  other(
    "tls.requestCert",
    "boolean",
    false,
    "ask clients for a certificate, which handlers see as context.clientCertificate",
  ),
  other(
    "tls.rejectUnauthorized",
    "boolean",
    true,
    "with requestCert: refuse clients without a certificate that ca has issued",
    "Node",
  ),
  other("tls.ca", "pem", null, "authorities that may issue the certificates of clients, in PEM: the text itself"),
  other(
    "tls.caFile",
    "text",
    null,
    "path of a file with them, in place of ca; read again when it changes",
    "nginx ssl_client_certificate",
  ),
  other(
    "tls.allowPlain",
    "boolean",
    false,
    "serve plain HTTP on the same port, told apart by the first octet; without, GET and HEAD are redirected to https and the rest is refused",
  ),
  other(
    "tls.ticketKeys",
    "ticket-keys",
    null,
    "48 octets that lock session tickets, for processes that share a port; without, they are made up and renewed every 12 hours",
    "nginx ssl_session_ticket_key",
  ),
  other("tls.watch", "boolean", true, "read certificates again when their files change", "Caddy, Traefik"),
  integer(
    "hsts.maxAgeSeconds",
    "s",
    -1,
    -1,
    MAX_AGE_SECONDS,
    "Strict-Transport-Security on answers over TLS: browsers use HTTPS alone for so long; 0 takes it back, -1 for none; a year is 31536000",
  ),
  other("hsts.includeSubDomains", "boolean", false, "for all names below this one too"),
  other("hsts.preload", "boolean", false, "browsers may build it in; cannot be taken back for months"),
  integer(
    "redirectFrom.port",
    "",
    -1,
    -1,
    65_535,
    "a second port, usually 80, that sends plain HTTP to HTTPS (308); 0 lets the system choose, -1 for none",
    "Caddy 80",
  ),
  other("redirectFrom.hostname", "text", null, "address or name of that port; without, the server's own"),
  integer(
    "redirectFrom.toPort",
    "",
    0,
    0,
    65_535,
    "port of HTTPS as clients see it, where a router changes it; 0 for the one that is listened on",
  ),
  other(
    "redirectFrom.challenge",
    "function",
    null,
    "a handler for /.well-known/acme-challenge/ in place of the redirect (RFC 8555 §8.3)",
  ),
  other(
    "proxyProtocol.from",
    "texts",
    [],
    "addresses and networks (10.0.0.0/8) of proxies, or loopback, private, unix, which must begin each connection with a PROXY header, as all peers on a unix socket must; whoever is in them can claim any address",
    "nginx set_real_ip_from",
  ),
  other(
    "proxyProtocol.allowDirect",
    "boolean",
    false,
    "others may connect too, without a header; by default they are cut off",
  ),
];
