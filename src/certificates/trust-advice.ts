/**
 * How people make this machine trust the local authority: commands to be read and then run by them.
 *
 * Nothing is run here: what a machine trusts is its owner's decision, and most of it needs a password.
 */

/** What the advice depends on. */
export interface TrustSurroundings {
  readonly platform: NodeJS.Platform;
  /** Whether a path exists. */
  readonly exists: (path: string) => boolean;
}

/** Steps for one kind of program. */
export interface TrustStep {
  readonly who: string;
  readonly command: string;
}

/** @param path absolute, of the authority's certificate */
export function trustSteps(path: string, { platform, exists }: TrustSurroundings): readonly TrustStep[] {
  const file = quote(path, platform);
  return [
    ...systemSteps(file, platform, exists),
    { who: "Firefox", command: `Settings, Certificates, View Certificates, Authorities, Import: ${path}` },
    { who: "curl", command: `curl --cacert ${file} https://localhost:8080/` },
    { who: "Node", command: platform === "win32" ? `set NODE_EXTRA_CA_CERTS=${path}` : `NODE_EXTRA_CA_CERTS=${file}` },
  ];
}

function systemSteps(file: string, platform: NodeJS.Platform, exists: (path: string) => boolean): TrustStep[] {
  switch (platform) {
    case "darwin":
      return [
        {
          who: "this Mac",
          command: `security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ${file}`,
        },
      ];
    case "win32":
      return [{ who: "this user", command: `certutil -user -addstore Root ${file}` }];
    default:
      return [
        { who: "this system", command: systemStore(file, exists) },
        {
          who: "Chrome",
          // It has a store of its own, which its users often have not made yet
          command: `mkdir -p ~/.pki/nssdb && certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n fairlead -i ${file}`,
        },
      ];
  }
}

/** By the tool that the distribution has. */
function systemStore(file: string, exists: (path: string) => boolean): string {
  if (exists("/usr/local/share/ca-certificates")) {
    return `sudo cp ${file} /usr/local/share/ca-certificates/fairlead.crt && sudo update-ca-certificates`;
  }
  if (exists("/etc/pki/ca-trust/source/anchors")) {
    return `sudo cp ${file} /etc/pki/ca-trust/source/anchors/fairlead.crt && sudo update-ca-trust`;
  }
  return `sudo trust anchor --store ${file}`;
}

/** For a shell, if it has to be. */
function quote(path: string, platform: NodeJS.Platform): string {
  if (/^[\w/.@:+-]+$/.test(path)) return path;
  return platform === "win32" ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`;
}
