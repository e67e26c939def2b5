/**
 * What the script keeps beside the sheet: script properties.
 *
 * Set by a person: `project`, and optionally `profiles` and `mail`. Set by the script: the others.
 *
 * @typedef {'project' | 'profiles' | 'mail'} GivenProperty
 * @typedef {'form' | 'nameQuestion' | 'profileQuestion' | 'answersFrom' | 'answersSeen'} KeptProperty
 * @typedef {GivenProperty | KeptProperty} PropertyName
 */
class Properties {
  constructor() {
    this.stored = PropertiesService.getScriptProperties();
  }

  /**
   * @param {PropertyName} name
   * @returns {string} trimmed; empty where it is not set
   */
  get(name) {
    return (this.stored.getProperty(name) ?? '').trim();
  }

  /**
   * @param {PropertyName} name
   * @returns {number} milliseconds since 1970; 0 where it is not set
   */
  time(name) {
    return Date.parse(this.get(name)) || 0;
  }

  /**
   * @param {PropertyName} name
   * @param {string} value
   */
  set(name, value) {
    this.stored.setProperty(name, value);
  }

  /**
   * @returns {string} the Google Cloud project that holds the database
   * @throws {Refused}
   */
  project() {
    const project = this.get('project');
    if (!/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(project)) {
      throw new Refused(
        `The script property “project” is ${project ? `“${project}”, which is no id of a project` : 'not set'}. ` +
          'Set it to the id of the Google Cloud project (Project Settings, Script Properties).',
      );
    }
    return project;
  }

  /** @returns {string[]} the profiles that may be chosen; none where the form does not ask */
  profiles() {
    return this.get('profiles')
      .split(',')
      .map((profile) => profile.trim())
      .filter(Boolean);
  }

  /** @returns {boolean} whether people get a mail when their notebook is ready */
  mails() {
    return this.get('mail') === 'yes';
  }
}
