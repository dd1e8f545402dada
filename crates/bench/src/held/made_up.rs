//! [`MadeUpLists`]: between an operator and a real API server, workloads, Jobs and pods by the ten thousand that are in no storage.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use futures::{StreamExt, stream};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::{Client, Resource};
use reeve_crds::Workload;
use reeve_e2e::{Stack, write_private};
use reeve_testkit::{pass_on, refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::cluster::{CompleteState, Placed};
use super::templates::{Particulars, Template, Templates};

/// How long a watch stays open that does not say it, in seconds.
const WATCH: u64 = 290;
/// How many of the writes are repeated in words.
const REPEATED: usize = 5;

/// An HTTP server that an operator takes for its API server.
///
/// **It is no Kubernetes.** etcd holds some thousands of the largest workloads, each of which takes the API server a second or two,
/// and a figure of ten thousand would take hours. What an operator holds comes from what it reads, so of three kinds it is given
/// lists to read: `workloads` of `reeve.dev`, `jobs` of `batch` and `pods`. They are one real object's text with other names and ids,
/// page by page as it asks for them, for every workload that the control plane says there is. Their watches are open and say nothing,
/// and nothing about them is kept: a write is counted and answered with the object as it was. Every other request goes to the real
/// API server with the operator's token, and its answer comes back as it is, watches too.
///
/// Dropping it ends the listening.
pub(super) struct MadeUpLists {
    url: String,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

struct Shared {
    /// As the operator, to the real API server.
    client: Client,
    version: String,
    all: Vec<Particulars>,
    lists: [List; 3],
    writes: Mutex<Writes>,
}

#[derive(Default)]
struct Writes {
    count: usize,
    first: Vec<String>,
}

/// One of the three kinds.
struct List {
    /// The path before the namespace or the plural, with a slash behind it.
    base: String,
    plural: String,
    kind: String,
    api_version: String,
    template: Template,
    /// What the name of an object has behind the workload's.
    suffix: String,
    /// How many objects were listed at most by one list, page after page.
    listed: AtomicUsize,
    /// How many watches began.
    watches: AtomicUsize,
}

/// What a path of one of the three kinds names.
struct Named<'a> {
    list: &'a List,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
}

/// What of a query counts. Label selectors select what is made up, all of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    limit: Option<usize>,
    /// Where the page begins: the token that the page before it gave.
    #[serde(rename = "continue")]
    begins: Option<usize>,
    #[serde(default)]
    watch: bool,
    timeout_seconds: Option<u64>,
    field_selector: Option<String>,
}

