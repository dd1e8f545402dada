//! Which taints of nodes a training is put up with.

use reeve_types::{InvalidToleration, LabelValue, TaintEffect, TaintName, Toleration, TolerationOperator};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::body::InvalidBody;
use crate::body::fields::{OnlyFalse, Unsupported, within};

/// How many tolerations: as many as the custom resource holds.
const MOST: usize = 32;

/// A toleration of nodes with a taint.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "fields that are not honoured refuse by being there")]
pub(super) struct SubmittedToleration {
    /// The taint's key. One under `node-role.kubernetes.io/` has to be in the project's pod rules (R20).
    key: TaintName,
    /// Whether the taint's value has to be the same. Absent: `Equal`.
    #[serde(default)]
    operator: Option<TolerationOperator>,
    /// The taint's value; not with `Exists`. Absent: the empty one.
    #[serde(default)]
    value: Option<LabelValue>,
    /// Which effect of the taint is tolerated. Absent, and `Any`: any.
    #[serde(default)]
    effect: Option<SubmittedEffect>,
    /// How many seconds a node is tolerated that gets the taint while the pod runs, at most a day; with `NoExecute` alone. Absent: for ever.
    #[serde(default, deserialize_with = "within::<_, 1, 86400>")]
    #[schemars(range(min = 1, max = 86400))]
    seconds: Option<u32>,
    #[serde(default)]
    exclude: OnlyFalse,
    #[serde(default)]
    name: Unsupported,
}

/// An effect of a taint in the reference's words.
#[derive(Deserialize, JsonSchema)]
enum SubmittedEffect {
    /// No pod is put on the node.
    NoSchedule,
    /// None is put there while there is room elsewhere.
    PreferNoSchedule,
    /// None is put there, and those that run are driven out.
    NoExecute,
    /// Any of these.
    Any,
}

impl SubmittedEffect {
    /// In Kubernetes' words, where absent is any.
    const fn kept(self) -> Option<TaintEffect> {
        match self {
            Self::NoSchedule => Some(TaintEffect::NoSchedule),
            Self::PreferNoSchedule => Some(TaintEffect::PreferNoSchedule),
            Self::NoExecute => Some(TaintEffect::NoExecute),
            Self::Any => None,
        }
    }
}

/// What is kept of them; `None` of none.
pub(super) fn tolerations(submitted: Vec<SubmittedToleration>) -> Option<Vec<Toleration>> {
    let all = submitted.into_iter().map(|it| Toleration {
        key: it.key,
        operator: it.operator.unwrap_or(TolerationOperator::Equal),
        value: it.value,
        effect: it.effect.and_then(SubmittedEffect::kept),
        seconds: it.seconds,
    });
    Some(all.collect()).filter(|all: &Vec<_>| !all.is_empty())
}

/// How many there are, and whether Kubernetes takes the fields of each together.
pub(super) fn check(tolerations: &[Toleration]) -> Result<(), InvalidBody> {
    const FIELD: &str = "spec.tolerations";
    if tolerations.len() > MOST {
        return Err(InvalidBody::too_many(FIELD, MOST, "", tolerations.len()));
    }
    for (at, toleration) in tolerations.iter().enumerate() {
        let wrong =
            |it: InvalidToleration| InvalidBody::wrong(format!("{FIELD}[{at}].{}", it.field), it.rule);
        toleration.check().map_err(wrong)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::training::TrainingSpec;
    use crate::training::parsed_spec as parse;

    #[test]
    fn a_toleration_is_kept_in_kubernetes_words() {
        let asked = json!({"nodeType": "dgx", "tolerations": [
            {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoExecute", "seconds": 60, "exclude": false},
            {"key": "slow", "operator": "Exists", "effect": "Any", "name": null}, {"key": "plain", "value": "x"}]});
        let spec = parse(asked).unwrap();
        let kept = serde_json::to_value(&spec).unwrap();
        assert_eq!(kept["nodeType"], "dgx");
        assert_eq!(
            kept["tolerations"],
            json!([
                {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoExecute", "seconds": 60},
                {"key": "slow", "operator": "Exists"}, {"key": "plain", "operator": "Equal", "value": "x"}])
        );
        assert_eq!(serde_json::from_value::<TrainingSpec>(kept).unwrap(), spec);
    }

    /// Planted fault: a toleration of every taint, which has no key.
    #[test]
    fn what_cannot_be_tolerated_is_refused_by_its_place() {
        let one = |toleration: Value| parse(json!({"tolerations": [toleration]}));
        for (toleration, said) in [
            (
                json!({"operator": "Exists"}),
                "`spec.tolerations[0].key` is missing",
            ),
            (
                json!({"key": "", "operator": "Exists"}),
                "`spec.tolerations[0].key`: this is not a valid key of a taint",
            ),
            (
                json!({"key": "a", "operator": "Exists", "value": "b"}),
                "`spec.tolerations[0].value`: `Exists` tolerates every value",
            ),
            (
                json!({"key": "a", "operator": "Like"}),
                "`spec.tolerations[0].operator`: `Equal` or `Exists` is needed",
            ),
            (
                json!({"key": "a", "effect": "Never"}),
                "`spec.tolerations[0].effect`: one of `NoSchedule`",
            ),
            (
                json!({"key": "a", "effect": "NoSchedule", "seconds": 1}),
                "`spec.tolerations[0].seconds`: with the effect `NoExecute` alone",
            ),
            (
                json!({"key": "a", "effect": "NoExecute", "seconds": 0}),
                "`spec.tolerations[0].seconds`: a whole number from 1 to 86400",
            ),
            (
                json!({"key": "a", "name": "b"}),
                "`spec.tolerations[0].name` is not supported yet",
            ),
        ] {
            let found = one(toleration).unwrap_err();
            assert!(found.starts_with(said), "{found}");
        }
        let many = |count: usize| parse(json!({"tolerations": vec![json!({"key": "a"}); count]}));
        assert!(many(32).is_ok());
        assert!(
            many(33)
                .unwrap_err()
                .starts_with("`spec.tolerations`: at most 32")
        );
        assert!(
            parse(json!({"nodeType": "a b"}))
                .unwrap_err()
                .starts_with("`spec.nodeType`: ")
        );
    }
}
