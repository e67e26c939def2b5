import assert from 'node:assert/strict';
import test from 'node:test';
import vm from 'node:vm';

import { FILES, execution, manifest, sourceOf } from './script.mjs';

for (const [order, files] of [
  ['their order', FILES],
  ['the other order', FILES.toReversed()],
]) {
  test(`files load in ${order}: none needs another one to be there first`, () => {
    const context = vm.createContext({});
    for (const name of files) vm.runInContext(sourceOf(name), context, { filename: name });
  });
}

test('names are declared once: Google gives all files one scope', () => {
  const names = FILES.flatMap((name) => [...sourceOf(name).matchAll(/^(?:function|const|class) (\w+)/gm)]);
  assert.deepEqual(
    names.map(([, name]) => name).filter((name, index, all) => all.indexOf(name) !== index),
    [],
  );
});

test('what triggers and the menu call is there', () => {
  const script = execution();
  const called = FILES.flatMap((name) => [...sourceOf(name).matchAll(/(?:newTrigger\(|addItem\('[^']+', )'(\w+)'/g)]);
  assert.equal(called.length, 6);
  for (const [, name] of called) assert.equal(typeof script[name], 'function', name);
});

test('the script may fetch from Firestore alone', () => {
  assert.deepEqual(manifest.urlFetchWhitelist, ['https://firestore.googleapis.com/']);
});

const EDGES = {
  UrlFetchApp: ['firestore.js'],
  FormApp: ['enrolment_form.js', 'set_up.js'],
  MailApp: ['steps.js'],
  PropertiesService: ['properties.js'],
};
for (const [service, files] of Object.entries(EDGES)) {
  test(`${service} is used by ${files.join(' and ')} alone`, () => {
    assert.deepEqual(
      FILES.filter((name) => sourceOf(name).includes(`${service}.`)),
      files,
    );
  });
}

test('nothing personal is logged', () => {
  const logged = FILES.flatMap((name) => sourceOf(name).match(/console\..*/g) ?? []);
  assert.deepEqual(logged, ['console.warn(error.message);', 'console.log(`Ready. The form: ${address}`);']);
});
