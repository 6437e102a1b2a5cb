// How many requests a script for k6 plans, by its executors.
//
//   node plan.mjs SCRIPT
//
// The script is run without k6, as far as its options; `ramping-arrival-rate` goes in straight lines from target to target, as k6's
// documentation has it.
import { readFileSync } from "node:fs";

const script = readFileSync(process.argv[2], "utf8").replace(/^import .*$/gm, "").replace(/^export /gm, "");
const { scenarios } = new Function("__ENV", `${script}; return options;`)({});
const UNITS = { us: 1e-6, ms: 1e-3, s: 1 };
function seconds(span) {
  const [, number, unit] = /^([\d.]+)(us|ms|s)$/.exec(span);
  return Number(number) * UNITS[unit];
}
const planned = {};
for (const [name, { executor, rate, duration, startRate, stages, timeUnit }] of Object.entries(scenarios)) {
  let count = 0;
  if (executor === "constant-arrival-rate") {
    count = rate * seconds(duration);
  } else {
    let from = startRate;
    for (const { target, duration } of stages) {
      count += ((from + target) / 2) * seconds(duration);
      from = target;
    }
  }
  planned[name] = count / seconds(timeUnit);
}
console.log(JSON.stringify(planned));
