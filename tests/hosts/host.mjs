// A program over the npm package: the same commands as `dskpp.py`. The module is DSKPP_WASM.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

import { DskppError, load } from "dskpp";

const [command, path, ...rest] = process.argv.slice(2);
const stored = () => (existsSync(path) ? new Uint8Array(readFileSync(path)) : new Uint8Array());
const wasm = process.env.DSKPP_WASM ?? new URL(import.meta.resolve("dskpp/dskpp.wasm"));
const dskpp = await load(readFileSync(wasm));
const tokens = dskpp.open(stored());

async function send(url, body) {
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/dskpp+xml" }, body });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

async function save(apply) {
  writeFileSync(path, apply(stored()));
}

try {
  if (command === "otp") {
    const { code } = tokens.otp(rest[0]);
    writeFileSync(path, tokens.store());
    console.log(code);
  } else {
    const [url, code, variant, renew] = rest.map((value) => (value === "-" ? undefined : value));
    const { keyId } = await tokens.enroll({ url, code, variant, renew }, { send, save });
    if (!tokens.list().some(({ id }) => id === keyId)) throw new Error("the new key is not listed");
    console.log(keyId);
  }
} catch (error) {
  if (!(error instanceof DskppError)) throw error;
  console.error(JSON.stringify({ code: error.code, message: error.message, status: error.status }));
  process.exitCode = 1;
}
