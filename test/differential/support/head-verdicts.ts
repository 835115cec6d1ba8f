/**
 * Who is right about lines: line ends, field lines, request lines.
 *
 * Rows of the table of test/differential/support/verdicts.ts, which says what they mean. The first that fits counts, so what is
 * narrow stands before what is wide.
 */
import type { Verdict } from "./verdict.ts";

const LINES = "Field lines";
const REQUEST_LINE = "Request line";

/** Line ends of the head are all CRLF: what is strange is behind it. */
const IN_CONTENT = /^(?:[^\r\n]+\r\n)+\r\n/;
const EMPTY_LINE_FIRST = /^\r\n|\r\n\r\n\r\nGET|hello\r\n(?:GET|$)/;

/** The rows. */
export const HEAD_VERDICTS: readonly Verdict[] = [
  // Field lines
  {
    group: LINES,
    sent: "bare CR in chunk lines and trailers",
    ours: "ERR_BARE_CR",
    when: IN_CONTENT,
    right: "Fairlead",
    by: "RFC 9112 §2.2: MUST be invalid, or replaced by SP",
  },
  {
    group: LINES,
    sent: "bare CR in a head, `CR CR LF`, CR before the request line",
    ours: "ERR_BARE_CR",
    right: "Fairlead",
    by: "RFC 9112 §2.2: MUST be invalid, or replaced by SP",
  },
  {
    group: LINES,
    sent: "bare LF that ends a chunk line, data or a trailer line",
    ours: "ERR_BARE_LF",
    when: IN_CONTENT,
    right: "Fairlead",
    by: "RFC 9112 §2.2, §7.1: the leave to take a bare LF is for the head alone",
  },
  {
    group: LINES,
    sent: "bare LF that ends the request line, a field line or an empty line",
    ours: "ERR_BARE_LF",
    right: "both",
    by: "RFC 9112 §2.2: MAY be taken for a line end. Not by us, unless `leniencies.allowBareLf` says so: a neighbour who does not take it sees other fields",
  },
  {
    group: LINES,
    sent: "folded lines",
    ours: "ERR_FIELD_FOLDED",
    right: "both",
    by: "RFC 9112 §5.2: MUST be 400 or replaced by SP; white space before the first field line MUST be 400 or ignored with its line (§2.2)",
  },
  {
    group: LINES,
    sent: "a field name with characters that are not of tokens, or without characters",
    ours: "ERR_FIELD_NAME",
    right: "Fairlead",
    by: "RFC 9110 §5.1, §5.6.2: a name is a token; what is dropped as invalid by one is a field to another",
  },
  {
    group: LINES,
    sent: "white space between field name and colon",
    ours: "ERR_FIELD_SPACE_BEFORE_COLON",
    right: "Fairlead",
    by: "RFC 9112 §5.1: MUST be 400",
  },
  {
    group: LINES,
    sent: "a line without colon",
    ours: "ERR_FIELD_COLON_MISSING",
    right: "Fairlead",
    by: "RFC 9112 §5: a field line has one; §2.2: what does not match the grammar SHOULD be 400",
  },
  {
    group: LINES,
    sent: "NUL and controls in a field value",
    ours: "ERR_FIELD_VALUE",
    right: "Fairlead",
    by: "RFC 9110 §5.5: CR, LF and NUL MUST be invalid or replaced; other controls are invalid",
  },
  {
    group: LINES,
    sent: "Connection with something that is no option",
    ours: "ERR_CONNECTION",
    right: "Fairlead",
    by: 'RFC 9110 §7.6.1: options are tokens; `"close"` is close to some',
  },

  // Request line
  {
    group: REQUEST_LINE,
    sent: "other white space than one SP between the parts, or none",
    ours: "ERR_REQUEST_LINE",
    right: "Fairlead",
    by: "RFC 9112 §3: a single SP; splitting on more is a MAY that §3 warns of",
  },
  {
    group: REQUEST_LINE,
    sent: "methods that are no tokens",
    ours: "ERR_METHOD",
    right: "Fairlead",
    by: "RFC 9110 §9.1: a method is a token",
  },
  {
    group: REQUEST_LINE,
    sent: "methods in lower case",
    ours: "ERR_METHOD_LOWERCASE",
    right: "both",
    by: "RFC 9110 §9.1: they are other methods, and 501 is for those that a server does not know",
  },
  {
    group: REQUEST_LINE,
    sent: "methods that nobody has registered",
    ours: "ERR_METHOD_UNKNOWN",
    right: "both",
    by: "RFC 9110 §9.1: SHOULD be 501 where a server does not know them; the others leave it to the handler",
  },
  {
    group: REQUEST_LINE,
    sent: "TRACE and CONNECT",
    ours: "ERR_METHOD_REFUSED",
    right: "both",
    by: "RFC 9110 §9.3.6, §9.3.8: an origin server need have neither; handed to a handler, CONNECT has lost its meaning",
  },
  {
    group: REQUEST_LINE,
    sent: "a version that is no version: `HTTP/1.10`, more words behind it",
    ours: "ERR_HTTP_VERSION",
    right: "Fairlead",
    by: "RFC 9112 §2.3: `HTTP/` DIGIT `.` DIGIT",
  },
  {
    group: REQUEST_LINE,
    sent: "another major version, the preface of HTTP/2 among them",
    ours: "ERR_HTTP_VERSION_UNSUPPORTED",
    right: "Fairlead",
    by: "RFC 9110 §2.5, §15.6.6: 505",
  },
  {
    group: REQUEST_LINE,
    sent: "a higher minor version",
    ours: "takes",
    theirs: ["refuses"],
    when: /^\S+ \S+ HTTP\/1\.[2-9]\r/,
    right: "Fairlead",
    by: "RFC 9110 §2.5: SHOULD be processed as the highest minor version that is known",
  },
  {
    group: REQUEST_LINE,
    sent: "empty lines before the request line",
    ours: "takes",
    theirs: ["refuses", "silent", "closes"],
    when: EMPTY_LINE_FIRST,
    right: "Fairlead",
    by: "RFC 9112 §2.2: SHOULD ignore at least one empty line; how many is limited by the size of a head",
  },
];
