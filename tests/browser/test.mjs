// Opens pages in headless Chromium and looks at what a reader would see:
//
//   node test.mjs FOLDER [--shots FOLDER]
//
// FOLDER holds one folder for each page with its report.html: run, compare, sweep, factor, map,
// find, atlas, recommend, hand. Exits 1 if anything is wrong.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

// Not `import`: that does not look into NODE_PATH.
const require = createRequire(import.meta.url);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const folder = resolve(process.argv[2]);
const shots = process.argv[3] === "--shots" ? resolve(process.argv[4]) : null;
if (shots) mkdirSync(shots, { recursive: true });
const PAGES = ["run", "compare", "sweep", "factor", "map", "find", "atlas", "recommend", "hand"];
// A map of letters has nothing to draw.
const DRAWN = (name) => name !== "atlas";

// A fresh profile each time; nothing of Chromium's own may talk to the network.
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** Opens a page offline and gives it to `look`; fails on any message, violation or request but the file itself. */
async function visit(name, look, { scheme = "light", width = 1280, height = 900, scripts = true } = {}) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height }, offline: true, javaScriptEnabled: scripts, bypassCSP: false });
  const page = await context.newPage();
  const [messages, requests] = [[], []];
  page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => messages.push(`error: ${error.stack}`));
  page.on("dialog", (dialog) => (messages.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on("request", (request) => requests.push(request.url()));
  if (scripts) {
    await page.addInitScript(() => {
      window.violations = [];
      document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    });
  }
  const url = pathToFileURL(join(folder, name, "report.html")).href;
  await page.goto(url);
  await settle(page, scripts);
  try {
    await look(page);
    if (scripts) assert.deepEqual(await page.evaluate(() => window.violations), [], "the page's own policy was violated");
    assert.deepEqual(messages, [], "the console is silent");
    assert.deepEqual(requests.filter((request) => !request.startsWith("data:")), [url], "one request: the file");
  } finally {
    await context.close();
  }
}

const settle = (page, scripts = true) => (scripts ? page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))) : null);
const plots = (page) => page.locator("figure[data-figure] .holder");
const readouts = (page) => page.locator("figure[data-figure] .readout").allTextContents();

/** How many colours a canvas holds: a blank one has one. */
const colours = (page) => page.evaluate(() => [...document.querySelectorAll(".uplot canvas")].map((canvas) => {
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let at = 0; at < data.length; at += 4) seen.add((data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3]);
  return seen.size;
}));

