// Gets a key from a server, away from the page: a hundred thousand rounds of PBKDF2 must not freeze it.

import { load } from "./dskpp.js";
import { Vault } from "./vault.js";

/** @typedef {import("./dskpp.js").EnrollRequest} EnrollRequest */
/** @typedef {import("./dskpp.js").Enrolled} Enrolled */
/** @typedef {import("./dskpp.js").ServerChange} ServerChange */
/** What the page sends. @typedef {{ request: EnrollRequest, second?: CryptoKey } | { consent: boolean }} ToWorker */
/** @typedef {{ code: string, message: string, next?: string, status?: string }} Failure */
/** What it gets. @typedef {{ step: string } | { ask: ServerChange } | { enrolled: Enrolled } | { failed: Failure }} FromWorker */

const MEDIA_TYPE = "application/dskpp+xml";

/** @param {FromWorker} message */
const tell = (message) => postMessage(message);

/** The answer of the page to a question. @type {((consent: boolean) => void) | undefined} */
let consented;

let passes = 0;

/** @param {string} url @param {Uint8Array} body */
async function send(url, body) {
  passes += 1;
  tell({ step: passes === 1 ? "step_asking" : "step_getting" });
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": MEDIA_TYPE },
    body: new Uint8Array(body),
    credentials: "omit",
    redirect: "error",
    cache: "no-store",
  });
  const isDskpp = answer.headers.get("content-type")?.startsWith(MEDIA_TYPE);
  if (!isDskpp) throw new Error(answer.status === 429 ? "busy" : `HTTP ${answer.status}`);
  const octets = new Uint8Array(await answer.arrayBuffer());
  if (passes === 1) tell({ step: "step_proving" });
  return octets;
}

/** @param {EnrollRequest} request @param {CryptoKey} [second] */
async function run(request, second) {
  tell({ step: "step_starting" });
  const [dskpp, vault] = await Promise.all([load(fetch("dskpp.wasm")), Vault.open(second)]);
  const tokens = dskpp.open(await vault.read());
  /** @type {import("./dskpp.js").Host} */
  const host = {
    send,
    ask: (change) => {
      tell({ ask: change });
      return new Promise((resolve) => {
        consented = resolve;
      });
    },
    save: (apply) => {
      tell({ step: "step_keeping" });
      return vault.update((current) => ({ store: apply(current ?? dskpp.open().store()), result: undefined }));
    },
  };
  try {
    tell({ enrolled: await tokens.enroll(request, host) });
  } finally {
    tokens.free();
  }
}

/** @param {unknown} why @returns {Failure} */
function failure(why) {
  const { code, message, next, status, cause } = /** @type {Error & Partial<Failure>} */ (why);
  const isBusy = cause instanceof Error && cause.message === "busy";
  return { code: isBusy ? "busy" : (code ?? "defect"), message, next, status };
}

addEventListener("message", ({ data }) => {
  const message = /** @type {ToWorker} */ (data);
  if ("consent" in message) consented?.(message.consent);
  else run(message.request, message.second).catch((why) => tell({ failed: failure(why) }));
});
