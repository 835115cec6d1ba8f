/**
 * Names that other tools give to flags of ours, where they mean the same thing.
 *
 * One table. Names that mean something else elsewhere are told apart by foreign-flags.ts. It must hold no behaviour.
 */

import type { FlagName } from "./flags.ts";

/** Names that other tools give to the same thing. They work, and are not in the help. */
export const ALIASES: ReadonlyMap<string, FlagName> = new Map([
  ["https", "tls"],
  ["cert", "tls-cert"],
  ["ssl-cert", "tls-cert"],
  ["key", "tls-key"],
  ["ssl-key", "tls-key"],
  ["spa", "single"],
  ["config-file", "config"],
  ["page-fallback", "single"],
  ["silent", "quiet"],
  ["address", "host"],
  ["bind", "host"],
  ["hostname", "host"],
  ["maxage", "cache"],
  ["browse", "list"],
  ["directory-listing", "list"],
  ["hidden", "dotfiles"],
  ["include-hidden", "dotfiles"],
  ["symlinks", "follow"],
  ["follow-symlinks", "follow"],
  ["gzip", "precompressed"],
  ["brotli", "precompressed"],
  ["compression", "compress"],
  ["compression-static", "precompressed"],
  ["cors-allow-origins", "cors"],
  ["directory", "root"],
  ["qrcode", "qr"],
  ["colour", "color"],
]);
