-- The ledger, version 4 (`database` has what makes it of older ones). Plain SQL; times are UTC, ISO 8601, and come from the program, never from the database.
-- Texts ending in _json hold JSON.

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,                      -- sync | daemon | refresh | snapshot | undo
    started TEXT NOT NULL,
    finished TEXT,
    report_json TEXT,
    undoes TEXT NOT NULL DEFAULT ''          -- the run that this one takes back
);

-- How records stood before a run took their items back.
CREATE TABLE undone (
    run TEXT NOT NULL REFERENCES runs (id),
    record INTEGER NOT NULL REFERENCES records (id),
    outcome TEXT NOT NULL,
    reasons_json TEXT NOT NULL,
    PRIMARY KEY (run, record)
);

CREATE TABLE libraries (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,           -- zotero:users/123, embedded:<uuid>
    version INTEGER NOT NULL DEFAULT 0,      -- the snapshot holds everything up to here
    keyed INTEGER NOT NULL DEFAULT 0,        -- by which rules sketches and blocks of its items were made
    regained INTEGER NOT NULL DEFAULT 0      -- 1: not all that was written is known here, read the library whole first; 2: and that was done
);

-- The snapshot: each library's items as last seen.
CREATE TABLE items (
    library INTEGER NOT NULL REFERENCES libraries (id),
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    place TEXT NOT NULL,                     -- alive | trash | gone
    data_json TEXT NOT NULL,
    sketch_json TEXT NOT NULL,               -- what matching compares of it
    PRIMARY KEY (library, key)
);

CREATE TABLE item_blocks (
    library INTEGER NOT NULL,
    block TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (library, block, key)
);
CREATE INDEX item_blocks_by_key ON item_blocks (library, key, block);

-- Notes, attachments and annotations of items.
CREATE TABLE children (
    library INTEGER NOT NULL REFERENCES libraries (id),
    key TEXT NOT NULL,
    parent TEXT NOT NULL,
    version INTEGER NOT NULL,
    place TEXT NOT NULL,                     -- alive | trash | gone
    PRIMARY KEY (library, key)
);
CREATE INDEX children_by_parent ON children (library, parent);

-- Items that somebody merged into another one in Zotero (`dc:replaces`).
CREATE TABLE merged (
    library INTEGER NOT NULL REFERENCES libraries (id),
    key TEXT NOT NULL,
    survivor TEXT NOT NULL,
    PRIMARY KEY (library, key, survivor)
);

-- Oddities of the library that were told to a person, so that they are told once.
CREATE TABLE told (
    library INTEGER NOT NULL REFERENCES libraries (id),
    what TEXT NOT NULL,                      -- twice:AAAA2222,BBBB3333
    PRIMARY KEY (library, what)
);

-- What our writes left in an object, as the library answered: the base of every later comparison.
CREATE TABLE bases (
    library INTEGER NOT NULL REFERENCES libraries (id),
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    made INTEGER NOT NULL,                   -- 1: zotdrop created it
    data_json TEXT NOT NULL,
    differs INTEGER NOT NULL DEFAULT 0,      -- 1: with that write the item still held a person's edits
    PRIMARY KEY (library, key)
);

CREATE TABLE drops (
    id INTEGER PRIMARY KEY,
    library INTEGER NOT NULL REFERENCES libraries (id),
    sha256 TEXT NOT NULL,
    wish TEXT NOT NULL,                      -- fingerprint of collection, tags and sources asked for
    path TEXT NOT NULL,
    inbox TEXT NOT NULL,
    format TEXT NOT NULL DEFAULT '',
    arrived TEXT NOT NULL,
    state TEXT NOT NULL,                     -- reading | noted | open | done | undone
    entries INTEGER NOT NULL DEFAULT 0,
    gaps INTEGER NOT NULL DEFAULT 0,
    gap_lines INTEGER NOT NULL DEFAULT 0,
    first_run TEXT NOT NULL REFERENCES runs (id),
    asks_json TEXT NOT NULL DEFAULT '{"sources": [], "titles": false}',  -- which sources may be asked for its records, and what they may be told
    UNIQUE (library, sha256, wish)
);

CREATE TABLE gaps (
    drop_id INTEGER NOT NULL REFERENCES drops (id),
    first_line INTEGER NOT NULL,
    last_line INTEGER NOT NULL,
    first_byte INTEGER NOT NULL,
    last_byte INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX gaps_by_drop ON gaps (drop_id);

CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    drop_id INTEGER NOT NULL REFERENCES drops (id),
    ordinal INTEGER NOT NULL,                -- 1-based place in the drop
    first_line INTEGER NOT NULL,
    last_line INTEGER NOT NULL,
    first_byte INTEGER NOT NULL,
    last_byte INTEGER NOT NULL,
    anchor INTEGER NOT NULL,                 -- byte offset of the first tagged line
    raw TEXT NOT NULL,                       -- the entry exactly as it stood
    record_json TEXT,                        -- as read; NULL where unreadable
    merged_json TEXT,                        -- with what cluster and sources added
    problems_json TEXT NOT NULL,
    title TEXT NOT NULL,
    survivor INTEGER,                        -- id of the record of the drop that stands for this one; NULL: itself
    state TEXT NOT NULL,                     -- read | follows | waiting | planned | done
    outcome TEXT,                            -- created | merged | updated | left | asked | refused | unreadable
    key TEXT,                                -- the item it ended in
    reasons_json TEXT NOT NULL DEFAULT '[]',
    sources_json TEXT NOT NULL DEFAULT '[]', -- sources that gave a value
    owed_json TEXT NOT NULL DEFAULT '[]',    -- sources that were away and are asked again
    UNIQUE (drop_id, ordinal)
);
CREATE INDEX records_by_state ON records (drop_id, state, ordinal);
CREATE INDEX records_by_survivor ON records (survivor) WHERE survivor IS NOT NULL;
CREATE INDEX records_by_key ON records (key);
CREATE INDEX records_owing ON records (drop_id) WHERE owed_json <> '[]';

