/**
 * Which export of a module is an app of Express, Koa, Fastify or Connect, or a server of node:http, and what makes a handler of it.
 *
 * Such an app may be a function, which would be called as a handler and fail at each request. It is known by members that
 * together nobody else has, `listen` among them; an app with a `fetch` is none of these. It must never call any of them.
 */

/** An export that is no handler yet. */
export interface ForeignApp {
  /** What it is, e.g. `an app of Express`. */
  readonly what: string;
  /** Whether it is a server, which has its listener from somebody who can give that to us as well. */
  readonly isServer: boolean;
  /** The name it is exported by. */
  readonly name: string;
  /** Whether its listener must be waited for. */
  readonly isMadeReady: boolean;
  /** Its listener for `(req, res)`, behind the variable that holds the app. */
  readonly listener: string;
}

interface Kind {
  readonly framework: string;
  readonly type: "function" | "object";
  /** Functions that it has. */
  readonly members: readonly string[];
  readonly isMadeReady: boolean;
  readonly listener: string;
}

const HTTP = "node:http";

const KINDS: readonly Kind[] = [
  { framework: "Express", type: "function", members: ["handle", "set", "listen"], isMadeReady: false, listener: "" },
  { framework: "Connect", type: "function", members: ["handle", "use", "listen"], isMadeReady: false, listener: "" },
  { framework: "Koa", type: "object", members: ["callback", "listen"], isMadeReady: false, listener: ".callback()" },
  { framework: "Fastify", type: "object", members: ["routing", "listen"], isMadeReady: true, listener: ".routing" },
  // What both kinds of server have since Node 18.2
  { framework: HTTP, type: "object", members: ["closeIdleConnections", "listen"], isMadeReady: false, listener: "" },
];

/** The app that a module exports, by default before by name; null for none. */
export function foreignAppIn(exported: Readonly<Record<string, unknown>>): ForeignApp | null {
  for (const name of ["default", ...Object.keys(exported)]) {
    const kind = kindOf(exported[name]);
    if (kind === undefined) continue;
    const { framework, isMadeReady, listener } = kind;
    const isServer = framework === HTTP;
    return { what: `${isServer ? "a server" : "an app"} of ${framework}`, isServer, name, isMadeReady, listener };
  }
  return null;
}

/** Whether a value is such an app, and no handler whatever its type. */
export function isForeignApp(value: unknown): boolean {
  return kindOf(value) !== undefined;
}

function kindOf(value: unknown): Kind | undefined {
  if (value === null || (typeof value !== "function" && typeof value !== "object")) return undefined;
  const has = (member: string): boolean => typeof Reflect.get(value, member) === "function";
  if (has("fetch")) return undefined;
  return KINDS.find(({ type, members }) => typeof value === type && members.every(has));
}
