/** Range requests by RFC 9110 §13.1.5 and §14; the columns are those of semantics-table.ts. */
import { readTable, type Row } from "./semantics-table.ts";

export const RANGE_ROWS: readonly Row[] = readTable(String.raw`
# int-range: the file has 10,000 octets
14.1.2 | GET | file | Range: bytes=0-499 | 206 0-499 | the first 500
14.1.2 | GET | file | Range: bytes=500-999 | 206 500-999 | the second 500
14.1.2 | GET | file | Range: bytes=0-0 | 206 0-0 | the first
14.1.2 | GET | file | Range: bytes=9999-9999 | 206 9999-9999 | the last
14.1.2 | GET | file | Range: bytes=9999- | 206 9999-9999 | from the last on
14.1.2 | GET | file | Range: bytes=9500- | 206 9500-9999 | the final 500
14.1.2 | GET | file | Range: bytes=0- | 206 0-9999 | all of it, as a part
14.1.2 | GET | file | Range: bytes=0-9999 | 206 0-9999 | all of it, as a part
14.1.2 | GET | file | Range: bytes=0-10000 | 206 0-9999 | last-pos is replaced by that of the file
14.1.2 | GET | file | Range: bytes=9999-20000 | 206 9999-9999 | last-pos is replaced by that of the file
14.1.2 | GET | file | Range: bytes=007-0009 | 206 7-9 | zeros in front change nothing
14.1.2 | GET | one | Range: bytes=0-0 | 206 0-0 | one octet of one
14.1.2 | GET | one | Range: bytes=0- | 206 0-0 | one octet of one
14.1.2 | GET | file | Range: bytes=10000- | 416 | behind the end
14.1.2 | GET | file | Range: bytes=10000-10000 | 416 | behind the end
14.1.2 | GET | file | Range: bytes=10000-20000 | 416 | behind the end
14.1.2 | GET | one | Range: bytes=1- | 416 | behind the end

# suffix-range
14.1.2 | GET | file | Range: bytes=-500 | 206 9500-9999 | the final 500
14.1.2 | GET | file | Range: bytes=-5 | 206 9995-9999 | the last five, not the first six
14.1.2 | GET | file | Range: bytes=-1 | 206 9999-9999 | the last
14.1.2 | GET | file | Range: bytes=-9999 | 206 1-9999 | all but the first
14.1.2 | GET | file | Range: bytes=-10000 | 206 0-9999 | all of it
14.1.2 | GET | file | Range: bytes=-10001 | 206 0-9999 | longer than the file: all of it
14.1.2 | GET | ten | Range: bytes=-1000 | 206 0-9 | longer than the file: all of it
14.1.2 | GET | file | Range: bytes=-0005 | 206 9995-9999 | zeros in front change nothing
14.1.2 | GET | file | Range: bytes=-0 | 416 | a suffix of nothing is not satisfiable
14.1.2 | GET | file | Range: bytes=-000 | 416 | a suffix of nothing is not satisfiable
14.1.2 | GET | coded | Range: bytes=-1 | 206 47021-47021 | counted in the octets of the coding

# Numbers beyond 2^53, 2^64 and any other
14.1.2 | GET | file | Range: bytes=0-9007199254740991 | 206 0-9999 | the largest exact number
14.1.2 | GET | file | Range: bytes=0-9007199254740993 | 206 0-9999 | beyond 2^53
14.1.2 | GET | file | Range: bytes=0-18446744073709551615 | 206 0-9999 | beyond 2^63
14.1.2 | GET | file | Range: bytes=0-18446744073709551616 | 206 0-9999 | 2^64 does not wrap round to 0
14.1.2 | GET | file | Range: bytes=18446744073709551616- | 416 | 2^64 does not wrap round to 0
14.1.2 | GET | file | Range: bytes=18446744073709551616-18446744073709551617 | 416 | both beyond
14.1.2 | GET | file | Range: bytes=4294967296-4294967297 | 416 | 2^32 does not wrap round to 0
14.1.2 | GET | file | Range: bytes=-18446744073709551617 | 206 0-9999 | a suffix beyond 2^64 is not one octet
14.1.2 | GET | file | Range: bytes=-99999999999999999999999999999999999999 | 206 0-9999 | a suffix beyond all
14.1.2 | GET | file | Range: bytes=99999999999999999999999999999999999999- | 416 | a position beyond all
14.1.2 | GET | file | Range: bytes=00000000000000000000000000000000000001-2 | 206 1-2 | long but small
14.1.1 | GET | file | Range: bytes=18446744073709551617-18446744073709551616 | 200 | last before first, both beyond exact numbers: invalid
14.1.1 | GET | file | Range: bytes=100000000000000000000-99999999999999999999 | 200 | also with another count of digits
14.1.1 | GET | file | Range: bytes=18446744073709551617-00018446744073709551616 | 200 | zeros in front change nothing
14.1.1 | GET | file | Range: bytes=18446744073709551616-00000000000000000000018446744073709551617 | 416 | nor here
14.1.1 | GET | file | Range: bytes=99999999999999999999-5 | 200 | last before first
14.1.2 | GET | largest | Range: bytes=9007199254740990- | 206 9007199254740990-9007199254740990 | the last octet of the largest file
14.1.2 | GET | largest | Range: bytes=9007199254740991- | 416 | behind the end of the largest file
14.1.2 | GET | largest | Range: bytes=9007199254740992- | 416 | behind the end of the largest file
14.1.2 | GET | largest | Range: bytes=-1 | 206 9007199254740990-9007199254740990 | the last octet of the largest file
14.1.2 | GET | largest | Range: bytes=0-18446744073709551615 | 206 0-9007199254740990 | all of the largest file

# Empty file
14.2 | GET | empty | Range: bytes=0- | 200 | MAY ignore Range without content: nothing fails
14.2 | GET | empty | Range: bytes=0-0 | 200 | MAY ignore Range without content
14.2 | GET | empty | Range: bytes=-1 | 200 | satisfiable, yet no Content-Range could say it
14.2 | GET | empty | Range: bytes=1-2,5-6 | 200 | MAY ignore Range without content
14.2 | GET | empty | Range: x | 200 | MAY ignore Range without content

# Units
14.1 | GET | file | Range: BYTES=0-9 | 206 0-9 | names of units are case-insensitive
14.1 | GET | file | Range: Bytes=0-9 | 206 0-9 | names of units are case-insensitive
14.2 | GET | file | Range: items=0-9 | 200 | MUST ignore a unit that we do not understand
14.2 | GET | file | Range: none=0-9 | 200 | MUST ignore a unit that we do not understand
14.2 | GET | file | Range: exampleunit=1.2-4.3 | 200 | MUST ignore a unit that we do not understand
14.2 | GET | file | Range: byte=0-9 | 200 | that is another unit
14.2 | GET | file | Range: bytesx=0-9 | 200 | that is another unit
14.2 | GET | file | Range: xbytes=0-9 | 200 | that is another unit
14.2 | GET | file | Range: items=20000- | 200 | so it is not unsatisfiable either

# Invalid: MAY be ignored, and is
14.1.1 | GET | file | Range: bytes=500-499 | 200 | last-pos less than first-pos
14.1.1 | GET | file | Range: bytes=20000-10000 | 200 | invalid also where it would be unsatisfiable
14.1.1 | GET | file | Range: bytes=0-9,500-499 | 200 | one invalid range-spec makes all invalid
14.1.1 | GET | file | Range: bytes=500-499,0-9 | 200 | one invalid range-spec makes all invalid
14.1.1 | GET | file | Range: bytes=0-9,x | 200 | one invalid range-spec makes all invalid
14.1.1 | GET | file | Range: bytes=20000-,x | 200 | also beside an unsatisfiable one
14.1.1 | GET | file | Range: bytes= | 200 | at least one range-spec
14.1.1 | GET | file | Range: bytes=, | 200 | at least one range-spec
14.1.1 | GET | file | Range: bytes | 200 | no range-set
14.1.1 | GET | file | Range: bytes 0-9 | 200 | the form of Content-Range is not that of Range
14.1.1 | GET | file | Range: bytes:0-9 | 200 | "=" it is
14.1.1 | GET | file | Range: bytes =0-9 | 200 | no white space before "="
14.1.1 | GET | file | Range: =0-9 | 200 | no unit
14.1.1 | GET | file | Range: 0-9 | 200 | no unit
14.1.1 | GET | file | Range: bytes=- | 200 | neither position nor length
14.1.1 | GET | file | Range: bytes=5 | 200 | no "-"
14.1.1 | GET | file | Range: bytes=--5 | 200 | two of them
14.1.1 | GET | file | Range: bytes=5-- | 200 | two of them
14.1.1 | GET | file | Range: bytes=0-5-9 | 200 | two of them
14.1.1 | GET | file | Range: bytes=-5-9 | 200 | positions are not negative
14.1.1 | GET | file | Range: bytes=+1-5 | 200 | a sign is no DIGIT
14.1.1 | GET | file | Range: bytes=0x1-0x5 | 200 | decimal it is
14.1.1 | GET | file | Range: bytes=1e1-1e2 | 200 | digits alone
14.1.1 | GET | file | Range: bytes=0.0-9.0 | 200 | digits alone
14.1.1 | GET | file | Range: bytes=0 - 9 | 200 | no white space inside a range-spec
14.1.1 | GET | file | Range: bytes=0- 9 | 200 | no white space inside a range-spec
14.1.1 | GET | file | Range: bytes=- 5 | 200 | no white space inside a range-spec
14.1.1 | GET | file | Range: bytes=1 2-3 | 200 | no white space inside a number
14.1.1 | GET | file | Range: bytes=0-9;5-6 | 200 | commas it is
14.1.1 | GET | file | Range: bytes=0-9/10000 | 200 | the form of Content-Range is not that of Range
14.1.1 | GET | file | Range: bytes=*/10000 | 200 | the form of Content-Range is not that of Range
14.1.1 | GET | file | Range: bytes="0-9" | 200 | no quotation marks
14.1.1 | GET | file | Range: bytes=²-9 | 200 | only ASCII has digits
14.1.1 | GET | file | Range: bytes=0-9 && Range: bytes=20-29 | 200 | Range is no list of ranges-specifiers
14.1.1 | GET | file | Range: bytes=0-9 && Range: 20-29 | 206 0-9, 20-29 | two lines that make one valid set when combined
14.1.1 | GET | file | Range: bytes=0-9,bytes=20-29 | 200 | the unit comes once

# Several ranges
14.1.2 | GET | file | Range: bytes=0-0,-1 | 206 0-0, 9999-9999 | the first and the last octet only
14.1.2 | GET | file | Range: bytes= 0-999, 4500-5499, -1000 | 206 0-999, 4500-5499, 9000-9999 | the first, middle and last 1000
14.1.2 | GET | file | Range: bytes=500-600,601-999 | 206 500-999 | another way to say the second 500
14.1.2 | GET | file | Range: bytes=500-700,601-999 | 206 500-999 | yet another
14.1.2 | GET | ten | Range: bytes=0-0,5-6 | 206 0-0, 5-6 | both, not the first only and not the whole
5.6.1.2 | GET | file | Range: bytes=,0-9 | 206 0-9 | empty members count as nothing
5.6.1.2 | GET | file | Range: bytes=0-9, ,, 20-29 , | 206 0-9, 20-29 | empty members count as nothing
5.6.3 | GET | file | Range: bytes=0-9	,	20-29 | 206 0-9, 20-29 | white space is HTAB too
14.1.1 | GET | file | Range: bytes=0-9,20000- | 206 0-9 | one satisfiable is enough
14.1.1 | GET | file | Range: bytes=20000-,0-9 | 206 0-9 | one satisfiable is enough
14.1.1 | GET | file | Range: bytes=-0,0-9 | 206 0-9 | one satisfiable is enough
14.1.1 | GET | file | Range: bytes=10000-,-0,20000-30000 | 416 | none satisfiable
15.3.7.2 | GET | file | Range: bytes=20-29,0-9 | 206 20-29, 0-9 | SHOULD send in the order asked for
15.3.7.2 | GET | file | Range: bytes=-10,0-9,500-509 | 206 9990-9999, 0-9, 500-509 | SHOULD send in the order asked for
15.3.7.2 | GET | file | Range: bytes=0-9,5-14 | 206 0-14 | overlapping ones are joined
15.3.7.2 | GET | file | Range: bytes=5-14,0-9 | 206 0-14 | overlapping ones are joined
15.3.7.2 | GET | file | Range: bytes=0-9,10-19 | 206 0-19 | touching ones are joined
15.3.7.2 | GET | file | Range: bytes=10-19,0-9 | 206 0-19 | touching ones are joined
15.3.7.2 | GET | file | Range: bytes=0-9,11-19 | 206 0-9, 11-19 | a gap of one keeps them apart
15.3.7.2 | GET | file | Range: bytes=0-99,10-19 | 206 0-99 | one inside another
15.3.7.2 | GET | file | Range: bytes=10-19,0-99 | 206 0-99 | one inside another
15.3.7.2 | GET | file | Range: bytes=0-9,0-9 | 206 0-9 | the same twice
15.3.7.2 | GET | file | Range: bytes=0-,0- | 206 0-9999 | the whole twice
15.3.7.2 | GET | file | Range: bytes=9000-,-500 | 206 9000-9999 | an int-range and a suffix-range
15.3.7.2 | GET | file | Range: bytes=50-59,0-9,5-14,20-29 | 206 50-59, 0-14, 20-29 | joined ones stand where the first of them stood
15.3.7.2 | GET | file | Range: bytes=20-29,100-109,0-19 | 206 0-29, 100-109 | joined ones stand where the first of them stood
15.3.7.2 | GET | file | Range: bytes=0-1,4-5,2-3 | 206 0-5 | the third joins the first two
15.3.7.2 | GET | ten | Range: bytes=0-4,5-9 | 206 0-9 | all of it in two

# Methods
14.2 | HEAD | file | Range: bytes=0-9 | 200 | MUST ignore it with other methods than GET
14.2 | HEAD | file | Range: bytes=20000- | 200 | MUST ignore it with other methods than GET
14.2 | HEAD | file | Range: bytes=0-9 && If-Range: "v1" | 200 | MUST ignore it with other methods than GET
14.2 | POST | file | Range: bytes=0-9 | 200 | MUST ignore it with other methods than GET
14.2 | PUT | file | Range: bytes=0-9 | 200 | MUST ignore it with other methods than GET
14.2 | DELETE | file | Range: bytes=20000- | 200 | MUST ignore it with other methods than GET
14.2 | OPTIONS | file | Range: bytes=0-9 | 200 | MUST ignore it with other methods than GET
14.2 | BREW | file | Range: bytes=0-9 | 200 | MUST ignore it with methods not recognized
14.2 | get | file | Range: bytes=0-9 | 200 | methods are case-sensitive
14.2 | GET | file | X-Range: bytes=0-9 && Request-Range: bytes=0-9 | 200 | other fields are not it
14.4 | GET | file | Content-Range: bytes 0-9/10000 | 200 | MUST ignore Content-Range in such a request

# If-Range with an entity tag
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: "v2" | 206 0-9 | unchanged: the part
13.1.5 | GET | file | If-Range: "v2" && Range: bytes=0-9 | 206 0-9 | the order of the lines does not matter
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: "v1" | 200 | changed: the whole
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: "nope" | 200 | changed: the whole
13.1.5 | GET | file | Range: bytes=20000- && If-Range: "v1" | 200 | changed: no 416 for what the client cannot know
13.1.5 | GET | file | Range: bytes=20000- && If-Range: "v2" | 416 | unchanged: it could know
13.1.5 | GET | file | If-Range: "v1" | 200 | MUST ignore it without Range
13.1.5 | GET | file | If-Range: "v2" | 200 | MUST ignore it without Range
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: W/"v2" | 200 | a weak tag is strongly equal to nothing
13.1.5 | GET | weak | Range: bytes=0-9 && If-Range: W/"v2" | 200 | a weak tag is strongly equal to nothing
13.1.5 | GET | weak | Range: bytes=0-9 && If-Range: "v2" | 200 | a weak tag is strongly equal to nothing
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: "v1", "v2" | 200 | one tag, no list
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: "v2" && If-Range: "v2" | 200 | one tag, no list
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: * | 200 | "*" is neither tag nor date
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: v2 | 200 | a tag has quotation marks
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: "V2" | 200 | character by character
13.1.5 | GET | untagged | Range: bytes=0-9 && If-Range: "v2" | 200 | no tag matches no tag
13.1.5 | GET | untagged | Range: bytes=0-9 && If-Range: "" | 200 | no tag is not the empty one
13.1.5 | GET | blank | Range: bytes=0-9 && If-Range: "" | 206 0-9 | the empty one is a tag
13.1.5 | GET | comma | Range: bytes=0-9 && If-Range: "a,b" | 206 0-9 | a comma is an etagc
13.1.5 | GET | coded | Range: bytes=0-9 && If-Range: "v2" | 200 | another coding: its octets must not be mixed with these
13.1.5 | GET | coded | Range: bytes=0-9 && If-Range: "v2-gzip" | 206 0-9 | the tag of this coding

# If-Range with a date
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: Mon, 15 Jan 2024 10:00:00 GMT | 206 0-9 | exactly Last-Modified
13.1.5 | GET | untagged | Range: bytes=0-9 && If-Range: Mon, 15 Jan 2024 10:00:00 GMT | 206 0-9 | exactly Last-Modified
13.1.5 | GET | precise | Range: bytes=0-9 && If-Range: Mon, 15 Jan 2024 10:00:00 GMT | 206 0-9 | exactly Last-Modified, which has no parts of a second
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: Monday, 15-Jan-24 10:00:00 GMT | 206 0-9 | the same in another form
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: Mon Jan 15 10:00:00 2024 | 206 0-9 | the same in another form
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: Mon, 15 Jan 2024 10:00:01 GMT | 200 | not "earlier or equal": exact match
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: Mon, 15 Jan 2024 09:59:59 GMT | 200 | changed: the whole
13.1.5 | GET | settled | Range: bytes=0-9 && If-Range: Sat, 15 Jun 2024 11:59:60 GMT | 200 | a leap second is not the second beside it
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: yesterday | 200 | neither tag nor date
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: Mon, 15 Jan 2024 10:00:00 | 200 | neither tag nor date
13.1.5 | GET | file | Range: bytes=0-9 && If-Range: Mon, 15 Jan 2024 10:00:00 GMT && If-Range: Mon, 15 Jan 2024 10:00:00 GMT | 200 | one date, no list
13.1.5 | GET | bare | Range: bytes=0-9 && If-Range: Mon, 15 Jan 2024 10:00:00 GMT | 200 | no Last-Modified to match
13.1.5 | GET | epoch | Range: bytes=0-9 && If-Range: Thu, 01 Jan 1970 00:00:00 GMT | 206 0-9 | time 0 is a time
8.8.2.2 | GET | fresh | Range: bytes=0-9 && If-Range: Sat, 15 Jun 2024 12:00:00 GMT | 200 | within the second it changed in a date is weak
8.8.2.2 | GET | settled | Range: bytes=0-9 && If-Range: Sat, 15 Jun 2024 11:59:59 GMT | 206 0-9 | when that second is over it is strong
8.8.2.2 | GET | future | Range: bytes=0-9 && If-Range: Sat, 15 Jun 2024 12:00:00 GMT | 200 | a time in the future is none yet
8.8.2.2 | GET | future | Range: bytes=0-9 && If-Range: Sat, 15 Jun 2024 13:00:00 GMT | 200 | even if a client guesses it
`);
