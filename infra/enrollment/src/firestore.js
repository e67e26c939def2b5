/** Firestore by its REST interface, as the person who ran Set up. The only file that fetches. */

const FIRESTORE = 'https://firestore.googleapis.com/v1/';
const ATTEMPTS = 3;
const FIRST_PAUSE_MILLISECONDS = 1000;

/** Codes of google.rpc.Code that a single write may end with. */
const CODE = Object.freeze({ ok: 0, invalid: 3, notFound: 5, exists: 6, precondition: 9 });

/** google.rpc.Code: CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE. */
const PASSING_CODES = Object.freeze([1, 2, 4, 8, 10, 13, 14]);

/**
 * @typedef {object} Outcome of one write
 * @property {number} code of google.rpc.Code; 0 is success
 * @property {string} message
 */

class Firestore {
  /** @param {string} project */
  constructor(project) {
    this.project = project;
    this.documents = `projects/${project}/databases/(default)/documents`;
  }

  /**
   * @param {string} email lower-case
   * @returns {string}
   */
  path(email) {
    return `${this.documents}/users/${documentId(email)}`;
  }

  /**
   * Writes that do not depend on each other.
   *
   * @param {object[]} writes
   * @returns {Outcome[]} in their order
   * @throws {Later | Refused}
   */
  write(writes) {
    try {
      const { status } = this.call('batchWrite', { writes });
      return writes.map((_, index) => ({ code: status?.[index]?.code ?? 0, message: status?.[index]?.message ?? '' }));
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      // One that cannot be written must not keep the others from being written.
      if (writes.length === 1) return [{ code: CODE.invalid, message: error.message }];
      const half = Math.ceil(writes.length / 2);
      return [...this.write(writes.slice(0, half)), ...this.write(writes.slice(half))];
    }
  }

  /**
   * @param {string[]} paths
   * @returns {Map<string, UserDocument>} those that exist, by path
   * @throws {Later | Refused}
   */
  read(paths) {
    const answers = this.call('batchGet', { documents: paths, mask: { fieldPaths: READ_FIELDS } });
    /** @type {Map<string, UserDocument>} */
    const documents = new Map();
    for (const { found } of answers) if (found) documents.set(found.name, userDocument(found.fields));
    return documents;
  }

  /**
   * @param {string} method
   * @param {object} body
   * @returns {any} the decoded answer
   */
  call(method, body) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return this.callOnce(method, body);
      } catch (error) {
        if (!(error instanceof Later) || attempt === ATTEMPTS) throw error;
        Utilities.sleep(FIRST_PAUSE_MILLISECONDS * 2 ** (attempt - 1));
      }
    }
  }

  /**
   * @param {string} method
   * @param {object} body
   * @returns {any}
   */
  callOnce(method, body) {
    const answer = this.fetch(`${FIRESTORE}${this.documents}:${method}`, body);
    const code = answer.getResponseCode();
    if (code === 200) return JSON.parse(answer.getContentText());
    if (code === 429 || code >= 500) throw new Later(`Firestore answered ${code}.`);
    if (code === 400) throw new Invalid('Firestore does not take this document.');
    throw new Refused(
      `Firestore answered ${code} for the project “${this.project}”. Whoever ran Set up needs the role Cloud Datastore ` +
        'User there, the script has to belong to that project, and the project needs a Firestore database.',
    );
  }

  /**
   * @param {string} url
   * @param {object} body
   * @returns {GoogleAppsScript.URL_Fetch.HTTPResponse}
   */
  fetch(url, body) {
    try {
      return UrlFetchApp.fetch(url, {
        method: 'post',
        contentType: 'application/json',
        headers: { Authorization: `Bearer ${ScriptApp.getOAuthToken()}` },
        payload: JSON.stringify(body),
        muteHttpExceptions: true,
      });
    } catch (error) {
      // The day's quota, or a connection that could not be made: both pass.
      throw new Later(`Firestore could not be called: ${error instanceof Error ? error.message : error}`);
    }
  }
}
