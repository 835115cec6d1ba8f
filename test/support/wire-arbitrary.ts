/**
 * Octets that look like requests, for properties: well-formed ones from the grammar of RFC 9112, and ones with a few things
 * wrong, drawn from what parsers are known to differ on (line ends, white space, signs, lists, controls).
 */

import fc from "fast-check";

const METHODS = [
  "GET",
  "GET",
  "POST",
  "PUT",
  "HEAD",
  "OPTIONS",
  "DELETE",
  "PATCH",
  "PROPFIND",
  "TRACE",
  "get",
  "BREW",
  "G@T",
  "",
];
const TARGETS = [
  "/",
  "/",
  "/a?b",
  "*",
  "http://a.example/",
  "a.example:80",
  "/a b",
  "/#",
  "/é",
  '/"',
  "/\\",
  "/{|}",
  "x",
  "",
];
const VERSIONS = [
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/1.2",
  "HTTP/2.0",
  "HTTP/0.9",
  "http/1.1",
  "HTTP/1",
  "",
];
const LINE_ENDS = ["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n", "\n\r\n"];
const SPACES = [" ", " ", " ", " ", " ", " ", "  ", "\t", "", "\v"];
const FIELDS = [
  "Host: b.example",
  "Host: a/b",
  "X: y",
  "X:",
  "X: \t y \t",
  "X : y",
  "X\t: y",
  " X: y",
  "X",
  ": y",
  "X(: y",
  "X: a\0b",
  "X: \x01",
  "X: \x7f",
  "X: é",
  "é: x",
  "Content-Length: 5",
  "Content-Length: 0",
  "Content-Length: 5, 5",
  "Content-Length: +5",
  "Content-Length: 05",
  "Content-Length: 5 5",
  "Content-Length: 0x5",
  "Content-Length:",
  "content-length: 3",
  "Transfer-Encoding: chunked",
  "transfer-encoding: CHUNKED",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked, gzip",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding: chunked;a=b",
  "Transfer-Encoding: ,chunked",
  "Transfer-Encoding:\vchunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding:",
  "Connection: close",
  "Connection: keep-alive",
  "Connection: a b",
  "Connection: upgrade",
  "Upgrade: echo",
  "Expect: 100-continue",
  "Expect: tea",
  "TE: trailers",
  "Trailer: X",
];
const CONTENTS = [
  "",
  "",
  "hello",
  "5\r\nhello\r\n0\r\n\r\n",
  "5;a=b\r\nhello\r\n0\r\n\r\n",
  '5;a="b;c"\r\nhello\r\n0\r\n\r\n',
  "5 ; a\r\nhello\r\n0\r\n\r\n",
  "5 \r\nhello\r\n0\r\n\r\n",
  "5;\r\nhello\r\n0\r\n\r\n",
  "5;a=\r\nhello\r\n0\r\n\r\n",
  "5\nhello\n0\n\n",
  "5\r\nhello0\r\n\r\n",
  "0x5\r\nhello\r\n0\r\n\r\n",
  "05\r\nhello\r\n00\r\n\r\n",
  "0\r\nX: y\r\n\r\n",
  "0\r\nHost: c\r\n\r\n",
  "0\r\nContent-Length: 5\r\n\r\n",
  "0\r\n X: y\r\n\r\n",
  "0\r\nX : y\r\n\r\n",
  "0\r\nX\r\n\r\n",
  "0\r\nX: \x01\r\n\r\n",
  "FFFFFFFFFFFFFFFFF\r\n",
  "-1\r\n",
  "\r\n",
  "g\r\n",
  "5;a\rb\r\nhello\r\n0\r\n\r\n",
  "5;a\nb\r\nhello\r\n0\r\n\r\n",
  "5\r\nhello\r\n0\r\n\r\nrest",
];
const NOISE = [
  "\r",
  "\n",
  "\r\n",
  " ",
  "\t",
  "\0",
  ":",
  ",",
  ";",
  '"',
  "=",
  "é",
  "\x7f",
  "\x01",
  "0",
  "a",
  "/",
  "chunked",
];

const anyLineEnd = fc.constantFrom(...LINE_ENDS);
const calmLineEnd = fc.constant("\r\n");

