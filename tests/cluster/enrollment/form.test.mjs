import assert from 'node:assert/strict';
import test from 'node:test';

import { manifest } from '../../unit/enrollment/script.mjs';
import { Installation, installed } from './installation.mjs';

const ADA = 'ada@example.com';
const READY = { phase: 'Ready', proxyUrl: 'https://ada.notebooks.example/' };

test('an answer goes in, and the address of the notebook comes back into the row', async (t) => {
  const place = installed(t, { mail: 'yes', profiles: 'default, large' });
  place.form.addTextItem().setTitle('Course');

  place.submit('Ada@Example.com', { Name: 'Ada', Profile: 'large', Course: 'Logic' });

  const expected = { email: ADA, displayName: 'Ada', profile: 'large', form: { Course: 'Logic' } };
  assert.deepEqual(await place.document(ADA), expected);
  assert.deepEqual([place.rows().length, place.rows()[0].State, place.rows()[0].URL], [1, 'Enrolled', '']);

  await place.controllerSays(ADA, { phase: 'Provisioning', reason: 'Starting', message: 'JupyterLab is starting.' });
  place.minutesLater();
  assert.deepEqual(
    [place.rows()[0].State, place.rows()[0].Message],
    ['Provisioning', 'JupyterLab is starting. (Starting)'],
  );

  await place.controllerSays(ADA, READY);
  place.minutesLater();
  const row = place.row('Ada@Example.com');
  assert.deepEqual([row.State, row.URL, row.Message], ['Ready', READY.proxyUrl, '']);
  assert.equal(place.account.mails.length, 1);
  assert.equal(place.account.mails[0].to, ADA);
  assert.ok(place.account.mails[0].body.includes(READY.proxyUrl));

  assert.deepEqual([...place.scopes.needed].sort(), [...manifest.oauthScopes].sort(), 'each scope is needed');
});

test('a row in a final state asks Firestore nothing, and nobody is mailed twice', async (t) => {
  const place = installed(t, { mail: 'yes' });
  place.submit(ADA);
  await place.controllerSays(ADA, READY);
  place.minutesLater();
  const asked = place.fetching.requests.length;

  place.minutesLater();
  place.minutesLater();

  assert.equal(place.fetching.requests.length, asked);
  assert.equal(place.account.mails.length, 1);
});

test('without the property mail nobody is mailed', async (t) => {
  const place = installed(t);
  place.submit(ADA);
  await place.controllerSays(ADA, READY);
  place.minutesLater();
  assert.deepEqual([place.rows()[0].State, place.account.mails], ['Ready', []]);
});

test('who is refused by policy reads why in the row', async (t) => {
  const place = installed(t);
  place.submit('eve@elsewhere.example');
  const message = 'email: eve@elsewhere.example is not among those allowed here (*@example.com).';
  await place.controllerSays('eve@elsewhere.example', { phase: 'Rejected', reason: 'EmailNotAllowed', message });
  place.minutesLater();
  const row = place.rows()[0];
  assert.deepEqual([row.State, row.URL, row.Message], ['Rejected', '', `${message} (EmailNotAllowed)`]);
});

test('an account whose address the system cannot take is told so, once, and becomes no document', async (t) => {
  const place = installed(t);
  place.submit('adä@example.com', { Name: 'Ada' });
  place.minutesLater();
  assert.equal(place.rows().length, 1);
  assert.equal(place.rows()[0].State, 'Not enrolled');
  assert.match(place.rows()[0].Message, /is no e-mail address/);
  assert.equal(await place.documentCount(), 0);
});

test('a person enrolled twice is one row and one document, which the second answer leaves alone', async (t) => {
  const place = installed(t);
  place.submit(ADA, { Name: 'Ada' });
  await place.controllerSays(ADA, READY);
  place.minutesLater();
  const before = await place.document(ADA);

  place.submit('ADA@example.com', { Name: 'Countess' });

  assert.deepEqual(await place.document(ADA), before);
  assert.equal(place.rows().length, 1);
  assert.deepEqual([place.rows()[0].State, place.rows()[0].Name], ['Ready', 'Ada']);
});

