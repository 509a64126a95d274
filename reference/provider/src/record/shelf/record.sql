-- One insurer's records. Names of records are keyed marks; keys and documents are sealed.
CREATE TABLE IF NOT EXISTS record (
  name TEXT PRIMARY KEY, state TEXT NOT NULL, key BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS resource (
  place INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL, kind TEXT NOT NULL,
  id TEXT NOT NULL, sealed BLOB NOT NULL, UNIQUE (kind, id)) STRICT;
CREATE INDEX IF NOT EXISTS resource_record ON resource (record, kind, place);
