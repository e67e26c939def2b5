import assert from 'node:assert/strict';
import test from 'node:test';

import { Installation, installed } from './installation.mjs';

const TRIGGERS = [
  { handler: 'formSubmitted', source: 'form-1', event: 'submit' },
  { handler: 'sheetEdited', source: 'spreadsheet', event: 'edit' },
  { handler: 'everyFiveMinutes', source: 'clock', event: '5 minutes' },
];

test('one run makes sheet, headings, form and triggers', (t) => {
  const place = installed(t, { profiles: 'default,large' });
  assert.deepEqual(place.account.triggers, TRIGGERS);
  assert.deepEqual(place.sheet.getRange(1, 1, 1, 14).getValues()[0].slice(0, 9), [
    ...['E-mail', 'Name', 'Profile', 'Stop', 'Delete', 'Confirm delete', 'State', 'URL', 'Message'],
  ]);
  assert.equal(place.sheet.frozen, 1);
  assert.deepEqual([...place.sheet.hidden], [11, 12, 13, 14]);
  assert.equal(place.sheet.protections.length, 1);
  assert.deepEqual(place.sheet.getRange(2, 3, 1, 1).getDataValidation().getCriteriaValues(), [
    ['default', 'large'],
    true,
  ]);
  assert.equal(place.form.collection, 'VERIFIED');
  assert.equal(place.form.published, true);
  assert.deepEqual(
    place.form.items.map((item) => [item.title, item.choices]),
    [
      ['Name', []],
      ['Profile', ['default', 'large']],
    ],
  );
  assert.match(place.spreadsheet.toasts[0], /^Ready\. The form: https:/);
});

test('a second run changes nothing', (t) => {
  const place = installed(t, { profiles: 'default,large' });
  const seen = () => [place.sheet.writes, place.form.changes, place.forms.all.length, [...place.account.properties]];
  const before = structuredClone(seen());
  place.script().setUp();
  assert.deepEqual(seen(), before);
  assert.deepEqual(place.account.triggers, TRIGGERS);
});

test('a run mends what somebody took away', (t) => {
  const place = installed(t);
  place.account.triggers.splice(1, 1);
  place.form.deleteItem(place.form.items[0]);
  place.form.published = false;
  place.script().setUp();
  assert.equal(place.account.triggers.length, 3);
  assert.deepEqual(
    place.form.items.map((item) => item.title),
    ['Name'],
  );
  assert.equal(place.form.published, true);
});

test('other profiles change the question and the cells, and one profile is not asked for', (t) => {
  const place = installed(t, { profiles: 'default,large' });
  place.account.properties.set('profiles', 'default,huge');
  place.script().setUp();
  assert.deepEqual(place.form.items[1].choices, ['default', 'huge']);
  place.account.properties.set('profiles', '');
  place.script().setUp();
  assert.deepEqual(
    place.form.items.map((item) => item.title),
    ['Name'],
  );
  assert.equal(place.sheet.getRange(2, 3, 1, 1).getDataValidation(), null);
});

test('a run that ended after the form was made makes no second one', (t) => {
  const place = new Installation();
  t.after(() => place.close());
  place.forms.interrupted = true;
  assert.throws(() => place.script().setUp(), /Exceeded maximum execution time/);
  place.forms.interrupted = false;
  place.account.locked = false;
  place.script().setUp();
  assert.equal(place.forms.all.length, 1);
  assert.deepEqual(place.account.triggers, TRIGGERS);
});

test('a sheet of that name with something else in it is left alone', (t) => {
  const place = new Installation();
  t.after(() => place.close());
  place.spreadsheet
    .insertSheet('People')
    .getRange(1, 1, 1, 1)
    .setValues([['Guests']]);
  assert.throws(() => place.script().setUp(), /The sheet “People” has other headings\. Rename it/);
  assert.equal(place.sheet.getRange(1, 1, 1, 1).getValues()[0][0], 'Guests');
  assert.equal(place.forms.all.length, 0);
});

test('the menu is there when the spreadsheet is opened', (t) => {
  const place = new Installation();
  t.after(() => place.close());
  const script = place.script();
  script.onOpen();
  const [{ name, items }] = place.spreadsheet.menus;
  assert.equal(name, 'Kupyterhub');
  for (const [, handler] of items) assert.equal(typeof script[handler], 'function');
});
