//! Arguments of `reeve submit` that say what its Job and pods are told besides what runs in them.

use std::time::Duration;

use clap::{ArgAction, Args};
use reeve_api::training::{Annotation, Label};
use reeve_types::toleration::InvalidWord;
use reeve_types::{InvalidName, LabelValue, NodeTypeName, TaintEffect, Toleration, TolerationOperator};

use super::running::duration;

/// Of `reeve submit`.
#[derive(Debug, Args)]
pub struct Job {
    /// How many pods may fail until the workload has [default: 0]
    #[arg(
        long,
        alias = "backoffLimit",
        value_name = "N",
        conflicts_with = "interactive"
    )]
    pub backoff_limit: Option<u32>,
    /// How many pods have to end well [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "interactive")]
    pub completions: Option<u32>,
    /// How many of these run at once [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "interactive")]
    pub parallelism: Option<u32>,
    /// How long a pod has to end before it is killed, as 90s or 5m [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = whole_seconds)]
    pub termination_grace_period: Option<u32>,
    /// A label of its Job and pods; may be repeated
    #[arg(short, long = "label", value_name = "KEY=VALUE", value_parser = label, action = ArgAction::Append)]
    pub labels: Vec<Label>,
    /// An annotation of its pods; may be repeated
    #[arg(short, long = "annotation", value_name = "KEY=VALUE", value_parser = annotation, action = ArgAction::Append)]
    pub annotations: Vec<Annotation>,
    /// Run on nodes of this type, as their label run.ai/type has it
    #[arg(long, value_name = "TYPE")]
    pub node_type: Option<NodeTypeName>,
    /// Run on nodes with this taint too; may be repeated
    #[arg(long = "toleration", value_name = "key=KEY[,operator=Equal|Exists][,value=VALUE][,effect=EFFECT][,seconds=N]",
          value_parser = toleration, action = ArgAction::Append)]
    pub tolerations: Vec<Toleration>,
}

fn whole_seconds(text: &str) -> Result<u32, String> {
    let long: Duration = duration(text)?;
    match u32::try_from(long.as_secs()) {
        Ok(seconds) if long.subsec_nanos() == 0 => Ok(seconds),
        _ => Err("whole seconds are needed, like 90s or 5m".to_owned()),
    }
}

const PAIR: &str = "KEY=VALUE is needed";

fn label(text: &str) -> Result<Label, String> {
    let (name, value) = text.split_once('=').ok_or(PAIR)?;
    Ok(Label {
        name: name.parse().map_err(said)?,
        value: value.parse().map_err(said)?,
    })
}

fn annotation(text: &str) -> Result<Annotation, String> {
    let (name, value) = text.split_once('=').ok_or(PAIR)?;
    Ok(Annotation {
        name: name.parse().map_err(said)?,
        value: value.to_owned(),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands over what it has")]
fn said(error: InvalidName) -> String {
    error.to_string()
}

/// The reference's words (cluster-and-cli 7.4): `operator=Equal,key=…,value=…`.
fn toleration(text: &str) -> Result<Toleration, String> {
    const FORM: &str = "`key=KEY` is needed, with `operator=Equal` or `operator=Exists`, `value=VALUE`, `effect=EFFECT` and `seconds=N` after \
                        commas where they are wanted";
    let (mut key, mut operator, mut value, mut effect, mut seconds) = (None, None, None, None, None);
    for part in text.split(',') {
        let (name, given) = part.split_once('=').ok_or(FORM)?;
        let again = match name {
            "key" => key.replace(given.parse().map_err(said)?).is_some(),
            "operator" => {
                let parsed: TolerationOperator = given
                    .parse()
                    .map_err(|error: InvalidWord| format!("operator: {error}"))?;
                operator.replace(parsed).is_some()
            }
            "value" => {
                let parsed: LabelValue = given.parse().map_err(said)?;
                value.replace(parsed).is_some()
            }
            "effect" => {
                let parsed: TaintEffect = given
                    .parse()
                    .map_err(|error: InvalidWord| format!("effect: {error}"))?;
                effect.replace(parsed).is_some()
            }
            "seconds" => {
                let parsed = given.parse().map_err(|_| "seconds: a whole number is needed")?;
                seconds.replace(parsed).is_some()
            }
            _ => return Err(FORM.to_owned()),
        };
        if again {
            return Err(format!("`{name}=` is given twice"));
        }
    }
    let toleration = Toleration {
        key: key.ok_or(FORM)?,
        operator: operator.unwrap_or(TolerationOperator::Equal),
        value,
        effect,
        seconds,
    };
    match toleration.check() {
        Ok(()) => Ok(toleration),
        Err(wrong) => Err(format!("{}: {wrong}", wrong.field)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_toleration_is_written_as_in_the_reference() {
        let read = |text: &str| toleration(text).map(|it| serde_json::to_value(it).unwrap());
        for (text, asked) in [
            ("key=a", json!({"key": "a", "operator": "Equal"})),
            (
                "operator=Exists,key=nvidia.com/gpu,effect=NoExecute,seconds=60",
                json!({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoExecute", "seconds": 60}),
            ),
            (
                "key=a,value=b,effect=NoSchedule",
                json!({"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"}),
            ),
        ] {
            assert_eq!(read(text), Ok(asked), "{text}");
        }
        for wrong in [
            "",
            "a",
            "operator=Exists",
            "key=",
            "key=a,key=b",
            "key=a,operator=Like",
            "key=a,operator=Exists,value=b",
            "key=a,seconds=60",
            "key=a,effect=NoExecute,seconds=soon",
            "key=a,until=b",
        ] {
            assert!(toleration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn labels_annotations_and_seconds_are_read_as_they_are_written() {
        assert_eq!(label("team.example/stage=a").unwrap().value.as_str(), "a");
        assert_eq!(annotation("note=a=b, c").unwrap().value, "a=b, c");
        for wrong in ["a", "=b", "job-name=b", "a=b c"] {
            assert!(label(wrong).is_err(), "{wrong}");
        }
        assert!(annotation("kubernetes.io/a=b").is_err() && annotation("a").is_err());
        assert_eq!((whole_seconds("0s"), whole_seconds("5m")), (Ok(0), Ok(300)));
        assert!(whole_seconds("1500ms").is_err() && whole_seconds("30").is_err());
    }
}
