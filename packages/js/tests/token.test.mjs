// The token in the browser, against a real server in Chromium: what a person sees, and what the server says of the codes.

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

test("a link shows whom it is from, for whom, what for and until when, and three ways", async () => {
  const { trigger_url: url } = await server.enrolment();
  const context = await visit(browser, server);
  const page = await context.newPage();
  await page.goto(url);
  for (const text of ["Example Inc.", "alice", "One-time passwords of 6 digits that change every 30 seconds", "help@example.com"]) {
    await page.getByText(text, { exact: true }).first().waitFor();
  }
  await button(page, "Set up on this device").waitFor();
  await page.getByRole("link", { name: "Open in your DSKPP app" }).waitFor();
  await page.getByRole("img", { name: "QR code of this link" }).waitFor();
  await look(page, "link");
  assertClean(context);
  await context.close();

  const plain = await visit(browser, server, { javaScriptEnabled: false });
  const without = await plain.newPage();
  await without.goto(url);
  await without.getByText("alice", { exact: true }).waitFor();
  await without.getByRole("link", { name: "Open in your DSKPP app" }).waitFor();
  await without.getByRole("img", { name: "QR code of this link" }).waitFor();
  assert.equal(await button(without, "Set up on this device").count(), 0);
  await without.getByText("allow JavaScript").waitFor();
  await plain.close();
});

test("link, set up, code, valid at the server; once more without a network", async () => {
  const { trigger_url: url } = await server.enrolment();
  const context = await visit(browser, server);
  const page = await setUp(context, url);
  await page.getByText("your key is active and works").waitFor();
  const code = await codeOf(page);
  assert.ok(await server.isValid({ user: "alice", otp: code }), "the server takes the code");
  assert.ok(!page.url().includes("enroll"), "the link is not in the address");
  await look(page, "done");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  assertClean(context);

  await context.setOffline(true);
  const offline = await context.newPage();
  await offline.goto(`${server.base}/token/`);
  await codeOf(offline);
  await button(offline, "Copy").waitFor();
  assertClean(context, "Failed to load resource", "ERR_INTERNET_DISCONNECTED");
  await context.close();
});

test("a key that waits for its first password is activated by the page", async () => {
  for (const key_type of ["totp", "hotp"]) {
    const user = `waits-${key_type}`;
    const { trigger_url: url } = await server.enrolment({ user, key_type, activate: "on-otp" });
    const context = await visit(browser, server);
    const page = await setUp(context, url);
    await page.getByText(/your key is active/i).waitFor();
    assert.equal((await server.keys(user))[0].state, "active");
    assertClean(context);
    await context.close();
  }
});

test("two tabs never show the same code of a counter key, and its counter is stored first", async () => {
  const { trigger_url: url } = await server.enrolment({ user: "counter", key_type: "hotp" });
  const context = await visit(browser, server);
  const first = await setUp(context, url);
  const seen = [await codeOf(first)];
  await button(first, "To your keys").click();
  const second = await context.newPage();
  await second.goto(`${server.base}/token/`);
  const tabs = [first, second];
  for (const tab of tabs) await button(tab, "Show a new code").waitFor();
  for (let round = 0; round < 3; round += 1) {
    const before = await Promise.all(tabs.map((tab) => tab.locator("[data-code]").textContent()));
    await Promise.all(tabs.map((tab) => button(tab, "Show a new code").click()));
    for (const [i, tab] of tabs.entries()) {
      await tab.waitForFunction((old) => document.querySelector("[data-code]").textContent !== old, before[i]);
      seen.push(await codeOf(tab));
    }
  }
  assert.equal(new Set(seen).size, seen.length, seen.join(" "));
  await second.reload();
  await button(second, "Show a new code").click();
  const last = await codeOf(second);
  assert.ok(!seen.includes(last), "a reload goes on with the counter");
  assert.ok(await server.isValid({ user: "counter", otp: last }));
  assertClean(context);
  await context.close();
});

test("a renewal takes the old key's place", async () => {
  const { trigger_url: url } = await server.enrolment({ user: "renews" });
  const context = await visit(browser, server);
  await setUp(context, url);
  const [key] = await server.keys("renews");
  const renewal = await server.enrolment({ user: "renews", renews: key.key_id });
  const page = await setUp(context, renewal.trigger_url);
  const code = await codeOf(page);
  assert.ok(await server.isValid({ key_id: key.key_id, otp: code }), "the renewed key");
  await button(page, "To your keys").click();
  assert.equal(await page.locator("li.token").count(), 1);
  assertClean(context);
  await context.close();
});

