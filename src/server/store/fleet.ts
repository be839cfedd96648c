import type { JsonObject } from '../../model/brand.ts'
import type { Key } from '../../model/key.ts'
import type { DriftItem, ObjectStatus } from '../../model/status.ts'
import { bulk } from './bulk.ts'
import { int, type Row, type Sql, text, textOr } from './connection.ts'
import type { AgentRow } from './types.ts'

export async function readAgents(sql: Sql): Promise<readonly AgentRow[]> {
  const rows = await sql.all(
    'SELECT host, epoch, version, last_seen, revision, digest, converged, facts, allocations FROM agents ORDER BY host',
  )
  return rows.map((row) => ({
    host: text(row, 'host'),
    epoch: text(row, 'epoch'),
    version: text(row, 'version'),
    lastSeen: text(row, 'last_seen'),
    revision: int(row, 'revision'),
    digest: text(row, 'digest'),
    converged: int(row, 'converged') === 1,
    facts: JSON.parse(text(row, 'facts')) as JsonObject,
    allocations: JSON.parse(text(row, 'allocations')) as JsonObject,
  }))
}

export async function writeAgent(tx: Sql, agent: AgentRow): Promise<void> {
  await tx.run(
    `INSERT OR REPLACE INTO agents (host, epoch, version, last_seen, revision, digest, converged, facts, allocations)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    agent.host,
    agent.epoch,
    agent.version,
    agent.lastSeen,
    agent.revision,
    agent.digest,
    Number(agent.converged),
    JSON.stringify(agent.facts),
    JSON.stringify(agent.allocations),
  )
}

/** Sorted by host, then key. */
export async function readStatus(sql: Sql, host?: string): Promise<readonly (ObjectStatus & { readonly host: string })[]> {
  const rows = await sql.all(
    `SELECT host, key, state, cause, attempts, since FROM status WHERE ${host === undefined ? 'true' : 'host = ?'} ORDER BY host, key`,
    ...(host === undefined ? [] : [host]),
  )
  return rows.map(decodeStatus)
}

export async function writeStatus(tx: Sql, host: string, objects: readonly ObjectStatus[], gone: readonly Key[]): Promise<void> {
  await bulk(tx, 'DELETE FROM status WHERE (host, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))', gone, (key) => [host, key])
  await bulk(
    tx,
    `INSERT OR REPLACE INTO status (host, key, state, cause, attempts, since)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)`,
    objects,
    (o) => [host, o.key, o.state, o.cause ?? null, o.attempts, o.since],
  )
}

/** Sorted by host, then in the order reported. */
export async function readDrift(sql: Sql, host?: string): Promise<readonly (DriftItem & { readonly host: string })[]> {
  const rows = await sql.all(
    `SELECT host, body FROM drift WHERE ${host === undefined ? 'true' : 'host = ?'} ORDER BY host, seq`,
    ...(host === undefined ? [] : [host]),
  )
  return rows.map((row) => ({ ...(JSON.parse(text(row, 'body')) as DriftItem), host: text(row, 'host') }))
}

/** Replaces everything known about the host's drift. */
export async function writeDrift(tx: Sql, host: string, items: readonly DriftItem[]): Promise<void> {
  await tx.run('DELETE FROM drift WHERE host = ?', host)
  const sql = 'INSERT INTO drift (host, seq, body) SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)'
  await bulk(tx, sql, items, (item, seq) => [host, seq, JSON.stringify(item)])
}

function decodeStatus(row: Row): ObjectStatus & { readonly host: string } {
  const cause = textOr(row, 'cause')
  return {
    host: text(row, 'host'),
    key: text(row, 'key') as Key,
    state: text(row, 'state') as ObjectStatus['state'],
    attempts: int(row, 'attempts'),
    since: text(row, 'since'),
    ...(cause === undefined ? {} : { cause }),
  }
}
