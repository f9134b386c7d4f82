// The resident's wallet.

import {
  accountCode,
  askAccount,
  beginLink,
  keptKeys,
  openChannel,
  payIn,
  shortCode,
} from "./account.js";
import { toHex } from "./bytes.js";
import { button, download, facts, h, say, show } from "./dom.js";
import * as hub from "./hub.js";
import {
  DETAIL_NAMES,
  InvoiceError,
  checkInvoice,
  checkReceipt,
  readDetails,
  readInvoiceText,
  receiptText,
} from "./invoice.js";
import { canHavePasskeys, createBrowserAccount, createPasskeyAccount, findPasskeyAccount } from "./keys.js";
import { channelId, invoiceDigest } from "./messages.js";
import { parseUnits } from "./money.js";
import { Page } from "./page.js";
import { isUnderWay } from "./party.js";
import { drawQr, scan } from "./qr.js";
import { keepStorage } from "./store.js";
import { t } from "./texts.js";

const PAY_MS = 60_000;
const READY_MS = 20_000;
const READY_PAUSE_MS = 1_000;
const CLOSE_MS = 90_000;
const CLOSE_SECONDS = 1_800;
const POLL_MS = 3_000;
const ALLOWANCES = [0n, 500_000n, 2_000_000n, 10_000_000n]; // token units
const CREDIT_MS = 30_000;

const page = new Page("wallet", "alatau-wallet");
let keys = null;
let link = null;
let account = null;
let view = () => {};

function go(next) {
  view = next;
  page.redraw = next;
  next();
}

async function main() {
  keys = await keptKeys(page.store, page.network);
  if (keys === null) go(createView);
  else await withAccount();
}

async function withAccount() {
  account = await askAccount(keys.address);
  if (account.channel !== null) await withChannel();
  else if (account.registered) go(openView);
  else go(registerView);
}

async function withChannel() {
  const id = account.channel.channelId;
  const isLent = keys.grant !== null && toHex(keys.grant.channelId) === toHex(id);
  if (keys.asks && !isLent) {
    go(connectView);
    return;
  }
  link?.stop();
  link = await beginLink(page.network, keys, page.store, account.channel, { told, changed });
  go(homeView);
  payFromLink();
}

function told(effect) {
  if (effect.tell === "dispute") page.alert(() => t("dispute", { text: effect.text }));
  if (effect.tell === "refunded" && link.party.outgoing.has(toHex(effect.invoiceHash))) {
    say(`${t("refunded")}: ${page.money(effect.amount)}`);
  }
}

function changed() {
  page.status(link.connected);
  if (view === homeView) refreshHome();
}

// A link or a scanned code opens the page with an invoice behind #; it is asked for once.
function payFromLink() {
  const text = decodeURIComponent(location.hash.slice(1));
  if (!text) return;
  history.replaceState(null, "", location.pathname + location.search);
  offer(text);
}

// ------------------------------------------------------------------ beginning

function createView() {
  const passkeys = canHavePasskeys(page.network.relyingParty);
  show(
    h("h1", {}, t("create_title")),
    h("p", {}, t("create_text")),
    passkeys ? button(t("create_passkey"), () => create(() => createPasskeyAccount(page.network.relyingParty, t("wallet"))), { class: "primary" }) : h("p", {}, t("no_passkeys")),
    passkeys &&
      button(t("have_passkey"), () =>
        create(() => findPasskeyAccount(page.network.relyingParty, async () => say(t("have_passkey_second")))),
      ),
    button(t("create_browser"), () => go(createBrowserView)),
  );
}

function createBrowserView() {
  show(
    h("h1", {}, t("create_browser")),
    h("p", { class: "warning" }, t("create_browser_warning")),
    button(t("create_browser_yes"), () => create(createBrowserAccount), { class: "primary" }),
    button(t("back"), () => go(createView)),
  );
}

async function create(make) {
  try {
    const made = await make();
    await page.store.put([["account", "me", made]]);
    if (!(await keepStorage())) page.alert(() => t("storage_unsafe"));
    keys = await keptKeys(page.store, page.network);
    await withAccount();
  } catch (error) {
    page.alert(() => page.words(error));
  }
}

function registerView() {
  const code = accountCode(keys.address);
  show(
    h("h1", {}, t("register_title")),
    h("p", {}, t("register_text")),
    drawQr(code, t("account_code")),
    h("p", { class: "code", id: "account-code" }, code),
    copyButton(t("copy"), code),
  );
  poll(registerView, async () => {
    account = await askAccount(keys.address);
    if (account.registered || account.channel !== null) await withAccount();
  });
}

