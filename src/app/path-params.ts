/**
 * The params of a pattern as a type, read from its text: `/users/:id` has `{ readonly id: string }`.
 *
 * Types only. It follows pattern.ts, which says what patterns mean and refuses the wrong ones; what is wrong there may have
 * any type here. Constraints and escaped characters are passed over, since parentheses in them are balanced or escaped.
 */

import type { Params } from "../web/context.ts";

type Lower =
  | ("a" | "b" | "c" | "d" | "e" | "f" | "g" | "h" | "i" | "j" | "k" | "l" | "m")
  | ("n" | "o" | "p" | "q" | "r" | "s" | "t" | "u" | "v" | "w" | "x" | "y" | "z");
type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
/** What names are made of. */
type NameCharacter = Lower | Uppercase<Lower> | Digit | "_";

/** The name that `S` begins with, and what follows it. */
type TakeName<S extends string, Name extends string = ""> = S extends `${infer C}${infer Rest}`
  ? C extends NameCharacter
    ? TakeName<Rest, `${Name}${C}`>
    : [Name, S]
  : [Name, ""];

/** `S` without constraints and escaped characters; `Depth` counts open parentheses. */
type Strip<
  S extends string,
  Depth extends readonly 0[] = [],
  Out extends string = "",
> = S extends `${infer C}${infer Rest}`
  ? C extends "\\"
    ? Rest extends `${string}${infer After}`
      ? Strip<After, Depth, Out>
      : Out
    : C extends "("
      ? Strip<Rest, [...Depth, 0], Out>
      : C extends ")"
        ? Strip<Rest, Depth extends readonly [0, ...infer Less extends readonly 0[]] ? Less : [], Out>
        : Strip<Rest, Depth, Depth extends [] ? `${Out}${C}` : Out>
  : Out;

/** Long patterns without either need not be taken apart. */
type Bare<S extends string> = S extends `${string}(${string}` | `${string}\\${string}` ? Strip<S> : S;

type WildcardName<S extends string> = S extends `${string}*${infer Name}` ? (Name extends "" ? "*" : Name) : never;

type RequiredNames<S extends string> = S extends `${string}:${infer Rest}`
  ? TakeName<Rest> extends [infer Name extends string, infer After extends string]
    ? (After extends `?${string}` ? never : Name) | RequiredNames<After>
    : never
  : WildcardName<S>;

type OptionalNames<S extends string> = S extends `${string}:${infer Rest}`
  ? TakeName<Rest> extends [infer Name extends string, infer After extends string]
    ? (After extends `?${string}` ? Name : never) | OptionalNames<After>
    : never
  : never;

/** One object type instead of an intersection, as people read it. */
type Flat<T> = { readonly [Name in keyof T]: T[Name] };

type ParamsOfBare<S extends string> = Flat<
  { readonly [Name in RequiredNames<S>]: string } & { readonly [Name in OptionalNames<S>]?: string }
>;

/** What a handler finds in `context.params` behind the pattern `S`. A text that is only known as `string` has {@link Params}. */
export type PathParams<S extends string> = string extends S ? Params : ParamsOfBare<Bare<S>>;
