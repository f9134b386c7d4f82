import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { build } from "esbuild";

import { verifierSize } from "../tour/size.js";

test("the verifier is small", async () => {
  const kilobytes = await verifierSize();
  assert.ok(kilobytes > 5 && kilobytes < 41, `${kilobytes} kB`);
});

test("all but the transport of Node.js runs in a browser", async () => {
  const bundle = (file: string) =>
    build({
      entryPoints: [fileURLToPath(new URL(`../src/${file}.js`, import.meta.url))],
      bundle: true,
      format: "esm",
      platform: "browser",
      write: false,
      logLevel: "silent",
    });
  await bundle("index");
  await assert.rejects(bundle("connect"), /node:/);
});
