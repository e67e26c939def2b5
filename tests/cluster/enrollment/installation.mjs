// One installation of the script: an account of Google's with a spreadsheet and a form, and a project in the emulator.
import { randomUUID } from 'node:crypto';

import { execution } from '../../unit/enrollment/script.mjs';
import { Account } from './google/account.mjs';
import { Fetching } from './google/fetch.mjs';
import { Forms } from './google/form.mjs';
import { Scopes } from './google/scopes.mjs';
import { Spreadsheet } from './google/spreadsheet.mjs';

const EMULATOR = process.env.FIRESTORE_EMULATOR_HOST;

export class Installation {
  project = `enrol-${randomUUID().slice(0, 8)}`;
  scopes = new Scopes();
  spreadsheet = new Spreadsheet();
  forms = new Forms();
  account = new Account();
  fetching = new Fetching(EMULATOR);

  constructor(properties = {}) {
    const given = { project: this.project, ...properties };
    for (const [name, value] of Object.entries(given)) this.account.properties.set(name, value);
    this.documents = `http://${EMULATOR}/v1/projects/${this.project}/databases/(default)/documents`;
  }

  /** Another execution: what was kept in variables of the one before is gone. */
  script() {
    return execution({
      ...this.account.services(this.scopes),
      FormApp: this.forms.service(this.scopes),
      ScriptApp: { ...this.account.script(this.scopes), ...this.fetching.script(this.scopes) },
      SpreadsheetApp: this.spreadsheet.service(this.scopes),
      UrlFetchApp: this.fetching.service(this.scopes),
      Date: this.account.clock(),
      console: { log: () => {}, warn: () => {} },
    });
  }

  get sheet() {
    return this.spreadsheet.getSheetByName('People');
  }

  get form() {
    return this.forms.all[0];
  }

  close() {
    return this.fetching.close();
  }

  // What people do.

  answer(email, said = {}) {
    this.account.ahead += 1;
    this.form.answer(email, said, new Date(this.account.now()));
  }

  submit(email, said = {}) {
    this.answer(email, said);
    this.script().formSubmitted();
  }

  tick(email, column, entered = true) {
    const number = this.rows().find((row) => row['E-mail'] === email).number;
    const range = this.sheet.getRange(number, HEADINGS.indexOf(column) + 1, 1, 1);
    range.setValues([[entered]]);
    this.script().sheetEdited({ range });
  }

  paste(lines) {
    const first = this.sheet.getLastRow() + 1;
    this.sheet.getRange(first, 1, lines.length, 3).setValues(lines);
  }

  minutesLater() {
    this.account.ahead += 5 * 60 * 1000;
    this.script().everyFiveMinutes();
  }

  // What can be seen.

  rows() {
    const values = this.sheet.getRange(2, 1, this.sheet.getMaxRows() - 1, HEADINGS.length).getValues();
    return values
      .map((cells, index) => ({
        number: index + 2,
        ...Object.fromEntries(HEADINGS.map((heading, column) => [heading, cells[column]])),
      }))
      .filter((row) => row['E-mail'] !== '' || row.State !== '');
  }

  row(email) {
    return this.rows().find((row) => row['E-mail'] === email);
  }

  /** How many rows there are in each state. */
  states() {
    const counts = {};
    for (const { State } of this.rows()) counts[State] = (counts[State] ?? 0) + 1;
    return counts;
  }

  requests(method) {
    return this.fetching.requests.filter((request) => request.method === method).length;
  }

  // The document, as the controller reads and writes it.

  id(email) {
    return this.script().documentId(email);
  }

  async document(email) {
    const answer = await this.#firestore(`/users/${this.id(email)}`);
    return answer.error ? null : this.#fields(answer.fields);
  }

  async documentCount() {
    const structuredQuery = { from: [{ collectionId: 'users' }] };
    const counted = { structuredAggregationQuery: { structuredQuery, aggregations: [{ alias: 'users', count: {} }] } };
    const [{ result }] = await this.#firestore(':runAggregationQuery', 'POST', counted);
    return Number(result.aggregateFields.users.integerValue);
  }

  controllerSays(email, status) {
    const fields = Object.fromEntries(Object.entries(status).map(([name, value]) => [name, { stringValue: value }]));
    return this.#firestore(`/users/${this.id(email)}?updateMask.fieldPaths=status`, 'PATCH', {
      fields: { status: { mapValue: { fields } } },
    });
  }

  remove(email) {
    return this.#firestore(`/users/${this.id(email)}`, 'DELETE');
  }

  write(email, words) {
    const fields = Object.fromEntries(Object.entries(words).map(([name, value]) => [name, { stringValue: value }]));
    return this.#firestore(`/users/${this.id(email)}`, 'PATCH', { fields });
  }

  async #firestore(path, method = 'GET', body = undefined) {
    const headers = { Authorization: 'Bearer owner', 'Content-Type': 'application/json' };
    const answer = await fetch(`${this.documents}${path}`, { method, headers, body: body && JSON.stringify(body) });
    return answer.json();
  }

  #fields(fields) {
    const decoded = Object.entries(fields).map(([name, value]) => {
      if (value.mapValue) return [name, this.#fields(value.mapValue.fields ?? {})];
      if (value.arrayValue) return [name, value.arrayValue.values.map((each) => each.stringValue)];
      return [name, value.stringValue];
    });
    return Object.fromEntries(decoded);
  }
}

const { HEADINGS } = execution();

/** An installation that is set up, for one test. */
export function installed(t, properties = {}) {
  const installation = new Installation(properties);
  t.after(() => installation.close());
  installation.script().setUp();
  return installation;
}
