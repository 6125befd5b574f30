// The second key of the vault: from a passphrase (Argon2id) or from a passkey (WebAuthn, extension PRF).

import { sealingKey } from "./vault.js";

/** @typedef {import("./vault.js").Sealed} Sealed */

const SALT_LEN = 32;

export function newSalt() {
  return crypto.getRandomValues(new Uint8Array(SALT_LEN));
}

/**
 * @param {import("./dskpp.js").Dskpp} dskpp
 * @param {string} passphrase
 * @param {Uint8Array<ArrayBuffer>} salt
 */
export async function ofPassphrase(dskpp, passphrase, salt) {
  const octets = new Uint8Array(dskpp.argon2id(passphrase.normalize("NFC"), salt));
  const key = await sealingKey(octets);
  octets.fill(0);
  return key;
}

/** Whether this browser may have passkeys; whether they have a PRF shows only with one. */
export function mayHavePasskey() {
  return typeof PublicKeyCredential === "function";
}

/**
 * Makes a passkey. `undefined`: it has no PRF, so it cannot protect anything.
 * @param {string} name what the browser calls it
 */
export async function newPasskey(name) {
  const [id, salt] = [newSalt(), newSalt()];
  const made = /** @type {PublicKeyCredential | null} */ (
    await navigator.credentials.create({
      publicKey: {
        rp: { name },
        user: { id, name, displayName: name },
        challenge: newSalt(),
        pubKeyCredParams: [-7, -257].map((alg) => ({ type: /** @type {const} */ ("public-key"), alg })),
        authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
        extensions: { prf: { eval: { first: salt } } },
      },
    })
  );
  const prf = made?.getClientExtensionResults().prf;
  if (!made || !(prf?.enabled || prf?.results)) return undefined;
  const credential = new Uint8Array(made.rawId);
  return { credential, salt, key: await ofPasskey({ credential, salt }) };
}

/** @param {Pick<Sealed, "credential" | "salt">} of */
export async function ofPasskey({ credential, salt }) {
  if (!credential || !salt) throw new Error("there is no passkey");
  const shown = /** @type {PublicKeyCredential | null} */ (
    await navigator.credentials.get({
      publicKey: {
        challenge: newSalt(),
        allowCredentials: [{ type: "public-key", id: credential }],
        userVerification: "required",
        extensions: { prf: { eval: { first: salt } } },
      },
    })
  );
  const first = shown?.getClientExtensionResults().prf?.results?.first;
  if (!first) throw new Error("the passkey has no PRF");
  const octets = first instanceof ArrayBuffer ? new Uint8Array(first) : new Uint8Array(first.buffer, first.byteOffset, first.byteLength);
  const secret = await crypto.subtle.importKey("raw", new Uint8Array(octets), "HKDF", false, ["deriveKey"]);
  const info = new TextEncoder().encode("dskpp-token passkey");
  const how = { name: "HKDF", hash: "SHA-256", salt, info };
  return crypto.subtle.deriveKey(how, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
