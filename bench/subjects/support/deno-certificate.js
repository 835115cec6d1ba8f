/** Certificate and key as Deno takes them: their texts. */
export const cert = Deno.readTextFileSync(Deno.env.get("FAIRLEAD_BENCH_CERT"));
export const key = Deno.readTextFileSync(Deno.env.get("FAIRLEAD_BENCH_KEY"));
