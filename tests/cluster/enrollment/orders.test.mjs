import assert from 'node:assert/strict';
import test from 'node:test';

import { installed } from './installation.mjs';

const ADA = 'ada@example.com';

async function ready(t) {
  const place = installed(t);
  place.submit(ADA, { Name: 'Ada' });
  await place.controllerSays(ADA, { phase: 'Ready', proxyUrl: 'https://ada.notebooks.example/' });
  place.minutesLater();
  return place;
}

test('a ticked Stop stops the person, and unticked it starts them again', async (t) => {
  const place = await ready(t);

  place.tick(ADA, 'Stop');
  assert.equal((await place.document(ADA)).state, 'stopped');
  assert.deepEqual([place.row(ADA).State, place.row(ADA).URL], ['Stopping', '']);
  await place.controllerSays(ADA, { phase: 'Stopped', message: 'The notebooks are kept.' });
  place.minutesLater();
  assert.deepEqual([place.row(ADA).State, place.row(ADA).Message], ['Stopped', 'The notebooks are kept.']);

  place.tick(ADA, 'Stop', false);
  assert.equal((await place.document(ADA)).state, 'running');
  assert.equal(place.row(ADA).State, 'Starting');
  assert.equal((await place.document(ADA)).displayName, 'Ada');
});

test('a ticked Delete deletes nobody until the e-mail is typed beside it', async (t) => {
  const place = await ready(t);

  place.tick(ADA, 'Delete');
  place.minutesLater();
  assert.equal((await place.document(ADA)).state, undefined);
  assert.match(place.row(ADA).Message, /type the person's e-mail into “Confirm delete”/);

  place.tick(ADA, 'Confirm delete', ADA);
  assert.equal((await place.document(ADA)).state, 'deleted');
  assert.equal(place.row(ADA).State, 'Deleting');

  await place.controllerSays(ADA, { phase: 'Deleted', message: 'The notebooks are kept until purge is set.' });
  place.minutesLater();
  assert.equal(place.row(ADA).State, 'Deleted');
});

test('a Delete that is withdrawn leaves the row as it was', async (t) => {
  const place = await ready(t);
  place.tick(ADA, 'Delete');
  place.tick(ADA, 'Delete', false);
  assert.deepEqual([place.row(ADA).State, place.row(ADA).Message], ['Ready', '']);
});

test('an order acts once: who was started elsewhere is not stopped again', async (t) => {
  const place = await ready(t);
  place.tick(ADA, 'Stop');
  await place.write(ADA, { email: ADA, state: 'running' });
  place.minutesLater();
  place.minutesLater();
  assert.equal((await place.document(ADA)).state, 'running');
});

test('an order that met a fault is carried out by the next run', async (t) => {
  const place = await ready(t);
  place.fetching.before = () => ({ code: 503, text: '' });
  place.tick(ADA, 'Stop');
  assert.equal((await place.document(ADA)).state, undefined);
  place.fetching.before = () => undefined;
  place.minutesLater();
  assert.equal((await place.document(ADA)).state, 'stopped');
});

test('an order for a document that is gone says so, and makes none', async (t) => {
  const place = await ready(t);
  await place.remove(ADA);
  place.tick(ADA, 'Stop');
  assert.equal(place.row(ADA).State, 'Gone');
  assert.equal(await place.document(ADA), null);
});

test('other cells than those of orders start nothing', async (t) => {
  const place = await ready(t);
  const asked = place.fetching.requests.length;
  place.answer('bob@example.com');
  place.tick(ADA, 'Name', 'Countess');
  assert.equal(place.fetching.requests.length, asked);
  assert.equal(place.rows().length, 1);
});
