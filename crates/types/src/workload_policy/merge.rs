//! From the policies on a way from the account down to what holds at its end.

use super::document::{Defaults, InvalidPolicy, Policy, Rules, SourceOfRule};
use super::limits::{Allowed, Entry, Limits};
use super::{Field, HIGHEST_ID, Values};

/// A policy and where it is. A way is a list of these from the account down.
#[derive(Debug, Clone)]
pub struct Scoped<'a> {
    /// Where it is.
    pub source: SourceOfRule,
    /// What it is called in sentences: ``department `research` ``.
    pub name: String,
    /// What it says.
    pub policy: &'a Policy,
}

/// What holds at the end of a way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effective {
    /// Those of the lowest scope that has one.
    pub defaults: Defaults,
    /// With their sources.
    pub rules: Rules,
    /// What is enforced.
    pub limits: Limits,
}

/// Merges the policies of a way, from the account down.
pub fn effective(way: &[Scoped<'_>]) -> Effective {
    let mut merged = Effective::default();
    for scoped in way {
        overlay(&mut merged.defaults, &scoped.policy.defaults);
        let can_add = scoped.policy.rules.storage.host_path.instances.can_add;
        let place = &mut merged.rules.storage.host_path.instances.can_add;
        *place = place.or(can_add);
    }
    for field in Field::ALL {
        for (at, scoped) in way.iter().enumerate() {
            let Some(rule) = scoped.policy.rules.get(field) else {
                continue;
            };
            let place = merged.rules.get_mut(field);
            if place.is_none() {
                let mut rule = rule.clone();
                rule.source_of_rule = Some(scoped.source.clone());
                *place = Some(rule);
            }
            merged.limits.0.extend(entry(field, way, at));
        }
    }
    merged
}

fn overlay(merged: &mut Defaults, over: &Defaults) {
    fn put<T: Clone>(place: &mut Option<T>, value: Option<&T>) {
        if let Some(value) = value {
            *place = Some(value.clone());
        }
    }
    put(&mut merged.image, over.image.as_ref());
    put(&mut merged.create_home_dir, over.create_home_dir.as_ref());
    put(&mut merged.working_dir, over.working_dir.as_ref());
    let (compute, asked) = (&mut merged.compute, &over.compute);
    put(
        &mut compute.gpu_devices_request,
        asked.gpu_devices_request.as_ref(),
    );
    put(&mut compute.large_shm_request, asked.large_shm_request.as_ref());
    let (security, asked) = (&mut merged.security, &over.security);
    put(&mut security.uid_gid_source, asked.uid_gid_source.as_ref());
    put(
        &mut security.allow_privilege_escalation,
        asked.allow_privilege_escalation.as_ref(),
    );
    put(&mut security.run_as_non_root, asked.run_as_non_root.as_ref());
    put(&mut security.host_ipc, asked.host_ipc.as_ref());
    put(&mut security.host_network, asked.host_network.as_ref());
    put(
        &mut security.seccomp_profile_type,
        asked.seccomp_profile_type.as_ref(),
    );
}

/// Whether a rule fixes its field to the default. Of lists it does unless it says otherwise.
fn fixes(field: Field, rule: &super::Rule) -> bool {
    rule.can_edit.map_or(field == Field::Capabilities, |may| !may)
}

/// The default that a rule at this place of the way fixes its field to.
fn fixed_to(field: Field, way: &[Scoped<'_>], at: usize) -> Option<String> {
    let above = way.iter().take(at.saturating_add(1)).rev();
    let mut defaults = above.filter_map(|scoped| scoped.policy.defaults.value(field));
    defaults.next().or_else(|| field.built_in().map(str::to_owned))
}

/// What the rule at this place of the way enforces; nothing for what holds anyway.
fn entry(field: Field, way: &[Scoped<'_>], at: usize) -> Option<Entry> {
    let scoped = way.get(at)?;
    let rule = scoped.policy.rules.get(field)?;
    field.key()?;
    let fixed = fixes(field, rule);
    let default = fixed_to(field, way, at);
    let allowed = match field.values() {
        Values::Number | Values::Id => {
            let asked = u32::from(rule.required == Some(true));
            let (min, max) = (rule.min.unwrap_or(0).max(asked), rule.max.unwrap_or(HIGHEST_ID));
            let only = default.and_then(|text| text.parse().ok()).unwrap_or(0);
            let (min, max) = if fixed { (only, only) } else { (min, max) };
            Allowed::Numbers {
                min,
                max,
                step: if fixed { 1 } else { rule.step.unwrap_or(1) },
            }
        }
        Values::Flag if !fixed => return None,
        Values::Words if !fixed && rule.options.is_none() => return None,
        Values::Flag | Values::Words => Allowed::Words(if fixed {
            default.into_iter().collect()
        } else {
            let options = rule.options.iter().flatten();
            options.map(|option| option.value.clone()).collect()
        }),
    };
    Some(Entry {
        field,
        allowed,
        scope: scoped.source.scope,
    })
}

/// What can be wrong with policies that stand above one another.
///
/// # Errors
/// [`InvalidPolicy`], which names the field: one that two scopes rule, a default that a rule refuses, one that cannot be changed
/// and has none.
pub fn check_way(way: &[Scoped<'_>]) -> Result<(), InvalidPolicy> {
    Field::ALL
        .into_iter()
        .try_for_each(|field| check_field(field, way))
}

fn has_default(field: Field, way: &[Scoped<'_>], at: usize) -> bool {
    way.get(at)
        .is_some_and(|scoped| scoped.policy.defaults.value(field).is_some())
}

fn check_field(field: Field, way: &[Scoped<'_>]) -> Result<(), InvalidPolicy> {
    let ruling: Vec<usize> = (0..way.len())
        .filter(|at| {
            way.get(*at)
                .is_some_and(|it| it.policy.rules.get(field).is_some())
        })
        .collect();
    if let [first, second, ..] = ruling.as_slice() {
        let names: Vec<&str> = [first, second]
            .into_iter()
            .filter_map(|at| Some(way.get(*at)?.name.as_str()))
            .collect();
        let problem = format!(
            "a field is ruled by one policy above a project, and this one by both {}: remove one of the rules",
            names.join(" and ")
        );
        return Err(InvalidPolicy::new(format!("rules.{}", field.path()), problem));
    }
    let Some((at, scoped)) = ruling.first().and_then(|at| Some((*at, way.get(*at)?))) else {
        return Ok(());
    };
    let rule = scoped.policy.rules.get(field);
    let open = [Field::Image, Field::UidGidSource].contains(&field) && fixed_to(field, way, at).is_none();
    if open && rule.is_some_and(|rule| fixes(field, rule)) {
        let problem = format!(
            "`canEdit: false` needs a value that is not to change: `defaults.{}`",
            field.path()
        );
        return Err(InvalidPolicy::new(
            format!("rules.{}.canEdit", field.path()),
            problem,
        ));
    }
    let Some(entry) = entry(field, way, at) else {
        return Ok(());
    };
    // With its options too, where the rule fixes one of them.
    let options = rule.and_then(|rule| rule.options.as_ref());
    let listed = |value: &String| {
        let numbers = rule.map(|rule| (rule.min.unwrap_or(0), rule.max.unwrap_or(HIGHEST_ID)));
        let number = value.parse::<u32>().ok().zip(numbers);
        number.is_none_or(|(number, (min, max))| (min..=max).contains(&number))
            && options.is_none_or(|options| options.iter().any(|option| option.value == *value))
    };
    // The default that holds where the rule is, and each that is written below.
    let holding = (0..=at).rev().find(|at| has_default(field, way, *at));
    let below = (at.saturating_add(1)..way.len()).filter(|at| has_default(field, way, *at));
    for scope in holding.into_iter().chain(below).filter_map(|at| way.get(at)) {
        if let Some(value) = scope.policy.defaults.value(field) {
            let fits = match &entry.allowed {
                Allowed::Numbers { .. } => value.parse().is_ok_and(|number| entry.allows_number(number)),
                Allowed::Words(_) => entry.allows_word(&value),
            };
            if !fits || !listed(&value) {
                let problem = format!(
                    "this default of {} is refused by the rule of {}: {entry}",
                    scope.name, scoped.name
                );
                return Err(InvalidPolicy::new(format!("defaults.{}", field.path()), problem));
            }
        }
    }
    Ok(())
}
