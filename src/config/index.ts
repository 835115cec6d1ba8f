/**
 * `fairlead/config`: what a configuration file of the command is written with.
 *
 * Exports, nothing else. It loads nothing: a file that imports it starts no slower than one that imports only the type.
 */

export { defineConfig } from "./config.ts";
export type { Config, FileConfig, ServerConfig } from "./config.ts";
