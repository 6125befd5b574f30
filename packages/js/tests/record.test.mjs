// Records enrolments in a browser at the border of its module: the seed, the clock, and each message in and out. Played again
// from the seed, they give the same octets, here in the module and in crates/token/tests/replay.rs in the native code.
//
//   DSKPP_RECORD=yes .ci/browser packages/js/tests/record.test.mjs    makes the file of that test anew

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { Server, launch, setUp, visit } from "./support.mjs";

const FILE = "crates/token/tests/data/browser.json";

let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.end();
});

/** Stands before the worker's own script, in this test only: the worker that is served has nothing of it. */
function record() {
  const { instantiate } = WebAssembly;
  const channel = new BroadcastChannel("recorded");
  const text = (octets) => new TextDecoder().decode(octets);
  const base64 = (octets) => btoa(String.fromCharCode(...octets));
  WebAssembly.instantiate = async (module, imports) => {
    const { exports } = await instantiate(module, imports);
    const octets = (at, length) => new Uint8Array(exports.memory.buffer, at, length).slice();
    const result = (place) => octets(...new Uint32Array(octets(place, 8).buffer));
    const run = { store: "", request: "", seed: "", steps: [] };
    return {
      exports: {
        ...exports,
        dskpp_new(...input) {
          if (!run.request) run.store = base64(octets(input[0], input[1]));
          return exports.dskpp_new(...input);
        },
        dskpp_enroll(...input) {
          run.request = text(octets(input[1], input[2]));
          run.seed = base64(octets(input[3], 32));
          return exports.dskpp_enroll(...input);
        },
        dskpp_step(...input) {
          const given = { input: JSON.parse(text(octets(input[1], input[2]))), body: base64(octets(input[3], input[4])) };
          const code = exports.dskpp_step(...input);
          const step = JSON.parse(text(result(input[6])));
          run.steps.push({ ...given, message: base64(result(input[5])), step });
          if (step.step === "done") channel.postMessage(run);
          return code;
        },
        dskpp_apply(...input) {
          const before = base64(octets(input[1], input[2]));
          const code = exports.dskpp_apply(...input);
          run.steps.at(-1).applied = { before, after: base64(result(input[3])) };
          return code;
        },
      },
    };
  };
}

/** Sets a key up by a link. */
async function byLink(context, { trigger_url: url }) {
  return recorded(await setUp(context, url));
}

/** Sets a key up by a typed code. */
async function byCode(context, { authentication_code: code }) {
  const page = await context.newPage();
  await page.goto(`${server.base}/token/`);
  await page.getByRole("button", { name: "Add a key" }).click();
  await page.getByRole("textbox", { name: "Code or link" }).fill(code);
  await page.getByRole("button", { name: "Set up", exact: true }).click();
  await page.getByRole("heading", { name: "Your key is ready" }).waitFor();
  return recorded(page);
}

/** What the worker of a page has recorded. */
async function recorded(page) {
  return (await page.waitForFunction(() => globalThis.recorded)).jsonValue();
}

/** Plays a run again in the module of this source, from its seed, clock and answers. */
async function replay(module, run) {
  const c = (await WebAssembly.instantiate(module, {})).exports;
  const lend = (octets) => {
    const at = c.dskpp_alloc(octets.length);
    new Uint8Array(c.memory.buffer, at, octets.length).set(octets);
    return [at, octets.length];
  };
  const take = (place) => Buffer.from(c.memory.buffer, ...new Uint32Array(c.memory.buffer.slice(place, place + 8))).toString("base64");
  const octets = (base64) => Buffer.from(base64, "base64");
  const [handle, message, out] = [4, 8, 8].map((length) => c.dskpp_alloc(length));
  const made = () => new DataView(c.memory.buffer).getUint32(handle, true);
  assert.equal(c.dskpp_new(...lend(octets(run.store)), handle, out), 0);
  assert.equal(c.dskpp_enroll(made(), ...lend(Buffer.from(run.request)), lend(octets(run.seed))[0], handle, out), 0);
  const enrolment = made();
  for (const [i, { input, body, message: sent, step, applied }] of run.steps.entries()) {
    assert.equal(c.dskpp_step(enrolment, ...lend(Buffer.from(JSON.stringify(input))), ...lend(octets(body)), message, out), 0);
    assert.deepEqual(JSON.parse(octets(take(out)).toString()), step, `step ${i}`);
    assert.equal(take(message), sent, `step ${i}`);
    if (!applied) continue;
    assert.equal(c.dskpp_apply(enrolment, ...lend(octets(applied.before)), out), 0);
    assert.equal(take(out), applied.after, `step ${i}`);
  }
}

test("enrolments in a browser can be replayed from their seed, octet for octet", async () => {
  const context = await visit(browser, server, { serviceWorkers: "block" });
  await context.addInitScript(() => {
    new BroadcastChannel("recorded").onmessage = ({ data }) => (globalThis.recorded = data);
  });
  await context.route("**/token/worker.js", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: `(${record})();\n${await answer.text()}` });
  });
  const first = await byLink(context, await server.enrolment({ user: "recorded" }));
  const [{ key_id: renews }] = await server.keys("recorded");
  const renewal = await byLink(context, await server.enrolment({ user: "recorded", renews }));
  const wrapped = { user: "recorded", key_type: "hotp", variant: "two-pass", methods: ["passphrase-wrap"] };
  const twoPass = await byCode(context, await server.enrolment(wrapped));
  await context.close();
  const runs = { "four-pass": first, renewal, "two-pass": twoPass };
  const module = await WebAssembly.compile(readFileSync("packages/js/dskpp.wasm"));
  for (const run of Object.values(runs)) await replay(module, run);
  assert.equal(first.steps.at(-1).step.enrolled.variant, "four-pass");
  assert.equal(renewal.steps.at(-1).step.enrolled.replaced, true);
  assert.equal(twoPass.steps.at(-1).step.enrolled.variant, "two-pass");
  if (process.env.DSKPP_RECORD) writeFileSync(FILE, `${JSON.stringify(runs, null, 1)}\n`);
});
