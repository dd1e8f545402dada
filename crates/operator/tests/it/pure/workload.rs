use std::sync::Arc;

use reeve_crds::{
    Phase, ReeveConfigSpec, SecretCopy, SecretState, SecretVolumeSpec, Workload, WorkloadStatus,
};
use reeve_kube_kit::ReconcileError;
use reeve_link::desired::DesiredObject;
use reeve_operator::cached::{CachedJob, CachedPod};
use reeve_operator::controllers::workload::{Dereferenced, Observed, Step, decide};
use serde_json::{Value, json};

use super::project_index::object;

fn train() -> Workload {
    let DesiredObject::Workload(workload) = crate::rig::workload(1, "train", 3) else {
        unreachable!()
    };
    let mut object = Workload::desired(&workload, "reeve-robots");
    object.metadata.uid = Some("w1".into());
    object
}

fn view() -> Dereferenced {
    let project = object(3, "robots", "reeve-robots").checked().unwrap();
    Dereferenced {
        project: Some(Arc::new(project)),
        job: None,
        pods: Vec::new(),
        settings: ReeveConfigSpec::default(),
        node_pool: None,
        secrets: Vec::new(),
    }
}

const CREDENTIAL: &str = "123e4567-e89b-12d3-a456-426614174001";

/// `train` with the Secret `token` of that credential.
fn mounting() -> Workload {
    let mut object = train();
    object.spec.secret_volumes = vec![SecretVolumeSpec {
        credential_id: CREDENTIAL.to_owned(),
        secret: "token".to_owned(),
        mount_path: "/etc/keys".to_owned(),
        default_mode: "0444".to_owned(),
    }];
    object
}

fn copy(from: &str, state: SecretState, message: &str) -> SecretCopy {
    SecretCopy {
        name: "token".to_owned(),
        from: from.to_owned(),
        state,
        message: message.to_owned(),
        version: String::new(),
    }
}

/// Planted faults: a Job that is made before the copy is there; one that mounts what another source of that name is; a wait that does not
/// say for what.
#[test]
fn a_job_is_made_when_the_copy_of_its_credential_is_there() {
    let ours = format!("reeve-secrets/credential-{CREDENTIAL}");
    let with = |secrets: Vec<SecretCopy>| Dereferenced { secrets, ..view() };
    let waits = |view: &Dereferenced| {
        let error = decide(&mounting(), view).unwrap_err();
        assert_eq!(error.reason(), "WaitsForSecret");
        error.to_string()
    };
    let none = waits(&view());
    assert!(
        none.contains("`token`") && none.contains("not in this namespace"),
        "{none}"
    );
    let taken = copy(
        &ours,
        SecretState::Conflict,
        "a Secret of this name is in the way",
    );
    assert!(
        waits(&with(vec![taken])).ends_with("`token`, which it mounts: a Secret of this name is in the way")
    );
    let shadowed = copy(&ours, SecretState::NotCopied, "comes first");
    let other = copy("reeve-secrets/by-hand", SecretState::Copied, "");
    assert!(waits(&with(vec![other.clone(), shadowed])).ends_with("comes first"));
    assert!(waits(&with(vec![other])).contains("another one has its name"));
    let there = with(vec![copy(&ours, SecretState::Copied, "")]);
    let Step::Make(job) = decide(&mounting(), &there).unwrap() else {
        panic!("nothing is in the way")
    };
    let volumes = job.spec.unwrap().template.spec.unwrap().volumes.unwrap();
    let secret = volumes.iter().find_map(|volume| volume.secret.as_ref()).unwrap();
    assert_eq!(secret.secret_name.as_deref(), Some("token"));
    // Who mounts none waits for none.
    assert!(matches!(decide(&train(), &view()).unwrap(), Step::Make(_)));
}

