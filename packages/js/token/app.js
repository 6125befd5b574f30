// The token in the browser: opens the keys, shows their codes, and leads to everything else.

import { Card, nameOf, words } from "./cards.js";
import { button, byId, h, say, script, show } from "./dom.js";
import { load } from "./dskpp.js";
import { LANGUAGES, current, preferred, t, use } from "./text.js";
import { Tokens } from "./tokens.js";
import { StorageRefused, Vault } from "./vault.js";

/** @typedef {import("./dskpp.js").TokenInfo} TokenInfo */
/** What `server.json` says. @typedef {{ issuer: string, help: string, help_link: string | null, has_logo: boolean, urls: string[], owners_renew: boolean }} Server */

/** The keys, which take longest; `undefined` where browsers give pages no cryptography. */
const opening = isSecureContext ? Vault.open() : undefined;
opening?.catch(() => undefined); // it is looked at later

/** @type {Promise<import("./dskpp.js").Dskpp> | undefined} */
let starting;
/** The module, which is started when it is needed first. */
function dskpp() {
  starting ??= WebAssembly.compileStreaming(fetch("dskpp.wasm")).then(load);
  return starting;
}

// What is seldom needed runs when it is needed, so that codes are there sooner.
const adding = () => import("./adding.js");
const settings = () => import("./settings.js");

/** Milliseconds between two looks at the clock. */
const TICK_MS = 250;
/** Milliseconds that the first view has to be painted before the module is started. */
const PAINT_MS = 100;
/** Keys from which on there is a search. */
const SEARCH_FROM = 2;
/** What no view shows of a key. */
const UNSEEN = ["serverId", "kServerFingerprint"];

/** What views show of keys. @param {TokenInfo[]} tokens */
function seen(tokens) {
  return JSON.stringify(tokens, (name, value) => (UNSEEN.includes(name) ? undefined : value));
}

export class App {
  /** @param {Vault} vault @param {Tokens} tokens */
  constructor(vault, tokens) {
    this.dskpp = dskpp;
    this.vault = vault;
    this.tokens = tokens;
    /** @type {Card[]} */
    this.cards = [];
    /** The list of keys that was shown last. @type {HTMLElement | undefined} */
    this.list = undefined;
    this.searched = "";
    vault.changes.onmessage = ({ data }) => (data === "protection" ? location.reload() : this.refresh());
    setInterval(() => this.cards.forEach((card) => card.tick()), TICK_MS);
  }

  /** The list of keys. */
  home() {
    const list = h("ul", { class: "tokens" });
    const none = h("p", { class: "quiet", hidden: true }, t("none_found"));
    const tokens = this.tokens.list();
    this.cards = tokens.map((token) => new Card(this, token));
    list.append(...this.cards.map((card) => card.element));
    const search = h("input", { id: "search", type: "search", autocomplete: "off" });
    search.value = this.searched;
    const filter = () => {
      this.searched = search.value;
      const words = search.value.toLowerCase().split(/\s+/);
      const text = (/** @type {TokenInfo} */ token) => [nameOf(token), token.issuer, token.user, token.id].join(" ").toLowerCase();
      for (const { element, token } of this.cards) element.hidden = !words.every((word) => text(token).includes(word));
      none.hidden = this.cards.some(({ element }) => !element.hidden);
    };
    search.addEventListener("input", filter);
    show(
      tokens.length === 0 ? t("no_keys") : t("keys"),
      tokens.length === 0 && h("p", {}, t("no_keys_means")),
      tokens.length >= SEARCH_FROM && h("div", { class: "fields" }, h("label", { for: "search" }, t("search")), search),
      list,
      none,
      h("p", {}, button(t("add"), () => this.add(), { class: tokens.length === 0 ? "main" : false })),
    );
    if (tokens.length >= SEARCH_FROM) filter();
    if (this.cards.some(({ code }) => code)) performance.mark("code");
    this.list = list;
  }

  /** Asks for a code or a link. */
  async add() {
    (await adding()).add(this);
  }

  /** Takes up what another tab has changed. */
  async refresh() {
    await this.tokens.reload();
    const ids = this.tokens.list().map(({ id, label }) => `${id} ${label}`);
    const shown = this.cards.map(({ token: { id, label } }) => `${id} ${label}`);
    if (this.#isListShown() && ids.join("\n") !== shown.join("\n")) this.home();
  }

  #isListShown() {
    return this.list?.isConnected && !document.querySelector("dialog");
  }

  /** After the first view: the module's word counts. */
  async settle() {
    const shown = seen(this.tokens.list());
    await new Promise((painted) => {
      requestAnimationFrame(() => setTimeout(painted));
      setTimeout(painted, PAINT_MS); // a hidden tab is not painted
    });
    await this.tokens.opened();
    if (seen(this.tokens.list()) !== shown && this.#isListShown()) this.home();
    else for (const card of this.cards) card.refresh();
  }

  /** @param {string} id @param {1 | -1} by */
  async move(id, by) {
    await this.tokens.move(id, by);
    this.home();
    const card = this.cards.find(({ token }) => token.id === id);
    card?.element.querySelector("summary")?.focus();
    say(t("moved", { place: this.cards.findIndex(({ token }) => token.id === id) + 1 }));
  }

  /** One tap renews a key where its issuer allows that. Without a code to prove the key, it takes a link. @param {TokenInfo} token */
  async renew(token) {
    const canAsk = token.makesCodes && !token.needsChallenge && !token.needsPin && server?.owners_renew !== false;
    if (canAsk) return (await adding()).renew(this, token);
    show(t("renew"), h("p", {}, t("renew_means", { name: nameOf(token) })), h("div", { class: "row" }, button(t("add"), () => this.add(), { class: "main" }), button(t("cancel"), () => this.home())));
  }

  /** The URL at which a typed code is used: exactly as the server spells it. */
  serverUrl() {
    const urls = server?.urls ?? [];
    return urls.find((url) => new URL(url).origin === location.origin) ?? urls[0] ?? new URL("../dskpp", location.href).href;
  }

  helpLine() {
    return helpLine();
  }

  /** Installs the app, where the browser offers it. */
  installButton() {
    const offer = installation;
    return offer && button(t("install"), () => /** @type {any} */ (offer).prompt());
  }
}

/** @type {Server | undefined} */
let server;
/** Whether the browser refused to keep the app for times without a network. */
let isOnlineOnly = false;
/** The browser's offer to install the app. @type {Event | undefined} */
let installation;

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  installation = event;
});

