// Every kind of page in a real browser: wide and narrow, light and dark, printed; by keyboard; nothing overflows, links
// lead somewhere, nothing is fetched, the markup is valid, and axe-core finds nothing.
//
//   node sim-cli/tests/pages.mjs NODE_MODULES PROGRAM [PICTURES]
//
// NODE_MODULES holds axe-core and html-validate, PROGRAM is the command `stampede`, PICTURES a folder for what was seen.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Browser } from "../../.ci/browser.mjs";

const [modules, program, pictures] = process.argv.slice(2);
if (!program) {
  console.error("usage: pages.mjs NODE_MODULES PROGRAM [PICTURES]");
  process.exit(2);
}
const require = createRequire(join(resolve(modules), "x.js"));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const { HtmlValidate, StaticConfigLoader } = require("html-validate");
const validator = new HtmlValidate(
  new StaticConfigLoader({
    extends: ["html-validate:standard", "html-validate:a11y", "html-validate:document"],
  }),
);
if (pictures) mkdirSync(pictures, { recursive: true });

const place = mkdtempSync(join(tmpdir(), "stampede-pages-"));
const file = (name) => join(place, name);
const skewed = readFileSync(new URL("skewed.toml", import.meta.url), "utf8");
writeFileSync(
  file("q.toml"),
  `title = "A queue with a name that is rather long for a telephone"
${skewed.replace('name = "b"', 'name = "b-with-a-name-that-does-not-end-soon"')}[[timeline]]
at = "10s"
do = "crash"
target = "service.web.server.a"
[[timeline]]
at = "20s"
do = "restart"
target = "service.web.server.a"
[[alert]]
name = "failing"
when = "failed > 5%"
over = "2s"
`,
);
writeFileSync(
  file("plan.toml"),
  `scenario = "q.toml"
replications = 3
measures = ["p99", "availability"]
[[axis]]
name = "weight"
path = "service.web.server.a.weight"
values = [1, 10, 40]
[[axis]]
name = "policy"
path = "service.web.balancer.policy"
values = ["weighted-round-robin", "power-of-d"]
`,
);
const line = (ms) =>
  `127.0.0.1 - - [29/Nov/2026:06:54:45 +0000] "GET / HTTP/1.1" 200 3 "-" "-" ${(1795935285 + ms / 1000).toFixed(3)} 0.153 "127.0.0.1:81" "0.152" "200"\n`;
writeFileSync(file("a.log"), Array.from({ length: 2400 }, (_, i) => line(i * 250 + ((i * 97) % 240))).join(""));

const q = file("q.toml");
const change = "service.web.server.a.weight";
// What each page is written by.
const KINDS = {
  run: ["report", q],
  incident: ["report", "incident"],
  futures: ["report", q, "--change", `${change}=1`, "--at", "5s"],
  replications: ["run", q, "--replications", "4"],
  compare: ["compare", q, "--vary", "service.web.balancer.policy=random,round-robin", "--replications", "4", "--pairs"],
  sweep: ["sweep", file("plan.toml")],
  stress: ["stress", q, "--replications", "4", "--until", "p90 > 500ms"],
  map: ["stress", q, "--replications", "3", "--map", "--steps", "3", "--triggers", "1s,2s"],
  deadline: ["deadline", q, "--change", `${change}=1`, "--moments", "5", "--replications", "3"],
  remedy: ["remedy", q, "--only", "weights,limits", "--replications", "3"],
  doctor: ["doctor", q],
  calibrate: ["calibrate", file("a.log")],
};

function write(kind, words, name) {
  const out = file(name);
  const to = words[0] === "report" ? ["-o", out] : [`--report=${out}`];
  const done = spawnSync(resolve(program), [...words, ...to, "-q"], { encoding: "utf8", cwd: place });
  if (!existsSync(out)) throw new Error(`${kind}: no page: ${done.stderr}`);
  return out;
}

// Elements that reach beyond the window, unless they are inside of what scrolls by itself; what is skipped by is seen when it has the focus.
const BEYOND = `const wide = document.documentElement.clientWidth;
const scrolls = (one) => one && (["auto", "scroll"].includes(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
const beyond = [...document.body.querySelectorAll("*")].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width > 0 && (box.right > wide + 1 || box.left < -1) && !scrolls(one.parentElement) && !one.closest("svg, .skip");
});
if (document.documentElement.scrollWidth > wide) beyond.unshift(document.documentElement);
return beyond.slice(0, 3).map((one) => one.outerHTML.slice(0, 120));`;
const DEAD = `return [...document.querySelectorAll("a")].map((a) => a.getAttribute("href"))
  .filter((href) => !href.startsWith("#") || !document.getElementById(decodeURIComponent(href.slice(1))));`;
