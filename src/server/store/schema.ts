/**
 * The schema, as numbered steps that are never edited once released: step N brings `user_version` from N-1 to N.
 * Every table is STRICT; columns named `body` hold JSON (as raw deflate where they are BLOBs).
 */
export const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE git_commits (
  id TEXT PRIMARY KEY,
  author TEXT NOT NULL,
  subject TEXT NOT NULL
) STRICT;

CREATE TABLE revisions (
  revision INTEGER PRIMARY KEY CHECK (revision > 0),
  plan TEXT NOT NULL,
  committed_at TEXT NOT NULL,
  reason TEXT,
  git_commit TEXT REFERENCES git_commits(id),
  git_dirty INTEGER CHECK (git_dirty IN (0, 1)),
  summary TEXT NOT NULL
) STRICT;

-- A resource as it was from revision from_rev up to, not including, to_rev; to_rev NULL = still so.
CREATE TABLE resources (
  key TEXT NOT NULL,
  from_rev INTEGER NOT NULL REFERENCES revisions(revision),
  to_rev INTEGER REFERENCES revisions(revision) CHECK (to_rev > from_rev),
  declared TEXT NOT NULL,
  resolved TEXT NOT NULL,
  file TEXT,
  line INTEGER,
  col INTEGER,
  PRIMARY KEY (key, from_rev)
) STRICT;
CREATE UNIQUE INDEX resources_current ON resources(key) WHERE to_rev IS NULL;
CREATE INDEX resources_ended ON resources(to_rev) WHERE to_rev IS NOT NULL;

CREATE TABLE allocations (
  pool TEXT NOT NULL,
  value TEXT NOT NULL,
  owner TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('explicit', 'auto', 'reserved')),
  released_at INTEGER CHECK ((source = 'reserved') = (released_at IS NOT NULL)),
  PRIMARY KEY (pool, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX allocations_released ON allocations(released_at) WHERE released_at IS NOT NULL;

CREATE TABLE plans (
  id TEXT PRIMARY KEY,
  base INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  applied_rev INTEGER REFERENCES revisions(revision),
  body TEXT NOT NULL
) STRICT;

-- The lists of a plan in pages; body = JSON, raw deflate.
CREATE TABLE plan_pages (
  plan TEXT NOT NULL REFERENCES plans(id) ON DELETE CASCADE,
  part TEXT NOT NULL CHECK (part IN ('change', 'set', 'del', 'hold', 'free')),
  seq INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (plan, part, seq)
) STRICT;

-- Parsed files by content; version = what parsed them. Long files are cut into pieces.
CREATE TABLE files (
  hash TEXT NOT NULL,
  version TEXT NOT NULL,
  path TEXT NOT NULL,
  issues TEXT NOT NULL,
  pieces INTEGER NOT NULL,
  PRIMARY KEY (hash)
) STRICT;
CREATE TABLE file_pieces (
  hash TEXT NOT NULL REFERENCES files(hash) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  entries BLOB NOT NULL,
  PRIMARY KEY (hash, seq)
) STRICT;

CREATE TABLE agents (
  host TEXT PRIMARY KEY,
  epoch TEXT NOT NULL,
  version TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  revision INTEGER NOT NULL,
  digest TEXT NOT NULL,
  converged INTEGER NOT NULL CHECK (converged IN (0, 1)),
  facts TEXT NOT NULL,
  allocations TEXT NOT NULL
) STRICT;

CREATE TABLE status (
  host TEXT NOT NULL,
  key TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'BUILD', 'WAITING', 'DOWN', 'ERROR')),
  cause TEXT,
  attempts INTEGER NOT NULL,
  since TEXT NOT NULL,
  PRIMARY KEY (host, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE drift (
  host TEXT NOT NULL,
  seq INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (host, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  type TEXT NOT NULL,
  host TEXT,
  key TEXT,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE lease (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  fencing INTEGER NOT NULL,
  holder TEXT,
  heartbeat INTEGER NOT NULL
) STRICT;
INSERT INTO lease VALUES (1, 0, NULL, 0);
`,
  `
-- Calls of after subscribers that have not succeeded yet. Times are milliseconds since the epoch; error NULL = not tried yet.
CREATE TABLE callbacks (
  id INTEGER PRIMARY KEY,
  revision INTEGER NOT NULL REFERENCES revisions(revision),
  plugin TEXT NOT NULL,
  subscription TEXT NOT NULL,
  verb TEXT NOT NULL CHECK (verb IN ('create', 'update', 'delete')),
  key TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  error TEXT,
  next_at INTEGER NOT NULL,
  since INTEGER NOT NULL
) STRICT;
CREATE INDEX callbacks_turn ON callbacks(plugin, subscription, key, id);
`,
]
