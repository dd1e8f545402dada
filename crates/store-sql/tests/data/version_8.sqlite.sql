-- A database as version 8 of its schema left it, with rows in each table (no event was pruned yet); what `.dump` prints. It is never changed: it stands for
-- databases that are there. The audit log's key is 32 bytes of 7.
BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);
INSERT INTO "_sqlx_migrations" VALUES(1,'begin','2023-11-14 22:13:20',1,X'25168265879F5FC9AEB45CDD00D33053E0C6DBA2B971CCC53F06AC8B2175B70AAF127206A7F7F80B9EFB986C3EC9954A',1);
INSERT INTO "_sqlx_migrations" VALUES(2,'former','2023-11-14 22:13:20',1,X'19862AFA4772E98B0F137BCC2CAB23C69539536BE32912017C00D19EF13C078D4E55EA56E14292302699EF86CBD4428E',1);
INSERT INTO "_sqlx_migrations" VALUES(3,'histories','2023-11-14 22:13:20',1,X'9B23C95144FFD67DF7DD3334566E40FA8BF7FF7C4891617F6761F59AAF117567C2FA3ECB75A03DAE5C141B4DA6CE699E',1);
INSERT INTO "_sqlx_migrations" VALUES(4,'sessions','2023-11-14 22:13:20',1,X'90EF8D992F2DCD434736BFCA0F052DA63996498D0D48BCFBE2F5BBDD6C423D3E623A71CCA44449D9F62BB239A34F8AEF',1);
INSERT INTO "_sqlx_migrations" VALUES(5,'attempts','2023-11-14 22:13:20',1,X'17F1492A0ED3778CDA9B3E66909B0F3D76C470940A386D87B97D79402EED4F5F74B7339D03099611369719FF6C3CB6DB',1);
INSERT INTO "_sqlx_migrations" VALUES(6,'bounds','2023-11-14 22:13:20',1,X'A8E0E4C58CD5AA5C73F93812E075617CDAFAB7308A71036460916DA9EBEF95C11601C3E8B7A2BD9A9EE6CB4B8258D62A',1);
INSERT INTO "_sqlx_migrations" VALUES(7,'fence','2023-11-14 22:13:20',1,X'C464651668D69D1C2824CFBAF1E569FCB484F452E0BFC88E659D892F9631B274EC849A3D817A94478CD5D628A7D0D3BD',1);
INSERT INTO "_sqlx_migrations" VALUES(8,'lowest id','2023-11-14 22:13:20',1,X'625F398DFA7F511D0FE07927A1F17A580CCCC9F6AE63BCBE46DDD729373F3EB41F7E5271C2B7F3761E6D6225DFE8CCAC',1);
CREATE TABLE access_rules (
    id BIGINT NOT NULL PRIMARY KEY,
    subject_kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    role_id BIGINT NOT NULL,
    scope_type TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    scope_name TEXT NOT NULL,
    cluster_id TEXT,
    department_id BIGINT,
    project_id BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    deleted_at BIGINT
);
INSERT INTO "access_rules" VALUES(1,'user','alice@example.com',1,'tenant','1','account',NULL,NULL,NULL,1700000000000,'admin@reeve.example',NULL);
INSERT INTO "access_rules" VALUES(2,'service-account','ci',9,'project','1','robots','00000000-0000-4000-8000-000000000001',1,1,1700000000000,'admin@reeve.example',NULL);
INSERT INTO "access_rules" VALUES(3,'group','Gone',9,'department','1','vision','00000000-0000-4000-8000-000000000001',1,NULL,1700000000000,'admin@reeve.example',1700000001000);
CREATE TABLE audit_attempts (
    sequence BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);
