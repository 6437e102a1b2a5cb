// The page in a real browser without a screen: it loads, plays the incident, forks, and ends with
// the digest of the command; it follows links, runs an experiment, and finds what the doctor of the command finds.
//
//   node sim-gui/tests/page.mjs FOLDER PROGRAM [PICTURE]
//
// FOLDER is what sim-gui/web/build.sh wrote, PROGRAM the command `stampede` of the same source. Needs
// chromedriver and chromium; nothing of npm.
import { spawnSync } from "node:child_process";
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { Browser } from "../../.ci/browser.mjs";

const [folder, program, picture] = process.argv.slice(2);
if (!program) {
  console.error("usage: page.mjs FOLDER PROGRAM [PICTURE]");
  process.exit(2);
}
// What the command prints.
function command(...words) {
  const done = spawnSync(program, [...words, "--progress", "none"], { encoding: "utf8" });
  if (!done.stdout) throw new Error(`${words}: ${done.error ?? done.stderr}`);
  return done.stdout;
}
const digest = JSON.parse(command("run", "incident", "--format", "json")).digest;
// A balancer that hardly knows two of its three servers, examined by the command.
const shop = readFileSync(new URL("../../sim-cli/tests/skewed.toml", import.meta.url), "utf8");
const lines = (text) => text.split("\n").map((line) => line.trim()).filter((line) => line);
const place = mkdtempSync(join(tmpdir(), "stampede-page-"));
writeFileSync(join(place, "shop.toml"), shop);
// Lines are named alike; doubts of which nothing came are only counted by both.
const diagnosis = lines(command("doctor", join(place, "shop.toml")))
  .map((line) => line.replaceAll(`${join(place, "shop.toml")}:`, "line "))
  .filter((line) => !line.endsWith("--all shows them"));