// Ask again and again while a view stays.
function poll(of, ask) {
  setTimeout(async () => {
    if (view !== of) return;
    try {
      await ask();
    } catch {
      // asked again
    }
    if (view === of) poll(of, ask);
  }, POLL_MS);
}

function openView() {
  if (account.balance === 0n) {
    show(
      h("h1", {}, t("open_title")),
      h("p", {}, t("open_empty")),
      h("p", { class: "code" }, accountCode(keys.address)),
      copyButton(t("copy"), accountCode(keys.address)),
    );
    poll(openView, async () => {
      account = await askAccount(keys.address);
      if (account.balance > 0n) go(openView);
    });
    return;
  }
  const amount = amountField(t("amount"), account.balance);
  const allowance = allowanceField();
  show(
    h("h1", {}, t("open_title")),
    h("p", {}, t("open_text", { amount: page.money(account.balance) })),
    h("form", { onsubmit: (event) => event.preventDefault() }, amount.field, keys.asks && allowance.field),
    button(t("open_do"), () => open(amount.read(), allowance.read()), { class: "primary", id: "open" }),
  );
}

async function open(amount, allowance) {
  if (amount === null || amount > account.balance) {
    page.alert(() => t("amount_wrong"));
    return;
  }
  try {
    say(t("opening"));
    const parties = { a: keys.address, b: page.network.hub, salt: account.nextSalt };
    await openChannel(page.network, keys, page.store, account.nextSalt, amount);
    await keys.lend(channelId(page.network.domain, parties), allowance, allowance);
    say("");
    await withAccount();
  } catch (error) {
    page.alert(() => page.words(error));
    await withAccount().catch(() => {});
  }
}

function connectView() {
  const allowance = allowanceField();
  show(
    h("h1", {}, t("connect_title")),
    h("p", {}, t("connect_text")),
    h("form", { onsubmit: (event) => event.preventDefault() }, allowance.field),
    button(
      t("connect_do"),
      async () => {
        try {
          await keys.lend(account.channel.channelId, 0n, allowance.read());
          await withChannel();
        } catch (error) {
          page.alert(() => page.words(error));
        }
      },
      { class: "primary" },
    ),
  );
}

// ------------------------------------------------------------------ home

function homeView() {
  show(
    h("h1", { class: "balance" }, h("span", { class: "label" }, t("balance")), h("span", { id: "balance" }, "")),
    button(t("pay"), () => go(scanView), { class: "primary large", id: "pay" }),
    h("section", { "aria-labelledby": "history-title" }, h("h2", { id: "history-title" }, t("history")), h("ul", { id: "history", class: "list" })),
    button(t("more"), () => go(moreView), { id: "more" }),
  );
  refreshHome();
}

function refreshHome() {
  const { party } = link;
  if (party.state.phase !== "open") {
    go(closedView);
    return;
  }
  document.getElementById("balance").textContent = page.money(party.spendable);
  const list = document.getElementById("history");
  const payments = [...party.outgoing.values()].sort((one, other) => other.time - one.time);
  list.replaceChildren(...payments.slice(0, 50).map(paymentItem));
  if (payments.length === 0) list.replaceChildren(h("li", {}, t("history_empty")));
}

function paymentItem(outgoing) {
  const name = merchantName(outgoing.invoice);
  const item = button("", () => go(() => paymentView(outgoing.invoiceHash)), { class: "row" });
  item.append(
    h("span", { class: "name" }, name),
    h("span", { class: "sum" }, page.money(outgoing.lock.amount)),
    h("span", { class: "note" }, page.when(outgoing.time)),
    h("span", { class: `note phase-${outgoing.phase}` }, stateOf(outgoing)),
  );
  return h("li", {}, item);
}

const stateOf = (outgoing) =>
  outgoing.refunded > 0n ? `${t("refunded")} ${page.money(outgoing.refunded)}` : t(`phase_${outgoing.phase}`);

// The name that the merchant gives itself, else its account.
function merchantName(invoice) {
  return safeDetails(invoice).name ?? shortCode(invoice.merchant);
}

function safeDetails(invoice) {
  try {
    return readDetails(invoice.details);
  } catch {
    return {};
  }
}

