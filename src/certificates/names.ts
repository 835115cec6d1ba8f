/**
 * What stands in a certificate is a name or an address (RFC 5280 §4.2.1.6), and text does not say which.
 *
 * It must never resolve a name: what is here is about writing alone.
 */

/** Whether text is an address of IPv4 or IPv6, without brackets and without a zone. */
export function isAddress(text: string): boolean {
  const numbers = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (numbers !== null) return numbers.slice(1).every((number) => Number(number) <= 255);
  // What a URL takes in brackets is IPv6 (WHATWG URL §4.3)
  return text.includes(":") && URL.canParse(`http://[${text}]/`);
}
