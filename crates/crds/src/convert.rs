//! Between the objects of a cluster and the checked values of the link. Both directions are total: what cannot be
//! checked is an [`InvalidObject`] that names the field.

mod job;

use std::fmt::Display;
use std::str::FromStr;

use kube::ResourceExt;
use reeve_link::desired;
use reeve_types::names::is_reserved_namespace;
use reeve_types::workload_policy::Limits;
use reeve_types::{AccessRuleId, Gid, PodRules, PodSecurity, PosixIdentity, Uid, WorkloadLimits};

use crate::{
    AccessRule, AccessRuleSpec, ContainerResourcesSpec, EnvironmentVariable, PodRulesSpec, Project,
    ProjectSpec, ScopeSpec, ScopeType, SecretVolumeSpec, SubjectKind, SubjectSpec, Workload,
    WorkloadIdentitySpec, WorkloadLimitsSpec, WorkloadSpec,
};

/// A field that breaks a rule the schema could not, or did not yet, hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{name}` is invalid: field {field}: {problem}")]
pub struct InvalidObject {
    /// The kind of the object.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

struct Fields<'a> {
    kind: &'static str,
    name: &'a str,
}

impl Fields<'_> {
    fn fail(&self, field: &'static str, problem: impl Display) -> InvalidObject {
        InvalidObject {
            kind: self.kind,
            name: self.name.to_owned(),
            field,
            problem: problem.to_string(),
        }
    }

    fn parse<T: FromStr<Err: Display>>(&self, field: &'static str, text: &str) -> Result<T, InvalidObject> {
        text.parse().map_err(|problem| self.fail(field, problem))
    }

    fn parse_some<T: FromStr<Err: Display>>(
        &self,
        field: &'static str,
        text: Option<&String>,
    ) -> Result<Option<T>, InvalidObject> {
        text.map(|text| self.parse(field, text)).transpose()
    }
}

/// Whether a namespace may become a project's: a DNS label that is not the system's (admission R11).
pub fn may_be_project_namespace(namespace: &str) -> bool {
    let bytes = namespace.as_bytes();
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|b| alphanumeric(b) || *b == b'-')
        && bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && !is_reserved_namespace(namespace)
}

impl Project {
    /// The project, checked.
    ///
    /// # Errors
    /// [`InvalidObject`] names the field.
    pub fn checked(&self) -> Result<desired::Project, InvalidObject> {
        let name = self.name_any();
        let fields = Fields {
            kind: "Project",
            name: &name,
        };
        if !may_be_project_namespace(&self.spec.namespace) {
            return Err(fields.fail(
                "spec.namespace",
                format!("`{}` cannot become a project's namespace", self.spec.namespace),
            ));
        }
        Ok(desired::Project {
            id: fields.parse("spec.id", &self.spec.id)?,
            name: fields.parse("metadata.name", &name)?,
            department_id: fields.parse("spec.departmentId", &self.spec.department_id)?,
            namespace: self.spec.namespace.clone(),
            allow_networking: self.spec.allow_networking,
            pod_rules: match &self.spec.pod_rules {
                Some(rules) => serde_json::to_value(rules)
                    .and_then(serde_json::from_value)
                    .map_err(|error| fields.fail("spec.podRules", error.to_string()))?,
                None => PodRules::default(),
            },
            workload_limits: match &self.spec.workload_limits {
                Some(limits) => WorkloadLimits {
                    training: limits_of(&fields, "spec.workloadLimits.training", limits.training.as_ref())?,
                    workspace: limits_of(
                        &fields,
                        "spec.workloadLimits.workspace",
                        limits.workspace.as_ref(),
                    )?,
                },
                None => WorkloadLimits::default(),
            },
        })
    }
}

impl From<&desired::Project> for Project {
    fn from(project: &desired::Project) -> Self {
        let spec = ProjectSpec {
            id: project.id.to_string(),
            department_id: project.department_id.to_string(),
            namespace: project.namespace.clone(),
            allow_networking: project.allow_networking,
            pod_rules: (!project.pod_rules.is_empty()).then(|| spec_of(&project.pod_rules)),
            workload_limits: (!project.workload_limits.is_empty()).then(|| {
                let text = |limits: &Limits| (!limits.is_empty()).then(|| limits.to_string());
                WorkloadLimitsSpec {
                    training: text(&project.workload_limits.training),
                    workspace: text(&project.workload_limits.workspace),
                }
            }),
        };
        Self::new(project.name.as_str(), spec)
    }
}

