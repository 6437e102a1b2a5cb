// One call of a client library of Node: callers.mjs FOLDER LIBRARY ADDRESS SETTINGS.
//
// Libraries are those below FOLDER; settings are those of a case. How the call ends does not matter here.
import { createRequire } from 'node:module';

const [folder, library, url, text] = process.argv.slice(2);
const load = createRequire(`${folder}/`);
const settings = JSON.parse(text);
const method = (settings.method ?? 'get').toUpperCase();
const body = method === 'POST' ? 'x' : undefined;
const limit = (name) => ('attempts' in settings ? { [name]: settings.attempts - 1 } : {});

/** One attempt whose failures are exceptions, for helpers. */
const refused = async () => {
  const answer = await fetch(url, { method, body });
  if (!answer.ok) throw new Error(`${answer.status}`);
};

const callers = {
  got: () => load('got').default(url, { method, body, ...('attempts' in settings ? { retry: limit('limit') } : {}) }),
  'axios-retry': () => {
    const client = load('axios').create();
    load('axios-retry').default(client, limit('retries'));
    return client.request({ url, method, data: body });
  },
  undici: async () => {
    const { Agent, RetryAgent, request } = load('undici');
    const answer = await request(url, { method, body, dispatcher: new RetryAgent(new Agent(), limit('maxRetries')) });
    await answer.body.text();
  },
  'p-retry': () => load('p-retry').default(refused, limit('retries')),
  ky: () => load('ky').default(url, { method, body, ...('attempts' in settings ? { retry: limit('limit') } : {}) }),
  cockatiel: () => {
    const { retry, handleAll, ExponentialBackoff } = load('cockatiel');
    return retry(handleAll, { ...limit('maxAttempts'), backoff: new ExponentialBackoff() }).execute(refused);
  },
};

try {
  await callers[library]();
} catch {
  // A failure is how most of them end.
}
process.exit(0);
