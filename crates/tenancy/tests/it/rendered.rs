//! The rights of the chart as the real Helm renders them: all sixteen combinations of the switches, on each platform, against one
//! committed table; and what none of them may hold. Each property is shown to find a fault in a copy of the chart.

mod chart;
mod never;
mod planted;
mod table;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};
use reeve_tenancy::{Platform, Shown, Switch, Switches, people, permission_rows, permissions_text};
use reeve_testkit::{Helm, charts};
use serde_json::{Value, json};

use chart::{Rights, TARGETS, Target, line, render};
use never::{faults, takes_only};
use table::{Rendering, table};

fn helm() -> Option<Helm> {
    match Helm::offline() {
        Ok(helm) => Some(helm),
        Err(error) => {
            reeve_testkit::skip(&format!("{error:#}"));
            None
        }
    }
}

fn reeve_cluster() -> PathBuf {
    charts().join("reeve-cluster")
}

/// Every combination on every platform, rendered once for all tests.
fn all(helm: &Helm) -> Result<&'static [Rendering]> {
    static ALL: OnceLock<Result<Vec<Rendering>, String>> = OnceLock::new();
    let all = ALL.get_or_init(|| render_all(helm).map_err(|error| format!("{error:#}")));
    all.as_deref().map_err(|error| anyhow!(error.clone()))
}

fn render_all(helm: &Helm) -> Result<Vec<Rendering>> {
    let of_target = |target: usize| -> Result<Vec<Rendering>> {
        let each = Switches::combinations().into_iter().enumerate();
        let each = each.map(|(combination, switches)| {
            let kind = TARGETS[target];
            let rights = render(helm, &reeve_cluster(), kind, kind.values(switches))
                .with_context(|| format!("{switches} on {}", kind.name))?;
            Ok(Rendering {
                target,
                combination,
                switches,
                rights,
            })
        });
        each.collect()
    };
    let of_each: Vec<Result<Vec<Rendering>>> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..TARGETS.len())
            .map(|target| scope.spawn(move || of_target(target)))
            .collect();
        started
            .into_iter()
            .map(|thread| thread.join().expect("rendering panicked"))
            .collect()
    });
    let of_each: Vec<Vec<Rendering>> = of_each.into_iter().collect::<Result<_>>()?;
    Ok(of_each.into_iter().flatten().collect())
}

#[test]
fn what_helm_renders_of_every_combination_on_every_platform_is_what_was_reviewed() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    let all = all(&helm)?;
    assert_eq!(all.len(), 16 * TARGETS.len());
    for rendering in all {
        let found = faults(&rendering.rights);
        ensure!(
            found.is_empty(),
            "{} on {}: {found:#?}",
            rendering.switches,
            TARGETS[rendering.target].name
        );
    }
    insta::assert_snapshot!("rights_of_the_chart", table(all));
    Ok(())
}

#[test]
fn each_switch_that_is_off_takes_rules_out_of_the_chart_and_puts_none_in() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    let all = all(&helm)?;
    let rendered = |target: usize, switches: Switches| {
        let mut found = all
            .iter()
            .filter(|it| it.target == target && it.switches == switches);
        found
            .next()
            .context("a rendering is missing")
            .map(|it| &it.rights)
    };
    let mut compared = 0;
    for on in all {
        for switch in Switch::ALL
            .into_iter()
            .filter(|switch| on.switches.is_on(*switch))
        {
            let off = rendered(on.target, on.switches.without(switch))?;
            let wrong = takes_only(&on.rights, off);
            let target = TARGETS[on.target].name;
            ensure!(
                wrong.is_none(),
                "{switch} off, on {target} with {}: {wrong:?}",
                on.switches
            );
            compared += 1;
        }
    }
    assert_eq!(compared, TARGETS.len() * 4 * 8);
    Ok(())
}

/// What is rendered and is not as the table of rights has it. What the table does not speak of at all is not looked at here.
fn deviations(rights: &Rights, switches: Switches) -> Result<Vec<String>> {
    let table = Rights::of_table(switches)?;
    let roles = table
        .roles
        .iter()
        .filter(|(id, role)| rights.roles.get(*id) != Some(role));
    let bindings = table.bindings.iter();
    let bindings = bindings.filter(|(id, binding)| rights.bindings.get(*id) != Some(binding));
    Ok(roles
        .map(|(id, _)| id.clone())
        .chain(bindings.map(|(id, _)| id.clone()))
        .collect())
}

/// The name of a role without its kind and namespace.
fn name(role: &str) -> &str {
    role.rsplit([' ', '/']).next().unwrap_or(role)
}

/// What the chart brings for whoever binds it; nobody holds it.
const FOR_MONITORING: &str = "ClusterRole reeve-metrics-reader";

