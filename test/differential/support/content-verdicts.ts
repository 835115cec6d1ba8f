/**
 * Who is right about where content ends: framing fields, chunks, trailers.
 *
 * Rows of the table of test/differential/support/verdicts.ts, which says what they mean. The first that fits counts, so what is
 * narrow stands before what is wide.
 */
import type { Verdict } from "./verdict.ts";

const FRAMING = "Framing fields";
const CHUNKS = "Chunks and trailers";

/** The rows. */
export const CONTENT_VERDICTS: readonly Verdict[] = [
  // Framing fields
  {
    group: FRAMING,
    sent: "Content-Length and Transfer-Encoding in one request, in any order and spelling",
    ours: "ERR_LENGTH_AND_CODING",
    theirs: ["closes"],
    right: "both",
    by: "RFC 9112 §6.1: may be refused, or read by the coding alone if the connection is closed behind it. Refusing leaves nothing to be read twice",
  },
  {
    group: FRAMING,
    sent: "the same, and the connection goes on",
    ours: "ERR_LENGTH_AND_CODING",
    right: "Fairlead",
    by: "RFC 9112 §6.1: regardless, the server MUST close the connection; §6.3 rule 3 calls it an error",
  },
  {
    group: FRAMING,
    sent: "Transfer-Encoding that is not exactly one `chunked`: empty members, twice, not last, parameters, no value",
    ours: "ERR_TRANSFER_ENCODING",
    right: "Fairlead",
    by: "RFC 9112 §6.3 rule 4: the length cannot be determined, MUST be 400; §6.1: chunked not more than once",
  },
  {
    group: FRAMING,
    sent: "Transfer-Encoding with a coding that nobody knows, or with `identity`",
    ours: "ERR_TRANSFER_CODING_UNKNOWN",
    right: "Fairlead",
    by: "RFC 9112 §6.1: a coding that is not understood SHOULD be 501; taken, its octets are handed on as content",
  },
  {
    group: FRAMING,
    sent: "Transfer-Encoding in HTTP/1.0",
    ours: "ERR_TRANSFER_ENCODING_IN_HTTP10",
    theirs: ["closes"],
    right: "Fairlead",
    by: "RFC 9112 §6.1: MUST be treated as if the framing were faulty. The others close behind it, which the section asks for too",
  },
  {
    group: FRAMING,
    sent: "the same with keep-alive, and the connection goes on",
    ours: "ERR_TRANSFER_ENCODING_IN_HTTP10",
    right: "Fairlead",
    by: "RFC 9112 §6.1: MUST close the connection after the message",
  },
  {
    group: FRAMING,
    sent: "Content-Length without a value",
    ours: "ERR_CONTENT_LENGTH",
    right: "Fairlead",
    by: "RFC 9112 §6.3 rule 5: an invalid Content-Length MUST be 400",
  },
  {
    group: FRAMING,
    sent: "several Content-Length lines, equal or not",
    ours: "ERR_CONTENT_LENGTH_REPEATED",
    right: "Fairlead",
    by: "RFC 9112 §6.3 rule 5: different values MUST be 400; equal ones may be taken as one (RFC 9110 §8.6), which we do not",
  },
  {
    group: FRAMING,
    sent: "a length with many leading zeros",
    ours: "takes",
    theirs: ["refuses", "closes"],
    when: /content-length: *0{9}|\r\n0{9}/i,
    right: "Fairlead",
    by: "RFC 9110 §8.6, RFC 9112 §7.1: `1*DIGIT` and `1*HEXDIG` have no most digits; the value is what counts",
  },
  {
    group: FRAMING,
    sent: "white space, HTAB too, around the value of a field",
    ours: "takes",
    theirs: ["refuses"],
    when: /(?:content-length|transfer-encoding|host):(?: *\t|[^\r\n]*[ \t]\r)/i,
    right: "Fairlead",
    by: "RFC 9112 §5.1: optional white space, SP or HTAB, is excluded from the value",
  },
  {
    group: FRAMING,
    sent: "HTAB behind the value of Host",
    ours: "takes",
    reading: "host",
    when: /host: a\.example\t/i,
    right: "Fairlead",
    by: "RFC 9112 §5.1: optional white space is no part of the value",
  },
  {
    group: FRAMING,
    sent: "GET or HEAD with content",
    ours: "takes",
    theirs: ["refuses"],
    when: /^(?:GET|HEAD) [^]*(?:content-length: *[1-9]|transfer-encoding)/i,
    right: "Fairlead",
    by: "RFC 9110 §9.3.1: it has no meaning, and is read by its framing all the same (RFC 9112 §6)",
  },
  {
    group: FRAMING,
    sent: "POST or PUT without framing, or framing by a field of another name",
    ours: "takes",
    theirs: ["refuses"],
    when: /^(?:POST|PUT|PATCH|PROPFIND) (?!(?:[^]*\r\n)?(?:content-length|transfer-encoding):)/i,
    right: "both",
    by: "RFC 9112 §6.3 rule 7: its length is zero; and a server may ask for Content-Length by 411",
  },
  {
    group: FRAMING,
    sent: "the same in HTTP/1.0",
    ours: "closes",
    theirs: ["refuses"],
    when: /^POST [^ ]+ HTTP\/1\.0\r\n(?!(?:[^]*\r\n)?(?:content-length|transfer-encoding):)/i,
    right: "both",
    by: "RFC 9112 §6.3 rule 7: its length is zero; nothing behind it is read",
  },

  // Chunks and trailers
  {
    group: CHUNKS,
    sent: "a chunk size with signs, `0x`, white space, other characters, or missing",
    ours: "ERR_CHUNK_SIZE",
    right: "Fairlead",
    by: "RFC 9112 §7.1: `1*HEXDIG` and nothing else; §11.2",
  },
  {
    group: CHUNKS,
    sent: "data that is longer or shorter than its chunk size says",
    ours: "ERR_CHUNK_END",
    right: "Fairlead",
    by: "RFC 9112 §7.1: CRLF stands behind the data",
  },
  {
    group: CHUNKS,
    sent: "chunk extensions without a name or value, unfinished quoted strings, white space and text behind the size",
    ours: "ERR_CHUNK_EXTENSION",
    right: "Fairlead",
    by: "RFC 9112 §7.1.1: `;`, a name, then perhaps `=` and a token or quoted string. Skipping to the end of the line is how line ends get lost",
  },
  {
    group: CHUNKS,
    sent: "chunk extensions with bad white space around `;` and `=`",
    ours: "takes",
    theirs: ["refuses", "silent", "closes"],
    when: /\r\n[0-9A-Fa-f]+(?:[ \t]+;|[ \t]*;[^\r\n]*[ \t])/,
    right: "Fairlead",
    by: "RFC 9112 §7.1.1 with RFC 9110 §5.6.3: a recipient MUST parse bad white space and remove it",
  },
  {
    group: CHUNKS,
    sent: "trailer fields",
    ours: "takes",
    theirs: ["refuses", "silent", "closes"],
    when: /\r\n0+\r\n[^\r\n]+\r\n/,
    right: "Fairlead",
    by: "RFC 9112 §7.1.2: they are part of the message, and may be ignored, not refused",
  },
  {
    group: CHUNKS,
    sent: "framing, routing, authentication and connection fields in the trailer section",
    ours: "ERR_TRAILER_FIELD",
    right: "both",
    by: "RFC 9110 §6.5.1: MUST NOT be merged; they may be dropped. Refusing keeps them from whoever merges after all",
  },
  {
    group: CHUNKS,
    sent: "a chunk-size line or trailer section that never ends",
    ours: "ERR_CHUNK_LINE_TOO_LONG",
    right: "Fairlead",
    by: "RFC 9112 §7.1.1: a server ought to limit the length of extensions; ours is 256 octets",
  },
];