function invoiceRows(invoice) {
  const details = safeDetails(invoice);
  return [
    [t("merchant"), details.name],
    [t("merchant_account"), shortCode(invoice.merchant)],
    ...DETAIL_NAMES.filter((name) => name !== "name").map((name) => [t(name), details[name]]),
  ];
}

// ------------------------------------------------------------------ paying

function scanView() {
  const video = h("video", { playsinline: true, muted: true, "aria-label": t("scan_title") });
  const pasted = h("input", { id: "pasted", type: "text", autocomplete: "off", inputmode: "url" });
  let stop = () => {};
  const leave = (next) => {
    stop();
    next();
  };
  const accept = (text) => {
    if (!text.includes("alatau:")) return false;
    leave(() => offer(text));
    return true;
  };
  show(
    h("h1", {}, t("scan_title")),
    h("p", { id: "scan-text" }, t("scan_text")),
    video,
    h("label", { for: "pasted" }, t("paste")),
    pasted,
    button(t("paste_do"), () => leave(() => offer(pasted.value)), { id: "paste" }),
    button(t("cancel"), () => leave(() => go(homeView))),
  );
  scan(video, accept)
    .then((stopping) => {
      stop = stopping;
      if (view !== scanView) stop();
    })
    .catch(() => {
      video.remove();
      const line = document.getElementById("scan-text");
      if (line) line.textContent = t("camera_none");
    });
}

// What a scanned text or a link asks for, before anything is signed. From here on the page shows and signs one and the same
// object: every digest is computed from it.
function offer(text) {
  let invoice;
  try {
    invoice = Object.freeze(readInvoiceText(text));
    const known = link.party.outgoing.get(toHex(invoiceDigest(page.network.domain, invoice)));
    if (known) {
      go(() => (isUnderWay(known) ? unknownView(known.invoiceHash) : paymentView(known.invoiceHash)));
      return;
    }
    checkInvoice(page.network.domain, invoice, link.now.time);
    if (toHex(invoice.hub) !== toHex(page.network.hub)) throw new InvoiceError("hub", "another hub's");
    readDetails(invoice.details);
  } catch (error) {
    go(homeView);
    page.alert(() => page.words(error));
    return;
  }
  go(() => confirmView(invoice));
}

function confirmView(invoice) {
  const fee = link.fee(invoice.amount);
  const total = invoice.amount + fee;
  const enough = total <= link.party.spendable;
  show(
    h("h1", {}, t("confirm_title")),
    h("p", { class: "amount", id: "confirm-amount" }, page.money(invoice.amount)),
    facts([
      ...invoiceRows(invoice),
      [t("fee"), fee > 0n && page.money(fee)],
      [t("total"), fee > 0n && page.money(total)],
      [t("left_after"), enough && page.money(link.party.spendable - total)],
    ]),
    enough
      ? button(t("pay_do", { amount: page.money(total) }), () => pay(invoice), { class: "primary large", id: "confirm" })
      : h("p", { class: "warning" }, t("too_little")),
    button(t("cancel"), () => go(homeView)),
  );
}

async function pay(invoice) {
  say(t("paying"));
  const began = performance.now();
  try {
    const { outgoing, failure } = await payWhenReady(invoice);
    document.documentElement.dataset.lastPaymentMs = String(Math.round(performance.now() - began));
    say("");
    if (outgoing.phase === "paid") go(() => paidView(outgoing));
    else go(() => failedView(page.refusal(failure, outgoing)));
  } catch (error) {
    say("");
    const hash = invoiceDigest(page.network.domain, invoice);
    if (link.party.outgoing.has(toHex(hash))) go(() => unknownView(hash));
    else go(() => failedView(page.words(error)));
  }
}

// The hub puts money into a merchant's channel when a payment finds too little there, and says so; and a till that is busy is
// free a moment later. Nothing was taken then, so the page asks again by itself for a while.
async function payWhenReady(invoice) {
  const end = Date.now() + READY_MS;
  for (;;) {
    const paid = await link.pay(invoice, PAY_MS);
    const isPassing = ["NO_LIQUIDITY", "MERCHANT_BUSY"].includes(paid.failure?.reason);
    if (paid.outgoing.phase === "paid" || !isPassing || Date.now() > end) return paid;
    say(t(`refused_${paid.failure.reason}`));
    await new Promise((resolve) => {
      setTimeout(resolve, READY_PAUSE_MS);
    });
  }
}

