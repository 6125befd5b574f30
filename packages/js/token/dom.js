// Elements, made from text only: nothing is ever read as HTML.

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element. A property `onclick` is a listener; `true` is an attribute without a value; `false` and `undefined` are
 * left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** What the app starts beside its modules; the page's policy (Trusted Types) lets it start nothing else. */
const SCRIPTS = ["worker.js", "sw.js"];

const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("dskpp", {
  createScriptURL(/** @type {string} */ url) {
    if (SCRIPTS.includes(url)) return url;
    throw new TypeError(url);
  },
});

/** A script of the app, for browsers that ask for proof that it is one. @param {"worker.js" | "sw.js"} name @returns {string} */
export function script(name) {
  return policy ? policy.createScriptURL(name) : name;
}

/**
 * A button.
 * @param {string} text
 * @param {(event: Event) => unknown} act
 * @param {Record<string, unknown>} [properties]
 */
export function button(text, act, properties = {}) {
  return h("button", { type: "button", onclick: act, ...properties }, text);
}

/** The element with this id, which is in the page from its beginning. @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no ${id}`);
  return element;
}

/** Shows another view, and tells those who do not see it where they are. @param {string} title @param {...Child} children */
export function show(title, ...children) {
  const heading = h("h1", { tabindex: "-1" }, title);
  byId("main").replaceChildren(heading);
  for (const child of children) if (child) byId("main").append(child);
  document.title = title;
  say("");
  // With the next picture: at once, it would compute the layout twice.
  requestAnimationFrame(() => {
    window.scrollTo(0, 0);
    if (!byId("main").contains(document.activeElement)) heading.focus();
  });
  return heading;
}

/** Says something to those who do not see it. @param {string} text */
export function say(text) {
  byId("status").textContent = text;
}

/**
 * Asks a question in a dialog. Resolves with the text of its field, "" without one; `undefined` for no.
 * @param {{ title: string, text?: string, yes: string, no: string, field?: string, value?: string, secret?: boolean }} question
 * @returns {Promise<string | undefined>}
 */
export function ask({ title, text, yes, no, field, value = "", secret = false }) {
  const input = field
    ? h("input", { id: "answer", type: secret ? "password" : "text", autocomplete: "off", spellcheck: "false", maxlength: "256" })
    : undefined;
  if (input) input.value = value;
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "question" }, title),
    text && h("p", {}, text),
    field && h("label", { for: "answer" }, field),
    input,
    h(
      "p",
      { class: "row" },
      h("button", { value: "yes", class: "main" }, yes),
      h("button", { value: "no", formnovalidate: true }, no),
    ),
  );
  const dialog = h("dialog", { "aria-labelledby": "question" }, form);
  document.body.append(dialog);
  dialog.showModal();
  input?.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? (input?.value ?? "") : undefined);
    });
  });
}