/** Figures whose cursor line stands at the same place of the same axis. */
const cursors = (page) => page.evaluate(() => [...document.querySelectorAll("figure[data-figure]")].map((figure) => {
  const line = figure.querySelector(".u-cursor-x");
  const at = line && !line.classList.contains("u-off") && /translate\(([-\d.]+)px/.exec(line.style.transform);
  return at ? Math.round(Number(at[1])) : null;
}));

const tests = [];
const test = (name, run) => tests.push([name, run]);

for (const name of PAGES) {
  test(`${name}: every plot is drawn`, () => visit(name, async (page) => {
    const found = await colours(page);
    assert.equal(found.length, await plots(page).count());
    assert.ok(found.length > 0 === DRAWN(name) && found.every((n) => n > 8), `colours of the canvases: ${found}`);
  }));

  for (const scheme of ["light", "dark"]) {
    test(`${name}: no accessibility rule is broken, ${scheme}`, () => visit(name, async (page) => {
      // The page's policy refuses a script that is not its own: axe comes in through the debugger.
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      const words = violations.map((it) => `${it.id}: ${it.help}: ${it.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
      assert.deepEqual(words, []);
    }, { scheme }));
  }

  test(`${name}: nothing is wider than the page at 360 px, at 800 px and at 4k`, async () => {
    for (const width of [360, 800, 3840]) {
      await visit(name, async (page) => {
        const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.equal(over, 0, `at ${width} px`);
        const blank = await page.evaluate(() => [...document.querySelectorAll(".uplot")].some((plot) => plot.clientWidth > plot.parentNode.clientWidth));
        assert.ok(!blank, `a plot is wider than its place at ${width} px`);
        // What is wider than its place can be scrolled to, by the keyboard too, and the names of its rows stay.
        const lost = await page.evaluate(() => [...document.querySelectorAll("table, .diagram svg")].filter((it) => it.getClientRects().length && it.scrollWidth > it.parentNode.clientWidth + 1)
          .filter((it) => getComputedStyle(it.parentNode).overflowX !== "auto" || it.parentNode.tabIndex !== 0).map((it) => it.outerHTML.slice(0, 80)));
        assert.deepEqual(lost, [], `at ${width} px`);
        const moved = await page.evaluate(() => [...document.querySelectorAll(".table .scroll")].filter((box) => box.getClientRects().length && box.scrollWidth > box.clientWidth + 40 && box.querySelector("tbody tr").cells.length > 1).map((box) => {
          box.scrollLeft = 40;
          const name = box.querySelector("tbody th");
          return Math.round(name.getBoundingClientRect().left - box.getBoundingClientRect().left);
        }).filter((left) => Math.abs(left) > 1));
        assert.deepEqual(moved, [], `names of rows at ${width} px`);
      }, { width });
    }
  });

  test(`${name}: read without scripts`, () => visit(name, async (page) => {
    assert.ok((await page.locator("h1").textContent()).length > 0);
    for (const what of [".verdict .headline", "table", "#again code", ...(DRAWN(name) ? [".alt li"] : [])]) {
      assert.ok((await page.locator(what).count()) > 0 && (await page.locator(what).first().isVisible()), what);
    }
  }, { scripts: false }));

  test(`${name}: a table stands behind every plot`, () => visit(name, async (page) => {
    const figures = page.locator("figure[data-figure]");
    for (let n = 0; n < (await figures.count()); n++) {
      const figure = figures.nth(n);
      await figure.locator("summary").click();
      const rows = figure.locator("tbody tr");
      await rows.first().waitFor();
      assert.ok((await rows.first().locator("th, td").count()) > 1);
      assert.ok((await figure.locator(".alt li").first().textContent()).length > 3);
    }
  }));

  test(`${name}: prints with everything open`, () => visit(name, async (page) => {
    await page.emulateMedia({ media: "print", colorScheme: "light" });
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await settle(page);
    const state = await page.evaluate(() => ({
      closed: document.querySelectorAll("details:not(.data):not([open])").length,
      wide: [...document.querySelectorAll(".uplot")].filter((plot) => plot.clientWidth > 700).length,
      ground: getComputedStyle(document.body).backgroundColor,
      nav: getComputedStyle(document.querySelector("nav")).display,
    }));
    assert.deepEqual(state, { closed: 0, wide: 0, ground: "rgb(255, 255, 255)", nav: "none" });
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    const pdf = await page.pdf({ format: "A4", ...(shots ? { path: join(shots, `${name}.pdf`) } : {}) });
    assert.ok(pdf.length > 20_000);
  }, { scheme: "dark" }));

  if (shots) {
    test(`${name}: pictures`, async () => {
      for (const [scheme, width] of [["light", 1280], ["dark", 1280], ["light", 800], ["dark", 800], ["light", 390], ["dark", 390]]) {
        await visit(name, (page) => page.screenshot({ path: join(shots, `${name}-${scheme}-${width}.png`), fullPage: true }), { scheme, width });
      }
    });
  }
}

test("run: pointing at one plot moves the cursors of the others", () => visit("run", async (page) => {
  const linked = await page.evaluate(() => Object.entries(JSON.parse(document.getElementById("data").textContent).figures).filter(([, it]) => it.link === "time").length);
  assert.ok(linked >= 4, `${linked} linked figures`);
  await plots(page).first().scrollIntoViewIfNeeded();
  const box = await plots(page).first().boundingBox();
  await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
  await settle(page);
  const there = (await cursors(page)).filter((at) => at !== null);
  assert.equal(there.length, linked);
  assert.ok(there.every((at) => Math.abs(at - there[0]) <= 1), `cursors at ${there}`);
  const words = (await readouts(page)).slice(0, linked);
  assert.equal(new Set(words.map((word) => word.split(":")[0])).size, 1, words.join(" | "));
  assert.match(words[0], /^at \d/);
  // And leave together.
  await page.mouse.move(2, 2);
  await settle(page);
  assert.ok((await cursors(page)).every((at) => at === null || at < 0));
}));

test("run: dragging zooms all, and a double click shows all of it again", () => visit("run", async (page) => {
  const first = plots(page).first();
  await first.scrollIntoViewIfNeeded();
  const box = await first.boundingBox();
  const before = await colours(page);
  await page.mouse.move(box.x + box.width * 0.3, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 5 });
  await page.mouse.up();
  await settle(page);
  assert.ok((await page.locator(".holder.zoomed").count()) >= 4);
  assert.match(await page.locator(".zoom-row span").textContent(), /^In view: /);
  // What is in view is counted: boxes and shares of the range that was chosen.
  const rows = page.locator(".in-view:visible");
  assert.ok((await rows.count()) > 0);
  assert.match(await rows.first().textContent(), /in view, .* to /);
  assert.ok((await rows.first().locator("svg.bar rect").count()) > 1);
  assert.equal((await colours(page)).length, before.length);
  await first.dblclick({ position: { x: box.width / 2, y: 60 } });
  await settle(page);
  assert.equal(await page.locator(".holder.zoomed").count(), 0);
  assert.equal(await page.locator(".in-view:visible").count(), 0);
}));

test("run: the keyboard moves, zooms and says so", () => visit("run", async (page) => {
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  const first = plots(page).first();
  await first.focus();
  const live = page.locator("#live");
  await page.keyboard.press("ArrowRight");
  await settle(page);
  const [a] = await cursors(page);
  assert.match(await live.textContent(), /^at .*goodput/);
  await page.keyboard.press("Shift+ArrowRight");
  await settle(page);
  const [b, c] = await cursors(page);
  assert.ok(b > a && b === c, `${a} ${b} ${c}`);
  await page.keyboard.press("End");
  await settle(page);
  assert.ok((await cursors(page))[0] > b);
  await page.keyboard.press("Home");
  await page.keyboard.press("+");
  await page.keyboard.press("]");
  await settle(page);
  assert.ok((await page.locator(".holder.zoomed").count()) >= 4);
  assert.match(await live.textContent(), /^from .* to /);
  await page.keyboard.press("Escape");
  await settle(page);
  assert.equal(await page.locator(".holder.zoomed").count(), 0);
  const outline = await first.evaluate((node) => getComputedStyle(node).outlineStyle);
  assert.equal(outline, "solid", "focus can be seen");
  // The map of heat is walked up and down, too.
  await page.locator("#heat .holder").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowUp");
  await settle(page);
  assert.match(await live.textContent(), /calls took .* to /);
}));

test("run: a name in a legend switches its line off everywhere", () => visit("run", async (page) => {
  const named = page.locator(".key", { hasText: /^(queue|utilisation) payments/ });
  assert.ok((await named.count()) >= 2);
  await named.first().click();
  assert.deepEqual([...new Set(await named.evaluateAll((keys) => keys.map((key) => key.getAttribute("aria-pressed"))))], ["false"]);
  await named.last().click();
  assert.deepEqual([...new Set(await named.evaluateAll((keys) => keys.map((key) => key.getAttribute("aria-pressed"))))], ["true"]);
}));

test("run: what is connected to what is a picture that is told, too", () => visit("run", async (page) => {
  const diagram = page.locator("#diagram svg");
  assert.equal(await diagram.count(), 1);
  assert.match(await diagram.locator("desc").textContent(), /checkout calls payments/);
  const [ground, box] = await page.evaluate(() => [document.body, document.querySelector("#diagram .box")].map((it, n) => getComputedStyle(it)[n ? "stroke" : "backgroundColor"]));
  assert.notEqual(ground, box);
}, { scheme: "dark" }));

test("compare: variants differ in colour, dashes and marks, and are named at their ends", () => visit("compare", async (page) => {
  const keys = await page.locator("#overlay .key").evaluateAll((all) => all.map((key) => [key.querySelector("line").getAttribute("class"), key.querySelector("line").getAttribute("stroke-dasharray"), key.querySelector("path")?.getAttribute("d")]));
  assert.ok(keys.length >= 10 && keys.every(([, , mark]) => mark), JSON.stringify(keys));
  // Without any colour, too.
  assert.equal(new Set(keys.map(([, dashes, mark]) => `${dashes} ${mark}`)).size, keys.length, "dashes and marks");
  const named = await page.evaluate(() => document.getElementById("overlay").plot.ends);
  assert.equal(new Set(named).size, keys.length, named?.join(" | "));
}));

test("hand: names that are cut stay apart", () => visit("hand", async (page) => {
  const all = await page.evaluate(() => [...document.querySelectorAll("figure[data-figure]")].map(({ plot }) => [plot.lines.map((line) => line.name), plot.ends]).filter(([, cut]) => cut));
  assert.ok(all.length > 2);
  for (const [names, cut] of all) {
    assert.equal(new Set(cut).size, new Set(names).size, cut.join(" | "));
    assert.ok(cut.every((name) => name.length <= 24), cut.join(" | "));
  }
}));

test("factor: values by a factor are evenly spaced", () => visit("factor", async (page) => {
  const at = await page.evaluate(() => {
    const { u } = document.getElementById("curve").plot;
    return u.data[0].map((x) => u.valToPos(x, "x"));
  });
  assert.equal(at.length, 5);
  const gaps = at.slice(1).map((x, n) => x - at[n]);
  assert.ok(gaps.every((gap) => Math.abs(gap - gaps[0]) < 1), gaps.join(", "));
}));

test("factor: a share begins at zero", () => visit("factor", async (page) => {
  await page.locator("#curve select").selectOption({ label: "success" });
  await settle(page);
  assert.equal(await page.evaluate(() => document.getElementById("curve").plot.u.scales.y.min), 0);
}));

test("hand: a burst is cut, which is said and can be undone", () => visit("hand", async (page) => {
  const cut = page.locator("button.cut:visible");
  assert.equal(await cut.count(), 1);
  const top = () => page.evaluate(() => [...document.querySelectorAll("figure[data-figure]")].find(({ plot }) => Number.isFinite(plot.view.y.cut)).plot.u.scales.y.max);
  assert.match(await cut.textContent(), /^▲ peak of 5.000\/s is cut: show it$/);
  assert.ok((await top()) < 100, `${await top()}`);
  await cut.click();
  await settle(page);
  assert.ok((await top()) > 5_000);
  assert.equal(await cut.getAttribute("aria-pressed"), "true");
  await cut.click();
  await settle(page);
  assert.ok((await top()) < 100);
}));

test("compare: the metric is the reader's choice", () => visit("compare", async (page) => {
  const select = page.locator("#overlay select");
  const choices = await select.locator("option").allTextContents();
  assert.equal(choices[0], "goodput");
  assert.ok(choices.length > 3, choices.join(", "));
  const before = await page.locator("#overlay .value").allTextContents();
  await select.selectOption({ index: choices.length - 1 });
  await settle(page);
  assert.notDeepEqual(await page.locator("#overlay .value").allTextContents(), before);
  assert.ok((await colours(page)).every((n) => n > 8));
}));

test("sweep: every cell is in the table, theory beside, and the scale can be logarithmic", () => visit("sweep", async (page) => {
  const cells = await page.locator("#cells tbody tr").count();
  const { lines } = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).figures.curve.views[0]);
  assert.deepEqual(lines.map((line) => line.style), ["points", "exact"]);
  assert.equal(cells, lines[0].values.length);
  const log = page.locator("#curve .log");
  await log.click();
  assert.equal(await log.getAttribute("aria-pressed"), "true");
  assert.ok((await colours(page)).every((n) => n > 8));
}));

test("find: every seed has its mark, none joined to the next", () => visit("find", async (page) => {
  const { lines } = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).figures.edges.views[0]);
  const marks = lines.filter((line) => line.style !== "exact");
  assert.ok(marks.length >= 2 && marks.every((line) => line.values.length === 3 && line.half.every((half) => half > 0)));
  assert.equal(new Set(marks.map((line) => line.style)).size, marks.length, "shapes differ, not colours alone");
  assert.equal(await page.locator("#edges .swatch path").count(), marks.length);
  // Stable, undecided, vulnerable, overloaded.
  assert.equal(await page.locator("#along svg.bar").count(), 4);
}));

test("atlas: every cell says its state in a letter and in words", () => visit("atlas", async (page) => {
  const cells = page.locator(".states td[class*=z-]");
  assert.equal(await cells.count(), 4 * 3);
  for (const [mark, words] of await cells.evaluateAll((all) => all.map((cell) => [...cell.querySelectorAll("span")].map((span) => span.textContent)))) {
    assert.equal(mark[0].toLowerCase(), words[0]);
  }
}));

test("recommend: what was tried is as many marks, and the reader chooses against what", () => visit("recommend", async (page) => {
  const { figures } = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent));
  const tried = await page.locator("#tried tbody").last().locator("tr").count();
  for (const view of figures.front.views) {
    const race = view.lines.filter((line) => ["rings", "crosses"].includes(line.style));
    assert.ok(race.reduce((sum, line) => sum + line.values.length, 0) >= tried - 1, view.name);
  }
  const choices = page.locator("#front select option");
  assert.equal(await choices.count(), figures.front.views.length);
  assert.ok(figures.front.views[0].y.to > 0, "what a condition allows is drawn");
}));

test("dark and light: the system's choice until the button is pressed", () => visit("run", async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.locator(".theme").click();
  const light = await ground();
  assert.notEqual(light, dark);
  await page.locator(".theme").click();
  assert.equal(await ground(), dark);
}, { scheme: "dark" }));

test("hand: hostile names stay text", () => visit("hand", async (page) => {
  const found = await page.evaluate(() => ({
    evil: "evil" in window,
    scripts: document.scripts.length,
    images: document.images.length,
    handlers: [...document.querySelectorAll("*")].filter((node) => [...node.attributes].some((it) => it.name.startsWith("on"))).length,
    links: [...document.links].filter((link) => link.getAttribute("href")[0] !== "#").length,
    title: document.title,
    heading: document.querySelector("h1").textContent,
  }));
  const { title, heading, ...counts } = found;
  assert.deepEqual(counts, { evil: false, scripts: 3, images: 0, handlers: 0, links: 0 });
  assert.ok(heading.includes("</script><script>window.evil=1</script>") && heading.includes("{{7*7}}") && heading.includes("\\u{202e}"), heading);
  assert.ok(title.includes("<img src=x"), title);
  // What the script writes is text, too: names of lines, options, tables, the words of a cursor.
  await page.locator("figure[data-figure] summary").first().click();
  await plots(page).first().focus();
  await page.keyboard.press("ArrowRight");
  assert.ok((await page.locator("#live").textContent()).includes("<img src=x"));
  assert.equal(await page.evaluate(() => document.images.length + document.scripts.length), 3);
}));

test("hand: calls are waterfalls", () => visit("hand", async (page) => {
  const falls = page.locator("details.waterfall");
  assert.equal(await falls.count(), 2);
  assert.equal(await falls.first().locator("svg.fall rect").count(), 9);
  assert.equal(await falls.first().locator("tr", { hasText: "for nobody" }).count(), 2);
}));

test("large: 100,000 windows over 50 edges open soon", async () => {
  const size = statSync(join(folder, "large", "report.html")).size;
  assert.ok(size < 1_500_000, `${size} bytes`);
  const began = performance.now();
  await visit("large", async (page) => assert.ok((await colours(page)).every((n) => n > 8)));
  const took = performance.now() - began;
  assert.ok(took < 15_000, `${took} ms`);
  console.log(`          ${Math.round(size / 1000)} kB, drawn in ${Math.round(took)} ms`);
});

/** Takes the next test until none is left. */
let failed = 0;
async function work(queue) {
  for (let next; (next = queue.shift()); ) {
    const [name, run] = next;
    try {
      await run();
      console.log(`ok        ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAILED    ${name}\n${String(error.stack).replace(/^/gm, "          ")}`);
    }
  }
}
// Two at a time, but what is timed has the machine to itself.
const queue = tests.filter(([name]) => !name.startsWith("large"));
await Promise.all([work(queue), work(queue)]);
await work(tests.filter(([name]) => name.startsWith("large")));
await browser.close();
console.log(`${tests.length - failed} of ${tests.length} browser tests passed`);
process.exit(failed ? 1 : 0);
