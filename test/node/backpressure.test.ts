import { once } from "node:events";
import net from "node:net";
import { describe, expect, it } from "vitest";
import type { ContentSink, ContentSource, Exchange } from "../../src/http/exchange.ts";
import { Fields } from "../../src/http/fields.ts";
import { socketOf } from "../../src/node/connection-socket.ts";
import { NodeRequest } from "../../src/node/incoming-message.ts";
import { serveNode } from "../../src/node/index.ts";

/** Content that is given by hand. */
class ManualContent implements ContentSource {
  readonly isEmpty = false;
  readonly length = null;
  readonly log: string[] = [];
  isStarted = false;
  maxBytes = Infinity;
  sink: ContentSink | null = null;

  start(sink: ContentSink): void {
    this.isStarted = true;
    this.sink = sink;
    this.log.push("start");
  }

  pause(): void {
    this.log.push("pause");
  }

  resume(): void {
    this.log.push("resume");
  }

  cancel(): void {
    this.log.push("cancel");
  }
}

function requestOver(content: ContentSource): NodeRequest {
  const nowhere = { address: "", port: 0, family: "IPv4" } as const;
  const connection = {
    id: 1,
    remoteAddress: nowhere,
    localAddress: nowhere,
    isEncrypted: false,
    alpnProtocol: "",
    serverName: null,
  };
  const request = { method: "POST", target: "/", version: "1.1", scheme: "http", authority: "a", fields: Fields.EMPTY };
  const exchange = { request, content, connection } as unknown as Exchange;
  return new NodeRequest(exchange, socketOf(connection));
}

describe("a request that is read slowly", () => {
  it("starts content when it is read, pauses it when enough waits, and resumes it when that is taken", () => {
    const content = new ManualContent();
    const request = requestOver(content);
    expect(content.log).toEqual([]);
    request.read(0);
    expect(content.log).toEqual(["start"]);
    content.sink?.chunk(Buffer.alloc(request.readableHighWaterMark));
    expect(content.log).toEqual(["start", "pause"]);
    request.read();
    expect(content.log).toEqual(["start", "pause", "resume"]);
  });
});

describe("a response that is not taken", () => {
  it("fails what waits to be written when the connection goes", async () => {
    const errors: Array<Error | null | undefined> = [];
    let tell: () => void = () => {};
    const told = new Promise<void>((resolve) => (tell = resolve));
    await using server = await serveNode(
      (_request, response) => {
        // More than sockets hold
        for (let i = 0; i < 4; i++) {
          response.write(Buffer.alloc(8_000_000), (error) => {
            errors.push(error);
            if (errors.length === 4) tell();
          });
        }
      },
      { port: 0 },
    );
    const client = net.connect(server.port, "127.0.0.1");
    client.on("error", () => {});
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(client, "readable");
    client.resetAndDestroy();
    await told;
    expect(errors).toHaveLength(4);
    expect(errors.at(-1)).toBeInstanceOf(Error);
  });
});