test('two answers of one person in one run are one row', async (t) => {
  const place = installed(t);
  place.answer(ADA, { Name: 'Ada' });
  place.submit(ADA, { Name: 'Countess' });
  assert.equal(place.rows().length, 1);
  assert.equal((await place.document(ADA)).displayName, 'Countess');
});

test('who was stopped or deleted is not brought back by their own answer', async (t) => {
  for (const state of ['stopped', 'deleted']) {
    const place = installed(t);
    await place.write(ADA, { email: ADA, state });
    place.submit(ADA, { Name: 'Ada' });
    assert.deepEqual(await place.document(ADA), { email: ADA, state });
  }
});

test('who is gone is enrolled by a new answer', async (t) => {
  const place = installed(t);
  place.submit(ADA);
  await place.remove(ADA);
  place.minutesLater();
  assert.equal(place.rows()[0].State, 'Gone');

  place.submit(ADA, { Name: 'Ada' });

  assert.deepEqual(await place.document(ADA), { email: ADA, displayName: 'Ada' });
  assert.deepEqual([place.rows().length, place.rows()[0].State], [1, 'Enrolled']);
});

test('an answer whose event was lost is taken in by the clock', async (t) => {
  const place = installed(t);
  place.answer(ADA);
  place.minutesLater();
  assert.deepEqual(await place.document(ADA), { email: ADA });
});

test('old answers are not read again and again', (t) => {
  const place = installed(t);
  place.submit(ADA);
  place.submit('bob@example.com');
  place.minutesLater();
  assert.equal(place.form.opened, 2);
  place.account.ahead += 60 * 60 * 1000;
  place.submit('eve@example.com');
  assert.equal(place.form.opened, 3);
});

test('formulas and markup in answers stay text, in the sheet and in the document', async (t) => {
  const place = installed(t);
  place.form.addTextItem().setTitle('=1+1');
  const names = [
    '=IMPORTXML("https://evil.example","//a")',
    '+1',
    '<script>alert(1)</script>',
    "'quoted",
    '007',
    'TRUE',
  ];
  for (const [index, name] of names.entries()) {
    const email = `person${index}@example.com`;
    place.submit(email, { Name: name, '=1+1': '=2+2' });
    assert.equal(place.row(email).Name, name);
    assert.deepEqual((await place.document(email)).form, { '=1+1': '=2+2' });
    assert.equal((await place.document(email)).displayName, name);
  }
  const cells = place.sheet.getRange(1, 1, place.sheet.getLastRow(), 14).getFormulas().flat();
  assert.deepEqual(cells.filter(Boolean), []);
});

test('a form that lets people type an e-mail enrols nobody, until Set up mends it; those answers never count', async (t) => {
  const place = installed(t);
  place.form.collection = 'RESPONDER_INPUT';
  place.answer('victim@example.com');
  assert.throws(() => place.script().formSubmitted(), /no longer collects verified e-mails/);
  assert.equal(await place.documentCount(), 0);

  place.account.ahead += 1000;
  place.script().setUp();
  place.submit(ADA);

  assert.equal(place.form.collection, 'VERIFIED');
  assert.deepEqual(
    place.rows().map((row) => row['E-mail']),
    [ADA],
  );
  assert.equal(await place.documentCount(), 1);
});

test('who is to be stopped is so even while the form has a fault', async (t) => {
  const place = installed(t);
  place.submit(ADA);
  place.form.collection = 'RESPONDER_INPUT';
  assert.throws(() => place.tick(ADA, 'Stop'));
  assert.equal((await place.document(ADA)).state, 'stopped');
});

test('what a run needs and does not have is said with what to do', (t) => {
  const place = new Installation();
  t.after(() => place.close());
  assert.throws(() => place.script().everyFiveMinutes(), /There is no sheet “People”\. Run setUp first\./);
  for (const project of ['', 'My Project']) {
    place.account.properties.set('project', project);
    assert.throws(() => place.script().setUp(), /The script property “project” is/);
  }
  assert.equal(place.account.locked, false);
});
