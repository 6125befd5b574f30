// The main way in Firefox, by WebDriver BiDi.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Server, modulesOf } from "./support.mjs";

const puppeteer = modulesOf("puppeteer-core");

let server;
let browser;

before(async () => {
  const options = { browser: "firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", headless: true };
  [server, browser] = await Promise.all([Server.start(), puppeteer.launch(options)]);
});

after(async () => {
  await browser?.close();
  await server?.end();
});

test("link, set up, code, valid at the server in Firefox", async () => {
  const { trigger_url: url } = await server.enrolment();
  const page = await browser.newPage();
  const faults = [];
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  const isForeign = (url) => !url.startsWith(server.base) && !url.startsWith("data:");
  page.on("request", (request) => isForeign(request.url()) && faults.push(request.url()));
  await page.goto(url);
  await page.locator("::-p-aria([name=\"Set up on this device\"][role=\"button\"])").click();
  await page.waitForFunction(() => /^\d{6}$/.test(document.querySelector("[data-code]")?.textContent ?? ""), { timeout: 20_000 });
  await page.waitForFunction(() => document.body.textContent.includes("your key is active and works"));
  const code = await page.$eval("[data-code]", (element) => element.textContent);
  assert.ok(await server.isValid({ user: "alice", otp: code }));
  await page.goto(`${server.base}/token/`);
  await page.waitForFunction(() => /^\d{6}$/.test(document.querySelector("[data-code]")?.textContent ?? ""));
  assert.deepEqual(faults, []);
});
