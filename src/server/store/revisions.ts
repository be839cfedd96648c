import type { GitInfo, Plan } from '../plan/types.ts'
import { int, intOr, type Row, type Sql, text, textOr } from './connection.ts'
import type { RevisionInfo } from './types.ts'

/** 0 before the first revision: what a first plan has as its base. */
export async function currentNumber(sql: Sql): Promise<number> {
  return int((await sql.get('SELECT coalesce(max(revision), 0) AS revision FROM revisions')) ?? {}, 'revision')
}

const SELECT = `SELECT r.revision, r.plan, r.committed_at, r.reason, r.summary, r.git_commit, r.git_dirty, g.author, g.subject
  FROM revisions AS r LEFT JOIN git_commits AS g ON g.id = r.git_commit`

/** The newest `limit` revisions, newest first. */
export async function readRevisions(sql: Sql, limit: number): Promise<readonly RevisionInfo[]> {
  const rows = await sql.all(`${SELECT} ORDER BY r.revision DESC LIMIT ?`, limit)
  return rows.map(decode)
}

export async function readRevision(sql: Sql, revision: number): Promise<RevisionInfo | undefined> {
  const row = await sql.get(`${SELECT} WHERE r.revision = ?`, revision)
  return row === undefined ? undefined : decode(row)
}

export async function insertRevision(tx: Sql, info: RevisionInfo): Promise<void> {
  const { git } = info
  if (git !== undefined) {
    await tx.run('INSERT OR IGNORE INTO git_commits (id, author, subject) VALUES (?, ?, ?)', git.commit, git.author, git.subject)
  }
  await tx.run(
    'INSERT INTO revisions (revision, plan, committed_at, reason, git_commit, git_dirty, summary) VALUES (?, ?, ?, ?, ?, ?, ?)',
    info.revision,
    info.plan,
    info.committedAt,
    info.reason ?? null,
    git?.commit ?? null,
    git === undefined ? null : Number(git.dirty),
    JSON.stringify(info.summary),
  )
}

function decode(row: Row): RevisionInfo {
  const commit = textOr(row, 'git_commit')
  const reason = textOr(row, 'reason')
  const git: GitInfo | undefined =
    commit === undefined
      ? undefined
      : { commit, author: text(row, 'author'), subject: text(row, 'subject'), dirty: intOr(row, 'git_dirty') === 1 }
  return {
    revision: int(row, 'revision'),
    plan: text(row, 'plan'),
    committedAt: text(row, 'committed_at'),
    summary: JSON.parse(text(row, 'summary')) as Plan['summary'],
    ...(git === undefined ? {} : { git }),
    ...(reason === undefined ? {} : { reason }),
  }
}
