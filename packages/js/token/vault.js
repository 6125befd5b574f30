// Where the keys lie: in IndexedDB, sealed under a WebCrypto key that cannot be extracted and, if the person wants it,
// beneath that under a second key from a passphrase or a passkey.

const DATABASE = "dskpp-token";
const TABLE = "vault";
const LOCK = "dskpp-token";
const NONCE_LEN = 12;

/** What protects the keys beside the browser. @typedef {"browser" | "passphrase" | "passkey"} Mode */

/**
 * What lies in the database.
 * @typedef {object} Sealed
 * @property {Mode} mode
 * @property {Uint8Array<ArrayBuffer>} [salt] of the passphrase, or of the passkey's PRF
 * @property {Uint8Array<ArrayBuffer>} [credential] the passkey's identifier
 * @property {Uint8Array<ArrayBuffer>} octets the nonce and the sealed store
 */

/** The browser lets the page keep nothing. */
export class StorageRefused extends Error {}

/** The second key is missing, or wrong. */
export class Locked extends Error {}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @returns {Promise<IDBDatabase>} */
async function database() {
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    return await done(opening);
  } catch (cause) {
    throw new StorageRefused("the browser has no storage for this page", { cause });
  }
}

/** @param {CryptoKey} key @param {Mode} mode @param {Uint8Array<ArrayBuffer>} octets */
async function seal(key, mode, octets) {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_LEN));
  const sealed = await crypto.subtle.encrypt(parameters(nonce, mode), key, octets);
  const whole = new Uint8Array(NONCE_LEN + sealed.byteLength);
  whole.set(nonce);
  whole.set(new Uint8Array(sealed), NONCE_LEN);
  return whole;
}

/** @param {CryptoKey} key @param {Mode} mode @param {Uint8Array<ArrayBuffer>} whole */
async function open(key, mode, whole) {
  const nonce = whole.slice(0, NONCE_LEN);
  return new Uint8Array(await crypto.subtle.decrypt(parameters(nonce, mode), key, whole.slice(NONCE_LEN)));
}

/** @param {Uint8Array<ArrayBuffer>} iv @param {Mode} mode */
function parameters(iv, mode) {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(`dskpp-token 1 ${mode}`) };
}

/** A key for AES-GCM that cannot be extracted, of 32 octets. @param {Uint8Array<ArrayBuffer>} octets */
export function sealingKey(octets) {
  return crypto.subtle.importKey("raw", octets, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** What lay in the vault when it was opened. @typedef {{ store?: Sealed, order: string[], language?: string }} Found */

export class Vault {
  /** @param {IDBDatabase} db @param {CryptoKey} key @param {Found} found @param {CryptoKey} [second] */
  constructor(db, key, found, second) {
    this.db = db;
    this.key = key;
    this.found = found;
    /** The key from a passphrase or a passkey. */
    this.second = second;
    this.changes = new BroadcastChannel(DATABASE);
  }

  /**
   * Opens the vault; the first time, makes its key.
   * @param {CryptoKey} [second]
   */
  static async open(second) {
    const db = await database();
    const table = db.transaction(TABLE).objectStore(TABLE);
    const names = ["key", "store", "order", "language"];
    const [known, store, order, language] = await Promise.all(names.map((name) => done(table.get(name))));
    const found = { store, order: order ?? [], language };
    if (known) return new Vault(db, known, found, second);
    const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    // Of two tabs that start at once, the first one's key stays.
    const key = await new Promise((resolve, reject) => {
      const transaction = db.transaction(TABLE, "readwrite", { durability: "strict" });
      const table = transaction.objectStore(TABLE);
      const found = table.get("key");
      found.onsuccess = () => found.result ?? table.put(made, "key");
      transaction.oncomplete = () => resolve(found.result ?? made);
      transaction.onabort = () => reject(new StorageRefused("nothing can be stored", { cause: transaction.error }));
    });
    return new Vault(db, key, found, second);
  }

  /** What lies there. @returns {Promise<Sealed | undefined>} */
  sealed() {
    return done(this.db.transaction(TABLE).objectStore(TABLE).get("store"));
  }

  /** What is no secret: the order of the keys. @returns {Promise<string[]>} */
  async order() {
    return (await done(this.db.transaction(TABLE).objectStore(TABLE).get("order"))) ?? [];
  }

  /** @param {string[]} ids */
  async setOrder(ids) {
    await this.put(ids, "order");
  }

  /** Keeps the language that the person chose. @param {string} tag */
  async setLanguage(tag) {
    this.found.language = tag;
    await this.put(tag, "language").catch(() => undefined); // else it is chosen for this visit
  }

  /**
   * The store's octets; `undefined` if there are none yet.
   * @returns {Promise<Uint8Array<ArrayBuffer> | undefined>}
   */
  async read() {
    const sealed = await this.sealed();
    return sealed && this.unseal(sealed);
  }

  /** @param {Sealed} sealed @param {CryptoKey | undefined} [second] */
  async unseal({ mode, octets }, second = this.second) {
    const inner = await open(this.key, mode, octets);
    if (mode === "browser") return inner;
    if (!second) throw new Locked("the keys are locked");
    return open(second, mode, inner).catch((cause) => {
      throw new Locked("this is not the right passphrase or passkey", { cause });
    });
  }

  /**
   * Changes the store: `change` gets the current octets and returns the new ones, if they are new, and a result. One tab
   * at a time; the new octets are on disk before this resolves.
   * @template T
   * @param {(current: Uint8Array<ArrayBuffer> | undefined) => { store?: Uint8Array, result: T }} change
   * @returns {Promise<T>}
   */
  update(change) {
    return navigator.locks.request(LOCK, async () => {
      const sealed = await this.sealed();
      const { store, result } = change(sealed && (await this.unseal(sealed)));
      if (store) await this.write(store, sealed ?? { mode: "browser" });
      return result;
    });
  }

  /**
   * Seals the store in another way.
   * @param {Omit<Sealed, "octets">} how
   * @param {CryptoKey} [second]
   */
  async protect(how, second) {
    await navigator.locks.request(LOCK, async () => {
      const store = await this.read();
      this.second = second;
      if (store) await this.write(store, how);
    });
    this.changes.postMessage("protection");
  }

  /** @param {Uint8Array} store @param {Omit<Sealed, "octets">} how */
  async write(store, { mode, salt, credential }) {
    const copy = new Uint8Array(store);
    const inner = mode === "browser" || !this.second ? copy : await seal(this.second, mode, copy);
    const octets = await seal(this.key, mode, inner);
    copy.fill(0);
    await this.put({ mode, salt, credential, octets }, "store");
    this.changes.postMessage("store");
  }

  /** @param {unknown} value @param {string} name @returns {Promise<void>} */
  put(value, name) {
    return new Promise((resolve, reject) => {
      const transaction = this.db.transaction(TABLE, "readwrite", { durability: "strict" });
      transaction.objectStore(TABLE).put(value, name);
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(new StorageRefused("nothing can be stored", { cause: transaction.error }));
    });
  }
}
