//! A real workload of the largest size, its Job and its pod as the API server lists them, and the same for other workloads: made by
//! the replacement of names and ids in their text.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use axum::http::Request;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::{Client, Resource};
use reeve_crds::{REVISION_ANNOTATION, Workload};
use reeve_e2e::organization::NAMESPACE;
use reeve_e2e::{Rest, Stack};
use reeve_testkit::wait_for;
use reeve_types::kubernetes::WORKLOAD_LABEL;
use serde_json::Value;
use tokio::time::Instant;

use super::cluster::Placed;
use super::largest;

/// What the real workload is called: nothing else of its objects reads so.
const NAME: &str = "held-template";
/// The project that it is of.
const PROJECT: &str = "robots";
/// How long the objects may take to be there and to settle: its image is asked for again and again, ever less often.
const SETTLING: Duration = Duration::from_secs(240);
/// For how long nothing of them changes before they count as settled: the operator has said by then what it is to say of the pod.
const SETTLED: Duration = Duration::from_secs(8);
/// How often they are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What tells the objects of one workload from those of another.
pub(super) struct Particulars {
    /// The name of the workload and its Job, with which its pod's begins.
    pub(super) name: String,
    /// The namespace of all three.
    pub(super) namespace: String,
    id: String,
    project_id: String,
    project_name: String,
    revision: String,
    /// Of workload, Job and pod.
    uids: [String; 3],
}

impl Particulars {
    /// Those of a workload, with uids made of this number.
    pub(super) fn of(placed: &Placed<'_>, number: usize) -> Self {
        let uid = |kind: u8| format!("{kind:08x}-0000-4000-8000-{number:012x}");
        Self {
            name: placed.name.to_owned(),
            namespace: placed.namespace.to_owned(),
            id: placed.id.to_owned(),
            project_id: placed.project_id.to_owned(),
            project_name: placed.project_name.to_owned(),
            revision: placed.revision.to_string(),
            uids: [1, 2, 3].map(uid),
        }
    }

    /// Those of the real objects.
    fn of_real([workload, job, pod]: [&Value; 3]) -> Result<Self> {
        let revision = workload
            .pointer("/metadata/annotations")
            .and_then(|all| all.get(REVISION_ANNOTATION))
            .and_then(Value::as_str)
            .with_context(|| format!("the workload `{NAME}` has no annotation `{REVISION_ANNOTATION}`"))?;
        Ok(Self {
            name: NAME.to_owned(),
            namespace: NAMESPACE.to_owned(),
            id: at(workload, "/spec/id")?,
            project_id: at(workload, "/spec/projectId")?,
            project_name: PROJECT.to_owned(),
            revision: revision.to_owned(),
            uids: [
                at(workload, "/metadata/uid")?,
                at(job, "/metadata/uid")?,
                at(pod, "/metadata/uid")?,
            ],
        })
    }
}

/// A place in the text of an object where one differs from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    Namespace,
    Id,
    ProjectId,
    ProjectName,
    Revision,
    WorkloadUid,
    JobUid,
    PodUid,
}

impl Field {
    const ALL: [Self; 9] = [
        Self::Name,
        Self::Namespace,
        Self::Id,
        Self::ProjectId,
        Self::ProjectName,
        Self::Revision,
        Self::WorkloadUid,
        Self::JobUid,
        Self::PodUid,
    ];

    fn of(self, of: &Particulars) -> &str {
        let [workload, job, pod] = &of.uids;
        match self {
            Self::Name => &of.name,
            Self::Namespace => &of.namespace,
            Self::Id => &of.id,
            Self::ProjectId => &of.project_id,
            Self::ProjectName => &of.project_name,
            Self::Revision => &of.revision,
            Self::WorkloadUid => workload,
            Self::JobUid => job,
            Self::PodUid => pod,
        }
    }

    /// The JSON key whose value it is, for what is too short to be known by itself; empty for the others.
    const fn key(self) -> &'static str {
        match self {
            Self::ProjectId => "projectId",
            Self::ProjectName => "project",
            Self::Revision => REVISION_ANNOTATION,
            _ => "",
        }
    }

    /// What stands before it in the text of an object, and behind it.
    fn around(self) -> (String, &'static str) {
        match self.key() {
            "" => (String::new(), ""),
            key => (format!("\"{key}\":\""), "\""),
        }
    }
}

enum Piece {
    Text(String),
    Field(Field),
}

/// The text of an object, in pieces.
pub(super) struct Template(Vec<Piece>);

impl Template {
    /// Of a real object. `needed` has to be found in it.
    fn new(object: &Value, own: &Particulars, needed: &[Field]) -> Result<Self> {
        let text = object.to_string();
        let marks = Field::ALL.map(|field| {
            let (before, behind) = field.around();
            let whole = format!("{before}{}{behind}", field.of(own));
            (field, before.len(), whole, behind.len())
        });
        let (mut pieces, mut rest) = (Vec::new(), text.as_str());
        loop {
            let found = marks
                .iter()
                .filter_map(|mark| rest.find(&mark.2).map(|at| (at, mark)));
            let Some((at, (field, before, whole, behind))) = found.min_by_key(|(at, _)| *at) else {
                break;
            };
            let (text, _) = rest.split_at(at + before);
            let (_, left) = rest.split_at(at + whole.len() - behind);
            pieces.extend([Piece::Text(text.to_owned()), Piece::Field(*field)]);
            rest = left;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let has = |wanted: &Field| {
            let is_it = |piece: &Piece| matches!(piece, Piece::Field(field) if field == wanted);
            pieces.iter().any(is_it)
        };
        let missing: Vec<_> = needed.iter().filter(|field| !has(field)).collect();
        ensure!(
            missing.is_empty(),
            "the text of the real object does not hold {missing:?}"
        );
        Ok(Self(pieces))
    }

    /// The text of another workload's object.
    pub(super) fn render(&self, of: &Particulars) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Field(field) => field.of(of),
        });
        pieces.collect()
    }
}

