/** users/{id} in the form of Firestore's REST interface (v1). Pure. */

/**
 * Make the document if there is none. `state` is never written: enrolling again wakes nobody up.
 *
 * @param {string} path of the document, from `projects/` on
 * @param {Row} row
 */
function creation(path, row) {
  /** @type {Record<string, unknown>} */
  const fields = { email: row.enrolledAs };
  if (row.name) fields.displayName = wellFormed(row.name);
  if (row.profile) fields.profile = wellFormed(row.profile);
  if (row.answers) fields.form = JSON.parse(row.answers);
  return { update: { name: path, fields: mapOf(fields) }, currentDocument: { exists: false } };
}

/**
 * Change `state`, and nothing else, of a document that is there.
 *
 * @param {string} path
 * @param {string} state
 */
function stateChange(path, state) {
  return {
    update: { name: path, fields: mapOf({ state }) },
    updateMask: { fieldPaths: ['state'] },
    currentDocument: { exists: true },
  };
}

/** The fields that `userDocument` reads. */
const READ_FIELDS = Object.freeze([
  'displayName',
  'profile',
  'state',
  'status.phase',
  'status.proxyUrl',
  'status.reason',
  'status.message',
]);

/**
 * @param {any} fields of a document; what is no text counts as absent
 * @returns {UserDocument}
 */
function userDocument(fields) {
  const status = fields?.status?.mapValue?.fields;
  /** @param {any} value */
  const words = (value) => String(value?.stringValue ?? '');
  return {
    name: words(fields?.displayName),
    profile: words(fields?.profile),
    state: words(fields?.state),
    phase: words(status?.phase),
    proxyUrl: words(status?.proxyUrl),
    reason: words(status?.reason),
    message: words(status?.message),
  };
}

/**
 * @param {Record<string, unknown>} fields
 * @returns {Record<string, unknown>}
 */
function mapOf(fields) {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, valueOf(value)]));
}

/**
 * @param {unknown} value text, a list or a map
 * @returns {object}
 */
function valueOf(value) {
  if (typeof value === 'string') return { stringValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(valueOf) } };
  return { mapValue: { fields: mapOf(/** @type {Record<string, unknown>} */ (value)) } };
}
