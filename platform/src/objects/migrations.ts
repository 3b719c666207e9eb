/**
 * Schema of the state store, one entry per version; an entry is never changed once released, new
 * ones are appended. `PRAGMA user_version` holds how many have run.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;

  CREATE TABLE device_registry (
    device_id TEXT NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (device_id, valid_from)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE credentials (
    device_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('sas', 'password')),
    username TEXT UNIQUE,
    secret TEXT NOT NULL,
    PRIMARY KEY (device_id, kind)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE collectors (
    collector_id TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    may_backdate INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE device_alerts (
    alert_id TEXT PRIMARY KEY,
    device_id TEXT NOT NULL,
    site_id TEXT NOT NULL,
    severity TEXT NOT NULL,
    status TEXT NOT NULL,
    model_id TEXT NOT NULL,
    suppressed INTEGER NOT NULL,
    alert_created_at INTEGER NOT NULL,
    sla_deadline INTEGER NOT NULL,
    resolved_at INTEGER,
    active INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL,
    tracking TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX alerts_by_device ON device_alerts (device_id, alert_created_at);
  CREATE INDEX alerts_by_sequence ON device_alerts (sequence);
  CREATE INDEX alerts_by_creation ON device_alerts (alert_created_at, alert_id);
  CREATE INDEX alerts_active ON device_alerts (active) WHERE active = 1;

  CREATE TABLE label_events (
    label_id TEXT PRIMARY KEY,
    alert_id TEXT,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX labels_by_sequence ON label_events (sequence);
  CREATE INDEX labels_by_alert ON label_events (alert_id, sequence);

  CREATE TABLE audit_log (
    audit_id INTEGER PRIMARY KEY,
    object_id TEXT NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_object ON audit_log (object_id, audit_id);
  CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
  CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;

  CREATE TABLE action_results (
    idempotency_key TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    request TEXT NOT NULL,
    result TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX action_results_by_time ON action_results (at);

  CREATE TABLE device_live (
    part TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (part, chunk)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE rule_positions (
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (generation, partition)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE rule_states (
    device_id TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX rule_states_by_partition ON rule_states (generation, partition, device_id);
  `,
  `
  CREATE TABLE cloud_messages (
    sequence INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    delivery_count INTEGER NOT NULL,
    abandon_count INTEGER NOT NULL,
    body TEXT NOT NULL,
    payload BLOB NOT NULL
  ) STRICT;
  CREATE INDEX cloud_messages_by_device ON cloud_messages (device_id, sequence);
  CREATE INDEX cloud_messages_by_expiry ON cloud_messages (expires_at);

  CREATE TABLE message_feedback (
    feedback_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX message_feedback_by_time ON message_feedback (at);

  CREATE TABLE device_twins (
    device_id TEXT PRIMARY KEY,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE mqtt_sessions (
    device_id TEXT PRIMARY KEY,
    subscriptions INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE enrollments (
    enrollment_id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    secret TEXT
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE registrations (
    registration_id TEXT PRIMARY KEY,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE credentials_any (
    device_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    username TEXT UNIQUE,
    secret TEXT NOT NULL,
    PRIMARY KEY (device_id, kind)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO credentials_any SELECT device_id, kind, username, secret FROM credentials;
  DROP TABLE credentials;
  ALTER TABLE credentials_any RENAME TO credentials;

  CREATE TABLE certificate_authorities (
    thumbprint TEXT PRIMARY KEY,
    certificate TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE revoked_certificates (
    certificate TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    revoked_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE connect_policies (
    name TEXT PRIMARY KEY,
    secret TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE hub_devices (
    device_id TEXT PRIMARY KEY,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE gate_entries (
    entry_id TEXT PRIMARY KEY,
    gate_key TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX gate_entries_open ON gate_entries (gate_key) WHERE is_open = 1;
  CREATE INDEX gate_entries_by_opening ON gate_entries (opened_at);
  `,
]
