/**
 * Names in JSON by which a careless copy would change a prototype.
 *
 * They are looked for in the value, and only if the text could hold them; without recursion, since nesting is the sender's.
 */

/** Whether a name could be in it; any letter of one may be written as an escape (RFC 8259 §7). */
function isSuspicious(text: string): boolean {
  return text.includes("__proto__") || text.includes("constructor") || text.includes(String.raw`\u00`);
}

/**
 * The name in a parsed value by which a careless copy would change a prototype: `__proto__`, or `constructor` with a member
 * `prototype`; null if there is none.
 */
export function findPrototypeName(text: string, value: unknown): "__proto__" | "constructor" | null {
  if (!isSuspicious(text)) return null;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one !== "object" || one === null) continue;
    if (Object.hasOwn(one, "__proto__")) return "__proto__";
    if (Object.hasOwn(one, "constructor") && hasPrototype((one as { readonly constructor: unknown }).constructor)) {
      return "constructor";
    }
    for (const member of Object.values(one)) if (typeof member === "object") open.push(member);
  }
  return null;
}

function hasPrototype(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "prototype");
}
