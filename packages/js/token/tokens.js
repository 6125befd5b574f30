// The keys in the vault, and the module that makes codes of them. Until the module is there, they are those of the first view.

import { First } from "./first.js";

/** @typedef {import("./dskpp.js").Dskpp} Dskpp */
/** @typedef {import("./dskpp.js").TokenInfo} TokenInfo */
/** @typedef {import("./dskpp.js").Otp} Otp */
/** @typedef {import("./dskpp.js").OtpInput} OtpInput */
/** @typedef {import("./vault.js").Vault} Vault */

export class Tokens {
  /** @type {First | undefined} */
  #first;
  /** The keys in the module, once that is there. @type {import("./dskpp.js").Tokens | undefined} */
  #handle;
  /** @type {Promise<import("./dskpp.js").Tokens> | undefined} */
  #opened;

  /** @param {() => Promise<Dskpp>} start starts the module @param {Vault} vault @param {string[]} order */
  constructor(start, vault, order) {
    this.start = start;
    this.vault = vault;
    this.order = order;
  }

  /** The keys of the vault, with or without the module. @param {() => Promise<Dskpp>} start @param {Vault} vault */
  static async open(start, vault) {
    const tokens = new Tokens(start, vault, vault.found.order);
    const { store } = vault.found;
    tokens.#first = store && (await First.of(await vault.unseal(store)));
    if (!tokens.#first) await tokens.opened();
    return tokens;
  }

  /** The keys in the module, which is started for them. */
  opened() {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open() {
    const [dskpp, store] = await Promise.all([this.start(), this.vault.read()]);
    this.#handle = dskpp.open(store);
    this.#first = undefined;
    return this.#handle;
  }

  /** Takes up what another tab or the worker has changed. */
  async reload() {
    const handle = await this.opened();
    const [store, order] = await Promise.all([this.vault.read(), this.vault.order()]);
    if (store) handle.reload(store);
    this.order = order;
  }

  /** The keys in the person's order; those that were replaced are left out. */
  list() {
    const place = (/** @type {TokenInfo} */ { id }) => {
      const at = this.order.indexOf(id);
      return at < 0 ? this.order.length : at;
    };
    const tokens = this.#handle?.list() ?? this.#first?.tokens ?? [];
    return tokens.filter((token) => !token.oldOf).sort((a, b) => place(a) - place(b));
  }

  /** @param {string} id */
  find(id) {
    return this.list().find((token) => token.id === id);
  }

  /** Whether a look at the code changes nothing, so that it can be shown all the time. @param {TokenInfo} token */
  static isSteady(token) {
    return token.type === "totp" && token.usesLeft === undefined;
  }

  /**
   * The next code. A counter that it moves is on disk before this resolves, and no other tab gets the same code.
   * @param {TokenInfo} token
   * @param {OtpInput} [input]
   * @returns {Promise<Otp>}
   */
  async code(token, input) {
    return this.#change((handle) => handle.otp(token.id, input));
  }

  /** The code of a steady key, at once; `undefined` where only the module could tell. @param {TokenInfo} token @returns {Otp | undefined} */
  codeNow(token) {
    if (this.#handle) return this.#handle.otp(token.id);
    const otp = this.#first?.codes.get(token.id);
    return otp?.validUntil && otp.validUntil.getTime() > Date.now() ? otp : undefined;
  }

  /** The proof for `POST /renew`. @param {TokenInfo} token @param {string} code */
  async renewal(token, code) {
    return (await this.opened()).renewal(token.id, code);
  }

  /** The link for another app. @param {TokenInfo} token */
  async handOver(token) {
    return this.#change((handle) => handle.otpauth(token.id));
  }

  /** @param {import("./dskpp.js").Change} change */
  async change(change) {
    await this.#change((handle) => handle.change(change));
  }

  /**
   * @template T
   * @param {(handle: import("./dskpp.js").Tokens) => T} act
   */
  async #change(act) {
    const handle = await this.opened();
    return this.vault.update((current) => {
      if (current) handle.reload(current);
      const result = act(handle);
      return { store: handle.store(), result };
    });
  }

  /** Moves a key up or down in the list. @param {string} id @param {1 | -1} by */
  async move(id, by) {
    const ids = this.list().map((token) => token.id);
    const from = ids.indexOf(id);
    const to = from + by;
    if (from < 0 || to < 0 || to >= ids.length) return;
    ids.splice(to, 0, ...ids.splice(from, 1));
    this.order = ids;
    await this.vault.setOrder(ids);
    this.vault.changes.postMessage("store");
  }

  /**
   * Asks the server whether the code is right; it activates a key that waits for its first code (RFC 6063 §10.5), and
   * uses up no code of an active one.
   * @param {TokenInfo} token
   * @param {string} otp
   * @returns {Promise<"right" | "activated" | "wrong" | "no_answer">} "activated": it is right, and used up now
   */
  async check(token, otp) {
    const handle = await this.opened();
    const body = JSON.stringify({ key_id: token.id, otp, mac: handle.activation(token.id, otp) });
    try {
      const answer = await fetch("../activate", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        credentials: "omit",
        cache: "no-store",
      });
      if (!answer.ok) return "no_answer";
      const { active, used } = await answer.json();
      if (!active) return "wrong";
      await this.#forgetReplaced(token.id);
      return used ? "activated" : "right";
    } catch {
      return "no_answer";
    }
  }

  /** A server that accepts the new key needs the old one no more. @param {string} id */
  async #forgetReplaced(id) {
    const handle = await this.opened();
    if (handle.list().some(({ oldOf }) => oldOf === id)) await this.change({ forgetReplaced: id });
  }
}
