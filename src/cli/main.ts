#!/usr/bin/env node
/**
 * The `fairlead` command as modules, whose classes are those that an app imports from `fairlead`: a Response is the same to
 * both.
 *
 * It runs everything. What an app is not part of starts faster through start.ts, which is what people call.
 */

import { runInProcess } from "./own-process.ts";

runInProcess(null, () => {});
