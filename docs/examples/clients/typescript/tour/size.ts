import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** Kilobytes (1,000 bytes) of the verifier as a browser gets it: bundled, minified, gzipped. Fails where it needs Node.js. */
export async function verifierSize(): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../src/verify/index.js", import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
  });
  return Math.round(gzipSync(outputFiles[0]!.contents, { level: 9 }).length / 100) / 10;
}
