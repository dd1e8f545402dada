use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use reeve_crds::{Phase, ReeveConfigSpec, Workload, WorkloadStatus};
use reeve_kube_kit::Reconcile;
use reeve_link::desired::DesiredObject;
use reeve_operator::workload::{Observed, Step, View, decide};
use serde_json::{Value, json};

use super::org::object;

fn train() -> Workload {
    let DesiredObject::Workload(workload) = crate::rig::workload(1, "train", 3) else {
        unreachable!()
    };
    let mut object = Workload::desired(&workload, "reeve-robots");
    object.metadata.uid = Some("w1".into());
    object
}

fn view() -> View {
    let project = object(3, "robots", "reeve-robots").checked().unwrap();
    View {
        project: Some(Arc::new(project)),
        job: None,
        pods: Vec::new(),
        settings: ReeveConfigSpec::default(),
    }
}

fn job(owner: Value, status: Value) -> Option<Arc<Job>> {
    let owners = if owner.is_null() {
        json!([])
    } else {
        json!([owner])
    };
    let meta = json!({"name": "train", "uid": "j1", "ownerReferences": owners});
    Some(Arc::new(
        serde_json::from_value(json!({"metadata": meta, "status": status})).unwrap(),
    ))
}

fn owner(uid: &str) -> Value {
    json!({"apiVersion": "reeve.dev/v1alpha1", "kind": "Workload", "name": "train", "uid": uid, "controller": true})
}

fn pod(owner: &str, status: Value) -> Arc<Pod> {
    let owner =
        json!({"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": owner, "controller": true});
    Arc::new(
        serde_json::from_value(
            json!({"metadata": {"name": "p", "ownerReferences": [owner]}, "status": status}),
        )
        .unwrap(),
    )
}

fn reported(workload: &Workload, view: &View) -> Observed {
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
    let reason = |workload: &Workload, view: &View| decide(workload, view).unwrap_err().reason();
    assert_eq!(
        reason(
            &train(),
            &View {
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
            &View {
                project: Some(Arc::new(elsewhere)),
                ..view()
            }
        ),
        "NoProject"
    );
    assert_eq!(
        reason(
            &train(),
            &View {
                job: job(Value::Null, json!({})),
                ..view()
            }
        ),
        "JobInTheWay"
    );
    assert_eq!(
        reason(
            &train(),
            &View {
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
            &View {
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
    let waiting = json!({"phase": "Pending", "containerStatuses": [{"name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]});
    let unscheduled = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no gpu"}]});
    let failed = json!({"phase": "Failed", "containerStatuses": [{"name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]});
    let running = json!({"phase": "Running"});
    let cases = [
        (json!({}), vec![], Phase::Pending, ""),
        (
            json!({"active": 1}),
            vec![pod("j1", waiting.clone())],
            Phase::Pending,
            "ImagePullBackOff: no such image",
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
            &View {
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