INSERT INTO "audit_attempts" VALUES(4,1700000000000);
CREATE TABLE audit_events (
    sequence BIGINT NOT NULL PRIMARY KEY,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL
, keyed BOOLEAN NOT NULL DEFAULT FALSE);
INSERT INTO "audit_events" VALUES(1,'','c8b1680d0fb9ecacbfcd2194cb95429b87cfde1f9839b1b16a45cc10a331e627','{"timestamp":"2023-11-14T22:13:20Z","request_id":"r","subject":"system","subject_type":"App","action":"create","http_method":"","url":"","entity_type":"users","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":0,"metadata":{}}',0);
INSERT INTO "audit_events" VALUES(2,'c8b1680d0fb9ecacbfcd2194cb95429b87cfde1f9839b1b16a45cc10a331e627','b6d597ff863125d1bbe837cb677197f8296c6299995de43f4b736b322dd5a435','{"timestamp":"2023-11-14T22:13:20Z","request_id":"r","subject":"system","subject_type":"App","action":"create","http_method":"","url":"","entity_type":"cluster","entity_name":"a","entity_id":"00000000-0000-4000-8000-000000000001","result":"Succeeded","http_status_code":0,"metadata":{}}',0);
INSERT INTO "audit_events" VALUES(3,'b6d597ff863125d1bbe837cb677197f8296c6299995de43f4b736b322dd5a435','ea7918e4b354cc26a99d33cf9dcb744ad95ce22025fecfbe6b7d8d61dffba774','{"timestamp":"2023-11-14T22:13:20Z","request_id":"r","subject":"system","subject_type":"App","action":"key","http_method":"","url":"","entity_type":"events-history","entity_name":"","entity_id":"","result":"Succeeded","http_status_code":0,"metadata":{"unkeyed_up_to":"2:b6d597ff863125d1bbe837cb677197f8296c6299995de43f4b736b322dd5a435"}}',1);
INSERT INTO "audit_events" VALUES(4,'ea7918e4b354cc26a99d33cf9dcb744ad95ce22025fecfbe6b7d8d61dffba774','de33e2d0a28186f00c6105324885b653478bb480b0a6828a21bafe4da32b1692','{"timestamp":"2023-11-14T22:13:20Z","request_id":"r","subject":"system","subject_type":"App","action":"sign-in","http_method":"","url":"","entity_type":"users","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":0,"metadata":{"attempts":"3"}}',1);
CREATE TABLE audit_prunings (
    sequence BIGINT NOT NULL PRIMARY KEY
);
CREATE TABLE cluster_revisions (
    cluster_id TEXT NOT NULL PRIMARY KEY REFERENCES clusters (id),
    revision BIGINT NOT NULL
);
INSERT INTO "cluster_revisions" VALUES('00000000-0000-4000-8000-000000000001',4);
CREATE TABLE clusters (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    domain TEXT,
    version TEXT,
    credential TEXT NOT NULL,
    settings TEXT,
    last_liveness BIGINT,
    applied_revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
, kubernetes_endpoint TEXT, reported_endpoint TEXT, credential_number BIGINT NOT NULL DEFAULT 0, lowest_id BIGINT NOT NULL DEFAULT 1000);
INSERT INTO "clusters" VALUES('00000000-0000-4000-8000-000000000001','a','a.example','v1','hash','{"enforceRunAsUser": true, "enforcePreventPrivilegeEscalation": true, "kubernetesVersion": "v1.36.0", "operatorVersion": "0.1.0", "kubernetesEndpoint": {"server": "https://k8s.example", "certificateAuthorityData": "Q0E="}}',1700000000000,3,1700000000000,'admin@reeve.example','{"server": "https://k8s.example", "certificateAuthorityData": "Q0E="}','{"server": "https://other.example", "certificateAuthorityData": "Q0E="}',4294967297,501);
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO "counters" VALUES('department',1);
INSERT INTO "counters" VALUES('project',1);
INSERT INTO "counters" VALUES('access_rule',3);
INSERT INTO "counters" VALUES('audit',4);
INSERT INTO "counters" VALUES('history',1);
CREATE TABLE deleted_clusters (
    id TEXT NOT NULL PRIMARY KEY,
    credential TEXT NOT NULL,
    deleted_at BIGINT NOT NULL
);
INSERT INTO "deleted_clusters" VALUES('00000000-0000-4000-8000-000000000005','suspended:hash',1700000000000);
CREATE TABLE departments (
    id BIGINT NOT NULL PRIMARY KEY,
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    name TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (cluster_id, name)
);
INSERT INTO "departments" VALUES(1,'00000000-0000-4000-8000-000000000001','vision','{"enforceRunaiScheduler": false, "settings": {"description": "\u00dcber alles", "resources": []}}',1700000000000,'admin@reeve.example');
CREATE TABLE desired_objects (
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    body TEXT,
    PRIMARY KEY (cluster_id, kind, object_id)
);
INSERT INTO "desired_objects" VALUES('00000000-0000-4000-8000-000000000001','project','1',1,'{"kind": "Project", "spec": {"id": "1", "name": "robots", "departmentId": "1", "namespace": "reeve-robots"}}');
INSERT INTO "desired_objects" VALUES('00000000-0000-4000-8000-000000000001','workload','00000000-0000-4000-8000-000000000004',3,'{"kind": "Workload", "spec": {"id": "00000000-0000-4000-8000-000000000004", "name": "train", "projectId": "1", "submittedBy": "alice@example.com", "image": "local.test/tools:1"}}');
INSERT INTO "desired_objects" VALUES('00000000-0000-4000-8000-000000000001','access-rule','3',4,NULL);
CREATE TABLE former_emails (
    email TEXT NOT NULL PRIMARY KEY,
    deleted_at BIGINT NOT NULL
);
INSERT INTO "former_emails" VALUES('gone@example.com',1700000000000);
CREATE TABLE former_namespaces (
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    namespace TEXT NOT NULL,
    department_id BIGINT NOT NULL,
    PRIMARY KEY (cluster_id, namespace)
);
INSERT INTO "former_namespaces" VALUES('00000000-0000-4000-8000-000000000001','reeve-gone',1);
CREATE TABLE histories (
    number BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_at BIGINT NOT NULL
);
INSERT INTO "histories" VALUES(1,'00000000-0000-4000-8000-000000000005',1700000000000);
CREATE TABLE history_beginnings (
    history BIGINT NOT NULL REFERENCES histories (number),
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    revision BIGINT NOT NULL,
    PRIMARY KEY (cluster_id, history)
);
INSERT INTO "history_beginnings" VALUES(1,'00000000-0000-4000-8000-000000000001',2);
CREATE TABLE installation (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO "installation" VALUES('signing-key-current','sealed 1');
INSERT INTO "installation" VALUES('signing-key-next','sealed 2');
INSERT INTO "installation" VALUES('account-created-at','1700000000000');
CREATE TABLE object_status (
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    message TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (cluster_id, kind, object_id)
);
INSERT INTO "object_status" VALUES('00000000-0000-4000-8000-000000000001','project','1','Ready','',1700000000000);
INSERT INTO "object_status" VALUES('00000000-0000-4000-8000-000000000001','workload','00000000-0000-4000-8000-000000000004','Running','',1700000000000);
CREATE TABLE projects (
    id BIGINT NOT NULL PRIMARY KEY,
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    department_id BIGINT NOT NULL REFERENCES departments (id),
    name TEXT NOT NULL,
    namespace TEXT NOT NULL,
    namespace_requested BOOLEAN NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (cluster_id, name)
);
INSERT INTO "projects" VALUES(1,'00000000-0000-4000-8000-000000000001',1,'robots','reeve-robots',0,'{"enforceRunaiScheduler": false, "settings": {"description": "\u00dcber alles", "resources": []}}',1700000000000,'admin@reeve.example');
CREATE TABLE service_accounts (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_login BIGINT,
    session_number BIGINT NOT NULL DEFAULT 0);
INSERT INTO "service_accounts" VALUES('00000000-0000-4000-8000-000000000003','ci','hash',1,1700000000000,'admin@reeve.example',1700000000000,NULL,0);
CREATE TABLE used_uids (
    uid BIGINT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL
, event BIGINT NOT NULL DEFAULT 0, left_at BIGINT NOT NULL DEFAULT 0);
INSERT INTO "used_uids" VALUES(70012,'00000000-0000-4000-8000-000000000002',1,0);
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    password TEXT,
    posix TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_login BIGINT,
    session_number BIGINT NOT NULL DEFAULT 0);