const AXE = `const found = await axe.run(document, { resultTypes: ["violations"] });
return found.violations.map((one) => one.id + ": " + one.nodes.map((node) => node.target + " " + node.failureSummary).join("; "));`;

let wrong = 0;
function fail(kind, what, list) {
  if (list.length === 0) return;
  wrong += 1;
  console.error(`${kind}: ${what}: ${list.join("\n  ").slice(0, 1500)}`);
}

let browser;
try {
  browser = await Browser.start("--force-prefers-reduced-motion");
  for (const [kind, words] of Object.entries(KINDS)) {
    const page = write(kind, words, `${kind}.html`);
    const again = write(kind, words, `${kind}-again.html`);
    const bytes = readFileSync(page);
    fail(kind, "other bytes for the same", bytes.equals(readFileSync(again)) ? [] : [again]);
    fail(kind, "too large", bytes.length < 1_500_000 ? [] : [`${bytes.length} bytes`]);
    const report = await validator.validateString(bytes.toString());
    const said = report.results.flatMap((result) => result.messages);
    fail(kind, "markup", said.map((one) => `${one.line}:${one.column} ${one.ruleId}: ${one.message}`));
    for (const [width, height] of [[1280, 900], [390, 844]]) {
      for (const scheme of ["light", "dark"]) {
        const how = `${kind} ${width} ${scheme}`;
        await browser.chromium("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 500 });
        await browser.chromium("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
        await browser.open(pathToFileURL(page).href);
        fail(how, "beyond the window", await browser.run(BEYOND));
        await browser.run(axe);
        const found = await browser.later(AXE);
        fail(how, "axe-core", found.why ? [found.why] : found);
        if (pictures) {
          const { cssContentSize } = await browser.chromium("Page.getLayoutMetrics", {});
          const clip = { x: 0, y: 0, width, height: Math.min(cssContentSize.height, 6000), scale: 1 };
          const shot = await browser.chromium("Page.captureScreenshot", { captureBeyondViewport: true, clip });
          writeFileSync(join(pictures, `${kind}-${width}-${scheme}.png`), Buffer.from(shot.data, "base64"));
        }
      }
    }
    fail(kind, "links that lead nowhere", await browser.run(DEAD));
    fail(kind, "fetched", await browser.run(`return performance.getEntriesByType("resource").map((one) => one.name)`));
    if (words[0] === "report") {
      // The first chart, by keyboard: its values at the second moment.
      const charts = await browser.run(`document.querySelector("figure input")?.focus(); return document.querySelectorAll("figure input").length`);
      await browser.keys(["\uE014"]);
      const read = await browser.run(`return document.querySelector("figure output")?.textContent ?? ""`);
      const saved = await browser.run(`return [...document.querySelectorAll("figure button")].map((one) => one.textContent).join(" ")`);
      fail(kind, "no values by keyboard", charts > 0 && /\d\S*: .+ \d/.test(read) ? [] : [`${charts} charts, told "${read}"`]);
      fail(kind, "no files of charts", saved.includes("SVG") && saved.includes("PNG") ? [] : [saved]);
    }
    await browser.chromium("Emulation.setEmulatedMedia", { features: [] });
    const pdf = Buffer.from(await browser.ask("POST", "/print", {}), "base64");
    fail(kind, "no PDF", pdf.subarray(0, 5).toString() === "%PDF-" && pdf.length > 5000 ? [] : [`${pdf.length} bytes`]);
    if (pictures) writeFileSync(join(pictures, `${kind}.pdf`), pdf);
    const errors = await browser.errors();
    fail(kind, "console", errors.map((one) => one.message));
    console.log(`${kind}: ${bytes.length} bytes, looked at wide and narrow, light and dark, printed`);
  }
} catch (error) {
  console.error(String(error));
  wrong += 1;
} finally {
  await browser?.stop();
  rmSync(place, { recursive: true });
}
console.log(wrong ? `${wrong} faults` : `ok: ${Object.keys(KINDS).length} kinds of pages`);
process.exit(wrong ? 1 : 0);
