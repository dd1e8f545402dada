//! What a workload's Job and its pods are told besides what runs in them, between the custom resource and the link.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use reeve_link::desired;
use reeve_types::{MetadataName, Toleration};

use super::{Fields, InvalidObject};
use crate::{AttemptsSpec, OwnMetadataSpec, PlacementSpec, ReadinessProbeSpec, TolerationSpec};

const NEGATIVE: &str = "it cannot be negative";

fn count(fields: &Fields<'_>, field: &'static str, number: i32) -> Result<u32, InvalidObject> {
    u32::try_from(number).map_err(|_| fields.fail(field, NEGATIVE))
}

fn some_count(
    fields: &Fields<'_>,
    field: &'static str,
    number: Option<i32>,
) -> Result<Option<u32>, InvalidObject> {
    number.map(|number| count(fields, field, number)).transpose()
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(super) fn attempts(
    fields: &Fields<'_>,
    spec: Option<&AttemptsSpec>,
) -> Result<desired::Attempts, InvalidObject> {
    let Some(spec) = spec else {
        return Ok(desired::Attempts::default());
    };
    Ok(desired::Attempts {
        backoff_limit: count(fields, "spec.attempts.backoffLimit", spec.backoff_limit)?,
        completions: some_count(fields, "spec.attempts.completions", spec.completions)?,
        parallelism: some_count(fields, "spec.attempts.parallelism", spec.parallelism)?,
    })
}

pub(super) fn spec_of_attempts(attempts: &desired::Attempts) -> Option<AttemptsSpec> {
    (!attempts.is_none()).then(|| AttemptsSpec {
        backoff_limit: number(attempts.backoff_limit),
        completions: attempts.completions.map(number),
        parallelism: attempts.parallelism.map(number),
    })
}

pub(super) fn grace_period(fields: &Fields<'_>, seconds: Option<i32>) -> Result<Option<u32>, InvalidObject> {
    some_count(fields, "spec.terminationGracePeriodSeconds", seconds)
}

pub(super) fn spec_of_grace_period(seconds: Option<u32>) -> Option<i32> {
    seconds.map(number)
}

pub(super) fn probe(
    fields: &Fields<'_>,
    spec: Option<&ReadinessProbeSpec>,
) -> Result<Option<desired::ReadinessProbe>, InvalidObject> {
    let Some(spec) = spec else { return Ok(None) };
    let port = u16::try_from(spec.port).ok().filter(|port| *port > 0);
    let seconds = |field, number| some_count(fields, field, number);
    Ok(Some(desired::ReadinessProbe {
        port: port.ok_or_else(|| fields.fail("spec.readinessProbe.port", "it is no port"))?,
        path: spec.path.clone(),
        https: spec.https,
        initial_delay_seconds: seconds(
            "spec.readinessProbe.initialDelaySeconds",
            spec.initial_delay_seconds,
        )?,
        period_seconds: seconds("spec.readinessProbe.periodSeconds", spec.period_seconds)?,
        timeout_seconds: seconds("spec.readinessProbe.timeoutSeconds", spec.timeout_seconds)?,
        success_threshold: seconds("spec.readinessProbe.successThreshold", spec.success_threshold)?,
        failure_threshold: seconds("spec.readinessProbe.failureThreshold", spec.failure_threshold)?,
    }))
}

pub(super) fn spec_of_probe(probe: &desired::ReadinessProbe) -> ReadinessProbeSpec {
    ReadinessProbeSpec {
        port: i32::from(probe.port),
        path: probe.path.clone(),
        https: probe.https,
        initial_delay_seconds: probe.initial_delay_seconds.map(number),
        period_seconds: probe.period_seconds.map(number),
        timeout_seconds: probe.timeout_seconds.map(number),
        success_threshold: probe.success_threshold.map(number),
        failure_threshold: probe.failure_threshold.map(number),
    }
}

/// Names are checked here once more: whoever makes a Job in the operator's name may write what people may not (R18).
pub(super) fn metadata(
    fields: &Fields<'_>,
    spec: Option<&OwnMetadataSpec>,
) -> Result<desired::OwnMetadata, InvalidObject> {
    let Some(spec) = spec else {
        return Ok(desired::OwnMetadata::default());
    };
    Ok(desired::OwnMetadata {
        labels: named(fields, "spec.metadata.labels", &spec.labels)?,
        annotations: named(fields, "spec.metadata.annotations", &spec.annotations)?,
    })
}

fn named<T: FromStr<Err: Display>>(
    fields: &Fields<'_>,
    field: &'static str,
    all: &BTreeMap<String, String>,
) -> Result<BTreeMap<MetadataName, T>, InvalidObject> {
    all.iter()
        .map(|(name, value)| Ok((fields.parse(field, name)?, fields.parse(field, value)?)))
        .collect()
}

pub(super) fn spec_of_metadata(metadata: &desired::OwnMetadata) -> Option<OwnMetadataSpec> {
    let text = |name: &MetadataName, value: &str| (name.to_string(), value.to_owned());
    (!metadata.is_none()).then(|| OwnMetadataSpec {
        labels: metadata
            .labels
            .iter()
            .map(|(name, value)| text(name, value.as_str()))
            .collect(),
        annotations: metadata
            .annotations
            .iter()
            .map(|(name, value)| text(name, value))
            .collect(),
    })
}

pub(super) fn placement(
    fields: &Fields<'_>,
    spec: Option<&PlacementSpec>,
) -> Result<desired::Placement, InvalidObject> {
    let Some(spec) = spec else {
        return Ok(desired::Placement::default());
    };
    Ok(desired::Placement {
        node_type: fields.parse_some("spec.placement.nodeType", spec.node_type.as_ref())?,
        tolerations: spec
            .tolerations
            .iter()
            .map(|spec| toleration(fields, spec))
            .collect::<Result<_, _>>()?,
    })
}

fn toleration(fields: &Fields<'_>, spec: &TolerationSpec) -> Result<Toleration, InvalidObject> {
    let toleration = Toleration {
        key: fields.parse("spec.placement.tolerations.key", &spec.key)?,
        operator: fields.parse("spec.placement.tolerations.operator", &spec.operator)?,
        value: fields.parse_some("spec.placement.tolerations.value", spec.value.as_ref())?,
        effect: fields.parse_some("spec.placement.tolerations.effect", spec.effect.as_ref())?,
        seconds: some_count(fields, "spec.placement.tolerations.seconds", spec.seconds)?,
    };
    let checked = toleration.check();
    checked.map_err(|wrong| fields.fail("spec.placement.tolerations", wrong))?;
    Ok(toleration)
}

pub(super) fn spec_of_placement(placement: &desired::Placement) -> Option<PlacementSpec> {
    let toleration = |it: &Toleration| TolerationSpec {
        key: it.key.to_string(),
        operator: it.operator.to_string(),
        value: it.value.as_ref().map(ToString::to_string),
        effect: it.effect.map(|effect| effect.to_string()),
        seconds: it.seconds.map(number),
    };
    (!placement.is_none()).then(|| PlacementSpec {
        node_type: placement.node_type.as_ref().map(ToString::to_string),
        tolerations: placement.tolerations.iter().map(toleration).collect(),
    })
}
