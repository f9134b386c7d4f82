// Load on a node's JSON-RPC, for `make bench-rpc`: node load.mjs post HOST:PORT CONNECTIONS SECONDS < bodies, one a line
// (taken in turn; each once where SECONDS is 0), or node load.mjs heads HOST:PORT SUBSCRIBERS BLOCKS. Prints JSON.

import http from "node:http";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const WebSocket = createRequire(import.meta.url)("ws");
const [mode, address, count, most] = process.argv.slice(2);
const [host, port] = address.split(":");

const quantile = (values, share) => values.sort((a, b) => a - b)[Math.floor((values.length - 1) * share)];

const post = async () => {
  const bodies = readFileSync(0, "utf8").trim().split("\n");
  const agent = new http.Agent({ keepAlive: true, maxSockets: Number(count) });
  const times = [];
  let errors = 0, next = 0;
  const one = (body) => new Promise((resolve, reject) => {
    const began = performance.now();
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const request = http.request({ host, port, method: "POST", path: "/", agent, headers }, (answer) => {
      let text = "";
      answer.on("data", (part) => { text += part; });
      answer.on("end", () => {
        times.push(performance.now() - began);
        errors += text.includes('"error"') ? 1 : 0;
        resolve();
      });
    });
    request.on("error", reject);
    request.end(body);
  });
  const began = performance.now();
  const end = Number(most) ? began + Number(most) * 1000 : Infinity;
  const goesOn = () => (Number(most) ? performance.now() < end : next < bodies.length);
  await Promise.all(Array.from({ length: Number(count) }, async () => {
    while (goesOn()) await one(bodies[next++ % bodies.length]);
  }));
  const seconds = (performance.now() - began) / 1000;
  return { per_s: Math.round(times.length / seconds), p50_ms: quantile(times, 0.5), p99_ms: quantile(times, 0.99), errors };
};

const heads = async () => {
  const arrivals = new Map();
  const note = (number) => arrivals.set(number, [...(arrivals.get(number) ?? []), performance.now()]);
  await Promise.all(Array.from({ length: Number(count) }, () => new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${address}`);
    socket.on("error", reject);
    socket.on("open", () => socket.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}'));
    socket.on("message", (data) => {
      const message = JSON.parse(data);
      if (message.id === 1) resolve();
      else note(message.params.result.number);
    });
  })));
  arrivals.clear();
  const complete = () => [...arrivals.values()].filter((times) => times.length === Number(count));
  while (complete().length < Number(most)) await new Promise((resolve) => { setTimeout(resolve, 50); });
  const lags = complete().map((times) => Math.max(...times) - Math.min(...times));
  return { p50_ms: quantile(lags, 0.5), max_ms: Math.max(...lags), blocks: lags.length };
};

console.log(JSON.stringify(mode === "heads" ? await heads() : await post()));
process.exit(0);
