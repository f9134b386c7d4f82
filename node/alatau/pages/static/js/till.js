// The merchant's till.

import { accountCode, askAccount, beginLink, keptKeys, openChannel, shortCode } from "./account.js";
import { toHex } from "./bytes.js";
import { button, download, facts, h, say, show } from "./dom.js";
import { DETAIL_NAMES, invoiceText, readDetails, writeDetails } from "./invoice.js";
import { createBrowserAccount } from "./keys.js";
import { formatUnits, parseUnits } from "./money.js";
import { Page } from "./page.js";
import { drawQr } from "./qr.js";
import { keepStorage } from "./store.js";
import { t } from "./texts.js";

const INVOICE_SECONDS = 15 * 60;
const REFUND_MS = 30_000;
const POLL_MS = 3_000;
const DIGITS_MAX = 11;

const page = new Page("till", "alatau-till");
let keys = null;
let link = null;
let account = null;
let shop = { name: "", register_number: "" };
let typed = "";
let waitingFor = null; // hash of the secret of the invoice on the screen
let view = () => {};

function go(next) {
  view = next;
  page.redraw = next;
  next();
}

async function main() {
  shop = (await page.store.get("account", "shop")) ?? shop;
  keys = await keptKeys(page.store, page.network);
  if (keys === null) go(createView);
  else await withAccount();
}

async function withAccount() {
  account = await askAccount(keys.address);
  if (account.channel === null) {
    if (!account.registered) {
      go(registerView);
      return;
    }
    // A merchant puts nothing in: the hub does.
    await openChannel(page.network, keys, page.store, account.nextSalt, 0n);
    account = await askAccount(keys.address);
  }
  link?.stop();
  link = await beginLink(page.network, keys, page.store, account.channel, { told, changed });
  go(keypadView);
}

function told(effect) {
  if (effect.tell === "dispute") page.alert(() => t("dispute", { text: effect.text }));
  if (effect.tell === "received") {
    chime();
    const hash = toHex(effect.incoming.invoice.secretHash);
    if (hash === waitingFor) go(() => receivedView(hash));
    else page.alert(() => t("received_title", { amount: page.money(effect.incoming.invoice.amount) }));
  }
}

function changed() {
  page.status(link.connected);
}

// Two short tones; silent where the browser plays none.
function chime() {
  try {
    const context = new AudioContext();
    for (const [at, pitch] of [
      [0, 880],
      [0.15, 1320],
    ]) {
      const tone = context.createOscillator();
      const volume = context.createGain();
      tone.frequency.value = pitch;
      volume.gain.value = 0.15;
      tone.connect(volume).connect(context.destination);
      tone.start(context.currentTime + at);
      tone.stop(context.currentTime + at + 0.12);
    }
  } catch {
    // the tick is on the screen
  }
}

// ------------------------------------------------------------------ beginning

function textField(id, label, value) {
  const input = h("input", { id, type: "text", autocomplete: "off", maxlength: 100, value });
  return { field: h("div", { class: "field" }, h("label", { for: id }, label), input), read: () => input.value.trim() };
}

function shopFields() {
  const name = textField("shop-name", t("shop_name"), shop.name);
  const register = textField("register", t("register_number"), shop.register_number);
  return {
    fields: h("form", { onsubmit: (event) => event.preventDefault() }, name.field, register.field),
    keep: async () => {
      shop = { name: name.read(), register_number: register.read() };
      await page.store.put([["account", "shop", shop]]);
    },
  };
}

function createView() {
  const fields = shopFields();
  show(
    h("h1", {}, t("till_create_title")),
    h("p", {}, t("till_create_text")),
    fields.fields,
    button(
      t("till_create_do"),
      async () => {
        try {
          await fields.keep();
          const made = await createBrowserAccount();
          await page.store.put([["account", "me", made]]);
          if (!(await keepStorage())) page.alert(() => t("storage_unsafe"));
          keys = await keptKeys(page.store, page.network);
          await withAccount();
        } catch (error) {
          page.alert(() => page.words(error));
        }
      },
      { class: "primary", id: "create" },
    ),
  );
}

function registerView() {
  const code = accountCode(keys.address);
  show(
    h("h1", {}, t("register_title")),
    h("p", {}, t("register_text")),
    drawQr(code, t("account_code")),
    h("p", { class: "code", id: "account-code" }, code),
  );
  const again = async () => {
    if (view !== registerView) return;
    try {
      if ((await askAccount(keys.address)).registered) await withAccount();
    } catch {
      // asked again
    }
    if (view === registerView) setTimeout(again, POLL_MS);
  };
  setTimeout(again, POLL_MS);
}

function settingsView() {
  const fields = shopFields();
  show(
    h("h1", {}, t("settings")),
    fields.fields,
    facts([
      [t("account_code"), h("span", { class: "code" }, accountCode(keys.address))],
      [t("balance"), page.money(link.party.spendable)],
    ]),
    button(
      t("save"),
      async () => {
        await fields.keep();
        go(keypadView);
      },
      { class: "primary" },
    ),
    button(t("back"), () => go(keypadView)),
  );
}