fn limits_of(
    fields: &Fields<'_>,
    path: &'static str,
    text: Option<&String>,
) -> Result<Limits, InvalidObject> {
    fields.parse(path, text.map_or("", String::as_str))
}

fn spec_of(rules: &PodRules) -> PodRulesSpec {
    fn texts<T: ToString>(list: Option<&Vec<T>>) -> Option<Vec<String>> {
        list.map(|list| list.iter().map(T::to_string).collect())
    }
    PodRulesSpec {
        pod_security: rules.pod_security.map(|level| {
            match level {
                PodSecurity::Baseline => "baseline",
                PodSecurity::Restricted => "restricted",
            }
            .to_owned()
        }),
        node_pools: texts(rules.node_pools.as_ref()),
        priority_classes: texts(rules.priority_classes.as_ref()),
        tolerations: texts(rules.tolerations.as_ref()),
        trusted_mutators: texts(rules.trusted_mutators.as_ref()),
    }
}

/// The name of a rule's object.
pub fn access_rule_name(id: AccessRuleId) -> String {
    format!("rule-{id}")
}

impl AccessRule {
    /// The rule, checked.
    ///
    /// # Errors
    /// [`InvalidObject`] names the field.
    pub fn checked(&self) -> Result<desired::AccessRule, InvalidObject> {
        let name = self.name_any();
        let fields = Fields {
            kind: "AccessRule",
            name: &name,
        };
        let spec = &self.spec;
        let id = AccessRuleId::new(spec.id)
            .ok_or_else(|| fields.fail("spec.id", format!("`{}` is no rule's id", spec.id)))?;
        let scope = match (spec.scope.type_, spec.scope.id.as_deref()) {
            (ScopeType::Cluster, None) => desired::Scope::Cluster,
            (ScopeType::Department, Some(id)) => {
                desired::Scope::Department(fields.parse("spec.scope.id", id)?)
            }
            (ScopeType::Project, Some(id)) => desired::Scope::Project(fields.parse("spec.scope.id", id)?),
            (ScopeType::Cluster, Some(_)) => {
                return Err(fields.fail("spec.scope.id", "the cluster scope has none"));
            }
            (_, None) => return Err(fields.fail("spec.scope.id", "it is missing")),
        };
        Ok(desired::AccessRule {
            id,
            subject: subject(&fields, &spec.subject)?,
            role: fields.parse("spec.role", &spec.role)?,
            scope,
        })
    }
}

fn subject(fields: &Fields<'_>, spec: &SubjectSpec) -> Result<desired::Subject, InvalidObject> {
    const FIELD: &str = "spec.subject.name";
    let (kind, name) = match spec.kind {
        SubjectKind::User => (
            desired::SubjectKind::User,
            fields
                .parse::<reeve_types::Email>(FIELD, &spec.name)?
                .as_str()
                .to_owned(),
        ),
        SubjectKind::Group => (
            desired::SubjectKind::Group,
            fields
                .parse::<reeve_types::GroupName>(FIELD, &spec.name)?
                .as_str()
                .to_owned(),
        ),
        SubjectKind::ServiceAccount => (
            desired::SubjectKind::ServiceAccount,
            fields
                .parse::<reeve_types::ServiceAccountName>(FIELD, &spec.name)?
                .as_str()
                .to_owned(),
        ),
    };
    Ok(desired::Subject { kind, name })
}

impl From<&desired::AccessRule> for AccessRule {
    fn from(rule: &desired::AccessRule) -> Self {
        let kind = match rule.subject.kind {
            desired::SubjectKind::User => SubjectKind::User,
            desired::SubjectKind::Group => SubjectKind::Group,
            desired::SubjectKind::ServiceAccount => SubjectKind::ServiceAccount,
        };
        let scope = match rule.scope {
            desired::Scope::Cluster => ScopeSpec {
                type_: ScopeType::Cluster,
                id: None,
            },
            desired::Scope::Department(id) => ScopeSpec {
                type_: ScopeType::Department,
                id: Some(id.to_string()),
            },
            desired::Scope::Project(id) => ScopeSpec {
                type_: ScopeType::Project,
                id: Some(id.to_string()),
            },
        };
        let spec = AccessRuleSpec {
            id: rule.id.number(),
            subject: SubjectSpec {
                kind,
                name: rule.subject.name.clone(),
            },
            role: rule.role.as_str().to_owned(),
            scope,
        };
        Self::new(&access_rule_name(rule.id), spec)
    }
}

