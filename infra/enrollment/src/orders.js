/** What the checkboxes of a row ask for. Pure. */

const ORDER_PROBLEM = 'Nothing was done:';

/**
 * The `state` that is to be written into the person's document, or what keeps that from being done.
 *
 * An order acts once, when it changes: who is stopped here and started elsewhere is not stopped again.
 *
 * @param {Row} row
 * @returns {{state: '' | 'running' | 'stopped' | 'deleted', problem: string}}
 */
function orderOf(row) {
  const wanted = wantedState(row);
  const isEnrolled = row.enrolledAs !== '' && row.state !== STATE.toEnrol && row.state !== STATE.notEnrolled;
  if (!isEnrolled || wanted === row.applied || wanted === '') {
    return { state: '', problem: '' };
  }
  if (normaliseEmail(row.email) !== row.enrolledAs) {
    return {
      state: '',
      problem: `${ORDER_PROBLEM} this row is that of ${row.enrolledAs}. Put that e-mail back, and use another row for another person.`,
    };
  }
  if (wanted === 'deleted' && normaliseEmail(row.confirm) !== row.enrolledAs) {
    return {
      state: '',
      problem: `${ORDER_PROBLEM} to delete, type the person's e-mail into “${HEADINGS[COLUMN.confirm - 1]}” as well.`,
    };
  }
  return { state: wanted, problem: '' };
}

/**
 * @param {Row} row
 * @returns {'' | 'running' | 'stopped' | 'deleted'}
 */
function wantedState(row) {
  if (row.delete) return 'deleted';
  if (row.stop) return 'stopped';
  return row.applied === '' ? '' : 'running';
}

/**
 * The row with what its checkboxes lack said in it, or no longer said; null where nothing of that is new.
 *
 * @param {Row} row
 * @returns {Row | null}
 */
function withProblem(row) {
  const { problem } = orderOf(row);
  if (problem === row.message || (problem === '' && !row.message.startsWith(ORDER_PROBLEM))) return null;
  // With nothing more to say, the next look brings back what the controller says.
  return problem ? { ...row, message: problem } : { ...row, message: '', state: STATE.enrolled };
}