test("a code is typed in groups and checked as one types", async () => {
  const { authentication_code: code } = await server.enrolment({ user: "types" });
  const context = await visit(browser, server);
  const page = await context.newPage();
  await page.goto(`${server.base}/token/`);
  await look(page, "empty");
  await button(page, "Add a key").click();
  const field = page.getByRole("textbox", { name: "Code or link" });
  const digits = code.replaceAll("-", "");
  await field.pressSequentially(digits.slice(0, 6).toLowerCase());
  assert.equal(await field.inputValue(), `${digits.slice(0, 4)}-${digits.slice(4, 6)}`);
  const wrong = digits.at(-1) === "0" ? "1" : "0";
  await field.fill(digits.slice(0, -1) + wrong);
  await page.getByText("Something is mistyped").waitFor();
  await look(page, "typed");
  await button(page, "Set up").click();
  assert.equal(await page.getByRole("heading", { name: "Add a key" }).count(), 1, "nothing is sent");
  await field.fill(digits);
  await page.getByText("The code is complete.").waitFor();
  await button(page, "Set up").click();
  await page.getByRole("heading", { name: "Your key is ready" }).waitFor();
  assert.ok(await server.isValid({ user: "types", otp: await codeOf(page) }));
  assertClean(context);
  await context.close();
});

test("wrong, used and expired links say what to do next", async () => {
  const used = await server.enrolment({ user: "used" });
  const late = await server.enrolment({ user: "late", expires_in_s: 1 });
  const context = await visit(browser, server);
  await setUp(context, used.trigger_url);
  await new Promise((resolve) => setTimeout(resolve, 2100));
  const page = await context.newPage();
  for (const url of [used.trigger_url, late.trigger_url, `${server.base}/enroll/${"0".repeat(32)}`]) {
    await page.goto(url);
    await page.getByText("ask for a new link").waitFor();
    assert.equal(await button(page, "Set up on this device").count(), 0);
    await assertAccessible(page, url);
    await page.goto("about:blank");
    await page.goto(`${server.base}/token/#enroll=${url.split("/").pop()}`);
    await page.getByRole("heading", { name: "That did not work" }).waitFor();
    await page.locator("#next", { hasText: "ask for a new" }).waitFor();
  }
  await look(page, "failed");
  assertClean(context, "Failed to load resource");
  await context.close();
});

test("a wrong code and a server without a network say what to do next", async () => {
  const { trigger_url: url } = await server.enrolment({ user: "fails" });
  const other = await server.enrolment({ user: "fails" });
  await server.api(`enrolments/${other.id}`, undefined, "DELETE");
  const context = await visit(browser, server);
  const page = await context.newPage();
  await page.goto(`${server.base}/token/`);
  await button(page, "Add a key").click();
  await page.getByRole("textbox", { name: "Code or link" }).fill(other.authentication_code);
  await button(page, "Set up").click();
  await page.getByRole("alert").waitFor();
  await page.locator("#next", { hasText: "ask for a new" }).waitFor();
  await page.goto(url);
  await context.setOffline(true);
  await button(page, "Set up on this device").click();
  await page.getByText("The server did not answer.").waitFor();
  await page.locator("#next", { hasText: "still valid" }).waitFor();
  await context.setOffline(false);
  await button(page, "Try again").click();
  await page.getByRole("heading", { name: "Your key is ready" }).waitFor();
  assert.ok(await server.isValid({ user: "fails", otp: await codeOf(page) }));
  assertClean(context, "Failed to load resource", "ERR_INTERNET_DISCONNECTED");
  await context.close();
});

test("a link that another page opens is asked about first", async () => {
  const { trigger_url: url } = await server.enrolment({ user: "asked" });
  const context = await visit(browser, server);
  const page = await context.newPage();
  await page.goto(`${server.base}/token/#enroll=${url.split("/").pop()}`);
  await page.getByText("asked", { exact: true }).waitFor();
  await look(page, "confirm");
  assert.equal((await server.keys("asked")).length, 0, "nothing is done yet");
  await button(page, "Set up on this device").click();
  await page.getByRole("heading", { name: "Your key is ready" }).waitFor();
  assertClean(context);
  await context.close();
});

test("a browser without storage says so and uses nothing up", async () => {
  const { trigger_url: url } = await server.enrolment({ user: "refused" });
  const context = await visit(browser, server);
  await context.addInitScript(() => {
    indexedDB.open = () => {
      throw new DOMException("denied", "SecurityError");
    };
  });
  const page = await context.newPage();
  await page.goto(url);
  await button(page, "Set up on this device").click();
  await page.getByText("The browser refuses to store anything").waitFor();
  await page.getByRole("link", { name: "The other ways" }).waitFor();
  await look(page, "no-storage");
  assertClean(context);
  await context.close();

  const forgetful = await visit(browser, server);
  await forgetful.addInitScript(() => {
    if (globalThis.StorageManager) StorageManager.prototype.persist = async () => false;
  });
  const done = await setUp(forgetful, url);
  await done.getByText("does not promise to keep the key").waitFor();
  assertClean(forgetful);
  await forgetful.close();
});