impl Workload {
    /// The workload, checked.
    ///
    /// # Errors
    /// [`InvalidObject`] names the field.
    pub fn checked(&self) -> Result<desired::Workload, InvalidObject> {
        let name = self.name_any();
        let fields = Fields {
            kind: "Workload",
            name: &name,
        };
        let spec = &self.spec;
        if spec.image.is_empty() || spec.image.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(fields.fail("spec.image", format!("`{}` is no image reference", spec.image)));
        }
        for variable in &spec.environment {
            if variable.name.is_empty()
                || !variable
                    .name
                    .bytes()
                    .all(|b| (b' '..=b'~').contains(&b) && b != b'=')
            {
                return Err(fields.fail(
                    "spec.environment",
                    format!("`{}` is no name of a variable", variable.name),
                ));
            }
        }
        Ok(desired::Workload {
            id: fields.parse("spec.id", &spec.id)?,
            name: fields.parse("metadata.name", &name)?,
            project_id: fields.parse("spec.projectId", &spec.project_id)?,
            submitted_by: spec.submitted_by.clone(),
            identity: spec
                .identity
                .as_ref()
                .map(|identity| self::identity(&fields, identity))
                .transpose()?,
            image: spec.image.clone(),
            image_pull_policy: fields.parse_some("spec.imagePullPolicy", spec.image_pull_policy.as_ref())?,
            command: spec.command.clone(),
            args: spec.args.clone(),
            environment: spec
                .environment
                .iter()
                .map(|v| (v.name.clone(), v.value.clone()))
                .collect(),
            gpus: u32::try_from(spec.gpus).map_err(|_| fields.fail("spec.gpus", "it cannot be negative"))?,
            resources: resources(&fields, spec.resources.as_ref())?,
            create_home_dir: spec.create_home_dir,
            prevent_privilege_escalation: spec.prevent_privilege_escalation,
            expand_variables: spec.expand_variables,
            passwd_entry: spec.passwd_entry,
            large_shm: spec.large_shm,
            stdin: spec.stdin,
            tty: spec.tty,
            working_dir: spec.working_dir.clone(),
            secret_volumes: spec
                .secret_volumes
                .iter()
                .map(|volume| secret_volume(&fields, volume))
                .collect::<Result<_, _>>()?,
            attempts: job::attempts(&fields, spec.attempts.as_ref())?,
            termination_grace_period_seconds: job::grace_period(
                &fields,
                spec.termination_grace_period_seconds,
            )?,
            readiness_probe: job::probe(&fields, spec.readiness_probe.as_ref())?,
            metadata: job::metadata(&fields, spec.metadata.as_ref())?,
            placement: job::placement(&fields, spec.placement.as_ref())?,
        })
    }

    /// The object for a workload in a project's namespace.
    pub fn desired(workload: &desired::Workload, namespace: &str) -> Self {
        let spec = WorkloadSpec {
            id: workload.id.to_string(),
            project_id: workload.project_id.to_string(),
            submitted_by: workload.submitted_by.clone(),
            identity: workload.identity.as_ref().map(|identity| WorkloadIdentitySpec {
                user_id: identity.user_id.to_string(),
                email: identity.email.as_str().to_owned(),
                uid: identity.posix.uid().number(),
                gid: identity.posix.gid().number(),
                supplementary_groups: identity
                    .posix
                    .supplementary_groups()
                    .iter()
                    .map(|g| g.number())
                    .collect(),
            }),
            image: workload.image.clone(),
            image_pull_policy: workload.image_pull_policy.map(|policy| policy.to_string()),
            command: workload.command.clone(),
            args: workload.args.clone(),
            environment: workload
                .environment
                .iter()
                .map(|(name, value)| EnvironmentVariable {
                    name: name.clone(),
                    value: value.clone(),
                })
                .collect(),
            gpus: i32::try_from(workload.gpus).unwrap_or(i32::MAX),
            resources: (!workload.resources.is_none()).then(|| spec_of_resources(&workload.resources)),
            create_home_dir: workload.create_home_dir,
            prevent_privilege_escalation: workload.prevent_privilege_escalation,
            expand_variables: workload.expand_variables,
            passwd_entry: workload.passwd_entry,
            large_shm: workload.large_shm,
            stdin: workload.stdin,
            tty: workload.tty,
            working_dir: workload.working_dir.clone(),
            secret_volumes: workload.secret_volumes.iter().map(spec_of_volume).collect(),
            attempts: job::spec_of_attempts(&workload.attempts),
            termination_grace_period_seconds: job::spec_of_grace_period(
                workload.termination_grace_period_seconds,
            ),
            readiness_probe: workload.readiness_probe.as_ref().map(job::spec_of_probe),
            metadata: job::spec_of_metadata(&workload.metadata),
            placement: job::spec_of_placement(&workload.placement),
        };
        let mut object = Self::new(workload.name.as_str(), spec);
        object.metadata.namespace = Some(namespace.to_owned());
        object
    }
}

