/**
 * Where in a head the fields are that decide framing and routing, noted while it is parsed so that nobody searches later.
 *
 * Names are compared by length first: most lines of a head are dismissed by one switch. What the fields mean is for
 * framing.ts and request-head.ts.
 */

/** A field that decides something: its first line and how many there are. */
export class KnownField {
  /** In lower case. */
  readonly name: string;
  /** Of the first line, -1 if there is none. */
  index: number = -1;
  count: number = 0;

  constructor(name: string) {
    this.name = name;
  }

  reset(): void {
    this.index = -1;
    this.count = 0;
  }
}

/** The known fields of one head. */
export class KnownFields {
  readonly host: KnownField = new KnownField("host");
  readonly contentLength: KnownField = new KnownField("content-length");
  readonly transferEncoding: KnownField = new KnownField("transfer-encoding");
  readonly connection: KnownField = new KnownField("connection");
  readonly expect: KnownField = new KnownField("expect");
  readonly upgrade: KnownField = new KnownField("upgrade");

  reset(): void {
    this.host.reset();
    this.contentLength.reset();
    this.transferEncoding.reset();
    this.connection.reset();
    this.expect.reset();
    this.upgrade.reset();
  }

  /** Line `index` has the name at `bytes[start]`, `length` octets long. */
  note(bytes: Uint8Array, start: number, length: number, index: number): void {
    switch (length) {
      case 4:
        return note(this.host, bytes, start, index);
      case 6:
        return note(this.expect, bytes, start, index);
      case 7:
        return note(this.upgrade, bytes, start, index);
      case 10:
        return note(this.connection, bytes, start, index);
      case 14:
        return note(this.contentLength, bytes, start, index);
      case 17:
        return note(this.transferEncoding, bytes, start, index);
      default:
    }
  }
}

function note(known: KnownField, bytes: Uint8Array, start: number, index: number): void {
  const name = known.name;
  for (let i = 0; i < name.length; i++) {
    // Tokens: 0x20 folds letters and leaves "-" alone; what else it folds together is not in these names
    if (((bytes[start + i] as number) | 0x20) !== name.charCodeAt(i)) return;
  }
  if (known.count++ === 0) known.index = index;
}
