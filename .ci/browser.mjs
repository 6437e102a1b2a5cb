// Chromium without a screen, by the WebDriver protocol: needs chromedriver and chromium, nothing of npm.
import { spawn } from "node:child_process";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export class Browser {
  // Starts a browser with arguments of its own.
  static async start(...own) {
    const browser = new Browser();
    browser.port = 9000 + Math.floor(Math.random() * 900);
    browser.driver = spawn("chromedriver", [`--port=${browser.port}`], { stdio: "ignore" });
    for (let i = 0; ; i++) {
      const ready = await browser.call("GET", "/status").then((status) => status.ready, () => false);
      if (ready) break;
      if (i > 100) throw new Error("chromedriver does not start");
      await wait(200);
    }
    const args = ["--headless=new", "--no-sandbox", ...own];
    const capabilities = { alwaysMatch: { "goog:chromeOptions": { args }, "goog:loggingPrefs": { browser: "ALL" } } };
    browser.session = (await browser.call("POST", "/session", { capabilities })).sessionId;
    return browser;
  }

  async call(method, path, body) {
    const options = { method, body: body && JSON.stringify(body) };
    const answer = await (await fetch(`http://127.0.0.1:${this.port}${path}`, options)).json();
    if (answer.value?.error) throw new Error(`${path}: ${answer.value.message}`);
    return answer.value;
  }

  // What the session is told or asked.
  ask(method, path, body) {
    return this.call(method, `/session/${this.session}${path}`, body);
  }
  open(url) {
    return this.ask("POST", "/url", { url });
  }
  run(script, ...args) {
    return this.ask("POST", "/execute/sync", { script, args });
  }
  // A promise's value.
  later(script, ...args) {
    const whole = `const done = arguments[arguments.length - 1]; (async () => { ${script} })().then(done, (why) => done({ why: String(why) }))`;
    return this.ask("POST", "/execute/async", { script: whole, args });
  }
  // A command of Chromium's own.
  chromium(cmd, params) {
    return this.ask("POST", "/goog/cdp/execute", { cmd, params });
  }
  async picture() {
    return Buffer.from(await this.ask("GET", "/screenshot"), "base64");
  }
  async keys(...chords) {
    for (const chord of chords) {
      const actions = [
        ...chord.map((value) => ({ type: "keyDown", value })),
        { type: "pause", duration: 60 },
        ...chord.toReversed().map((value) => ({ type: "keyUp", value })),
      ];
      await this.ask("POST", "/actions", { actions: [{ type: "key", id: "keys", actions }] });
      await wait(250);
    }
  }
  // What the console calls an error, since it was asked last.
  async errors() {
    const log = await this.ask("POST", "/se/log", { type: "browser" });
    return log.filter((line) => line.level === "SEVERE");
  }
  async stop() {
    if (this.session) await this.ask("DELETE", "").catch(() => {});
    this.driver.kill();
  }
}
