/** What a secured socket is made with. What it is to clients is tested in tls.test.ts. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { getDefaultHighWaterMark } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { HIGH_WATER_BYTES } from "../../src/server/listener.ts";
import { TlsEndpoint } from "../../src/server/tls-endpoint.ts";
import { TestAuthority } from "./support/certificates.ts";

describe("a secured socket", () => {
  it("holds as much for its peer as the one beneath, and nobody else's does for that", async () => {
    const { cert, key } = await (await TestAuthority.create()).issue({ names: ["localhost"] });
    const rules = { requestCert: false, rejectUnauthorized: true, clientAuthorities: null };
    const certificate = {
      names: ["localhost"],
      certPem: Buffer.from(cert),
      keyPem: Buffer.from(key),
      passphrase: null,
      ocsp: null,
      leaf: new X509Certificate(cert),
    };
    const endpoint = new TlsEndpoint({ ...rules, minVersion: "TLSv1.2", ticketKeys: null }, [certificate]);
    const before = getDefaultHighWaterMark(false);
    const secured = new Promise<TLSSocket>((resolve, reject) => {
      listener.once("connection", (socket) => {
        endpoint.accept(socket, { onSecure: resolve, onInsecure: (reason) => reject(new Error(reason)) });
        expect(getDefaultHighWaterMark(false)).toBe(before);
      });
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const client = connect({ port: (listener.address() as AddressInfo).port, rejectUnauthorized: false });
    client.on("error", () => {});
    const socket = await secured;
    expect(socket.writableHighWaterMark).toBe(HIGH_WATER_BYTES);
    socket.destroy();
    client.destroy();
    listener.close();
  });
});

const listener = createServer({ highWaterMark: HIGH_WATER_BYTES });
