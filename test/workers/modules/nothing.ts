/** A module that is no handler. */
export const answer = 42;