CREATE TABLE record_blocks (
    drop_id INTEGER NOT NULL REFERENCES drops (id),
    block TEXT NOT NULL,
    record INTEGER NOT NULL REFERENCES records (id),
    PRIMARY KEY (drop_id, block, record)
);
CREATE INDEX record_blocks_by_record ON record_blocks (record);

-- Where each value that a merge set came from.
CREATE TABLE changes (
    record INTEGER NOT NULL REFERENCES records (id),
    field TEXT NOT NULL,
    old TEXT NOT NULL,
    new TEXT NOT NULL,
    source TEXT NOT NULL,
    how TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (record, field, source)
);

-- What is to be written, in order; a row leaves `pending` only in the transaction that notes the library's answer.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs (id),
    library INTEGER NOT NULL REFERENCES libraries (id),
    record INTEGER NOT NULL REFERENCES records (id),
    key TEXT NOT NULL,
    version INTEGER NOT NULL,                -- 0: create
    data_json TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',   -- pending | done | refused | replanned | joined (another record's row brings it, too)
    answer TEXT NOT NULL DEFAULT '',
    undo INTEGER NOT NULL DEFAULT 0,         -- 1: takes a write back
    tried INTEGER NOT NULL DEFAULT 0         -- 1: a change that was sent; while it is pending, nobody knows whether it landed
);
CREATE INDEX outbox_pending ON outbox (library, id) WHERE state = 'pending';
CREATE INDEX outbox_by_key ON outbox (library, key) WHERE state = 'pending';
CREATE INDEX outbox_by_record ON outbox (record);
CREATE INDEX outbox_by_run ON outbox (run, key);

-- Before and after of what every write that landed had written: what undo reads.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs (id),
    library INTEGER NOT NULL REFERENCES libraries (id),
    key TEXT NOT NULL,
    at TEXT NOT NULL,
    before_json TEXT,                        -- NULL: it did not exist
    after_json TEXT NOT NULL
);
CREATE INDEX journal_by_run ON journal (run);

-- Values that were offered in a merge and not taken.
CREATE TABLE lost (
    record INTEGER NOT NULL REFERENCES records (id),
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    source TEXT NOT NULL,
    how TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (record, field, value, source)
);

-- Answers of the sources, by what was asked.
CREATE TABLE answers (
    source TEXT NOT NULL,
    asked TEXT NOT NULL,                     -- doi:10.1/x, pmid:1, citation:journal|year|volume|page|author
    at TEXT NOT NULL,
    answer_json TEXT NOT NULL,               -- candidates (none is an answer too), and the agency of a DOI that is not known
    size INTEGER NOT NULL DEFAULT 0,         -- letters of answer_json
    PRIMARY KEY (source, asked)
);
CREATE INDEX answers_by_age ON answers (at, source, asked, size);

-- What a person decided about a record and an item; asked once, remembered for good.
CREATE TABLE decisions (
    record INTEGER NOT NULL REFERENCES records (id),
    key TEXT NOT NULL,
    verdict TEXT NOT NULL,                   -- same | different
    at TEXT NOT NULL,
    content TEXT NOT NULL DEFAULT '',        -- hash of what the record says: a later drop that says the same is not asked again
    PRIMARY KEY (record, key)
);
CREATE INDEX decisions_by_content ON decisions (content) WHERE content <> '';

-- Files beside a drop that go to attachment items: noted with the item, uploaded once that has landed.
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY,
    library INTEGER NOT NULL REFERENCES libraries (id),
    record INTEGER NOT NULL REFERENCES records (id),
    key TEXT NOT NULL,                       -- of the attachment item
    path_json TEXT NOT NULL,                 -- absolute, without links; a name that is no text is one here; null: the record's own text
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    md5 TEXT NOT NULL,
    size INTEGER NOT NULL,                   -- bytes
    mtime INTEGER NOT NULL,                  -- milliseconds since 1970
    state TEXT NOT NULL DEFAULT 'open',      -- open | done | theirs | gone | refused | changed
    UNIQUE (library, key)
);
CREATE INDEX uploads_open ON uploads (library, size, id) WHERE state = 'open';
CREATE INDEX uploads_by_record ON uploads (record);