fn resources(
    fields: &Fields<'_>,
    spec: Option<&ContainerResourcesSpec>,
) -> Result<desired::ContainerResources, InvalidObject> {
    let Some(spec) = spec else {
        return Ok(desired::ContainerResources::default());
    };
    Ok(desired::ContainerResources {
        cpu_request: fields.parse_some("spec.resources.cpuRequest", spec.cpu_request.as_ref())?,
        cpu_limit: fields.parse_some("spec.resources.cpuLimit", spec.cpu_limit.as_ref())?,
        memory_request: fields.parse_some("spec.resources.memoryRequest", spec.memory_request.as_ref())?,
        memory_limit: fields.parse_some("spec.resources.memoryLimit", spec.memory_limit.as_ref())?,
    })
}

fn spec_of_resources(resources: &desired::ContainerResources) -> ContainerResourcesSpec {
    ContainerResourcesSpec {
        cpu_request: resources.cpu_request.map(|it| it.to_string()),
        cpu_limit: resources.cpu_limit.map(|it| it.to_string()),
        memory_request: resources.memory_request.as_ref().map(ToString::to_string),
        memory_limit: resources.memory_limit.as_ref().map(ToString::to_string),
    }
}

fn secret_volume(
    fields: &Fields<'_>,
    spec: &SecretVolumeSpec,
) -> Result<desired::SecretVolume, InvalidObject> {
    Ok(desired::SecretVolume {
        credential_id: fields.parse("spec.secretVolumes.credentialId", &spec.credential_id)?,
        secret: fields.parse("spec.secretVolumes.secret", &spec.secret)?,
        mount_path: fields.parse("spec.secretVolumes.mountPath", &spec.mount_path)?,
        default_mode: fields.parse("spec.secretVolumes.defaultMode", &spec.default_mode)?,
    })
}

fn spec_of_volume(volume: &desired::SecretVolume) -> SecretVolumeSpec {
    SecretVolumeSpec {
        credential_id: volume.credential_id.to_string(),
        secret: volume.secret.to_string(),
        mount_path: volume.mount_path.to_string(),
        default_mode: volume.default_mode.to_string(),
    }
}

fn identity(
    fields: &Fields<'_>,
    spec: &WorkloadIdentitySpec,
) -> Result<desired::WorkloadIdentity, InvalidObject> {
    let groups = spec
        .supplementary_groups
        .iter()
        .map(|g| Gid::new(*g).map_err(|e| fields.fail("spec.identity.supplementaryGroups", e)))
        .collect::<Result<_, _>>()?;
    let uid = Uid::new(spec.uid).map_err(|e| fields.fail("spec.identity.uid", e))?;
    let gid = Gid::new(spec.gid).map_err(|e| fields.fail("spec.identity.gid", e))?;
    Ok(desired::WorkloadIdentity {
        user_id: fields.parse("spec.identity.userId", &spec.user_id)?,
        email: fields.parse("spec.identity.email", &spec.email)?,
        posix: PosixIdentity::new(uid, gid, groups).map_err(|e| fields.fail("spec.identity", e))?,
    })
}
