import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { execution } from './script.mjs';
import { Utilities } from './twins.mjs';

const { documentId, normaliseEmail } = execution({ Utilities });
const vectors = (name) => JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'));

for (const { email, id } of vectors('ids').documents) {
  test(`the document of “${email}” has the id that the controller derives`, () => {
    assert.equal(documentId(normaliseEmail(email)), id);
  });
}

const MALFORMED = {
  nothing: '',
  'no domain': 'ada',
  'two at signs': 'ada@b@example.com',
  'a display name': 'Ada <ada@example.com>',
  'a space inside': 'ada b@example.com',
  'two dots': 'ada..b@example.com',
  'not ASCII': 'adä@example.com',
  'a label that ends with a dash': 'ada@example-.com',
  'a line break after': 'ada@example.com\nb@example.com',
  '255 characters': `${'a'.repeat(243)}@example.com`,
};
for (const [what, email] of Object.entries(MALFORMED)) {
  test(`no e-mail: ${what}`, () => assert.equal(normaliseEmail(email), null));
}

test('an e-mail of 254 characters is one', () => {
  assert.equal(normaliseEmail(`${'a'.repeat(242)}@example.com`)?.length, 254);
});
