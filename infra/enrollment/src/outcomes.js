/** What a row becomes after Firestore was asked. Pure. */

/**
 * @param {Row} row
 * @param {Outcome} outcome
 * @returns {Row}
 */
function afterCreation(row, { code, message }) {
  if (PASSING_CODES.includes(code)) return row;
  // From here on these answers are in the document, or were there before and stay as they are.
  const done = { ...row, answers: '', message: '', state: STATE.enrolled };
  if (code === CODE.ok) return { ...done, mailed: '', applied: '' };
  if (code === CODE.exists || code === CODE.precondition) return done;
  return { ...row, state: STATE.notEnrolled, message: message || `Firestore refused it (${code}).` };
}

/**
 * @param {Row} row
 * @param {'' | 'running' | 'stopped' | 'deleted'} state that was asked for
 * @param {Outcome} outcome
 * @returns {Row}
 */
function afterOrder(row, state, { code, message }) {
  if (state === '' || PASSING_CODES.includes(code)) return row;
  if (code === CODE.ok) return { ...row, applied: state, state: ON_THE_WAY[state], url: '', message: '' };
  if (code === CODE.notFound || code === CODE.precondition) return afterGone({ ...row, applied: state });
  return { ...row, applied: state, message: message || `Firestore refused it (${code}).` };
}

/**
 * @param {Row} row
 * @param {UserDocument | undefined} document
 * @returns {Row | null} null where nothing is new
 */
function afterLook(row, document) {
  if (!document) return afterGone(row);
  const { state, url, message } = shown(document);
  const describes = row.name !== document.name || row.profile !== document.profile;
  // What a checkbox still lacks is more urgent than what the controller says.
  const kept = row.message.startsWith(ORDER_PROBLEM) ? row.message : message;
  if (row.state === state && row.url === url && row.message === kept && !describes) return null;
  return { ...row, state, url, message: kept, name: document.name, profile: document.profile, describes };
}

/**
 * @param {Row} row
 * @returns {Row}
 */
function afterGone(row) {
  return {
    ...row,
    state: STATE.gone,
    url: '',
    message: 'The document was removed. A new answer in the form makes another.',
  };
}