/// A credential that goes after the Job was made: the kubelet keeps the pod, and says why in an event alone.
#[test]
fn a_pod_that_waits_for_a_secret_says_so() {
    let waiting = json!({"phase": "Pending", "containerStatuses": [{"name": "train", "image": "i", "imageID": "", "ready": false,
        "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}]});
    let view = Dereferenced {
        job: job(owner("w1"), json!({})),
        pods: vec![pod("j1", waiting)],
        ..view()
    };
    let observed = reported(&mounting(), &view);
    assert_eq!(observed.phase, Phase::Pending);
    assert!(
        observed.message.contains("the Secret `token`"),
        "{}",
        observed.message
    );
    assert_eq!(reported(&train(), &view).message, "");
}

fn job(owner: Value, status: Value) -> Option<Arc<CachedJob>> {
    let owners = if owner.is_null() {
        json!([])
    } else {
        json!([owner])
    };
    let labels = json!({"reeve.dev/workload-id": train().spec.id});
    let meta = json!({"name": "train", "uid": "j1", "labels": labels, "ownerReferences": owners});
    Some(Arc::new(
        serde_json::from_value(json!({"metadata": meta, "status": status})).unwrap(),
    ))
}

fn owner(uid: &str) -> Value {
    json!({"apiVersion": "reeve.dev/v1alpha1", "kind": "Workload", "name": "train", "uid": uid, "controller": true})
}

fn pod(owner: &str, status: Value) -> Arc<CachedPod> {
    let owner =
        json!({"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": owner, "controller": true});
    Arc::new(
        serde_json::from_value(
            json!({"metadata": {"name": "p", "ownerReferences": [owner]}, "status": status}),
        )
        .unwrap(),
    )
}

fn reported(workload: &Workload, view: &Dereferenced) -> Observed {
    match decide(workload, view).unwrap() {
        Step::Report(observed) => observed,
        Step::Make(job) => panic!("{job:?}"),
    }
}

#[test]
fn a_new_workload_gets_a_job_and_one_whose_job_is_gone_does_not() {
    assert!(matches!(decide(&train(), &view()).unwrap(), Step::Make(_)));
    let mut ran = train();
    ran.status = Some(WorkloadStatus {
        phase: Some(Phase::Running),
        job_uid: Some("j1".into()),
        ..WorkloadStatus::default()
    });
    let observed = reported(&ran, &view());
    assert_eq!(
        (observed.phase, observed.message.contains("was deleted")),
        (Phase::Failed, true)
    );
    // What has ended stays ended, whatever is found.
    ran.status = Some(WorkloadStatus {
        phase: Some(Phase::Completed),
        job_uid: Some("j1".into()),
        ..WorkloadStatus::default()
    });
    assert_eq!(reported(&ran, &view()).phase, Phase::Completed);
}

#[test]
fn what_is_in_the_way_is_named() {
    let reason = |workload: &Workload, view: &Dereferenced| decide(workload, view).unwrap_err().reason();
    assert_eq!(
        reason(
            &train(),
            &Dereferenced {
                project: None,
                ..view()
            }
        ),
        "NoProject"
    );
    let elsewhere = object(3, "robots", "reeve-other").checked().unwrap();
    assert_eq!(
        reason(
            &train(),
            &Dereferenced {
                project: Some(Arc::new(elsewhere)),
                ..view()
            }
        ),
        "NoProject"
    );
    assert_eq!(
        reason(
            &train(),
            &Dereferenced {
                job: job(Value::Null, json!({})),
                ..view()
            }
        ),
        "JobInTheWay"
    );
    assert_eq!(
        reason(
            &train(),
            &Dereferenced {
                job: job(owner("w0"), json!({})),
                ..view()
            }
        ),
        "OldJobGoes"
    );
    let mut nobody = train();
    nobody.spec.identity = None;
    assert_eq!(reason(&nobody, &view()), "NoIdentity");
    let lax = ReeveConfigSpec {
        enforce_run_as_user: false,
        ..ReeveConfigSpec::default()
    };
    assert!(matches!(
        decide(
            &nobody,
            &Dereferenced {
                settings: lax,
                ..view()
            }
        )
        .unwrap(),
        Step::Make(_)
    ));
    let mut broken = train();
    broken.spec.image = "a b".into();
    assert_eq!(reason(&broken, &view()), "Invalid");
}

#[test]
fn the_phase_is_read_from_the_job_and_the_reason_from_its_own_pods() {
    let ended =
        |type_: &str| json!({"conditions": [{"type": type_, "status": "True", "message": "said the job"}]});
    let waiting = json!({"phase": "Pending", "containerStatuses": [{"name": "train", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]});
    let unscheduled = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no gpu"}]});
    let failed = json!({"phase": "Failed", "containerStatuses": [{"name": "train", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]});
    let running = json!({"phase": "Running"});
    let cases = [
        (json!({}), vec![], Phase::Pending, ""),
        (
            json!({"active": 1}),
            vec![pod("j1", waiting.clone())],
            Phase::Pending,
            "ImagePullBackOff: no such image; where the image needs a registry secret that came after this pod, delete the pod: the next has it",
        ),
        (
            json!({"active": 1}),
            vec![pod("j1", unscheduled)],
            Phase::Pending,
            "Unschedulable: no gpu",
        ),
        // A pod that only bears the label is nobody's word.
        (
            json!({"active": 1}),
            vec![pod("j0", waiting), pod("j0", running.clone())],
            Phase::Pending,
            "",
        ),
        (json!({"active": 1, "ready": 1}), vec![], Phase::Running, ""),
        (json!({"active": 1}), vec![pod("j1", running)], Phase::Running, ""),
        // Its pod has ended, the verdict is not there yet; then the Job tries again, and waits again.
        (
            json!({"active": 1, "ready": 0}),
            vec![pod("j1", json!({"phase": "Succeeded"}))],
            Phase::Running,
            "",
        ),
        (
            json!({"active": 1}),
            vec![pod("j1", failed.clone()), pod("j1", json!({"phase": "Pending"}))],
            Phase::Pending,
            "",
        ),
        (ended("Complete"), vec![], Phase::Completed, ""),
        (ended("Failed"), vec![], Phase::Failed, "said the job"),
        (
            ended("Failed"),
            vec![pod("j1", failed)],
            Phase::Failed,
            "its container ended with exit code 137 (OOMKilled)",
        ),
    ];
    for (status, pods, phase, message) in cases {
        let observed = reported(
            &train(),
            &Dereferenced {
                job: job(owner("w1"), status.clone()),
                pods,
                ..view()
            },
        );
        assert_eq!(
            (observed.phase, observed.message.as_str()),
            (phase, message),
            "{status}"
        );
        assert_eq!(observed.job_uid.as_deref(), Some("j1"));
    }
}

/// The state of one container.
fn container(name: &str, state: Value) -> Value {
    json!({"name": name, "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state})
}

#[test]
fn a_message_about_a_container_that_somebody_injected_says_its_name() {
    let pull = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
    let creating = json!({"waiting": {"reason": "ContainerCreating"}});
    let ended = |code: i32| json!({"terminated": {"exitCode": code}});
    let proxy = "the container `proxy`, which is not the workload's own";
    let said = |job_status: Value, phase: &str, containers: Vec<Value>| {
        let observed = reported(
            &train(),
            &Dereferenced {
                job: job(owner("w1"), job_status),
                pods: vec![pod(
                    "j1",
                    json!({"phase": phase, "containerStatuses": containers}),
                )],
                ..view()
            },
        );
        (observed.phase, observed.message)
    };
    let active = json!({"active": 1});
    // Its own container first, wherever it stands in the list.
    let both = vec![
        container("proxy", creating.clone()),
        container("train", pull.clone()),
    ];
    assert_eq!(
        said(active.clone(), "Pending", both),
        (Phase::Pending, "ImagePullBackOff: no such image; where the image needs a registry secret that came after this pod, delete the pod: the next has it".to_owned())
    );
    let crashes = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    let each = vec![container("proxy", crashes), container("train", pull.clone())];
    let (_, message) = said(active.clone(), "Pending", each);
    assert!(
        message.starts_with("ImagePullBackOff: no such image"),
        "{message}"
    );
    let other = vec![container("proxy", pull.clone()), container("train", creating)];
    assert_eq!(
        said(active.clone(), "Pending", other),
        (
            Phase::Pending,
            format!(
                "{proxy}: ImagePullBackOff: no such image; where the image needs a registry secret that came after this pod, delete the pod: the next has it"
            )
        )
    );
    // Its own has ended: what the other waits for is not what the workload waits for.
    let over = vec![container("proxy", pull), container("train", ended(0))];
    let (phase, message) = said(json!({"active": 1, "ready": 1}), "Running", over);
    assert_eq!(phase, Phase::Running);
    assert!(
        message
            .starts_with("its container ended with exit code 0; the pod goes on until the container `proxy`"),
        "{message}"
    );
    let failed = json!({"conditions": [{"type": "Failed", "status": "True"}]});
    let broken = vec![container("proxy", ended(1)), container("train", ended(0))];
    assert_eq!(
        said(failed, "Failed", broken),
        (Phase::Failed, format!("{proxy}, ended with exit code 1"))
    );
}

#[test]
fn a_job_without_pods_is_asked_about_unless_it_waits_in_a_queue() {
    let podless = |status: Value| {
        let view = Dereferenced {
            job: job(owner("w1"), status),
            ..view()
        };
        reported(&train(), &view).podless
    };
    assert!(podless(json!({})));
    assert!(!podless(
        json!({"conditions": [{"type": "Suspended", "status": "True"}]})
    ));
    assert!(!podless(
        json!({"conditions": [{"type": "Complete", "status": "True"}]})
    ));
}

#[test]
fn the_newest_refusal_of_its_pods_is_the_one_that_is_shown() {
    let event = |message: &str, last: &str| json!({"message": message, "lastTimestamp": last, "involvedObject": {}, "metadata": {}});
    let events = [
        event("older", "2026-01-01T00:00:00Z"),
        event("newest", "2026-01-01T00:00:09Z"),
        event("old", "2026-01-01T00:00:01Z"),
    ]
    .map(|event| serde_json::from_value(event).unwrap());
    assert_eq!(
        reeve_operator::controllers::workload::observe::newest_refusal(&events).as_deref(),
        Some("newest")
    );
    assert_eq!(
        reeve_operator::controllers::workload::observe::newest_refusal(&[]),
        None
    );
}

#[test]
fn a_job_that_only_bears_its_name_or_its_reference_is_never_taken_for_the_one_that_was_made() {
    let mut ran = train();
    ran.status = Some(WorkloadStatus {
        phase: Some(Phase::Running),
        job_uid: Some("j0".into()),
        ..WorkloadStatus::default()
    });
    let complete = json!({"conditions": [{"type": "Complete", "status": "True"}]});
    // The right reference on another Job than the one that was made, and another kind of the same name and uid.
    let foreign = json!({"apiVersion": "example.com/v1", "kind": "Workload", "name": "train", "uid": "w1", "controller": true});
    for owner in [owner("w1"), foreign.clone()] {
        let observed = reported(
            &ran,
            &Dereferenced {
                job: job(owner, complete.clone()),
                ..view()
            },
        );
        assert_eq!(observed.phase, Phase::Failed);
        assert!(
            observed.message.contains("its Job was deleted"),
            "{}",
            observed.message
        );
    }
    let refused = decide(
        &train(),
        &Dereferenced {
            job: job(foreign, complete),
            ..view()
        },
    );
    assert_eq!(refused.unwrap_err().reason(), "JobInTheWay");
}

#[test]
fn a_job_that_was_made_for_another_workload_is_not_taken_over() {
    // Her name and the right reference, and the labels of the workload that it was made for.
    let mut other = job(owner("w1"), json!({"active": 1})).unwrap();
    let labels = Arc::make_mut(&mut other).metadata.labels.as_mut().unwrap();
    labels.insert("reeve.dev/workload-id".into(), "another".into());
    let view = Dereferenced {
        job: Some(other),
        ..view()
    };
    assert_eq!(decide(&train(), &view).unwrap_err().reason(), "OldJobGoes");
}

#[test]
fn a_secret_that_is_not_there_yet_is_named() {
    let status = json!({"phase": "Pending", "containerStatuses": [{"name": "train", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "CreateContainerConfigError", "message": "secret \"licence\" not found"}}}]});
    let view = Dereferenced {
        job: job(owner("w1"), json!({"active": 1})),
        pods: vec![pod("j1", status)],
        ..view()
    };
    let message = reported(&train(), &view).message;
    assert!(message.contains("secret \"licence\" not found"), "{message}");
}
