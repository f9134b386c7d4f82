// The verifier: no node is trusted, nothing of Node.js is used. docs/verify.md has the rules.
export * from "./commit.js";
export * from "./light.js";
export * from "./proof.js";
export { EMPTY_ROOT, lookup } from "./trie.js";