function paidView(outgoing) {
  say(t("paid_title"));
  show(
    h("p", { class: "tick", "aria-hidden": true }, "✓"),
    h("h1", { id: "paid" }, t("paid_title")),
    h("p", { class: "amount" }, page.money(outgoing.lock.amount)),
    facts(invoiceRows(outgoing.invoice)),
    button(t("receipt_title"), () => go(() => paymentView(outgoing.invoiceHash)), { id: "receipt" }),
    button(t("ok"), () => go(homeView), { class: "primary" }),
  );
}

function failedView(text) {
  show(
    h("p", { class: "cross", "aria-hidden": true }, "✕"),
    h("h1", {}, t("failed_title")),
    h("p", { role: "alert" }, text),
    h("p", {}, t("not_taken")),
    button(t("ok"), () => go(homeView), { class: "primary" }),
  );
}

function unknownView(invoiceHash) {
  show(
    h("h1", {}, t("unknown_title")),
    h("p", { role: "alert" }, t("unknown_text")),
    button(t("ok"), () => go(homeView), { class: "primary" }),
  );
  const hash = toHex(invoiceHash);
  const shown = view;
  link
    .until(() => !isUnderWay(link.party.outgoing.get(hash)), 3_600_000)
    .then(() => {
      if (view === shown) go(() => paymentView(invoiceHash));
    })
    .catch(() => {});
}

function paymentView(invoiceHash) {
  const outgoing = link.party.outgoing.get(toHex(invoiceHash));
  const { invoice, secret } = outgoing;
  let good = false;
  if (secret !== null) {
    try {
      checkReceipt(page.network.domain, { invoice, secret });
      good = true;
    } catch {
      good = false;
    }
  }
  show(
    h("h1", {}, t("receipt_title")),
    h("p", { class: "amount" }, page.money(outgoing.lock.amount)),
    facts([
      ...invoiceRows(invoice),
      [t("time"), page.when(outgoing.time)],
      [t("status"), stateOf(outgoing)],
      [t("status"), outgoing.phase === "refused" && outgoing.note],
    ]),
    secret !== null && h("p", { class: good ? "good" : "warning", id: "receipt-check" }, t(good ? "receipt_good" : "receipt_bad")),
    good && copyButton(t("receipt_copy"), receiptText(invoice, secret)),
    button(t("back"), () => go(homeView), { class: "primary" }),
  );
}

// ------------------------------------------------------------------ more

function moreView() {
  const fresh = askAccount(keys.address).then(
    (found) => {
      account = found;
      if (view === moreView) {
        document.getElementById("account-money").textContent = page.money(found.balance);
        document.getElementById("limits").replaceChildren(limitRows());
      }
    },
    () => {},
  );
  void fresh;
  show(
    h("h1", {}, t("more")),
    h("h2", {}, t("limits")),
    h("div", { id: "limits" }, limitRows()),
    h("h2", {}, t("account")),
    facts([
      [t("account_code"), h("span", { class: "code" }, accountCode(keys.address))],
      [t("account_money"), h("span", { id: "account-money" }, page.money(account.balance))],
      [t("allowance"), keys.asks && page.money(allowanceLeft())],
    ]),
    button(t("top_up"), () => go(topUpView)),
    button(t("export"), exportData),
    button(t("close_title"), () => go(closeView)),
    button(t("back"), () => go(homeView), { class: "primary" }),
  );
}

function allowanceLeft() {
  const used = link.party.mine.latest?.voucher.transferred ?? 0n;
  return keys.grant && keys.grant.cap > used ? keys.grant.cap - used : 0n;
}

// Limits of the account's tier, and what payments of this day and month have used of them, as this wallet knows.
function limitRows() {
  const { limits } = page.network;
  const own = limits.find((one) => one.tier === account.tier) ?? limits[0];
  if (!own) return h("p", {}, t("limit_none"));
  const now = new Date();
  const since = (start) =>
    [...link.party.outgoing.values()]
      .filter((one) => one.time * 1000 >= start && (one.phase === "paid" || isUnderWay(one)))
      .reduce((sum, one) => sum + one.lock.amount, 0n);
  const shown = (limit, used) => {
    if (limit >= 1n << 100n) return t("limit_none");
    return used === null ? page.money(limit) : t("limit_left", { limit: page.money(limit), left: page.money(limit > used ? limit - used : 0n) });
  };
  return facts([
    [t("limit_payment"), shown(own.payment, null)],
    [t("limit_day"), shown(own.day, since(new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime()))],
    [t("limit_month"), shown(own.month, since(new Date(now.getFullYear(), now.getMonth(), 1).getTime()))],
  ]);
}

