//! What somebody writes: defaults and rules of one scope, and what can be wrong with them by themselves.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::limits::ScopeType;
use super::{Field, HIGHEST_ID, Values};
use crate::{ClusterId, DepartmentId, ProjectId};

/// How many options a rule may have.
const MOST_OPTIONS: usize = 64;

/// Defaults and rules of one scope for one kind of workload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// What a workload gets that says nothing of it itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub defaults: Defaults,
    /// What a workload may say.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rules: Rules,
}

/// What a workload gets that says nothing of it itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Defaults {
    /// The image reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub image: Option<String>,
    /// Whether it has a writable home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_home_dir: Option<bool>,
    /// Where it starts: a path from the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub working_dir: Option<String>,
    /// What it needs of the node.
    #[serde(default, skip_serializing_if = "is_default")]
    pub compute: ComputeDefaults,
    /// As whom it runs, and with which rights.
    #[serde(default, skip_serializing_if = "is_default")]
    pub security: SecurityDefaults,
}

/// What a workload needs of the node, unless it says so itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComputeDefaults {
    /// How many whole GPUs, at most 1024.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1024))]
    pub gpu_devices_request: Option<u32>,
    /// Whether `/dev/shm` is as large as the container's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub large_shm_request: Option<bool>,
}

/// As whom a workload runs, and with which rights, unless it says so itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecurityDefaults {
    /// `fromIdpToken` (the submitter's verified identity) or `fromTheImage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid_gid_source: Option<String>,
    /// Whether it may gain privileges: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_privilege_escalation: Option<bool>,
    /// What every pod gets: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as_non_root: Option<bool>,
    /// What every pod gets: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_ipc: Option<bool>,
    /// What every pod gets: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_network: Option<bool>,
    /// What every pod gets: `RuntimeDefault`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seccomp_profile_type: Option<String>,
}

/// What a workload may say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rules {
    /// The image of every container: `options`, `canEdit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Rule>,
    /// What it needs of the node.
    #[serde(default, skip_serializing_if = "is_default")]
    pub compute: ComputeRules,
    /// As whom it runs, and with which rights.
    #[serde(default, skip_serializing_if = "is_default")]
    pub security: SecurityRules,
    /// What it mounts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub storage: StorageRules,
}

/// What a workload may ask of the node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComputeRules {
    /// GPUs of all containers together: `min`, `max`, `step`, `canEdit`, `required` (at least one).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_devices_request: Option<Rule>,
}

/// As whom a workload may run, and with which rights.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecurityRules {
    /// `options` of `fromIdpToken`, `fromTheImage` and `custom`; `canEdit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid_gid_source: Option<Rule>,
    /// `min`, `max`, `step` of every container's uid. A uid that the image decides is in no bounds but `min: 1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as_uid: Option<Rule>,
    /// `min`, `max`, `step` of every container's gid. A gid that the image decides is in no bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as_gid: Option<Rule>,
    /// Whether a submission may choose: `canEdit` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_privilege_escalation: Option<Rule>,
    /// `canEdit`; holds anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as_non_root: Option<Rule>,
    /// `canEdit`; holds anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_ipc: Option<Rule>,
    /// `canEdit`; holds anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_network: Option<Rule>,
    /// What may be added: `options`, of which nothing counts without `canEdit: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Rule>,
    /// `options`, with `RuntimeDefault` among them; `canEdit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seccomp_profile_type: Option<Rule>,
}

/// What a workload may mount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageRules {
    /// Files of the node.
    #[serde(default, skip_serializing_if = "is_default")]
    pub host_path: HostPathRules,
}

/// Files of the node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostPathRules {
    /// Which of them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub instances: HostPathInstances,
}

/// Which files of the node: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostPathInstances {
    /// `false`; holds anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_add: Option<bool>,
}

/// What one field may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Whether there must be a value; a default is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Whether it may be something else than the default. Absent: yes, but of lists no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_edit: Option<bool>,
    /// The lowest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// The highest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// In which steps from `min` on, at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// The only possible values, at most 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub options: Option<Vec<RuleOption>>,
    /// In answers: which scope's policy has the rule. What a request says of it is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_of_rule: Option<SourceOfRule>,
}

/// A possible value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleOption {
    /// The value, at most 512 bytes.
    #[schemars(length(max = 512))]
    pub value: String,
    /// What people are shown in its place, at most 255 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub displayed: Option<String>,
}

/// Whose policy a rule is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceOfRule {
    /// The type of the scope.
    pub scope: ScopeType,
    /// The project, for that scope: its number, which requests may put in quotes.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "as_number",
        deserialize_with = "by_number"
    )]
    #[schemars(with = "Option<i64>")]
    pub project_id: Option<ProjectId>,
    /// The department, for that scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_id: Option<DepartmentId>,
    /// The cluster, for that scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
}

fn as_number<S: Serializer>(id: &Option<ProjectId>, serializer: S) -> Result<S::Ok, S::Error> {
    id.map(ProjectId::number).serialize(serializer)
}

