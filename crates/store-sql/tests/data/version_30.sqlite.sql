-- A database as version 30 of its schema left it, with rows in each table; what `.dump` prints. It is never changed: it stands for
-- databases that are there. The audit log's key is 32 bytes of 7.
BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
             version BIGINT PRIMARY KEY,
             description TEXT NOT NULL,
             installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
             success BOOLEAN NOT NULL,
             checksum BLOB NOT NULL,
             execution_time BIGINT NOT NULL
         );
INSERT INTO "_sqlx_migrations" VALUES(1,'begin','2026-11-30 16:19:32',1,X'25168265879F5FC9AEB45CDD00D33053E0C6DBA2B971CCC53F06AC8B2175B70AAF127206A7F7F80B9EFB986C3EC9954A',0);
INSERT INTO "_sqlx_migrations" VALUES(2,'former','2026-11-30 16:19:32',1,X'19862AFA4772E98B0F137BCC2CAB23C69539536BE32912017C00D19EF13C078D4E55EA56E14292302699EF86CBD4428E',0);
INSERT INTO "_sqlx_migrations" VALUES(3,'histories','2026-11-30 16:19:32',1,X'9B23C95144FFD67DF7DD3334566E40FA8BF7FF7C4891617F6761F59AAF117567C2FA3ECB75A03DAE5C141B4DA6CE699E',0);
INSERT INTO "_sqlx_migrations" VALUES(4,'sessions','2026-11-30 16:19:32',1,X'90EF8D992F2DCD434736BFCA0F052DA63996498D0D48BCFBE2F5BBDD6C423D3E623A71CCA44449D9F62BB239A34F8AEF',0);
INSERT INTO "_sqlx_migrations" VALUES(5,'attempts','2026-11-30 16:19:32',1,X'17F1492A0ED3778CDA9B3E66909B0F3D76C470940A386D87B97D79402EED4F5F74B7339D03099611369719FF6C3CB6DB',0);
INSERT INTO "_sqlx_migrations" VALUES(6,'bounds','2026-11-30 16:19:32',1,X'A8E0E4C58CD5AA5C73F93812E075617CDAFAB7308A71036460916DA9EBEF95C11601C3E8B7A2BD9A9EE6CB4B8258D62A',0);
INSERT INTO "_sqlx_migrations" VALUES(7,'fence','2026-11-30 16:19:32',1,X'C464651668D69D1C2824CFBAF1E569FCB484F452E0BFC88E659D892F9631B274EC849A3D817A94478CD5D628A7D0D3BD',0);
INSERT INTO "_sqlx_migrations" VALUES(8,'lowest id','2026-11-30 16:19:32',1,X'625F398DFA7F511D0FE07927A1F17A580CCCC9F6AE63BCBE46DDD729373F3EB41F7E5271C2B7F3761E6D6225DFE8CCAC',0);
INSERT INTO "_sqlx_migrations" VALUES(9,'change log','2026-11-30 16:19:32',1,X'ADA7919C3B58323B28ABDFFAFFE9ADD7CD499B7C3C6A8CA226F8C850A9F15F7F8CCC3C6E9A1F8E18E62E3DB7A006E999',0);
INSERT INTO "_sqlx_migrations" VALUES(10,'change tags','2026-11-30 16:19:32',1,X'8918B4A1BF08F2C0F23E436F218837DCF87442A6A45CC4AC71EA47B6FC1530C4FA11349C8E50C1819D0E4F2B3CF1708F',0);
INSERT INTO "_sqlx_migrations" VALUES(11,'revision tokens','2026-11-30 16:19:32',1,X'F498A6B6B272B1775B062AE08EE1EA886ACC5912E7D4432521117F66D9A82D96E7B8F0DE8257C64D04FA0FF32D92288D',0);
INSERT INTO "_sqlx_migrations" VALUES(12,'sessions as rows','2026-11-30 16:19:32',1,X'D008C6B080F9D36CD3CAA7DEC59855A248C557A9C1EF92EE4CEF30D510E08B01F68FAE700451467A29942D2C01457DE3',0);
INSERT INTO "_sqlx_migrations" VALUES(13,'networking','2026-11-30 16:19:32',1,X'2F7BBF8984D473786CAFE1D413FCC49440C5B4D3A571D45A3C9A62046C90DA96FF5EE980CD1570B870BA6B51988FE662',0);
INSERT INTO "_sqlx_migrations" VALUES(14,'lists','2026-11-30 16:19:32',1,X'D812F3B036C299AF0B631C662A841938DBAB1D986CC9E687FD434C316AA3E506A8FBC17CE2CA9A4679F12FED6AB14F7E',0);
INSERT INTO "_sqlx_migrations" VALUES(15,'pod rules','2026-11-30 16:19:32',1,X'8F2EE6192F2C356EB8981F94A10397CB57E09301344EF464BC057A2C8F7E55A743ECAFA88BEFFB01C3C0D64784D2DB3F',0);
INSERT INTO "_sqlx_migrations" VALUES(16,'link secrets and states of clusters','2026-11-30 16:19:32',1,X'93CBB1E6F2DEC4F8301B09665F2B15981013FB67DBF87B06A938EDB57FE218F60AA1D7BA2C2D357486A46E85E9C4BDDD',0);
INSERT INTO "_sqlx_migrations" VALUES(17,'credentials','2026-11-30 16:19:32',1,X'FF0E774AB3A299CE3E40A0A82385BA3D94726FEA7A830A7CE1114C9BEA35D11672B230047AD6DB6D108BE6DE70467367',0);
INSERT INTO "_sqlx_migrations" VALUES(18,'workload policies','2026-11-30 16:19:32',1,X'4803180CCB0858712031E26D77F54B073F5B9C649076D03D4E78E92E8513CA356C5624749895A03A8B712B0663A765B3',0);
INSERT INTO "_sqlx_migrations" VALUES(19,'identity providers','2026-11-30 16:19:32',1,X'5AC738DF6963AF4CF9C296C87FFA0E4E9691E49644D85C4523D3DDD0DBF1EAF2AC4FBFDEAA2DBA5A5CB6EB1C88B02666',0);
INSERT INTO "_sqlx_migrations" VALUES(20,'audit columns','2026-11-30 16:19:32',1,X'EE2BFFCF29AC713FCF22D7D76866299666E59753473D2524E7CDA6E6E847114E920508B4FF9FA033341DD4B75778E338',0);
INSERT INTO "_sqlx_migrations" VALUES(21,'custom roles','2026-11-30 16:19:32',1,X'B9CE07179EC03EB78B4FCAE7868CEAD94211B4779A7A5B924BE7C2B4BFCEC9CA158962ED0946FDD1DE7260E2F0671815',0);
INSERT INTO "_sqlx_migrations" VALUES(22,'access keys','2026-11-30 16:19:32',1,X'1E3825C2D6AF243B9CE0FB34DCDF2E8130341B6EEF11057D069A7FD18F23DD4D99C7664C5DD125BBB285F86357238E99',0);
INSERT INTO "_sqlx_migrations" VALUES(23,'wrong passwords','2026-11-30 16:19:32',1,X'98FA00007C16EAC83995165839C5C5450C159DE6345FA91442D446DB9C6835F094180158B75954D32BB450EF3F72DDC2',0);
INSERT INTO "_sqlx_migrations" VALUES(24,'authenticators','2026-11-30 16:19:32',1,X'287598C10AFBE4218BFC4AA295ACA2B6A10FB3C9F24EA08135788BEA44004CCF1F4481EFF2E9B793AFAD11E3668FEC30',0);
INSERT INTO "_sqlx_migrations" VALUES(25,'refresh tokens','2026-11-30 16:19:32',1,X'56912044D5DDDC25215C3199AA565CBBB3487518AF7A3CF2412238E91E04A5DE4A83203F4B4626CC3FC2A59073F6610A',0);
INSERT INTO "_sqlx_migrations" VALUES(26,'changes and settings','2026-11-30 16:19:32',1,X'99B82DAD320DA24C4E9A0846D0DB7B2A0C80DB55CCB202383A483CA835CF934FB5140C3B9BDCF958EE898980614A052D',0);
INSERT INTO "_sqlx_migrations" VALUES(27,'temporary passwords','2026-11-30 16:19:32',1,X'EF49555D83C83818F92F7CA622C4339006D1AC2978C47A31404A2CA6D40E7562AAEA8871BDF1B8A273D2789E8067345F',0);
INSERT INTO "_sqlx_migrations" VALUES(28,'secret assets','2026-11-30 16:19:32',1,X'91F0D31F819DAFDBC02800BB3A53B37368B5F78B3F05D2F184EEFB5AA45C61593C7C307FD1133E66160B4C34A6FF9B4E',0);
INSERT INTO "_sqlx_migrations" VALUES(29,'device codes','2026-11-30 16:19:32',1,X'06388AE8B2930A2DB424C27C6F8775C12142726F0C8C4AAD5E7B898A2F8AE6863D8EE04DCC72860ED57551B894CEE5FF',0);
INSERT INTO "_sqlx_migrations" VALUES(30,'passkeys','2026-11-30 16:19:32',1,X'5985C04101F794948CBFF0E389EBDF38CF89D244925D03462C11DD7B11F4C205D986B243FEBDCC3E2B368F9D5F8A9A68',0);
CREATE TABLE access_keys (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_login BIGINT,
    UNIQUE (user_id, name)
);
INSERT INTO "access_keys" VALUES('00000000-0000-4000-8000-000000000050','00000000-0000-4000-8000-000000000002','notebook','secret',1700000000000,NULL);
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
, subject_folded TEXT, scope_name_folded TEXT);
INSERT INTO "access_rules" VALUES(1,'user','admin@reeve.example',1,'tenant','1','account',NULL,NULL,NULL,1700000000000,'system',NULL,'admin@reeve.example','account');
INSERT INTO "access_rules" VALUES(2,'user','alice@example.com',5,'project','1','robots','00000000-0000-4000-8000-00000000000a',1,1,1700000000000,'admin',NULL,'alice@example.com','robots');
INSERT INTO "access_rules" VALUES(3,'group','ml',9,'department','1','vision','00000000-0000-4000-8000-00000000000a',1,NULL,1700000000000,'admin',1700000000000,'ml','vision');
INSERT INTO "access_rules" VALUES(4,'group','ml',9,'tenant','1','account',NULL,NULL,NULL,1700000000000,'admin',NULL,'ml','account');
CREATE TABLE audit_attempts (
    sequence BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);
