// Client of an Alatau network. Nothing here needs Node.js: in a browser give `nodeAt` a transport of @connectrpc/connect-web,
// in Node.js that of "@alatau/client/node".
export * from "./bytes.js";
export * from "./failure.js";
export * from "./follow.js";
export * from "./keystore.js";
export * from "./node.js";
export * from "./pay.js";
export * from "./prove.js";
export * from "./wallet.js";
export * from "./verify/index.js";
export * as api from "./api.js";
