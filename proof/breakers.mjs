// Calls of one program through a breaker of Node: breakers.mjs FOLDER LIBRARY ADDRESS SETTINGS MOMENTS BEGIN.
//
// Calls are made at MOMENTS, in seconds after BEGIN, which is in milliseconds of the clock on the wall. Prints how each
// ended and how long it took.
import { createRequire } from 'node:module';

const [folder, library, url, settingsText, momentsText, begin] = process.argv.slice(2);
const load = createRequire(`${folder}/`);
const settings = JSON.parse(settingsText);
const { Agent, request } = load('undici');
const dispatcher = new Agent({ connections: 64 });
const milliseconds = (span) => (span.endsWith('ms') ? parseFloat(span) : 1000 * parseFloat(span));

/** One call, whose failures are exceptions. */
const ask = async (number) => {
  const answer = await request(url, { dispatcher, headers: { 'x-number': `${number}` } });
  await answer.body.text();
  if (answer.statusCode >= 400) throw new Error(`${answer.statusCode}`);
};

const breakers = {
  opossum: () => {
    const Breaker = load('opossum');
    const names = { reset_timeout: 'resetTimeout', volume_threshold: 'volumeThreshold', error_threshold_percentage: 'errorThresholdPercentage' };
    const options = {};
    for (const [name, own] of Object.entries(names)) {
      if (name in settings) options[own] = typeof settings[name] === 'string' ? milliseconds(settings[name]) : settings[name];
    }
    const breaker = new Breaker(ask, options);
    return (number) => breaker.fire(number);
  },
  'cockatiel-breaker': () => {
    const { circuitBreaker, handleAll, ConsecutiveBreaker } = load('cockatiel');
    const breaker = new ConsecutiveBreaker(settings.failures);
    const policy = circuitBreaker(handleAll, { halfOpenAfter: milliseconds(settings.half_open_after), breaker });
    return (number) => policy.execute(() => ask(number));
  },
};

const call = breakers[library]();
const until = (at) => new Promise((done) => setTimeout(done, Math.max(0, at - Date.now())));
const ends = await Promise.all(
  JSON.parse(momentsText).map(async (moment, number) => {
    await until(Number(begin) + 1000 * moment);
    const asked = performance.now();
    let well = true;
    try {
      await call(number);
    } catch {
      well = false;
    }
    return { well, took_s: (performance.now() - asked) / 1000 };
  }),
);
console.log(JSON.stringify(ends));
process.exit(0);
