let count = 0

/**
 * A name for something a test makes on the machine (a lab, a namespace, a link): new at each call, and begun with the run's own letters, by
 * which the runner finds what a test has left behind. At most 10 small letters and digits.
 */
export function testTag(): string {
  count++
  return `${runTag()}${process.pid.toString(36).slice(-4)}${count.toString(36)}`
}

/** The letters of this run: from the runner, or of this process when ava is called by hand. */
export function runTag(): string {
  return process.env['NETLOOM_TEST_RUN'] ?? 't0'
}
