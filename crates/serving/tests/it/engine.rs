use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use reeve_serving::engine::{Findings, Said, Verdict, judge};
use reeve_serving::fault::{Category, Component, Dependency, Fault, State};
use reeve_serving::news::{News, of_pass};

use crate::things::{lines, time};

pub(crate) struct Case<'a> {
    pub(crate) components: Vec<Component>,
    pub(crate) said: Vec<Said>,
    pub(crate) kept: &'a [&'a str],
    pub(crate) before: Vec<Condition>,
    pub(crate) now: &'a str,
}

pub(crate) const T0: &str = "2026-01-01T00:00:00Z";

pub(crate) fn case(components: Vec<Component>) -> Case<'static> {
    Case {
        components,
        said: Vec::new(),
        kept: &[],
        before: Vec::new(),
        now: T0,
    }
}

impl Case<'_> {
    pub(crate) fn judged(&self) -> Verdict {
        judge(&Findings {
            components: &self.components,
            said: &self.said,
            kept: self.kept,
            before: &self.before,
            generation: Some(3),
            now: &time(self.now),
        })
    }
}

pub(crate) fn up(name: &'static str) -> Component {
    Component::new(name, Dependency::Upstream)
}

pub(crate) fn down(name: &'static str) -> Component {
    Component::new(name, Dependency::Downstream)
}

fn fault(category: Category) -> Fault {
    Fault::new(category, "Because", "m")
}

#[test]
fn all_ready_is_ready() {
    let verdict = case(vec![up("A"), down("B")]).judged();
    assert_eq!(
        lines(&verdict.conditions),
        [
            "AReady True Ready",
            "BReady True Ready",
            "Ready True AllComponentsReady"
        ]
    );
    assert_eq!(
        (verdict.state, verdict.apply, verdict.retry),
        (State::Ready, true, false)
    );
    assert!(
        verdict
            .conditions
            .iter()
            .all(|c| c.observed_generation == Some(3))
    );
}

#[test]
fn each_category_has_its_condition_and_its_decision() {
    for (category, condition, ready, state, apply, retry) in [
        (
            Category::Infrastructure,
            "DependenciesReachable False InfrastructureError",
            "Ready False Because",
            State::Degraded,
            false,
            true,
        ),
        (
            Category::Unknown,
            "DependenciesReachable False InfrastructureError",
            "Ready False InfrastructureError",
            State::Degraded,
            false,
            true,
        ),
        (
            Category::Auth,
            "AuthValid False AuthError",
            "Ready False AuthError",
            State::Failed,
            false,
            false,
        ),
        (
            Category::InvalidSpec,
            "ConfigValid False InvalidSpec",
            "Ready False InvalidSpec",
            State::Failed,
            false,
            false,
        ),
        (
            Category::MissingUpstream,
            "ConfigValid False ReferenceNotFound",
            "Ready False ReferenceNotFound",
            State::Failed,
            false,
            false,
        ),
        (
            Category::MissingDownstream,
            "",
            "Ready False Progressing",
            State::Progressing,
            true,
            false,
        ),
        (
            Category::ResourceExhaustion,
            "",
            "Ready False Because",
            State::Failed,
            true,
            false,
        ),
    ] {
        let verdict = case(vec![down("A").with(fault(category))]).judged();
        let lines = lines(&verdict.conditions);
        assert!(
            condition.is_empty() || lines.contains(&condition.to_owned()),
            "{category:?} {lines:?}"
        );
        assert!(lines.contains(&ready.to_owned()), "{category:?} {lines:?}");
        assert_eq!(
            (verdict.state, verdict.apply, verdict.retry),
            (state, apply, retry),
            "{category:?}"
        );
    }
}

#[test]
fn the_priority_of_reasons_is_auth_then_spec_then_reference() {
    let all = [Category::MissingUpstream, Category::InvalidSpec, Category::Auth];
    let verdict = case(all.into_iter().map(|c| down("A").with(fault(c))).collect()).judged();
    let text = lines(&verdict.conditions).join(", ");
    assert!(
        text.contains("Ready False AuthError") && text.contains("ConfigValid False InvalidSpec"),
        "{text}"
    );
}

#[test]
fn framework_conditions_come_back_to_true_only_from_false() {
    let mut case = case(vec![down("A").with(fault(Category::Auth))]);
    case.before = case.judged().conditions;
    case.components = vec![down("A")];
    let verdict = case.judged();
    assert!(lines(&verdict.conditions).contains(&"AuthValid True AuthenticationValid".to_owned()));
    assert!(!verdict.conditions.iter().any(|c| c.type_ == "ConfigValid"));
}

