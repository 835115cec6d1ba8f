/**
 * Reads field values by the pieces that many fields are made of: tokens, quoted strings, white space, parameters and list
 * delimiters (RFC 9110 §5.6.1 to §5.6.6), from left to right in linear time.
 *
 * It must never know what field it reads; the fields' own files do.
 */

/** A parameter: name in lower case, value without quotes. */
export type Parameter = readonly [name: string, value: string];

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const HTAB = 0x09;
const SP = 0x20;
const DQUOTE = 0x22;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** A position in a field value that only moves forward. */
export class ValueReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Passes over OWS (RFC 9110 §5.6.3). */
  skipWhiteSpace(): void {
    while (this.#isAt(SP) || this.#isAt(HTAB)) this.#at++;
  }

  /** Passes over the character `code` if it stands here. */
  skip(code: number): boolean {
    if (!this.#isAt(code)) return false;
    this.#at++;
    return true;
  }

  /** Reads a token (RFC 9110 §5.6.2); `""` if none stands here. */
  token(): string {
    TOKEN.lastIndex = this.#at;
    const token = TOKEN.exec(this.#text)?.[0] ?? "";
    this.#at += token.length;
    return token;
  }

  /** Reads a quoted-string (RFC 9110 §5.6.4) and undoes its quoted pairs; null if none stands here whole. */
  quotedString(): string | null {
    const text = this.#text;
    if (!this.#isAt(DQUOTE)) return null;
    let value = "";
    let from = this.#at + 1;
    for (let at = from; at < text.length; at++) {
      let code = text.charCodeAt(at);
      if (code === DQUOTE) {
        this.#at = at + 1;
        return value + text.slice(from, at);
      }
      if (code === BACKSLASH) {
        value += text.slice(from, at);
        from = ++at;
        code = text.charCodeAt(at);
      }
      // NaN, behind the end, is no text either
      if (!isQuotable(code)) return null;
    }
    return null;
  }

  /**
   * Reads `*( OWS ";" OWS [ parameter ] )` (RFC 9110 §5.6.6), with white space behind it.
   *
   * @returns null if a parameter is malformed
   */
  parameters(): Parameter[] | null {
    const parameters: Parameter[] = [];
    this.skipWhiteSpace();
    while (this.skip(SEMICOLON)) {
      this.skipWhiteSpace();
      const name = this.token();
      // An empty parameter is allowed, for the sake of a trailing semicolon
      if (name !== "") {
        if (!this.skip(EQUALS)) return null;
        const value = this.#isAt(DQUOTE) ? this.quotedString() : this.token() || null;
        if (value === null) return null;
        parameters.push([name.toLowerCase(), value]);
      }
      this.skipWhiteSpace();
    }
    return parameters;
  }

  /** Passes over everything up to and including the next comma; false if there was none and this is the end. */
  skipPastComma(): boolean {
    const comma = this.#text.indexOf(",", this.#at);
    this.#at = comma === -1 ? this.#text.length : comma + 1;
    return comma !== -1;
  }

  /** Whether a member of a list ends here: at a comma or at the end. */
  get isAtMemberEnd(): boolean {
    return this.isAtEnd || this.#isAt(COMMA);
  }

  #isAt(code: number): boolean {
    return this.#text.charCodeAt(this.#at) === code;
  }
}

/** What may stand in a quoted-string, quoted pairs included: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.6.4). */
function isQuotable(code: number): boolean {
  return code === HTAB || (code >= SP && code !== 0x7f && code <= 0xff);
}
