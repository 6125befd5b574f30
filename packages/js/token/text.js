// The texts of the page, from message files.

import de from "./messages/de.json" with { type: "json" };
import en from "./messages/en.json" with { type: "json" };

/** Languages that there are, with their own names. */
export const LANGUAGES = { en: "English", de: "Deutsch" };

/** @typedef {keyof typeof LANGUAGES} Language */

/** @type {Record<Language, Record<string, string>>} */
const FILES = { en, de };

/** @type {Record<string, string>} */
let messages = en;
/** @type {Language} */
let language = "en";

/** @param {string | null | undefined} tag @returns {Language | undefined} */
function known(tag) {
  const primary = tag?.toLowerCase().split("-")[0] ?? "";
  return primary in LANGUAGES ? /** @type {Language} */ (primary) : undefined;
}

/**
 * The language that the person chose, else that of the link, else the browser's.
 * @param {string | null} [chosen]
 * @param {string | null} [ofLink]
 */
export function preferred(chosen, ofLink) {
  return known(chosen) ?? known(ofLink) ?? navigator.languages.map(known).find((tag) => tag) ?? "en";
}

/** Takes a language's texts. @param {Language} tag */
export function use(tag) {
  messages = FILES[tag];
  language = tag;
  document.documentElement.lang = tag;
}

export function current() {
  return language;
}

/**
 * A message, with `{name}` replaced by the value of that name.
 * @param {string} name
 * @param {Record<string, string | number>} [values]
 */
export function t(name, values = {}) {
  const text = messages[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (whole, blank) => String(values[blank] ?? whole));
}

/** Whether there is such a message. @param {string} name */
export function has(name) {
  return name in messages;
}

/** A day and a time in the page's language. @param {string | Date} when */
export function time(when) {
  return new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" }).format(new Date(when));
}