fn by_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ProjectId>, D::Error> {
    let digits = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
        _ => String::new(),
    };
    let id = digits.parse();
    id.map(Some)
        .map_err(|_| D::Error::custom("the number of a project is needed"))
}

/// Why a policy cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {problem}")]
pub struct InvalidPolicy {
    /// The field, below the policy.
    pub path: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl InvalidPolicy {
    pub(super) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: problem.into(),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Policy {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        is_default(self)
    }

    /// What can be wrong with it by itself.
    ///
    /// # Errors
    /// [`InvalidPolicy`], which names the field.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        self.defaults.check()?;
        if self.rules.storage.host_path.instances.can_add == Some(true) {
            let problem = "only `false` is possible: no pod mounts files of its node";
            return Err(InvalidPolicy::new(
                "rules.storage.hostPath.instances.canAdd",
                problem,
            ));
        }
        Field::ALL
            .into_iter()
            .filter_map(|field| Some((field, self.rules.get(field)?)))
            .try_for_each(|(field, rule)| rule.check(field))
    }
}

impl Defaults {
    fn check(&self) -> Result<(), InvalidPolicy> {
        let must = [
            (Field::Escalation, self.security.allow_privilege_escalation),
            (Field::NonRoot, self.security.run_as_non_root),
            (Field::HostIpc, self.security.host_ipc),
            (Field::HostNetwork, self.security.host_network),
        ];
        for (field, value) in must {
            let holds = field.built_in().unwrap_or_default();
            if value.is_some_and(|value| value.to_string() != holds) {
                let problem = format!("only `{holds}` is possible");
                return Err(InvalidPolicy::new(format!("defaults.{}", field.path()), problem));
            }
        }
        for field in [Field::Image, Field::UidGidSource, Field::Seccomp] {
            if let Some(value) = self.word(field) {
                let problem = match field {
                    Field::UidGidSource if value == "custom" => Some(
                        "`custom` is not supported: `fromIdpToken` or `fromTheImage` is needed".to_owned(),
                    ),
                    Field::Seccomp if value != "RuntimeDefault" => {
                        Some("only `RuntimeDefault` is possible, which every workload gets".to_owned())
                    }
                    _ => problem_of_word(field, value),
                };
                if let Some(problem) = problem {
                    return Err(InvalidPolicy::new(format!("defaults.{}", field.path()), problem));
                }
            }
        }
        let dir = self.working_dir.as_deref().unwrap_or("/");
        if !dir.starts_with('/') || dir.len() > 4096 || dir.contains(char::is_control) {
            let problem =
                "a path that begins with `/` is needed, at most 4096 bytes, without control characters";
            return Err(InvalidPolicy::new("defaults.workingDir", problem));
        }
        if self.compute.gpu_devices_request.is_some_and(|gpus| gpus > 1024) {
            let problem = "a whole number from 0 to 1024 is needed";
            return Err(InvalidPolicy::new("defaults.compute.gpuDevicesRequest", problem));
        }
        Ok(())
    }

    /// The default of a field as a word; a flag is `true` or `false`, a number its digits.
    pub fn value(&self, field: Field) -> Option<String> {
        let security = &self.security;
        let flag = |value: Option<bool>| value.map(|value| value.to_string());
        match field {
            Field::Gpus => self.compute.gpu_devices_request.map(|gpus| gpus.to_string()),
            Field::Escalation => flag(security.allow_privilege_escalation),
            Field::NonRoot => flag(security.run_as_non_root),
            Field::HostIpc => flag(security.host_ipc),
            Field::HostNetwork => flag(security.host_network),
            _ => self.word(field).map(str::to_owned),
        }
    }

    fn word(&self, field: Field) -> Option<&str> {
        match field {
            Field::Image => self.image.as_deref(),
            Field::UidGidSource => self.security.uid_gid_source.as_deref(),
            Field::Seccomp => self.security.seccomp_profile_type.as_deref(),
            _ => None,
        }
    }
}

/// What is wrong with a word as a value of a field.
fn problem_of_word(field: Field, word: &str) -> Option<String> {
    let one_of =
        |words: &[&str]| (!words.contains(&word)).then(|| format!("one of {} is needed", words.join(", ")));
    match field {
        Field::UidGidSource => one_of(&["fromTheImage", "fromIdpToken", "custom"]),
        Field::Seccomp => one_of(&["RuntimeDefault", "Localhost"]),
        Field::Capabilities => {
            let name =
                (2..=32).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            (!name || word.starts_with("CAP_")).then(|| {
                "the name of a capability without `CAP_` is needed, like `NET_BIND_SERVICE`".to_owned()
            })
        }
        _ => {
            let plain = word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-:/@+".contains(&b));
            (!plain || word.is_empty() || word.len() > 512)
                .then(|| "an image reference like `registry.example/team/image:tag` is needed".to_owned())
        }
    }
}

