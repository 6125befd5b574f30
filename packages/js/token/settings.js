// What protects the keys, and what this app is.

import { words } from "./cards.js";
import { ask, button, h, say, show } from "./dom.js";
import { mayHavePasskey, newPasskey, newSalt, ofPasskey, ofPassphrase } from "./protection.js";
import { t } from "./text.js";
import { Locked } from "./vault.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./vault.js").Sealed} Sealed */

/** Fewest characters of a passphrase. */
const MIN_PASSPHRASE = 8;

/** Says what protects the keys, and offers more. @param {App} app */
export async function protection(app) {
  const mode = (await app.vault.sealed())?.mode ?? "browser";
  const set = (/** @type {() => Promise<string | undefined>} */ change) => async () => {
    const said = await change().catch(words);
    await protection(app);
    if (said) say(said);
    if (said) document.getElementById("said")?.replaceChildren(said);
  };
  show(
    t("protection"),
    h("p", { id: "mode" }, t(`mode_${mode}`)),
    h("p", { id: "said", class: "quiet" }),
    h("h2", {}, t("protects")),
    h("ul", {}, ...["protects_sites", "protects_copy"].map((name) => h("li", {}, t(name)))),
    h("h2", {}, t("protects_not")),
    h("ul", {}, ...["not_disk", "not_server", "not_user", "not_malware", "not_lost"].map((name) => h("li", {}, t(name)))),
    h("h2", {}, t("more_protection")),
    app.tokens.list().length === 0
      ? h("p", {}, t("protect_empty"))
      : h(
          "div",
          { class: "row" },
          button(t("use_passphrase"), set(() => usePassphrase(app))),
          mayHavePasskey() && button(t("use_passkey"), set(() => usePasskey(app))),
          mode !== "browser" && button(t("use_browser"), set(() => useBrowser(app))),
        ),
    h("p", {}, button(t("back"), () => app.home())),
  );
}

/** @param {App} app */
async function usePassphrase(app) {
  const first = await ask({ title: t("use_passphrase"), text: t("passphrase_means", { least: MIN_PASSPHRASE }), field: t("passphrase"), secret: true, yes: t("go_on"), no: t("cancel") });
  if (first === undefined) return undefined;
  if ([...first].length < MIN_PASSPHRASE) return t("passphrase_short", { least: MIN_PASSPHRASE });
  const second = await ask({ title: t("passphrase_again"), field: t("passphrase"), secret: true, yes: t("ok"), no: t("cancel") });
  if (second === undefined) return undefined;
  if (first !== second) return t("passphrase_differs");
  const salt = newSalt();
  await app.vault.protect({ mode: "passphrase", salt }, await ofPassphrase(await app.dskpp(), first, salt));
  return t("protected");
}

/** @param {App} app */
async function usePasskey(app) {
  const made = await newPasskey(t("app"));
  if (!made) return t("no_prf");
  await app.vault.protect({ mode: "passkey", salt: made.salt, credential: made.credential }, made.key);
  return t("protected");
}

/** @param {App} app */
async function useBrowser(app) {
  await app.vault.protect({ mode: "browser" });
  return t("unprotected");
}

/** Asks for the passphrase or the passkey until the keys open. @param {App} app @param {Sealed} sealed @param {() => unknown} then */
export function locked(app, sealed, then) {
  const said = h("p", { role: "status", class: "quiet", id: "said" });
  const open = async (/** @type {Promise<CryptoKey>} */ making) => {
    try {
      const second = await making;
      await app.vault.unseal(sealed, second);
      app.vault.second = second;
    } catch (why) {
      said.textContent = why instanceof Locked ? t("wrong_passphrase") : words(why);
      return;
    }
    await then();
  };
  if (sealed.mode === "passkey") {
    show(t("locked"), h("p", {}, button(t("open_passkey"), () => open(ofPasskey(sealed)), { class: "main" })), said);
    return;
  }
  const input = h("input", { id: "passphrase", type: "password", autocomplete: "current-password", required: true });
  const form = h("form", { class: "fields" }, h("label", { for: "passphrase" }, t("passphrase")), input, h("button", { class: "main" }, t("open")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    said.textContent = t("opening");
    // The words are on the screen before the computation begins.
    setTimeout(async () => open(ofPassphrase(await app.dskpp(), input.value, sealed.salt ?? newSalt())), 30);
  });
  show(t("locked"), form, said);
  input.focus();
}

/** What runs here: its version and the hash of the module, to be compared with what the project publishes. @param {App} app */
export async function about(app) {
  const hash = h("code", {}, "…");
  show(
    t("about"),
    h("p", {}, t("about_means")),
    h("dl", {}, h("dt", {}, t("origin")), h("dd", {}, location.origin), h("dt", {}, t("module")), h("dd", {}, hash)),
    h("p", { class: "quiet" }, t("about_origin")),
    h("p", {}, button(t("back"), () => app.home())),
  );
  const octets = await (await fetch("dskpp.wasm")).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", octets));
  hash.textContent = `sha256:${[...digest].map((octet) => octet.toString(16).padStart(2, "0")).join("")}`;
}
