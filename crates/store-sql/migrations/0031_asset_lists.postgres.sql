-- As the file for SQLite. Before that, text of tables that came after the fourteenth migration is compared byte by byte, too.
DO $$
DECLARE it RECORD;
BEGIN
    FOR it IN
        SELECT c.table_name, c.column_name FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = current_schema() AND c.data_type = 'text' AND t.table_type = 'BASE TABLE'
          AND c.table_name <> '_sqlx_migrations' AND c.collation_name IS DISTINCT FROM 'C'
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE TEXT COLLATE "C"', it.table_name, it.column_name);
    END LOOP;
END $$;

CREATE INDEX credential_assets_name ON credential_assets (name, id);
CREATE INDEX secret_assets_name ON secret_assets (name, id);
