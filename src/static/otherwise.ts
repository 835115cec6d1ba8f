/**
 * What is answered where no file is: rules of the folder, a listing, the page of a single-page app, an error page, ours.
 *
 * The order, each only if the one before gave nothing: redirect rule, listing (of a folder), single page, the folder's own
 * 404 page, the built-in answer. Forced rules come before the disk is looked at. RFC 9110 §15.4, §15.5.5.
 */

import type { FieldSource } from "../http/conditional.ts";
import type { Response } from "../web/response.ts";
import { takeAnswer, responseOfLines } from "../web/response.ts";
import type { Payload } from "../web/response-body.ts";
import type { CachedFile } from "./cached-file.ts";
import { Acceptances } from "./coding.ts";
import type { Trace } from "./explain.ts";
import { errorPageCandidates, isPageNavigation, wantsErrorPage } from "./fallback.ts";
import type { FileFinder } from "./file-finder.ts";
import type { LocatedFolder } from "./locate.ts";
import { answerErrorPage, redirectTo, refuseMissing } from "./reply.ts";
import type { ResolvedTarget } from "./resolve.ts";
import { resolveTarget } from "./resolve.ts";
import { isRulesFile } from "./rules.ts";
import { applyToStandIn, withoutLifetimes } from "./rules-headers.ts";
import type { RuleAction } from "./rules-redirects.ts";
import type { StaticSettings } from "./static-options.ts";

/** A request on its way. */
export interface Asked {
  /** GET or HEAD. */
  readonly method: string;
  readonly fields: FieldSource;
  /** Below the prefix. */
  readonly target: ResolvedTarget;
  /** What the client asked for, below the prefix; `_headers` go by it. The same as `target` unless a rule has led here. */
  readonly origin: ResolvedTarget;
  readonly trace: Trace | null;
  /** A rule has led here: none is applied again, or two could lead to one another for ever. */
  readonly isRewritten: boolean;
}

type Answering = Response | Promise<Response>;

/** The pipeline, for what is found in the end. */
export interface Answerer {
  /** Answers another path, without rules. */
  readonly answerTarget: (asked: Asked) => Answering;
  /** Answers with a version, in a coding that the request takes. */
  readonly answerVersion: (asked: Asked, file: CachedFile) => Promise<Response>;
}

/** Names of the rules' own files, which no listing shows. */
const RULES_FILES: ReadonlySet<string> = new Set(["_redirects", "_headers"]);
const NO_NAMES: ReadonlySet<string> = new Set();

/** Answers for what is not a file. */
export class Otherwise {
  readonly #settings: StaticSettings;
  readonly #finder: FileFinder;
  readonly #answerer: Answerer;
  readonly #acceptances: Acceptances = new Acceptances();

  constructor(settings: StaticSettings, finder: FileFinder, answerer: Answerer) {
    this.#settings = settings;
    this.#finder = finder;
    this.#answerer = answerer;
  }

  /** What a forced rule wants, null if there is none. */
  forced(asked: Asked): Answering | null {
    const action = this.#finder.rules.findForced(asked.target, this.#settings.mount.base);
    return action === null ? null : this.#act(asked, action);
  }

  /** There is no file and no folder. */
  missing(asked: Asked): Answering {
    const { hasRules, mount } = this.#settings;
    const action = hasRules && !asked.isRewritten ? this.#finder.rules.find(asked.target, mount.base) : null;
    return action === null ? this.fallBack(asked) : this.#act(asked, action);
  }

  /** There is a folder, without index. */
  async folder(asked: Asked, folder: LocatedFolder): Promise<Response> {
    const { method, fields, target } = asked;
    const { listsFolders, showsDotFiles, hasRules, hidden, compresses, time } = this.#settings;
    if (!listsFolders) return this.missing(asked);
    // Loaded with the first listing
    const { listFolder } = await import("./listing.ts");
    const codings = compresses ? this.#acceptances.of(fields.get("accept-encoding")) : undefined;
    const request = { method, names: target.names, search: target.search, accept: fields.get("accept"), codings };
    const ofRules = hasRules && target.names.length === 0 ? RULES_FILES : NO_NAMES;
    const hiddenNames = new Set([...ofRules, ...hidden.namesIn(target.names)]);
    const filter = { dotFiles: showsDotFiles, hiddenNames };
    const listing = await listFolder(folder.parts, request, filter, time.nowMs());
    if (listing === null) {
      asked.trace?.note("reply", "none", "the folder cannot be read, or another has taken its place");
      return this.fallBack(asked);
    }
    asked.trace?.note("reply", "listing", "option listing");
    asked.trace?.attribute([...listing.headers].flat(), "option listing");
    asked.trace?.attribute(["content-encoding", ""], "option compress");
    return this.dress(asked, listing);
  }

