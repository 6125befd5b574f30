// src/index.js
var MISUSE = 2;
var [text, octets] = [new TextDecoder(), new TextEncoder()];
var DskppError = class extends Error {
  /**
   * @param {{code: string, message: string, next?: string, status?: string}} fault
   * @param {unknown} [cause]
   */
  constructor(fault2, cause) {
    super(fault2.message, cause === void 0 ? void 0 : { cause });
    this.name = "DskppError";
    this.code = fault2.code;
    this.next = fault2.next;
    this.status = fault2.status;
  }
};
var Border = class {
  /** @param {WebAssembly.Instance} instance */
  constructor(instance) {
    this.c = /** @type {Record<string, (...numbers: number[]) => number>} */
    /** @type {unknown} */
    instance.exports;
    this.memory = /** @type {WebAssembly.Memory} */
    instance.exports.memory;
  }
  /**
   * Calls `name` with handles, numbers and octets; octets become pointer and length. `places` of the results come last.
   * @param {string} name
   * @param {(number | Uint8Array | Pointer)[]} inputs
   * @param {number} [places]
   * @returns {Uint8Array[]}
   */
  call(name, inputs, places = 1) {
    const { c } = this;
    const lent = [];
    const lend = (bytes) => {
      const at = c.dskpp_alloc(bytes.length);
      if (bytes.length && !at) throw new RangeError("no memory left");
      lent.push([at, bytes.length]);
      new Uint8Array(this.memory.buffer, at, bytes.length).set(bytes);
      return at;
    };
    try {
      const results = lend(new Uint8Array(8 * places));
      const numbers = inputs.flatMap((input) => {
        if (input instanceof Pointer) return [lend(input.bytes)];
        return input instanceof Uint8Array ? [lend(input), input.length] : [input];
      });
      for (let place = 0; place < places; place++) numbers.push(results + 8 * place);
      const code = c[name](...numbers);
      const taken = Array.from({ length: places }, (_, place) => this.#take(results + 8 * place));
      if (code !== 0) throw fault(code, taken[places - 1]);
      return taken;
    } finally {
      for (const [at, length] of lent) c.dskpp_free_octets(at, length);
    }
  }
  /**
   * A call that makes a handle.
   * @param {string} name
   * @param {(number | Uint8Array | Pointer)[]} inputs
   */
  make(name, inputs) {
    const place = this.c.dskpp_alloc(4);
    try {
      this.call(name, [...inputs, place]);
      return new DataView(this.memory.buffer).getUint32(place, true);
    } finally {
      this.c.dskpp_free_octets(place, 4);
    }
  }
  /**
   * Copies octets of the module, and frees them there.
   * @param {number} at
   */
  #take(at) {
    const view = new DataView(this.memory.buffer);
    const [start, length] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const copy = new Uint8Array(this.memory.buffer, start, length).slice();
    this.c.dskpp_free_octets(start, length);
    return copy;
  }
};
var Pointer = class {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
  }
};
function fault(code, json2) {
  const texts = JSON.parse(text.decode(json2));
  return code === MISUSE ? new TypeError(texts.message) : new DskppError(texts);
}
var json = (value) => octets.encode(JSON.stringify(value));
var read = (bytes) => JSON.parse(text.decode(bytes));
var seconds = (time = /* @__PURE__ */ new Date()) => time.getTime() / 1e3;
async function load(wasm) {
  const source = await wasm;
  const module = source instanceof WebAssembly.Module ? source : typeof Response !== "undefined" && source instanceof Response ? await WebAssembly.compile(await source.arrayBuffer()) : await WebAssembly.compile(
    /** @type {BufferSource} */
    source
  );
  return new Dskpp(new Border(await WebAssembly.instantiate(module, {})));
}
var Dskpp = class {
  #border;
  /** @param {Border} border */
  constructor(border) {
    this.#border = border;
  }
  /** @param {Uint8Array} [store] */
  open(store = new Uint8Array()) {
    return new Tokens(this.#border, store);
  }
  /**
   * @param {string} typed
   * @returns {Api.CodeCheck}
   */
  checkCode(typed) {
    return read(this.#border.call("dskpp_check_code", [octets.encode(typed)])[0]);
  }
  /**
   * @param {string | Uint8Array} passphrase
   * @param {Uint8Array} salt
   */
  argon2id(passphrase, salt) {
    const secret = typeof passphrase === "string" ? octets.encode(passphrase) : passphrase;
    return this.#border.call("dskpp_argon2id", [secret, salt])[0];
  }
};
var Tokens = class {
  #border;
  #handle;
  /**
   * @param {Border} border
   * @param {Uint8Array} store
   */
  constructor(border, store) {
    this.#border = border;
    this.#handle = border.make("dskpp_new", [store]);
  }
  get #live() {
    if (!this.#handle) throw new TypeError("these tokens were freed");
    return this.#handle;
  }
  /**
   * @param {string} name
   * @param {unknown} input
   */
  #call(name, input) {
    return this.#border.call(name, [this.#live, json(input)])[0];
  }
  /**
   * @param {Date} [now]
   * @returns {Api.TokenInfo[]}
   */
  list(now) {
    return read(this.#border.call("dskpp_list", [this.#live, seconds(now)])[0]);
  }
  /**
   * @param {string} id
   * @param {Api.OtpInput} [input]
   * @returns {Api.Otp}
   */
  otp(id, { now, ...input } = {}) {
    const otp = read(this.#call("dskpp_otp", { id, now: seconds(now), ...input }));
    if (otp.validUntil !== void 0) otp.validUntil = new Date(otp.validUntil * 1e3);
    return otp;
  }
  /** @param {Api.Change} change */
  change(change) {
    this.#call("dskpp_change", change);
  }
  store() {
    return this.#border.call("dskpp_store", [this.#live])[0];
  }
  /** @param {Uint8Array} store */
  reload(store) {
    const old = this.#live;
    this.#handle = this.#border.make("dskpp_new", [store]);
    this.#border.c.dskpp_free(old);
  }
  /**
   * @param {string} id
   * @param {string} otp
   */
  activation(id, otp) {
    return text.decode(this.#call("dskpp_activation", { id, otp }));
  }
  /**
   * @param {string} id
   * @param {string} otp
   */
  renewal(id, otp) {
    return text.decode(this.#call("dskpp_renewal", { id, otp }));
  }
  /** @param {string} id */
  otpauth(id) {
    return text.decode(this.#call("dskpp_otpauth", { id }));
  }
  /**
   * @param {Api.EnrollRequest} request
   * @param {Api.Host} host
   * @returns {Promise<Api.Enrolled>}
   */
  async enroll(request, host) {
    const trigger = request.trigger instanceof Uint8Array ? text.decode(request.trigger) : request.trigger;
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const inputs = [this.#live, json({ ...request, trigger }), new Pointer(seed)];
    const run2 = new Run(this.#border, this.#border.make("dskpp_enroll", inputs), host, (store) => this.reload(store));
    seed.fill(0);
    try {
      return await run2.finish();
    } finally {
      run2.free();
    }
  }
  free() {
    this.#border.c.dskpp_free(this.#handle);
    this.#handle = 0;
  }
};
var Run = class {
  /**
   * @param {Border} border
   * @param {number} handle
   * @param {Api.Host} host
   * @param {(store: Uint8Array) => void} stored
   */
  constructor(border, handle, host, stored) {
    this.border = border;
    this.handle = handle;
    this.host = host;
    this.stored = stored;
    this.cause = void 0;
  }
  async finish() {
    let input = { input: "begin" };
    let body = new Uint8Array();
    for (; ; ) {
      const { step, message } = this.#step(input, body);
      body = new Uint8Array();
      switch (step.step) {
        case "send":
          try {
            body = await this.host.send(step.url, message);
            input = { input: "answer" };
          } catch (error) {
            this.cause = error;
            input = { input: "lost", why: reason(error) };
          }
          break;
        case "ask":
          input = { input: "consent", consent: await this.host.ask?.(step.change) === true };
          break;
        case "store":
          input = await this.#store();
          break;
        default:
          return step.enrolled;
      }
    }
  }
  /**
   * @param {{input: string, [more: string]: unknown}} input
   * @param {Uint8Array} body
   */
  #step(input, body) {
    try {
      const inputs = [this.handle, json({ ...input, now: seconds() }), body];
      const [message, step] = this.border.call("dskpp_step", inputs, 2);
      return { step: read(step), message };
    } catch (error) {
      if (!(error instanceof DskppError) || this.cause === void 0) throw error;
      const { code, message, next, status } = error;
      throw new DskppError({ code, message, next, status }, this.cause);
    }
  }
  async #store() {
    let applied;
    try {
      await this.host.save((current) => {
        applied = this.border.call("dskpp_apply", [this.handle, current])[0];
        return applied;
      });
      if (!applied) throw new TypeError("host.save did not apply the change");
    } catch (error) {
      this.cause = error;
      return { input: "notStored", why: reason(error) };
    }
    this.stored(applied);
    return { input: "stored" };
  }
  free() {
    this.border.c.dskpp_free_enrolment(this.handle);
  }
};
var reason = (error) => error instanceof Error ? error.message : String(error);

// token/vault.js
var DATABASE = "dskpp-token";
var TABLE = "vault";
var LOCK = "dskpp-token";
var NONCE_LEN = 12;
var StorageRefused = class extends Error {
};
var Locked = class extends Error {
};
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
async function database() {
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    return await done(opening);
  } catch (cause) {
    throw new StorageRefused("the browser has no storage for this page", { cause });
  }
}
async function seal(key, mode, octets2) {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_LEN));
  const sealed = await crypto.subtle.encrypt(parameters(nonce, mode), key, octets2);
  const whole = new Uint8Array(NONCE_LEN + sealed.byteLength);
  whole.set(nonce);
  whole.set(new Uint8Array(sealed), NONCE_LEN);
  return whole;
}
async function open(key, mode, whole) {
  const nonce = whole.slice(0, NONCE_LEN);
  return new Uint8Array(await crypto.subtle.decrypt(parameters(nonce, mode), key, whole.slice(NONCE_LEN)));
}
function parameters(iv, mode) {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(`dskpp-token 1 ${mode}`) };
}
var Vault = class _Vault {
  /** @param {IDBDatabase} db @param {CryptoKey} key @param {Found} found @param {CryptoKey} [second] */
  constructor(db, key, found, second) {
    this.db = db;
    this.key = key;
    this.found = found;
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
    if (known) return new _Vault(db, known, found, second);
    const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const key = await new Promise((resolve, reject) => {
      const transaction = db.transaction(TABLE, "readwrite", { durability: "strict" });
      const table2 = transaction.objectStore(TABLE);
      const found2 = table2.get("key");
      found2.onsuccess = () => found2.result ?? table2.put(made, "key");
      transaction.oncomplete = () => resolve(found2.result ?? made);
      transaction.onabort = () => reject(new StorageRefused("nothing can be stored", { cause: transaction.error }));
    });
    return new _Vault(db, key, found, second);
  }
  /** What lies there. @returns {Promise<Sealed | undefined>} */
  sealed() {
    return done(this.db.transaction(TABLE).objectStore(TABLE).get("store"));
  }
  /** What is no secret: the order of the keys. @returns {Promise<string[]>} */
  async order() {
    return await done(this.db.transaction(TABLE).objectStore(TABLE).get("order")) ?? [];
  }
  /** @param {string[]} ids */
  async setOrder(ids) {
    await this.put(ids, "order");
  }
  /** Keeps the language that the person chose. @param {string} tag */
  async setLanguage(tag) {
    this.found.language = tag;
    await this.put(tag, "language").catch(() => void 0);
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
  async unseal({ mode, octets: octets2 }, second = this.second) {
    const inner = await open(this.key, mode, octets2);
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
      const { store, result } = change(sealed && await this.unseal(sealed));
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
    const octets2 = await seal(this.key, mode, inner);
    copy.fill(0);
    await this.put({ mode, salt, credential, octets: octets2 }, "store");
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
};

// token/worker.js
var MEDIA_TYPE = "application/dskpp+xml";
var tell = (message) => postMessage(message);
var consented;
var passes = 0;
async function send(url, body) {
  passes += 1;
  tell({ step: passes === 1 ? "step_asking" : "step_getting" });
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": MEDIA_TYPE },
    body: new Uint8Array(body),
    credentials: "omit",
    redirect: "error",
    cache: "no-store"
  });
  const isDskpp = answer.headers.get("content-type")?.startsWith(MEDIA_TYPE);
  if (!isDskpp) throw new Error(answer.status === 429 ? "busy" : `HTTP ${answer.status}`);
  const octets2 = new Uint8Array(await answer.arrayBuffer());
  if (passes === 1) tell({ step: "step_proving" });
  return octets2;
}
async function run(request, second) {
  tell({ step: "step_starting" });
  const [dskpp, vault] = await Promise.all([load(fetch("dskpp.wasm")), Vault.open(second)]);
  const tokens = dskpp.open(await vault.read());
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
      return vault.update((current) => ({ store: apply(current ?? dskpp.open().store()), result: void 0 }));
    }
  };
  try {
    tell({ enrolled: await tokens.enroll(request, host) });
  } finally {
    tokens.free();
  }
}
function failure(why) {
  const { code, message, next, status, cause } = (
    /** @type {Error & Partial<Failure>} */
    why
  );
  const isBusy = cause instanceof Error && cause.message === "busy";
  return { code: isBusy ? "busy" : code ?? "defect", message, next, status };
}
addEventListener("message", ({ data }) => {
  const message = (
    /** @type {ToWorker} */
    data
  );
  if ("consent" in message) consented?.(message.consent);
  else run(message.request, message.second).catch((why) => tell({ failed: failure(why) }));
});
