/** The mail that a person gets once their notebook is ready. Plain text, so that a name stays a name. */

/**
 * @param {Row} row
 * @returns {{to: string, subject: string, body: string}}
 */
function letterOf({ enrolledAs, name, url }) {
  const greeting = name ? `Hello ${name.replace(/\s+/g, ' ')},` : 'Hello,';
  return {
    to: enrolledAs,
    subject: 'Your JupyterLab is ready',
    body: `${greeting}\n\nyour JupyterLab is ready. Sign in with ${enrolledAs} at\n\n${url}\n\nIt is yours alone: nobody else can open it.\n`,
  };
}
