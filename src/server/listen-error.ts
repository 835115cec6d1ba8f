/**
 * What the system says when listening fails, in words: what happened, why, and what to do next.
 *
 * The system's own error stays as the cause.
 */

import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { ServerError, type ServerErrorCode } from "../http/errors.ts";
import type { ListenTarget } from "./life-options.ts";

/** Where, as people write it. */
function describeTarget(target: ListenTarget): string {
  switch (target.kind) {
    case "tcp":
      return `${target.hostname.includes(":") ? `[${target.hostname}]` : target.hostname}:${target.port}`;
    case "unix":
      return `unix:${target.path}`;
    case "fd":
      return `descriptor ${target.fd}`;
  }
}

/** Turns the system's error into ours. */
export function listenError(cause: NodeJS.ErrnoException, target: ListenTarget): ServerError {
  const [code, why] = explain(cause.code ?? "", target);
  const said = cause.code ?? cause.message;
  return new ServerError(code, `cannot listen on ${describeTarget(target)}: ${why} (${said})`, { cause });
}

function explain(code: string, target: ListenTarget): readonly [ServerErrorCode, string] {
  switch (code) {
    case "EADDRINUSE":
      return ["ERR_LISTEN_IN_USE", inUse(target)];
    case "EACCES":
      // libuv says so for a missing folder as well
      if (target.kind === "unix" && !existsSync(dirname(target.path))) return explain("ENOENT", target);
      return ["ERR_LISTEN_PERMISSION", notPermitted(target)];
    case "EPERM":
      return ["ERR_LISTEN_PERMISSION", notPermitted(target)];
    case "EADDRNOTAVAIL":
      return [
        "ERR_LISTEN_ADDRESS",
        "no interface of this machine has this address; choose 127.0.0.1, one of its own addresses, or 0.0.0.0 for all",
      ];
    case "EAFNOSUPPORT":
      return ["ERR_LISTEN_ADDRESS", "this machine does not speak this kind of address; choose an IPv4 address"];
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
    case "EAI_NONAME":
      return [
        "ERR_LISTEN_ADDRESS",
        "the name has no address; choose an address, or enter the name where names are resolved",
      ];
    case "ENOENT":
      return ["ERR_LISTEN_ADDRESS", "the folder of the socket file does not exist; create it or choose another path"];
    case "ENOTDIR":
      return ["ERR_LISTEN_ADDRESS", "a part of the path is no folder; choose another path"];
    case "ENAMETOOLONG":
      return [
        "ERR_LISTEN_ADDRESS",
        "the path is too long for a unix socket (107 octets on Linux, 103 on macOS); choose a shorter one",
      ];
    case "EBADF":
    case "ENOTSOCK":
    case "EINVAL":
      if (target.kind === "fd")
        return ["ERR_LISTEN_ADDRESS", "this is no open listening socket; check that the parent process passes it on"];
      return ["ERR_LISTEN", "the system refuses it; choose another address"];
    case "EMFILE":
    case "ENFILE":
      return ["ERR_LISTEN", "no file descriptors are left; raise the limit (ulimit -n)"];
    default:
      return ["ERR_LISTEN", "the system refuses it"];
  }
}

function inUse(target: ListenTarget): string {
  if (target.kind === "unix")
    return "another program answers on this socket, or the file is no socket; stop it or choose another path";
  return "another program listens there; stop it, choose another port, or port 0 for any free one";
}

function notPermitted(target: ListenTarget): string {
  if (target.kind === "unix") return "this user may not create the socket file; choose a folder that it may write to";
  if (target.kind === "tcp" && target.port < 1024) {
    return "ports below 1024 need a privilege; choose one from 1024, or grant it (CAP_NET_BIND_SERVICE, or a socket passed on by systemd)";
  }
  return "this user may not use it; choose another";
}