/// The roles of a rendering that are not people's, with those of Kubernetes that it binds.
fn of_programs(rights: &Rights) -> BTreeSet<&str> {
    let people: BTreeSet<String> = people::cluster_roles()
        .into_iter()
        .filter_map(|role| role.metadata.name)
        .collect();
    let bound = rights.bindings.values().map(|binding| &binding.role);
    let roles = rights
        .roles
        .keys()
        .chain(bound)
        .filter(|id| *id != FOR_MONITORING);
    roles
        .map(|id| name(id))
        .filter(|name| !people.contains(*name))
        .collect()
}

/// `reeve cluster permissions` says before the installation what Helm then installs: each role, each rule, and nothing else.
#[test]
fn who_reviews_the_permissions_reads_every_rule_that_is_rendered() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    let all = all(&helm)?;
    for rendering in all {
        let Rendering { switches, rights, .. } = rendering;
        let target = TARGETS[rendering.target];
        let place = format!("{switches} on {}", target.name);
        assert_eq!(deviations(rights, *switches)?, Vec::<String>::new(), "{place}");
        let text = permissions_text(*switches, target.platform, Shown::Given);
        let programs = of_programs(rights);
        for (id, role) in &rights.roles {
            let shown = programs.contains(name(id)) || id == FOR_MONITORING;
            let untold = role
                .rules
                .iter()
                .map(line)
                .find(|line| shown && !text.contains(line));
            ensure!(untold.is_none(), "{place}: {untold:?} of {id} is not in:\n{text}");
            ensure!(
                !shown || text.contains(name(id)),
                "{place}: {id} is not in:\n{text}"
            );
        }
    }
    // What it says is there, Helm renders, on one version of Kubernetes or the other.
    for (platform, switches) in Platform::ALL
        .into_iter()
        .flat_map(|platform| Switches::combinations().map(|switches| (platform, switches)))
    {
        let rows = permission_rows(switches, platform, Shown::Given);
        let said: BTreeSet<&str> = rows.iter().map(|row| row.role.as_str()).collect();
        let fits = |it: &&Rendering| {
            // The webhook is the same on every platform, and rendered on one.
            let target = TARGETS[it.target];
            it.switches == switches && (target.platform == platform || target.name == "kubernetes-1.35")
        };
        let rendered = all.iter().filter(fits).map(|it| of_programs(&it.rights));
        let rendered: BTreeSet<&str> = rendered.flatten().collect();
        assert_eq!(said, rendered, "{switches} on {}", platform.as_str());
    }
    Ok(())
}

/// The values that take away what no switch does.
#[test]
fn other_values_of_the_chart_take_away_what_they_say_and_nothing_else() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    let rendered = |target: Target, change: Value| {
        let mut values = target.values(Switches::default());
        for (section, value) in change.as_object().into_iter().flatten() {
            values[section] = value.clone();
        }
        anyhow::Ok(render(&helm, &reeve_cluster(), target, values)?.each())
    };
    let [kubernetes, _, _, before] = TARGETS;
    let full = rendered(kubernetes, json!({}))?;
    for (change, gone) in [
        (
            json!({"metrics": {"authorize": false}}),
            "ClusterRoleBinding reeve-operator-metrics: ClusterRole system:auth-delegator to ServiceAccount reeve-system/reeve-operator",
        ),
        (
            json!({"metrics": {"readerRole": false}}),
            "ClusterRole reeve-metrics-reader: get /metrics",
        ),
    ] {
        let less = rendered(kubernetes, change)?;
        let taken: Vec<&String> = full.difference(&less).collect();
        assert_eq!(taken, [gone]);
        ensure!(less.is_subset(&full));
    }
    // The webhook's rights are those of one that is asked for, too, and go with it.
    let asked_for = rendered(kubernetes, json!({"admission": {"mode": "webhook"}}))?;
    assert_eq!(asked_for, rendered(before, json!({}))?);
    let refused = rendered(before, json!({"admission": {"mode": "policies"}}))?;
    assert_eq!(refused, full);
    Ok(())
}

/// Keys of every era are the same switches to Helm.
#[test]
fn a_key_of_any_era_takes_the_same_rights_away() -> Result<()> {
    let Some(helm) = helm() else { return Ok(()) };
    let all = all(&helm)?;
    let [target, ..] = TARGETS;
    let places: [fn(Value) -> Value; 3] = [
        |section| json!({"clusterConfig": section}),
        |section| json!({"runai-operator": {"config": section}}),
        |section| json!({"spec": section}),
    ];
    for (turn, key) in reeve_types::switches::known_keys().into_iter().enumerate() {
        let place = places[turn % places.len()];
        let values = place(json!({"project-controller": {key: false}}));
        let switches = Switches::of_values(&values)?;
        ensure!(switches != Switches::default(), "{values} turns nothing off");
        let rights = render(&helm, &reeve_cluster(), target, values.clone())?;
        let wanted = all
            .iter()
            .find(|it| it.target == 0 && it.switches == switches)
            .context("a rendering is missing")?;
        ensure!(
            rights.each() == wanted.rights.each(),
            "{values} is not {switches}"
        );
    }
    Ok(())
}
