/**
 * An authority that speaks ACME (RFC 8555), for tests: directory, nonces, accounts, orders, HTTP-01 by truly asking, certificates.
 *
 * Every request is held to the protocol: signature over the protected header, its URL, a nonce that is used once, the account
 * that it names. Names are looked for on the loopback address, at a port that the test says.
 */

import "reflect-metadata";
import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";
import type { JsonWebKey, KeyObject, webcrypto } from "node:crypto";
import { createServer, request as httpRequest } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

interface Account {
  readonly url: string;
  readonly key: KeyObject;
  readonly thumbprint: string;
  readonly contact: unknown;
}

interface Authorization {
  readonly name: string;
  readonly token: string;
  status: "pending" | "valid" | "invalid";
  problem: object | null;
}

interface Order {
  readonly account: Account;
  readonly names: readonly string[];
  readonly authorizations: readonly Authorization[];
  status: "pending" | "ready" | "valid" | "invalid";
  certificate: string;
}

/** What a request said, its signature verified. */
interface Signed {
  readonly account: Account | null;
  readonly jwk: JsonWebKey | null;
  readonly payload: Record<string, unknown> | null;
}

class Problem extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, detail: string) {
    super(detail);
    this.status = status;
    this.type = type;
  }
}

/** The authority. */
export class AcmeServer {
  readonly rootPem: string;
  /** Where challenges are asked for. */
  challengePort = 0;
  /** Of what it issues. */
  lifetimeMs: number = 90 * 86_400_000;
  /** Time of day, for what it issues. */
  nowMs: () => number = Date.now;
  /** Answers the next orders with this error. */
  failure: { status: number; type: string; detail: string } | null = null;
  readonly issued: string[] = [];
  readonly requests: string[] = [];
  readonly accounts: Map<string, Account> = new Map();
  /** Paths that were asked of servers. */
  readonly validations: string[] = [];
  readonly #root: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #orders: Order[] = [];
  readonly #nonces: Set<string> = new Set();
  readonly #server: Server;

