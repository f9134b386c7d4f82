// Drives the pages of a hub in a real browser with a virtual authenticator, step by step, as Python asks: one JSON line in,
// one out. Whatever a page logs as an error is in the answer of the step.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import puppeteer from "puppeteer-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pages = new Map();
let browser;
let errors = [];

const commands = {
  async start({ executable, profile, camera }) {
    browser = await puppeteer.launch({
      executablePath: executable,
      userDataDir: profile,
      headless: true,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        ...(camera ? [`--use-file-for-fake-video-capture=${camera}`] : []),
      ],
    });
  },
  // A page in a context of its own: a device.
  async open({ name, url, authenticator, width = 390, height = 844, dark = false, beside = null, script = null }) {
    const context = beside ? pages.get(beside).context : await browser.createBrowserContext();
    const page = await context.newPage();
    if (script) await page.evaluateOnNewDocument(script);
    await page.setViewport({ width, height, deviceScaleFactor: 1 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
    page.setDefaultTimeout(30_000);
    page.on("pageerror", (error) => errors.push(`${name}: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(`${name}: ${message.text()}`);
    });
    const requests = [];
    page.on("request", (request) => requests.push({ url: request.url(), body: request.postData() ?? "" }));
    const session = await page.createCDPSession();
    let authenticatorId;
    if (authenticator) {
      await session.send("WebAuthn.enable");
      ({ authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
        options: {
          protocol: "ctap2",
          transport: "internal",
          hasResidentKey: true,
          hasUserVerification: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      }));
    }
    pages.set(name, { page, context, session, requests, authenticatorId });
    await page.goto(url, { waitUntil: "domcontentloaded" });
  },
  async goto({ name, url }) {
    await pages.get(name).page.goto(url, { waitUntil: "domcontentloaded" });
  },
  async reload({ name }) {
    await pages.get(name).page.reload({ waitUntil: "domcontentloaded" });
  },
  async close({ name }) {
    await pages.get(name).page.close();
    pages.delete(name);
  },
  // The user says no, or cannot be verified.
  async verified({ name, value }) {
    const { session, authenticatorId } = pages.get(name);
    await session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: value });
  },
  async credentials({ name }) {
    const { session, authenticatorId } = pages.get(name);
    const { credentials } = await session.send("WebAuthn.getCredentials", { authenticatorId });
    return credentials.map((one) => ({ signCount: one.signCount, rpId: one.rpId, isResident: one.isResidentCredential }));
  },
  async wait({ name, selector, timeout = 30_000 }) {
    await pages.get(name).page.waitForSelector(selector, { timeout });
  },
  async gone({ name, selector, timeout = 30_000 }) {
    await pages.get(name).page.waitForSelector(selector, { hidden: true, timeout });
  },
  async text({ name, selector }) {
    const { page } = pages.get(name);
    await page.waitForSelector(selector);
    return page.$eval(selector, (element) => element.textContent);
  },
  async waitText({ name, selector, text, timeout = 30_000 }) {
    const has = (where, wanted) => document.querySelector(where)?.textContent.includes(wanted);
    await pages.get(name).page.waitForFunction(has, { timeout, polling: 50 }, selector, text);
  },
  async click({ name, selector }) {
    const { page } = pages.get(name);
    await page.waitForSelector(selector);
    await page.$eval(selector, (element) => element.click());
  },
  async clickText({ name, text }) {
    const { page } = pages.get(name);
    const find = (wanted) =>
      [...document.querySelectorAll("main button")].find((one) => one.textContent.trim() === wanted) ??
      [...document.querySelectorAll("main button")].find((one) => one.textContent.includes(wanted));
    const found = await page.waitForFunction(find, { polling: 50 }, text);
    await found.evaluate((element) => element.click());
  },
  async fill({ name, selector, value }) {
    const { page } = pages.get(name);
    await page.waitForSelector(selector);
    await page.$eval(selector, (element, text) => {
      element.value = text;
    }, value);
  },
  async evaluate({ name, code }) {
    return pages.get(name).page.evaluate(code);
  },
  async screenshot({ name, path, width, dark }) {
    const { page } = pages.get(name);
    if (width) await page.setViewport({ width, height: width < 1000 ? 760 : 900, deviceScaleFactor: 1 });
    if (dark !== undefined) await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
    await page.screenshot({ path, fullPage: true });
    return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  },
  // Violations of WCAG 2.2 AA that axe finds. Its script runs in the page's context, past the policy.
  async axe({ name }) {
    const { page } = pages.get(name);
    await page.evaluate(AXE);
    return page.evaluate(async () => {
      const found = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
      return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
    });
  },
  async requests({ name }) {
    return pages.get(name).requests;
  },
  async stop() {
    await browser?.close();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...parameters } = JSON.parse(line);
  errors = [];
  let answer;
  try {
    answer = { result: (await commands[command](parameters)) ?? null };
  } catch (error) {
    const shown = await pages.get(parameters.name)?.page.evaluate(() => document.body.innerText).catch(() => "");
    answer = { failed: `${error?.message ?? error}; the page shows: ${shown}` };
  }
  process.stdout.write(`${JSON.stringify({ ...answer, errors })}\n`);
  if (command === "stop") break;
}
process.exit(0);
