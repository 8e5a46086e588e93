/**
 * The schema, one step per version: step n takes a store of version n to n + 1. A step that was published is never
 * edited; a change is a new step.
 *
 * Scores are one small row per reward and sample in key order, so that a run appends; what only few scores have
 * (parts, rationale, evidence) is JSON in columns that cost one byte when absent. The content of samples stands apart
 * from their ids, so that counting and looking for an id need not read it. Values and groups have no index: it would
 * double the cost of writing, and sorting what 100,000 samples have takes tens of milliseconds.
 */
export const schemaSteps: readonly string[] = [
  `
  CREATE TABLE runs (
    key       INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE,
    created   TEXT NOT NULL,
    status    TEXT NOT NULL CHECK (status IN ('running', 'stopped', 'complete')),
    source    TEXT,
    data_hash TEXT,
    config    TEXT NOT NULL
  ) STRICT;

  CREATE TABLE rewards (
    key      INTEGER PRIMARY KEY,
    run      INTEGER NOT NULL REFERENCES runs,
    name     TEXT NOT NULL,
    identity TEXT NOT NULL,
    head     TEXT NOT NULL,
    UNIQUE (run, name)
  ) STRICT;

  CREATE TABLE samples (
    run        INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    id         TEXT NOT NULL,
    group_hash INTEGER NOT NULL,
    PRIMARY KEY (run, position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE contents (
    run      INTEGER NOT NULL,
    position INTEGER NOT NULL,
    content  TEXT NOT NULL,
    PRIMARY KEY (run, position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE scores (
    reward    INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    value     REAL,
    code      TEXT,
    reason    TEXT,
    abstained INTEGER,
    parts     TEXT,
    details   TEXT,
    PRIMARY KEY (reward, position),
    CHECK ((value IS NULL) = (code IS NOT NULL))
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX unscored ON scores (reward, code, position) WHERE code IS NOT NULL;

  CREATE TABLE bad_rows (
    run      INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    message  TEXT,
    PRIMARY KEY (run, position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE segments (
    reward  INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    PRIMARY KEY (reward, segment)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE calls (
    key    TEXT PRIMARY KEY,
    model  TEXT NOT NULL,
    answer TEXT,
    code   TEXT,
    reason TEXT,
    usage  TEXT,
    CHECK ((answer IS NULL) = (code IS NOT NULL))
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE votes (
    key      INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    created  TEXT NOT NULL,
    question TEXT NOT NULL,
    a        TEXT NOT NULL,
    b        TEXT NOT NULL,
    choice   REAL,
    voter    TEXT,
    meta     TEXT NOT NULL
  ) STRICT;
  CREATE INDEX votes_by_question ON votes (question, key);
  `,
  `
  CREATE TABLE row_warnings (
    run      INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    message  TEXT,
    PRIMARY KEY (run, position)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE documents (
    key     INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    created TEXT NOT NULL,
    title   TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (kind, id)
  ) STRICT;
  `,
]
