// The module: what it imports, how large it is, and that it works. node module.mjs dskpp.wasm
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { DskppError, load } from "dskpp";

const MOST = { octets: 446 * 1024, compressed: 196 * 1024 }; // the goals are 300 and 120: see docs/apps.md
const wasm = readFileSync(process.argv[2]);
const module = await WebAssembly.compile(wasm);
const fail = (why) => {
  throw new Error(why);
};
const imports = WebAssembly.Module.imports(module);
if (imports.length) fail(`it imports ${JSON.stringify(imports)}`);
const compressed = gzipSync(wasm, { level: 9 }).length;
if (wasm.length > MOST.octets) fail(`it has ${wasm.length} octets`);
if (compressed > MOST.compressed) fail(`it has ${compressed} octets, compressed`);

const dskpp = await load(module);
const check = dskpp.checkCode("108AC00000A20A3582AF0C3E304EA4C");
if (!check.complete) fail(JSON.stringify(check));
const begun = dskpp.checkCode("108a c000-0");
if (begun.complete || !begun.possible || begun.error || begun.formatted !== "108A-C000-0") fail(JSON.stringify(begun));
const wrong = dskpp.checkCode("108AC00000A20A3582AF0C3E304EA4D");
if (wrong.possible || !wrong.error || !wrong.group) fail(JSON.stringify(wrong));
const start = performance.now();
const key = dskpp.argon2id("passphrase", new Uint8Array(16));
if (key.length !== 32) fail("argon2id");
const tokens = dskpp.open();
if (tokens.list().length || !tokens.store().length) fail("an empty store");
try {
  tokens.otp("none");
  fail("a code without a key");
} catch (error) {
  if (!(error instanceof DskppError) || error.code !== "notFound") throw error;
}
tokens.free();
console.log(
  `${wasm.length} octets, ${compressed} compressed, no imports; argon2id took ${Math.round(performance.now() - start)} ms`,
);
