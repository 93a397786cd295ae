CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE tasks (
  id TEXT PRIMARY KEY, sequence INTEGER NOT NULL UNIQUE,
  name TEXT NOT NULL, document TEXT NOT NULL,
  interpreter TEXT NOT NULL, body TEXT NOT NULL,
  environment TEXT NOT NULL, directory TEXT NOT NULL,
  cpus REAL NOT NULL, mem REAL NOT NULL, disk REAL NOT NULL,
  priority INTEGER NOT NULL, kill_grace_ms INTEGER NOT NULL, timeout_ms INTEGER NOT NULL,
  tail_lines INTEGER NOT NULL DEFAULT 10,
  gpus REAL NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 1,
  runs INTEGER NOT NULL DEFAULT 0,
  after_ids TEXT NOT NULL DEFAULT '',
  extras TEXT NOT NULL DEFAULT '',
  framework_id TEXT NOT NULL DEFAULT '',
  attempt INTEGER NOT NULL, agent_id TEXT NOT NULL, hostname TEXT NOT NULL,
  agent_url TEXT NOT NULL DEFAULT '', ports TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, source TEXT NOT NULL,
  submitted_ms INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER);
CREATE TABLE results (
  id TEXT PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
  stdout TEXT NOT NULL, stdout_bytes INTEGER NOT NULL,
  truncated INTEGER NOT NULL, stderr_tail TEXT NOT NULL);
CREATE TABLE documents (
  id TEXT PRIMARY KEY, submitted_ms INTEGER NOT NULL, text TEXT NOT NULL,
  taken INTEGER NOT NULL);
INSERT INTO meta VALUES ('framework_id', 'framework');
INSERT INTO documents VALUES ('abc', 1767268800000, '* text', 1);
INSERT INTO tasks (id, sequence, name, document, interpreter, body, environment, directory,
    cpus, mem, disk, gpus, priority, kill_grace_ms, timeout_ms, tail_lines, attempts,
    after_ids, extras, attempt, runs, framework_id, agent_id, hostname, agent_url, ports,
    state, reason, message, source, submitted_ms, started_ms, ended_ms)
  VALUES ('a-1', 1, 'a', '/doc.org', 'sh' || char(31) || '-x' || char(31), 'echo ''ü''',
    'A' || char(31) || '1' || char(10) || '2' || char(30) || 'f' || '3' || char(30) || 'ef' || char(31),
    'dir', 0.5, 64, 1, 2, 5, 7000, 60000, 3, 4, '',
    '{"group":"g","container":{"image":{"name":"redis:7","containerizer":"DOCKER","pull":true,"entrypoint":true},"network":{"name":"bridge","exposed":[{"host":0,"container":6379}]},"volumes":[{"host":"/data","container":"/data","readOnly":true}],"privileged":true},"secrets":["TOKEN"],"ports":["web"],"constraints":[{"attribute":"rack","operator":"LIKE","value":"a.*"}]}',
    0, 0, '', '', '', '', '', 'QUEUED', '', '', '', 1767268800000, NULL, NULL);
INSERT INTO tasks (id, sequence, name, document, interpreter, body, environment, directory,
    cpus, mem, disk, gpus, priority, kill_grace_ms, timeout_ms, tail_lines, attempts,
    after_ids, extras, attempt, runs, framework_id, agent_id, hostname, agent_url, ports,
    state, reason, message, source, submitted_ms, started_ms, ended_ms)
  VALUES ('b-2', 2, '', '', 'sh' || char(31), 'true', '', '', 0.1, 32, 0, 0, 0, 3000, 0, 10, 1,
    'a-1' || char(31), '', 1, 0, 'framework', 'agent', 'host', 'http://host:5051',
    '31000' || char(31) || '31005' || char(31),
    'RUNNING', '', '', 'SOURCE_EXECUTOR', 1767268800000, 1767268801000, NULL);
INSERT INTO tasks (id, sequence, name, document, interpreter, body, environment, directory,
    cpus, mem, disk, gpus, priority, kill_grace_ms, timeout_ms, tail_lines, attempts,
    after_ids, extras, attempt, runs, framework_id, agent_id, hostname, agent_url, ports,
    state, reason, message, source, submitted_ms, started_ms, ended_ms)
  VALUES ('c-3', 3, 'c', '/doc.org', 'sh' || char(31), 'echo out', '', '', 0.1, 32, 0, 0, 0, 3000, 0, 10, 1,
    '', '', 0, 0, 'framework', 'agent', 'host', '', '',
    'FINISHED', '', 'Command exited with status 0', 'SOURCE_EXECUTOR', 1767268800000, 1767268801000, 1767268802000);
INSERT INTO results VALUES ('c-3', 'out' || char(10), 4, 0, '')
