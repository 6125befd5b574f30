// A real server, a real browser, and what every test looks at: errors of the page, and requests to anywhere else.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as requestHttps } from "node:https";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const { DSKPP = "target/debug/dskpp", BROWSER_MODULES = "target/browser", PICTURES = "target/browser/pictures" } = process.env;
const modules = createRequire(join(process.cwd(), BROWSER_MODULES, "package.json"));

export const { chromium } = modules("playwright-core");
export const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");
export const program = DSKPP;
export const modulesOf = modules;

const isRoot = process.getuid?.() === 0;
mkdirSync(PICTURES, { recursive: true });

export function launch(...options) {
  const args = isRoot ? ["--no-sandbox", ...options] : options;
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
}

/** Asks a server whose certificate only `ca` vouches for; what `fetch` cannot. */
function fetchWith(ca, url, { method, headers, body }) {
  return new Promise((resolve, reject) => {
    const asked = requestHttps(url, { method, headers, ca }, async (answer) => {
      const text = Buffer.concat(await answer.toArray()).toString();
      resolve({ ok: answer.statusCode < 300, status: answer.statusCode, text: async () => text });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/** A server with a folder of its own on a free port of this machine. */
export class Server {
  /** @param isTls whether it serves https, with a certificate that no browser trusts */
  static async start(environment = {}, isTls = false) {
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), "dskpp-browser-"));
    server.environment = environment;
    server.isTls = isTls;
    await server.run("127.0.0.1:0");
    return server;
  }

  async run(listen) {
    const options = ["serve", ...(this.isTls ? [] : ["--http"]), "--data-dir", join(this.folder, "data"), "--listen", listen];
    const env = { ...process.env, DSKPP_SERVER_ISSUER: "Example Inc.", DSKPP_PORTAL_HELP: "help@example.com", ...this.environment };
    this.process = spawn(DSKPP, options, { env, stdio: ["ignore", "pipe", "pipe"] });
    const said = [];
    const port = await new Promise((resolve, reject) => {
      for (const stream of [this.process.stdout, this.process.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
          said.push(line);
          const found = /listening on \S*:(\d+)/.exec(line.replaceAll(/\u001b\[[0-9;]*m/g, ""));
          if (found) resolve(Number(found[1]));
        });
      }
      this.process.on("exit", () => reject(new Error(said.join("\n"))));
    });
    this.port = port;
    this.base = `${this.isTls ? "https" : "http"}://localhost:${port}`;
    this.ca = this.isTls && readFileSync(join(this.folder, "data", "tls", "ca.pem"));
    this.token = readFileSync(join(this.folder, "data", "admin-token"), "utf8").trim();
  }

  async stop() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill();
    await ended;
  }

  async end() {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }

  async api(path, body, method = body ? "POST" : "GET") {
    const ask = this.ca ? fetchWith.bind(undefined, this.ca) : fetch;
    const answer = await ask(`${this.base}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(body && { "content-type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** A new enrolment; its `trigger_url` is the link. */
  enrolment(more = {}) {
    return this.api("enrolments", { user: "alice", key_type: "totp", ...more });
  }

  async isValid(body) {
    return (await this.api("validate", body)).valid;
  }

  /** The keys of a user. */
  async keys(user = "alice") {
    return (await this.api(`keys?user=${user}`)).items;
  }

  async cli(...options) {
    return promisify(execFile)(DSKPP, options, { env: process.env });
  }
}

/** A new window with nothing stored, which notes errors and requests to other servers. */
export async function visit(browser, server, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const faults = [];
  context.on("console", (message) => message.type() === "error" && faults.push(`console: ${message.text()}`));
  context.on("weberror", (error) => faults.push(`error: ${error.error()}`));
  context.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== server.base && protocol !== "blob:") faults.push(`request to ${request.url()}`);
  });
  context.faults = faults;
  return context;
}

/** Nothing went wrong but what a test expects. */
export function assertClean(context, ...expected) {
  const faults = context.faults.filter((fault) => !expected.some((part) => fault.includes(part)));
  assert.deepEqual(faults, []);
}

/** Digits that stand in the page's text. */
export async function codeOf(page, within = page) {
  const code = within.locator("[data-code]").first();
  await code.waitFor();
  await page.waitForFunction((element) => /^\d{6,10}$/.test(element.textContent), await code.elementHandle());
  return code.textContent();
}

/** Opens an enrolment link and takes the main way. */
export async function setUp(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole("button", { name: "Set up on this device", exact: true }).click();
  await page.getByRole("heading", { name: "Your key is ready" }).waitFor();
  return page;
}

/** No finding of axe in WCAG 2.2 A and AA, and nothing wider than the window. */
export async function assertAccessible(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  const findings = found.violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(findings, []);
  const [inner, width] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
  assert.ok(width <= inner, `${name} is ${width} px wide in a window of ${inner} px`);
}

/** Looks at a page in every width and colour scheme, and keeps the pictures. */
export async function look(page, name) {
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of [320, 390, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await assertAccessible(page, `${name} ${scheme} ${width}`);
      await page.screenshot({ path: join(PICTURES, `${name}-${scheme}-${width}.png`), fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
}
