//! Taints of nodes that a pod is put up with, in Kubernetes' words.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::{LabelValue, TaintName};

/// A toleration of nodes with a taint. One without a key, which tolerates every taint, cannot be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Toleration {
    /// The taint's key.
    pub key: TaintName,
    /// Whether the taint's value has to be the same.
    pub operator: TolerationOperator,
    /// The taint's value; with `Equal` alone, where absent is the empty one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<LabelValue>,
    /// Which effect of the taint is tolerated; absent for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
    /// How many seconds a node is tolerated that gets the taint while the pod runs; with `NoExecute` alone. Absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

/// What of a toleration Kubernetes does not take: the field, and what is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct InvalidToleration {
    /// The field, as it is written.
    pub field: &'static str,
    /// What is right.
    pub rule: &'static str,
}

impl Toleration {
    /// Whether Kubernetes takes these fields together.
    ///
    /// # Errors
    /// [`InvalidToleration`].
    pub fn check(&self) -> Result<(), InvalidToleration> {
        let has_value = self
            .value
            .as_ref()
            .is_some_and(|value| !value.as_str().is_empty());
        if self.operator == TolerationOperator::Exists && has_value {
            return Err(InvalidToleration {
                field: "value",
                rule: "`Exists` tolerates every value: leave it out, or say `Equal`",
            });
        }
        if self.seconds.is_some() && self.effect != Some(TaintEffect::NoExecute) {
            return Err(InvalidToleration {
                field: "seconds",
                rule: "with the effect `NoExecute` alone: a pod is driven out by no other",
            });
        }
        Ok(())
    }
}

/// Text that is no such word. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is needed")]
pub struct InvalidWord(&'static str);

/// Words that are written as Kubernetes has them.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $needed:literal { $($(#[$about:meta])* $word:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$about])* $word,)*
        }

        impl $name {
            /// Kubernetes' word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => stringify!($word),)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = InvalidWord;

            fn from_str(text: &str) -> Result<Self, InvalidWord> {
                let mut all = [$(Self::$word),*].into_iter();
                all.find(|it| it.as_str() == text).ok_or(InvalidWord($needed))
            }
        }
    };
}

words! {
    /// Whether a taint's value counts.
    TolerationOperator, "`Equal` or `Exists`" {
        /// The value has to be the same.
        Equal,
        /// The key alone counts.
        Exists,
    }
}

words! {
    /// What a taint does to pods that do not tolerate it.
    TaintEffect, "`NoSchedule`, `PreferNoSchedule` or `NoExecute`" {
        /// None is put on the node.
        NoSchedule,
        /// None is put there while there is room elsewhere.
        PreferNoSchedule,
        /// None is put there, and those that run are driven out.
        NoExecute,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn toleration(value: serde_json::Value) -> Toleration {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_kubernetes_does_not_take_together_is_said_of_its_field() {
        for (fields, wrong) in [
            (json!({"key": "a", "operator": "Exists"}), None),
            (json!({"key": "a", "operator": "Exists", "value": ""}), None),
            (
                json!({"key": "a", "operator": "Exists", "value": "b"}),
                Some("value"),
            ),
            (json!({"key": "a", "operator": "Equal", "value": "b"}), None),
            (
                json!({"key": "a", "operator": "Equal", "seconds": 9}),
                Some("seconds"),
            ),
            (
                json!({"key": "a", "operator": "Equal", "effect": "NoSchedule", "seconds": 9}),
                Some("seconds"),
            ),
            (
                json!({"key": "a", "operator": "Equal", "effect": "NoExecute", "seconds": 9}),
                None,
            ),
        ] {
            let found = toleration(fields.clone()).check().err().map(|error| error.field);
            assert_eq!(found, wrong, "{fields}");
        }
    }

    #[test]
    fn words_are_read_and_written_as_kubernetes_has_them() {
        for effect in ["NoSchedule", "PreferNoSchedule", "NoExecute"] {
            assert_eq!(effect.parse::<TaintEffect>().unwrap().as_str(), effect);
            assert_eq!(
                serde_json::to_value(effect.parse::<TaintEffect>().unwrap()).unwrap(),
                effect
            );
        }
        assert_eq!("Exists".parse(), Ok(TolerationOperator::Exists));
        assert!("Any".parse::<TaintEffect>().is_err() && "exists".parse::<TolerationOperator>().is_err());
    }
}
