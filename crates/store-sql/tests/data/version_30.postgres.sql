-- A database as version 30 of its schema left it, with rows in each table; what `pg_dump --inserts --no-owner` prints. It is never changed: it stands for
-- databases that are there. The audit log's key is 32 bytes of 7.
CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
CREATE TABLE public.access_keys (
    id text NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    secret text NOT NULL,
    created_at bigint NOT NULL,
    last_login bigint
);
CREATE TABLE public.access_rules (
    id bigint NOT NULL,
    subject_kind text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    role_id bigint NOT NULL,
    scope_type text NOT NULL COLLATE pg_catalog."C",
    scope_id text NOT NULL COLLATE pg_catalog."C",
    scope_name text NOT NULL COLLATE pg_catalog."C",
    cluster_id text COLLATE pg_catalog."C",
    department_id bigint,
    project_id bigint,
    created_at bigint NOT NULL,
    created_by text NOT NULL COLLATE pg_catalog."C",
    deleted_at bigint,
    subject_folded text COLLATE pg_catalog."C",
    scope_name_folded text COLLATE pg_catalog."C"
);
CREATE TABLE public.audit_attempts (
    sequence bigint NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.audit_events (
    sequence bigint NOT NULL,
    previous text NOT NULL COLLATE pg_catalog."C",
    hash text NOT NULL COLLATE pg_catalog."C",
    body text NOT NULL COLLATE pg_catalog."C",
    keyed boolean DEFAULT false NOT NULL,
    at bigint,
    subject text COLLATE pg_catalog."C",
    subject_type text COLLATE pg_catalog."C",
    source_ip text COLLATE pg_catalog."C",
    action text COLLATE pg_catalog."C",
    http_method text COLLATE pg_catalog."C",
    result text COLLATE pg_catalog."C",
    url text COLLATE pg_catalog."C",
    entity_type text COLLATE pg_catalog."C",
    entity_name text COLLATE pg_catalog."C",
    entity_id text COLLATE pg_catalog."C",
    cluster_name text COLLATE pg_catalog."C",
    cluster_name_folded text COLLATE pg_catalog."C"
);
CREATE TABLE public.audit_prunings (
    sequence bigint NOT NULL
);
CREATE TABLE public.authenticators (
    user_id text NOT NULL,
    sealed text NOT NULL,
    confirmed boolean NOT NULL,
    last_step bigint NOT NULL,
    wrong bigint NOT NULL,
    wrong_at bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE TABLE public.cluster_revisions (
    cluster_id text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    forgotten bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.clusters (
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    domain text COLLATE pg_catalog."C",
    version text COLLATE pg_catalog."C",
    credential text NOT NULL COLLATE pg_catalog."C",
    settings text COLLATE pg_catalog."C",
    last_liveness bigint,
    applied_revision bigint NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL COLLATE pg_catalog."C",
    kubernetes_endpoint text COLLATE pg_catalog."C",
    reported_endpoint text COLLATE pg_catalog."C",
    credential_number bigint DEFAULT 0 NOT NULL,
    lowest_id bigint DEFAULT 1000 NOT NULL,
    sealed_secret text,
    connected_since bigint,
    wrong_since text
);
CREATE TABLE public.counters (
    name text NOT NULL COLLATE pg_catalog."C",
    value bigint NOT NULL
);
CREATE TABLE public.credential_assets (
    id text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    description text,
    scope_type text NOT NULL,
    scope_id text NOT NULL,
    cluster_id text,
    department_id bigint,
    project_id bigint,
    shown text NOT NULL,
    key_id bigint NOT NULL,
    sealed text NOT NULL,
    stamp text NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    updated_at bigint NOT NULL,
    updated_by text NOT NULL,
    update_count bigint NOT NULL
);
CREATE TABLE public.custom_roles (
    id bigint NOT NULL,
    name text NOT NULL,
    name_folded text NOT NULL,
    description text NOT NULL,
    enabled boolean NOT NULL,
    permission_sets text NOT NULL,
    in_clusters_as bigint,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    updated_at bigint NOT NULL,
    deleted_at bigint
);
CREATE TABLE public.deleted_clusters (
    id text NOT NULL COLLATE pg_catalog."C",
    credential text NOT NULL COLLATE pg_catalog."C",
    deleted_at bigint NOT NULL
);
CREATE TABLE public.departments (
    id bigint NOT NULL,
    cluster_id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    details text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    created_by text NOT NULL COLLATE pg_catalog."C",
    description_folded text COLLATE pg_catalog."C",
    updated_at bigint,
    updated_by text
);
CREATE TABLE public.desired_objects (
    cluster_id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    object_id text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    body text COLLATE pg_catalog."C"
);
CREATE TABLE public.device_codes (
    device_code text NOT NULL,
    user_code text NOT NULL,
    client text NOT NULL,
    address text,
    network text NOT NULL,
    created_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    polled_at bigint NOT NULL,
    pause bigint NOT NULL,
    early boolean NOT NULL,
    state text NOT NULL,
    session_id text
);
CREATE TABLE public.directory_changes (
    number bigint NOT NULL,
    body text NOT NULL COLLATE pg_catalog."C",
    tag text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    decides boolean DEFAULT true NOT NULL
);
CREATE TABLE public.former_emails (
    email text NOT NULL COLLATE pg_catalog."C",
    deleted_at bigint NOT NULL
);
CREATE TABLE public.former_namespaces (
    cluster_id text NOT NULL COLLATE pg_catalog."C",
    namespace text NOT NULL COLLATE pg_catalog."C",
    department_id bigint NOT NULL
);
CREATE TABLE public.identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id text NOT NULL,
    alias text NOT NULL,
    email text NOT NULL,
    seen_at bigint NOT NULL
);
CREATE TABLE public.identity_providers (
    alias text NOT NULL,
    kind text NOT NULL,
    settings text NOT NULL,
    sealed text NOT NULL,
    mappers text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE TABLE public.installation (
    name text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.object_status (
    cluster_id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    object_id text NOT NULL COLLATE pg_catalog."C",
    phase text NOT NULL COLLATE pg_catalog."C",
    message text NOT NULL COLLATE pg_catalog."C",
    updated_at bigint NOT NULL
);
CREATE TABLE public.passkeys (
    id text NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    credential text NOT NULL,
    public_key text NOT NULL,
    counter bigint NOT NULL,
    backup_eligible boolean NOT NULL,
    backed_up boolean NOT NULL,
    suspended boolean NOT NULL,
    created_at bigint NOT NULL,
    last_used bigint
);
CREATE TABLE public.projects (
    id bigint NOT NULL,
    cluster_id text NOT NULL COLLATE pg_catalog."C",
    department_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    namespace text NOT NULL COLLATE pg_catalog."C",
    namespace_requested boolean NOT NULL,
    details text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    created_by text NOT NULL COLLATE pg_catalog."C",
    allow_networking bigint,
    updated_at bigint,
    updated_by text COLLATE pg_catalog."C",
    description_folded text COLLATE pg_catalog."C",
    pod_rules text,
    workload_limits text
);
CREATE TABLE public.recovery_codes (
    user_id text NOT NULL,
    code text NOT NULL
);
CREATE TABLE public.revision_tokens (
    cluster_id text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    token text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.secret_assets (
    id text NOT NULL,
    name text NOT NULL,
    description text,
    scope_type text NOT NULL,
    scope_id text NOT NULL,
    cluster_id text,
    department_id bigint,
    project_id bigint,
    credential_id text NOT NULL,
    mount_path text,
    default_mode text,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    updated_at bigint NOT NULL,
    updated_by text NOT NULL,
    update_count bigint NOT NULL
);
CREATE TABLE public.security_settings (
    name text NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.service_accounts (
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    secret text NOT NULL COLLATE pg_catalog."C",
    enabled boolean NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL COLLATE pg_catalog."C",
    updated_at bigint NOT NULL,
    last_login bigint
);
CREATE TABLE public.sessions (
    id text NOT NULL COLLATE pg_catalog."C",
    subject_kind text NOT NULL COLLATE pg_catalog."C",
    subject_id text NOT NULL COLLATE pg_catalog."C",
    method text NOT NULL COLLATE pg_catalog."C",
    group_names text NOT NULL COLLATE pg_catalog."C",
    posix text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    refreshed_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    ended_at bigint,
    provider text,
    renewal text,
    checked_at bigint,
    access_key text,
    behind text,
    refresh_token text,
    refresh_before text,
    refresh_client text,
    refresh_at bigint,
    refresh_until bigint
);
CREATE TABLE public.signing_keys (
    id text NOT NULL COLLATE pg_catalog."C",
    sealed text NOT NULL COLLATE pg_catalog."C",
    key_use text NOT NULL COLLATE pg_catalog."C",
    published_at bigint NOT NULL,
    since bigint NOT NULL
);
CREATE TABLE public.used_once (
    id text NOT NULL,
    until bigint NOT NULL
);
CREATE TABLE public.used_uids (
    uid bigint NOT NULL,
    user_id text NOT NULL COLLATE pg_catalog."C",
    event bigint DEFAULT 0 NOT NULL,
    left_at bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.user_code_guesses (
    who text NOT NULL,
    wrong bigint NOT NULL,
    since bigint NOT NULL
);
CREATE TABLE public.users (
    id text NOT NULL COLLATE pg_catalog."C",
    email text NOT NULL COLLATE pg_catalog."C",
    password text COLLATE pg_catalog."C",
    posix text COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    created_by text NOT NULL COLLATE pg_catalog."C",
    updated_at bigint NOT NULL,
    last_login bigint,
    group_names text COLLATE pg_catalog."C",
    wrong_passwords bigint DEFAULT 0 NOT NULL,
    wrong_since bigint DEFAULT 0 NOT NULL,
    temporary_password boolean DEFAULT false NOT NULL
);
CREATE TABLE public.workload_policies (
    id text NOT NULL,
    scope_type text NOT NULL,
    scope_id text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    policy text NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    updated_at bigint NOT NULL,
    updated_by text NOT NULL
);
CREATE TABLE public.workload_requests (
    workload_id text NOT NULL COLLATE pg_catalog."C",
    request text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.workloads (
    id text NOT NULL COLLATE pg_catalog."C",
    cluster_id text NOT NULL COLLATE pg_catalog."C",
    project_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    submitted_by text NOT NULL COLLATE pg_catalog."C",
    created_at bigint NOT NULL,
    image text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
);
INSERT INTO public._sqlx_migrations VALUES (1, 'begin', '2026-11-30 16:19:35.862105+00', true, '\x25168265879f5fc9aeb45cdd00d33053e0c6dba2b971ccc53f06ac8b2175b70aaf127206a7f7f80b9efb986c3ec9954a', 37059835);
INSERT INTO public._sqlx_migrations VALUES (2, 'former', '2026-11-30 16:19:35.899839+00', true, '\x19862afa4772e98b0f137bcc2cab23c69539536be32912017c00d19ef13c078d4e55ea56e14292302699ef86cbd4428e', 6929963);
INSERT INTO public._sqlx_migrations VALUES (3, 'histories', '2026-11-30 16:19:35.908011+00', true, '\x9b23c95144ffd67df7dd3334566e40fa8bf7ff7c4891617f6761f59aaf117567c2fa3ecb75a03dae5c141b4da6ce699e', 13934908);
INSERT INTO public._sqlx_migrations VALUES (4, 'sessions', '2026-11-30 16:19:35.922476+00', true, '\x90ef8d992f2dcd434736bfca0f052da63996498d0d48bcfbe2f5bbdd6c423d3e623a71cca44449d9f62bb239a34f8aef', 1308473);
INSERT INTO public._sqlx_migrations VALUES (5, 'attempts', '2026-11-30 16:19:35.924064+00', true, '\x17f1492a0ed3778cda9b3e66909b0f3d76c470940a386d87b97d79402eed4f5f74b7339d03099611369719ff6c3cb6db', 5981745);
INSERT INTO public._sqlx_migrations VALUES (6, 'bounds', '2026-11-30 16:19:35.932544+00', true, '\x6b43bcfda277b2e7be1fe5e9c37982c0035b5e1f4bfa1cd9a113c43b6e361f72fa268fb371220a090625674bc643db71', 2158736);
INSERT INTO public._sqlx_migrations VALUES (7, 'fence', '2026-11-30 16:19:35.934954+00', true, '\xc464651668d69d1c2824cfbaf1e569fcb484f452e0bfc88e659d892f9631b274ec849a3d817a94478cd5d628a7d0d3bd', 17732318);
INSERT INTO public._sqlx_migrations VALUES (8, 'lowest id', '2026-11-30 16:19:35.953945+00', true, '\x625f398dfa7f511d0fe07927a1f17a580cccc9f6ae63bcbe46ddd729373f3eb41f7e5271c2b7f3761e6d6225dfe8ccac', 6844366);
INSERT INTO public._sqlx_migrations VALUES (9, 'change log', '2026-11-30 16:19:35.961189+00', true, '\xada7919c3b58323b28abdffaffe9add7cd499b7c3c6a8ca226f8c850a9f15f7f8ccc3c6e9a1f8e18e62e3db7a006e999', 1813754);
INSERT INTO public._sqlx_migrations VALUES (10, 'change tags', '2026-11-30 16:19:35.96322+00', true, '\x8918b4a1bf08f2c0f23e436f218837dcf87442a6a45cc4ac71ea47b6fc1530c4fa11349c8e50c1819d0e4f2b3cf1708f', 515736);
INSERT INTO public._sqlx_migrations VALUES (11, 'revision tokens', '2026-11-30 16:19:35.964019+00', true, '\xf498a6b6b272b1775b062ae08ee1ea886acc5912e7d4432521117f66d9a82d96e7b8f0de8257c64d04fa0ff32d92288d', 7992631);
INSERT INTO public._sqlx_migrations VALUES (12, 'sessions as rows', '2026-11-30 16:19:35.97242+00', true, '\xd008c6b080f9d36cd3caa7dec59855a248c557a9c1ef92ee4cef30d510e08b01f68fae700451467a29942d2c01457de3', 11895448);
INSERT INTO public._sqlx_migrations VALUES (13, 'networking', '2026-11-30 16:19:35.984561+00', true, '\x2f7bbf8984d473786cafe1d413fcc49440c5b4d3a571d45a3c9a62046c90da96ff5ee980cd1570b870ba6b51988fe662', 553312);
INSERT INTO public._sqlx_migrations VALUES (14, 'lists', '2026-11-30 16:19:35.985301+00', true, '\xca81811f96ef3c80761d0d52ab9aafdf8bcb7e823a08e10cdc1bbe9168c4aa2481644fa4b82092c8ddca81b83bc06782', 73693587);
INSERT INTO public._sqlx_migrations VALUES (15, 'pod rules', '2026-11-30 16:19:36.059734+00', true, '\x8f2ee6192f2c356eb8981f94a10397cb57e09301344ef464bc057a2c8f7e55a743ecafa88beffb01c3c0d64784d2db3f', 4242402);
INSERT INTO public._sqlx_migrations VALUES (16, 'link secrets and states of clusters', '2026-11-30 16:19:36.064427+00', true, '\x93cbb1e6f2dec4f8301b09665f2b15981013fb67dbf87b06a938edb57fe218f60aa1d7ba2c2d357486a46e85e9c4bddd', 4531701);
INSERT INTO public._sqlx_migrations VALUES (17, 'credentials', '2026-11-30 16:19:36.069208+00', true, '\xff0e774ab3a299ce3e40a0a82385ba3d94726fea7a830a7ce1114c9bea35d11672b230047ad6db6d108be6de70467367', 3122848);
INSERT INTO public._sqlx_migrations VALUES (18, 'workload policies', '2026-11-30 16:19:36.072577+00', true, '\x4803180ccb0858712031e26d77f54b073f5b9c649076d03d4e78e92e8513ca356c5624749895a03a8b712b0663a765b3', 3112273);
INSERT INTO public._sqlx_migrations VALUES (19, 'identity providers', '2026-11-30 16:19:36.075972+00', true, '\x5ac738df6963af4cf9c296c87ffa0e4e9691e49644d85c4523d3ddd0dbf1eaf2ac4fbfdeaa2dba5a5cb6eb1c88b02666', 4751077);
INSERT INTO public._sqlx_migrations VALUES (20, 'audit columns', '2026-11-30 16:19:36.081039+00', true, '\xe486697b50f129810b592590e1742e6e70d64f381ecd4da6f754cb08ee702bf1f54926b0a06ea2854281f7abd330a60d', 4441387);
INSERT INTO public._sqlx_migrations VALUES (21, 'custom roles', '2026-11-30 16:19:36.085722+00', true, '\xb9ce07179ec03eb78b4fcae7868cead94211b4779a7a5b924be7c2b4bfcec9ca158962ed0946fdd1de7260e2f0671815', 2494665);
INSERT INTO public._sqlx_migrations VALUES (22, 'access keys', '2026-11-30 16:19:36.088444+00', true, '\x1e3825c2d6af243b9ce0fb34dcdf2e8130341b6eef11057d069a7fd18f23dd4d99c7664c5dd125bbb285f86357238e99', 4827350);
INSERT INTO public._sqlx_migrations VALUES (23, 'wrong passwords', '2026-11-30 16:19:36.09352+00', true, '\x98fa00007c16eac83995165839c5c5450c159de6345fa91442d446db9c6835f094180158b75954d32bb450ef3f72ddc2', 599310);
INSERT INTO public._sqlx_migrations VALUES (24, 'authenticators', '2026-11-30 16:19:36.094357+00', true, '\x287598c10afbe4218bfc4aa295aca2b6a10fb3c9f24ea08135788bea44004ccf1f4481eff2e9b793afad11e3668fec30', 3030962);
INSERT INTO public._sqlx_migrations VALUES (25, 'refresh tokens', '2026-11-30 16:19:36.097631+00', true, '\x56912044d5dddc25215c3199aa565cbbb3487518af7a3cf2412238e91e04a5de4a83203f4b4626cc3fc2a59073f6610a', 1346650);
INSERT INTO public._sqlx_migrations VALUES (26, 'changes and settings', '2026-11-30 16:19:36.099181+00', true, '\x99b82dad320da24c4e9a0846d0db7b2a0c80db55ccb202383a483ca835cf934fb5140c3b9bdcf958ee898980614a052d', 4153169);
INSERT INTO public._sqlx_migrations VALUES (27, 'temporary passwords', '2026-11-30 16:19:36.103537+00', true, '\xef49555d83c83818f92f7ca622c4339006d1ac2978c47a31404a2ca6d40e7562aaea8871bdf1b8a273d2789e8067345f', 518049);
INSERT INTO public._sqlx_migrations VALUES (28, 'secret assets', '2026-11-30 16:19:36.104239+00', true, '\x91f0d31f819dafdbc02800bb3a53b37368b5f78b3f05d2f184eefb5aa45c61593c7c307fd1133e66160b4c34a6ff9b4e', 5134666);
INSERT INTO public._sqlx_migrations VALUES (29, 'device codes', '2026-11-30 16:19:36.109794+00', true, '\x06388ae8b2930a2db424c27c6f8775c12142726f0c8c4aad5e7b898a2f8ae6863d8ee04dcc72860ed57551b894cee5ff', 4295510);
INSERT INTO public._sqlx_migrations VALUES (30, 'passkeys', '2026-11-30 16:19:36.114345+00', true, '\x5985c04101f794948cbff0e389ebdf38cf89d244925d03462c11dd7b11f4c205d986b243febdcc3e2b368f9d5f8a9a68', 4981799);
INSERT INTO public.access_keys VALUES ('00000000-0000-4000-8000-000000000050', '00000000-0000-4000-8000-000000000002', 'notebook', 'secret', 1700000000000, NULL);
INSERT INTO public.access_rules VALUES (1, 'user', 'admin@reeve.example', 1, 'tenant', '1', 'account', NULL, NULL, NULL, 1700000000000, 'system', NULL, 'admin@reeve.example', 'account');
INSERT INTO public.access_rules VALUES (2, 'user', 'alice@example.com', 5, 'project', '1', 'robots', '00000000-0000-4000-8000-00000000000a', 1, 1, 1700000000000, 'admin', NULL, 'alice@example.com', 'robots');
INSERT INTO public.access_rules VALUES (3, 'group', 'ml', 9, 'department', '1', 'vision', '00000000-0000-4000-8000-00000000000a', 1, NULL, 1700000000000, 'admin', 1700000000000, 'ml', 'vision');
INSERT INTO public.access_rules VALUES (4, 'group', 'ml', 9, 'tenant', '1', 'account', NULL, NULL, NULL, 1700000000000, 'admin', NULL, 'ml', 'account');
INSERT INTO public.audit_attempts VALUES (38, 1700000000000);
INSERT INTO public.audit_events VALUES (1, '', '34a1cb3e243f212c1d7772692efca2400db0c25b65125f3829e1f148883ced06', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"admin@reeve.example","entity_id":"00000000-0000-4000-8000-000000000001","result":"Succeeded","http_status_code":201,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'admin@reeve.example', '00000000-0000-4000-8000-000000000001', NULL, NULL);
INSERT INTO public.audit_events VALUES (2, '34a1cb3e243f212c1d7772692efca2400db0c25b65125f3829e1f148883ced06', 'a448d00deacf150b4e0296451541331e995a45a73de46a8285e9d26fb1bb8a0a', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"Production","entity_id":"00000000-0000-4000-8000-00000000000a","result":"Succeeded","http_status_code":201,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'production', '00000000-0000-4000-8000-00000000000a', NULL, NULL);
INSERT INTO public.audit_events VALUES (3, 'a448d00deacf150b4e0296451541331e995a45a73de46a8285e9d26fb1bb8a0a', '874ec0af4cd1e361172d7fdeee8098cce1298337c4942926c0ec0492aca207d7', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"gone","entity_id":"00000000-0000-4000-8000-00000000000b","result":"Succeeded","http_status_code":201,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'gone', '00000000-0000-4000-8000-00000000000b', NULL, NULL);
INSERT INTO public.audit_events VALUES (4, '874ec0af4cd1e361172d7fdeee8098cce1298337c4942926c0ec0492aca207d7', 'dc7a88de982f8d4ce20f2ead6905b301e03d14459e68e61caee70e42c9264e23', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"vision","entity_id":"1","result":"Succeeded","http_status_code":201,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'vision', '1', NULL, NULL);
INSERT INTO public.audit_events VALUES (5, 'dc7a88de982f8d4ce20f2ead6905b301e03d14459e68e61caee70e42c9264e23', 'dbb597ebf2558541367181e878b4e4ae986d30d6c3241e6f9db2bf463ceb9083', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"robots","entity_id":"1","result":"Succeeded","http_status_code":201,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'robots', '1', NULL, NULL);
INSERT INTO public.audit_events VALUES (6, 'dbb597ebf2558541367181e878b4e4ae986d30d6c3241e6f9db2bf463ceb9083', 'd062151dc5dd7c8590748043c4dcbc76f6ecd3a92100bba9d159c40d31ad93ec', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"gone","entity_id":"2","result":"Succeeded","http_status_code":201,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'gone', '2', NULL, NULL);
INSERT INTO public.audit_events VALUES (7, 'd062151dc5dd7c8590748043c4dcbc76f6ecd3a92100bba9d159c40d31ad93ec', 'd95fe3ade153e40f9a5dfdda8e6bb5dbf05faa380a51378aa91af9a6964e442f', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"cluster","entity_name":"Production","entity_id":"00000000-0000-4000-8000-00000000000a","result":"Succeeded","http_status_code":0,"metadata":{"lowest_id_after":"501","lowest_id_before":"1000"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'update', '', 'succeeded', '', 'cluster', 'production', '00000000-0000-4000-8000-00000000000a', NULL, NULL);
INSERT INTO public.audit_events VALUES (8, 'd95fe3ade153e40f9a5dfdda8e6bb5dbf05faa380a51378aa91af9a6964e442f', 'f61f5a9b388808f96df81ddef8bf1ca5242e1d40409595d9b56663ef51ce12ae', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"cluster","entity_name":"Production","entity_id":"00000000-0000-4000-8000-00000000000a","result":"Succeeded","http_status_code":0,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'update', '', 'succeeded', '', 'cluster', 'production', '00000000-0000-4000-8000-00000000000a', NULL, NULL);
INSERT INTO public.audit_events VALUES (9, 'f61f5a9b388808f96df81ddef8bf1ca5242e1d40409595d9b56663ef51ce12ae', '5d18619f524915d34953319180e2dc629f75c25439a765a6e18679755cbe1f77', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"cluster","entity_name":"Production","entity_id":"00000000-0000-4000-8000-00000000000a","result":"Succeeded","http_status_code":0,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'update', '', 'succeeded', '', 'cluster', 'production', '00000000-0000-4000-8000-00000000000a', NULL, NULL);
INSERT INTO public.audit_events VALUES (10, '5d18619f524915d34953319180e2dc629f75c25439a765a6e18679755cbe1f77', '04478ac0f89d6125e493e041a8f9c9295b491867341646582763ea17da7edc5a', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"roles","entity_name":"Readers","entity_id":"1001","result":"Succeeded","http_status_code":0,"metadata":{"role_after":"{\"enabled\":true,\"inClustersAs\":9,\"permissionSets\":[\"00000000-0000-4000-8000-000000000901\"]}"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', '', 'succeeded', '', 'roles', 'readers', '1001', NULL, NULL);
INSERT INTO public.audit_events VALUES (11, '04478ac0f89d6125e493e041a8f9c9295b491867341646582763ea17da7edc5a', 'b6bf589e0741e6ceeb622577c77e90f155bd52ddc8b5fdbfff61a8e90a5ca91a', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"policies","entity_name":"hardening","entity_id":"00000000-0000-4000-8000-000000000900","result":"Succeeded","http_status_code":0,"metadata":{"policy_after":"{\"rules\":{\"compute\":{\"gpuDevicesRequest\":{\"max\":4}}}}","policy_before":""}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'update', '', 'succeeded', '', 'policies', 'hardening', '00000000-0000-4000-8000-000000000900', NULL, NULL);
INSERT INTO public.audit_events VALUES (12, 'b6bf589e0741e6ceeb622577c77e90f155bd52ddc8b5fdbfff61a8e90a5ca91a', '41df849e81773eed6e470613d2434f7f866627de8c397636757f8a96dc303464', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":201,"metadata":{"posix_after":"70012/5000/5001"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'alice@example.com', '00000000-0000-4000-8000-000000000002', NULL, NULL);
INSERT INTO public.audit_events VALUES (13, '41df849e81773eed6e470613d2434f7f866627de8c397636757f8a96dc303464', '6349f3c6a23dfbca0c1e90d428240fcfccd2a1808e3afbf832eecbcc0c1f2f35', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"bob@example.com","entity_id":"00000000-0000-4000-8000-000000000003","result":"Succeeded","http_status_code":201,"metadata":{"posix_after":"none"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'bob@example.com', '00000000-0000-4000-8000-000000000003', NULL, NULL);
INSERT INTO public.audit_events VALUES (14, '6349f3c6a23dfbca0c1e90d428240fcfccd2a1808e3afbf832eecbcc0c1f2f35', 'c742ae0b7575e41cdeda1ee4a206f56b2b5a7711fe8911299883649c6c81233f', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"ci","entity_id":"00000000-0000-4000-8000-000000000014","result":"Succeeded","http_status_code":201,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'ci', '00000000-0000-4000-8000-000000000014', NULL, NULL);
INSERT INTO public.audit_events VALUES (15, 'c742ae0b7575e41cdeda1ee4a206f56b2b5a7711fe8911299883649c6c81233f', '9aebb7c03907cf8d2f85870a2441409efccc950b8a26abb6b76469d949e26abe', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"user `alice@example.com` is a L1 researcher in project `1`","entity_id":"2","result":"Succeeded","http_status_code":201,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'user `alice@example.com` is a l1 researcher in project `1`', '2', NULL, NULL);
INSERT INTO public.audit_events VALUES (16, '9aebb7c03907cf8d2f85870a2441409efccc950b8a26abb6b76469d949e26abe', 'c8659a3aa78b08c187938ee65e4a4cb428fec102e2f6154ea47aaa81dbcae87c', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"group `ml` is a Viewer in department `1`","entity_id":"3","result":"Succeeded","http_status_code":201,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'group `ml` is a viewer in department `1`', '3', NULL, NULL);
INSERT INTO public.audit_events VALUES (17, 'c8659a3aa78b08c187938ee65e4a4cb428fec102e2f6154ea47aaa81dbcae87c', '500b4ae282f0899ebdea75e3b717ff0051d6c532f34b06130873397bf94ab0d9', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"delete","http_method":"POST","url":"/x","entity_type":"x","entity_name":"group `ml` is a Viewer in department `1`","entity_id":"3","result":"Succeeded","http_status_code":201,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'delete', 'post', 'succeeded', '/x', 'x', 'group `ml` is a viewer in department `1`', '3', NULL, NULL);
INSERT INTO public.audit_events VALUES (18, '500b4ae282f0899ebdea75e3b717ff0051d6c532f34b06130873397bf94ab0d9', '9b68fc92802f3cd5092a292ece478a43b882b956b215559223fd71b217856332', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"group `ml` is a Viewer in the account","entity_id":"4","result":"Succeeded","http_status_code":201,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', 'post', 'succeeded', '/x', 'x', 'group `ml` is a viewer in the account', '4', NULL, NULL);
INSERT INTO public.audit_events VALUES (19, '9b68fc92802f3cd5092a292ece478a43b882b956b215559223fd71b217856332', 'ba2ab0c169a1cb8634a65123f03eea9545f5afb8290b9ab5113f7b89237ba60a', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"sign-in","http_method":"POST","url":"/x","entity_type":"x","entity_name":"","entity_id":"","result":"Succeeded","http_status_code":201,"metadata":{"session":"00000000-0000-4000-8000-0000000dbba0"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'sign-in', 'post', 'succeeded', '/x', 'x', '', '', NULL, NULL);
INSERT INTO public.audit_events VALUES (20, 'ba2ab0c169a1cb8634a65123f03eea9545f5afb8290b9ab5113f7b89237ba60a', '7307b04c68d2943cf662804c40526dc57a5f8bf65779538df587e00309fc5eef', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"delete","http_method":"POST","url":"/x","entity_type":"x","entity_name":"bob@example.com","entity_id":"00000000-0000-4000-8000-000000000003","result":"Succeeded","http_status_code":201,"metadata":{"posix_after":"none","posix_before":"none"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'delete', 'post', 'succeeded', '/x', 'x', 'bob@example.com', '00000000-0000-4000-8000-000000000003', NULL, NULL);
INSERT INTO public.audit_events VALUES (21, '7307b04c68d2943cf662804c40526dc57a5f8bf65779538df587e00309fc5eef', 'd6df31fa7f198fc5bbe77220eb2bc178abd460c1f3a5abd189e6aba7300f6a50', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"delete","http_method":"","url":"","entity_type":"project","entity_name":"gone","entity_id":"2","result":"Succeeded","http_status_code":0,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'delete', '', 'succeeded', '', 'project', 'gone', '2', NULL, NULL);
INSERT INTO public.audit_events VALUES (22, 'd6df31fa7f198fc5bbe77220eb2bc178abd460c1f3a5abd189e6aba7300f6a50', '2ed19ff466aa41be87ef575b907af85c6671e58ff4c457ae60a909a05f8cacfb', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"delete","http_method":"","url":"","entity_type":"cluster","entity_name":"gone","entity_id":"00000000-0000-4000-8000-00000000000b","result":"Succeeded","http_status_code":0,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'delete', '', 'succeeded', '', 'cluster', 'gone', '00000000-0000-4000-8000-00000000000b', NULL, NULL);
INSERT INTO public.audit_events VALUES (23, '2ed19ff466aa41be87ef575b907af85c6671e58ff4c457ae60a909a05f8cacfb', '5842ef7aa045b5e8915157feaad9d6294d27c5ef663375cff80c660d0652f84a', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"credentials","entity_name":"token","entity_id":"00000000-0000-4000-8000-000000000200","result":"Succeeded","http_status_code":0,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', '', 'succeeded', '', 'credentials', 'token', '00000000-0000-4000-8000-000000000200', NULL, NULL);
INSERT INTO public.audit_events VALUES (24, '5842ef7aa045b5e8915157feaad9d6294d27c5ef663375cff80c660d0652f84a', '9903139fbfe72d923f4a6da0538f5f240442461040493b50a37a2cc3bb7a3dc3', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"secrets","entity_name":"keys","entity_id":"00000000-0000-4000-8000-000000000210","result":"Succeeded","http_status_code":0,"metadata":{"spec_after":"00000000-0000-4000-8000-000000000200 /keys 0440"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', '', 'succeeded', '', 'secrets', 'keys', '00000000-0000-4000-8000-000000000210', NULL, NULL);
INSERT INTO public.audit_events VALUES (25, '9903139fbfe72d923f4a6da0538f5f240442461040493b50a37a2cc3bb7a3dc3', 'd8283b1ab5a86718eea9b76250c32b12bab9261d713b1d42ec0a24c713985699', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"trainings","entity_name":"train","entity_id":"00000000-0000-4000-8000-000000000100","result":"Succeeded","http_status_code":0,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', '', 'succeeded', '', 'trainings', 'train', '00000000-0000-4000-8000-000000000100', NULL, NULL);
INSERT INTO public.audit_events VALUES (26, 'd8283b1ab5a86718eea9b76250c32b12bab9261d713b1d42ec0a24c713985699', '7bf21a8c8a8801f4eed05f556ddd25df1f91b2c78820170455d5a9b6f6a9d7e4', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"idps","entity_name":"corp","entity_id":"corp","result":"Succeeded","http_status_code":0,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', '', 'succeeded', '', 'idps', 'corp', 'corp', NULL, NULL);
INSERT INTO public.audit_events VALUES (27, '7bf21a8c8a8801f4eed05f556ddd25df1f91b2c78820170455d5a9b6f6a9d7e4', '0cb6f87b28a3494f4134f8c11870d9a129bfa859029d4956f46ce93e9e370c35', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"settings","entity_name":"deviceAuthorization","entity_id":"deviceAuthorization","result":"Succeeded","http_status_code":0,"metadata":{"setting_after":"true","setting_before":"not set"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'update', '', 'succeeded', '', 'settings', 'deviceauthorization', 'deviceauthorization', NULL, NULL);
INSERT INTO public.audit_events VALUES (28, '0cb6f87b28a3494f4134f8c11870d9a129bfa859029d4956f46ce93e9e370c35', '6bba31a44f6682a13fa6bff5cc54995eb9610bb7f8fd8fb73161d21d8959c7b0', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"users","entity_name":"anna@example.com","entity_id":"00000000-0000-4000-8000-000000000004","result":"Succeeded","http_status_code":0,"metadata":{"identity_provider":"corp","issuer":"https://idp.test","issuer_subject":"anna"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', '', 'succeeded', '', 'users', 'anna@example.com', '00000000-0000-4000-8000-000000000004', NULL, NULL);
INSERT INTO public.audit_events VALUES (29, '6bba31a44f6682a13fa6bff5cc54995eb9610bb7f8fd8fb73161d21d8959c7b0', '12340beb113878e437a05d82a828d329d0325ecbe0b35c78a1e40a33ba851955', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"sign-in","http_method":"","url":"","entity_type":"users","entity_name":"","entity_id":"","result":"Succeeded","http_status_code":0,"metadata":{"session":"00000000-0000-4000-8000-000000000300"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'sign-in', '', 'succeeded', '', 'users', '', '', NULL, NULL);
INSERT INTO public.audit_events VALUES (30, '12340beb113878e437a05d82a828d329d0325ecbe0b35c78a1e40a33ba851955', 'fb146338d9fb5e6c4823bb61fddeb6e32bcf33b7f96361547bdb9bde737ec040', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"sign-in","http_method":"","url":"","entity_type":"users","entity_name":"","entity_id":"","result":"Succeeded","http_status_code":0,"metadata":{"session":"00000000-0000-4000-8000-000000000301"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'sign-in', '', 'succeeded', '', 'users', '', '', NULL, NULL);
INSERT INTO public.audit_events VALUES (31, 'fb146338d9fb5e6c4823bb61fddeb6e32bcf33b7f96361547bdb9bde737ec040', 'a0ef85b1c981579afae4ab9622feec22d056a4b6a7c6571d4a66c932d8a67597', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"access-keys","entity_name":"notebook","entity_id":"00000000-0000-4000-8000-000000000050","result":"Succeeded","http_status_code":0,"metadata":{"owner":"alice@example.com"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'create', '', 'succeeded', '', 'access-keys', 'notebook', '00000000-0000-4000-8000-000000000050', NULL, NULL);
INSERT INTO public.audit_events VALUES (32, 'a0ef85b1c981579afae4ab9622feec22d056a4b6a7c6571d4a66c932d8a67597', 'fdc5662d94111634d8bafddd38d5c22ff77560556b421d85bde795a97e31f438', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"users","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":0,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'update', '', 'succeeded', '', 'users', 'alice@example.com', '00000000-0000-4000-8000-000000000002', NULL, NULL);
INSERT INTO public.audit_events VALUES (33, 'fdc5662d94111634d8bafddd38d5c22ff77560556b421d85bde795a97e31f438', 'd6ea2169d288c66edde34709443cd88dd984b0c5d2acb5b50eb0894211faf0e4', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"users","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":0,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'update', '', 'succeeded', '', 'users', 'alice@example.com', '00000000-0000-4000-8000-000000000002', NULL, NULL);
INSERT INTO public.audit_events VALUES (34, 'd6ea2169d288c66edde34709443cd88dd984b0c5d2acb5b50eb0894211faf0e4', '736a133e4a27c3110703f176dba6817e0fb63930225c9a2d870ac52a3b4e40cc', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"users","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":0,"metadata":{"passkey_id":"00000000-0000-4000-8000-000000000060","passkey_name":"Laptop"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'update', '', 'succeeded', '', 'users', 'alice@example.com', '00000000-0000-4000-8000-000000000002', NULL, NULL);
INSERT INTO public.audit_events VALUES (35, '736a133e4a27c3110703f176dba6817e0fb63930225c9a2d870ac52a3b4e40cc', 'd131b71e90ddb2062dacb1acd0ed449b29870aa5fc8843df4b7cb801a0320afc', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"cluster","entity_name":"Production","entity_id":"00000000-0000-4000-8000-00000000000a","result":"Succeeded","http_status_code":0,"metadata":{"enforcePreventPrivilegeEscalation_after":"true","enforcePreventPrivilegeEscalation_before":"none","enforceRunAsUser_after":"true","enforceRunAsUser_before":"none","kubernetesVersion_after":"\"v1.37.2\"","kubernetesVersion_before":"none","operatorVersion_after":"\"0.1.0\"","operatorVersion_before":"none","policyAlarms_after":"[]","policyAlarms_before":"none"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'update', '', 'succeeded', '', 'cluster', 'production', '00000000-0000-4000-8000-00000000000a', NULL, NULL);
INSERT INTO public.audit_events VALUES (38, 'f591aff7f58d8b1406641184477602f107aba51a314869803370faaee5dab4e9', 'd4457651d5c64f4498a6d0d16b3e3fd9a7785ed9a98ea963733d9b51b89729c8', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"sign-in","http_method":"","url":"","entity_type":"users","entity_name":"","entity_id":"","result":"Failed","http_status_code":0,"metadata":{}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'sign-in', '', 'failed', '', 'users', '', '', NULL, NULL);
INSERT INTO public.audit_events VALUES (39, 'd4457651d5c64f4498a6d0d16b3e3fd9a7785ed9a98ea963733d9b51b89729c8', 'f72affbc4d59f42a8681d304533c66d3d147018251afb15cf2672b1ffb5f910c', '{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"prune","http_method":"","url":"","entity_type":"audit","entity_name":"","entity_id":"","result":"Succeeded","http_status_code":0,"metadata":{"pruned":"36-37:d131b71e90ddb2062dacb1acd0ed449b29870aa5fc8843df4b7cb801a0320afc"}}', true, 1700000000000, 'admin@reeve.example', 'user', '', 'delete', '', 'succeeded', '', 'audit', '', '', NULL, NULL);
INSERT INTO public.audit_prunings VALUES (39);
INSERT INTO public.authenticators VALUES ('00000000-0000-4000-8000-000000000002', 'sealed authenticator', true, 10, 0, 0, 1700000000000);
INSERT INTO public.cluster_revisions VALUES ('00000000-0000-4000-8000-00000000000a', 11, 0);
INSERT INTO public.clusters VALUES ('00000000-0000-4000-8000-00000000000a', 'Production', NULL, NULL, 'link hash', '{"enforceRunAsUser":true,"enforcePreventPrivilegeEscalation":true,"kubernetesVersion":"v1.37.2","operatorVersion":"0.1.0","policyAlarms":[]}', 1700000000000, 1, 1700000000000, 'admin', '{"server":"https://k8s.example","certificateAuthorityData":"Q0E="}', NULL, 1, 501, 'sealed link', 1700000000000, '{}');
INSERT INTO public.counters VALUES ('access_rule', 4);
INSERT INTO public.counters VALUES ('audit', 39);
INSERT INTO public.counters VALUES ('custom_role', 1001);
INSERT INTO public.counters VALUES ('department', 1);
INSERT INTO public.counters VALUES ('directory', 28);
INSERT INTO public.counters VALUES ('era', 0);
INSERT INTO public.counters VALUES ('project', 2);
INSERT INTO public.credential_assets VALUES ('00000000-0000-4000-8000-000000000200', 'password', 'token', NULL, 'project', '1', '00000000-0000-4000-8000-00000000000a', 1, 1, '{"user":"u"}', 1, 'sealed values', 'stamp', 1700000000000, 'admin', 1700000000000, 'admin', 0);
INSERT INTO public.custom_roles VALUES (1001, 'Readers', 'readers', 'Read.', true, '["00000000-0000-4000-8000-000000000901"]', 9, 1700000000000, 'admin', 1700000000000, NULL);
INSERT INTO public.deleted_clusters VALUES ('00000000-0000-4000-8000-00000000000b', 'hash', 1700000000000);
INSERT INTO public.departments VALUES (1, '00000000-0000-4000-8000-00000000000a', 'vision', '{"description":"vision"}', 1700000000000, 'admin', 'vision', NULL, NULL);
INSERT INTO public.desired_objects VALUES ('00000000-0000-4000-8000-00000000000a', 'access-rule', '1', 1, '{"kind":"AccessRule","spec":{"id":1,"subject":{"kind":"user","name":"admin@reeve.example"},"role":"system-administrator","scope":{"type":"cluster"}}}');
INSERT INTO public.desired_objects VALUES ('00000000-0000-4000-8000-00000000000a', 'access-rule', '2', 5, '{"kind":"AccessRule","spec":{"id":2,"subject":{"kind":"user","name":"alice@example.com"},"role":"l1-researcher","scope":{"type":"project","id":"1"}}}');
INSERT INTO public.desired_objects VALUES ('00000000-0000-4000-8000-00000000000a', 'access-rule', '3', 7, NULL);
INSERT INTO public.desired_objects VALUES ('00000000-0000-4000-8000-00000000000a', 'access-rule', '4', 8, '{"kind":"AccessRule","spec":{"id":4,"subject":{"kind":"group","name":"ml"},"role":"viewer","scope":{"type":"cluster"}}}');
INSERT INTO public.desired_objects VALUES ('00000000-0000-4000-8000-00000000000a', 'credential', '00000000-0000-4000-8000-000000000200', 10, '{"kind":"Credential","spec":{"id":"00000000-0000-4000-8000-000000000200","name":"token","kind":"password","scope":{"type":"project","id":"1"},"stamp":"stamp"}}');
INSERT INTO public.desired_objects VALUES ('00000000-0000-4000-8000-00000000000a', 'project', '1', 4, '{"kind":"Project","spec":{"id":"1","name":"robots","departmentId":"1","namespace":"reeve-robots","workloadLimits":{"training":"gpus=0,4,1=tenant"}}}');
INSERT INTO public.desired_objects VALUES ('00000000-0000-4000-8000-00000000000a', 'project', '2', 9, NULL);
INSERT INTO public.desired_objects VALUES ('00000000-0000-4000-8000-00000000000a', 'workload', '00000000-0000-4000-8000-000000000100', 11, '{"kind":"Workload","spec":{"id":"00000000-0000-4000-8000-000000000100","name":"train","projectId":"1","submittedBy":"alice@example.com","image":"image","command":["sh"],"args":[],"environment":[["A","b"]],"gpus":1,"createHomeDir":false,"preventPrivilegeEscalation":true,"expandVariables":false,"passwdEntry":false,"largeShm":false,"stdin":false,"tty":false}}');
INSERT INTO public.device_codes VALUES ('device', 'user code', 'reeve-cli', '192.0.2.7', '192.0.2.0/24', 1700000000000, 1700000600000, 0, 5, false, 'waits', NULL);
INSERT INTO public.directory_changes VALUES (1, '[{"signingKeys":[{"id":"k1","usage":"current","published":"2023-11-14T22:13:20.000Z","since":"2023-11-14T22:13:20.000Z"},{"id":"k2","usage":"next","published":"2023-11-14T22:13:20.000Z","since":"2023-11-14T22:13:20.000Z"}]},{"user":{"id":"00000000-0000-4000-8000-000000000001","email":"admin@reeve.example","posix":null}},{"rule":{"id":1,"subjectKind":"user","subject":"admin@reeve.example","roleId":1,"scope":["tenant","1"]}}]', '32b1efd83585aecfb9e4e01ed54418cc', true);
INSERT INTO public.directory_changes VALUES (2, '[{"cluster":{"id":"00000000-0000-4000-8000-00000000000a","name":"Production","revision":0,"appliedRevision":0,"settings":null,"endpoint":null,"credential":0,"lowestId":1000}},{"revisions":[["00000000-0000-4000-8000-00000000000a",1]]}]', '40f3e2bb5f1c6a106375b7fdf6893911', true);
INSERT INTO public.directory_changes VALUES (3, '[{"cluster":{"id":"00000000-0000-4000-8000-00000000000b","name":"gone","revision":0,"appliedRevision":0,"settings":null,"endpoint":null,"credential":0,"lowestId":1000}},{"revisions":[["00000000-0000-4000-8000-00000000000b",1]]}]', 'f86d2d3621b3bea9180246f74ec02a5f', true);
INSERT INTO public.directory_changes VALUES (4, '[{"department":{"id":"1","clusterId":"00000000-0000-4000-8000-00000000000a","name":"vision"}}]', '7fe51cc9c53fd3d55fbaa4394ebe2fc1', true);
INSERT INTO public.directory_changes VALUES (5, '[{"project":{"id":"1","departmentId":"1","clusterId":"00000000-0000-4000-8000-00000000000a","name":"robots"}},{"revisions":[["00000000-0000-4000-8000-00000000000a",2]]}]', '9c5ef545d40bde28751a5ec353378797', true);
INSERT INTO public.directory_changes VALUES (6, '[{"project":{"id":"2","departmentId":"1","clusterId":"00000000-0000-4000-8000-00000000000a","name":"gone"}},{"revisions":[["00000000-0000-4000-8000-00000000000a",3]]}]', '193a379ec9e49be3250f7bb7d81064c6', true);
INSERT INTO public.directory_changes VALUES (7, '[{"cluster":{"id":"00000000-0000-4000-8000-00000000000a","name":"Production","revision":3,"appliedRevision":0,"settings":null,"endpoint":null,"credential":0,"lowestId":501}}]', '34a57c21f61481bc5d3ec73e24d2117a', true);
INSERT INTO public.directory_changes VALUES (8, '[{"cluster":{"id":"00000000-0000-4000-8000-00000000000a","name":"Production","revision":3,"appliedRevision":0,"settings":null,"endpoint":{"server":"https://k8s.example","certificateAuthorityData":"Q0E="},"credential":0,"lowestId":501}}]', '1634ff9cb3fcfadf598b534763852b05', true);
INSERT INTO public.directory_changes VALUES (9, '[{"cluster":{"id":"00000000-0000-4000-8000-00000000000a","name":"Production","revision":3,"appliedRevision":0,"settings":null,"endpoint":{"server":"https://k8s.example","certificateAuthorityData":"Q0E="},"credential":1,"lowestId":501}}]', '4c55e692518dd743e37c3377bc78c04d', true);
INSERT INTO public.directory_changes VALUES (10, '[{"role":{"id":1001,"name":"Readers","description":"Read.","enabled":true,"permissionSets":["00000000-0000-4000-8000-000000000901"],"inClustersAs":9,"createdAt":"2023-11-14T22:13:20.000Z","createdBy":"admin","updatedAt":"2023-11-14T22:13:20.000Z"}}]', '1a2ca5170c3a08c8b3fea2bec182eb63', true);
INSERT INTO public.directory_changes VALUES (11, '[{"policy":{"scope":["tenant","1"],"kind":"training","policy":{"rules":{"compute":{"gpuDevicesRequest":{"max":4}}}}}},{"revisions":[["00000000-0000-4000-8000-00000000000a",4]]}]', '159dd85a5babc2e009ae77aaf4ddfc13', true);
INSERT INTO public.directory_changes VALUES (12, '[{"user":{"id":"00000000-0000-4000-8000-000000000002","email":"alice@example.com","posix":{"uid":70012,"gid":5000,"supplementaryGroups":[5001]}}}]', '78478fffede588d0822b979622726fe8', true);
INSERT INTO public.directory_changes VALUES (13, '[{"user":{"id":"00000000-0000-4000-8000-000000000003","email":"bob@example.com","posix":null}}]', 'e4586970d649d7de0d08073d257dff47', true);
INSERT INTO public.directory_changes VALUES (14, '[{"serviceAccount":{"id":"00000000-0000-4000-8000-000000000014","name":"ci","enabled":true}}]', 'e69df07ce6b3b03bf0797d51199d395d', true);
INSERT INTO public.directory_changes VALUES (15, '[{"rule":{"id":2,"subjectKind":"user","subject":"alice@example.com","roleId":5,"scope":["project","1"]}},{"revisions":[["00000000-0000-4000-8000-00000000000a",5]]}]', '95b8b31d62a998fc454cdec1a6cd72ca', true);
INSERT INTO public.directory_changes VALUES (16, '[{"rule":{"id":3,"subjectKind":"group","subject":"ml","roleId":9,"scope":["department","1"]}},{"revisions":[["00000000-0000-4000-8000-00000000000a",6]]}]', 'e26c520bb6d7f9e93ef53bc9ca371bea', true);
INSERT INTO public.directory_changes VALUES (17, '[{"rulesDeleted":[3]},{"revisions":[["00000000-0000-4000-8000-00000000000a",7]]}]', '9cda07e3418e9ccf0f84b7b854e2f6a9', true);
INSERT INTO public.directory_changes VALUES (18, '[{"rule":{"id":4,"subjectKind":"group","subject":"ml","roleId":9,"scope":["tenant","1"]}},{"revisions":[["00000000-0000-4000-8000-00000000000a",8],["00000000-0000-4000-8000-00000000000b",2]]}]', '566fd7e5ec0f1810eff86822cd1f3389', true);
INSERT INTO public.directory_changes VALUES (19, '[{"session":{"id":"00000000-0000-4000-8000-0000000dbba0","subject":{"user":"00000000-0000-4000-8000-000000000003"},"until":"2023-11-14T23:13:20.000Z","byPassword":true}}]', '18f34611a9082b07753cc2d969c7c8a1', true);
INSERT INTO public.directory_changes VALUES (20, '[{"userDeleted":"00000000-0000-4000-8000-000000000003"},{"sessionsEnded":["00000000-0000-4000-8000-0000000dbba0"]}]', 'a834760fdd394df74d18dbe46baa5692', true);
INSERT INTO public.directory_changes VALUES (21, '[{"scopeDeleted":["project","2"]},{"revisions":[["00000000-0000-4000-8000-00000000000a",9]]}]', 'b6244d14edaf6d21de3cb8e1fdc54210', true);
INSERT INTO public.directory_changes VALUES (22, '[{"scopeDeleted":["cluster","00000000-0000-4000-8000-00000000000b"]}]', '53d6eeb101d318493189861e92316282', true);
INSERT INTO public.directory_changes VALUES (23, '[{"revisions":[["00000000-0000-4000-8000-00000000000a",10]]}]', '0bfb23e3d2802d2ed4de3e0ca3ce2b53', false);
INSERT INTO public.directory_changes VALUES (24, '[{"revisions":[["00000000-0000-4000-8000-00000000000a",11]]}]', '390bf4cb287a48a53d794933bf176e44', false);
INSERT INTO public.directory_changes VALUES (25, '[{"user":{"id":"00000000-0000-4000-8000-000000000004","email":"anna@example.com","posix":null}}]', 'b17553d43ea3d485c5be2aa614ed61d7', true);
INSERT INTO public.directory_changes VALUES (26, '[{"session":{"id":"00000000-0000-4000-8000-000000000300","subject":{"user":"00000000-0000-4000-8000-000000000004"},"groups":["ml"],"posix":{"uid":80000,"gid":5000,"supplementaryGroups":[]},"until":"2023-11-14T23:13:20.000Z"}}]', 'b8bb3e70d9ee2f32f88aba055cb1beec', true);
INSERT INTO public.directory_changes VALUES (27, '[{"session":{"id":"00000000-0000-4000-8000-000000000301","subject":{"user":"00000000-0000-4000-8000-000000000002"},"until":"2023-11-14T23:13:20.000Z","byPassword":true}}]', '843e2a6c6e85b5d189ff9383d6d8827b', true);
INSERT INTO public.directory_changes VALUES (28, '[{"cluster":{"id":"00000000-0000-4000-8000-00000000000a","name":"Production","revision":11,"appliedRevision":1,"settings":{"enforceRunAsUser":true,"enforcePreventPrivilegeEscalation":true,"kubernetesVersion":"v1.37.2","operatorVersion":"0.1.0","policyAlarms":[]},"endpoint":{"server":"https://k8s.example","certificateAuthorityData":"Q0E="},"credential":1,"lowestId":501}}]', '1ce501b86450c5f95f71edd3bb78adfe', true);
INSERT INTO public.former_emails VALUES ('bob@example.com', 1700000000000);
INSERT INTO public.former_namespaces VALUES ('00000000-0000-4000-8000-00000000000a', 'reeve-gone', 1);
INSERT INTO public.identities VALUES ('https://idp.test', 'anna', '00000000-0000-4000-8000-000000000004', 'corp', 'anna@example.com', 1700000000000);
INSERT INTO public.identity_providers VALUES ('corp', 'oidc', '{"clientId":"reeve"}', 'sealed client', '{"email":"email"}', 1700000000000, 1700000000000);
INSERT INTO public.installation VALUES ('name', 'value');
INSERT INTO public.object_status VALUES ('00000000-0000-4000-8000-00000000000a', 'project', '1', 'Ready', '', 1700000000000);
INSERT INTO public.passkeys VALUES ('00000000-0000-4000-8000-000000000060', '00000000-0000-4000-8000-000000000002', 'Laptop', 'credential', 'key', 3, true, false, false, 1700000000000, NULL);
INSERT INTO public.projects VALUES (1, '00000000-0000-4000-8000-00000000000a', 1, 'robots', 'reeve-robots', false, '{}', 1700000000000, 'admin', NULL, NULL, NULL, '', NULL, '{"training":"gpus=0,4,1=tenant"}');
INSERT INTO public.recovery_codes VALUES ('00000000-0000-4000-8000-000000000002', 'code a');
INSERT INTO public.recovery_codes VALUES ('00000000-0000-4000-8000-000000000002', 'code b');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 0, 'e6c0618c9c10820e3cf2a57390aeebd0');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 1, '7537faac7760eeefd7244db766bddba1');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 2, '7fd9b5664e4468ec10a268a8b36d41db');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 3, 'b8fe9a53039a665155ed24e4e8d51775');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 4, '80c795fada2cee50ee01be2bd90f1c7c');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 5, '1537c13c213f3bdef8953399867727fa');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 6, 'a3102b1f5582a6919da21fe07b24f887');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 7, 'b9cde16c44e408bceaff84daaf35943d');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 8, 'fa8e4449039f3b6171f4e444582d4ca6');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 9, 'ef8c41389382f1ef635355e7b4154006');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 10, 'f6cb7e54d2a24926adedfd725371bb1f');
INSERT INTO public.revision_tokens VALUES ('00000000-0000-4000-8000-00000000000a', 11, 'd830031b74e51d897c1a725831ff1289');
INSERT INTO public.secret_assets VALUES ('00000000-0000-4000-8000-000000000210', 'keys', 'Of the build.', 'project', '1', '00000000-0000-4000-8000-00000000000a', 1, 1, '00000000-0000-4000-8000-000000000200', '/keys', '0440', 1700000000000, 'admin', 1700000000000, 'admin', 0);
INSERT INTO public.security_settings VALUES ('deviceAuthorization', 'true');
INSERT INTO public.service_accounts VALUES ('00000000-0000-4000-8000-000000000014', 'ci', 'hash', true, 1700000000000, 'admin', 1700000000000, NULL);
INSERT INTO public.sessions VALUES ('00000000-0000-4000-8000-000000000300', 'user', '00000000-0000-4000-8000-000000000004', 'identity-provider', '["ml"]', '{"uid":80000,"gid":5000,"supplementaryGroups":[]}', 1700000000000, 1700000000000, 1700003600000, NULL, 'corp', 'sealed renewal', 1700000000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.sessions VALUES ('00000000-0000-4000-8000-000000000301', 'user', '00000000-0000-4000-8000-000000000002', 'password', '[]', NULL, 1700000000000, 1700000000000, 1700003600000, NULL, NULL, NULL, NULL, NULL, NULL, 'token-1', NULL, 'reeve-cli', 1700000000000, 1700000600000);
INSERT INTO public.sessions VALUES ('00000000-0000-4000-8000-0000000dbba0', 'user', '00000000-0000-4000-8000-000000000003', 'password', '[]', NULL, 1700000000000, 1700000000000, 1700003600000, 1700000000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.signing_keys VALUES ('k1', 'sealed', 'current', 1700000000000, 1700000000000);
INSERT INTO public.signing_keys VALUES ('k2', 'sealed', 'next', 1700000000000, 1700000000000);
INSERT INTO public.used_once VALUES ('something', 1700000600000);
INSERT INTO public.used_uids VALUES (70012, '00000000-0000-4000-8000-000000000002', 12, 0);
INSERT INTO public.used_uids VALUES (80000, '00000000-0000-4000-8000-000000000004', 29, 0);
INSERT INTO public.user_code_guesses VALUES ('network:192.0.2.0/24', 1, 1700000000000);
INSERT INTO public.user_code_guesses VALUES ('user:00000000-0000-4000-8000-000000000002', 1, 1700000000000);
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-000000000001', 'admin@reeve.example', 'hash', NULL, 1700000000000, 'system', 1700000000000, NULL, NULL, 0, 0, false);
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-000000000002', 'alice@example.com', 'hash', '{"uid":70012,"gid":5000,"supplementaryGroups":[5001]}', 1700000000000, 'admin', 1700000000000, 1700000000000, '[]', 2, 1700000000000, false);
INSERT INTO public.users VALUES ('00000000-0000-4000-8000-000000000004', 'anna@example.com', NULL, NULL, 1700000000000, 'identity provider corp', 1700000000000, 1700000000000, '["ml"]', 0, 0, false);
INSERT INTO public.workload_policies VALUES ('00000000-0000-4000-8000-000000000900', 'tenant', '1', 'training', 'hardening', '{"rules":{"compute":{"gpuDevicesRequest":{"max":4}}}}', 1700000000000, 'admin', 1700000000000, 'admin');
INSERT INTO public.workload_requests VALUES ('00000000-0000-4000-8000-000000000100', '{"image":"image"}');
INSERT INTO public.workloads VALUES ('00000000-0000-4000-8000-000000000100', '00000000-0000-4000-8000-00000000000a', 1, 'train', 'alice@example.com', 1700000000000, 'image');
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.access_keys
    ADD CONSTRAINT access_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.access_keys
    ADD CONSTRAINT access_keys_user_id_name_key UNIQUE (user_id, name);
ALTER TABLE ONLY public.access_rules
    ADD CONSTRAINT access_rules_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_attempts
    ADD CONSTRAINT audit_attempts_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.audit_prunings
    ADD CONSTRAINT audit_prunings_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.authenticators
    ADD CONSTRAINT authenticators_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY public.cluster_revisions
    ADD CONSTRAINT cluster_revisions_pkey PRIMARY KEY (cluster_id);
ALTER TABLE ONLY public.clusters
    ADD CONSTRAINT clusters_name_key UNIQUE (name);
ALTER TABLE ONLY public.clusters
    ADD CONSTRAINT clusters_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.counters
    ADD CONSTRAINT counters_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.credential_assets
    ADD CONSTRAINT credential_assets_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.credential_assets
    ADD CONSTRAINT credential_assets_scope_type_scope_id_name_key UNIQUE (scope_type, scope_id, name);
ALTER TABLE ONLY public.custom_roles
    ADD CONSTRAINT custom_roles_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.deleted_clusters
    ADD CONSTRAINT deleted_clusters_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.departments
    ADD CONSTRAINT departments_cluster_id_name_key UNIQUE (cluster_id, name);
ALTER TABLE ONLY public.departments
    ADD CONSTRAINT departments_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.desired_objects
    ADD CONSTRAINT desired_objects_pkey PRIMARY KEY (cluster_id, kind, object_id);
ALTER TABLE ONLY public.device_codes
    ADD CONSTRAINT device_codes_pkey PRIMARY KEY (device_code);
ALTER TABLE ONLY public.device_codes
    ADD CONSTRAINT device_codes_user_code_key UNIQUE (user_code);
ALTER TABLE ONLY public.directory_changes
    ADD CONSTRAINT directory_changes_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.former_emails
    ADD CONSTRAINT former_emails_pkey PRIMARY KEY (email);
ALTER TABLE ONLY public.former_namespaces
    ADD CONSTRAINT former_namespaces_pkey PRIMARY KEY (cluster_id, namespace);
ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_pkey PRIMARY KEY (issuer, subject);
ALTER TABLE ONLY public.identity_providers
    ADD CONSTRAINT identity_providers_pkey PRIMARY KEY (alias);
ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.object_status
    ADD CONSTRAINT object_status_pkey PRIMARY KEY (cluster_id, kind, object_id);
ALTER TABLE ONLY public.passkeys
    ADD CONSTRAINT passkeys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_cluster_id_name_key UNIQUE (cluster_id, name);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, code);
ALTER TABLE ONLY public.revision_tokens
    ADD CONSTRAINT revision_tokens_pkey PRIMARY KEY (cluster_id, revision);
ALTER TABLE ONLY public.secret_assets
    ADD CONSTRAINT secret_assets_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.secret_assets
    ADD CONSTRAINT secret_assets_scope_type_scope_id_name_key UNIQUE (scope_type, scope_id, name);
ALTER TABLE ONLY public.security_settings
    ADD CONSTRAINT security_settings_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.service_accounts
    ADD CONSTRAINT service_accounts_name_key UNIQUE (name);
ALTER TABLE ONLY public.service_accounts
    ADD CONSTRAINT service_accounts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.used_once
    ADD CONSTRAINT used_once_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.used_uids
    ADD CONSTRAINT used_uids_pkey PRIMARY KEY (uid);
ALTER TABLE ONLY public.user_code_guesses
    ADD CONSTRAINT user_code_guesses_pkey PRIMARY KEY (who);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.workload_policies
    ADD CONSTRAINT workload_policies_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.workload_policies
    ADD CONSTRAINT workload_policies_scope_type_scope_id_kind_key UNIQUE (scope_type, scope_id, kind);
ALTER TABLE ONLY public.workload_requests
    ADD CONSTRAINT workload_requests_pkey PRIMARY KEY (workload_id);
ALTER TABLE ONLY public.workloads
    ADD CONSTRAINT workloads_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.workloads
    ADD CONSTRAINT workloads_project_id_name_key UNIQUE (project_id, name);
CREATE INDEX access_rules_cluster ON public.access_rules USING btree (cluster_id);
CREATE INDEX access_rules_created ON public.access_rules USING btree (created_at, id);
CREATE INDEX access_rules_department ON public.access_rules USING btree (department_id);
CREATE INDEX access_rules_live ON public.access_rules USING btree (id) WHERE (deleted_at IS NULL);
CREATE UNIQUE INDEX access_rules_once ON public.access_rules USING btree (subject_kind, subject, role_id, scope_type, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX access_rules_project ON public.access_rules USING btree (project_id);
CREATE INDEX access_rules_role ON public.access_rules USING btree (role_id, id);
CREATE INDEX access_rules_scope ON public.access_rules USING btree (scope_id, id);
CREATE INDEX access_rules_subject ON public.access_rules USING btree (subject_folded NULLS FIRST, id);
CREATE INDEX access_rules_subject_name ON public.access_rules USING btree (subject, id);
CREATE INDEX audit_attempts_at ON public.audit_attempts USING btree (at);
CREATE INDEX audit_events_at ON public.audit_events USING btree (at, sequence);
CREATE INDEX audit_events_unfilled ON public.audit_events USING btree (sequence) WHERE (at IS NULL);
CREATE INDEX credential_assets_cluster ON public.credential_assets USING btree (cluster_id);
CREATE INDEX credential_assets_department ON public.credential_assets USING btree (department_id);
CREATE INDEX credential_assets_key ON public.credential_assets USING btree (key_id);
CREATE INDEX credential_assets_project ON public.credential_assets USING btree (project_id);
CREATE UNIQUE INDEX custom_roles_name ON public.custom_roles USING btree (name_folded) WHERE (deleted_at IS NULL);
CREATE INDEX departments_name ON public.departments USING btree (name, id);
CREATE INDEX desired_objects_revision ON public.desired_objects USING btree (cluster_id, revision);
CREATE INDEX identities_user ON public.identities USING btree (user_id);
CREATE INDEX object_status_object ON public.object_status USING btree (kind, object_id);
CREATE UNIQUE INDEX passkeys_by_credential ON public.passkeys USING btree (credential);
CREATE UNIQUE INDEX passkeys_by_user ON public.passkeys USING btree (user_id, name);
CREATE INDEX projects_created ON public.projects USING btree (created_at, id);
CREATE INDEX projects_department ON public.projects USING btree (department_id);
CREATE INDEX projects_name ON public.projects USING btree (name, id);
CREATE UNIQUE INDEX projects_namespace ON public.projects USING btree (cluster_id, namespace);
CREATE INDEX secret_assets_cluster ON public.secret_assets USING btree (cluster_id);
CREATE INDEX secret_assets_department ON public.secret_assets USING btree (department_id);
CREATE INDEX secret_assets_project ON public.secret_assets USING btree (project_id);
CREATE INDEX sessions_checked ON public.sessions USING btree (checked_at);
CREATE INDEX sessions_ends ON public.sessions USING btree (ends_at);
CREATE INDEX sessions_subject ON public.sessions USING btree (subject_kind, subject_id);
CREATE INDEX used_once_until ON public.used_once USING btree (until);
CREATE INDEX used_uids_event ON public.used_uids USING btree (event);
CREATE INDEX users_created ON public.users USING btree (created_at, email);
CREATE INDEX workloads_cluster ON public.workloads USING btree (cluster_id);
CREATE INDEX workloads_created ON public.workloads USING btree (created_at, id);
ALTER TABLE ONLY public.cluster_revisions
    ADD CONSTRAINT cluster_revisions_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.departments
    ADD CONSTRAINT departments_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.desired_objects
    ADD CONSTRAINT desired_objects_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.former_namespaces
    ADD CONSTRAINT former_namespaces_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.object_status
    ADD CONSTRAINT object_status_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.projects
    ADD CONSTRAINT projects_department_id_fkey FOREIGN KEY (department_id) REFERENCES public.departments(id);
ALTER TABLE ONLY public.revision_tokens
    ADD CONSTRAINT revision_tokens_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.workload_requests
    ADD CONSTRAINT workload_requests_workload_id_fkey FOREIGN KEY (workload_id) REFERENCES public.workloads(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.workloads
    ADD CONSTRAINT workloads_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES public.clusters(id);
ALTER TABLE ONLY public.workloads
    ADD CONSTRAINT workloads_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects(id);
