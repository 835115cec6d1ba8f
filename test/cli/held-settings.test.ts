import { expect, it } from "vitest";
import { heldSettings, waitingSettings, withHeld } from "../../src/cli/held-settings.ts";
import type { HeldSettings } from "../../src/cli/held-settings.ts";
import type { Outlook } from "../../src/cli/config-intent.ts";
import { layer } from "../../src/cli/config-layers.ts";
import { readSettings } from "../../src/cli/settings.ts";
import { readUsage } from "../../src/cli/usage.ts";
import type { ServerConfig } from "../../src/config/config.ts";

function outlookOf(words: string, server: ServerConfig): Outlook {
  const given = layer(readUsage(words.split(" ")).flags, {}, null);
  return { given, settings: { ...readSettings(given, false), server }, subject: null };
}

/** As a worker gets it. */
function heldOf(outlook: Outlook): HeldSettings {
  return JSON.parse(JSON.stringify(heldSettings(outlook))) as HeldSettings;
}

const challenge = (): Response => new Response("token");
const TLS = { certFile: "c.pem", keyFile: "k.pem" };

it.each<[string, string, ServerConfig, ServerConfig, object | undefined, string[]]>([
  [
    "is that of the start, with the new answers to challenges",
    "-p 1",
    { tls: TLS, mode: 0o600, redirectFrom: { port: 80, toPort: 443 } },
    { tls: TLS, mode: 0o666, redirectFrom: { port: 81, challenge } },
    { port: 80, toPort: 443, challenge },
    ["mode", "redirectFrom"],
  ],
  [
    "is none where there was none",
    "-p 1",
    { tls: TLS },
    { tls: TLS, redirectFrom: { port: 81 } },
    undefined,
    ["redirectFrom"],
  ],
  [
    "goes with TLS, without which it leads nowhere",
    "-p 1",
    { tls: TLS, redirectFrom: { port: 80 } },
    {},
    undefined,
    ["redirectFrom"],
  ],
  [
    "stays without TLS where somebody in front has it",
    "-p 1",
    { redirectFrom: { port: 80, toPort: 443 } },
    {},
    { port: 80, toPort: 443 },
    ["redirectFrom"],
  ],
  [
    "is said to wait in no case where it is the same",
    "-p 1",
    { tls: TLS, redirectFrom: { port: 80, challenge } },
    { tls: TLS, redirectFrom: { port: 80, challenge } },
    { port: 80, challenge },
    [],
  ],
])("the redirecting port of a later worker %s", (_what, words, before, after, redirect, waiting) => {
  const held = heldOf(outlookOf(words, before));
  const read = outlookOf(words, after);
  const { server } = withHeld(read, held).settings;
  expect(server.redirectFrom).toEqual(redirect);
  expect(server.mode).toBe(before.mode);
  expect(waitingSettings(held, read)).toEqual(waiting);
});

it("listens where the start did, also where it names its places otherwise", () => {
  const held = heldOf(outlookOf("-p 8081 --admin=9180", {}));
  const read = outlookOf("--listen unix:/run/a --no-admin", {});
  const { targets, isPortFixed, admin } = withHeld(read, held).settings;
  expect(targets).toEqual([{ kind: "tcp", hostname: "127.0.0.1", port: 8081 }]);
  expect([isPortFixed, admin?.port]).toEqual([true, 9180]);
  expect(waitingSettings(held, read)).toEqual(["port", "admin", "listen"]);
});
