-- What lists search and sort by, in lower case as the program makes it: SQLite knows the lower case of ASCII alone. Absent until
-- the program has filled it in, which it does when it opens the database.
ALTER TABLE departments ADD COLUMN description_folded TEXT;
ALTER TABLE projects ADD COLUMN description_folded TEXT;
ALTER TABLE access_rules ADD COLUMN subject_folded TEXT;
ALTER TABLE access_rules ADD COLUMN scope_name_folded TEXT;

-- The orders that lists are asked for, each with what breaks ties.
CREATE INDEX departments_name ON departments (name, id);
CREATE INDEX projects_name ON projects (name, id);
CREATE INDEX projects_created ON projects (created_at, id);
CREATE INDEX users_created ON users (created_at, email);
CREATE INDEX access_rules_live ON access_rules (id) WHERE deleted_at IS NULL;
CREATE INDEX access_rules_subject ON access_rules (subject_folded, id);
CREATE INDEX access_rules_subject_name ON access_rules (subject, id);
CREATE INDEX access_rules_scope ON access_rules (scope_id, id);
CREATE INDEX access_rules_created ON access_rules (created_at, id);
CREATE INDEX access_rules_role ON access_rules (role_id, id);
CREATE INDEX workloads_created ON workloads (created_at, id);
CREATE INDEX workloads_cluster ON workloads (cluster_id);
