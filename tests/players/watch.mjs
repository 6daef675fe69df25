// node watch.mjs MODULES CHROMIUM SECONDS PLAYER URL SETTINGS [SECONDS PLAYER URL SETTINGS ...]
//
// Opens each player after the other in a headless Chromium, lets it play that long, and writes one line of JSON
// for each. SETTINGS are the player's own, as JSON. MODULES is where npm put playwright-core and the players.
// Nothing but loopback can be reached. What is in the folder of MILLRACE_FILES is served as /files/….

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const [modules, chromium, ...words] = process.argv.slice(2);
const { chromium: browsers } = createRequire(join(modules, 'package.json'))('playwright-core');
const here = dirname(fileURLToPath(import.meta.url));
const TYPES = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.mp4': 'video/mp4',
  '.m3u8': 'application/vnd.apple.mpegurl', '.mpd': 'application/dash+xml',
};

function folderOf(path) {
  if (path.startsWith('/lib/')) return join(modules, 'node_modules', path.slice(5));
  if (path.startsWith('/files/')) return join(process.env.MILLRACE_FILES ?? here, path.slice(7));
  return join(here, path);
}

const pages = createServer(async (request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
  const file = folderOf(path);
  try {
    const body = await readFile(file);
    const headers = { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'accept-ranges': 'bytes' };
    // Browsers seek in files by ranges.
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    if (!range) {
      response.writeHead(200, headers).end(body);
      return;
    }
    const [from, to] = [Number(range[1]), Math.min(Number(range[2] || body.length - 1), body.length - 1)];
    headers['content-range'] = `bytes ${from}-${to}/${body.length}`;
    response.writeHead(206, headers).end(body.subarray(from, to + 1));
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve));

function launch() {
  return browsers.launch({
    executablePath: chromium,
    args: [
      '--no-sandbox', '--disable-dev-shm-usage', '--autoplay-policy=no-user-gesture-required', '--mute-audio',
      '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
}

// A page whose script never yields answers nothing any more.
function within(seconds, what, promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`${what} hangs`)), seconds * 1000));
  return Promise.race([promise, late]);
}

function quantile(values, q) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] : null;
}

async function watch(browser, seconds, player, url, settings) {
  const page = await browser.newPage();
  const said = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && said.push(message.text()));
  page.on('pageerror', (error) => said.push(error.message));
  const failed = [];
  page.on('response', (answer) => answer.status() >= 400 && failed.push(`${answer.status()} ${answer.url()}`));
  const query = new URLSearchParams({ player, url, settings });
  await page.goto(`http://127.0.0.1:${pages.address().port}/page.html?${query}`);
  await page.waitForTimeout(seconds * 1000);
  const seen = await within(10, 'the page', page.evaluate(() => window.seen));
  const version = await page.evaluate(() => [
    globalThis.Hls?.version, globalThis.dashjs?.Version, globalThis.shaka?.Player.version].find(Boolean));
  const { latencies, told, rates, standing, ...rest } = seen;
  if (standing?.ms > 500) rest.stalls.push(standing);
  const ended = await page.evaluate(() => {
    const video = document.getElementById('video');
    const ranges = Array.from({ length: video.buffered.length }, (_, at) => [video.buffered.start(at), video.buffered.end(at)]);
    return { at: video.currentTime, readyState: video.readyState, buffered: ranges };
  }).catch(String);
  return {
    player, url, version, ...rest, ended,
    latency: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), max: quantile(latencies, 1) },
    told: { p50: quantile(told, 0.5), p95: quantile(told, 0.95) },
    rate: { min: quantile(rates, 0), max: quantile(rates, 1) },
    refused: failed.slice(0, 20), said: said.slice(0, 20),
  };
}

for (let at = 0; at + 3 < words.length; at += 4) {
  const [seconds, player, url, settings] = words.slice(at, at + 4);
  const browser = await launch();
  try {
    console.log(JSON.stringify(await watch(browser, Number(seconds), player, url, settings)));
  } catch (error) {
    console.log(JSON.stringify({ player, url, errors: [String(error)] }));
  }
  await within(10, 'Chromium', browser.close()).catch(() => {});
}
process.exit(0);
