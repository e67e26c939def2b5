/** A row as it is read, with what a test wants to be different. */
export function row(script, fields = {}) {
  const enrolled = { number: 2, email: 'ada@example.com', enrolledAs: 'ada@example.com', state: 'Ready' };
  return {
    ...script.rowOf(
      2,
      script.HEADINGS.map(() => ''),
      [],
    ),
    ...enrolled,
    ...fields,
  };
}
