// node click.mjs KINOGRAD [ARGUMENT…]
//
// The page of `kinograd serve` in headless Chromium, used as a person does: the target is dragged, an obstacle added,
// a clip made, played and downloaded. CHROMIUM names the browser, SHOT a picture to write. Prints a line a finding;
// exit code 1 where one is wrong.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [binary, ...further] = process.argv.slice(2);
const server = spawn(binary, ['serve', '--port', '0', '--json', ...further], { stdio: ['ignore', 'pipe', 'inherit'] });
let said = '';
const url = await new Promise((listening, ended) => {
  server.on('exit', (code) => ended(new Error(`${binary} ended with ${code}`)));
  server.stdout.on('data', (data) => {
    said += data;
    try {
      listening(JSON.parse(said).url);
    } catch {
      // Not whole yet.
    }
  });
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
let failed = false;
const check = (what, holds, found) => {
  console.log(`${holds ? 'ok   ' : 'WRONG'} ${what}: ${found}`);
  failed ||= !holds;
};
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  const outside = [];
  page.on('request', (request) => !request.url().startsWith(url) && !request.url().startsWith('blob:') && outside.push(request.url()));
  await page.goto(url);
  await page.fill('#seconds', '3');
  await page.click('#add');
  // The target starts at (1, 3): it is dragged to (-1, 2), which is right of one who faces +Z.
  const box = await page.locator('#ground').boundingBox();
  const at = (x, z) => [box.x + box.width * (0.5 - x / 10), box.y + box.height * (0.8 - z / 10)];
  await page.mouse.move(...at(1, 3));
  await page.mouse.down();
  await page.mouse.move(...at(0, 2.5));
  await page.mouse.move(...at(-1, 2));
  await page.mouse.up();
  const sent = page.waitForRequest((request) => request.method() === 'POST');
  await page.click('#make');
  const request = (await sent).postDataJSON();
  const [x, z] = request.constraints[0].positions_xz[0];
  check('the target is where it was dragged', Math.hypot(x + 1, z - 2) < 0.06, `${x}, ${z}`);
  check('the obstacle is asked for', request.x_kinograd.obstacles.length === 1, JSON.stringify(request.x_kinograd));
  await page.waitForSelector('#download:not([hidden])', { timeout: 120_000 });
  check('it says what came', (await page.textContent('#said')) === '60 frames at 20 a second', await page.textContent('#said'));
  const before = await page.inputValue('#time');
  await page.waitForTimeout(700);
  check('the clip plays', (await page.inputValue('#time')) !== before, `${before} to ${await page.inputValue('#time')}`);
  const figure = await page.evaluate(() => {
    const canvas = document.getElementById('stage');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let pixels = 0;
    for (let i = 0; i < data.length; i += 4) pixels += data[i] > 200 && data[i + 1] > 100 && data[i + 1] < 190 && data[i + 2] < 110 && data[i + 3] > 200;
    return pixels;
  });
  check('a figure is drawn', figure > 500, `${figure} pixels`);
  if (process.env.SHOT) await page.screenshot({ path: process.env.SHOT });
  const download = page.waitForEvent('download');
  await page.click('#download');
  const glb = readFileSync(await (await download).path());
  check('the GLB is downloaded', glb.subarray(0, 4).toString() === 'glTF', `${glb.length} bytes`);
  await page.fill('#prompt', ' . ');
  await page.click('#make');
  await page.waitForSelector('#said.error');
  check('an error is said', /prompt/.test(await page.textContent('#said')), await page.textContent('#said'));
  const own = errors.filter((error) => !error.includes('400'));
  check('nothing fails in the console', own.length === 0, JSON.stringify(own));
  check('nothing is loaded from elsewhere', outside.length === 0, JSON.stringify(outside));
} finally {
  await browser.close();
  server.removeAllListeners('exit');
  server.kill('SIGTERM');
}
process.exit(failed ? 1 : 0);
