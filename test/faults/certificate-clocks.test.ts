/**
 * Clocks that jump while certificates are kept: renewal goes by the wall clock, since that is what clients hold a certificate
 * against; waiting after a failure, and the distance between two orders, go by time that only grows.
 */
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AcmeKeeper } from "../../src/certificates/acme-keeper.ts";
import { type Issued, issueAuthority, issueForServer } from "../../src/certificates/issue.ts";
import { provideLocalCertificate } from "../../src/certificates/local-certificate.ts";
import { LOOK_MS } from "../../src/server/tls-watch.ts";
import type { TimeSource } from "../../src/web/clock.ts";
import { authority, startTls } from "../server/support/tls-server.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
const DOMAINS = ["site.example"];
const issuer = await issueAuthority("Test", Date.UTC(2026, 0, 1));

/** Time whose wall clock somebody sets, and one timer. */
class SetTime implements TimeSource {
  /** What it is in truth: authorities know. */
  trueMs: number = Date.UTC(2026, 10, 21, 8);
  /** How far off the wall clock is. */
  offMs = 0;
  #timer: { readonly dueMs: number; readonly callback: () => void } | null = null;

  nowMs(): number {
    return this.trueMs + this.offMs;
  }

  elapsedMs(): number {
    return this.trueMs - Date.UTC(2026, 10, 21);
  }

  after(delayMs: number, callback: () => void): () => void {
    this.#timer = { dueMs: this.trueMs + delayMs, callback };
    return () => (this.#timer = null);
  }

  /** Lets time pass, and what is due come to its end. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.trueMs + durationMs;
    for (let timer = this.#timer; timer !== null && timer.dueMs <= untilMs; timer = this.#timer) {
      this.#timer = null;
      this.trueMs = Math.max(this.trueMs, timer.dueMs);
      timer.callback();
      // An order writes a file; the next timer is set behind it
      while (this.#timer === null) await new Promise(setImmediate);
    }
    this.trueMs = untilMs;
  }
}

let folder = "";
let time = new SetTime();
let keeper: AcmeKeeper | null = null;
let orders: number[] = [];
let said: string[] = [];
let lifetimeMs = 6 * DAY_MS;
let failure: Error | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-clocks-"));
  time = new SetTime();
  orders = [];
  said = [];
  lifetimeMs = 6 * DAY_MS;
  failure = null;
});

afterEach(() => {
  keeper?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** An authority, which has the true time. */
async function order(): Promise<Issued> {
  orders.push(time.trueMs);
  if (failure !== null) throw failure;
  return issueForServer(issuer, DOMAINS, time.trueMs, lifetimeMs);
}

/** A keeper that has a certificate. */
async function keep(): Promise<AcmeKeeper> {
  keeper = await AcmeKeeper.open({
    mail: "ada@example.com",
    domains: DOMAINS,
    directoryUrl: "https://ca.example/directory",
    folder,
    time,
    random: () => 0,
    order,
    onObtained: () => {},
    say: (line) => said.push(line),
  });
  keeper.start();
  await time.pass(0);
  return keeper;
}

describe("a wall clock that jumps while a certificate is kept from an authority", () => {
  it("ahead, beyond its renewal, has it renewed within the hour", async () => {
    await keep();
    await time.pass(2.5 * DAY_MS);
    expect(orders).toHaveLength(1);
    time.offMs = 2 * DAY_MS;
    await time.pass(HOUR_MS);
    expect(orders).toHaveLength(2);
  });

  it("ahead, so that what is issued seems to be over, does not order again and again", async () => {
    await keep();
    time.offMs = 5 * DAY_MS;
    await time.pass(5 * DAY_MS);
    expect(orders.length).toBeLessThanOrEqual(3);
    expect(said.join("\n")).toMatch(/is the clock right\?/);
    // Put right, it is renewed when a third is left, as ever
    time.offMs = 0;
    const last = orders.at(-1) as number;
    await time.pass(last + 3.9 * DAY_MS - time.trueMs);
    expect(orders.at(-1)).toBe(last);
    await time.pass(0.2 * DAY_MS);
    expect((orders.at(-1) as number) - last).toBeCloseTo(4 * DAY_MS, -8);
  });

  it("ahead while nothing can be obtained, and is put right, costs no more than the wait that was told", async () => {
    time.offMs = 70 * YEAR_MS;
    failure = new Error("the authority's own certificate has expired");
    const kept = await keep();
    expect(said.at(-1)).toMatch(/next try in 2 minutes/);
    time.offMs = 0;
    failure = null;
    await time.pass(2 * MINUTE_MS);
    expect([orders.length, kept.isTrue]).toEqual([2, true]);
  });

  it("back changes nothing, and the certificate is renewed in time when it is put right", async () => {
    await keep();
    time.offMs = -YEAR_MS;
    await time.pass(5 * DAY_MS);
    expect(orders).toHaveLength(1);
    time.offMs = 0;
    await time.pass(HOUR_MS);
    expect(orders).toHaveLength(2);
  });
});

describe.each([
  ["ahead", YEAR_MS],
  ["back", -YEAR_MS],
])("a wall clock that jumps %s", (_, jumpMs) => {
  it("keeps no changed certificate from being taken up within a minute", async () => {
    const [before, after] = await Promise.all(
      ["old", "new"].map((commonName) => authority.issue({ names: ["a.test"], commonName })),
    );
    const file = join(folder, "cert.pem");
    writeFileSync(file, `${before?.cert}\n${before?.key}\n`);
    await using setup = await startTls({ tls: { certFile: file, keyFile: file, watch: true } });
    setup.time.wall += jumpMs;
    writeFileSync(file, `${after?.cert}\n${after?.key}\n`);
    setup.time.advance(LOOK_MS);
    const socket = await setup.secure();
    expect(socket.getPeerCertificate().subject.CN).toBe("new");
    socket.destroy();
  });
});

it("made by a clock that was ahead, a certificate for development is made anew when that is put right", async () => {
  const provide = async (): Promise<X509Certificate> => {
    const { bundlePath } = await provideLocalCertificate({ folder, names: [], owner: "ada@box", time });
    return new X509Certificate(readFileSync(bundlePath));
  };
  await provide();
  rmSync(join(folder, "localhost.pem"));
  time.offMs = 2 * YEAR_MS;
  const early = await provide();
  time.offMs = 0;
  const again = await provide();
  expect(Date.parse(early.validFrom)).toBeGreaterThan(time.nowMs());
  expect(Date.parse(again.validFrom)).toBeLessThanOrEqual(time.nowMs());
});
