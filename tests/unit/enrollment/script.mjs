// The script of infra/enrollment as Google runs it: all files in one scope, with Google's services as globals.
import { readFileSync, readdirSync } from 'node:fs';

export const FOLDER = new URL('../../../infra/enrollment/', import.meta.url);

export const FILES = readdirSync(new URL('src/', FOLDER)).filter((name) => name.endsWith('.js'));

export const sourceOf = (name) => readFileSync(new URL(`src/${name}`, FOLDER), 'utf8');

export const manifest = JSON.parse(readFileSync(new URL('src/appsscript.json', FOLDER), 'utf8'));

const SOURCE = FILES.map(sourceOf).join('\n');
const NAMES = [...SOURCE.matchAll(/^(?:async )?(?:function|const|class) (\w+)/gm)].map(([, name]) => name);
const SERVICES = [
  ...['FormApp', 'LockService', 'MailApp', 'PropertiesService', 'ScriptApp', 'SpreadsheetApp', 'UrlFetchApp'],
  ...['Utilities', 'Date', 'console'],
];

/** One execution of the script: everything that it declares, by name. */
export function execution(services = {}) {
  const given = { Date, console, ...services };
  const declare = new Function(...SERVICES, `'use strict';\n${SOURCE}\nreturn { ${NAMES.join(', ')} };`);
  return declare(...SERVICES.map((name) => given[name]));
}
