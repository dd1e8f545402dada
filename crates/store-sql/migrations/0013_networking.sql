-- Whether a project's people may write Ingresses and NetworkPolicies: 1, 0, or null until somebody decided it. And when a project
-- was last changed, and by whom; null until it was.
ALTER TABLE projects ADD COLUMN allow_networking BIGINT;
ALTER TABLE projects ADD COLUMN updated_at BIGINT;
ALTER TABLE projects ADD COLUMN updated_by TEXT;
