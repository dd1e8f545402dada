-- A database as version 8 of its schema left it, with rows in each table (no event was pruned yet); what `pg_dump --inserts --no-owner` prints. It is never changed: it stands for
-- databases that are there. The audit log's key is 32 bytes of 7.
CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
CREATE TABLE public.access_rules (
    id bigint NOT NULL,
    subject_kind text NOT NULL,
    subject text NOT NULL,
    role_id bigint NOT NULL,
    scope_type text NOT NULL,
    scope_id text NOT NULL,
    scope_name text NOT NULL,
    cluster_id text,
    department_id bigint,
    project_id bigint,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    deleted_at bigint
);
CREATE TABLE public.audit_attempts (
    sequence bigint NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.audit_events (
    sequence bigint NOT NULL,
    previous text NOT NULL,
    hash text NOT NULL,
    body text NOT NULL,
    keyed boolean DEFAULT false NOT NULL
);
CREATE TABLE public.audit_prunings (
    sequence bigint NOT NULL
);
CREATE TABLE public.cluster_revisions (
    cluster_id text NOT NULL,
    revision bigint NOT NULL
);
CREATE TABLE public.clusters (
    id text NOT NULL,
    name text NOT NULL,
    domain text,
    version text,
    credential text NOT NULL,
    settings text,
    last_liveness bigint,
    applied_revision bigint NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    kubernetes_endpoint text,
    reported_endpoint text,
    credential_number bigint DEFAULT 0 NOT NULL,
    lowest_id bigint DEFAULT 1000 NOT NULL
);
CREATE TABLE public.counters (
    name text NOT NULL,
    value bigint NOT NULL
);
CREATE TABLE public.deleted_clusters (
    id text NOT NULL,
    credential text NOT NULL,
    deleted_at bigint NOT NULL
);
CREATE TABLE public.departments (
    id bigint NOT NULL,
    cluster_id text NOT NULL,
    name text NOT NULL,
    details text NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL
);
CREATE TABLE public.desired_objects (
    cluster_id text NOT NULL,
    kind text NOT NULL,
    object_id text NOT NULL,
    revision bigint NOT NULL,
    body text
);
CREATE TABLE public.former_emails (
    email text NOT NULL,
    deleted_at bigint NOT NULL
);
CREATE TABLE public.former_namespaces (
    cluster_id text NOT NULL,
    namespace text NOT NULL,
    department_id bigint NOT NULL
);
CREATE TABLE public.histories (
    number bigint NOT NULL,
    id text NOT NULL,
    started_at bigint NOT NULL
);
CREATE TABLE public.history_beginnings (
    history bigint NOT NULL,
    cluster_id text NOT NULL,
    revision bigint NOT NULL
);
CREATE TABLE public.installation (
    name text NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.object_status (
    cluster_id text NOT NULL,
    kind text NOT NULL,
    object_id text NOT NULL,
    phase text NOT NULL,
    message text NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE public.projects (
    id bigint NOT NULL,
    cluster_id text NOT NULL,
    department_id bigint NOT NULL,
    name text NOT NULL,
    namespace text NOT NULL,
    namespace_requested boolean NOT NULL,
    details text NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL
);
CREATE TABLE public.service_accounts (
    id text NOT NULL,
    name text NOT NULL,
    secret text NOT NULL,
    enabled boolean NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    updated_at bigint NOT NULL,
    last_login bigint,
    session_number bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.used_uids (
    uid bigint NOT NULL,
    user_id text NOT NULL,
    event bigint DEFAULT 0 NOT NULL,
    left_at bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.users (
    id text NOT NULL,
    email text NOT NULL,
    password text,
    posix text,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    updated_at bigint NOT NULL,
    last_login bigint,
    session_number bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.workload_requests (
    workload_id text NOT NULL,
    request text NOT NULL
);
CREATE TABLE public.workloads (
    id text NOT NULL,
    cluster_id text NOT NULL,
    project_id bigint NOT NULL,
    name text NOT NULL,
    submitted_by text NOT NULL,
    created_at bigint NOT NULL,
    image text DEFAULT ''::text NOT NULL
);
INSERT INTO public._sqlx_migrations VALUES (1, 'begin', '2023-11-14 22:13:20+00', true, '\x25168265879f5fc9aeb45cdd00d33053e0c6dba2b971ccc53f06ac8b2175b70aaf127206a7f7f80b9efb986c3ec9954a', 1);
INSERT INTO public._sqlx_migrations VALUES (2, 'former', '2023-11-14 22:13:20+00', true, '\x19862afa4772e98b0f137bcc2cab23c69539536be32912017c00d19ef13c078d4e55ea56e14292302699ef86cbd4428e', 1);
INSERT INTO public._sqlx_migrations VALUES (3, 'histories', '2023-11-14 22:13:20+00', true, '\x9b23c95144ffd67df7dd3334566e40fa8bf7ff7c4891617f6761f59aaf117567c2fa3ecb75a03dae5c141b4da6ce699e', 1);
INSERT INTO public._sqlx_migrations VALUES (4, 'sessions', '2023-11-14 22:13:20+00', true, '\x90ef8d992f2dcd434736bfca0f052da63996498d0d48bcfbe2f5bbdd6c423d3e623a71cca44449d9f62bb239a34f8aef', 1);
INSERT INTO public._sqlx_migrations VALUES (5, 'attempts', '2023-11-14 22:13:20+00', true, '\x17f1492a0ed3778cda9b3e66909b0f3d76c470940a386d87b97d79402eed4f5f74b7339d03099611369719ff6c3cb6db', 1);
INSERT INTO public._sqlx_migrations VALUES (6, 'bounds', '2023-11-14 22:13:20+00', true, '\x6b43bcfda277b2e7be1fe5e9c37982c0035b5e1f4bfa1cd9a113c43b6e361f72fa268fb371220a090625674bc643db71', 1);
INSERT INTO public._sqlx_migrations VALUES (7, 'fence', '2023-11-14 22:13:20+00', true, '\xc464651668d69d1c2824cfbaf1e569fcb484f452e0bfc88e659d892f9631b274ec849a3d817a94478cd5d628a7d0d3bd', 1);
INSERT INTO public._sqlx_migrations VALUES (8, 'lowest id', '2023-11-14 22:13:20+00', true, '\x625f398dfa7f511d0fe07927a1f17a580cccc9f6ae63bcbe46ddd729373f3eb41f7e5271c2b7f3761e6d6225dfe8ccac', 1);
INSERT INTO public.access_rules VALUES (1, 'user', 'alice@example.com', 1, 'tenant', '1', 'account', NULL, NULL, NULL, 1700000000000, 'admin@reeve.example', NULL);
INSERT INTO public.access_rules VALUES (2, 'service-account', 'ci', 9, 'project', '1', 'robots', '00000000-0000-4000-8000-000000000001', 1, 1, 1700000000000, 'admin@reeve.example', NULL);
INSERT INTO public.access_rules VALUES (3, 'group', 'Gone', 9, 'department', '1', 'vision', '00000000-0000-4000-8000-000000000001', 1, NULL, 1700000000000, 'admin@reeve.example', 1700000001000);
INSERT INTO public.audit_attempts VALUES (4, 1700000000000);
INSERT INTO public.audit_events VALUES (1, '', 'c8b1680d0fb9ecacbfcd2194cb95429b87cfde1f9839b1b16a45cc10a331e627', '{"timestamp":"2023-11-14T22:13:20Z","request_id":"r","subject":"system","subject_type":"App","action":"create","http_method":"","url":"","entity_type":"users","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":0,"metadata":{}}', false);
INSERT INTO public.audit_events VALUES (2, 'c8b1680d0fb9ecacbfcd2194cb95429b87cfde1f9839b1b16a45cc10a331e627', 'b6d597ff863125d1bbe837cb677197f8296c6299995de43f4b736b322dd5a435', '{"timestamp":"2023-11-14T22:13:20Z","request_id":"r","subject":"system","subject_type":"App","action":"create","http_method":"","url":"","entity_type":"cluster","entity_name":"a","entity_id":"00000000-0000-4000-8000-000000000001","result":"Succeeded","http_status_code":0,"metadata":{}}', false);
INSERT INTO public.audit_events VALUES (3, 'b6d597ff863125d1bbe837cb677197f8296c6299995de43f4b736b322dd5a435', 'ea7918e4b354cc26a99d33cf9dcb744ad95ce22025fecfbe6b7d8d61dffba774', '{"timestamp":"2023-11-14T22:13:20Z","request_id":"r","subject":"system","subject_type":"App","action":"key","http_method":"","url":"","entity_type":"events-history","entity_name":"","entity_id":"","result":"Succeeded","http_status_code":0,"metadata":{"unkeyed_up_to":"2:b6d597ff863125d1bbe837cb677197f8296c6299995de43f4b736b322dd5a435"}}', true);
INSERT INTO public.audit_events VALUES (4, 'ea7918e4b354cc26a99d33cf9dcb744ad95ce22025fecfbe6b7d8d61dffba774', 'de33e2d0a28186f00c6105324885b653478bb480b0a6828a21bafe4da32b1692', '{"timestamp":"2023-11-14T22:13:20Z","request_id":"r","subject":"system","subject_type":"App","action":"sign-in","http_method":"","url":"","entity_type":"users","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":0,"metadata":{"attempts":"3"}}', true);
INSERT INTO public.cluster_revisions VALUES ('00000000-0000-4000-8000-000000000001', 4);
INSERT INTO public.clusters VALUES ('00000000-0000-4000-8000-000000000001', 'a', 'a.example', 'v1', 'hash', '{"enforceRunAsUser": true, "enforcePreventPrivilegeEscalation": true, "kubernetesVersion": "v1.36.0", "operatorVersion": "0.1.0", "kubernetesEndpoint": {"server": "https://k8s.example", "certificateAuthorityData": "Q0E="}}', 1700000000000, 3, 1700000000000, 'admin@reeve.example', '{"server": "https://k8s.example", "certificateAuthorityData": "Q0E="}', '{"server": "https://other.example", "certificateAuthorityData": "Q0E="}', 4294967297, 501);
INSERT INTO public.counters VALUES ('department', 1);
INSERT INTO public.counters VALUES ('project', 1);
INSERT INTO public.counters VALUES ('history', 1);
INSERT INTO public.counters VALUES ('access_rule', 3);
INSERT INTO public.counters VALUES ('audit', 4);
INSERT INTO public.deleted_clusters VALUES ('00000000-0000-4000-8000-000000000005', 'suspended:hash', 1700000000000);
INSERT INTO public.departments VALUES (1, '00000000-0000-4000-8000-000000000001', 'vision', '{"enforceRunaiScheduler": false, "settings": {"description": "\u00dcber alles", "resources": []}}', 1700000000000, 'admin@reeve.example');
INSERT INTO public.desired_objects VALUES ('00000000-0000-4000-8000-000000000001', 'project', '1', 1, '{"kind": "Project", "spec": {"id": "1", "name": "robots", "departmentId": "1", "namespace": "reeve-robots"}}');
INSERT INTO public.desired_objects VALUES ('00000000-0000-4000-8000-000000000001', 'workload', '00000000-0000-4000-8000-000000000004', 3, '{"kind": "Workload", "spec": {"id": "00000000-0000-4000-8000-000000000004", "name": "train", "projectId": "1", "submittedBy": "alice@example.com", "image": "local.test/tools:1"}}');
INSERT INTO public.desired_objects VALUES ('00000000-0000-4000-8000-000000000001', 'access-rule', '3', 4, NULL);
INSERT INTO public.former_emails VALUES ('gone@example.com', 1700000000000);
INSERT INTO public.former_namespaces VALUES ('00000000-0000-4000-8000-000000000001', 'reeve-gone', 1);
INSERT INTO public.histories VALUES (1, '00000000-0000-4000-8000-000000000005', 1700000000000);
INSERT INTO public.history_beginnings VALUES (1, '00000000-0000-4000-8000-000000000001', 2);
INSERT INTO public.installation VALUES ('signing-key-current', 'sealed 1');
INSERT INTO public.installation VALUES ('signing-key-next', 'sealed 2');
INSERT INTO public.installation VALUES ('account-created-at', '1700000000000');
INSERT INTO public.object_status VALUES ('00000000-0000-4000-8000-000000000001', 'project', '1', 'Ready', '', 1700000000000);
INSERT INTO public.object_status VALUES ('00000000-0000-4000-8000-000000000001', 'workload', '00000000-0000-4000-8000-000000000004', 'Running', '', 1700000000000);
INSERT INTO public.projects VALUES (1, '00000000-0000-4000-8000-000000000001', 1, 'robots', 'reeve-robots', false, '{"enforceRunaiScheduler": false, "settings": {"description": "\u00dcber alles", "resources": []}}', 1700000000000, 'admin@reeve.example');
INSERT INTO public.service_accounts VALUES ('00000000-0000-4000-8000-000000000003', 'ci', 'hash', true, 1700000000000, 'admin@reeve.example', 1700000000000, NULL, 0);
INSERT INTO public.used_uids VALUES (70012, '00000000-0000-4000-8000-000000000002', 1, 0);
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-000000000002', 'alice@example.com', 'hash', '{"uid": 70012, "gid": 5000, "supplementaryGroups": [5001]}', 1700000000000, 'admin@reeve.example', 1700000000000, 1700000000000, 4294967299);
INSERT INTO public.workload_requests VALUES ('00000000-0000-4000-8000-000000000004', '{"image": "local.test/tools:1"}');
INSERT INTO public.workloads VALUES ('00000000-0000-4000-8000-000000000004', '00000000-0000-4000-8000-000000000001', 1, 'train', 'alice@example.com', 1700000000000, 'local.test/tools:1');
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.access_rules
    ADD CONSTRAINT access_rules_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_attempts
    ADD CONSTRAINT audit_attempts_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.audit_prunings
    ADD CONSTRAINT audit_prunings_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.cluster_revisions
    ADD CONSTRAINT cluster_revisions_pkey PRIMARY KEY (cluster_id);
ALTER TABLE ONLY public.clusters
    ADD CONSTRAINT clusters_name_key UNIQUE (name);
ALTER TABLE ONLY public.clusters
    ADD CONSTRAINT clusters_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.counters
    ADD CONSTRAINT counters_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.deleted_clusters
    ADD CONSTRAINT deleted_clusters_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.departments
    ADD CONSTRAINT departments_cluster_id_name_key UNIQUE (cluster_id, name);
ALTER TABLE ONLY public.departments
    ADD CONSTRAINT departments_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.desired_objects
    ADD CONSTRAINT desired_objects_pkey PRIMARY KEY (cluster_id, kind, object_id);
ALTER TABLE ONLY public.former_emails
    ADD CONSTRAINT former_emails_pkey PRIMARY KEY (email);
ALTER TABLE ONLY public.former_namespaces
    ADD CONSTRAINT former_namespaces_pkey PRIMARY KEY (cluster_id, namespace);
ALTER TABLE ONLY public.histories
    ADD CONSTRAINT histories_id_key UNIQUE (id);
ALTER TABLE ONLY public.histories
    ADD CONSTRAINT histories_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.history_beginnings
    ADD CONSTRAINT history_beginnings_pkey PRIMARY KEY (cluster_id, history);
ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.object_status
    ADD CONSTRAINT object_status_pkey PRIMARY KEY (cluster_id, kind, object_id);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_cluster_id_name_key UNIQUE (cluster_id, name);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.service_accounts
    ADD CONSTRAINT service_accounts_name_key UNIQUE (name);
ALTER TABLE ONLY public.service_accounts
    ADD CONSTRAINT service_accounts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.used_uids
    ADD CONSTRAINT used_uids_pkey PRIMARY KEY (uid);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.workload_requests
    ADD CONSTRAINT workload_requests_pkey PRIMARY KEY (workload_id);
ALTER TABLE ONLY public.workloads
    ADD CONSTRAINT workloads_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.workloads
    ADD CONSTRAINT workloads_project_id_name_key UNIQUE (project_id, name);
CREATE INDEX access_rules_cluster ON public.access_rules USING btree (cluster_id);
CREATE INDEX access_rules_department ON public.access_rules USING btree (department_id);
CREATE UNIQUE INDEX access_rules_once ON public.access_rules USING btree (subject_kind, subject, role_id, scope_type, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX access_rules_project ON public.access_rules USING btree (project_id);
CREATE INDEX audit_attempts_at ON public.audit_attempts USING btree (at);
CREATE INDEX desired_objects_revision ON public.desired_objects USING btree (cluster_id, revision);
CREATE INDEX object_status_object ON public.object_status USING btree (kind, object_id);
CREATE INDEX projects_department ON public.projects USING btree (department_id);
CREATE UNIQUE INDEX projects_namespace ON public.projects USING btree (cluster_id, namespace);
CREATE INDEX used_uids_event ON public.used_uids USING btree (event);
ALTER TABLE ONLY public.cluster_revisions
    ADD CONSTRAINT cluster_revisions_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.departments
    ADD CONSTRAINT departments_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.desired_objects
    ADD CONSTRAINT desired_objects_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.former_namespaces
    ADD CONSTRAINT former_namespaces_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.history_beginnings
    ADD CONSTRAINT history_beginnings_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.history_beginnings
    ADD CONSTRAINT history_beginnings_history_fkey FOREIGN KEY (history) REFERENCES public.histories(number);
ALTER TABLE ONLY public.object_status
    ADD CONSTRAINT object_status_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_department_id_fkey FOREIGN KEY (department_id) REFERENCES public.departments(id);
ALTER TABLE ONLY public.workload_requests
    ADD CONSTRAINT workload_requests_workload_id_fkey FOREIGN KEY (workload_id) REFERENCES public.workloads(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workloads
    ADD CONSTRAINT workloads_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.workloads
    ADD CONSTRAINT workloads_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);
