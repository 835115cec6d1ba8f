/** Conditional requests by RFC 9110 §8.8 and §13; the columns are those of semantics-table.ts. */
import { readTable, type Row } from "./semantics-table.ts";

export const CONDITIONAL_ROWS: readonly Row[] = readTable(String.raw`
# Table 3 of §8.8.3.2, weak comparison by If-None-Match and strong comparison by If-Match
8.8.3.2 | GET | weak1 | If-None-Match: W/"1" | 304 | both weak: weakly equal
8.8.3.2 | GET | weak1 | If-None-Match: W/"2" | 200 | opaque-tags differ
8.8.3.2 | GET | weak1 | If-None-Match: "1" | 304 | one weak: weakly equal
8.8.3.2 | GET | tag1 | If-None-Match: W/"1" | 304 | the other weak: weakly equal
8.8.3.2 | GET | tag1 | If-None-Match: "1" | 304 | neither weak: weakly equal
8.8.3.2 | GET | weak1 | If-Match: W/"1" | 412 | both weak: not strongly equal
8.8.3.2 | GET | weak1 | If-Match: W/"2" | 412 | opaque-tags differ
8.8.3.2 | GET | weak1 | If-Match: "1" | 412 | one weak: not strongly equal
8.8.3.2 | GET | tag1 | If-Match: W/"1" | 412 | the other weak: not strongly equal
8.8.3.2 | GET | tag1 | If-Match: "1" | 200 | neither weak: strongly equal

# What a tag is
8.8.3 | GET | file | If-None-Match: w/"v2" | 200 | the weakness indicator is case-sensitive
8.8.3 | GET | file | If-None-Match: W / "v2" | 200 | no white space inside
8.8.3 | GET | file | If-None-Match: W/ "v2" | 200 | no white space behind the slash
8.8.3 | GET | file | If-None-Match: v2 | 200 | a tag has quotation marks
8.8.3 | GET | file | If-None-Match: 'v2' | 200 | and these are not they
8.8.3 | GET | file | If-None-Match: "v2 | 200 | both of them
8.8.3 | GET | file | If-None-Match: v2" | 200 | both of them
8.8.3 | GET | file | If-None-Match: "V2" | 200 | opaque-tags match character by character
8.8.3 | GET | file | If-None-Match: "v2 " | 200 | a blank is no etagc
8.8.3 | GET | file | If-None-Match: "v" | 200 | a shorter one is another
8.8.3 | GET | file | If-None-Match: "v22" | 200 | a longer one is another
8.8.3 | GET | file | If-None-Match: ""v2"" | 200 | a DQUOTE is no etagc
8.8.3 | GET | file | If-None-Match: "\v2" | 200 | nothing is unescaped
5.6.1 | GET | file | If-None-Match: "x""v2" | 200 | members are separated by commas
5.6.1 | GET | file | If-None-Match: "x" "v2" | 200 | blanks alone do not separate
5.6.1 | GET | file | If-Match: "x"W/"y","v2" | 412 | nor does a weakness indicator
8.8.3 | GET | blank | If-None-Match: "" | 304 | an empty opaque-tag is one
8.8.3 | GET | blank | If-Match: "" | 200 | an empty opaque-tag is one
8.8.3 | GET | octets | If-None-Match: "é\" | 304 | obs-text and a backslash are etagc
8.8.3 | GET | octets | If-Match: "é\" | 200 | obs-text and a backslash are etagc
8.8.3 | GET | octets | If-Match: "x\", "é\" | 200 | a backslash does not hide the quotation mark behind it
8.8.3 | GET | comma | If-None-Match: "a,b" | 304 | a comma is an etagc
8.8.3 | GET | comma | If-None-Match: "a", "b" | 200 | and no comma of the list
8.8.3 | GET | comma | If-None-Match: "x", W/"a,b" | 304 | found behind another
8.8.3 | GET | tag1 | If-None-Match: "x,"1"" | 200 | what stands between two tags is none
8.8.3 | GET | tag1 | If-None-Match: "0,1" | 200 | a part of a tag is none
8.8.3.3 | GET | coded | If-None-Match: "v2" | 200 | another coding is another representation
8.8.3.3 | GET | coded | If-None-Match: "v2-gzip" | 304 | the tag of this coding
8.8.3.3 | GET | coded | If-Match: "v2" | 412 | another coding is another representation

# If-Match
13.1.1 | GET | file | If-Match: "v2" | 200 | the tag
13.1.1 | HEAD | file | If-Match: "v2" | 200 | for HEAD as for GET
13.1.1 | PUT | file | If-Match: "v2" | 200 | no update has been lost
13.1.1 | GET | file | If-Match: "v1" | 412 | another tag
13.1.1 | HEAD | file | If-Match: "v1" | 412 | for HEAD as for GET
13.1.1 | PUT | file | If-Match: "v1" | 412 | an update would be lost
13.1.1 | DELETE | file | If-Match: "v1" | 412 | an update would be lost
13.1.1 | POST | file | If-Match: "v1" | 412 | an update would be lost
13.1.1 | PATCH | file | If-Match: "v1" | 412 | an update would be lost
13.1.1 | GET | file | If-Match: * | 200 | there is a representation
13.1.1 | GET | bare | If-Match: * | 200 | there is one, if without a tag
13.1.1 | PUT | missing | If-Match: * | 412 | there is none
13.1.1 | PUT | missing | If-Match: "v2" | 412 | there is none
13.1.1 | GET | untagged | If-Match: "v2" | 412 | no tag matches no tag
13.1.1 | GET | untagged | If-Match: "" | 412 | no tag is not the empty one
13.1.1 | GET | weak | If-Match: "v2" | 412 | MUST use strong comparison
13.1.1 | GET | weak | If-Match: W/"v2" | 412 | MUST use strong comparison
13.1.1 | GET | file | If-Match: W/"v2" | 412 | MUST use strong comparison
13.1.1 | GET | file | If-Match: "v1", "v2" | 200 | any of the list
13.1.1 | GET | file | If-Match: "v2", "v1" | 200 | any of the list
13.1.1 | GET | file | If-Match: W/"v2", "v2" | 200 | any of the list, the weak one passed over
13.1.1 | GET | file | If-Match: "v1", "v3" | 412 | none of the list
13.1.1 | GET | file | If-Match: "xyzzy", "r2d2xxxx", "c3piozzzz" | 412 | none of the list
13.1.1 | GET | file | If-Match: *, "v1" | 412 | "*" among others is invalid, and so not met
13.1.1 | GET | file | If-Match: "v1", * | 412 | "*" among others is invalid, and so not met
13.1.1 | GET | file | If-Match: *, * | 412 | so are two of them
13.1.1 | GET | file | If-Match: "*" | 412 | a tag of that name is only a tag
13.1.1 | GET | file | If-Match: v2 | 412 | what is no tag matches none

# If-None-Match
13.1.2 | GET | file | If-None-Match: "v2" | 304 | the tag
13.1.2 | HEAD | file | If-None-Match: "v2" | 304 | for HEAD as for GET
13.1.2 | GET | file | If-None-Match: W/"v2" | 304 | MUST use weak comparison
13.1.2 | GET | weak | If-None-Match: W/"v2" | 304 | MUST use weak comparison
13.1.2 | GET | weak | If-None-Match: "v2" | 304 | MUST use weak comparison
13.1.2 | GET | file | If-None-Match: "v1" | 200 | another tag
13.1.2 | HEAD | file | If-None-Match: "v1" | 200 | another tag
13.1.2 | GET | file | If-None-Match: * | 304 | there is a representation
13.1.2 | HEAD | file | If-None-Match: * | 304 | there is a representation
13.1.2 | GET | bare | If-None-Match: * | 304 | there is one, if without a tag
13.1.2 | PUT | file | If-None-Match: * | 412 | only GET and HEAD are answered 304
13.1.2 | PUT | missing | If-None-Match: * | 200 | nothing there: it may be created
13.1.2 | PUT | missing | If-None-Match: "v2" | 200 | nothing there: no tag matches
13.1.2 | PUT | file | If-None-Match: "v2" | 412 | only GET and HEAD are answered 304
13.1.2 | POST | file | If-None-Match: "v2" | 412 | only GET and HEAD are answered 304
13.1.2 | DELETE | file | If-None-Match: "v2" | 412 | only GET and HEAD are answered 304
13.1.2 | PATCH | file | If-None-Match: "v2" | 412 | only GET and HEAD are answered 304
13.1.2 | BREW | file | If-None-Match: "v2" | 412 | whatever the other method is
13.1.2 | get | file | If-None-Match: "v2" | 412 | methods are case-sensitive, so this is another
13.1.2 | PUT | file | If-None-Match: "v1" | 200 | not that tag
13.1.2 | GET | untagged | If-None-Match: "v2" | 200 | no tag matches no tag
13.1.2 | GET | untagged | If-None-Match: "" | 200 | no tag is not the empty one
13.1.2 | GET | file | If-None-Match: "x", "v2" | 304 | any of the list
13.1.2 | GET | file | If-None-Match: "v2", "x" | 304 | any of the list
13.1.2 | GET | file | If-None-Match: W/"xyzzy", W/"v2", W/"c3piozzzz" | 304 | any of the list
13.1.2 | GET | file | If-None-Match: "x","v2" | 304 | white space around commas is optional
13.1.2 | GET | file | If-None-Match: "xyzzy", "r2d2xxxx", "c3piozzzz" | 200 | none of the list
13.1.2 | GET | file | If-None-Match: *, "x" | 200 | "*" among others is invalid, and no tag
13.1.2 | GET | file | If-None-Match: "x", * | 200 | "*" among others is invalid, and no tag
13.1.2 | GET | file | If-None-Match: "*" | 200 | a tag of that name is only a tag
13.1.2 | GET | file | If-None-Match: "v2" x, "y" | 200 | a tag with something behind it is none
13.1.2 | GET | file | If-None-Match: x, "v2" | 200 | behind what is no tag nobody knows where one starts
13.1.2 | GET | file | If-None-Match: "v2", x | 304 | before it everybody does

# Lists over several lines and with empty members
5.3 | GET | file | If-None-Match: "x" && If-None-Match: "v2" | 304 | lines are one list
5.3 | GET | file | If-None-Match: "v2" && If-None-Match: "x" | 304 | lines are one list
5.3 | GET | file | If-None-Match: "x", "y" && If-None-Match: W/"z" && if-none-match: W/"v2" | 304 | three of them
5.3 | GET | file | If-None-Match: "x" && Accept: */* && IF-NONE-MATCH: "v2" | 304 | with others between
5.3 | GET | file | If-None-Match: "x" && If-None-Match: "y" | 200 | none of them
5.3 | GET | file | If-Match: "x" && If-Match: "v2" | 200 | lines are one list
5.3 | GET | file | If-Match: "x" && If-Match: "y" | 412 | none of them
5.3 | GET | file | If-Match: * && If-Match: * | 412 | "*" twice is invalid
5.6.1.2 | GET | file | If-None-Match: , "v2" | 304 | empty members count as nothing
5.6.1.2 | GET | file | If-None-Match: "x", ,, "v2" , | 304 | empty members count as nothing
5.6.1.2 | GET | file | If-None-Match: , | 200 | nothing but empty members
5.6.1.2 | GET | file | If-Match: ,"x",, "v2", | 200 | empty members count as nothing
5.6.1.2 | GET | file | If-Match: , | 412 | nothing but empty members
5.6.1.2 | GET | file | If-None-Match: "x" && If-None-Match: , && If-None-Match: "v2" | 304 | an empty line between

# If-Modified-Since
13.1.3 | GET | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 304 | the same second
13.1.3 | HEAD | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 304 | for HEAD as for GET
13.1.3 | GET | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:01 GMT | 304 | modified earlier
13.1.3 | GET | untagged | If-Modified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 200 | modified later
13.1.3 | GET | file | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 304 | alone it counts beside an ETag too
13.1.3 | GET | precise | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 304 | parts of a second are not in Last-Modified
13.1.3 | GET | precise | If-Modified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 200 | modified later
13.1.3 | GET | untagged | If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT | 304 | a date in the future is a date
13.1.3 | GET | untagged | If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT | 200 | modified later
13.1.3 | GET | epoch | If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT | 304 | time 0 is a time
13.1.3 | GET | epoch | If-Modified-Since: Wed, 31 Dec 1969 23:59:59 GMT | 200 | before 1970 too
13.1.3 | GET | bare | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | MUST ignore it without a modification date
13.1.3 | GET | undated | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | MUST ignore it without a modification date
13.1.3 | PUT | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | MUST ignore it with other methods
13.1.3 | POST | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | MUST ignore it with other methods
13.1.3 | DELETE | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | MUST ignore it with other methods
13.1.3 | GET | missing | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | nothing there to compare
13.1.3 | GET | untagged | If-Modified-Since: yesterday | 200 | MUST ignore what is no HTTP-date
13.1.3 | GET | untagged | If-Modified-Since: 0 | 200 | MUST ignore what is no HTTP-date
13.1.3 | GET | untagged | If-Modified-Since: 2024-01-15T10:00:00Z | 200 | MUST ignore what is no HTTP-date
13.1.3 | GET | untagged | If-Modified-Since: "v2" | 200 | MUST ignore what is no HTTP-date
13.1.3 | GET | untagged | If-Modified-Since: * | 200 | MUST ignore what is no HTTP-date
13.1.3 | GET | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 | 200 | GMT is missing
13.1.3 | GET | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 UTC | 200 | that is not GMT
13.1.3 | GET | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 +0000 | 200 | nor is that
13.1.3 | GET | untagged | If-Modified-Since: mon, 15 jan 2024 10:00:00 gmt | 200 | dates are case-sensitive
13.1.3 | GET | untagged | If-Modified-Since: Wed, 31 Jan 2024 24:00:00 GMT | 200 | there is no such hour
13.1.3 | GET | untagged | If-Modified-Since: Fri, 30 Feb 2024 10:00:00 GMT | 200 | there is no such day
13.1.3 | GET | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT; length=10000 | 200 | a parameter of old browsers is not in the grammar
13.1.3 | GET | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT && If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | MUST ignore more than one member
13.1.3 | GET | untagged | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT, Mon, 15 Jan 2024 10:00:00 GMT | 200 | MUST ignore more than one member
5.6.7 | GET | untagged | If-Modified-Since: Monday, 15-Jan-24 10:00:00 GMT | 304 | rfc850-date, the same second
5.6.7 | GET | untagged | If-Modified-Since: Monday, 15-Jan-24 09:59:59 GMT | 200 | rfc850-date, modified later
5.6.7 | GET | untagged | If-Modified-Since: Mon Jan 15 10:00:00 2024 | 304 | asctime-date, the same second
5.6.7 | GET | untagged | If-Modified-Since: Mon Jan 15 09:59:59 2024 | 200 | asctime-date, modified later
5.6.7 | GET | untagged | If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT | 200 | two digits of the last century
5.6.7 | GET | untagged | If-Modified-Since: Friday, 15-Jan-74 10:00:00 GMT | 304 | two digits not 50 years ahead are still of this one

# Last-Modified is not later than Date
8.8.2.1 | GET | future | If-Modified-Since: Sat, 15 Jun 2024 12:00:00 GMT | 304 | what Last-Modified says is now
8.8.2.1 | GET | future | If-Modified-Since: Sat, 15 Jun 2024 11:59:59 GMT | 200 | a copy of a second ago is not of now
8.8.2.1 | GET | future | If-Unmodified-Since: Sat, 15 Jun 2024 12:00:00 GMT | 200 | what Last-Modified says is now
8.8.2.1 | GET | future | If-Unmodified-Since: Sat, 15 Jun 2024 11:59:59 GMT | 412 | a copy of a second ago is not of now

# If-Unmodified-Since
13.1.4 | GET | untagged | If-Unmodified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | the same second
13.1.4 | GET | untagged | If-Unmodified-Since: Mon, 15 Jan 2024 10:00:01 GMT | 200 | modified earlier
13.1.4 | GET | untagged | If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 412 | modified later
13.1.4 | HEAD | untagged | If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 412 | for HEAD as for GET
13.1.4 | PUT | untagged | If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 412 | an update would be lost
13.1.4 | DELETE | untagged | If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 412 | an update would be lost
13.1.4 | PUT | untagged | If-Unmodified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | no update has been lost
13.1.4 | PUT | precise | If-Unmodified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | parts of a second are not in Last-Modified
13.1.4 | GET | untagged | If-Unmodified-Since: Monday, 15-Jan-24 09:59:59 GMT | 412 | rfc850-date
13.1.4 | GET | untagged | If-Unmodified-Since: Mon Jan 15 09:59:59 2024 | 412 | asctime-date
13.1.4 | PUT | bare | If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 200 | MUST ignore it without a modification date
13.1.4 | PUT | missing | If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 200 | MUST ignore it without a modification date
13.1.4 | PUT | untagged | If-Unmodified-Since: yesterday | 200 | MUST ignore what is no HTTP-date
13.1.4 | PUT | untagged | If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT, Mon, 15 Jan 2024 09:59:59 GMT | 200 | MUST ignore what looks like a list
13.1.4 | PUT | untagged | If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT && If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 200 | MUST ignore what looks like a list

# When to evaluate
13.2.1 | OPTIONS | file | If-Match: "v1" | 200 | MUST ignore it where no representation is selected
13.2.1 | OPTIONS | file | If-None-Match: * | 200 | MUST ignore it where no representation is selected
13.2.1 | TRACE | file | If-Match: "v1" | 200 | MUST ignore it where no representation is selected
13.2.1 | CONNECT | file | If-None-Match: "v2" | 200 | MUST ignore it where no representation is selected
13.2.1 | OPTIONS | file | If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 200 | MUST ignore it where no representation is selected
13.2.1 | GET | file | - | 200 | no precondition
13.2.1 | GET | file | Accept: */* && Cache-Control: no-cache | 200 | no precondition
13.2.1 | GET | file | X-If-Match: "v1" && If-Matches: "v1" | 200 | other fields are none

# Precedence
13.2.2 | GET | file | If-Match: "v2" && If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 200 | If-Match true: the date is ignored
13.2.2 | GET | file | If-Match: "v1" && If-Unmodified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 412 | If-Match false: the date does not help
13.2.2 | GET | file | If-Match: x && If-Unmodified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 412 | also where it is malformed
13.2.2 | GET | file | If-Match: "v2" && If-None-Match: "v2" | 304 | step 1 true: on to step 3
13.2.2 | PUT | file | If-Match: "v2" && If-None-Match: "v2" | 412 | step 1 true: on to step 3
13.2.2 | GET | file | If-Match: "v1" && If-None-Match: "v2" | 412 | step 1 is before step 3
13.2.2 | GET | file | If-Match: "v1" && If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 412 | step 1 is before step 4
13.2.2 | GET | file | If-Match: "v2" && If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 304 | step 1 true: on to step 4
13.2.2 | GET | file | If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT && If-None-Match: "v2" | 412 | step 2 is before step 3
13.2.2 | GET | file | If-Unmodified-Since: Mon, 15 Jan 2024 10:00:00 GMT && If-None-Match: "v2" | 304 | step 2 true: on to step 3
13.2.2 | GET | file | If-Unmodified-Since: Mon, 15 Jan 2024 10:00:00 GMT && If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 304 | step 2 true: on to step 4
13.2.2 | GET | file | If-Unmodified-Since: yesterday && If-None-Match: "v2" | 304 | step 2 ignored: on to step 3
13.2.2 | GET | file | If-None-Match: "v1" && If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | If-None-Match true: the date is ignored
13.2.2 | GET | file | If-None-Match: "v2" && If-Modified-Since: Mon, 15 Jan 2024 09:59:59 GMT | 304 | If-None-Match false: the date is ignored
13.2.2 | GET | file | If-None-Match: x && If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | also where it is malformed
13.2.2 | GET | untagged | If-None-Match: "v2" && If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | also where there is no tag to match
13.2.2 | GET | file | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT && If-None-Match: "v1" | 200 | the order of the lines does not matter
13.2.2 | GET | file | If-Match: "v2" && If-Unmodified-Since: Mon, 15 Jan 2024 10:00:00 GMT && If-None-Match: "v1" && If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT | 200 | all four, the tags decide

# Preconditions before Range
14.2 | GET | file | If-None-Match: "v2" && Range: bytes=0-9 | 304 | Range counts only where the answer would be 200
14.2 | GET | file | If-Modified-Since: Mon, 15 Jan 2024 10:00:00 GMT && Range: bytes=0-9 | 304 | Range counts only where the answer would be 200
14.2 | GET | file | If-None-Match: "v2" && Range: bytes=20000- | 304 | so an unsatisfiable one is not seen
14.2 | GET | file | If-Match: "v1" && Range: bytes=0-9 | 412 | the client prefers this to a new representation
14.2 | GET | file | If-Unmodified-Since: Mon, 15 Jan 2024 09:59:59 GMT && Range: bytes=0-9 | 412 | the client prefers this to a new representation
14.2 | GET | file | If-Match: "v1" && Range: bytes=20000- | 412 | 412 is before 416
14.2 | GET | file | If-Match: "v2" && Range: bytes=0-9 | 206 0-9 | all preconditions are true
14.2 | GET | file | If-Unmodified-Since: Mon, 15 Jan 2024 10:00:00 GMT && Range: bytes=0-9 | 206 0-9 | all preconditions are true
14.2 | GET | file | If-None-Match: "v1" && Range: bytes=0-9 | 206 0-9 | all preconditions are true
14.2 | GET | file | If-Match: "v1" && Range: bytes=0-9 && If-Range: "v2" | 412 | If-Range does not change that
14.2 | GET | file | If-None-Match: "v2" && Range: bytes=0-9 && If-Range: "v1" | 304 | nor that
`);