// ------------------------------------------------------------------ charging

// The keypad counts the smallest units, as card terminals do: 1, 2, 3 is 1.23.
const typedUnits = () => BigInt(typed || "0");

function keypadView() {
  waitingFor = null;
  const shown = h("output", { class: "amount", id: "typed", "aria-live": "polite" }, page.money(typedUnits()));
  const type = (digits) => {
    if ((typed + digits).replace(/^0+/, "").length <= DIGITS_MAX) typed = (typed + digits).replace(/^0+/, "");
    shown.textContent = page.money(typedUnits());
  };
  const key = (label, work, props = {}) => h("button", { type: "button", class: "key", onclick: work, ...props }, label);
  const receipt = textField("receipt-number", t("receipt_number"), "");
  const reference = textField("reference", t("reference"), "");
  show(
    h("h1", { class: "hidden" }, t("till")),
    shown,
    h(
      "div",
      { class: "keypad" },
      ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((digit) => key(digit, () => type(digit))),
      key("⌫", () => {
        typed = typed.slice(0, -1);
        shown.textContent = page.money(typedUnits());
      }, { "aria-label": t("erase") }),
      key("0", () => type("0")),
      key("00", () => type("00")),
    ),
    h("form", { class: "pair", onsubmit: (event) => event.preventDefault() }, receipt.field, reference.field),
    button(t("charge"), () => charge({ receipt_number: receipt.read(), reference: reference.read() }), {
      class: "primary large",
      id: "charge",
    }),
    h("nav", { class: "row-of-buttons" }, button(t("day"), () => go(dayView), { id: "day" }), button(t("settings"), () => go(settingsView))),
  );
}

async function charge(fields) {
  const amount = typedUnits();
  if (amount === 0n) {
    page.alert(() => t("amount_wrong"));
    return;
  }
  try {
    const details = writeDetails({ ...shop, ...fields });
    const made = await link.invoice(amount, { seconds: INVOICE_SECONDS, details });
    typed = "";
    const hash = toHex(made.invoice.secretHash);
    waitingFor = hash;
    go(() => chargeView(hash));
  } catch (error) {
    page.alert(() => page.words(error));
  }
}

function chargeView(hash) {
  const { invoice } = link.party.incoming.get(hash);
  const text = invoiceText(invoice);
  const amount = page.money(invoice.amount);
  const address = `${location.origin}/wallet#${text}`;
  const copy = button(t("charge_link"), async () => {
    try {
      await navigator.clipboard.writeText(address);
      copy.textContent = t("copied");
    } catch (error) {
      page.alert(() => page.words(error));
    }
  });
  show(
    h("h1", { id: "to-pay" }, t("charge_title", { amount })),
    drawQr(text, t("charge_text")),
    h("p", { id: "invoice-text", class: "hidden", "aria-hidden": true }, text),
    h("p", { role: "status" }, t("charge_wait")),
    copy,
    button(t("cancel"), () => go(keypadView)),
  );
}

function receivedView(hash) {
  const incoming = link.party.incoming.get(hash);
  const amount = page.money(incoming.invoice.amount);
  say(t("received_title", { amount }));
  show(
    h("p", { class: "tick", "aria-hidden": true }, "✓"),
    h("h1", { id: "received" }, t("received_title", { amount })),
    h("p", {}, t("received_text")),
    receiptFacts(incoming),
    button(t("new_charge"), () => go(keypadView), { class: "primary large", id: "next" }),
    button(t("print"), () => print()),
  );
}

function receiptFacts({ invoice, invoiceHash, paidTime, refunded }) {
  let details = {};
  try {
    details = readDetails(invoice.details);
  } catch {
    // shown without
  }
  return facts([
    [t("amount"), page.money(invoice.amount)],
    [t("time"), paidTime > 0 && page.when(paidTime)],
    ...DETAIL_NAMES.map((name) => [t(name), details[name]]),
    [t("refunded"), refunded > 0n && page.money(refunded)],
    [t("merchant_account"), shortCode(invoice.merchant)],
    [t("receipt_title"), h("span", { class: "code" }, toHex(invoiceHash))],
  ]);
}

// ------------------------------------------------------------------ the day

// Today as `YYYY-MM-DD` by this device's clock.
const dateOf = (seconds) => {
  const date = new Date(seconds * 1000);
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
};

function movementsOf(date) {
  const paid = [...link.party.incoming.values()].filter((one) => one.paidTime > 0);
  const lines = paid.map((one) => ({ kind: "payment", time: one.paidTime, amount: one.invoice.amount, of: one }));
  for (const one of paid) {
    for (const [time, amount] of one.refunds) lines.push({ kind: "refund", time, amount, of: one });
  }
  return lines.filter((line) => dateOf(line.time) === date).sort((one, other) => one.time - other.time);
}