impl Rules {
    /// The rule of a field.
    pub const fn get(&self, field: Field) -> Option<&Rule> {
        let security = &self.security;
        match field {
            Field::Image => self.image.as_ref(),
            Field::Gpus => self.compute.gpu_devices_request.as_ref(),
            Field::UidGidSource => security.uid_gid_source.as_ref(),
            Field::RunAsUid => security.run_as_uid.as_ref(),
            Field::RunAsGid => security.run_as_gid.as_ref(),
            Field::Escalation => security.allow_privilege_escalation.as_ref(),
            Field::NonRoot => security.run_as_non_root.as_ref(),
            Field::HostIpc => security.host_ipc.as_ref(),
            Field::HostNetwork => security.host_network.as_ref(),
            Field::Capabilities => security.capabilities.as_ref(),
            Field::Seccomp => security.seccomp_profile_type.as_ref(),
        }
    }

    /// The place of the rule of a field.
    pub const fn get_mut(&mut self, field: Field) -> &mut Option<Rule> {
        let security = &mut self.security;
        match field {
            Field::Image => &mut self.image,
            Field::Gpus => &mut self.compute.gpu_devices_request,
            Field::UidGidSource => &mut security.uid_gid_source,
            Field::RunAsUid => &mut security.run_as_uid,
            Field::RunAsGid => &mut security.run_as_gid,
            Field::Escalation => &mut security.allow_privilege_escalation,
            Field::NonRoot => &mut security.run_as_non_root,
            Field::HostIpc => &mut security.host_ipc,
            Field::HostNetwork => &mut security.host_network,
            Field::Capabilities => &mut security.capabilities,
            Field::Seccomp => &mut security.seccomp_profile_type,
        }
    }

    /// Forgets whose the rules are, which no request decides.
    pub fn without_sources(mut self) -> Self {
        for field in Field::ALL {
            if let Some(rule) = self.get_mut(field) {
                rule.source_of_rule = None;
            }
        }
        self
    }
}

impl Rule {
    fn check(&self, field: Field) -> Result<(), InvalidPolicy> {
        let at = |member: &str| format!("rules.{}.{member}", field.path());
        let values = field.values();
        let numbers = matches!(values, Values::Number | Values::Id);
        let members = [
            ("required", self.required.is_some(), values != Values::Id),
            ("canEdit", self.can_edit.is_some(), values != Values::Id),
            ("min", self.min.is_some(), numbers),
            ("max", self.max.is_some(), numbers),
            ("step", self.step.is_some(), numbers),
            ("options", self.options.is_some(), values == Values::Words),
        ];
        if let Some((member, ..)) = members.into_iter().find(|(_, said, possible)| *said && !possible) {
            let problem = match (values, member) {
                (Values::Id, _) => {
                    "numbers come from the verified identity: only `min`, `max` and `step` are possible"
                }
                (Values::Flag, _) => {
                    "only `canEdit` and `required` are possible for a field that is true or false"
                }
                _ => "this field has no such rule",
            };
            return Err(InvalidPolicy::new(at(member), problem));
        }
        if !members.iter().any(|(_, said, _)| *said) {
            let problem = "the rule says nothing: leave it out, or give what it may be";
            return Err(InvalidPolicy::new(format!("rules.{}", field.path()), problem));
        }
        if self.step == Some(0) {
            return Err(InvalidPolicy::new(at("step"), "at least 1 is needed"));
        }
        let highest = self.max.unwrap_or(HIGHEST_ID);
        if self.min.is_some_and(|min| min > highest) {
            let problem = format!("at most `max` is needed: {highest}");
            return Err(InvalidPolicy::new(at("min"), problem));
        }
        self.check_options(field, &at("options"))
    }

    fn check_options(&self, field: Field, path: &str) -> Result<(), InvalidPolicy> {
        let options = self.options.as_deref().unwrap_or_default();
        if options.len() > MOST_OPTIONS {
            let problem = format!("at most {MOST_OPTIONS} options are possible");
            return Err(InvalidPolicy::new(path, problem));
        }
        for (at, option) in options.iter().enumerate() {
            if let Some(problem) = problem_of_word(field, &option.value) {
                return Err(InvalidPolicy::new(format!("{path}[{at}].value"), problem));
            }
            if option.displayed.as_ref().is_some_and(|text| text.len() > 255) {
                let problem = "at most 255 bytes are possible";
                return Err(InvalidPolicy::new(format!("{path}[{at}].displayed"), problem));
            }
        }
        let lacks = self.options.is_some() && !options.iter().any(|option| option.value == "RuntimeDefault");
        if field == Field::Seccomp && lacks {
            let problem = "`RuntimeDefault` is needed among them: it is what every training gets";
            return Err(InvalidPolicy::new(path, problem));
        }
        if self.options.is_some() && options.is_empty() && field != Field::Capabilities {
            return Err(InvalidPolicy::new(path, "at least one option is needed"));
        }
        Ok(())
    }
}