impl MadeUpLists {
    /// Listens on loopback, with three objects for each workload of a cluster's state.
    ///
    /// # Errors
    /// The operator gets no token, or what would be made up is not what the state says.
    pub(super) async fn listen(stack: &Stack, templates: Templates, state: &CompleteState) -> Result<Self> {
        let placed = state.placed()?;
        let numbered = placed.iter().enumerate();
        let all: Vec<Particulars> = numbered
            .map(|(number, placed)| Particulars::of(placed, number))
            .collect();
        is_what_the_link_writes(state, &placed, &templates.workload, &all)?;
        let shared = Arc::new(Shared {
            client: stack.kubernetes(&stack.operator_token().await?).await?,
            version: templates.version,
            all,
            lists: [
                List::new::<Workload>(templates.workload, String::new()),
                List::new::<Job>(templates.job, String::new()),
                List::new::<Pod>(templates.pod, templates.pod_suffix),
            ],
            writes: Mutex::default(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listening")?;
        let url = format!("http://{}", listener.local_addr()?);
        // What ends a page is a few bytes, which would wait for what was sent before to be acknowledged.
        let listener = listener.tap_io(|io| drop(io.set_nodelay(true)));
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listening = tokio::spawn(async move {
            // It ends when it is told to, and not before.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            url,
            shared,
            listening,
        })
    }

    /// Writes the operator's kubeconfig with this address in the place of the API server's.
    ///
    /// # Errors
    /// The operator's own cannot be read, or this one not be written.
    pub(super) fn kubeconfig(&self, stack: &Stack) -> Result<PathBuf> {
        let own = stack.operator_kubeconfig();
        let read = || format!("reading `{}`", own.display());
        let text = std::fs::read_to_string(&own).with_context(read)?;
        let mut config: Value = serde_json::from_str(&text).with_context(read)?;
        let server = config.pointer_mut("/clusters/0/cluster/server");
        *server.with_context(|| format!("no server in `{}`", own.display()))? = json!(self.url);
        let file = stack.dir().join("made-up-lists.kubeconfig");
        write_private(&file, &config.to_string())?;
        Ok(file)
    }

    /// How far the lists were read, what is watched and how much was written: for whoever waits in vain.
    pub(super) fn progress(&self) -> String {
        let shared = &self.shared;
        let of_kind = |list: &List| {
            let (listed, watches) = (&list.listed, &list.watches);
            format!(
                "{}: {} of {} listed, {} watches begun",
                list.plural,
                listed.load(Ordering::Relaxed),
                shared.all.len(),
                watches.load(Ordering::Relaxed)
            )
        };
        let kinds = shared.lists.each_ref().map(of_kind).join("; ");
        format!("made-up lists: {kinds}; {} writes", shared.writes().count)
    }

    /// What the operator wrote of what is made up, a line of text; empty when it wrote nothing. Whoever finds everything as it should
    /// be writes nothing.
    pub(super) fn writes(&self) -> String {
        let writes = self.shared.writes();
        if writes.count == 0 {
            return String::new();
        }
        let first = writes.first.join(", ");
        format!("writes to what is made up: {}, first {first}\n", writes.count)
    }
}

impl Drop for MadeUpLists {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Compares one made-up workload with what the link would write for it: a difference would have the operator replace all of them.
fn is_what_the_link_writes(
    state: &CompleteState,
    placed: &[Placed<'_>],
    template: &Template,
    all: &[Particulars],
) -> Result<()> {
    let sample = state.sample.as_ref().context("no workload was told")?;
    let id = sample.id.to_string();
    let number = placed.iter().position(|placed| placed.id == id);
    let made = number.and_then(|number| all.get(number));
    let made = made.with_context(|| format!("workload {id} is not among those that were told"))?;
    let text = template.render(made);
    let made_up: Workload = serde_json::from_str(&text).context("reading a made-up workload")?;
    let wanted = Workload::desired(sample, &made.namespace);
    ensure!(
        (&made_up.metadata.name, &made_up.metadata.namespace)
            == (&wanted.metadata.name, &wanted.metadata.namespace),
        "a made-up workload is called {:?} in {:?}, and should be {:?} in {:?}",
        made_up.metadata.name,
        made_up.metadata.namespace,
        wanted.metadata.name,
        wanted.metadata.namespace
    );
    let (made_up, wanted) = (json!(made_up.spec), json!(wanted.spec));
    let keys = made_up
        .as_object()
        .into_iter()
        .chain(wanted.as_object())
        .flatten();
    let mut differ: Vec<&String> = keys
        .map(|(key, _)| key)
        .filter(|key| made_up.get(key) != wanted.get(key))
        .collect();
    differ.dedup();
    ensure!(
        differ.is_empty(),
        "in the spec of a made-up workload {differ:?} differ from what the link would write"
    );
    Ok(())
}

impl Shared {
    fn writes(&self) -> MutexGuard<'_, Writes> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The objects of a namespace, or all, of this name, or any, by their place among all.
    fn selected(&self, named: &Named<'_>, name: Option<&str>) -> Vec<usize> {
        let is_of_name = |it: &Particulars| match name {
            Some(name) => name.strip_suffix(named.list.suffix.as_str()) == Some(it.name.as_str()),
            None => true,
        };
        let is_there = |it: &Particulars| named.namespace.is_none_or(|namespace| namespace == it.namespace);
        let all = self.all.iter().enumerate();
        all.filter(|(_, it)| is_there(it) && is_of_name(it))
            .map(|(at, _)| at)
            .collect()
    }
}

impl List {
    fn new<K: Resource<DynamicType = ()>>(template: Template, suffix: String) -> Self {
        let (path, plural) = (K::url_path(&(), None), K::plural(&()).into_owned());
        Self {
            base: path.strip_suffix(plural.as_str()).unwrap_or(&path).to_owned(),
            kind: format!("{}List", K::kind(&())),
            api_version: K::api_version(&()).into_owned(),
            plural,
            template,
            suffix,
            listed: AtomicUsize::new(0),
            watches: AtomicUsize::new(0),
        }
    }

    fn named<'a>(&'a self, path: &'a str) -> Option<Named<'a>> {
        let rest = path.strip_prefix(self.base.as_str())?;
        let parts: Vec<&str> = rest.split('/').collect();
        let (plural, namespace, name) = match parts.as_slice() {
            [plural] => (*plural, None, None),
            ["namespaces", namespace, plural] => (*plural, Some(*namespace), None),
            ["namespaces", namespace, plural, name, ..] => (*plural, Some(*namespace), Some(*name)),
            _ => return None,
        };
        (plural == self.plural).then_some(Named {
            list: self,
            namespace,
            name,
        })
    }

    /// Everything of a page that comes before its objects.
    fn head(&self, metadata: &Value) -> String {
        let (kind, version) = (json!(self.kind), json!(self.api_version));
        format!(r#"{{"kind":{kind},"apiVersion":{version},"metadata":{metadata},"items":["#)
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let mut lists = shared.lists.iter().enumerate();
    let found = lists.find_map(|(number, list)| Some((number, list.named(&path)?)));
    let Some((number, named)) = found else {
        return pass_on(&shared.client, request).await.unwrap_or_else(|error| {
            let why = format!("cannot pass `{path}` on: {error:#}");
            refusal(StatusCode::BAD_GATEWAY, "InternalError", &why)
        });
    };
    if request.method() != Method::GET {
        return written(&shared, &named, request.method(), &path);
    }
    if named.name.is_some() {
        return object(&shared, &named);
    }
    match Query::<Parameters>::try_from_uri(request.uri()) {
        Ok(Query(asked)) if asked.watch => {
            named.list.watches.fetch_add(1, Ordering::Relaxed);
            no_news(Duration::from_secs(asked.timeout_seconds.unwrap_or(WATCH)))
        }
        Ok(Query(asked)) => page(&shared, number, &named, &asked),
        Err(error) => refusal(StatusCode::BAD_REQUEST, "BadRequest", &error.to_string()),
    }
}

/// A page of a list, made object by object while it is sent.
fn page(shared: &Arc<Shared>, number: usize, named: &Named<'_>, asked: &Parameters) -> Response {
    let selector = asked.field_selector.as_deref().unwrap_or_default();
    let name = selector.strip_prefix("metadata.name=");
    if name.is_none() && !selector.is_empty() {
        let why = format!("`{selector}` selects nothing that is made up");
        return refusal(StatusCode::BAD_REQUEST, "BadRequest", &why);
    }
    let selected = shared.selected(named, name);
    let begins = asked.begins.unwrap_or(0).min(selected.len());
    let ends = begins
        .saturating_add(asked.limit.unwrap_or(usize::MAX))
        .min(selected.len());
    named.list.listed.fetch_max(ends, Ordering::Relaxed);
    let left = selected.len() - ends;
    let metadata = if left > 0 {
        json!({"resourceVersion": shared.version, "continue": ends.to_string(), "remainingItemCount": left})
    } else {
        json!({"resourceVersion": shared.version})
    };
    let head = named.list.head(&metadata);
    let of_page: Vec<usize> = selected.into_iter().take(ends).skip(begins).collect();
    let shared = shared.clone();
    let objects = of_page.into_iter().enumerate().map(move |(place, at)| {
        let comma = if place > 0 { "," } else { "" };
        let (list, of) = (shared.lists.get(number), shared.all.get(at));
        let text = list.zip(of).map(|(list, of)| list.template.render(of));
        format!("{comma}{}", text.unwrap_or_default())
    });
    let whole = std::iter::once(head)
        .chain(objects)
        .chain(std::iter::once("]}".to_owned()));
    let chunks = whole.map(|text| Ok::<_, Infallible>(Bytes::from(text)));
    as_json(StatusCode::OK, Body::from_stream(stream::iter(chunks)))
}

/// The one object that a path names.
fn object(shared: &Shared, named: &Named<'_>) -> Response {
    let found = shared.selected(named, named.name);
    let found = found.first().and_then(|at| shared.all.get(*at));
    match found {
        Some(of) => as_json(StatusCode::OK, Body::from(named.list.template.render(of))),
        None => refusal(
            StatusCode::NOT_FOUND,
            "NotFound",
            "nothing of this name is made up",
        ),
    }
}

/// Counts a write, which changes nothing.
fn written(shared: &Shared, named: &Named<'_>, method: &Method, path: &str) -> Response {
    let mut writes = shared.writes();
    writes.count += 1;
    if writes.first.len() < REPEATED {
        writes.first.push(format!("{method} {path}"));
    }
    drop(writes);
    if named.name.is_some() {
        return object(shared, named);
    }
    let why = "nothing is made in a list that is made up";
    refusal(StatusCode::CONFLICT, "AlreadyExists", why)
}

/// A watch on which nothing comes, until it is over.
fn no_news(lasts: Duration) -> Response {
    let over = stream::once(tokio::time::sleep(lasts));
    let nothing = over.filter_map(async |()| None::<Result<Bytes, Infallible>>);
    as_json(StatusCode::OK, Body::from_stream(nothing))
}

fn as_json(code: StatusCode, body: Body) -> Response {
    (code, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