  /** What is answered in the end: a page of the folder, or ours. */
  async fallBack(asked: Asked): Promise<Response> {
    const { spaNames } = this.#settings;
    const { method, fields, target, trace } = asked;
    const accept = fields.get("accept");
    if (spaNames !== null && isPageNavigation(method, target, accept)) {
      trace?.note("fallback", "single page", "option spa: a navigation, to a name without extension");
      const page = await this.#finder.findPage(spaNames, asked.origin, trace);
      if (page !== null) return this.#answerer.answerVersion(asked, page);
    }
    return this.#answerNotFound(asked, target);
  }

  /**
   * The path leads nowhere, whatever is on the disk: one of its names is hidden, or none. Only the root's page answers, as
   * for what is missing there: nearer ones may be hidden with it.
   */
  refuse(asked: Asked): Promise<Response> {
    return this.#answerNotFound(asked, null);
  }

  /** Gives an answer that is no file's the fields that all answers under its path have. */
  dress(asked: Asked | null, response: Response): Response {
    const { headers } = this.#settings;
    const changes = asked === null ? null : this.#finder.rules.changesFor(asked.origin);
    if (headers === null && changes === null) return response;
    if (headers !== null) asked?.trace?.attribute(headers.lines, "option headers");
    if (changes !== null) asked?.trace?.attributeEach(changes.places);
    const { head, content } = takeAnswer(response);
    let lines = head.fields;
    for (const change of [headers, changes]) if (change !== null) lines = applyToStandIn(lines, change);
    if (head.status >= 400) lines = withoutLifetimes(lines);
    return responseOfLines(head.status, lines, content as Payload);
  }

  /** What a rule says. */
  #act(asked: Asked, action: RuleAction): Answering {
    asked.trace?.note("rules", action.kind, action.place);
    if (action.kind === "redirect") {
      asked.trace?.attribute(["location", action.location], action.place);
      return this.dress(asked, redirectTo(action.location, action.status));
    }
    const target = resolveTarget(asked.method, action.target, this.#settings.showsDotFiles);
    if (target === null || isRulesFile(target.names)) return this.fallBack(asked);
    if (action.status === 404) return this.#answerMissingWith(asked, target.names);
    return this.#answerer.answerTarget({
      ...asked,
      target: { ...target, search: asked.target.search },
      isRewritten: true,
    });
  }

  /** A rule names the page of a 404; its own absence leaves ours. */
  async #answerMissingWith(asked: Asked, names: readonly string[]): Promise<Response> {
    return (await this.#answerPage(asked, names)) ?? this.dress(asked, refuseMissing(asked.fields, asked.trace));
  }

  /** @param near where to look for the page; null in the root only */
  async #answerNotFound(asked: Asked, near: ResolvedTarget | null): Promise<Response> {
    const { notFoundNames } = this.#settings;
    const { fields, trace } = asked;
    if (notFoundNames !== null && wantsErrorPage(fields.get("accept"))) {
      const candidates = notFoundNames === "nearest" ? errorPageCandidates(404, near) : [notFoundNames];
      for (const names of candidates) {
        const page = await this.#answerPage(asked, names);
        if (page !== null) return page;
      }
    }
    trace?.note("reply", "404", "nothing stands for it");
    return this.dress(asked, refuseMissing(fields, trace));
  }

  async #answerPage(asked: Asked, names: readonly string[]): Promise<Response | null> {
    const page = await this.#finder.findPage(names, asked.origin, asked.trace);
    if (page === null) return null;
    asked.trace?.note("fallback", "error page", names.join("/"));
    page.hold();
    const response = answerErrorPage(page.identity, 404, asked.method, asked.trace);
    this.#finder.done(page);
    return response;
  }
}