/// The three objects of a workload.
pub(super) struct Templates {
    /// The custom resource.
    pub(super) workload: Template,
    /// Its Job.
    pub(super) job: Template,
    /// Its pod.
    pub(super) pod: Template,
    /// What the pod's name has behind the workload's.
    pub(super) pod_suffix: String,
    /// The version of everything, as a list of the API server says it.
    pub(super) version: String,
}

impl Templates {
    /// Submits one training of the largest size to the real cluster and waits until its Job, its pod and what is said of it have
    /// settled.
    ///
    /// # Errors
    /// It is refused, or does not settle in time.
    pub(super) async fn of_one(stack: &Stack, person: &Rest, project: &str) -> Result<Self> {
        let body = largest(NAME, project, &stack.cluster_id);
        let answer = person.post("/api/v1/workloads/trainings", body).await?;
        answer.expect(202)?;
        let client = stack.cluster.client().await?;
        // Where no containers run, nobody may have anything to say of a pod.
        let is_said = stack.cluster.real_node().is_ok();
        let objects = settled(&client, is_said).await?;
        let [workload, job, pod] = objects.each_ref();
        let own = Particulars::of_real([workload, job, pod])?;
        let of_pod = at(pod, "/metadata/name")?;
        let suffix = of_pod.strip_prefix(NAME);
        let suffix = suffix.with_context(|| format!("the pod of `{NAME}` is called `{of_pod}`"))?;
        let common = [Field::Name, Field::Namespace, Field::Id];
        let needed = |more: &[Field]| [&common, more].concat();
        use Field::{JobUid, PodUid, ProjectId, ProjectName, Revision, WorkloadUid};
        let of_workload = needed(&[ProjectId, Revision, WorkloadUid, JobUid]);
        let of_job = needed(&[ProjectName, WorkloadUid, JobUid]);
        let of_pods = needed(&[ProjectName, JobUid, PodUid]);
        Ok(Self {
            workload: Template::new(workload, &own, &of_workload).context("the workload")?,
            job: Template::new(job, &own, &of_job).context("the Job")?,
            pod: Template::new(pod, &own, &of_pods).context("the pod")?,
            pod_suffix: suffix.to_owned(),
            version: at(workload, "/metadata/resourceVersion")?,
        })
    }
}

/// Waits until workload, Job and pod are there and none of them changes any more. `is_said`: only once the workload's status says
/// what its pod waits for.
async fn settled(client: &Client, is_said: bool) -> Result<[Value; 3]> {
    let mut since: Option<([String; 3], Instant)> = None;
    let what = format!("workload `{NAME}`, its Job and its pod in `{NAMESPACE}` to stay as they are");
    wait_for(SETTLING, &what, async || {
        tokio::time::sleep(LOOK).await;
        let of_it = format!("labelSelector={WORKLOAD_LABEL}%3D{NAME}");
        let workload = one::<Workload>(client, &format!("fieldSelector=metadata.name%3D{NAME}")).await?;
        let (job, pod) = (
            one::<Job>(client, &of_it).await?,
            one::<Pod>(client, &of_it).await?,
        );
        let status = workload.get("status").cloned().unwrap_or_default();
        let is_of_job =
            status.get("jobUid").is_some() && status.get("jobUid") == job.pointer("/metadata/uid");
        ensure!(is_of_job, "the workload's status does not name its Job: {status}");
        let says = status.get("message").is_some();
        ensure!(says || !is_said, "the workload's status has no message: {status}");
        let objects = [workload, job, pod];
        let [workload, job, pod] = objects.each_ref().map(|it| at(it, "/metadata/resourceVersion"));
        let versions = [workload?, job?, pod?];
        match &since {
            Some((before, when)) if *before == versions => Ok((when.elapsed() >= SETTLED).then_some(objects)),
            _ => {
                since = Some((versions, Instant::now()));
                Err(anyhow!("the last change was moments ago; the status is {status}"))
            }
        }
    })
    .await
}

/// The only object that a selector selects, as a list has it: lists of some kinds leave out what each object's own text says.
async fn one<K: Resource<DynamicType = ()>>(client: &Client, selector: &str) -> Result<Value> {
    let path = format!("{}?{selector}", K::url_path(&(), Some(NAMESPACE)));
    let request = Request::get(&path).body(Vec::new())?;
    let list: Value = client
        .request(request)
        .await
        .with_context(|| format!("listing `{path}`"))?;
    match list.get("items").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) => Ok(only.clone()),
        items => Err(anyhow!(
            "`{path}` has {} objects, not one",
            items.map_or(0, <[Value]>::len)
        )),
    }
}

fn at(object: &Value, pointer: &str) -> Result<String> {
    let found = object.pointer(pointer).and_then(Value::as_str);
    found
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .with_context(|| format!("no `{pointer}` in an object of `{NAME}`"))
}
