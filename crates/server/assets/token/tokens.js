// The keys in the vault, and the module that makes codes of them.

/** @typedef {import("./dskpp.js").Dskpp} Dskpp */
/** @typedef {import("./dskpp.js").TokenInfo} TokenInfo */
/** @typedef {import("./dskpp.js").Otp} Otp */
/** @typedef {import("./dskpp.js").OtpInput} OtpInput */
/** @typedef {import("./vault.js").Vault} Vault */

export class Tokens {
  /** @param {Dskpp} dskpp @param {Vault} vault @param {Uint8Array | undefined} store @param {string[]} order */
  constructor(dskpp, vault, store, order) {
    this.dskpp = dskpp;
    this.vault = vault;
    this.handle = dskpp.open(store);
    this.order = order;
  }

  /** @param {Dskpp} dskpp @param {Vault} vault */
  static async open(dskpp, vault) {
    const [store, order] = await Promise.all([vault.read(), vault.order()]);
    return new Tokens(dskpp, vault, store, order);
  }

  /** Takes up what another tab or the worker has changed. */
  async reload() {
    const [store, order] = await Promise.all([this.vault.read(), this.vault.order()]);
    if (store) this.handle.reload(store);
    this.order = order;
  }

  /** The keys in the person's order; those that were replaced are left out. */
  list() {
    const place = (/** @type {TokenInfo} */ { id }) => {
      const at = this.order.indexOf(id);
      return at < 0 ? this.order.length : at;
    };
    return this.handle
      .list()
      .filter((token) => !token.oldOf)
      .sort((a, b) => place(a) - place(b));
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

  /** The code of a steady key, at once. @param {TokenInfo} token */
  codeNow(token) {
    return this.handle.otp(token.id);
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
  #change(act) {
    return this.vault.update((current) => {
      if (current) this.handle.reload(current);
      const result = act(this.handle);
      return { store: this.handle.store(), result };
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
    const body = JSON.stringify({ key_id: token.id, otp, mac: this.handle.activation(token.id, otp) });
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
    if (this.handle.list().some(({ oldOf }) => oldOf === id)) await this.change({ forgetReplaced: id });
  }
}
