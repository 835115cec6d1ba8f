/** Outcomes of members that can be compared between our objects and the platform's. */

/** What an act gives in the end, or the class of its error. */
export async function outcomeOf(act: () => unknown): Promise<unknown> {
  try {
    return { value: await comparable(await act()) };
  } catch (error) {
    return { thrown: platformClass(error) };
  }
}

/** Our errors stand in for the platform's by inheritance. */
function platformClass(error: unknown): string {
  if (error instanceof SyntaxError) return "SyntaxError";
  if (error instanceof TypeError) return "TypeError";
  if (error instanceof RangeError) return "RangeError";
  return error instanceof Error ? error.name : typeof error;
}

async function comparable(value: unknown): Promise<unknown> {
  if (value instanceof ArrayBuffer) return { buffer: [...new Uint8Array(value)] };
  if (value instanceof Uint8Array) return { bytes: [...value], constructor: value.constructor.name };
  if (value instanceof Blob) return { blob: await value.text(), type: value.type, size: value.size };
  if (value instanceof FormData) return { form: await formEntries(value) };
  if (value instanceof ReadableStream)
    return { stream: { locked: value.locked, text: await new globalThis.Response(value).text() } };
  if (value instanceof AbortSignal) return { aborted: value.aborted };
  if (value instanceof globalThis.Headers) return { headers: [...value] };
  return value;
}

async function formEntries(form: FormData): Promise<unknown[]> {
  const entries: unknown[] = [];
  for (const [name, value] of form) {
    entries.push([name, typeof value === "string" ? value : [value.name, value.type, await value.text()]]);
  }
  return entries;
}

export const READERS = ["text", "json", "bytes", "arrayBuffer", "blob", "formData"] as const;
export type Reader = (typeof READERS)[number];

/** Calls one of the members that read content. */
export function read(message: object, reader: Reader): Promise<unknown> {
  const member = Reflect.get(message, reader) as () => Promise<unknown>;
  return Reflect.apply(member, message, []);
}

/** Names of the members that have a value in the platform's prototype, except those that read or copy. */
export function attributesOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).filter(
    (name) => Object.getOwnPropertyDescriptor(prototype, name)?.get !== undefined,
  );
}

export const MULTIPART_TYPE = "multipart/form-data; boundary=edge";
export const MULTIPART: string = [
  "--edge",
  'Content-Disposition: form-data; name="title"',
  "",
  "Emma",
  "--edge",
  'Content-Disposition: form-data; name="cover"; filename="emma.txt"',
  "Content-Type: text/plain",
  "",
  "a cover",
  "--edge--",
  "",
].join("\r\n");
