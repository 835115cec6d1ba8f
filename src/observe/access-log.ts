/**
 * The access log of the library: options checked, form decided, file opened.
 *
 * pino and its destination come in here, so that the command can do without them until there is much to write. Steps: check ->
 * form -> sink -> hooks (access-hooks.ts).
 */

import { isatty } from "node:tty";
import { SYSTEM_TIME } from "../web/clock.ts";
import { AccessLog, type FixedFormat } from "./access-hooks.ts";
import { type AccessLogOptions, checkAccessLogOptions } from "./access-options.ts";
import { LogSink } from "./log-sink.ts";

const STANDARD_OUTPUT = 1;
const DEFAULT_MODE = 0o640;
const DEFAULT_MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
const DEFAULT_FLUSH_MS = 50;

/**
 * Makes an access log: `serve({ hooks: accessLog() })`. With other hooks, {@link joinHooks}.
 *
 * @throws TypeError that names every mistake in the options; the system's error if the file cannot be opened
 */
export function accessLog(options: AccessLogOptions = {}): AccessLog {
  checkAccessLogOptions(options);
  const { destination = STANDARD_OUTPUT, logger } = options;
  const format = formOf(options.format, destination);
  return new AccessLog(options, format, logger === undefined ? openSink(options, destination) : null);
}

function openSink(options: AccessLogOptions, destination: string | number): LogSink {
  return new LogSink({
    destination,
    mode: options.mode ?? DEFAULT_MODE,
    maxBufferedBytes: options.maxBufferedBytes ?? DEFAULT_MAX_BUFFERED_BYTES,
    flushMs: options.flushMs ?? DEFAULT_FLUSH_MS,
    time: options.time ?? SYSTEM_TIME,
    onTrouble: options.onTrouble ?? warn,
  });
}

function formOf(format: AccessLogOptions["format"], destination: string | number): FixedFormat {
  if (format !== undefined && format !== "auto") return format;
  return typeof destination === "number" && isatty(destination) ? "pretty" : "json";
}

function warn(message: string): void {
  process.emitWarning(`access log: ${message}`, { code: "FAIRLEAD_LOG" });
}
