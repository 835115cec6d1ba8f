/**
 * Stacks as people read them.
 *
 * They are cut short on the floor below, which writes failures that no observer takes: this is the name under which rooms above
 * have known it.
 */

export { shortenStacks } from "../server/shorten-stacks.ts";