test("the language can be changed, on the link's page and in the app", async () => {
  const { trigger_url: url } = await server.enrolment({ user: "sprache" });
  const context = await visit(browser, server);
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole("link", { name: "Deutsch" }).click();
  await button(page, "Auf diesem Gerät einrichten").click();
  await page.getByRole("heading", { name: "Ihr Schlüssel ist fertig" }).waitFor();
  await look(page, "german");
  await page.getByLabel("Sprache", { exact: true }).selectOption("English");
  await page.getByRole("heading", { name: "Your keys" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Your keys" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  assertClean(context);
  await context.close();

  const german = await visit(browser, server, { locale: "de-AT" });
  const start = await german.newPage();
  await start.goto(`${server.base}/token/`);
  await start.getByRole("heading", { name: "Noch kein Schlüssel" }).waitFor();
  await german.close();
});

test("without a secure connection the link's page says why, and offers the other ways", async () => {
  const { trigger_url: url } = await server.enrolment();
  const elsewhere = await launch("--host-resolver-rules=MAP keys.test 127.0.0.1");
  const page = await elsewhere.newPage();
  await page.goto(url.replace("localhost", "keys.test"));
  await page.getByText("did not come over a secure connection").waitFor();
  assert.equal(await button(page, "Set up on this device").isVisible(), false);
  await page.getByRole("link", { name: "Open in your DSKPP app" }).waitFor();
  await page.goto(`http://keys.test:${server.port}/token/`);
  await page.getByText("did not come over a secure connection").waitFor();
  await elsewhere.close();
});

test("no text becomes HTML or a script in the app or on a link's page (Trusted Types)", async () => {
  const { trigger_url: url } = await server.enrolment({ user: "trusted" });
  const context = await visit(browser, server);
  const page = await setUp(context, url);
  assertClean(context); // the worker and the service worker have started
  for (const address of [page.url(), (await server.enrolment({ user: "trusted" })).trigger_url]) {
    await page.goto(address);
    const refused = await page.evaluate(() => {
      const attempts = [
        () => (document.body.innerHTML = "<b>x</b>"),
        () => new DOMParser().parseFromString("<b>x</b>", "text/html"),
        () => new Worker("other.js"),
        () => globalThis.trustedTypes.createPolicy("another", {}),
      ];
      return attempts.map((attempt) => {
        try {
          attempt();
          return "done";
        } catch (why) {
          return why.name;
        }
      });
    });
    assert.deepEqual(refused, ["TypeError", "TypeError", "TypeError", "TypeError"]);
  }
  await context.close();
});

test("one tap renews a key: the new code is valid, the old key is gone; and where only the issuer renews, the page says so", async () => {
  const own = await Server.start({ DSKPP_PORTAL_OWNERS_RENEW: "true" });
  try {
    for (const key_type of ["hotp", "totp"]) {
      const user = `renews-${key_type}`;
      const { trigger_url: url } = await own.enrolment({ user, key_type });
      const context = await visit(browser, own);
      const page = await setUp(context, url);
      await page.getByText("your key is active and works").waitFor();
      const secret = async (key) => (await own.api(`keys/${key.key_id}/secret`)).secret_hex;
      const before = await secret((await own.keys(user))[0]);
      await button(page, "To your keys").click();
      await page.getByText("More", { exact: true }).click();
      await button(page, "Renew").click();
      await page.getByRole("heading", { name: "Your key is ready" }).waitFor();
      await page.getByText("your key is active and works").waitFor();
      assert.ok(await own.isValid({ user, otp: await codeOf(page) }), "the server takes the new code");
      const keys = await own.keys(user);
      assert.equal(keys.length, 1);
      assert.notEqual(await secret(keys[0]), before);
      await button(page, "To your keys").click();
      assert.equal(await page.locator("[data-key]").count(), 1);
      if (key_type === "totp") {
        await page.getByText("More", { exact: true }).click();
        await button(page, "Renew").click(); // the code was used above
        await page.getByText("The server has not renewed this key.").waitFor();
        await page.getByText("wait for the next one").waitFor();
        await look(page, "not-renewed");
      }
      assertClean(context, "409 (Conflict)");
      await context.close();
    }
  } finally {
    await own.end();
  }
  const { trigger_url: url } = await server.enrolment({ user: "issuer-renews" });
  const context = await visit(browser, server);
  const page = await setUp(context, url);
  await button(page, "To your keys").click();
  await page.getByText("More", { exact: true }).click();
  await button(page, "Renew").click();
  await page.getByText("you need a renewal link from your organisation").waitFor();
  assertClean(context);
  await context.close();
});
