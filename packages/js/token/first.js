// The first view: the codes of TOTP by WebCrypto, while the module is still on its way. It knows HOTP and TOTP keys without
// limits. Where there is any other key, or anything that it does not expect, there is no first view: the module decides.

/** @typedef {import("./dskpp.js").TokenInfo} TokenInfo */
/** @typedef {import("./dskpp.js").Otp} Otp */

/** What `dskpp_store` begins with; then the length of the tokens (four octets, big-endian), and the tokens in JSON. */
const MAGIC = "dskpp\u0001";

const HASHES = { SHA1: "SHA-1", SHA256: "SHA-256", SHA512: "SHA-512" };
/** Digits of a code. */
const [FEWEST, MOST] = [6, 8];

/**
 * A token in the store; the names are those of `dskpp-token`.
 * @typedef {object} Stored
 * @property {string} id
 * @property {string} key_type
 * @property {string} secret
 * @property {string | null} label
 * @property {string | null} issuer
 * @property {string | null} user
 * @property {number | null} digits
 * @property {number | null} period_s
 * @property {string | null} hash
 * @property {string | null} server_url
 * @property {string[]} [usages]
 * @property {string} [old_of]
 * @property {string} created_at
 */

/** The tokens of a store. @param {Uint8Array} octets @returns {Stored[]} */
function tokensOf(octets) {
  const start = MAGIC.length + 4;
  const length = new DataView(octets.buffer, octets.byteOffset).getUint32(MAGIC.length);
  const tokens = octets.subarray(start, start + length);
  if (new TextDecoder().decode(octets.subarray(0, MAGIC.length)) !== MAGIC || tokens.length !== length) throw new Error("another store");
  const found = /** @type {Stored[]} */ (Object.values(JSON.parse(new TextDecoder().decode(tokens))));
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Whether the key makes codes, and has no limit. @param {Stored & Record<string, unknown>} token */
function isPlain({ key_type, digits, usages = [], start, expiry, uses_left, suite }) {
  const isOtp = key_type === "hotp" || key_type === "totp";
  const hasLimits = [start, expiry, uses_left, suite].some((limit) => limit !== null && limit !== undefined);
  const places = digits ?? FEWEST;
  return isOtp && !hasLimits && usages.every((usage) => usage === "OTP") && places >= FEWEST && places <= MOST;
}

/** What the module's `list` says of a plain key, but for the fingerprint. @param {Stored} token @returns {TokenInfo} */
function infoOf(token) {
  const isTotp = token.key_type === "totp";
  return {
    id: token.id,
    type: token.key_type,
    label: token.label ?? undefined,
    issuer: token.issuer ?? undefined,
    user: token.user ?? undefined,
    digits: token.digits ?? FEWEST,
    period: token.period_s ?? (isTotp ? 30 : undefined),
    needsChallenge: false,
    needsPin: false,
    makesCodes: true,
    renewalDue: false,
    serverUrl: token.server_url ?? undefined,
    mayBeHandedOver: true,
    createdAt: token.created_at,
  };
}

/** TOTP (RFC 6238) at a time in milliseconds. @param {Stored} token @param {number} now @returns {Promise<Otp>} */
async function totp({ secret, digits, period_s, hash }, now) {
  const period = 1000 * (period_s ?? 30);
  const step = Math.floor(now / period);
  const name = HASHES[/** @type {keyof typeof HASHES} */ (hash ?? "SHA1")];
  const octets = Uint8Array.from(atob(secret), (letter) => letter.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", octets, { name: "HMAC", hash: name }, false, ["sign"]);
  octets.fill(0);
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(step));
  const mac = new DataView(await crypto.subtle.sign("HMAC", key, counter));
  const number = mac.getUint32(mac.getUint8(mac.byteLength - 1) & 15) & 0x7fffffff; // RFC 4226 §5.3
  const places = digits ?? FEWEST;
  const code = String(number % 10 ** places).padStart(places, "0");
  return { code, validUntil: new Date((step + 1) * period), changed: false };
}

/** Keys and codes before there is a module. */
export class First {
  /** @param {TokenInfo[]} tokens @param {Map<string, Otp>} codes */
  constructor(tokens, codes) {
    this.tokens = tokens;
    this.codes = codes;
  }

  /**
   * The first view of a store; `undefined` if only the module can read it.
   * @param {Uint8Array} octets
   * @param {number} [now] milliseconds
   * @returns {Promise<First | undefined>}
   */
  static async of(octets, now = Date.now()) {
    try {
      const tokens = tokensOf(octets).filter(({ old_of }) => old_of === undefined);
      if (!tokens.every(isPlain)) return undefined;
      const made = tokens.filter(({ key_type }) => key_type === "totp").map(async (token) => /** @type {const} */ ([token.id, await totp(token, now)]));
      return new First(tokens.map(infoOf), new Map(await Promise.all(made)));
    } catch {
      return undefined; // the module says what is wrong with it
    }
  }

}
