import { renderHistory } from '../server/render/history.ts'
import { openStore } from '../server/store/open.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { type Output, styleOf } from './output.ts'

/** `netloom history`: revisions, newest first, with the commit each came from. Reads the state file; needs no server. */
export async function history(stateFile: string, limit: number, output: Output): Promise<ExitCode> {
  const store = await openStore(stateFile, { access: 'read' })
  try {
    const revisions = await store.revisions(limit)
    output.result({ revisions }, () => renderHistory(revisions, Date.now(), styleOf(output)))
    return EXIT.clean
  } finally {
    await store.close()
  }
}
