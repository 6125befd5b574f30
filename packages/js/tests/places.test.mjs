// Where the app is: below a path prefix, behind a proxy, with the issuer's logo, with a certificate that no browser trusts.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Server, assertClean, codeOf, launch, look, setUp, visit } from "./support.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const button = (page, name) => page.getByRole("button", { name, exact: true });

/** A proxy of everything below `/keys`; it knows nothing else. `port` is set once there is a server. */
async function proxy(isPrefixKept) {
  const there = { port: 0, asked: [] };
  const front = createServer((asked, answer) => {
    there.asked.push(asked.url);
    if (!asked.url.startsWith("/keys/")) return answer.writeHead(404).end();
    const path = isPrefixKept ? asked.url : asked.url.slice("/keys".length);
    const { method, headers } = asked;
    const passed = request({ host: "127.0.0.1", port: there.port, path, method, headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    passed.on("error", () => answer.writeHead(502).end());
    return asked.pipe(passed);
  });
  await new Promise((ready) => front.listen(0, "127.0.0.1", ready));
  return { there, front, base: `http://localhost:${front.address().port}` };
}

test("below a path prefix: link, set up, code, valid at the server; once more without a network", async () => {
  for (const isPrefixKept of [true, false]) {
    const { there, front, base } = await proxy(isPrefixKept);
    const server = await Server.start({ DSKPP_SERVER_PUBLIC_URLS: `${base}/keys/dskpp` });
    there.port = server.port;
    try {
      const { trigger_url: url } = await server.enrolment();
      assert.ok(url.startsWith(`${base}/keys/enroll/`), url);
      const context = await visit(browser, { base });
      const page = await setUp(context, url);
      await page.getByText("your key is active and works").waitFor();
      assert.equal(page.url(), `${base}/keys/token/`);
      assert.ok(await server.isValid({ user: "alice", otp: await codeOf(page) }));
      await page.evaluate(() => navigator.serviceWorker.ready);
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
      assert.equal(await page.evaluate(async () => (await navigator.serviceWorker.ready).scope), `${base}/keys/token/`);
      const astray = there.asked.filter((path) => !path.startsWith("/keys/") && path !== "/favicon.ico");
      assert.deepEqual(astray, []);
      assertClean(context);
      await context.setOffline(true);
      const offline = await context.newPage();
      await offline.goto(`${base}/keys/token/`);
      await codeOf(offline);
      await context.close();
    } finally {
      await server.end();
      front.close();
    }
  }
});

test("the issuer's logo and name are on the link's page and in the app", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dskpp-logo-"));
  const file = join(folder, "logo.svg");
  const script = "<script>parent.ran = 1; document.title = 'ran'</script>"; // a logo is a picture, whatever it has
  writeFileSync(file, `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40">${script}<rect width="120" height="40" fill="#a0f"/></svg>`);
  const server = await Server.start({ DSKPP_PORTAL_LOGO_FILE: file });
  try {
    const { trigger_url: url } = await server.enrolment();
    const context = await visit(browser, server);
    const page = await context.newPage();
    await page.goto(url);
    const isShown = (where) => where.locator("header img").evaluate((img) => img.decode().then(() => img.naturalWidth === 120 && img.clientHeight > 0));
    assert.ok(await isShown(page), "on the link's page");
    await look(page, "logo-link");
    await button(page, "Set up on this device").click();
    await page.getByText("your key is active and works").waitFor();
    assert.ok(await isShown(page), "in the app");
    await page.locator("header", { hasText: "Example Inc." }).waitFor();
    await look(page, "logo");
    assert.equal(await page.evaluate(() => globalThis.ran), undefined);
    assertClean(context);
    await context.close();
  } finally {
    await server.end();
    rmSync(folder, { recursive: true });
  }
});

test("with a certificate that is not trusted nothing is sent; who accepts it gets the key, and is told what does not work", async () => {
  const server = await Server.start({}, true);
  try {
    const { trigger_url: url } = await server.enrolment();
    const careful = await visit(browser, server);
    const refused = await careful.newPage();
    await assert.rejects(refused.goto(url), /ERR_CERT_AUTHORITY_INVALID/);
    await careful.close();

    const context = await visit(browser, server, { ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(url);
    await page.getByRole("link", { name: "Open in your DSKPP app" }).waitFor();
    await page.getByRole("img", { name: "QR code of this link" }).waitFor();
    await button(page, "Set up on this device").click();
    await page.getByRole("heading", { name: "Your key is ready" }).waitFor();
    assert.ok(await server.isValid({ user: "alice", otp: await codeOf(page) }));
    await page.locator("#not-offline").waitFor();
    await look(page, "not-trusted");
    assertClean(context, "ServiceWorker", "SSL", "ERR_CERT");
    await context.close();
  } finally {
    await server.end();
  }
});