INSERT INTO "users" VALUES('00000000-0000-4000-8000-000000000002','alice@example.com','hash','{"uid": 70012, "gid": 5000, "supplementaryGroups": [5001]}',1700000000000,'admin@reeve.example',1700000000000,1700000000000,4294967299);
CREATE TABLE workload_requests (
    workload_id TEXT NOT NULL PRIMARY KEY REFERENCES workloads (id) ON DELETE CASCADE,
    request TEXT NOT NULL
);
INSERT INTO "workload_requests" VALUES('00000000-0000-4000-8000-000000000004','{"image": "local.test/tools:1"}');
CREATE TABLE workloads (
    id TEXT NOT NULL PRIMARY KEY,
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    project_id BIGINT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    submitted_by TEXT NOT NULL,
    created_at BIGINT NOT NULL, image TEXT NOT NULL DEFAULT '',
    UNIQUE (project_id, name)
);
INSERT INTO "workloads" VALUES('00000000-0000-4000-8000-000000000004','00000000-0000-4000-8000-000000000001',1,'train','alice@example.com',1700000000000,'local.test/tools:1');
CREATE UNIQUE INDEX projects_namespace ON projects (cluster_id, namespace);
CREATE INDEX projects_department ON projects (department_id);
CREATE UNIQUE INDEX access_rules_once ON access_rules (subject_kind, subject, role_id, scope_type, scope_id)
    WHERE deleted_at IS NULL;
CREATE INDEX access_rules_cluster ON access_rules (cluster_id);
CREATE INDEX access_rules_department ON access_rules (department_id);
CREATE INDEX access_rules_project ON access_rules (project_id);
CREATE INDEX desired_objects_revision ON desired_objects (cluster_id, revision);
CREATE INDEX object_status_object ON object_status (kind, object_id);
CREATE INDEX audit_attempts_at ON audit_attempts (at);
CREATE INDEX used_uids_event ON used_uids (event);
COMMIT;
