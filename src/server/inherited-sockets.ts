/**
 * Sockets that whoever started this process has opened for it: the protocol of systemd's socket activation (sd_listen_fds(3)).
 *
 * `LISTEN_PID` says for which process they are, `LISTEN_FDS` how many, from descriptor 3 on, `LISTEN_FDNAMES` what they are
 * called. Pure: it opens nothing and takes nothing out of the environment.
 */

const FIRST_FD = 3;
const MAX_SOCKETS = 1024;

/** The environment, as far as it matters. */
export interface InheritedEnvironment {
  readonly [name: string]: string | undefined;
}

/**
 * The descriptors of inherited sockets, or why there are none, as a clause.
 *
 * @param self this process; a worker of ours has the sockets of its primary, by whom it was started
 * @param name which of them; null for all
 */
export function inheritedSockets(
  environment: InheritedEnvironment,
  self: { readonly pid: number; readonly ppid: number },
  name: string | null,
): readonly number[] | string {
  const { LISTEN_PID: owner = "", LISTEN_FDS: countText = "", LISTEN_FDNAMES: nameText = "" } = environment;
  if (countText === "") return "systemd has passed no sockets on (LISTEN_FDS is not set): is there a .socket unit?";
  const pid = environment["FAIRLEAD_WORKER"] === undefined ? self.pid : self.ppid;
  if (owner !== String(pid)) {
    return `the sockets are for process ${owner === "" ? "unknown" : owner}, and this is ${pid}: start node itself in ExecStart, without npm or a shell in between`;
  }
  const count = /^\d{1,4}$/.test(countText) ? Number(countText) : 0;
  if (count === 0 || count > MAX_SOCKETS) return "LISTEN_FDS is no number of sockets";
  const fds = Array.from({ length: count }, (_, index) => FIRST_FD + index);
  if (name === null) return fds;
  const names = nameText.split(":");
  const named = fds.filter((_, index) => names[index] === name);
  return named.length > 0 ? named : `no socket is named ${JSON.stringify(name)}; there are ${names.join(", ")}`;
}
