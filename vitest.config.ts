import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const source = fileURLToPath(new URL("src/", import.meta.url));

const config: ViteUserConfig = defineConfig({
  // Examples import the package by its name; in the tests that is the source
  resolve: {
    alias: [
      { find: /^fairlead$/, replacement: `${source}index.ts` },
      { find: /^fairlead\/([\w-]+)$/, replacement: `${source}$1/index.ts` },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "./scripts/tally-reporter.ts"],
    // Wire cases are run at every split and properties hundreds of times: slow machines need patience
    testTimeout: 20_000,
    hookTimeout: 20_000,
    coverage: { include: ["src/**/*.ts"], reporter: ["text-summary", "html"] },
  },
});

export default config;
