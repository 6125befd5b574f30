// The ways to a new key: an enrolment link, or a code that is typed.

import { Card, words } from "./cards.js";
import { ask, button, byId, h, show } from "./dom.js";
import { Refused, enroll, facts, pageOf, renewalOf, tokenOf, trigger } from "./enrolling.js";
import { current, has, t, time } from "./text.js";
import { Tokens } from "./tokens.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./dskpp.js").EnrollRequest} EnrollRequest */

/** Asks for a code or a link. @param {App} app @param {string} [typed] */
export async function add(app, typed = "") {
  const dskpp = await app.dskpp();
  const hint = h("p", { id: "hint", class: "quiet", role: "status" });
  const input = h("input", {
    id: "code",
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: "false",
    "aria-describedby": "hint",
    required: true,
  });
  input.value = typed;
  const check = () => {
    if (tokenOf(input.value)) {
      hint.textContent = t("is_link");
      input.removeAttribute("aria-invalid");
      return;
    }
    const { complete, possible, digits, error, formatted } = dskpp.checkCode(input.value);
    // Groups appear as one types; not while one corrects something further to the left.
    if (possible && input.selectionStart === input.value.length) input.value = formatted;
    if (error) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    hint.textContent = complete ? t("code_complete") : error ? t("code_wrong", { error }) : t("code_digits", { digits });
  };
  input.addEventListener("input", check);
  const form = h(
    "form",
    { class: "fields" },
    h("label", { for: "code" }, t("code_or_link")),
    input,
    hint,
    h("div", { class: "row" }, h("button", { class: "main" }, t("set_up")), button(t("cancel"), () => app.home())),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const token = tokenOf(input.value);
    if (token) confirmLink(app, token);
    else if (dskpp.checkCode(input.value).complete) run(app, { code: input.value, url: app.serverUrl() }, () => add(app, input.value));
    else {
      check();
      input.focus();
    }
  });
  show(t("add"), h("p", {}, t("add_means")), form);
  input.focus();
}

/** Says what a link is and asks; the page of the link has done so already where its button was used. @param {App} app @param {string} token */
export async function confirmLink(app, token) {
  try {
    const link = await facts(token, current());
    show(
      t("link_title"),
      h(
        "dl",
        {},
        ...["link_from", "link_for", "link_what", "link_until"].flatMap((name, i) => [
          h("dt", {}, t(name)),
          h("dd", {}, [link.issuer, link.user, link.what, time(link.expires_at)][i]),
        ]),
      ),
      h("div", { class: "row" }, button(t("link_set_up"), () => byLink(app, token), { class: "main" }), button(t("cancel"), () => app.home())),
      h("p", {}, h("a", { href: pageOf(token) }, t("other_ways"))),
    );
  } catch (why) {
    failed(app, why, () => confirmLink(app, token), pageOf(token));
  }
}

/** Gets the key of a link. @param {App} app @param {string} token */
export async function byLink(app, token) {
  const again = () => byLink(app, token);
  try {
    const [document, link] = await Promise.all([trigger(token, current()), facts(token, current()).catch(() => undefined)]);
    const label = link && `${link.issuer} (${link.user})`;
    await run(app, { trigger: document, label }, again, pageOf(token));
  } catch (why) {
    failed(app, why, again, pageOf(token));
  }
}

/** Renews a key without a link: one tap. @param {App} app @param {import("./dskpp.js").TokenInfo} token */
export async function renew(app, token) {
  const again = () => renew(app, token);
  const step = h("p", { role: "status", class: "step" }, t("step_asking_renewal"));
  show(t("renewing"), h("progress", { "aria-label": t("renewing") }), step, h("p", { class: "quiet" }, t("keep_open")));
  /** @type {string} */
  let link;
  try {
    link = await renewalOf(app.tokens, token);
  } catch (why) {
    return failed(app, why, again);
  }
  await finish(app, link, token.id);
}

/** Goes on with the link of a renewal, which stays good where an answer is lost. @param {App} app @param {string} link @param {string} id */
async function finish(app, link, id) {
  const again = () => finish(app, link, id);
  try {
    await run(app, { trigger: await trigger(link, current()), renew: id }, again, pageOf(link));
  } catch (why) {
    failed(app, why, again, pageOf(link));
  }
}

