/**
 * What middleware wants of the fields of the answer to an error, kept until somebody makes that answer.
 *
 * An error passes through middleware as it is, so that each may catch it; who answers it comes last (an app's `onError`, the
 * server) and finds here what those on the way would have changed, the innermost first. An answer that cannot be sent fails
 * when it has passed all of them: what the first has changed is kept, what each after it has as one link of a chain, and nothing
 * else is made for a request that does not fail. It must never answer, nor look into an error.
 */

import type { FieldEdit, FieldLines } from "../http/exchange.ts";

/** The changes asked for while the errors of one request were on their way. */
export class FailureFields {
  readonly #errors: unknown[] = [];
  readonly #edits: FieldEdit[] = [];

  /** One more, around those before it. */
  add(error: unknown, edit: FieldEdit): void {
    this.#errors.push(error);
    this.#edits.push(edit);
  }

  /** What was wanted of the answer to `before` holds for that to `after`, which was thrown in its place. */
  replace(before: unknown, after: unknown): void {
    for (let i = 0; i < this.#errors.length; i++) {
      if (Object.is(this.#errors[i], before)) this.#errors[i] = after;
    }
  }

  /** All changes for one error as one; null if there is none. An error that was caught and answered has left none behind. */
  of(error: unknown): FieldEdit | null {
    const edits = this.#edits.filter((_, i) => Object.is(this.#errors[i], error));
    return edits.length === 0 ? null : new Edits(edits);
  }
}

/** What was changed on an answer, and before that by those nearer to the handler: the same for the one in its place. */
export class AnswerEdits implements FieldEdit {
  readonly #last: FieldEdit;
  readonly #before: FieldEdit;

  constructor(last: FieldEdit, before: FieldEdit) {
    this.#last = last;
    this.#before = before;
  }

  apply(lines: FieldLines): FieldLines {
    return this.#last.apply(this.#before.apply(lines));
  }
}

class Edits implements FieldEdit {
  readonly #edits: readonly FieldEdit[];

  constructor(edits: readonly FieldEdit[]) {
    this.#edits = edits;
  }

  apply(lines: FieldLines): FieldLines {
    return this.#edits.reduce((changed, edit) => edit.apply(changed), lines);
  }
}