  private constructor(root: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#root = root;
    this.rootPem = root.toString("pem");
    this.#keys = keys;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<AcmeServer> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: "01",
      name: "CN=ACME Test Root",
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: new Date(Date.now() + 3650 * 86_400_000),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    });
    const server = new AcmeServer(root, keys);
    await new Promise<void>((done) => server.#server.listen(0, "127.0.0.1", done));
    return server;
  }

  get directoryUrl(): string {
    return `${this.#base}/directory`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  get #base(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    this.requests.push(`${request.method} ${path}`);
    const nonce = randomBytes(12).toString("base64url");
    this.#nonces.add(nonce);
    response.setHeader("replay-nonce", nonce);
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      if (request.method !== "POST") return this.#answerPlain(path, response);
      const signed = this.#verify(`${this.#base}${path}`, JSON.parse(Buffer.concat(chunks).toString("utf8")) as object);
      await this.#dispatch(path, signed, response);
    } catch (error) {
      const { status, type, message } =
        error instanceof Problem ? error : { status: 500, type: "serverInternal", message: String(error) };
      response.writeHead(status, { "content-type": "application/problem+json" });
      response.end(JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail: message, status }));
    }
  }

  #answerPlain(path: string, response: ServerResponse): void {
    if (path === "/nonce") {
      response.writeHead(200).end();
      return;
    }
    if (path !== "/directory") throw new Problem(404, "malformed", "there is no such resource");
    const [newNonce, newAccount, newOrder] = ["nonce", "account", "order"].map((name) => `${this.#base}/${name}`);
    send(response, 200, { newNonce, newAccount, newOrder });
  }

  /** RFC 8555 §6.2 to §6.5. */
  #verify(url: string, body: object): Signed {
    const { protected: head = "", payload = "", signature = "" } = body as Record<string, string>;
    const header = JSON.parse(Buffer.from(head, "base64url").toString("utf8")) as {
      alg: string;
      nonce: string;
      url: string;
      jwk?: JsonWebKey;
      kid?: string;
    };
    if (!this.#nonces.delete(header.nonce)) throw new Problem(400, "badNonce", "the nonce is not ours, or was used");
    if (header.url !== url) throw new Problem(401, "unauthorized", "the URL is another one");
    if ((header.jwk === undefined) === (header.kid === undefined)) throw new Problem(400, "malformed", "jwk or kid");
    const account = header.kid === undefined ? null : (this.accounts.get(header.kid) ?? null);
    if (header.kid !== undefined && account === null) throw new Problem(400, "accountDoesNotExist", "who are you?");
    const key = account?.key ?? createPublicKey({ key: header.jwk as JsonWebKey, format: "jwk" });
    if (header.alg !== "ES256") throw new Problem(400, "badSignatureAlgorithm", header.alg);
    const isGenuine = verify(
      "sha256",
      Buffer.from(`${head}.${payload}`),
      { key, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url"),
    );
    if (!isGenuine) throw new Problem(403, "unauthorized", "the signature is wrong");
    const text = Buffer.from(payload, "base64url").toString("utf8");
    return {
      account,
      jwk: header.jwk ?? null,
      payload: text === "" ? null : (JSON.parse(text) as Record<string, unknown>),
    };
  }

  async #dispatch(path: string, signed: Signed, response: ServerResponse): Promise<void> {
    if (path === "/account") return this.#newAccount(signed, response);
    const account = signed.account;
    if (account === null) throw new Problem(401, "unauthorized", "an account is needed");
    if (path === "/order") return this.#newOrder(account, signed, response);
    // RFC 8555 §7.3.2
    if (`${this.#base}${path}` === account.url) return send(response, 200, { status: "valid" });
    const [, kind, number, inner] = path.split("/");
    const order = this.#orders[Number(number)];
    if (order?.account !== account) throw new Problem(404, "malformed", "there is no such order");
    const authorization = order.authorizations[Number(inner)];
    switch (kind) {
      case "o":
        return send(response, 200, this.#orderObject(order), { location: this.#urlOf(order) });
      case "z":
        if (signed.payload !== null) throw new Problem(400, "malformed", "POST-as-GET has no payload");
        return send(response, 200, this.#authorizationObject(order, authorization as Authorization));
      case "c":
        if (signed.payload !== null) await this.#validate(order, authorization as Authorization);
        return send(response, 200, this.#challengeObject(order, authorization as Authorization));
      case "f":
        return this.#finalize(order, signed, response);
      case "p":
        response.writeHead(200, { "content-type": "application/pem-certificate-chain" }).end(order.certificate);
        return;
      default:
        throw new Problem(404, "malformed", "there is no such resource");
    }
  }

  /** RFC 8555 §7.3. */
  #newAccount({ jwk, payload }: Signed, response: ServerResponse): void {
    if (jwk === null) throw new Problem(400, "malformed", "a new account names its key");
    const thumbprint = thumbprintOf(jwk);
    const url = `${this.#base}/a/${thumbprint}`;
    const isNew = !this.accounts.has(url);
    if (isNew) {
      if (payload?.["termsOfServiceAgreed"] !== true) throw new Problem(403, "userActionRequired", "the terms");
      const key = createPublicKey({ key: jwk, format: "jwk" });
      this.accounts.set(url, { url, key, thumbprint, contact: payload["contact"] });
    }
    send(response, isNew ? 201 : 200, { status: "valid" }, { location: url });
  }

  /** RFC 8555 §7.4. */
  #newOrder(account: Account, { payload }: Signed, response: ServerResponse): void {
    if (this.failure !== null) throw new Problem(this.failure.status, this.failure.type, this.failure.detail);
    const identifiers = (payload?.["identifiers"] ?? []) as { type: string; value: string }[];
    const names = identifiers.map(({ value }) => value);
    const authorizations = names.map((name): Authorization => ({
      name,
      token: randomBytes(24).toString("base64url"),
      status: "pending",
      problem: null,
    }));
    const order: Order = { account, names, authorizations, status: "pending", certificate: "" };
    this.#orders.push(order);
    send(response, 201, this.#orderObject(order), { location: this.#urlOf(order) });
  }

  /** RFC 8555 §8.3: the content is the token, a point and the thumbprint of the account's key. */
  async #validate(order: Order, authorization: Authorization): Promise<void> {
    const path = `/.well-known/acme-challenge/${authorization.token}`;
    this.validations.push(`${authorization.name}${path}`);
    const text = await this.#ask(authorization.name, path);
    if (text.trimEnd() === `${authorization.token}.${order.account.thumbprint}`) {
      authorization.status = "valid";
      if (order.authorizations.every(({ status }) => status === "valid")) order.status = "ready";
      return;
    }
    authorization.status = "invalid";
    order.status = "invalid";
    const type = "urn:ietf:params:acme:error:unauthorized";
    authorization.problem = { type, detail: `the challenge was answered with ${text.slice(0, 20)}`, status: 403 };
  }

  #ask(host: string, path: string): Promise<string> {
    return new Promise((resolve) => {
      const asked = httpRequest({ host: "127.0.0.1", port: this.challengePort, path, headers: { host } }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
        answer.on("end", () => resolve(answer.statusCode === 200 ? text : `${answer.statusCode}`));
      });
      asked.on("error", (error) => resolve(error.message));
      asked.end();
    });
  }

  /** RFC 8555 §7.4: the request must be for the names of the order, and signed by the key in it. */
  async #finalize(order: Order, { payload }: Signed, response: ServerResponse): Promise<void> {
    if (order.status !== "ready") throw new Problem(403, "orderNotReady", order.status);
    const csr = new x509.Pkcs10CertificateRequest(Buffer.from(String(payload?.["csr"]), "base64url"));
    const wanted = csr.extensions.find((one) => one instanceof x509.SubjectAlternativeNameExtension);
    const names = wanted?.names.items.map(({ value }) => value) ?? [];
    if (!(await csr.verify())) throw new Problem(400, "badCSR", "the signature is wrong");
    if (names.toSorted().join() !== [...order.names].toSorted().join()) throw new Problem(400, "badCSR", names.join());
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: randomBytes(8).toString("hex").replace(/^./, "4"),
      subject: `CN=${names[0]}`,
      issuer: this.#root.subject,
      notBefore: new Date(this.nowMs()),
      notAfter: new Date(this.nowMs() + this.lifetimeMs),
      signingAlgorithm: ALGORITHM,
      publicKey: csr.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value })))],
    });
    order.certificate = `${certificate.toString("pem")}\n${this.rootPem}\n`;
    order.status = "valid";
    this.issued.push(order.names.join());
    send(response, 200, this.#orderObject(order), { location: this.#urlOf(order) });
  }

  #urlOf(order: Order): string {
    return `${this.#base}/o/${this.#orders.indexOf(order)}`;
  }

  #orderObject(order: Order): object {
    const number = this.#orders.indexOf(order);
    return {
      status: order.status,
      identifiers: order.names.map((value) => ({ type: "dns", value })),
      authorizations: order.authorizations.map((_, inner) => `${this.#base}/z/${number}/${inner}`),
      finalize: `${this.#base}/f/${number}`,
      ...(order.certificate === "" ? {} : { certificate: `${this.#base}/p/${number}` }),
    };
  }

  #authorizationObject(order: Order, authorization: Authorization): object {
    const { name, status } = authorization;
    const others = { type: "dns-01", url: `${this.#base}/x`, status: "pending", token: "x".repeat(22) };
    const challenges = [others, this.#challengeObject(order, authorization)];
    return { identifier: { type: "dns", value: name }, status, challenges };
  }

  #challengeObject(order: Order, authorization: Authorization): object {
    const { token, status, problem } = authorization;
    const inner = order.authorizations.indexOf(authorization);
    const url = `${this.#base}/c/${this.#orders.indexOf(order)}/${inner}`;
    return { type: "http-01", url, token, status, ...(problem === null ? {} : { error: problem }) };
  }
}

/** RFC 7638. */
function thumbprintOf({ crv, kty, x, y }: JsonWebKey): string {
  return createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
}

function send(response: ServerResponse, status: number, value: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
}
