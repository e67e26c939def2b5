/**
 * E-mails and the ids of their documents, as the controller has them (functions/kupyterhub_rules/names.py); the shared
 * test vectors tests/vectors/ids.json keep both equal.
 */

const MAX_EMAIL = 254;
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const DNS_LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const EMAIL = new RegExp(`^${ATOM}(?:\\.${ATOM})*@${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);

/**
 * The lower-case e-mail, or null where the text is not an ASCII dot-atom at a domain of at most 254 characters.
 *
 * @param {string} text
 * @returns {string | null}
 */
function normaliseEmail(text) {
  const trimmed = text.trim();
  return trimmed.length <= MAX_EMAIL && EMAIL.test(trimmed) ? trimmed.toLowerCase() : null;
}

/**
 * The id of the document of a lower-case e-mail: a second enrolment is no second user.
 *
 * @param {string} email
 * @returns {string}
 */
function documentId(email) {
  const digest = Utilities.computeDigest(Utilities.DigestAlgorithm.SHA_256, email, Utilities.Charset.UTF_8);
  const hex = digest.map((byte) => (byte & 0xff).toString(16).padStart(2, '0')).join('');
  return `u-${hex.slice(0, 20)}`;
}
