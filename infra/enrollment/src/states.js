/** What the column State says: the controller's phases, and words for what is before and between them. Pure. */

const STATE = Object.freeze({
  toEnrol: 'To enrol',
  notEnrolled: 'Not enrolled',
  enrolled: 'Enrolled',
  starting: 'Starting',
  stopping: 'Stopping',
  deleting: 'Deleting',
  gone: 'Gone',
});

/** A row in one of these is not looked at again until somebody does something. */
const FINAL_STATES = Object.freeze(['', STATE.notEnrolled, STATE.gone, 'Ready', 'Stopped', 'Deleted', 'Rejected']);

/** What a row says while the controller has not yet done what the document asks for. */
const ON_THE_WAY = Object.freeze({
  running: STATE.starting,
  stopped: STATE.stopping,
  deleted: STATE.deleting,
});

/**
 * @typedef {object} UserDocument What is read of users/{id}.
 * @property {string} name displayName
 * @property {string} profile
 * @property {string} state empty where it was never written, which means running
 * @property {string} phase empty while the controller has not seen the document
 * @property {string} proxyUrl
 * @property {string} reason
 * @property {string} message
 */

/**
 * @typedef {object} Shown
 * @property {string} state
 * @property {string} url
 * @property {string} message
 */

/**
 * What a row shows of a document.
 *
 * @param {UserDocument} document
 * @returns {Shown}
 */
function shown(document) {
  const { phase, proxyUrl, reason, message } = document;
  if (!phase) return { state: STATE.enrolled, url: '', message: '' };
  const onTheWay = notYet(document);
  if (onTheWay) return { state: onTheWay, url: '', message: '' };
  return { state: phase, url: proxyUrl, message: reason && message ? `${message} (${reason})` : message };
}

/**
 * The word for a phase that is not yet the one of the document's `state`; empty where it is.
 *
 * @param {UserDocument} document
 * @returns {string}
 */
function notYet({ state, phase, reason }) {
  if (state === 'deleted') return phase === 'Deleted' ? '' : ON_THE_WAY.deleted;
  if (phase === 'Deleted') return reason === 'Expired' ? '' : ON_THE_WAY.running;
  if (state === 'stopped') return phase === 'Stopped' ? '' : ON_THE_WAY.stopped;
  return phase === 'Stopped' ? ON_THE_WAY.running : '';
}
