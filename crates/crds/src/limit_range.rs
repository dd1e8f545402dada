//! The section `limitRange` of `ReeveConfig`: what a project's LimitRange is made of, and what a container with GPUs gets.

use std::borrow::Cow;

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// A quantity of Kubernetes as it was written: `100m`, `100Mi`, or a plain number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Amount(pub String);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Number(number) => Self(number.to_string()),
            Written::Text(text) => Self(text),
        })
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "maxLength": 20,
            "pattern": "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$",
        })
    }
}

/// A number from 0 to 1, kept in thousandths, as it is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction(pub u16);

impl Serialize for Fraction {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if !(0.0..=1.0).contains(&number) {
            return Err(serde::de::Error::custom("a fraction is a number from 0 to 1"));
        }
        let thousandths = (0..=1000u16).find(|it| f64::from(*it) + 0.5 > number * 1000.0);
        Ok(Self(thousandths.unwrap_or(1000)))
    }
}

impl JsonSchema for Fraction {
    fn schema_name() -> Cow<'static, str> {
        "Fraction".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": 0, "maximum": 1})
    }
}

/// An amount of CPU and one of memory.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// Of CPU: `500m`, `2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Amount>,
    /// Of memory: `512Mi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Amount>,
}

/// What the LimitRange says of containers, beside what the factors give. Not in the reference.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = fits("default", "cpu", "max"))]
#[x_kube(validation = fits("default", "memory", "max"))]
#[x_kube(validation = fits("defaultRequest", "cpu", "max"))]
#[x_kube(validation = fits("defaultRequest", "memory", "max"))]
#[x_kube(validation = fits("defaultRequest", "cpu", "default"))]
#[x_kube(validation = fits("defaultRequest", "memory", "default"))]
#[x_kube(validation = fits("min", "cpu", "max"))]
#[x_kube(validation = fits("min", "memory", "max"))]
#[x_kube(validation = fits("min", "cpu", "defaultRequest"))]
#[x_kube(validation = fits("min", "memory", "defaultRequest"))]
#[x_kube(validation = at_least_one("cpu"))]
#[x_kube(validation = at_least_one("memory"))]
pub struct ContainerLimits {
    /// The limit of a container that gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Amounts>,
    /// The request of a container that gives neither request nor limit; absent, the fraction of `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_request: Option<Amounts>,
    /// The least that a container may ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Amounts>,
    /// The highest limit that a container may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Amounts>,
    /// How many times its request a container's limit may be: 1 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_limit_request_ratio: Option<Amounts>,
}

/// One amount may not be above another.
fn fits(field: &str, resource: &str, bound: &str) -> kube::core::Rule {
    kube::core::Rule::new(format!(
        "!has(self.{field}) || !has(self.{field}.{resource}) || !has(self.{bound}) || !has(self.{bound}.{resource}) || \
         quantity(string(self.{field}.{resource})).compareTo(quantity(string(self.{bound}.{resource}))) <= 0"
    ))
    .message(kube::core::Message::Message(format!(
        "limitRange.container.{field}.{resource} is above limitRange.container.{bound}.{resource}: no pod that goes by it could \
         start; lower the one or raise the other"
    )))
}

/// A ratio below 1 would be a limit below its request.
fn at_least_one(resource: &str) -> kube::core::Rule {
    kube::core::Rule::new(format!(
        "!has(self.maxLimitRequestRatio) || !has(self.maxLimitRequestRatio.{resource}) || \
         quantity(string(self.maxLimitRequestRatio.{resource})).compareTo(quantity('1')) >= 0"
    ))
    .message(kube::core::Message::Message(format!(
        "limitRange.container.maxLimitRequestRatio.{resource} is below 1: a limit would have to be below its request, and no pod \
         could start; give 1 or more"
    )))
}

/// The factors of the reference (cluster-and-cli 1.6), and what else a LimitRange can say of containers; what is absent is the
/// reference's default.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitRangeFactors {
    /// The CPU request as a fraction of the CPU limit, for containers without a GPU; absent is 0.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_default_request_cpu_limit_factor_no_gpu: Option<Fraction>,
    /// The memory request as a fraction of the memory limit, for containers without a GPU; absent is 0.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_default_request_memory_limit_factor_no_gpu: Option<Fraction>,
    /// The CPU request for each GPU of a container that gives neither request nor limit; absent is `100m`. A plain number of 50 or
    /// more is millicores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_default_request_gpu_factor: Option<Amount>,
    /// The CPU limit for each GPU of a container that gives none; absent is no limit. A plain number of 50 or more is millicores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_default_limit_gpu_factor: Option<Amount>,
    /// The memory request for each GPU of a container that gives neither request nor limit; absent is `100Mi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_default_request_gpu_factor: Option<Amount>,
    /// The memory limit for each GPU of a container that gives none; absent is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_default_limit_gpu_factor: Option<Amount>,
    /// What the LimitRange says of containers beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerLimits>,
}

impl LimitRangeFactors {
    /// The same without anything for GPUs: where somebody else's LimitRange decides.
    #[must_use]
    pub fn without_gpu(self) -> Self {
        let none = || Some(Amount("0".to_owned()));
        Self {
            cpu_default_request_gpu_factor: none(),
            cpu_default_limit_gpu_factor: none(),
            memory_default_request_gpu_factor: none(),
            memory_default_limit_gpu_factor: none(),
            ..self
        }
    }
}
