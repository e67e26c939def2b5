// UrlFetchApp, which really calls the Firestore emulator, and waits as Google's does.
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';

import { manifest } from '../../../unit/enrollment/script.mjs';

const FIRESTORE = 'https://firestore.googleapis.com/';
const TOKEN = 'the token of the one who ran Set up';
const SECONDS = 20;

const WORKER = `
const { workerData: { port, flag } } = require('node:worker_threads');
port.on('message', async ({ url, init }) => {
  try {
    const answer = await fetch(url, init);
    port.postMessage({ code: answer.status, text: await answer.text() });
  } catch (error) {
    port.postMessage({ error: String(error) });
  }
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
});
`;

export class Fetching {
  /** Called with each request before it is sent; what it returns, or throws, is the answer. */
  before = () => undefined;
  requests = [];

  constructor(emulator) {
    this.emulator = emulator;
    this.flag = new Int32Array(new SharedArrayBuffer(4));
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const workerData = { port: port2, flag: this.flag };
    this.worker = new Worker(WORKER, { eval: true, workerData, transferList: [port2] });
    this.worker.unref();
    this.port.unref();
  }

  close() {
    return this.worker.terminate();
  }

  service(scopes) {
    return {
      fetch: (url, options) => {
        scopes.need('script.external_request');
        return this.fetch(url, options);
      },
    };
  }

  script(scopes) {
    return {
      getOAuthToken: () => {
        scopes.need('datastore');
        return TOKEN;
      },
    };
  }

  fetch(url, { method, contentType, headers, payload, muteHttpExceptions }) {
    if (!manifest.urlFetchWhitelist.some((prefix) => url.startsWith(prefix))) throw new Error(`not allowed: ${url}`);
    if (method !== 'post' || contentType !== 'application/json' || !muteHttpExceptions) throw new Error('not as meant');
    if (headers.Authorization !== `Bearer ${TOKEN}`) throw new Error('without the credentials of the script');
    const request = { method: url.slice(url.lastIndexOf(':') + 1), body: JSON.parse(payload) };
    this.requests.push(request);
    const { code, text } = this.before(request) ?? this.call(url, payload);
    return { getResponseCode: () => code, getContentText: () => text };
  }

  call(url, payload) {
    Atomics.store(this.flag, 0, 0);
    // The emulator's word for an administrator's credentials.
    const headers = { Authorization: 'Bearer owner', 'Content-Type': 'application/json' };
    const init = { method: 'POST', headers, body: payload };
    this.port.postMessage({ url: url.replace(FIRESTORE, `http://${this.emulator}/`), init });
    if (Atomics.wait(this.flag, 0, 0, SECONDS * 1000) === 'timed-out') throw new Error('Timeout: the emulator');
    const { message } = receiveMessageOnPort(this.port);
    if (message.error) throw new Error(`Address unavailable: ${message.error}`);
    return message;
  }
}