/** One request; `isCalm` ones have no strange line ends and spaces. */
function request(isCalm: boolean): fc.Arbitrary<string> {
  const lineEnd = isCalm ? calmLineEnd : anyLineEnd;
  const space = isCalm ? fc.constant(" ") : fc.constantFrom(...SPACES);
  const requestLine = fc
    .tuple(
      fc.constantFrom(...METHODS),
      space,
      fc.constantFrom(...TARGETS),
      space,
      fc.constantFrom(...VERSIONS),
      lineEnd,
    )
    .map((parts) => parts.join(""));
  const plainLine = fc.constantFrom("GET / HTTP/1.1\r\n", "POST /a?b HTTP/1.1\r\n", "PUT / HTTP/1.0\r\n");
  const host = fc.constantFrom("Host: a.example\r\n", "Host: a.example\r\n", "Host: a.example\r\n", "");
  const fields = fc.array(
    fc.tuple(fc.constantFrom(...FIELDS), lineEnd).map((parts) => parts.join("")),
    { maxLength: 4 },
  );
  return fc
    .tuple(fc.oneof(plainLine, plainLine, requestLine), host, fields, lineEnd, fc.constantFrom(...CONTENTS))
    .map(([line, hostLine, lines, end, content]) => line + hostLine + lines.join("") + end + content);
}

/** Changes one place: puts in, takes out, replaces. */
const mutation: fc.Arbitrary<(text: string) => string> = fc
  .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 3 }), fc.constantFrom(...NOISE))
  .map(([place, length, noise]) => (text: string) => {
    const at = Math.floor(place * text.length);
    return text.slice(0, at) + noise + text.slice(at + length);
  });

const EXTENSIONS = [
  "",
  "",
  "",
  ";a",
  ";a=b",
  ' ; a = "b;c"',
  ";",
  ";=b",
  ";a=",
  '\t;a="\\""',
  ";a b",
  ' "',
  ';a="b',
  ";\xe9",
  ";a=\xe9",
];
const TRAILERS = [
  "",
  "",
  "X: y\r\n",
  "X:\r\n",
  " X: y\r\n",
  "X : y\r\n",
  "X\r\n",
  "X: a\0\r\n",
  "Host: c\r\n",
  "X: y\n",
  "X(: y\r\n",
  "X: y\r\n z\r\n",
];

const chunk: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom("", "", "0", "00"), fc.stringMatching(/^[a-z\r\n]{1,20}$/), fc.constantFrom(...EXTENSIONS))
  .map(([zeros, data, extension]) => `${zeros}${data.length.toString(16)}${extension}\r\n${data}\r\n`);

const applied = (text: string, mutations: ReadonlyArray<(text: string) => string>): string =>
  mutations.reduce((changed, mutate) => mutate(changed), text);

/** A sound head with Transfer-Encoding, and chunks with up to two places changed. */
const chunkedRequest: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(chunk, { maxLength: 3 }),
    fc.constantFrom(...EXTENSIONS),
    fc.constantFrom(...TRAILERS),
    fc.array(mutation, { maxLength: 2 }),
  )
  .map(([chunks, extension, trailer, mutations]) => {
    const content = applied(`${chunks.join("")}0${extension}\r\n${trailer}\r\n`, mutations);
    return `POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n${content}`;
  });

/** A sound head and content, then one place changed in one field line. */
const fieldRequest: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...FIELDS), fc.array(mutation, { maxLength: 1 }), fc.constantFrom(...FIELDS))
  .map(
    ([line, mutations, other]) =>
      `POST / HTTP/1.1\r\nHost: a.example\r\n${applied(line, mutations)}\r\n${other}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  );

/** One to three requests behind each other, with up to two places changed; as octets. */
export const likeRequests: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.array(fc.oneof(request(true), request(true), request(false), chunkedRequest, chunkedRequest, fieldRequest), {
      minLength: 1,
      maxLength: 3,
    }),
    fc.oneof(fc.constant([]), fc.array(mutation, { maxLength: 2 })),
  )
  .map(([requests, mutations]) => Buffer.from(applied(requests.join(""), mutations), "latin1"));
