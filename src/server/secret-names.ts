/**
 * Names by which secrets go: members of errors and of records, which are then written without their values (CWE-532).
 *
 * They are named by people, in any style, and `dbPassword` is as much a password as `password`. It must not be asked for fields
 * of HTTP or parameters of queries, whose names are exact.
 */

/** In a name without what separates its words. */
const SECRET_IN_NAME = /apikey|authorization|cookie|credential|passphrase|passw(?:or)?d|privatekey|secret|token/;

/** Whether what is called so is not to be shown. */
export function isSecretName(name: string): boolean {
  return SECRET_IN_NAME.test(name.toLowerCase().replaceAll(/[_-]/g, ""));
}