rmSync(place, { recursive: true });
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const server = createServer((request, response) => {
  const path = normalize(new URL(request.url, "http://x").pathname).replace(/\/$/, "/index.html");
  const file = join(folder, path);
  if (!existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" });
  createReadStream(file).pipe(response);
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const page = `http://127.0.0.1:${server.address().port}/`;

let browser;
const look = () => browser.run("return window.stampede ?? {}");

async function until(words, holds, seconds = 240) {
  let seen;
  for (let i = 0; i < seconds * 2; i++) {
    seen = await look();
    if (holds(seen)) return console.log(`ok: ${words} (${(i / 2).toFixed(0)} s)`);
    await wait(500);
  }
  throw new Error(`not within ${seconds} s: ${words}; shown is ${JSON.stringify(seen)}`);
}
const keys = (...chords) => browser.keys(...chords);
const type = (text) => keys(...[...text].map((sign) => [sign]));
const [control, enter, home] = ["\uE009", "\uE007", "\uE011"];
async function palette(text) {
  await keys([control, "k"]);
  await wait(1500);
  await type(text);
  await wait(700);
  await keys([enter]);
  await wait(500);
}

const follow = (hash) => browser.run("location.hash = arguments[0]", hash);

// The longest time between two pictures from now on, in milliseconds.
const MEASURE = `window.slowest = 0;
let last = performance.now();
const look = (now) => {
  window.slowest = Math.max(window.slowest, now - last);
  last = now;
  requestAnimationFrame(look);
};
requestAnimationFrame(look);`;

let failed = false;
try {
  browser = await Browser.start("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--window-size=1280,800", "--force-dark-mode");
  await browser.open(`${page}#model=incident`);
  await until("the page shows the incident at its beginning", (s) => s.settled && s.at === "12:10");
  await palette("take the lesson");
  await until("it plays until the lesson asks", (s) => !s.playing && s.at === "12:19:48");
  await keys(["b"]);
  await wait(500);
  await keys([enter]);
  await until("an answer by its letter leads on", (s) => !s.playing && s.at === "12:25");
  await palette("panel: lesson");
  await palette("12:25");
  await until("it goes to 12:25", (s) => s.settled && s.at === "12:25");
  await palette("web-1.weight = 3");
  await until("it forks", (s) => s.settled && s.futures === 2);
  await palette("12:45");
  await until("two futures: one down, one normal", (s) => s.stateA === "SITE DOWN" && s.stateB === "NORMAL");
  await until("the whole run is simulated", (s) => s.digest !== undefined, 600);
  if ((await look()).digest !== digest) throw new Error(`digest ${(await look()).digest}, expected ${digest}`);
  console.log(`ok: the digest is that of the command: ${digest}`);
  if (picture) {
    await wait(1000);
    writeFileSync(picture, await browser.picture());
  }
  // Links followed in the open page: a model with a seed and a change, and a text of its own.
  await follow("#model=first&seed=7&t=8m&do=3m@drain+service.web.server.web-2");
  await until("a link brings model, seed, change and moment",
    (s) => s.settled && s.scenario === "first" && s.seed === 7 && s.futures === 2 && s.at === "12:08");
  // Many runs, in slices between the pictures: the page goes on meanwhile.
  await palette("compare balancer policies");
  await until("a comparison runs", (s) => s.experiment === "running");
  await keys([home]);
  await until("the page goes to the beginning meanwhile", (s) => s.settled && s.at === "12:00");
  await until("the comparison is complete", (s) => s.experiment === "complete", 600);
  const text = 'horizon = "3m"\n[[traffic]]\nto = "web"\nrate = 9\n[service.web]\n' +
    'demand = "20ms" # 1 + 1\n[[service.web.server]]\nname = "one"\nworkers = 2\n';
  await follow(`#model=mine.toml&text=${encodeURIComponent(text)}&t=1m`);
  await until("a link brings a text", (s) => s.settled && s.scenario === "mine.toml" && s.at === "1m");
  // The doctor works in slices as well: what it finds is what the command finds, and stands beside the lines.
  await follow(`#model=shop.toml&text=${encodeURIComponent(shop)}`);
  await until("a link brings what is to be examined", (s) => s.settled && s.scenario === "shop.toml");
  await palette("look for what is dangerous");
  await until("the doctor has tried everything", (s) => s.doctor === "complete", 600);
  const seen = await look();
  if (JSON.stringify(lines(seen.findings)) !== JSON.stringify(diagnosis))
    throw new Error(`found on the page:\n${seen.findings}\nby the command:\n${diagnosis.join("\n")}`);
  console.log(`ok: the same ${diagnosis.length} lines as the command: ${diagnosis[0]}`);
  const weight = shop.split("\n").indexOf("weight = 40") + 1;
  if (!seen.marks.some((mark) => mark.startsWith(`${weight}: weight-skew: saves `)))
    throw new Error(`no mark beside line ${weight}: ${seen.marks}`);
  console.log(`ok: beside lines: ${seen.marks.join("; ")}`);
  if (picture) {
    writeFileSync(picture.replace(/(\.png)?$/, "-doctor.png"), await browser.picture());
  }
  // It takes long at the incident: the page does what it is told meanwhile, and what was tried is kept.
  await follow("#model=incident");
  await until("a link brings the incident", (s) => s.settled && s.scenario === "incident");
  await palette("look for what is dangerous");
  await until("the doctor is at work", (s) => s.doctor === "running");
  await browser.run(MEASURE);
  await palette("12:15");
  await until("the page goes to 12:15 meanwhile", (s) => s.settled && s.at === "12:15");
  const slowest = await browser.run("return window.slowest");
  if ((await look()).doctor !== "running") throw new Error("the doctor was not at work any more");
  console.log(`ok: the longest time between two pictures was ${(slowest / 1000).toFixed(2)} s`);
  await keys(["\uE008", "d"]);
  await until("the doctor is stopped", (s) => s.doctor === "stopped");
  const errors = await browser.errors();
  if (errors.length) throw new Error(`console errors: ${JSON.stringify(errors)}`);
  console.log("ok: no errors in the console");
} catch (error) {
  console.error(String(error));
  failed = true;
} finally {
  await browser?.stop();
  server.close();
}
process.exit(failed ? 1 : 0);
