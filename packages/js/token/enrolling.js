// Enrolment as the page sees it: the link's facts and trigger, and the worker that gets the key.

import { script } from "./dom.js";

/** @typedef {import("./dskpp.js").EnrollRequest} EnrollRequest */
/** @typedef {import("./dskpp.js").Enrolled} Enrolled */
/** @typedef {import("./worker.js").FromWorker} FromWorker */

/**
 * What a link is, in words.
 * @typedef {object} Facts
 * @property {string} issuer
 * @property {string} user
 * @property {string} what
 * @property {string} expires_at
 * @property {string | null} device
 * @property {string | null} help
 */

/** Why there is no key. `code` stands for a message, `fail_…`; `detail` is the library's own words. */
export class Refused extends Error {
  /** @param {string} code @param {{ detail?: string, next?: string, elsewhere?: string }} [more] */
  constructor(code, { detail, next, elsewhere } = {}) {
    super(code);
    this.code = code;
    this.detail = detail;
    this.next = next;
    /** Where the link has to be opened instead. */
    this.elsewhere = elsewhere;
  }
}

/** The enrolment page of a token. @param {string} token */
export function pageOf(token) {
  return new URL(`../enroll/${encodeURIComponent(token)}`, location.href).href;
}

/** The token of a link, or of what a person took for it. @param {string} text */
export function tokenOf(text) {
  return /\/enroll\/([0-9A-Za-z]+)/.exec(text.trim())?.[1];
}

/** @param {string} token @param {string} accept @param {string} language */
async function get(token, accept, language) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(pageOf(token), {
      headers: { accept, "accept-language": language },
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
    });
  } catch (cause) {
    throw new Refused("noAnswer", { detail: String(cause) });
  }
  if (answer.ok) return answer;
  throw new Refused({ 404: "linkUnknown", 410: "linkOver", 429: "busy" }[answer.status] ?? "unavailable");
}

/** What the link is. @param {string} token @param {string} language @returns {Promise<Facts>} */
export async function facts(token, language) {
  return (await get(token, "application/json", language)).json();
}

/** The trigger of a link. It is not used up by this. @param {string} token @param {string} language */
export async function trigger(token, language) {
  const text = await (await get(token, "application/dskpp+xml", language)).text();
  // Only for the advice: the module reads the trigger, and the page's policy lets it send nothing to another origin.
  const url = /<(?:[\w.-]+:)?ServerUrl>\s*([^<\s]+)/.exec(text)?.[1];
  // The page may speak only with the server that it came from, and keeps keys only for that.
  if (url && new URL(url).origin !== location.origin) {
    throw new Refused("otherOrigin", { elsewhere: new URL(`enroll/${token}`, url).href });
  }
  return text;
}

/**
 * Asks the server for a renewal of a key: a code, which the server uses up, and a MAC prove that this is its client.
 * @param {import("./tokens.js").Tokens} tokens
 * @param {import("./dskpp.js").TokenInfo} token
 * @returns {Promise<string>} the token of the link
 */
export async function renewalOf(tokens, token) {
  const { code } = await tokens.code(token);
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch("../renew", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key_id: token.id, otp: code, mac: await tokens.renewal(token, code) }),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
    });
  } catch (cause) {
    throw new Refused("noAnswer", { detail: String(cause) });
  }
  if (!answer.ok) throw new Refused({ 404: "notRenewed", 409: "notRenewed", 429: "busy" }[answer.status] ?? "unavailable");
  const link = tokenOf((await answer.json()).trigger_url);
  if (!link) throw new Refused("badServer");
  return link;
}

/**
 * Gets the key in a worker.
 * @param {EnrollRequest} request
 * @param {CryptoKey | undefined} second the vault's second key, if it has one
 * @param {{ step: (name: string) => void, ask: (change: import("./dskpp.js").ServerChange) => Promise<boolean> }} page
 * @returns {Promise<Enrolled>}
 */
export function enroll(request, second, page) {
  const worker = new Worker(script("worker.js"), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.addEventListener("message", async ({ data }) => {
      const message = /** @type {FromWorker} */ (data);
      if ("step" in message) page.step(message.step);
      else if ("ask" in message) worker.postMessage({ consent: await page.ask(message.ask) });
      else if ("enrolled" in message) resolve(message.enrolled);
      else {
        const { code, message: detail, next, status } = message.failed;
        reject(new Refused(code === "refused" && status === "AuthenticationDataInvalid" ? "wrongCode" : code, { detail, next }));
      }
    });
    worker.addEventListener("error", ({ message }) => reject(new Refused("defect", { detail: message })));
    worker.postMessage({ request, second });
  }).finally(() => worker.terminate());
}