#[test]
fn the_worst_component_gives_the_word() {
    for (state, dependency, word) in [
        (State::Starting, Dependency::Upstream, State::Pending),
        (State::Progressing, Dependency::Upstream, State::Pending),
        (State::Starting, Dependency::Downstream, State::Progressing),
        (State::Starting, Dependency::Unspecified, State::Progressing),
        (State::Pending, Dependency::Downstream, State::Pending),
        (State::NotAvailable, Dependency::Downstream, State::NotAvailable),
        (State::Degraded, Dependency::Upstream, State::Degraded),
        (State::Failed, Dependency::Upstream, State::Failed),
    ] {
        let verdict = case(vec![
            up("A"),
            Component::new("B", dependency).says(state, "R", "m"),
        ])
        .judged();
        assert_eq!(verdict.state, word, "{state:?} {dependency:?}");
    }
    let verdict = case(vec![
        down("A").says(State::Degraded, "Half", "m"),
        down("B").says(State::Failed, "Whole", "n"),
    ])
    .judged();
    let ready = verdict.conditions.iter().find(|c| c.type_ == "Ready").unwrap();
    assert_eq!(
        (verdict.state, ready.reason.as_str(), ready.message.as_str()),
        (State::Failed, "Half", "A: m"),
        "the first that is broken"
    );
}

#[test]
fn a_short_loss_of_the_api_server_moves_no_component() {
    let away = || {
        vec![
            down("A").with(fault(Category::Infrastructure)),
            down("B").with(fault(Category::Unknown)),
        ]
    };
    let mut case = case(vec![down("A"), down("B")]);
    case.before = case.judged().conditions;
    case.components = away();
    let first = case.judged();
    assert_eq!(
        lines(&first.conditions)[..3],
        [
            "DependenciesReachable False InfrastructureError",
            "AReady True Because",
            "BReady False Because"
        ]
    );
    case.before = first.conditions;
    case.now = "2026-01-01T00:00:09Z";
    assert_eq!(lines(&case.judged().conditions)[1], "AReady True Because");
    case.now = "2026-01-01T00:00:10Z";
    assert_eq!(
        lines(&case.judged().conditions)[1],
        "AReady False Because",
        "grace is over"
    );
}

#[test]
fn the_time_of_a_transition_moves_with_status_or_reason_alone() {
    let mut case = case(vec![down("A").says(State::Progressing, "R", "1 %")]);
    case.before = case.judged().conditions;
    case.now = "2026-01-01T00:01:00Z";
    let since = |case: &Case<'_>| case.judged().conditions[0].last_transition_time.clone();
    case.components = vec![down("A").says(State::Progressing, "R", "2 %")];
    assert_eq!(since(&case), time(T0));
    case.components = vec![down("A").says(State::Progressing, "Other", "2 %")];
    assert_eq!(since(&case), time("2026-01-01T00:01:00Z"));
    case.components = vec![down("A").says(State::Ready, "R", "")];
    assert_eq!(since(&case), time("2026-01-01T00:01:00Z"));
}

#[test]
fn events_are_told_on_a_change_and_of_errors_on_every_pass() {
    let told = |case: &Case<'_>| {
        let news = of_pass(&case.before, &case.judged().conditions, &case.components);
        let text = |n: &News| {
            format!(
                "{} {}: {}",
                if n.warning { "Warning" } else { "Normal" },
                n.reason,
                n.message
            )
        };
        news.iter().map(text).collect::<Vec<_>>()
    };
    let mut case = case(vec![down("A"), down("B").says(State::Progressing, "Slow", "")]);
    let first = [
        "Normal Ready: A is ready",
        "Normal Slow: B is not ready: Slow",
        "Normal Progressing: not everything is ready yet",
    ];
    assert_eq!(told(&case), first);
    case.before = case.judged().conditions;
    assert!(told(&case).is_empty(), "nothing new");
    case.components = vec![down("A"), down("B").with(fault(Category::ResourceExhaustion))];
    let errors = ["Warning Because: m", "Warning Because: B: m"];
    assert_eq!(told(&case), errors);
    case.before = case.judged().conditions;
    assert_eq!(told(&case), errors, "errors are told again");
    case.components = vec![down("A")];
    case.said = vec![
        Said::new("DownloadComplete", false, "VerificationFailed", "v"),
        Said::new("ArtifactsReady", false, "NoCaches", "n"),
    ];
    case.before = case.judged().conditions;
    assert_eq!(told(&case), ["Warning NoCaches: n"]);
}
