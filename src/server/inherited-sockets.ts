/**
 * Sockets that whoever started this process has opened for it: the protocol of systemd's socket activation (sd_listen_fds(3)).
 *
 * `LISTEN_PID` says for which process they are, `LISTEN_FDS` how many, from descriptor 3 on, `LISTEN_FDNAMES` what they are
 * called. One of them may lead to systemd itself. Pure: it opens nothing and takes nothing out of the environment.
 */

/** What a descriptor is called that is no socket to listen on: it leads to systemd itself (`OpenFile=` of a unit). */
export const NOTIFY_NAME = "sd_notify";

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
  const { LISTEN_PID: owner = "", LISTEN_FDS: countText = "" } = environment;
  if (countText === "") return "systemd has passed no sockets on (LISTEN_FDS is not set): is there a .socket unit?";
  const pid = environment["FAIRLEAD_WORKER"] === undefined ? self.pid : self.ppid;
  if (owner !== String(pid)) {
    return `the sockets are for process ${owner === "" ? "unknown" : owner}, and this is ${pid}: start node itself in ExecStart, without npm or a shell in between`;
  }
  const passed = passedOn(environment);
  if (passed.length === 0) return "LISTEN_FDS is no number of sockets";
  const sockets = passed.filter((one) => one.name !== NOTIFY_NAME);
  const wanted = name === null ? sockets : sockets.filter((one) => one.name === name);
  if (wanted.length > 0) return wanted.map(({ fd }) => fd);
  if (name === null) return "systemd has passed no sockets on: is there a .socket unit?";
  return `no socket is named ${JSON.stringify(name)}; there are ${sockets.map((one) => one.name).join(", ")}`;
}

/** The descriptor that leads to systemd, -1 if none was passed on to this very process. */
export function notifyDescriptor(environment: InheritedEnvironment, pid: number): number {
  if (environment["LISTEN_PID"] !== String(pid)) return -1;
  return passedOn(environment).find(({ name }) => name === NOTIFY_NAME)?.fd ?? -1;
}

/** What was passed on to whom LISTEN_PID says; nothing where LISTEN_FDS is no number that can be. */
function passedOn(environment: InheritedEnvironment): { readonly fd: number; readonly name: string }[] {
  const { LISTEN_FDS: countText = "", LISTEN_FDNAMES: nameText = "" } = environment;
  const count = /^\d{1,4}$/.test(countText) ? Number(countText) : 0;
  if (count > MAX_SOCKETS) return [];
  const names = nameText.split(":");
  return Array.from({ length: count }, (_, index) => ({ fd: FIRST_FD + index, name: names[index] ?? "" }));
}
