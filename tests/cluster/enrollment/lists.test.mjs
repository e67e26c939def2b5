import assert from 'node:assert/strict';
import test from 'node:test';

import { installed } from './installation.mjs';

const classOf = (count) =>
  Array.from({ length: count }, (_, index) => [`student${index}@example.com`, `Student ${index}`, '']);

test('a pasted list: the good rows are enrolled, each bad one says why', async (t) => {
  const place = installed(t);
  place.submit('ada@example.com');
  place.paste([
    ['Email', 'Name', ''],
    ['Bob@example.com', '<i>Bob</i>', ''],
    ['bob@example.com', 'Bob again', ''],
    ['ada@example.com', 'Ada', ''],
    ['', 'Nobody', ''],
    ['="eve"&"@example.com"', 'Eve', ''],
    ['kim@example.com', '', 'large'],
  ]);

  place.script().enrolTheList();

  assert.deepEqual(
    place.rows().map((row) => [row.State, row.Message.replace(/Allowed is.*/, '…')]),
    [
      ['Enrolled', ''],
      ['Not enrolled', 'E-mail: “Email” is no e-mail address. …'],
      ['Enrolled', ''],
      ['Not enrolled', 'E-mail: is that of row 4 too.'],
      ['Not enrolled', 'E-mail: is that of row 2 too.'],
      ['Not enrolled', "E-mail: is missing. Give a Google account's address, such as ada@example.com."],
      ['Not enrolled', 'A cell holds a formula. Paste the list as values only (Edit, Paste special).'],
      ['Enrolled', ''],
    ],
  );
  assert.equal(place.spreadsheet.toasts.at(-1), '2 good, 5 not enrolled (see Message).');
  assert.equal(await place.documentCount(), 3);
  assert.deepEqual(await place.document('bob@example.com'), { email: 'bob@example.com', displayName: '<i>Bob</i>' });
  assert.deepEqual(await place.document('kim@example.com'), { email: 'kim@example.com', profile: 'large' });
});

test('people of the list have checkboxes that work', async (t) => {
  const place = installed(t);
  place.paste(classOf(3));
  place.script().enrolTheList();
  place.tick('student1@example.com', 'Stop');
  assert.equal((await place.document('student1@example.com')).state, 'stopped');
  assert.equal((await place.document('student2@example.com')).state, undefined);
});

test('enrolling the list again changes nothing', async (t) => {
  const place = installed(t);
  place.paste(classOf(3));
  place.script().enrolTheList();
  place.script().enrolTheList();
  assert.equal(await place.documentCount(), 3);
  assert.equal(place.requests('batchWrite'), 1);
});

test('rows that nobody has asked to enrol are left alone by the clock', async (t) => {
  const place = installed(t);
  place.paste(classOf(2));
  place.minutesLater();
  assert.equal(await place.documentCount(), 0);
  assert.deepEqual(place.states(), { '': 2 });
});

test('a run that is out of time ends between batches, and the next ones go on', async (t) => {
  const place = installed(t);
  place.paste(classOf(500));
  place.fetching.before = () => void (place.account.ahead += 2.5 * 60 * 1000);

  place.script().enrolTheList();

  assert.deepEqual(place.states(), { Enrolled: 400, 'To enrol': 100 });
  assert.match(place.spreadsheet.toasts.at(-1), /There is more to do: it goes on by itself within 5 minutes\./);

  place.minutesLater();
  assert.deepEqual(place.states(), { Enrolled: 500 });
  assert.equal(await place.documentCount(), 500);
  assert.equal(place.requests('batchWrite'), 3);
});

test("a day's quota that is used up loses nothing", async (t) => {
  const place = installed(t);
  place.paste(classOf(450));
  let left = 1;
  place.fetching.before = () => {
    left -= 1;
    if (left < 0) throw new Error('Service invoked too many times for one day: urlfetch.');
  };

  place.script().enrolTheList();
  place.minutesLater();
  assert.deepEqual(place.states(), { Enrolled: 200, 'To enrol': 250 });

  left = 100;
  place.minutesLater();
  assert.deepEqual(place.states(), { Enrolled: 450 });
  assert.equal(await place.documentCount(), 450);
});

test('more people than the sheet has rows', async (t) => {
  const place = installed(t);
  place.paste(classOf(998));
  place.script().enrolTheList();
  for (let person = 0; person < 30; person += 1) place.answer(`late${person}@example.com`);
  place.minutesLater();
  assert.equal(place.rows().length, 1028);
  assert.equal((await place.document('late29@example.com')).email, 'late29@example.com');
});

test('the mail quota stops mails and the next day goes on, with nobody mailed twice', async (t) => {
  const place = installed(t, { mail: 'yes' });
  place.account.mailQuota = 2;
  place.paste(classOf(3));
  place.script().enrolTheList();
  for (const [email] of classOf(3))
    await place.controllerSays(email, { phase: 'Ready', proxyUrl: `https://${email}/` });
  place.minutesLater();
  place.minutesLater();
  assert.equal(place.account.mails.length, 2);

  place.account.mailQuota = 100;
  place.minutesLater();
  assert.deepEqual(
    place.account.mails.map(({ to }) => to),
    classOf(3).map(([email]) => email),
  );
});

test('a mail that Google does not take is tried once, and the others are sent', async (t) => {
  const place = installed(t, { mail: 'yes' });
  place.account.refusedAddress = 'student0@example.com';
  place.paste(classOf(2));
  place.script().enrolTheList();
  for (const [email] of classOf(2))
    await place.controllerSays(email, { phase: 'Ready', proxyUrl: `https://${email}/` });
  place.minutesLater();
  place.minutesLater();
  assert.deepEqual(
    place.account.mails.map(({ to }) => to),
    ['student1@example.com'],
  );
  assert.equal(place.row('student0@example.com').Mailed, 'Not sent');
});

test('everybody is looked at again when asked, also those in a final state', async (t) => {
  const place = installed(t);
  place.paste(classOf(1));
  place.script().enrolTheList();
  const [[email]] = classOf(1);
  await place.controllerSays(email, { phase: 'Ready', proxyUrl: 'https://old.example/' });
  place.minutesLater();
  await place.controllerSays(email, { phase: 'Ready', proxyUrl: 'https://new.example/' });
  place.minutesLater();
  assert.equal(place.row(email).URL, 'https://old.example/');

  place.script().lookAtEverybody();
  assert.equal(place.row(email).URL, 'https://new.example/');
  assert.equal(place.spreadsheet.toasts.at(-1), 'Every row is what its document says.');
});