function helpLine() {
  if (!server?.help) return undefined;
  const help = server.help_link ? h("a", { href: server.help_link }, server.help) : server.help;
  return h("p", {}, `${t("link_help")} `, help);
}

/** For whom the frame is. @type {[App?, Vault?]} */
let framed = [];

/** What stands above and below every view. @param {App} [app] @param {Vault} [vault] */
function frame(app, vault = app?.vault) {
  framed = [app, vault];
  const logo = server?.has_logo && h("img", { src: "logo", alt: "" });
  byId("header").replaceChildren(...[logo, h("span", {}, server?.issuer ?? location.host)].filter((child) => child instanceof Node));
  const select = h("select", { id: "language" }, ...Object.entries(LANGUAGES).map(([tag, name]) => h("option", { value: tag, lang: tag }, name)));
  select.value = current();
  select.addEventListener("change", async () => {
    use(/** @type {import("./text.js").Language} */ (select.value));
    await vault?.setLanguage(select.value);
    frame(app, vault);
    app?.home();
  });
  const links = app && [button(t("protection"), async () => (await settings()).protection(app), { class: "link" }), button(t("about"), async () => (await settings()).about(app), { class: "link" })];
  byId("footer").replaceChildren(
    ...(isOnlineOnly ? [h("p", { class: "note", id: "not-offline" }, t("not_offline"))] : []),
    ...(links ? [h("p", { class: "row" }, ...links)] : []),
    h("p", { class: "row" }, h("label", { for: "language" }, t("language")), select),
    ...[helpLine()].filter((line) => line instanceof Node),
  );
}

/** The link that brought us here. It goes out of the address and the history at once. */
function takeLink() {
  const given = new URLSearchParams(location.hash.slice(1));
  const [token, language] = [given.get("enroll"), given.get("lang")];
  if (location.hash) history.replaceState(null, "", "./");
  let isConfirmed = false;
  try {
    if (token) {
      isConfirmed = sessionStorage.getItem("dskpp-set-up") === token;
      sessionStorage.removeItem("dskpp-set-up");
    }
  } catch {
    // storage is switched off: it is asked again
  }
  return { token: token && /^[0-9A-Za-z]{1,128}$/.test(token) ? token : undefined, language, isConfirmed };
}

/** What the server says of itself; codes do not wait for it. @param {App} app */
async function meet(app) {
  try {
    server = await (await fetch("server.json")).json();
    frame(app);
  } catch {
    // without a network it stays as it is
  }
}

/** The page cannot keep keys here. @param {string} name @param {string | undefined} token */
function cannot(name, token) {
  frame(undefined);
  const page = token && new URL(`../enroll/${token}`, location.href).href;
  show(t("cannot"), h("p", { class: "note" }, t(name)), h("p", { id: "next" }, t(`${name}_next`)), page && h("p", {}, h("a", { href: page }, t("other_ways"))));
}

async function workOffline() {
  try {
    await navigator.serviceWorker?.register(script("sw.js"), { updateViaCache: "none" });
  } catch {
    isOnlineOnly = true;
    frame(...framed);
  }
}

/** What comes after the codes: the way of a link, or a warning. @param {App} app @param {ReturnType<typeof takeLink>} link */
async function follow(app, { token, isConfirmed }) {
  const { byLink, confirmLink, warnUnlessKept } = await adding();
  if (token) await (isConfirmed ? byLink : confirmLink)(app, token);
  else if (app.cards.length > 0) await warnUnlessKept(app, false);
}

async function start() {
  const link = takeLink();
  use(preferred(undefined, link.language));
  if (!opening) return cannot("insecure", link.token);
  try {
    if (link.token) dskpp().catch(() => undefined);
    const vault = await opening;
    const { store: sealed, language } = vault.found;
    use(preferred(language, link.language));
    const go = async () => {
      const app = new App(vault, await Tokens.open(dskpp, vault));
      if (!link.token) app.home();
      frame(app);
      meet(app);
      follow(app, link);
      await app.settle();
    };
    if (sealed && sealed.mode !== "browser") {
      frame(undefined, vault);
      (await settings()).locked(/** @type {App} */ (/** @type {unknown} */ ({ dskpp, vault })), sealed, go);
    } else await go();
    addEventListener("hashchange", () => location.hash && location.reload());
    workOffline();
  } catch (why) {
    if (why instanceof StorageRefused) return cannot("no_storage", link.token);
    frame(undefined);
    show(t("failed"), h("p", { class: "note" }, words(why)), button(t("again"), () => location.reload(), { class: "main" }));
  }
}

start();