/** @param {App} app @param {EnrollRequest} request @param {() => unknown} again @param {string} [page] */
export async function run(app, request, again, page) {
  const step = h("p", { role: "status", class: "step" }, t("step_starting"));
  show(t("setting_up"), h("progress", { "aria-label": t("setting_up") }), step, h("p", { class: "quiet" }, t("keep_open")));
  const answer = (/** @type {import("./dskpp.js").ServerChange} */ change) =>
    ask({ title: t("other_server"), text: `${change.text} ${t("other_server_means")}`, yes: t("go_on"), no: t("stop") });
  try {
    const enrolled = await enroll(request, app.vault.second, {
      step: (name) => step.replaceChildren(t(name)),
      ask: async (change) => (await answer(change)) !== undefined,
    });
    await app.tokens.reload();
    await done(app, enrolled.keyId);
  } catch (why) {
    failed(app, why, again, page);
  }
}

/** The new key with its code; the server looks at the code where it can. @param {App} app @param {string} id */
async function done(app, id) {
  const token = app.tokens.find(id);
  if (!token) return app.home();
  const card = new Card(app, token);
  app.cards = [card];
  const state = h("p", { role: "status" });
  const needsInput = token.needsChallenge || token.needsPin;
  const check = async () => {
    state.textContent = t("done_checking");
    state.textContent = t(`done_${await app.tokens.check(token, card.code)}`);
  };
  const again = async () => {
    if (!Tokens.isSteady(token)) await card.make();
    await check();
  };
  show(
    t("done"),
    h("ul", { class: "tokens" }, card.element),
    state,
    h("div", { class: "row" }, token.makesCodes && !needsInput && button(t("test"), again), button(t("all_keys"), () => app.home(), { class: "main" })),
  );
  // The browser may ask the person first: the code does not wait for that.
  warnUnlessKept(app, true);
  if (needsInput) state.textContent = t("done_input");
  if (!token.makesCodes || needsInput) return;
  if (!card.code) await card.make();
  await check();
}

/**
 * Says what to do if the browser does not promise to keep the keys.
 * @param {App} app
 * @param {boolean} isNew whether to ask for the promise: some browsers ask the person
 */
export async function warnUnlessKept(app, isNew) {
  const heading = byId("main").firstElementChild;
  const { storage } = navigator;
  const isKept = await (isNew ? storage?.persist?.() : storage?.persisted?.())?.catch(() => false);
  const isApple = navigator.vendor.startsWith("Apple") && !matchMedia("(display-mode: standalone)").matches;
  // Another view may be there by now.
  if ((isKept && !isApple) || byId("main").firstElementChild !== heading) return;
  byId("main").append(h("div", { class: "note", id: "not-kept" }, h("p", {}, t(isApple ? "not_kept_apple" : "not_kept")), app.installButton()));
}

/** What went wrong and what to do next. @param {App} app @param {unknown} why @param {() => unknown} again @param {string} [page] */
export function failed(app, why, again, page) {
  const refused = why instanceof Refused ? why : new Refused("defect", { detail: words(why) });
  const { code, detail, next, elsewhere } = refused;
  const isKnown = has(`fail_${code}`);
  const text = isKnown ? t(`fail_${code}`) : detail || t("fail_defect");
  const advice = has(`fail_${code}_next`) ? t(`fail_${code}_next`) : next || t("fail_defect_next");
  show(
    t("failed"),
    h("p", { class: "note", role: "alert" }, text),
    h("p", { id: "next" }, advice),
    elsewhere && h("p", {}, h("a", { href: elsewhere }, elsewhere)),
    app.helpLine(),
    h("div", { class: "row" }, button(t("again"), again, { class: "main" }), button(t("all_keys"), () => app.home())),
    page && h("p", {}, h("a", { href: page }, t("other_ways"))),
    isKnown && detail && h("details", {}, h("summary", {}, t("details")), h("p", {}, detail)),
  );
}
