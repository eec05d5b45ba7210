// Runs axe-core over a report in each state a reader can see it in: every language, wide and narrow, dark, and with styles
// blocked. Usage: node axe.cjs CHROMIUM FILE.html…; modules are found by NODE_PATH. Prints one line per violation and
// exits 1 if there is any.
const { chromium } = require('playwright-core');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { pathToFileURL } = require('url');

const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const states = [
  { name: 'zh', show: 'show-zh', width: 1280 },
  { name: 'en', show: 'show-en', width: 1280 },
  { name: 'both', show: 'show-both', width: 1280 },
  { name: 'zh phone', show: 'show-zh', width: 320, brief: true },
  { name: 'en phone dark', show: 'show-en', width: 360, dark: true },
  { name: 'zh dark', show: 'show-zh', width: 1280, dark: true },
  { name: 'en forced colours', show: 'show-en', width: 1280, forced: true },
  { name: 'styles blocked', width: 1280, plain: true, brief: true },
];

(async () => {
  const [executablePath, ...files] = process.argv.slice(2);
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'mingshi-axe-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    bypassCSP: true, // only so that axe itself can be injected
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  let bad = 0;
  let asked = 0;
  const say = (line) => { bad++; console.log(line); };
  try {
    for (const file of files) {
      // the first page is looked at in every state, the others where their difference shows
      for (const s of file === files[0] ? states : states.filter((x) => x.brief)) {
        const page = await browser.newPage();
        page.on('request', (r) => { if (!r.url().startsWith('file:') && !r.url().startsWith('data:')) { say(`${file} [${s.name}] asks for ${r.url()}`); } });
        page.on('dialog', (d) => { say(`${file} [${s.name}] runs a script: ${d.message()}`); d.dismiss(); });
        await page.emulateMedia({ colorScheme: s.dark ? 'dark' : 'light', forcedColors: s.forced ? 'active' : 'none' });
        await page.setViewportSize({ width: s.width, height: 900 });
        await page.goto(pathToFileURL(file).href);
        if (s.plain) await page.evaluate(() => document.querySelectorAll('style').forEach((e) => e.remove()));
        else await page.locator('#' + s.show).check();
        // what is folded away counts as well
        await page.evaluate(() => document.querySelectorAll('details').forEach((e) => { e.open = true; }));
        for (const lang of ['zh', 'en']) {
          const shown = await page.locator('#' + lang).isVisible();
          const wanted = s.plain || s.show === 'show-both' || s.show === 'show-' + lang;
          if (shown !== wanted) say(`${file} [${s.name}] section ${lang}: visible ${shown}, wanted ${wanted}`);
        }
        if (!s.plain) {
          const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          if (over > 0) say(`${file} [${s.name}] is ${over} px wider than the screen`);
        }
        await page.evaluate(axe);
        const r = await page.evaluate((t) => window.axe.run(document, { runOnly: { type: 'tag', values: t } }), tags);
        asked += r.passes.length;
        for (const v of r.violations) for (const n of v.nodes) say(`${file} [${s.name}] ${v.id}: ${n.target} ${n.html.slice(0, 160)} ${(n.any[0] || n.all[0] || n.none[0] || {}).message || ''}`);
        await page.close();
      }
    }
  } finally {
    await browser.close();
    fs.rmSync(profile, { recursive: true, force: true });
  }
  console.log(`${files.length} pages, ${asked} rules passed, ${bad} violations`);
  process.exit(bad || !asked ? 1 : 0);
})().catch((e) => { console.error(e); process.exit(2); });
