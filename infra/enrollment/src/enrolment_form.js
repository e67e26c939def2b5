/** The Google Form, as a source of answers. */

/** An answer may become visible after a later one: so far back they are read again. */
const OVERLAP_MILLISECONDS = 10 * 60 * 1000;

class EnrolmentForm {
  /** @param {Properties} properties */
  constructor(properties) {
    this.properties = properties;
    this.form = FormApp.openById(properties.get('form'));
  }

  /**
   * Answers that may be new, oldest first. What is in them is read when it is asked for, since that takes time.
   *
   * @returns {{email: string, answered: string, read: () => Answer}[]}
   * @throws {Refused} where the form would let people give another's e-mail
   */
  answers() {
    if (!collectsVerifiedEmails(this.form)) {
      throw new Refused(
        'The form no longer collects verified e-mails, so an answer could name somebody else: none is taken in. ' +
          'Run setUp, which mends it.',
      );
    }
    const since = Math.max(
      this.properties.time('answersFrom'),
      this.properties.time('answersSeen') - OVERLAP_MILLISECONDS,
    );
    return this.form
      .getResponses(/** @type {any} */ (new Date(since)))
      .map((response) => this.answer(response))
      .sort((one, other) => one.answered.localeCompare(other.answered));
  }

  /**
   * Answers up to this one are in the sheet.
   *
   * @param {string} answered
   */
  seen(answered) {
    this.properties.set('answersSeen', answered);
  }

  /** @param {GoogleAppsScript.Forms.FormResponse} response */
  answer(response) {
    const email = response.getRespondentEmail();
    const answered = new Date(response.getTimestamp().getTime()).toISOString();
    return { email, answered, read: () => ({ email, answered, ...this.content(response) }) };
  }

  /**
   * @param {GoogleAppsScript.Forms.FormResponse} response
   * @returns {{name: string, profile: string, form: Record<string, unknown>}}
   */
  content(response) {
    const own = { name: this.properties.get('nameQuestion'), profile: this.properties.get('profileQuestion') };
    const said = { name: '', profile: '' };
    const others = [];
    for (const item of response.getItemResponses()) {
      const id = String(item.getItem().getId());
      if (id === own.name) said.name = String(item.getResponse()).trim();
      else if (id === own.profile) said.profile = String(item.getResponse()).trim();
      else others.push({ question: item.getItem().getTitle(), answer: item.getResponse() });
    }
    return { ...said, form: formFields(others) };
  }
}

/**
 * Whether answers carry the account that was signed in, rather than what somebody typed.
 *
 * @param {GoogleAppsScript.Forms.Form} form
 * @returns {boolean}
 */
function collectsVerifiedEmails(form) {
  return String(form.getEmailCollectionType()) === String(FormApp.EmailCollectionType.VERIFIED);
}
