-- As the file for SQLite. Before that, all text is compared byte by byte, as SQLite does, whatever the database's own collation:
-- lists are in the same order on both, and comparisons of different columns go by one index.
DO $$
DECLARE it RECORD;
BEGIN
    FOR it IN
        SELECT c.table_name, c.column_name FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = current_schema() AND c.data_type = 'text' AND t.table_type = 'BASE TABLE'
          AND c.table_name <> '_sqlx_migrations'
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE TEXT COLLATE "C"', it.table_name, it.column_name);
    END LOOP;
END $$;

-- What lists search and sort by, in lower case as the program makes it: SQLite knows the lower case of ASCII alone. Absent until
-- the program has filled it in, which it does when it opens the database.
ALTER TABLE departments ADD COLUMN description_folded TEXT COLLATE "C";
ALTER TABLE projects ADD COLUMN description_folded TEXT COLLATE "C";
ALTER TABLE access_rules ADD COLUMN subject_folded TEXT COLLATE "C";
ALTER TABLE access_rules ADD COLUMN scope_name_folded TEXT COLLATE "C";

-- The orders that lists are asked for, each with what breaks ties.
CREATE INDEX departments_name ON departments (name, id);
CREATE INDEX projects_name ON projects (name, id);
CREATE INDEX projects_created ON projects (created_at, id);
CREATE INDEX users_created ON users (created_at, email);
CREATE INDEX access_rules_live ON access_rules (id) WHERE deleted_at IS NULL;
CREATE INDEX access_rules_subject ON access_rules (subject_folded NULLS FIRST, id);
CREATE INDEX access_rules_subject_name ON access_rules (subject, id);
CREATE INDEX access_rules_scope ON access_rules (scope_id, id);
CREATE INDEX access_rules_created ON access_rules (created_at, id);
CREATE INDEX access_rules_role ON access_rules (role_id, id);
CREATE INDEX workloads_created ON workloads (created_at, id);
CREATE INDEX workloads_cluster ON workloads (cluster_id);