-- The folder in which a drop lay when it came, for files that its records name.
CREATE TABLE drop_folders (
    drop_id INTEGER PRIMARY KEY REFERENCES drops (id),
    path_json TEXT NOT NULL
);

-- Where a drop came from and where its items go.
CREATE TABLE drop_routes (
    drop_id INTEGER PRIMARY KEY REFERENCES drops (id),
    database TEXT NOT NULL DEFAULT '',       -- that most of its records name
    assigned_json TEXT NOT NULL DEFAULT '{}', -- the review and its search, as the config had them when the drop came
    path_json TEXT                           -- the collection, once it was found out; NULL before
);

-- Why a person was asked, kept beside what was decided.
CREATE TABLE asked (
    record INTEGER NOT NULL REFERENCES records (id),
    key TEXT NOT NULL,                       -- of the item in question, as in decisions
    reasons_json TEXT NOT NULL,
    PRIMARY KEY (record, key)
);

-- Commands handed to the living daemon, and its answers.
CREATE TABLE wishes (
    id INTEGER PRIMARY KEY,
    command TEXT NOT NULL,
    arguments_json TEXT NOT NULL,
    at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'new',       -- new | taken | done
    progress TEXT NOT NULL DEFAULT '',
    exit_code INTEGER,
    answer_json TEXT
);

-- Libraries, by their names in the config, that refused us in the newest run: nothing is written to them before that is mended.
CREATE TABLE stopped_libraries (
    library TEXT PRIMARY KEY,
    at TEXT NOT NULL,                        -- since when
    why TEXT NOT NULL
);

-- API keys that a service refused, never the keys themselves: none is sent again before it changes.
CREATE TABLE refused_keys (
    address TEXT NOT NULL,                   -- host and port of the service
    salt TEXT NOT NULL,
    hash TEXT NOT NULL,                      -- of the salt and the key
    at TEXT NOT NULL,
    why TEXT NOT NULL,                       -- what a person was told
    PRIMARY KEY (address, salt)
);

-- Which ledger this is, and how often it was written to by runs: the same stands in a file beside it, so that an older one is seen.
CREATE TABLE ledger_mark (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    copied INTEGER NOT NULL DEFAULT 0,       -- 1: this is a backup
    regained INTEGER NOT NULL DEFAULT 0      -- 1: an older or another ledger lay here before, or it was made again
);

-- Keys that were deleted for good before we ever saw what they were.
CREATE TABLE tombstones (
    library INTEGER NOT NULL REFERENCES libraries (id),
    key TEXT NOT NULL,
    PRIMARY KEY (library, key)
);

-- Runs whose journal was let go of: they cannot be taken back any more.
CREATE TABLE let_go (
    run TEXT PRIMARY KEY REFERENCES runs (id),
    at TEXT NOT NULL,
    wrote INTEGER NOT NULL                   -- objects
);

-- Drops that hold nearly all of what an earlier drop brought.
CREATE TABLE overlaps (
    drop_id INTEGER PRIMARY KEY REFERENCES drops (id),
    earlier INTEGER NOT NULL REFERENCES drops (id),
    shared INTEGER NOT NULL,                 -- works of the drop whose item the earlier one brought, too
    works INTEGER NOT NULL,                  -- of the drop
    answer TEXT NOT NULL DEFAULT ''          -- superseded | apart; empty: not answered
);

-- What is told outside (mail, webhook ...), each event once and for good.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,                      -- failed | held | questions | retraction | stopped | away | disk | recovered
    event TEXT NOT NULL,                     -- what makes it the same event
    at TEXT NOT NULL,
    text TEXT NOT NULL,
    facts_json TEXT NOT NULL,
    UNIQUE (kind, event)
);

-- The ways that each notice has to go.
CREATE TABLE notice_posts (
    notice INTEGER NOT NULL REFERENCES notices (id),
    way TEXT NOT NULL,                       -- webhook | ntfy | mail | command
    state TEXT NOT NULL DEFAULT 'waiting',   -- waiting | sent | given-up
    PRIMARY KEY (notice, way)
);
CREATE INDEX notice_posts_waiting ON notice_posts (way) WHERE state = 'waiting';

-- When a way was gone last with a notice of a kind; with kind '' how often it failed in a row, and until when it is left alone.
CREATE TABLE notice_ways (
    way TEXT NOT NULL,
    kind TEXT NOT NULL,
    sent TEXT NOT NULL DEFAULT '',
    tries INTEGER NOT NULL DEFAULT 0,
    not_before TEXT NOT NULL DEFAULT '',
    why TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (way, kind)
);

-- What lasts: a service that is away, a library that is stopped, a full disk.
CREATE TABLE conditions (
    name TEXT PRIMARY KEY,                   -- service:crossref, library:main, disk
    since TEXT NOT NULL,
    times INTEGER NOT NULL,                  -- so many times in a row
    told INTEGER NOT NULL DEFAULT 0
);

-- What is counted for whoever asks how things stand.
CREATE INDEX records_by_outcome ON records (state, outcome);

-- When each plan of the service last began.
CREATE TABLE turns (
    job TEXT PRIMARY KEY,                    -- refresh | snapshot | inbox-NAME
    at TEXT NOT NULL
);
