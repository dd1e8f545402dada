//! `reeve apply` where something of the file is there already, and `reeve user offboard` of what somebody made.

use serde_json::{Value, json};

use crate::admin::{USER, cluster, department, user};
use crate::receiver::{CLUSTER, Call, Receiver, project, text};

const ORGANIZATION: &str = "
departments:
- name: vision
  description: Everything with cameras
  projects:
  - {name: robots, description: Arms and legs, namespace: robots}
users:
- email: erin@example.com
  posix: {uid: 61001, gid: 5000, supplementaryGroups: [5001]}
";

/// What the control plane has of it.
fn there(receiver: &Receiver, departments: &[&Value], projects: &[&Value]) {
    receiver.answers(
        "GET /api/v1/org-unit/departments",
        200,
        json!({"departments": departments}),
    );
    receiver.answers(
        "GET /api/v1/org-unit/projects",
        200,
        json!({"projects": projects}),
    );
}

fn writes(calls: Vec<Call>) -> Vec<(String, Value)> {
    let writes = calls.into_iter().filter(|call| !call.line.starts_with("GET"));
    writes.map(|call| (call.line, call.body)).collect()
}

/// Planted faults: what differs is "there"; a change that drops the quotas it does not name; the change done without `--yes`; a
/// namespace that is sent to nobody and said to change.
#[tokio::test]
async fn what_differs_is_changed_where_it_can_be_and_named_where_it_stays() {
    let receiver = Receiver::signed_in().await;
    let path = receiver.home().join("org.yaml");
    std::fs::write(&path, ORGANIZATION).unwrap();
    let file = path.to_str().unwrap();
    let mut vision = department("2", CLUSTER);
    vision["resources"] = json!([{"gpu": {"deserved": 4.0}}]);
    let mut robots = project();
    robots["enforceRunaiScheduler"] = json!(false);
    receiver.answers("GET /api/v1/clusters", 200, json!([cluster()]));
    there(&receiver, &[&vision], &[&robots]);
    receiver.answers("GET /api/v1/users", 200, json!([user()]));
    receiver.answers("PUT /api/v1/org-unit/departments/2", 200, vision.clone());
    receiver.answers("PUT /api/v1/org-unit/projects/33", 200, robots.clone());
    receiver.answers(&format!("PUT /api/v1/users/{USER}/posix"), 200, user());

    let plan = receiver.shown(&["apply", "-f", file]).await;
    assert_eq!(writes(receiver.calls()), []);
    let done = receiver.shown(&["apply", "-f", file, "--yes"]).await;
    insta::assert_snapshot!(format!("{plan}\n{done}"));
    let asked = writes(receiver.calls());
    let lines: Vec<&str> = asked.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "PUT /api/v1/org-unit/departments/2",
            "PUT /api/v1/org-unit/projects/33",
            &format!("PUT /api/v1/users/{USER}/posix"),
        ]
    );
    assert_eq!(
        (
            &asked[0].1["description"],
            &asked[0].1["resources"][0]["gpu"]["deserved"]
        ),
        (&json!("Everything with cameras"), &json!(4.0)),
        "what the file does not name is sent as it was"
    );
    assert_eq!(
        (&asked[1].1["description"], &asked[1].1["enforceRunaiScheduler"]),
        (&json!("Arms and legs"), &json!(false))
    );
    assert_eq!(
        asked[2].1,
        json!({"uid": 61001, "gid": 5000, "supplementaryGroups": [5001]})
    );

    // As it is to be, but the namespace: nothing is done, and that is said.
    vision["description"] = json!("Everything with cameras");
    robots["description"] = json!("Arms and legs");
    let mut erin = user();
    erin["posix"] = json!({"uid": 61001, "gid": 5000, "supplementaryGroups": [5001]});
    there(&receiver, &[&vision], &[&robots]);
    receiver.answers("GET /api/v1/users", 200, json!([erin]));
    let again = receiver.run(&["apply", "-f", file, "--yes", "-o", "json"]).await;
    let again: Value = serde_json::from_str(&text(&again.stdout)).unwrap();
    let left = json!([{"kind": "project", "name": "robots", "field": "namespace", "before": "reeve-robots", "after": "robots"}]);
    assert_eq!(again, json!({"applied": false, "steps": [], "left": left}));
    let said = receiver.shown(&["apply", "-f", file]).await;
    assert!(
        said.contains("exit 0")
            && said.contains("it never changes")
            && said.contains("nothing to do: the rest is there"),
        "{said}"
    );
    assert_eq!(writes(receiver.calls()), []);
}

/// Whoever administers a project sees of its department the name: nothing is planned of what is not shown. Planted fault: it is compared.
#[tokio::test]
async fn a_department_of_which_the_name_alone_is_shown_is_not_compared() {
    let receiver = Receiver::signed_in().await;
    let path = receiver.home().join("org.yaml");
    std::fs::write(&path, "departments: [{name: vision, description: Everything}]").unwrap();
    let mut vision = department("2", CLUSTER);
    vision["createdBy"] = json!("");
    receiver.answers("GET /api/v1/clusters", 200, json!([cluster()]));
    there(&receiver, &[&vision], &[]);
    let said = receiver
        .shown(&["apply", "-f", path.to_str().unwrap(), "--yes"])
        .await;
    assert!(said.contains("nothing to do: all of it is there"), "{said}");
    assert_eq!(writes(receiver.calls()), []);
}

/// Planted faults: credentials go without being asked for; what somebody made is not named.
#[tokio::test]
async fn what_somebody_made_is_named_and_credentials_go_when_that_is_said() {
    let receiver = Receiver::signed_in().await;
    let done = json!({"dryRun": true, "username": "erin@example.com", "id": USER, "sessions": 0, "accessRules": [], "workloads": [],
        "credentials": [{"id": USER, "name": "registry", "kind": "dockerRegistry", "scopeType": "tenant", "scopeId": "1",
            "scopeName": "account"}],
        "applications": [{"id": USER, "name": "ci"}],
        "left": {"user": true, "accessRules": 0, "sessions": 0, "workloads": 0, "credentials": 1}});
    receiver.answers("POST /api/v1/offboarding", 200, done);
    let offboard = [
        "user",
        "offboard",
        "erin@example.com",
        "--workloads",
        "leave",
        "--dry-run",
    ];
    insta::assert_snapshot!(receiver.shown(&offboard).await);
    let asked = json!({"user": "erin@example.com", "workloads": "leave", "dryRun": true});
    assert_eq!(
        receiver.calls()[0].body,
        asked,
        "an older control plane takes it, too"
    );
    let more = [&offboard[..], &["--credentials", "delete"]].concat();
    receiver.run(&more).await;
    assert_eq!(receiver.calls()[0].body["credentials"], "delete");
}
