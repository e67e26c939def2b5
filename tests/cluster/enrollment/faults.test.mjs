import assert from 'node:assert/strict';
import test from 'node:test';

import { installed } from './installation.mjs';

const ADA = 'ada@example.com';

test('a second run at the same time does nothing, and nothing is done twice', async (t) => {
  const place = installed(t, { mail: 'yes' });
  let others = 0;
  place.fetching.before = () => {
    others += 1;
    place.script().everyFiveMinutes();
    place.script().formSubmitted();
    place.script().enrolTheList();
  };
  place.submit(ADA);
  assert.ok(others > 0);
  assert.equal(place.rows().length, 1);
  assert.equal(place.requests('batchWrite'), 1);
  assert.equal(place.spreadsheet.toasts.at(-1), 'Another run is under way. Try again in a minute.');
  assert.equal(place.account.locked, false);
});

test('rows that are sorted while Firestore is asked keep what is theirs', async (t) => {
  const place = installed(t);
  place.paste([
    ['ada@example.com', '', ''],
    ['bob@example.com', '', ''],
    ['eve@example.com', '', ''],
  ]);
  place.script().enrolTheList();
  await place.controllerSays(ADA, { phase: 'Ready', proxyUrl: 'https://ada.example/' });
  await place.controllerSays('eve@example.com', { phase: 'Rejected', reason: 'EmailNotAllowed', message: 'No.' });
  await place.remove('bob@example.com');
  place.fetching.before = () => {
    const rows = place.sheet.grid.splice(1, 3);
    place.sheet.grid.splice(1, 0, ...rows.reverse());
    place.sheet.grid.splice(2, 1);
  };

  place.minutesLater();

  assert.deepEqual(
    place.rows().map((row) => [row['E-mail'], row.State, row.URL]),
    [
      ['eve@example.com', 'Rejected', ''],
      [ADA, 'Ready', 'https://ada.example/'],
    ],
  );
});

test('an overloaded Firestore is asked again, with pauses', async (t) => {
  const place = installed(t);
  const answers = [
    { code: 503, text: '' },
    { code: 429, text: '' },
  ];
  place.fetching.before = () => answers.shift();
  place.submit(ADA);
  assert.deepEqual(place.account.sleeps, [1000, 2000]);
  assert.deepEqual(await place.document(ADA), { email: ADA });
});

test('a creation whose answer was lost is no second one', async (t) => {
  const place = installed(t);
  let lost = 0;
  place.fetching.before = ({ method, body }) => {
    if (method !== 'batchWrite' || lost > 0) return undefined;
    lost += 1;
    place.fetching.call(
      `https://firestore.googleapis.com/v1/projects/${place.project}/databases/(default)/documents:batchWrite`,
      JSON.stringify(body),
    );
    throw new Error('Address unavailable');
  };
  place.submit(ADA, { Name: 'Ada' });
  assert.deepEqual(await place.document(ADA), { email: ADA, displayName: 'Ada' });
  assert.equal(place.rows()[0].State, 'Enrolled');
});

test('one that Firestore does not take keeps nobody else from being enrolled', async (t) => {
  const place = installed(t);
  place.fetching.before = ({ body }) =>
    body.writes?.some(({ update }) => update.fields.email.stringValue === 'bad@example.com')
      ? { code: 400, text: '' }
      : undefined;
  place.paste(['a', 'b', 'bad', 'c', 'd'].map((name) => [`${name}@example.com`, '', '']));
  place.script().enrolTheList();
  assert.deepEqual(place.states(), { Enrolled: 4, 'Not enrolled': 1 });
  assert.match(place.row('bad@example.com').Message, /Firestore does not take this document/);
});

for (const code of [401, 403, 404]) {
  test(`refused with ${code}: the one who ran Set up reads what to do, and the person is not lost`, async (t) => {
    const place = installed(t);
    place.fetching.before = () => ({ code, text: 'a long answer' });
    assert.throws(() => place.submit(ADA), /needs the role Cloud Datastore User/);
    assert.equal(place.rows()[0].State, 'To enrol');
    place.fetching.before = () => undefined;
    place.minutesLater();
    assert.deepEqual(await place.document(ADA), { email: ADA });
  });
}

test('a run that is killed after the rows were made goes on with them', async (t) => {
  const place = installed(t);
  place.form.addTextItem().setTitle('Course');
  const { flush } = place.spreadsheet;
  place.spreadsheet.flush = () => {
    throw new Error('Exceeded maximum execution time');
  };
  assert.throws(() => place.submit(ADA, { Course: 'Logic' }), /Exceeded maximum execution time/);
  assert.equal(place.rows()[0].State, 'To enrol');

  place.spreadsheet.flush = flush;
  place.account.locked = false;
  place.minutesLater();

  assert.equal(place.rows().length, 1);
  assert.deepEqual((await place.document(ADA)).form, { Course: 'Logic' });
  assert.equal(place.rows()[0].Answers, '');
});