function dayView(date = dateOf(Date.now() / 1000)) {
  const lines = movementsOf(date);
  const sum = (kind) => lines.filter((line) => line.kind === kind).reduce((total, line) => total + line.amount, 0n);
  const [received, refunded] = [sum("payment"), sum("refund")];
  const picker = h("input", { id: "date", type: "date", value: date });
  picker.addEventListener("change", () => go(() => dayView(picker.value || date)));
  show(
    h("h1", {}, t("day")),
    h("div", { class: "field" }, h("label", { for: "date" }, t("date")), picker),
    facts([
      [t("name"), shop.name],
      [t("register_number"), shop.register_number],
      [t("day_count"), String(lines.filter((line) => line.kind === "payment").length)],
      [t("day_received"), h("span", { id: "day-received" }, page.money(received))],
      [t("day_refunded"), h("span", { id: "day-refunded" }, page.money(refunded))],
      [t("day_net"), received >= refunded ? page.money(received - refunded) : `−${page.money(refunded - received)}`],
    ]),
    h("ul", { class: "list", id: "movements" }, lines.map(movementItem)),
    h(
      "div",
      { class: "row-of-buttons" },
      button(t("csv"), () => download(`alatau-${date}.csv`, "text/csv", csvOf(lines))),
      button(t("print"), () => print()),
    ),
    button(t("back"), () => go(keypadView), { class: "primary" }),
  );
}

function movementItem(line) {
  const hash = toHex(line.of.invoice.secretHash);
  const item = button("", () => go(() => receiptView(hash)), { class: "row" });
  let details = {};
  try {
    details = readDetails(line.of.invoice.details);
  } catch {
    // shown without
  }
  item.append(
    h("span", { class: "name" }, line.kind === "refund" ? t("refunded") : (details.reference ?? details.receipt_number ?? t("phase_paid"))),
    h("span", { class: "sum" }, `${line.kind === "refund" ? "−" : ""}${page.money(line.amount)}`),
    h("span", { class: "note" }, page.when(line.time)),
  );
  return h("li", {}, item);
}

// A spreadsheet takes a text that begins with = + - or @ for a formula; a quote before it keeps it a text.
function cell(value) {
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return `"${text.replaceAll('"', '""')}"`;
}

function csvOf(lines) {
  const { decimals, symbol } = page.network;
  const head = ["time", "kind", "amount", "currency", "receipt_number", "fiscal_sign", "reference", "invoice_hash"];
  const rows = lines.map((line) => {
    let details = {};
    try {
      details = readDetails(line.of.invoice.details);
    } catch {
      // written without
    }
    const amount = formatUnits(line.amount, decimals, "en").replaceAll(",", "");
    return [
      new Date(line.time * 1000).toISOString(),
      line.kind,
      amount,
      symbol,
      details.receipt_number ?? "",
      details.fiscal_sign ?? "",
      details.reference ?? "",
      toHex(line.of.invoiceHash),
    ];
  });
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function receiptView(hash) {
  const incoming = link.party.incoming.get(hash);
  const left = incoming.invoice.amount - incoming.refunded;
  show(
    h("h1", {}, t("receipt_title")),
    receiptFacts(incoming),
    left > 0n && button(t("refund"), () => go(() => refundView(hash)), { id: "refund" }),
    button(t("print"), () => print()),
    button(t("back"), () => go(() => dayView()), { class: "primary" }),
  );
}

function refundView(hash) {
  const { decimals } = page.network;
  const incoming = link.party.incoming.get(hash);
  const left = incoming.invoice.amount - incoming.refunded;
  const input = h("input", {
    id: "refund-amount",
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    "aria-describedby": "refund-left",
    value: formatUnits(left, decimals, "en").replaceAll(",", ""),
  });
  show(
    h("h1", {}, t("refund_title")),
    h("p", { id: "refund-left" }, t("refund_left", { amount: page.money(left) })),
    h("div", { class: "field" }, h("label", { for: "refund-amount" }, t("amount")), input),
    button(
      t("refund_do"),
      async () => {
        const amount = parseUnits(input.value, decimals);
        if (amount === null || amount === 0n || amount > left) {
          page.alert(() => t("amount_wrong"));
          return;
        }
        try {
          say(t("refunding"));
          await link.refund(incoming.invoice.secretHash, amount, REFUND_MS);
          say("");
          go(() => receiptView(hash));
        } catch (error) {
          say("");
          const isSigned = link.party.refunding !== null;
          page.alert(() => (isSigned ? t("refund_wait") : page.words(error)));
          go(() => receiptView(hash));
        }
      },
      { class: "primary", id: "refund-do" },
    ),
    button(t("cancel"), () => go(() => receiptView(hash))),
  );
}

void page.start(main);
