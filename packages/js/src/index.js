// An authenticator with DSKPP (RFC 6063). Network, storage, encryption and consent are the caller's: see `index.d.ts`.

/** @import * as Api from "./index.js" */

const MISUSE = 2;
const [text, octets] = [new TextDecoder(), new TextEncoder()];

/** An error of the library. */
export class DskppError extends Error {
  /**
   * @param {{code: string, message: string, next?: string, status?: string}} fault
   * @param {unknown} [cause]
   */
  constructor(fault, cause) {
    super(fault.message, cause === undefined ? undefined : { cause });
    this.name = "DskppError";
    this.code = fault.code;
    this.next = fault.next;
    this.status = fault.status;
  }
}

/** The module, and the octets that pass its border. */
class Border {
  /** @param {WebAssembly.Instance} instance */
  constructor(instance) {
    this.c = /** @type {Record<string, (...numbers: number[]) => number>} */ (
      /** @type {unknown} */ (instance.exports)
    );
    this.memory = /** @type {WebAssembly.Memory} */ (instance.exports.memory);
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
    /** @type {[number, number][]} */
    const lent = [];
    const lend = (/** @type {Uint8Array} */ bytes) => {
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
}

/** Octets that pass without their length. */
class Pointer {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
  }
}

/**
 * @param {number} code
 * @param {Uint8Array} json
 */
function fault(code, json) {
  const texts = JSON.parse(text.decode(json));
  return code === MISUSE ? new TypeError(texts.message) : new DskppError(texts);
}

/** @param {unknown} value */
const json = (value) => octets.encode(JSON.stringify(value));
/** @param {Uint8Array} bytes */
const read = (bytes) => JSON.parse(text.decode(bytes));
const seconds = (time = new Date()) => time.getTime() / 1000;

/**
 * @param {Parameters<typeof Api.load>[0]} wasm
 * @returns {Promise<Api.Dskpp>}
 */
export async function load(wasm) {
  const source = await wasm;
  const module =
    source instanceof WebAssembly.Module
      ? source
      : typeof Response !== "undefined" && source instanceof Response
        ? await WebAssembly.compile(await source.arrayBuffer())
        : await WebAssembly.compile(/** @type {BufferSource} */ (source));
  return new Dskpp(new Border(await WebAssembly.instantiate(module, {})));
}

class Dskpp {
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
}

class Tokens {
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
    if (otp.validUntil !== undefined) otp.validUntil = new Date(otp.validUntil * 1000);
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
    const run = new Run(this.#border, this.#border.make("dskpp_enroll", inputs), host, (store) => this.reload(store));
    seed.fill(0);
    try {
      return await run.finish();
    } finally {
      run.free();
    }
  }

  free() {
    this.#border.c.dskpp_free(this.#handle);
    this.#handle = 0;
  }
}

/** An enrolment with its host. */
class Run {
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
    /** What the host threw. @type {unknown} */
    this.cause = undefined;
  }

  async finish() {
    /** @type {{input: string, [more: string]: unknown}} */
    let input = { input: "begin" };
    /** @type {Uint8Array} */
    let body = new Uint8Array();
    for (;;) {
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
          input = { input: "consent", consent: (await this.host.ask?.(step.change)) === true };
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
      if (!(error instanceof DskppError) || this.cause === undefined) throw error;
      const { code, message, next, status } = error;
      throw new DskppError({ code, message, next, status }, this.cause);
    }
  }

  async #store() {
    /** @type {Uint8Array | undefined} */
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
}

/** @param {unknown} error */
const reason = (error) => (error instanceof Error ? error.message : String(error));
