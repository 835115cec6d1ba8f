/** Packages of the peers, which are installed in bench/peers and not among those of the project. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const PEERS = new URL("../../peers/", import.meta.url);
const require = createRequire(new URL("package.json", PEERS));

/**
 * What a package exports to CommonJS.
 * @param {string} name
 */
export function peer(name) {
  return require(name);
}

/**
 * Path of a file in a package, whether it exports it or not.
 * @param {string} name
 * @param {string} file
 */
export function peerFile(name, file) {
  return fileURLToPath(new URL(`node_modules/${name}/${file}`, PEERS));
}
