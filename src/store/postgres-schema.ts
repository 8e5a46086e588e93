/**
 * The schema in PostgreSQL, one step per version as in `schema.ts`. A step that was published is never edited.
 *
 * A score is one row of eight columns, the most for which a row's header stays at 24 bytes, with the wide columns first:
 * 52 bytes and 31 in the key's index for a score that is a number alone. Texts of JSON are kept as they are written
 * (`postgres-values.ts` says what is escaped), so that they can be read as `jsonb` where a question asks for it.
 */
export const postgresSteps: readonly string[] = [
  `
  CREATE TABLE store_version (version int NOT NULL);

  CREATE TABLE runs (
    key       int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        text COLLATE "C" NOT NULL UNIQUE,
    created   text COLLATE "C" NOT NULL,
    status    text NOT NULL CHECK (status IN ('running', 'stopped', 'complete')),
    source    text,
    data_hash text,
    config    text NOT NULL
  );

  CREATE TABLE rewards (
    key      int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run      int NOT NULL REFERENCES runs,
    name     text COLLATE "C" NOT NULL,
    identity text NOT NULL,
    head     text NOT NULL,
    UNIQUE (run, name)
  );

  CREATE TABLE samples (
    position   bigint NOT NULL,
    group_hash bigint NOT NULL,
    run        int NOT NULL,
    id         text COLLATE "C" NOT NULL,
    content    text NOT NULL,
    PRIMARY KEY (run, position)
  );

  CREATE TABLE scores (
    position  bigint NOT NULL,
    value     float8 CHECK (value > '-Infinity' AND value < 'Infinity'),
    reward    int NOT NULL,
    abstained bool,
    code      text COLLATE "C",
    parts     text,
    usage     jsonb,
    details   text,
    PRIMARY KEY (reward, position),
    CHECK ((value IS NULL) = (code IS NOT NULL))
  );
  CREATE INDEX unscored ON scores (reward, code, position) WHERE code IS NOT NULL;

  CREATE TABLE bad_rows (
    position bigint NOT NULL,
    run      int NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    message  text,
    PRIMARY KEY (run, position)
  );
  CREATE TABLE row_warnings (LIKE bad_rows INCLUDING ALL);

  CREATE TABLE segments (
    reward  int NOT NULL,
    segment int NOT NULL,
    PRIMARY KEY (reward, segment)
  );

  CREATE TABLE calls (
    key    text COLLATE "C" PRIMARY KEY,
    model  text COLLATE "C" NOT NULL,
    answer text,
    code   text,
    reason text,
    usage  jsonb,
    CHECK ((answer IS NULL) = (code IS NOT NULL))
  );

  CREATE TABLE votes (
    key      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       text COLLATE "C" NOT NULL UNIQUE,
    created  text NOT NULL,
    question text COLLATE "C" NOT NULL,
    a        text NOT NULL,
    b        text NOT NULL,
    choice   float8,
    voter    text,
    meta     text NOT NULL
  );
  CREATE INDEX votes_by_question ON votes (question, key);

  CREATE TABLE documents (
    key     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind    text COLLATE "C" NOT NULL,
    id      text COLLATE "C" NOT NULL,
    created text COLLATE "C" NOT NULL,
    title   text NOT NULL,
    content text NOT NULL,
    UNIQUE (kind, id)
  );

  CREATE TABLE orders (
    key     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id      text COLLATE "C" NOT NULL UNIQUE,
    kind    text NOT NULL,
    about   text COLLATE "C" NOT NULL,
    status  text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'complete', 'failed', 'cancelled')),
    created text COLLATE "C" NOT NULL,
    spec    text NOT NULL,
    claimed timestamptz
  );
  CREATE INDEX open_orders ON orders (key) WHERE status = 'open';

  CREATE TABLE shards (
    order_key bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    number    int NOT NULL,
    rows      int,
    attempts  int NOT NULL DEFAULT 0,
    status    text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'failed')),
    spec      text NOT NULL,
    worker    text,
    failure   text,
    result    text,
    PRIMARY KEY (order_key, number)
  );
  CREATE INDEX open_shards ON shards (order_key) WHERE status = 'open';
  `,
]
