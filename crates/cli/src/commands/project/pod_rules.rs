//! `reeve project pod-rules`.

use reeve_api::org::Project;
use reeve_types::PodRules;

use crate::Context;
use crate::args::ProjectPodRules;
use crate::commands::find;
use crate::failure::Failure;
use crate::http::Api;

pub(in crate::commands) async fn run(
    context: &mut Context,
    arguments: ProjectPodRules,
) -> Result<(), Failure> {
    let name = arguments.name.clone();
    let what = format!("cannot decide what pods of `{name}` may do");
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let found = find::project(&api, &name, &what).await?;
    let (rules, changes) = changed(found.pod_rules.clone(), arguments);
    let shown = if changes {
        let path = format!("/api/v1/org-unit/projects/{}/pod-rules", found.id);
        let answer: Result<Project, _> = api.put(&path, &rules).await;
        answer.map_err(|error| error.explain(what))?
    } else {
        found
    };
    context
        .printer
        .answer(&shown, || lines(name.as_str(), &shown.pod_rules))
}

/// The rules with what the command line says in place of what was; and whether it says anything.
fn changed(mut rules: PodRules, arguments: ProjectPodRules) -> (PodRules, bool) {
    let before = rules.clone();
    let ProjectPodRules {
        name: _,
        pod_security,
        node_pools,
        priority_classes,
        tolerations,
        trusted_mutators,
        forget,
    } = arguments;
    if forget {
        rules = PodRules::default();
    }
    rules.pod_security = pod_security.or(rules.pod_security);
    rules.node_pools = node_pools.map(|list| list.0).or(rules.node_pools);
    rules.priority_classes = priority_classes.map(|list| list.0).or(rules.priority_classes);
    rules.tolerations = tolerations.map(|list| list.0).or(rules.tolerations);
    rules.trusted_mutators = trusted_mutators.map(|list| list.0).or(rules.trusted_mutators);
    let changes = rules != before;
    (rules, changes)
}

fn lines(name: &str, rules: &PodRules) -> String {
    fn list<T: ToString>(list: Option<&Vec<T>>, none: &str) -> String {
        match list {
            None => "not decided here: as the cluster's installers set it".to_owned(),
            Some(list) if list.is_empty() => none.to_owned(),
            Some(list) => list.iter().map(T::to_string).collect::<Vec<_>>().join(", "),
        }
    }
    let level = match rules.pod_security {
        Some(reeve_types::PodSecurity::Restricted) => "restricted",
        _ => "as the cluster's settings say",
    };
    format!(
        "pods of `{name}`\n  Pod Security      {level}\n  node pools        {}\n  priority classes  {}\n  tolerations       {}\n  second writers    {}",
        list(rules.node_pools.as_ref(), "every node"),
        list(rules.priority_classes.as_ref(), "none"),
        list(rules.tolerations.as_ref(), "none"),
        list(rules.trusted_mutators.as_ref(), "none"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Names;

    fn nothing() -> ProjectPodRules {
        ProjectPodRules {
            name: "robots".parse().unwrap(),
            pod_security: None,
            node_pools: None,
            priority_classes: None,
            tolerations: None,
            trusted_mutators: None,
            forget: false,
        }
    }

    #[test]
    fn what_the_command_line_does_not_name_stays() {
        let before = PodRules {
            node_pools: Some(vec!["gpu".parse().unwrap()]),
            ..PodRules::default()
        };
        assert_eq!(changed(before.clone(), nothing()), (before.clone(), false));
        let classes: Names<reeve_types::PriorityClassName> = "build,interactive".parse().unwrap();
        let (after, changes) = changed(
            before.clone(),
            ProjectPodRules {
                priority_classes: Some(classes),
                ..nothing()
            },
        );
        assert!(changes);
        assert_eq!(after.node_pools, before.node_pools);
        assert_eq!(after.priority_classes.unwrap().len(), 2);
        let forget = ProjectPodRules {
            forget: true,
            ..nothing()
        };
        assert_eq!(changed(before, forget), (PodRules::default(), true));
        let none: Names<reeve_types::NodePoolName> = "".parse().unwrap();
        assert!(none.0.is_empty());
        assert!("a,,b".parse::<Names<reeve_types::NodePoolName>>().is_err());
    }
}