function topUpView() {
  const amount = amountField(t("amount"), account.balance);
  show(
    h("h1", {}, t("top_up")),
    h("p", {}, t("open_text", { amount: page.money(account.balance) })),
    h("form", { onsubmit: (event) => event.preventDefault() }, amount.field),
    button(
      t("top_up"),
      async () => {
        const units = amount.read();
        if (units === null || units === 0n || units > account.balance) {
          page.alert(() => t("amount_wrong"));
          return;
        }
        try {
          await payIn(page.network, keys, link.party.state.parties, units);
          go(homeView);
        } catch (error) {
          page.alert(() => page.words(error));
        }
      },
      { class: "primary" },
    ),
    button(t("back"), () => go(moreView)),
  );
}

function closeView() {
  show(
    h("h1", {}, t("close_title")),
    h("p", {}, t("close_text", { amount: page.money(link.party.spendable) })),
    button(t("close_do"), close, { class: "primary", id: "close" }),
    button(t("cancel"), () => go(moreView)),
  );
}

async function close() {
  try {
    say(t("closing"));
    await link.close(CLOSE_SECONDS, CLOSE_MS);
    say("");
  } catch (error) {
    page.alert(() => page.words(error));
  }
}

function closedView() {
  const { state } = link.party;
  show(
    h("h1", {}, t("close_title")),
    state.phase === "closing"
      ? h("p", {}, t("closing_text", { time: page.when(state.window.time) }))
      : h("p", {}, t("loading")),
  );
  if (state.phase === "settled") void payOut();
  else poll(closedView, async () => refreshClosed());
}

async function refreshClosed() {
  if (link.party.state.phase === "settled") go(closedView);
}

// What the contract owes comes to the account; then the wallet can be opened again.
async function payOut() {
  try {
    const end = Date.now() + CREDIT_MS;
    do {
      account = await askAccount(keys.address);
      if (account.credit > 0n) break;
      await new Promise((resolve) => {
        setTimeout(resolve, 1_000);
      });
    } while (Date.now() < end && account.channel !== null);
    if (account.credit > 0n) await hub.claim(keys.address);
    link.stop();
    await withAccount();
  } catch (error) {
    page.alert(() => page.words(error));
    show(h("h1", {}, t("close_title")), button(t("claim"), payOut, { class: "primary" }));
  }
}

function exportData() {
  const plain = (_key, value) => {
    if (typeof value === "bigint") return String(value);
    if (value instanceof Uint8Array) return toHex(value);
    return value;
  };
  const { party } = link;
  const data = {
    account: accountCode(keys.address),
    channel: party.state,
    payments: [...party.outgoing.values()].map((one) => ({
      ...one,
      receipt: one.secret === null ? null : receiptText(one.invoice, one.secret),
    })),
    delegation: keys.grant,
  };
  download("alatau-wallet.json", "application/json", JSON.stringify(data, plain, 1));
}

// ------------------------------------------------------------------ fields

function amountField(label, most) {
  const { decimals } = page.network;
  const scale = 10n ** BigInt(decimals);
  const input = h("input", { id: "amount", type: "text", inputmode: "decimal", autocomplete: "off", value: String(most / scale) });
  return {
    field: h("div", { class: "field" }, h("label", { for: "amount" }, label), input),
    read: () => parseUnits(input.value, decimals),
  };
}

function allowanceField() {
  const select = h(
    "select",
    { id: "allowance", "aria-describedby": "allowance-text" },
    ALLOWANCES.map((units, at) => h("option", { value: String(at) }, units === 0n ? t("allowance_none") : page.money(units))),
  );
  return {
    field: h(
      "div",
      { class: "field" },
      h("label", { for: "allowance" }, t("allowance")),
      select,
      h("p", { class: "note", id: "allowance-text" }, t("allowance_text")),
    ),
    read: () => ALLOWANCES[Number(select.value)],
  };
}

function copyButton(label, text) {
  const element = button(label, async () => {
    try {
      await navigator.clipboard.writeText(text);
      say(t("copied"));
      element.textContent = t("copied");
    } catch (error) {
      page.alert(() => page.words(error));
    }
  });
  return element;
}

addEventListener("hashchange", () => {
  if (link !== null && location.hash.length > 1) payFromLink();
});

void page.start(main);
