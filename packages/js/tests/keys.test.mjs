// The keys in the browser, against a real server in Chromium: their order and names, other kinds of keys, what protects them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Server, assertAccessible, assertClean, codeOf, launch, look, setUp, visit } from "./support.mjs";

let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

after(async () => {
  await browser?.close();
  await server?.end();
});

const button = (page, name) => page.getByRole("button", { name, exact: true });

test("keys are found, renamed, moved, copied and deleted", async () => {
  const context = await visit(browser, server, { permissions: ["clipboard-read", "clipboard-write"] });
  for (const user of ["anna", "bert"]) {
    await setUp(context, (await server.enrolment({ user })).trigger_url);
  }
  const page = await context.newPage();
  await page.goto(`${server.base}/token/`);
  const names = () => page.locator("li.token:visible h2").allTextContents();
  assert.deepEqual((await names()).map((name) => name.slice(-5)), ["anna)", "bert)"]);
  const more = (name) => page.locator("li.token", { hasText: name });
  const act = async (name, action) => {
    await more(name).locator("summary").click();
    await more(name).getByRole("button", { name: action, exact: true }).click();
  };
  await look(page, "keys");
  await act("bert", "Move up");
  await page.waitForFunction(() => document.querySelector("li.token h2").textContent.includes("bert"));
  await act("anna", "Rename");
  await page.getByRole("textbox", { name: "New name" }).fill("Work <b>");
  await assertAccessible(page, "dialog");
  await button(page, "OK").click();
  await page.getByRole("heading", { name: "Work <b>" }).waitFor();
  await page.getByRole("searchbox", { name: "Search" }).fill("work");
  assert.deepEqual(await names(), ["Work <b>"]);
  await page.getByRole("searchbox", { name: "Search" }).fill("nobody");
  await page.getByText("No key has these words.").waitFor();
  await page.getByRole("searchbox", { name: "Search" }).fill("");
  await more("Work").getByRole("button", { name: "Copy" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await codeOf(page, more("Work")));
  await act("bert", "Delete");
  await page.getByText("The key is gone for good").waitFor();
  await button(page, "Keep it").click();
  assert.equal(await page.locator("li.token").count(), 2);
  await more("bert").getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await page.waitForFunction(() => document.querySelectorAll("li.token").length === 1);
  await page.reload();
  await page.getByRole("heading", { name: "Work <b>" }).waitFor();
  assertClean(context);
  await context.close();
});

test("codes are there before the module, which then says the same of the keys", async () => {
  const context = await visit(browser, server, { serviceWorkers: "block" });
  const kinds = [{}, { digits: 8, hash: "SHA-256", period_s: 60 }, { hash: "SHA-512" }, { key_type: "hotp" }];
  for (const [i, kind] of kinds.entries()) await setUp(context, (await server.enrolment({ user: `first-${i}`, ...kind })).trigger_url);
  const open = async () => {
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await context.route("**/dskpp.wasm", async (route) => held.then(() => route.continue()), { times: 1 });
    const page = await context.newPage();
    await page.goto(`${server.base}/token/`);
    return { page, release };
  };
  const { page, release } = await open();
  const card = (i) => page.locator("li.token", { hasText: `first-${i}` });
  for (const i of [0, 1, 2]) assert.ok(await server.isValid({ user: `first-${i}`, otp: await codeOf(page, card(i)) }), `key ${i}`);
  await card(3).getByRole("button", { name: "Show a new code" }).click();
  await page.evaluate(() => document.querySelectorAll("li.token").forEach((element) => (element.dataset.first = "yes")));
  assert.equal(await card(3).locator("[data-code]").textContent(), "", "only the module moves a counter");
  release();
  assert.ok(await server.isValid({ user: "first-3", otp: await codeOf(page, card(3)) }));
  assert.equal(await page.locator("li[data-first]").count(), kinds.length, "nothing was shown anew");

  await setUp(context, (await server.enrolment({ user: "first-ocra", key_type: "ocra" })).trigger_url);
  const limited = await open();
  await limited.page.waitForTimeout(300);
  assert.equal(await limited.page.locator("li.token").count(), 0, "a key that the first view does not know");
  limited.release();
  await codeOf(limited.page, limited.page.locator("li.token", { hasText: "first-0" }));
  assert.equal(await limited.page.locator("li.token").count(), kinds.length + 1);
  assertClean(context);
  await context.close();
});

test("a key goes to another app only after a question", async () => {
  const context = await visit(browser, server);
  const page = await setUp(context, (await server.enrolment({ user: "gives" })).trigger_url);
  const card = page.locator("li.token");
  await card.locator("summary").click();
  const session = await context.newCDPSession(page);
  const asked = [];
  await session.send("Page.enable");
  session.on("Page.frameRequestedNavigation", ({ url }) => asked.push(url));
  await card.getByRole("button", { name: "Give to another app" }).click();
  await page.getByText("The key itself goes to the app").waitFor();
  await button(page, "Cancel").click();
  assert.deepEqual(asked, []);
  await card.getByRole("button", { name: "Give to another app" }).click();
  await button(page, "Give the key away").click();
  await page.waitForTimeout(300);
  assert.match(asked[0] ?? "", /^otpauth:\/\/totp\//);
  await context.close();
});

test("an OCRA key answers challenges", async () => {
  const context = await visit(browser, server);
  const page = await setUp(context, (await server.enrolment({ user: "ocra", key_type: "ocra" })).trigger_url);
  await page.getByRole("textbox", { name: "Challenge from the server" }).fill("12345678");
  await button(page, "Show the answer").click();
  assert.ok(await server.isValid({ user: "ocra", otp: await codeOf(page), challenge: "12345678" }));
  await assertAccessible(page, "ocra");
  assertClean(context);
  await context.close();
});

test("a passphrase and a passkey open the keys, and nothing else does", async () => {
  const context = await visit(browser, server);
  const page = await setUp(context, (await server.enrolment({ user: "locks" })).trigger_url);
  await button(page, "Protection").click();
  await page.getByRole("heading", { name: "It does not protect against" }).waitFor();
  await look(page, "protection");
  await button(page, "Use a passphrase").click();
  for (const yes of ["Go on", "OK"]) {
    await page.getByLabel("Passphrase", { exact: true }).fill("correct horse");
    await button(page, yes).click();
  }
  await page.getByText("open only with your passphrase").waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Your keys are locked" }).waitFor();
  await look(page, "locked");
  const open = async (passphrase) => {
    await page.getByLabel("Passphrase", { exact: true }).fill(passphrase);
    await button(page, "Open").click();
  };
  await open("wrong horse");
  await page.getByText("This is not the right one").waitFor();
  await open("correct horse");
  assert.ok(await server.isValid({ user: "locks", otp: await codeOf(page) }));

  const session = await context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  const options = { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, hasPrf: true, isUserVerified: true, automaticPresenceSimulation: true };
  await session.send("WebAuthn.addVirtualAuthenticator", { options });
  await button(page, "Protection").click();
  await button(page, "Use a passkey").click();
  await page.getByText("open only with your passkey").waitFor();
  await page.reload();
  await button(page, "Open with your passkey").click();
  await codeOf(page);
  const kept = await page.evaluate(async () => {
    const db = await new Promise((resolve) => {
      const opening = indexedDB.open("dskpp-token");
      opening.onsuccess = () => resolve(opening.result);
    });
    const get = (name) => new Promise((resolve) => {
      const found = db.transaction("vault").objectStore("vault").get(name);
      found.onsuccess = () => resolve(found.result);
    });
    const [key, store] = [await get("key"), await get("store")];
    return { extractable: key.extractable, mode: store.mode, text: new TextDecoder().decode(store.octets) };
  });
  assert.deepEqual([kept.extractable, kept.mode], [false, "passkey"]);
  assert.ok(!kept.text.includes("secret") && !kept.text.includes("locks"));
  assertClean(context);
  await context.close();
});

test("only the link's own files are loaded, under a strict policy", async () => {
  const answers = await Promise.all(["", "worker.js", "sw.js", "dskpp.wasm", "manifest.webmanifest"].map((name) => fetch(`${server.base}/token/${name}`)));
  for (const answer of answers) {
    assert.equal(answer.status, 200, answer.url);
    const policy = answer.headers.get("content-security-policy");
    assert.match(policy, /default-src 'none'; script-src 'sha256-[^']+' 'wasm-unsafe-eval'; style-src 'sha256-[^']+'; /);
    assert.ok(!policy.includes("unsafe-inline") && !policy.includes("http"), policy);
    const again = await fetch(answer.url, { headers: { "if-none-match": answer.headers.get("etag") } });
    assert.equal(again.status, 304);
  }
  assert.equal(answers[3].headers.get("content-type"), "application/wasm");
});
