// Network, storage, encryption and consent are the caller's, through `Host`. Nothing here does I/O.

/** Compiles and starts the module `dskpp.wasm`. An instance that ends with a `WebAssembly.RuntimeError` is dead: load again. */
export function load(
  wasm: BufferSource | WebAssembly.Module | Response | Promise<BufferSource | WebAssembly.Module | Response>,
): Promise<Dskpp>;

/** An error of the library. A wrong call is a `TypeError` instead. */
export class DskppError extends Error {
  constructor(fault: { code: string; message: string; next?: string; status?: string }, cause?: unknown);
  /** Stable: "wrongCode", "refused", "noAnswer", "answerLost", "serverChanged", "notStored", …; see docs/apps.md. */
  readonly code: string;
  /** What a person can do about it. */
  readonly next?: string;
  /** The status with which the server refused, such as "AuthenticationDataInvalid". */
  readonly status?: string;
}

export interface Dskpp {
  /** Tokens from octets that `Tokens.store` gave; without any: none. */
  open(store?: Uint8Array): Tokens;
  /** What is known of a code while it is typed. */
  checkCode(typed: string): CodeCheck;
  /** A key of 32 octets: Argon2id with 19 MiB, 2 passes, 1 lane. The salt has 16 octets or more. */
  argon2id(passphrase: string | Uint8Array, salt: Uint8Array): Uint8Array;
}

export interface CodeCheck {
  /** Whether it is a whole code, with a right checksum if it has one. */
  complete: boolean;
  /** Whether it can be a code or the beginning of one. */
  possible: boolean;
  /** Characters so far, without spaces and hyphens. */
  digits: number;
  /** Upper case in groups of four: `108A-C000-…`. */
  formatted: string;
  /** What is wrong, in words; absent if it is whole or only unfinished. */
  error?: string;
  /** The wrong character, from 1. */
  position?: number;
  /** Its group of four, from 1. */
  group?: number;
}

export interface TokenInfo {
  id: string;
  /** "totp", "hotp", "ocra", "aes128", … */
  type: string;
  label?: string;
  issuer?: string;
  user?: string;
  /** Digits of a code. */
  digits?: number;
  /** Seconds of a code of TOTP. */
  period?: number;
  suite?: string;
  /** OCRA: give `challenge`. */
  needsChallenge: boolean;
  /** OCRA: give `pin`. */
  needsPin: boolean;
  makesCodes: boolean;
  /** From when it may be used, RFC 3339. */
  start?: string;
  /** Until when, RFC 3339. */
  expiry?: string;
  /** Whether it expires within 30 days and has a server that may renew it. */
  renewalDue: boolean;
  usesLeft?: number;
  serverUrl?: string;
  serverId?: string;
  /** "sha256:…" */
  kServerFingerprint?: string;
  /** The id of its successor, if a renewal replaced it. */
  oldOf?: string;
  /** Whether `otpauth` gives it to another app. */
  mayBeHandedOver: boolean;
  /** RFC 3339. */
  createdAt: string;
}

export interface OtpInput {
  now?: Date;
  challenge?: string;
  pin?: string;
}

export interface Otp {
  code: string;
  /** TOTP: seconds until the next code. */
  validFor?: number;
  /** TOTP: when that is. */
  validUntil?: Date;
  /** Whether the tokens changed (a counter, a counted use): keep `Tokens.store()` before you show the code. */
  changed: boolean;
}

export type Change =
  | { rename: string; label: string | null }
  | { delete: string }
  /** Removes the replaced keys of this id; after a server accepted a code of the new one. */
  | { forgetReplaced: string };

export interface Tokens {
  list(now?: Date): TokenInfo[];
  otp(id: string, input?: OtpInput): Otp;
  /** Keep `store()` afterwards. */
  change(change: Change): void;
  /** The octets to keep. They have the keys in the clear: encrypt them. */
  store(): Uint8Array;
  /** Takes other octets, for instance after another tab changed them. */
  reload(store: Uint8Array): void;
  /** The `mac` of `POST /activate` with `{key_id, otp, mac}`, for a key that waits for its first code. */
  activation(id: string, otp: string): string;
  /** The `mac` of `POST /renew` with `{key_id, otp, mac}`: the server uses up the code, and answers with a renewal link. */
  renewal(id: string, otp: string): string;
  /** The `otpauth://` URI for another app, with the key in the clear; "notAllowed" if the key's policy forbids it. */
  otpauth(id: string): string;
  /** Gets a key from a server. Afterwards these tokens are what `host.save` stored last. */
  enroll(request: EnrollRequest, host: Host): Promise<Enrolled>;
  /** Wipes them. Every later call throws. */
  free(): void;
}

/** Either `code` with `url`, or `trigger`. */
export interface EnrollRequest {
  /** The server's URL, `https://…/dskpp`. */
  url?: string;
  /** The code, as it was typed. */
  code?: string;
  /** The answer of an enrolment link, fetched with `Accept: application/dskpp+xml`. */
  trigger?: Uint8Array | string;
  /** Absent: either. */
  variant?: "four-pass" | "two-pass";
  /** In order of preference; absent: all. */
  keyTypes?: string[];
  /** The id of the key to renew; a trigger may name it instead. */
  renew?: string;
  label?: string;
  device?: { manufacturer: string; serial: string };
  /** Servers that a person accepted before: URLs or fingerprints. */
  accepted?: string[];
}

export interface Host {
  /** Posts `body` as `application/dskpp+xml` and resolves with the body of the answer. Throw if none came. */
  send(url: string, body: Uint8Array): Promise<Uint8Array>;
  /** Whether a person accepts a server that nothing vouches for. Absent: no. */
  ask?(change: ServerChange): Promise<boolean>;
  /**
   * Loads the octets that are stored now, since another tab may have changed them; calls `apply`; stores the result durably;
   * then resolves. It is called for notes too, so that a run can be finished after a reload, and for the key. Throw if
   * nothing was stored.
   */
  save(apply: (current: Uint8Array) => Uint8Array): Promise<void>;
}

export type ServerChange =
  | { kind: "url"; keyId: string; old?: string; new: string; text: string }
  | { kind: "key"; url: string; old: string[]; new: string; text: string };

export interface Enrolled {
  keyId: string;
  type: string;
  label?: string;
  issuer?: string;
  serverId?: string;
  variant: "four-pass" | "two-pass";
  replaced: boolean;
  oldKeyId?: string;
  /** The PBKDF2 iterations that protected the key, if they were too few. */
  fewIterations?: number;
}