INSERT INTO "audit_attempts" VALUES(38,1700000000000);
CREATE TABLE audit_events (
    sequence BIGINT NOT NULL PRIMARY KEY,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL
, keyed BOOLEAN NOT NULL DEFAULT FALSE, at BIGINT, subject TEXT, subject_type TEXT, source_ip TEXT, action TEXT, http_method TEXT, result TEXT, url TEXT, entity_type TEXT, entity_name TEXT, entity_id TEXT, cluster_name TEXT, cluster_name_folded TEXT);
INSERT INTO "audit_events" VALUES(1,'','34a1cb3e243f212c1d7772692efca2400db0c25b65125f3829e1f148883ced06','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"admin@reeve.example","entity_id":"00000000-0000-4000-8000-000000000001","result":"Succeeded","http_status_code":201,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','admin@reeve.example','00000000-0000-4000-8000-000000000001',NULL,NULL);
INSERT INTO "audit_events" VALUES(2,'34a1cb3e243f212c1d7772692efca2400db0c25b65125f3829e1f148883ced06','a448d00deacf150b4e0296451541331e995a45a73de46a8285e9d26fb1bb8a0a','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"Production","entity_id":"00000000-0000-4000-8000-00000000000a","result":"Succeeded","http_status_code":201,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','production','00000000-0000-4000-8000-00000000000a',NULL,NULL);
INSERT INTO "audit_events" VALUES(3,'a448d00deacf150b4e0296451541331e995a45a73de46a8285e9d26fb1bb8a0a','874ec0af4cd1e361172d7fdeee8098cce1298337c4942926c0ec0492aca207d7','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"gone","entity_id":"00000000-0000-4000-8000-00000000000b","result":"Succeeded","http_status_code":201,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','gone','00000000-0000-4000-8000-00000000000b',NULL,NULL);
INSERT INTO "audit_events" VALUES(4,'874ec0af4cd1e361172d7fdeee8098cce1298337c4942926c0ec0492aca207d7','dc7a88de982f8d4ce20f2ead6905b301e03d14459e68e61caee70e42c9264e23','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"vision","entity_id":"1","result":"Succeeded","http_status_code":201,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','vision','1',NULL,NULL);
INSERT INTO "audit_events" VALUES(5,'dc7a88de982f8d4ce20f2ead6905b301e03d14459e68e61caee70e42c9264e23','dbb597ebf2558541367181e878b4e4ae986d30d6c3241e6f9db2bf463ceb9083','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"robots","entity_id":"1","result":"Succeeded","http_status_code":201,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','robots','1',NULL,NULL);
INSERT INTO "audit_events" VALUES(6,'dbb597ebf2558541367181e878b4e4ae986d30d6c3241e6f9db2bf463ceb9083','d062151dc5dd7c8590748043c4dcbc76f6ecd3a92100bba9d159c40d31ad93ec','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"gone","entity_id":"2","result":"Succeeded","http_status_code":201,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','gone','2',NULL,NULL);
INSERT INTO "audit_events" VALUES(7,'d062151dc5dd7c8590748043c4dcbc76f6ecd3a92100bba9d159c40d31ad93ec','d95fe3ade153e40f9a5dfdda8e6bb5dbf05faa380a51378aa91af9a6964e442f','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"cluster","entity_name":"Production","entity_id":"00000000-0000-4000-8000-00000000000a","result":"Succeeded","http_status_code":0,"metadata":{"lowest_id_after":"501","lowest_id_before":"1000"}}',1,1700000000000,'admin@reeve.example','user','','update','','succeeded','','cluster','production','00000000-0000-4000-8000-00000000000a',NULL,NULL);
INSERT INTO "audit_events" VALUES(8,'d95fe3ade153e40f9a5dfdda8e6bb5dbf05faa380a51378aa91af9a6964e442f','f61f5a9b388808f96df81ddef8bf1ca5242e1d40409595d9b56663ef51ce12ae','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"cluster","entity_name":"Production","entity_id":"00000000-0000-4000-8000-00000000000a","result":"Succeeded","http_status_code":0,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','update','','succeeded','','cluster','production','00000000-0000-4000-8000-00000000000a',NULL,NULL);
INSERT INTO "audit_events" VALUES(9,'f61f5a9b388808f96df81ddef8bf1ca5242e1d40409595d9b56663ef51ce12ae','5d18619f524915d34953319180e2dc629f75c25439a765a6e18679755cbe1f77','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"cluster","entity_name":"Production","entity_id":"00000000-0000-4000-8000-00000000000a","result":"Succeeded","http_status_code":0,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','update','','succeeded','','cluster','production','00000000-0000-4000-8000-00000000000a',NULL,NULL);
INSERT INTO "audit_events" VALUES(10,'5d18619f524915d34953319180e2dc629f75c25439a765a6e18679755cbe1f77','04478ac0f89d6125e493e041a8f9c9295b491867341646582763ea17da7edc5a','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"roles","entity_name":"Readers","entity_id":"1001","result":"Succeeded","http_status_code":0,"metadata":{"role_after":"{\"enabled\":true,\"inClustersAs\":9,\"permissionSets\":[\"00000000-0000-4000-8000-000000000901\"]}"}}',1,1700000000000,'admin@reeve.example','user','','create','','succeeded','','roles','readers','1001',NULL,NULL);
INSERT INTO "audit_events" VALUES(11,'04478ac0f89d6125e493e041a8f9c9295b491867341646582763ea17da7edc5a','b6bf589e0741e6ceeb622577c77e90f155bd52ddc8b5fdbfff61a8e90a5ca91a','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"policies","entity_name":"hardening","entity_id":"00000000-0000-4000-8000-000000000900","result":"Succeeded","http_status_code":0,"metadata":{"policy_after":"{\"rules\":{\"compute\":{\"gpuDevicesRequest\":{\"max\":4}}}}","policy_before":""}}',1,1700000000000,'admin@reeve.example','user','','update','','succeeded','','policies','hardening','00000000-0000-4000-8000-000000000900',NULL,NULL);
INSERT INTO "audit_events" VALUES(12,'b6bf589e0741e6ceeb622577c77e90f155bd52ddc8b5fdbfff61a8e90a5ca91a','41df849e81773eed6e470613d2434f7f866627de8c397636757f8a96dc303464','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":201,"metadata":{"posix_after":"70012/5000/5001"}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','alice@example.com','00000000-0000-4000-8000-000000000002',NULL,NULL);
INSERT INTO "audit_events" VALUES(13,'41df849e81773eed6e470613d2434f7f866627de8c397636757f8a96dc303464','6349f3c6a23dfbca0c1e90d428240fcfccd2a1808e3afbf832eecbcc0c1f2f35','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"bob@example.com","entity_id":"00000000-0000-4000-8000-000000000003","result":"Succeeded","http_status_code":201,"metadata":{"posix_after":"none"}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','bob@example.com','00000000-0000-4000-8000-000000000003',NULL,NULL);
INSERT INTO "audit_events" VALUES(14,'6349f3c6a23dfbca0c1e90d428240fcfccd2a1808e3afbf832eecbcc0c1f2f35','c742ae0b7575e41cdeda1ee4a206f56b2b5a7711fe8911299883649c6c81233f','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"ci","entity_id":"00000000-0000-4000-8000-000000000014","result":"Succeeded","http_status_code":201,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','ci','00000000-0000-4000-8000-000000000014',NULL,NULL);
INSERT INTO "audit_events" VALUES(15,'c742ae0b7575e41cdeda1ee4a206f56b2b5a7711fe8911299883649c6c81233f','9aebb7c03907cf8d2f85870a2441409efccc950b8a26abb6b76469d949e26abe','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"user `alice@example.com` is a L1 researcher in project `1`","entity_id":"2","result":"Succeeded","http_status_code":201,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','user `alice@example.com` is a l1 researcher in project `1`','2',NULL,NULL);
INSERT INTO "audit_events" VALUES(16,'9aebb7c03907cf8d2f85870a2441409efccc950b8a26abb6b76469d949e26abe','c8659a3aa78b08c187938ee65e4a4cb428fec102e2f6154ea47aaa81dbcae87c','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"group `ml` is a Viewer in department `1`","entity_id":"3","result":"Succeeded","http_status_code":201,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','group `ml` is a viewer in department `1`','3',NULL,NULL);
INSERT INTO "audit_events" VALUES(17,'c8659a3aa78b08c187938ee65e4a4cb428fec102e2f6154ea47aaa81dbcae87c','500b4ae282f0899ebdea75e3b717ff0051d6c532f34b06130873397bf94ab0d9','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"delete","http_method":"POST","url":"/x","entity_type":"x","entity_name":"group `ml` is a Viewer in department `1`","entity_id":"3","result":"Succeeded","http_status_code":201,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','delete','post','succeeded','/x','x','group `ml` is a viewer in department `1`','3',NULL,NULL);
INSERT INTO "audit_events" VALUES(18,'500b4ae282f0899ebdea75e3b717ff0051d6c532f34b06130873397bf94ab0d9','9b68fc92802f3cd5092a292ece478a43b882b956b215559223fd71b217856332','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"POST","url":"/x","entity_type":"x","entity_name":"group `ml` is a Viewer in the account","entity_id":"4","result":"Succeeded","http_status_code":201,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','post','succeeded','/x','x','group `ml` is a viewer in the account','4',NULL,NULL);
INSERT INTO "audit_events" VALUES(19,'9b68fc92802f3cd5092a292ece478a43b882b956b215559223fd71b217856332','ba2ab0c169a1cb8634a65123f03eea9545f5afb8290b9ab5113f7b89237ba60a','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"sign-in","http_method":"POST","url":"/x","entity_type":"x","entity_name":"","entity_id":"","result":"Succeeded","http_status_code":201,"metadata":{"session":"00000000-0000-4000-8000-0000000dbba0"}}',1,1700000000000,'admin@reeve.example','user','','sign-in','post','succeeded','/x','x','','',NULL,NULL);
INSERT INTO "audit_events" VALUES(20,'ba2ab0c169a1cb8634a65123f03eea9545f5afb8290b9ab5113f7b89237ba60a','7307b04c68d2943cf662804c40526dc57a5f8bf65779538df587e00309fc5eef','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"delete","http_method":"POST","url":"/x","entity_type":"x","entity_name":"bob@example.com","entity_id":"00000000-0000-4000-8000-000000000003","result":"Succeeded","http_status_code":201,"metadata":{"posix_after":"none","posix_before":"none"}}',1,1700000000000,'admin@reeve.example','user','','delete','post','succeeded','/x','x','bob@example.com','00000000-0000-4000-8000-000000000003',NULL,NULL);
INSERT INTO "audit_events" VALUES(21,'7307b04c68d2943cf662804c40526dc57a5f8bf65779538df587e00309fc5eef','d6df31fa7f198fc5bbe77220eb2bc178abd460c1f3a5abd189e6aba7300f6a50','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"delete","http_method":"","url":"","entity_type":"project","entity_name":"gone","entity_id":"2","result":"Succeeded","http_status_code":0,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','delete','','succeeded','','project','gone','2',NULL,NULL);
INSERT INTO "audit_events" VALUES(22,'d6df31fa7f198fc5bbe77220eb2bc178abd460c1f3a5abd189e6aba7300f6a50','2ed19ff466aa41be87ef575b907af85c6671e58ff4c457ae60a909a05f8cacfb','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"delete","http_method":"","url":"","entity_type":"cluster","entity_name":"gone","entity_id":"00000000-0000-4000-8000-00000000000b","result":"Succeeded","http_status_code":0,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','delete','','succeeded','','cluster','gone','00000000-0000-4000-8000-00000000000b',NULL,NULL);
INSERT INTO "audit_events" VALUES(23,'2ed19ff466aa41be87ef575b907af85c6671e58ff4c457ae60a909a05f8cacfb','5842ef7aa045b5e8915157feaad9d6294d27c5ef663375cff80c660d0652f84a','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"credentials","entity_name":"token","entity_id":"00000000-0000-4000-8000-000000000200","result":"Succeeded","http_status_code":0,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','','succeeded','','credentials','token','00000000-0000-4000-8000-000000000200',NULL,NULL);
INSERT INTO "audit_events" VALUES(24,'5842ef7aa045b5e8915157feaad9d6294d27c5ef663375cff80c660d0652f84a','9903139fbfe72d923f4a6da0538f5f240442461040493b50a37a2cc3bb7a3dc3','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"secrets","entity_name":"keys","entity_id":"00000000-0000-4000-8000-000000000210","result":"Succeeded","http_status_code":0,"metadata":{"spec_after":"00000000-0000-4000-8000-000000000200 /keys 0440"}}',1,1700000000000,'admin@reeve.example','user','','create','','succeeded','','secrets','keys','00000000-0000-4000-8000-000000000210',NULL,NULL);
INSERT INTO "audit_events" VALUES(25,'9903139fbfe72d923f4a6da0538f5f240442461040493b50a37a2cc3bb7a3dc3','d8283b1ab5a86718eea9b76250c32b12bab9261d713b1d42ec0a24c713985699','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"trainings","entity_name":"train","entity_id":"00000000-0000-4000-8000-000000000100","result":"Succeeded","http_status_code":0,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','','succeeded','','trainings','train','00000000-0000-4000-8000-000000000100',NULL,NULL);
INSERT INTO "audit_events" VALUES(26,'d8283b1ab5a86718eea9b76250c32b12bab9261d713b1d42ec0a24c713985699','7bf21a8c8a8801f4eed05f556ddd25df1f91b2c78820170455d5a9b6f6a9d7e4','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"idps","entity_name":"corp","entity_id":"corp","result":"Succeeded","http_status_code":0,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','create','','succeeded','','idps','corp','corp',NULL,NULL);
INSERT INTO "audit_events" VALUES(27,'7bf21a8c8a8801f4eed05f556ddd25df1f91b2c78820170455d5a9b6f6a9d7e4','0cb6f87b28a3494f4134f8c11870d9a129bfa859029d4956f46ce93e9e370c35','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"settings","entity_name":"deviceAuthorization","entity_id":"deviceAuthorization","result":"Succeeded","http_status_code":0,"metadata":{"setting_after":"true","setting_before":"not set"}}',1,1700000000000,'admin@reeve.example','user','','update','','succeeded','','settings','deviceauthorization','deviceauthorization',NULL,NULL);
INSERT INTO "audit_events" VALUES(28,'0cb6f87b28a3494f4134f8c11870d9a129bfa859029d4956f46ce93e9e370c35','6bba31a44f6682a13fa6bff5cc54995eb9610bb7f8fd8fb73161d21d8959c7b0','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"users","entity_name":"anna@example.com","entity_id":"00000000-0000-4000-8000-000000000004","result":"Succeeded","http_status_code":0,"metadata":{"identity_provider":"corp","issuer":"https://idp.test","issuer_subject":"anna"}}',1,1700000000000,'admin@reeve.example','user','','create','','succeeded','','users','anna@example.com','00000000-0000-4000-8000-000000000004',NULL,NULL);
INSERT INTO "audit_events" VALUES(29,'6bba31a44f6682a13fa6bff5cc54995eb9610bb7f8fd8fb73161d21d8959c7b0','12340beb113878e437a05d82a828d329d0325ecbe0b35c78a1e40a33ba851955','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"sign-in","http_method":"","url":"","entity_type":"users","entity_name":"","entity_id":"","result":"Succeeded","http_status_code":0,"metadata":{"session":"00000000-0000-4000-8000-000000000300"}}',1,1700000000000,'admin@reeve.example','user','','sign-in','','succeeded','','users','','',NULL,NULL);
INSERT INTO "audit_events" VALUES(30,'12340beb113878e437a05d82a828d329d0325ecbe0b35c78a1e40a33ba851955','fb146338d9fb5e6c4823bb61fddeb6e32bcf33b7f96361547bdb9bde737ec040','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"sign-in","http_method":"","url":"","entity_type":"users","entity_name":"","entity_id":"","result":"Succeeded","http_status_code":0,"metadata":{"session":"00000000-0000-4000-8000-000000000301"}}',1,1700000000000,'admin@reeve.example','user','','sign-in','','succeeded','','users','','',NULL,NULL);
INSERT INTO "audit_events" VALUES(31,'fb146338d9fb5e6c4823bb61fddeb6e32bcf33b7f96361547bdb9bde737ec040','a0ef85b1c981579afae4ab9622feec22d056a4b6a7c6571d4a66c932d8a67597','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"create","http_method":"","url":"","entity_type":"access-keys","entity_name":"notebook","entity_id":"00000000-0000-4000-8000-000000000050","result":"Succeeded","http_status_code":0,"metadata":{"owner":"alice@example.com"}}',1,1700000000000,'admin@reeve.example','user','','create','','succeeded','','access-keys','notebook','00000000-0000-4000-8000-000000000050',NULL,NULL);
INSERT INTO "audit_events" VALUES(32,'a0ef85b1c981579afae4ab9622feec22d056a4b6a7c6571d4a66c932d8a67597','fdc5662d94111634d8bafddd38d5c22ff77560556b421d85bde795a97e31f438','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"users","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":0,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','update','','succeeded','','users','alice@example.com','00000000-0000-4000-8000-000000000002',NULL,NULL);
INSERT INTO "audit_events" VALUES(33,'fdc5662d94111634d8bafddd38d5c22ff77560556b421d85bde795a97e31f438','d6ea2169d288c66edde34709443cd88dd984b0c5d2acb5b50eb0894211faf0e4','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"users","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":0,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','update','','succeeded','','users','alice@example.com','00000000-0000-4000-8000-000000000002',NULL,NULL);
INSERT INTO "audit_events" VALUES(34,'d6ea2169d288c66edde34709443cd88dd984b0c5d2acb5b50eb0894211faf0e4','736a133e4a27c3110703f176dba6817e0fb63930225c9a2d870ac52a3b4e40cc','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"users","entity_name":"alice@example.com","entity_id":"00000000-0000-4000-8000-000000000002","result":"Succeeded","http_status_code":0,"metadata":{"passkey_id":"00000000-0000-4000-8000-000000000060","passkey_name":"Laptop"}}',1,1700000000000,'admin@reeve.example','user','','update','','succeeded','','users','alice@example.com','00000000-0000-4000-8000-000000000002',NULL,NULL);
INSERT INTO "audit_events" VALUES(35,'736a133e4a27c3110703f176dba6817e0fb63930225c9a2d870ac52a3b4e40cc','d131b71e90ddb2062dacb1acd0ed449b29870aa5fc8843df4b7cb801a0320afc','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"update","http_method":"","url":"","entity_type":"cluster","entity_name":"Production","entity_id":"00000000-0000-4000-8000-00000000000a","result":"Succeeded","http_status_code":0,"metadata":{"enforcePreventPrivilegeEscalation_after":"true","enforcePreventPrivilegeEscalation_before":"none","enforceRunAsUser_after":"true","enforceRunAsUser_before":"none","kubernetesVersion_after":"\"v1.37.2\"","kubernetesVersion_before":"none","operatorVersion_after":"\"0.1.0\"","operatorVersion_before":"none","policyAlarms_after":"[]","policyAlarms_before":"none"}}',1,1700000000000,'admin@reeve.example','user','','update','','succeeded','','cluster','production','00000000-0000-4000-8000-00000000000a',NULL,NULL);
INSERT INTO "audit_events" VALUES(38,'f591aff7f58d8b1406641184477602f107aba51a314869803370faaee5dab4e9','d4457651d5c64f4498a6d0d16b3e3fd9a7785ed9a98ea963733d9b51b89729c8','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"sign-in","http_method":"","url":"","entity_type":"users","entity_name":"","entity_id":"","result":"Failed","http_status_code":0,"metadata":{}}',1,1700000000000,'admin@reeve.example','user','','sign-in','','failed','','users','','',NULL,NULL);
INSERT INTO "audit_events" VALUES(39,'d4457651d5c64f4498a6d0d16b3e3fd9a7785ed9a98ea963733d9b51b89729c8','f72affbc4d59f42a8681d304533c66d3d147018251afb15cf2672b1ffb5f910c','{"timestamp":"2023-11-14T22:13:20.000Z","request_id":"r","subject":"admin@reeve.example","subject_type":"User","action":"prune","http_method":"","url":"","entity_type":"audit","entity_name":"","entity_id":"","result":"Succeeded","http_status_code":0,"metadata":{"pruned":"36-37:d131b71e90ddb2062dacb1acd0ed449b29870aa5fc8843df4b7cb801a0320afc"}}',1,1700000000000,'admin@reeve.example','user','','delete','','succeeded','','audit','','',NULL,NULL);
CREATE TABLE audit_prunings (
    sequence BIGINT NOT NULL PRIMARY KEY
);
INSERT INTO "audit_prunings" VALUES(39);
CREATE TABLE authenticators (
    user_id TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    confirmed BOOLEAN NOT NULL,
    last_step BIGINT NOT NULL,
    wrong BIGINT NOT NULL,
    wrong_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
INSERT INTO "authenticators" VALUES('00000000-0000-4000-8000-000000000002','sealed authenticator',1,10,0,0,1700000000000);
CREATE TABLE cluster_revisions (
    cluster_id TEXT NOT NULL PRIMARY KEY REFERENCES clusters (id),
    revision BIGINT NOT NULL
, forgotten BIGINT NOT NULL DEFAULT 0);
INSERT INTO "cluster_revisions" VALUES('00000000-0000-4000-8000-00000000000a',11,0);
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
, kubernetes_endpoint TEXT, reported_endpoint TEXT, credential_number BIGINT NOT NULL DEFAULT 0, lowest_id BIGINT NOT NULL DEFAULT 1000, sealed_secret TEXT, connected_since BIGINT, wrong_since TEXT);
INSERT INTO "clusters" VALUES('00000000-0000-4000-8000-00000000000a','Production',NULL,NULL,'link hash','{"enforceRunAsUser":true,"enforcePreventPrivilegeEscalation":true,"kubernetesVersion":"v1.37.2","operatorVersion":"0.1.0","policyAlarms":[]}',1700000000000,1,1700000000000,'admin','{"server":"https://k8s.example","certificateAuthorityData":"Q0E="}',NULL,1,501,'sealed link',1700000000000,'{}');
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO "counters" VALUES('department',1);
INSERT INTO "counters" VALUES('project',2);
INSERT INTO "counters" VALUES('access_rule',4);
INSERT INTO "counters" VALUES('audit',39);
INSERT INTO "counters" VALUES('directory',28);
INSERT INTO "counters" VALUES('era',0);
INSERT INTO "counters" VALUES('custom_role',1001);
CREATE TABLE credential_assets (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    scope_type TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    cluster_id TEXT,
    department_id BIGINT,
    project_id BIGINT,
    shown TEXT NOT NULL,
    key_id BIGINT NOT NULL,
    sealed TEXT NOT NULL,
    stamp TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    update_count BIGINT NOT NULL,
    UNIQUE (scope_type, scope_id, name)
);
INSERT INTO "credential_assets" VALUES('00000000-0000-4000-8000-000000000200','password','token',NULL,'project','1','00000000-0000-4000-8000-00000000000a',1,1,'{"user":"u"}',1,'sealed values','stamp',1700000000000,'admin',1700000000000,'admin',0);
CREATE TABLE custom_roles (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    description TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    permission_sets TEXT NOT NULL,
    in_clusters_as BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
INSERT INTO "custom_roles" VALUES(1001,'Readers','readers','Read.',1,'["00000000-0000-4000-8000-000000000901"]',9,1700000000000,'admin',1700000000000,NULL);
CREATE TABLE deleted_clusters (
    id TEXT NOT NULL PRIMARY KEY,
    credential TEXT NOT NULL,
    deleted_at BIGINT NOT NULL
);
INSERT INTO "deleted_clusters" VALUES('00000000-0000-4000-8000-00000000000b','hash',1700000000000);
CREATE TABLE departments (
    id BIGINT NOT NULL PRIMARY KEY,
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    name TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL, description_folded TEXT, updated_at BIGINT, updated_by TEXT,
    UNIQUE (cluster_id, name)
);
INSERT INTO "departments" VALUES(1,'00000000-0000-4000-8000-00000000000a','vision','{"description":"vision"}',1700000000000,'admin','vision',NULL,NULL);
CREATE TABLE desired_objects (
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    body TEXT,
    PRIMARY KEY (cluster_id, kind, object_id)
);
INSERT INTO "desired_objects" VALUES('00000000-0000-4000-8000-00000000000a','access-rule','1',1,'{"kind":"AccessRule","spec":{"id":1,"subject":{"kind":"user","name":"admin@reeve.example"},"role":"system-administrator","scope":{"type":"cluster"}}}');
INSERT INTO "desired_objects" VALUES('00000000-0000-4000-8000-00000000000a','project','1',4,'{"kind":"Project","spec":{"id":"1","name":"robots","departmentId":"1","namespace":"reeve-robots","workloadLimits":{"training":"gpus=0,4,1=tenant"}}}');
INSERT INTO "desired_objects" VALUES('00000000-0000-4000-8000-00000000000a','project','2',9,NULL);
INSERT INTO "desired_objects" VALUES('00000000-0000-4000-8000-00000000000a','access-rule','2',5,'{"kind":"AccessRule","spec":{"id":2,"subject":{"kind":"user","name":"alice@example.com"},"role":"l1-researcher","scope":{"type":"project","id":"1"}}}');
INSERT INTO "desired_objects" VALUES('00000000-0000-4000-8000-00000000000a','access-rule','3',7,NULL);
INSERT INTO "desired_objects" VALUES('00000000-0000-4000-8000-00000000000a','access-rule','4',8,'{"kind":"AccessRule","spec":{"id":4,"subject":{"kind":"group","name":"ml"},"role":"viewer","scope":{"type":"cluster"}}}');
INSERT INTO "desired_objects" VALUES('00000000-0000-4000-8000-00000000000a','credential','00000000-0000-4000-8000-000000000200',10,'{"kind":"Credential","spec":{"id":"00000000-0000-4000-8000-000000000200","name":"token","kind":"password","scope":{"type":"project","id":"1"},"stamp":"stamp"}}');
INSERT INTO "desired_objects" VALUES('00000000-0000-4000-8000-00000000000a','workload','00000000-0000-4000-8000-000000000100',11,'{"kind":"Workload","spec":{"id":"00000000-0000-4000-8000-000000000100","name":"train","projectId":"1","submittedBy":"alice@example.com","image":"image","command":["sh"],"args":[],"environment":[["A","b"]],"gpus":1,"createHomeDir":false,"preventPrivilegeEscalation":true,"expandVariables":false,"passwdEntry":false,"largeShm":false,"stdin":false,"tty":false}}');
CREATE TABLE device_codes (
    device_code TEXT NOT NULL PRIMARY KEY,
    user_code TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    address TEXT,
    network TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    polled_at BIGINT NOT NULL,
    pause BIGINT NOT NULL,
    early BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    session_id TEXT
);
INSERT INTO "device_codes" VALUES('device','user code','reeve-cli','192.0.2.7','192.0.2.0/24',1700000000000,1700000600000,0,5,0,'waits',NULL);
CREATE TABLE directory_changes (
    number BIGINT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
, tag TEXT NOT NULL DEFAULT '', decides BOOLEAN NOT NULL DEFAULT TRUE);
INSERT INTO "directory_changes" VALUES(1,'[{"signingKeys":[{"id":"k1","usage":"current","published":"2023-11-14T22:13:20.000Z","since":"2023-11-14T22:13:20.000Z"},{"id":"k2","usage":"next","published":"2023-11-14T22:13:20.000Z","since":"2023-11-14T22:13:20.000Z"}]},{"user":{"id":"00000000-0000-4000-8000-000000000001","email":"admin@reeve.example","posix":null}},{"rule":{"id":1,"subjectKind":"user","subject":"admin@reeve.example","roleId":1,"scope":["tenant","1"]}}]','32b1efd83585aecfb9e4e01ed54418cc',1);
INSERT INTO "directory_changes" VALUES(2,'[{"cluster":{"id":"00000000-0000-4000-8000-00000000000a","name":"Production","revision":0,"appliedRevision":0,"settings":null,"endpoint":null,"credential":0,"lowestId":1000}},{"revisions":[["00000000-0000-4000-8000-00000000000a",1]]}]','40f3e2bb5f1c6a106375b7fdf6893911',1);
INSERT INTO "directory_changes" VALUES(3,'[{"cluster":{"id":"00000000-0000-4000-8000-00000000000b","name":"gone","revision":0,"appliedRevision":0,"settings":null,"endpoint":null,"credential":0,"lowestId":1000}},{"revisions":[["00000000-0000-4000-8000-00000000000b",1]]}]','f86d2d3621b3bea9180246f74ec02a5f',1);
INSERT INTO "directory_changes" VALUES(4,'[{"department":{"id":"1","clusterId":"00000000-0000-4000-8000-00000000000a","name":"vision"}}]','7fe51cc9c53fd3d55fbaa4394ebe2fc1',1);
INSERT INTO "directory_changes" VALUES(5,'[{"project":{"id":"1","departmentId":"1","clusterId":"00000000-0000-4000-8000-00000000000a","name":"robots"}},{"revisions":[["00000000-0000-4000-8000-00000000000a",2]]}]','9c5ef545d40bde28751a5ec353378797',1);
INSERT INTO "directory_changes" VALUES(6,'[{"project":{"id":"2","departmentId":"1","clusterId":"00000000-0000-4000-8000-00000000000a","name":"gone"}},{"revisions":[["00000000-0000-4000-8000-00000000000a",3]]}]','193a379ec9e49be3250f7bb7d81064c6',1);
INSERT INTO "directory_changes" VALUES(7,'[{"cluster":{"id":"00000000-0000-4000-8000-00000000000a","name":"Production","revision":3,"appliedRevision":0,"settings":null,"endpoint":null,"credential":0,"lowestId":501}}]','34a57c21f61481bc5d3ec73e24d2117a',1);
INSERT INTO "directory_changes" VALUES(8,'[{"cluster":{"id":"00000000-0000-4000-8000-00000000000a","name":"Production","revision":3,"appliedRevision":0,"settings":null,"endpoint":{"server":"https://k8s.example","certificateAuthorityData":"Q0E="},"credential":0,"lowestId":501}}]','1634ff9cb3fcfadf598b534763852b05',1);
INSERT INTO "directory_changes" VALUES(9,'[{"cluster":{"id":"00000000-0000-4000-8000-00000000000a","name":"Production","revision":3,"appliedRevision":0,"settings":null,"endpoint":{"server":"https://k8s.example","certificateAuthorityData":"Q0E="},"credential":1,"lowestId":501}}]','4c55e692518dd743e37c3377bc78c04d',1);
INSERT INTO "directory_changes" VALUES(10,'[{"role":{"id":1001,"name":"Readers","description":"Read.","enabled":true,"permissionSets":["00000000-0000-4000-8000-000000000901"],"inClustersAs":9,"createdAt":"2023-11-14T22:13:20.000Z","createdBy":"admin","updatedAt":"2023-11-14T22:13:20.000Z"}}]','1a2ca5170c3a08c8b3fea2bec182eb63',1);
INSERT INTO "directory_changes" VALUES(11,'[{"policy":{"scope":["tenant","1"],"kind":"training","policy":{"rules":{"compute":{"gpuDevicesRequest":{"max":4}}}}}},{"revisions":[["00000000-0000-4000-8000-00000000000a",4]]}]','159dd85a5babc2e009ae77aaf4ddfc13',1);
INSERT INTO "directory_changes" VALUES(12,'[{"user":{"id":"00000000-0000-4000-8000-000000000002","email":"alice@example.com","posix":{"uid":70012,"gid":5000,"supplementaryGroups":[5001]}}}]','78478fffede588d0822b979622726fe8',1);
INSERT INTO "directory_changes" VALUES(13,'[{"user":{"id":"00000000-0000-4000-8000-000000000003","email":"bob@example.com","posix":null}}]','e4586970d649d7de0d08073d257dff47',1);
INSERT INTO "directory_changes" VALUES(14,'[{"serviceAccount":{"id":"00000000-0000-4000-8000-000000000014","name":"ci","enabled":true}}]','e69df07ce6b3b03bf0797d51199d395d',1);
INSERT INTO "directory_changes" VALUES(15,'[{"rule":{"id":2,"subjectKind":"user","subject":"alice@example.com","roleId":5,"scope":["project","1"]}},{"revisions":[["00000000-0000-4000-8000-00000000000a",5]]}]','95b8b31d62a998fc454cdec1a6cd72ca',1);
INSERT INTO "directory_changes" VALUES(16,'[{"rule":{"id":3,"subjectKind":"group","subject":"ml","roleId":9,"scope":["department","1"]}},{"revisions":[["00000000-0000-4000-8000-00000000000a",6]]}]','e26c520bb6d7f9e93ef53bc9ca371bea',1);
INSERT INTO "directory_changes" VALUES(17,'[{"rulesDeleted":[3]},{"revisions":[["00000000-0000-4000-8000-00000000000a",7]]}]','9cda07e3418e9ccf0f84b7b854e2f6a9',1);
INSERT INTO "directory_changes" VALUES(18,'[{"rule":{"id":4,"subjectKind":"group","subject":"ml","roleId":9,"scope":["tenant","1"]}},{"revisions":[["00000000-0000-4000-8000-00000000000a",8],["00000000-0000-4000-8000-00000000000b",2]]}]','566fd7e5ec0f1810eff86822cd1f3389',1);
INSERT INTO "directory_changes" VALUES(19,'[{"session":{"id":"00000000-0000-4000-8000-0000000dbba0","subject":{"user":"00000000-0000-4000-8000-000000000003"},"until":"2023-11-14T23:13:20.000Z","byPassword":true}}]','18f34611a9082b07753cc2d969c7c8a1',1);
INSERT INTO "directory_changes" VALUES(20,'[{"userDeleted":"00000000-0000-4000-8000-000000000003"},{"sessionsEnded":["00000000-0000-4000-8000-0000000dbba0"]}]','a834760fdd394df74d18dbe46baa5692',1);
INSERT INTO "directory_changes" VALUES(21,'[{"scopeDeleted":["project","2"]},{"revisions":[["00000000-0000-4000-8000-00000000000a",9]]}]','b6244d14edaf6d21de3cb8e1fdc54210',1);
INSERT INTO "directory_changes" VALUES(22,'[{"scopeDeleted":["cluster","00000000-0000-4000-8000-00000000000b"]}]','53d6eeb101d318493189861e92316282',1);
INSERT INTO "directory_changes" VALUES(23,'[{"revisions":[["00000000-0000-4000-8000-00000000000a",10]]}]','0bfb23e3d2802d2ed4de3e0ca3ce2b53',0);
INSERT INTO "directory_changes" VALUES(24,'[{"revisions":[["00000000-0000-4000-8000-00000000000a",11]]}]','390bf4cb287a48a53d794933bf176e44',0);
INSERT INTO "directory_changes" VALUES(25,'[{"user":{"id":"00000000-0000-4000-8000-000000000004","email":"anna@example.com","posix":null}}]','b17553d43ea3d485c5be2aa614ed61d7',1);
INSERT INTO "directory_changes" VALUES(26,'[{"session":{"id":"00000000-0000-4000-8000-000000000300","subject":{"user":"00000000-0000-4000-8000-000000000004"},"groups":["ml"],"posix":{"uid":80000,"gid":5000,"supplementaryGroups":[]},"until":"2023-11-14T23:13:20.000Z"}}]','b8bb3e70d9ee2f32f88aba055cb1beec',1);
INSERT INTO "directory_changes" VALUES(27,'[{"session":{"id":"00000000-0000-4000-8000-000000000301","subject":{"user":"00000000-0000-4000-8000-000000000002"},"until":"2023-11-14T23:13:20.000Z","byPassword":true}}]','843e2a6c6e85b5d189ff9383d6d8827b',1);
INSERT INTO "directory_changes" VALUES(28,'[{"cluster":{"id":"00000000-0000-4000-8000-00000000000a","name":"Production","revision":11,"appliedRevision":1,"settings":{"enforceRunAsUser":true,"enforcePreventPrivilegeEscalation":true,"kubernetesVersion":"v1.37.2","operatorVersion":"0.1.0","policyAlarms":[]},"endpoint":{"server":"https://k8s.example","certificateAuthorityData":"Q0E="},"credential":1,"lowestId":501}}]','1ce501b86450c5f95f71edd3bb78adfe',1);
CREATE TABLE former_emails (
    email TEXT NOT NULL PRIMARY KEY,
    deleted_at BIGINT NOT NULL
);
INSERT INTO "former_emails" VALUES('bob@example.com',1700000000000);
CREATE TABLE former_namespaces (
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    namespace TEXT NOT NULL,
    department_id BIGINT NOT NULL,
    PRIMARY KEY (cluster_id, namespace)
);
INSERT INTO "former_namespaces" VALUES('00000000-0000-4000-8000-00000000000a','reeve-gone',1);
CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL,
    alias TEXT NOT NULL,
    email TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
INSERT INTO "identities" VALUES('https://idp.test','anna','00000000-0000-4000-8000-000000000004','corp','anna@example.com',1700000000000);
CREATE TABLE identity_providers (
    alias TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    settings TEXT NOT NULL,
    sealed TEXT NOT NULL,
    mappers TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
INSERT INTO "identity_providers" VALUES('corp','oidc','{"clientId":"reeve"}','sealed client','{"email":"email"}',1700000000000,1700000000000);
CREATE TABLE installation (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO "installation" VALUES('name','value');
CREATE TABLE object_status (
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    message TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (cluster_id, kind, object_id)
);
INSERT INTO "object_status" VALUES('00000000-0000-4000-8000-00000000000a','project','1','Ready','',1700000000000);
CREATE TABLE passkeys (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    credential TEXT NOT NULL,
    public_key TEXT NOT NULL,
    counter BIGINT NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    backed_up BOOLEAN NOT NULL,
    suspended BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    last_used BIGINT
);
INSERT INTO "passkeys" VALUES('00000000-0000-4000-8000-000000000060','00000000-0000-4000-8000-000000000002','Laptop','credential','key',3,1,0,0,1700000000000,NULL);
CREATE TABLE projects (
    id BIGINT NOT NULL PRIMARY KEY,
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    department_id BIGINT NOT NULL REFERENCES departments (id),
    name TEXT NOT NULL,
    namespace TEXT NOT NULL,
    namespace_requested BOOLEAN NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL, allow_networking BIGINT, updated_at BIGINT, updated_by TEXT, description_folded TEXT, pod_rules TEXT, workload_limits TEXT,
    UNIQUE (cluster_id, name)
);
INSERT INTO "projects" VALUES(1,'00000000-0000-4000-8000-00000000000a',1,'robots','reeve-robots',0,'{}',1700000000000,'admin',NULL,NULL,NULL,'',NULL,'{"training":"gpus=0,4,1=tenant"}');
CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (user_id, code)
);
INSERT INTO "recovery_codes" VALUES('00000000-0000-4000-8000-000000000002','code a');
INSERT INTO "recovery_codes" VALUES('00000000-0000-4000-8000-000000000002','code b');
CREATE TABLE revision_tokens (
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    revision BIGINT NOT NULL,
    token TEXT NOT NULL,
    PRIMARY KEY (cluster_id, revision)
);
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',0,'e6c0618c9c10820e3cf2a57390aeebd0');
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',1,'7537faac7760eeefd7244db766bddba1');
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',2,'7fd9b5664e4468ec10a268a8b36d41db');
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',3,'b8fe9a53039a665155ed24e4e8d51775');
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',4,'80c795fada2cee50ee01be2bd90f1c7c');
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',5,'1537c13c213f3bdef8953399867727fa');
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',6,'a3102b1f5582a6919da21fe07b24f887');
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',7,'b9cde16c44e408bceaff84daaf35943d');
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',8,'fa8e4449039f3b6171f4e444582d4ca6');
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',9,'ef8c41389382f1ef635355e7b4154006');
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',10,'f6cb7e54d2a24926adedfd725371bb1f');
INSERT INTO "revision_tokens" VALUES('00000000-0000-4000-8000-00000000000a',11,'d830031b74e51d897c1a725831ff1289');
CREATE TABLE secret_assets (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    scope_type TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    cluster_id TEXT,
    department_id BIGINT,
    project_id BIGINT,
    credential_id TEXT NOT NULL,
    mount_path TEXT,
    default_mode TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    update_count BIGINT NOT NULL,
    UNIQUE (scope_type, scope_id, name)
);
INSERT INTO "secret_assets" VALUES('00000000-0000-4000-8000-000000000210','keys','Of the build.','project','1','00000000-0000-4000-8000-00000000000a',1,1,'00000000-0000-4000-8000-000000000200','/keys','0440',1700000000000,'admin',1700000000000,'admin',0);
CREATE TABLE security_settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO "security_settings" VALUES('deviceAuthorization','true');
CREATE TABLE service_accounts (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_login BIGINT);
INSERT INTO "service_accounts" VALUES('00000000-0000-4000-8000-000000000014','ci','hash',1,1700000000000,'admin',1700000000000,NULL);
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    method TEXT NOT NULL,
    group_names TEXT NOT NULL,
    posix TEXT,
    created_at BIGINT NOT NULL,
    refreshed_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    ended_at BIGINT
, provider TEXT, renewal TEXT, checked_at BIGINT, access_key TEXT, behind TEXT, refresh_token TEXT, refresh_before TEXT, refresh_client TEXT, refresh_at BIGINT, refresh_until BIGINT);
INSERT INTO "sessions" VALUES('00000000-0000-4000-8000-0000000dbba0','user','00000000-0000-4000-8000-000000000003','password','[]',NULL,1700000000000,1700000000000,1700003600000,1700000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "sessions" VALUES('00000000-0000-4000-8000-000000000300','user','00000000-0000-4000-8000-000000000004','identity-provider','["ml"]','{"uid":80000,"gid":5000,"supplementaryGroups":[]}',1700000000000,1700000000000,1700003600000,NULL,'corp','sealed renewal',1700000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "sessions" VALUES('00000000-0000-4000-8000-000000000301','user','00000000-0000-4000-8000-000000000002','password','[]',NULL,1700000000000,1700000000000,1700003600000,NULL,NULL,NULL,NULL,NULL,NULL,'token-1',NULL,'reeve-cli',1700000000000,1700000600000);
CREATE TABLE signing_keys (
    id TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL,
    key_use TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    since BIGINT NOT NULL
);
INSERT INTO "signing_keys" VALUES('k1','sealed','current',1700000000000,1700000000000);
INSERT INTO "signing_keys" VALUES('k2','sealed','next',1700000000000,1700000000000);
CREATE TABLE used_once (
    id TEXT NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
);
INSERT INTO "used_once" VALUES('something',1700000600000);
CREATE TABLE used_uids (
    uid BIGINT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL
, event BIGINT NOT NULL DEFAULT 0, left_at BIGINT NOT NULL DEFAULT 0);
INSERT INTO "used_uids" VALUES(70012,'00000000-0000-4000-8000-000000000002',12,0);
INSERT INTO "used_uids" VALUES(80000,'00000000-0000-4000-8000-000000000004',29,0);
CREATE TABLE user_code_guesses (
    who TEXT NOT NULL PRIMARY KEY,
    wrong BIGINT NOT NULL,
    since BIGINT NOT NULL
);
INSERT INTO "user_code_guesses" VALUES('user:00000000-0000-4000-8000-000000000002',1,1700000000000);
INSERT INTO "user_code_guesses" VALUES('network:192.0.2.0/24',1,1700000000000);
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    password TEXT,
    posix TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_login BIGINT, group_names TEXT, wrong_passwords BIGINT NOT NULL DEFAULT 0, wrong_since BIGINT NOT NULL DEFAULT 0, temporary_password BOOLEAN NOT NULL DEFAULT FALSE);
INSERT INTO "users" VALUES('00000000-0000-4000-8000-000000000001','admin@reeve.example','hash',NULL,1700000000000,'system',1700000000000,NULL,NULL,0,0,0);
INSERT INTO "users" VALUES('00000000-0000-4000-8000-000000000002','alice@example.com','hash','{"uid":70012,"gid":5000,"supplementaryGroups":[5001]}',1700000000000,'admin',1700000000000,1700000000000,'[]',2,1700000000000,0);
INSERT INTO "users" VALUES('00000000-0000-4000-8000-000000000004','anna@example.com',NULL,NULL,1700000000000,'identity provider corp',1700000000000,1700000000000,'["ml"]',0,0,0);
CREATE TABLE workload_policies (
    id TEXT NOT NULL PRIMARY KEY,
    scope_type TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    policy TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (scope_type, scope_id, kind)
);
INSERT INTO "workload_policies" VALUES('00000000-0000-4000-8000-000000000900','tenant','1','training','hardening','{"rules":{"compute":{"gpuDevicesRequest":{"max":4}}}}',1700000000000,'admin',1700000000000,'admin');
CREATE TABLE workload_requests (
    workload_id TEXT NOT NULL PRIMARY KEY REFERENCES workloads (id) ON DELETE CASCADE,
    request TEXT NOT NULL
);
INSERT INTO "workload_requests" VALUES('00000000-0000-4000-8000-000000000100','{"image":"image"}');
CREATE TABLE workloads (
    id TEXT NOT NULL PRIMARY KEY,
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    project_id BIGINT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    submitted_by TEXT NOT NULL,
    created_at BIGINT NOT NULL, image TEXT NOT NULL DEFAULT '',
    UNIQUE (project_id, name)
);
INSERT INTO "workloads" VALUES('00000000-0000-4000-8000-000000000100','00000000-0000-4000-8000-00000000000a',1,'train','alice@example.com',1700000000000,'image');
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
CREATE INDEX sessions_subject ON sessions (subject_kind, subject_id);
CREATE INDEX sessions_ends ON sessions (ends_at);
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
CREATE INDEX credential_assets_cluster ON credential_assets (cluster_id);
CREATE INDEX credential_assets_department ON credential_assets (department_id);
CREATE INDEX credential_assets_project ON credential_assets (project_id);
CREATE INDEX credential_assets_key ON credential_assets (key_id);
CREATE INDEX identities_user ON identities (user_id);
CREATE INDEX used_once_until ON used_once (until);
CREATE INDEX sessions_checked ON sessions (checked_at);
CREATE INDEX audit_events_at ON audit_events (at, sequence);
CREATE INDEX audit_events_unfilled ON audit_events (sequence) WHERE at IS NULL;
CREATE UNIQUE INDEX custom_roles_name ON custom_roles (name_folded) WHERE deleted_at IS NULL;
CREATE INDEX secret_assets_cluster ON secret_assets (cluster_id);
CREATE INDEX secret_assets_department ON secret_assets (department_id);
CREATE INDEX secret_assets_project ON secret_assets (project_id);
CREATE UNIQUE INDEX passkeys_by_credential ON passkeys (credential);
CREATE UNIQUE INDEX passkeys_by_user ON passkeys (user_id, name);
COMMIT;
