// A key as it stands in the list: its code, and what can be done with it.

import { ask, button, h, say } from "./dom.js";
import { has, t, time } from "./text.js";
import { Tokens } from "./tokens.js";

/** @typedef {import("./dskpp.js").TokenInfo} TokenInfo */
/** @typedef {import("./app.js").App} App */

/** What a person calls the key. @param {TokenInfo} token */
export function nameOf(token) {
  return token.label || token.issuer || t("unnamed");
}

/** @param {TokenInfo} token */
function ownerOf(token) {
  const parts = [token.label && token.issuer, token.user].filter((part) => part && !token.label?.includes(part));
  return parts.join(" · ");
}

/** What went wrong, in words. @param {unknown} why */
export function words(why) {
  const { code, message } = /** @type {Error & { code?: string }} */ (why);
  return code && has(`fail_${code}`) ? t(`fail_${code}`) : message;
}

export class Card {
  /** @param {App} app @param {TokenInfo} token */
  constructor(app, token) {
    this.app = app;
    this.token = token;
    /** The code that is shown. */
    this.code = "";
    this.validUntil = 0;
    // A code that changes by itself would be read out all the time; one that was asked for is read out once.
    this.digits = h("p", { class: "code", "data-code": true, role: !Tokens.isSteady(token) && "status" });
    this.left = h("span", { class: "quiet" });
    this.bar = h("progress", { max: String(token.period ?? 30), "aria-label": t("time_left") });
    this.note = h("p", { class: "quiet" });
    this.copyButton = button(t("copy"), () => this.copy(), { hidden: true });
    const owner = ownerOf(token);
    this.element = h(
      "li",
      { class: "token", "data-key": token.id },
      h("h2", {}, nameOf(token)),
      owner && h("p", { class: "quiet" }, owner),
      token.makesCodes ? this.digits : h("p", { class: "quiet" }, t("no_codes")),
      this.#how(),
      this.#expiry(),
      this.note,
      this.#more(),
    );
    this.tick();
  }

  /** How a code is made: at once, by a button, or for a challenge. */
  #how() {
    const { token } = this;
    if (!token.makesCodes) return undefined;
    if (Tokens.isSteady(token)) return h("div", { class: "row" }, this.bar, this.left, this.copyButton);
    if (!token.needsChallenge && !token.needsPin) {
      const next = button(t("next_code"), () => this.make(), { class: "main" });
      return h("div", { class: "row" }, next, this.copyButton);
    }
    const [challenge, pin] = ["challenge", "pin"].map((name) =>
      h("input", { id: `${name}-${token.id}`, autocomplete: "off", maxlength: "128", type: name === "pin" ? "password" : "text", required: true }),
    );
    const form = h(
      "form",
      { class: "fields" },
      token.needsChallenge && h("label", { for: challenge?.id }, t("challenge")),
      token.needsChallenge && challenge,
      token.needsPin && h("label", { for: pin?.id }, t("pin")),
      token.needsPin && pin,
      h("div", { class: "row" }, h("button", { class: "main" }, t("make_answer")), this.copyButton),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.make({ challenge: challenge?.value || undefined, pin: pin?.value || undefined });
    });
    return form;
  }

  #expiry() {
    const { expiry, renewalDue } = this.token;
    if (!expiry || !renewalDue) return undefined;
    const isOver = new Date(expiry).getTime() < Date.now();
    return h(
      "div",
      { class: "note" },
      h("p", {}, t(isOver ? "expired" : "expires", { time: time(expiry) })),
      button(t("renew"), () => this.app.renew(this.token), { class: "main" }),
    );
  }

  #more() {
    const { app, token } = this;
    const name = nameOf(token);
    const actions = [
      token.makesCodes && !token.needsChallenge && !token.needsPin && button(t("test"), () => this.test()),
      token.serverUrl && !token.renewalDue && button(t("renew"), () => app.renew(token)),
      button(t("rename"), () => this.rename()),
      button(t("up"), () => app.move(token.id, -1)),
      button(t("down"), () => app.move(token.id, 1)),
      token.mayBeHandedOver && button(t("hand_over"), () => this.handOver()),
      button(t("delete"), () => this.remove(), { class: "danger" }),
    ];
    return h("details", {}, h("summary", { "aria-label": t("more_of", { name }) }, t("more")), h("div", { class: "row" }, ...actions));
  }

  /** Keeps a steady code and its time right; called some times a second. */
  tick() {
    const { token } = this;
    if (!token.makesCodes || !Tokens.isSteady(token)) return;
    const now = Date.now();
    if (now >= this.validUntil) {
      try {
        const otp = this.app.tokens.codeNow(token);
        if (!otp) return;
        this.validUntil = otp.validUntil?.getTime() ?? now + (otp.validFor ?? 1) * 1000;
        this.put(otp.code);
      } catch (why) {
        this.validUntil = Infinity;
        this.note.textContent = words(why);
        return;
      }
    }
    const left = Math.max(0, Math.ceil((this.validUntil - now) / 1000));
    this.bar.value = left;
    this.left.textContent = t("seconds", { seconds: left });
  }

  /** Looks at the code again at once. */
  refresh() {
    this.validUntil = 0;
    this.tick();
  }

  /** Shows a code. @param {string} code */
  put(code) {
    this.code = code;
    this.digits.textContent = code;
    this.copyButton.hidden = false;
  }

  /** Makes the next code: its counter is stored before it is shown. @param {import("./dskpp.js").OtpInput} [input] */
  async make(input) {
    try {
      const { code } = await this.app.tokens.code(this.token, input);
      this.note.textContent = "";
      this.put(code);
    } catch (why) {
      this.note.textContent = words(why);
      say(words(why));
    }
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.code);
      say(t("copied"));
    } catch {
      getSelection()?.selectAllChildren(this.digits);
      say(t("not_copied"));
    }
  }

  /** Shows a code to the server, which says whether it is right. */
  async test() {
    if (!Tokens.isSteady(this.token)) await this.make();
    this.note.textContent = t(`test_${await this.app.tokens.check(this.token, this.code)}`);
    say(this.note.textContent);
  }

  async rename() {
    const label = await ask({ title: t("rename"), field: t("new_name"), value: nameOf(this.token), yes: t("ok"), no: t("cancel") });
    if (label === undefined) return;
    await this.app.tokens.change({ rename: this.token.id, label: label.trim() || null });
    this.app.home();
  }

  async remove() {
    const name = nameOf(this.token);
    const yes = await ask({ title: t("delete_question", { name }), text: t("delete_means"), yes: t("delete"), no: t("keep") });
    if (yes === undefined) return;
    await this.app.tokens.change({ delete: this.token.id });
    this.app.home();
    say(t("deleted", { name }));
  }

  /** The key for another app on this device: only after a question. */
  async handOver() {
    const yes = await ask({ title: t("hand_over_question"), text: t("hand_over_means"), yes: t("hand_over_yes"), no: t("cancel") });
    if (yes === undefined) return;
    try {
      location.assign(await this.app.tokens.handOver(this.token));
    } catch (why) {
      this.note.textContent = words(why);
    }
  }
}
