// What wallet and till share: language, the one open tab, the network, trouble in words.

import { CLOCK_SECONDS_MAX, askNetwork } from "./account.js";
import { ChannelError } from "./channel.js";
import { button, h, say, show } from "./dom.js";
import { HubError } from "./hub.js";
import { InvoiceError } from "./invoice.js";
import { KeyError } from "./keys.js";
import { formatUnits } from "./money.js";
import { Store } from "./store.js";
import { chooseLanguage, currentLanguage, hasText, languages, t } from "./texts.js";

export class Page {
  constructor(name, databaseName) {
    this.name = name;
    this.databaseName = databaseName;
    this.network = null;
    this.store = null;
    this.redraw = () => {};
  }

  // Language, one tab, storage, network; then `main`.
  async start(main) {
    chooseLanguage(new URLSearchParams(location.search).get("lang"));
    this.#frame();
    registerWorker();
    if (!isSecureContext) {
      show(h("h1", {}, t(this.name)), h("p", { role: "alert" }, t("insecure")));
      return;
    }
    const held = await this.#hold();
    if (!held) {
      show(h("h1", {}, t(this.name)), h("p", { role: "alert" }, t("other_tab")));
      return;
    }
    this.store = await Store.open(this.databaseName);
    this.main = main;
    await this.connect();
  }

  async connect() {
    show(h("h1", {}, t(this.name)), h("p", {}, t("loading")));
    try {
      this.network = await askNetwork();
      if (Math.abs(this.network.clockOff) > CLOCK_SECONDS_MAX) {
        const minutes = Math.round(Math.abs(this.network.clockOff) / 60);
        this.alert(() => t("clock_wrong", { minutes }));
      }
      await this.main();
    } catch (error) {
      show(
        h("h1", {}, t(this.name)),
        h("p", { role: "alert" }, this.words(error)),
        button(t("again"), () => this.connect()),
      );
    }
  }

  money(units) {
    const { decimals, symbol } = this.network;
    return `${formatUnits(units, decimals, currentLanguage())}\u00a0${symbol}`;
  }

  when(seconds) {
    const date = new Date(seconds * 1000);
    const two = (number) => String(number).padStart(2, "0");
    const day = `${two(date.getDate())}.${two(date.getMonth() + 1)}.${date.getFullYear()}`;
    return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  }

  // What went wrong, for people.
  words(error) {
    if (error instanceof KeyError) return t(error.code, { text: error.message });
    if (error instanceof InvoiceError) return t(hasText(error.code) ? error.code : "damaged");
    if (error instanceof HubError) {
      return error.code === "unreachable" || error.code === "ended"
        ? t("hub_away")
        : t("refused_OTHER", { text: error.message });
    }
    if (error instanceof ChannelError) return t("trouble", { text: error.message });
    return t("trouble", { text: String(error?.message ?? error) });
  }

  // Why the hub or the merchant did not take a payment.
  refusal(failure, outgoing) {
    if (!failure?.reason) return outgoing.note === "expired" ? t("expired") : t("refused_OTHER", { text: outgoing.note });
    const values = { ...failure.details, text: outgoing.note };
    for (const name of ["limit", "used"]) {
      if (/^\d+$/.test(values[name] ?? "")) values[name] = this.money(BigInt(values[name]));
    }
    const key = `refused_${failure.reason}`;
    return t(hasText(key) ? key : "refused_OTHER", values);
  }

  // A line above the view that stays until it is closed; `words` gives its text in the language of now.
  alert(words) {
    const text = h("p", {}, words());
    const line = h("div", { class: "notice", role: "alert" }, text);
    const close = button(t("ok"), () => line.remove(), { class: "small" });
    line.append(close);
    line.addEventListener("language", () => {
      text.textContent = words();
      close.textContent = t("ok");
    });
    document.getElementById("notices").append(line);
  }

  status(connected) {
    const line = document.getElementById("status");
    this.connected = connected;
    line.textContent = connected ? t("online") : t("offline");
    line.className = connected ? "online" : "offline";
  }

  #frame() {
    document.title = t(this.name);
    document.getElementById("title").textContent = t(this.name);
    const select = document.getElementById("language");
    select.setAttribute("aria-label", t("language"));
    select.replaceChildren(
      ...languages.map(([code, label]) =>
        h("option", { value: code, selected: code === currentLanguage(), lang: code }, label),
      ),
    );
    select.onchange = () => {
      chooseLanguage(select.value);
      document.title = t(this.name);
      document.getElementById("title").textContent = t(this.name);
      select.setAttribute("aria-label", t("language"));
      say("");
      for (const line of document.querySelectorAll(".notice")) line.dispatchEvent(new Event("language"));
      if (this.connected !== undefined) this.status(this.connected);
      this.redraw();
    };
  }

  // One tab signs at a time: two would sign two vouchers of one number.
  #hold() {
    return new Promise((resolve) => {
      void navigator.locks.request(this.databaseName, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise(() => {});
      });
    });
  }
}

function registerWorker() {
  if (!navigator.serviceWorker) return;
  const address = "/service-worker.js";
  const policy = globalThis.trustedTypes?.createPolicy("alatau", {
    createScriptURL: (url) => {
      if (url !== address) throw new TypeError("no other script");
      return url;
    },
  });
  navigator.serviceWorker.register(policy ? policy.createScriptURL(address) : address).catch(() => {});
}
