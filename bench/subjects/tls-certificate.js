/** The certificate of the TLS profiles: made once a run by openssl, the same for every subject; its files by the environment. */
import { readFileSync } from "node:fs";

export const certFile = process.env.FAIRLEAD_BENCH_CERT;
export const keyFile = process.env.FAIRLEAD_BENCH_KEY;
export const cert = readFileSync(certFile);
export const key = readFileSync(keyFile);
