//! The tables of rights as text: the chart's files, one for each switch, and the same without Helm.
//!
//! Both come from the same documents: what a switch decides is a pair of lines that Helm reads as a condition, and that
//! [`rbac_yaml`] decides itself.

use std::fmt::Write;

use k8s_openapi::api::rbac::v1::{ClusterRole, Role};
use reeve_types::{Switch, Switches};
use serde::Serialize;

use crate::operator::{self, Grant, Reach};
use crate::{people, rbac};

type Written = Result<String, serde_saphyr::ser::Error>;

/// Who decides about the conditions in a text.
#[derive(Clone, Copy)]
enum Decided {
    /// Helm, when the chart is rendered.
    ByHelm,
    /// These switches, now.
    Now(Switches),
}

impl Decided {
    /// The reference's namespace, where the cluster does not have it already: Helm takes over nothing that is not its own.
    fn unless_there(self, text: String) -> String {
        let name = reeve_admission::names::REFERENCE_NAMESPACE;
        match self {
            Self::ByHelm => {
                format!(
                    "{{{{- if not (lookup \"v1\" \"Namespace\" \"\" \"{name}\") }}}}\n{text}{{{{- end }}}}\n"
                )
            }
            Self::Now(_) => text,
        }
    }

    /// A text that is there only while a switch is on.
    fn only_with(self, switch: Option<Switch>, text: String) -> String {
        match (self, switch) {
            (_, None) => text,
            (Self::ByHelm, Some(switch)) => {
                format!("{{{{- if include \"reeve.switch.{switch}\" . }}}}\n{text}{{{{- end }}}}\n")
            }
            (Self::Now(switches), Some(switch)) if switches.is_on(switch) => text,
            (Self::Now(_), Some(_)) => String::new(),
        }
    }
}

/// Everything of [`crate::objects`] as one YAML text of several documents, as Helm renders the chart's files with these
/// switches.
///
/// # Errors
/// When an object cannot be written as YAML, which is a fault of this crate.
pub fn rbac_yaml(switches: Switches) -> Written {
    let mut text = system_namespace_yaml()? + &document(&rbac::service_account())?;
    for part in rbac::PARTS {
        text += &part_yaml(part, Decided::Now(switches))?;
    }
    Ok(text)
}

/// The operator's namespace, which is there before Helm: it keeps its releases in it; and that of Secrets for projects.
///
/// # Errors
/// As [`rbac_yaml`].
pub fn system_namespace_yaml() -> Written {
    Ok(document(&rbac::namespace())? + &document(&rbac::secrets_namespace())?)
}

/// The chart's files below `templates/clusterroles`, as Helm templates: name and text.
///
/// # Errors
/// As [`rbac_yaml`].
pub fn chart_files() -> Result<Vec<(&'static str, String)>, serde_saphyr::ser::Error> {
    let files = rbac::PARTS
        .into_iter()
        .map(|part| Ok((file_name(part), part_yaml(part, Decided::ByHelm)?)));
    files.collect()
}

/// The file of the chart that holds the rights of a switch, or those that are always held.
pub const fn file_name(part: Option<Switch>) -> &'static str {
    match part {
        None => "base.yaml",
        Some(Switch::NamespaceCreation) => "project-controller-ns-creation.yaml",
        Some(Switch::UserAssignment) => "project-controller-rb-creation.yaml",
        Some(Switch::SecretPropagation) => "project-controller-cluster-wide-secrets.yaml",
        Some(Switch::LimitRange) => "project-controller-limit-range.yaml",
    }
}

fn part_yaml(part: Option<Switch>, decided: Decided) -> Written {
    let mut text = String::new();
    if part.is_none() {
        text += &decided.unless_there(document(&rbac::reference_namespace())?);
    }
    for reach in Reach::ALL {
        text += &role_yaml(part, reach, decided)?;
    }
    if part.is_none() {
        for role in people::cluster_roles() {
            text += &document(&role)?;
        }
    }
    Ok(decided.only_with(part, text))
}

/// The role of one place, with its binding; nothing when the table has nothing for it.
fn role_yaml(part: Option<Switch>, reach: Reach, decided: Decided) -> Written {
    let grants = operator::of_role(reach, part);
    if grants.is_empty() {
        return Ok(String::new());
    }
    let name = operator::role_name(reach, part);
    let namespace = rbac::namespace_of(reach);
    let metadata = rbac::meta(&name, namespace);
    let (mut text, binding) = if namespace.is_some() {
        let role = document(&Role {
            metadata,
            rules: None,
        })?;
        (role, document(&rbac::role_binding(&name, namespace))?)
    } else {
        let role = document(&ClusterRole {
            metadata,
            ..ClusterRole::default()
        })?;
        let is_bound = reach == Reach::Cluster;
        let binding = is_bound.then(|| document(&rbac::cluster_role_binding(&name)));
        (role, binding.transpose()?.unwrap_or_default())
    };
    text += "rules:\n";
    for grant in grants {
        text += &decided.only_with(grant.with, rule_yaml(grant)?);
    }
    Ok(text + &binding)
}

/// A rule with its reason above it.
fn rule_yaml(grant: &Grant) -> Written {
    let rule = serde_saphyr::to_string(&[grant.policy_rule()])?;
    let mut text = String::new();
    let _ = writeln!(text, "# {}", grant.because);
    Ok(text + rule.trim_end() + "\n")
}

fn document(object: &impl Serialize) -> Written {
    Ok(format!("---\n{}\n", serde_saphyr::to_string(object)?.trim_end()))
}

/// `templates/_switches.tpl`: whether a switch is on, by the keys of every era.
pub fn helpers() -> String {
    let list = |keys: &[&str]| {
        let quoted: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
        quoted.join(" ")
    };
    let mut text = HELPERS_HEAD.replace("KNOWN", &list(&reeve_types::switches::known_keys()));
    for switch in Switch::ALL {
        let _ = write!(
            text,
            "\n{{{{- define \"reeve.switch.{switch}\" -}}}}\n{{{{- include \"reeve.switch\" (dict \"values\" .Values \"keys\" (list \
             {})) -}}}}\n{{{{- end }}}}\n",
            list(switch.keys())
        );
    }
    text += "\n{{/* The section project-controller of ReeveConfig: the four switches as they are decided. */}}\n{{- define \
             \"reeve.switches\" -}}\n";
    for switch in Switch::ALL {
        let _ = writeln!(
            text,
            "{}: {{{{ include \"reeve.switch.{switch}\" . | default \"false\" }}}}",
            switch.key()
        );
    }
    text + "{{- end }}\n"
}

const HELPERS_HEAD: &str = r#"{{/* Generated from the table of rights by `cargo xtask gen`; do not edit.

The four switches. Their keys are accepted in every form that the reference has had: below clusterConfig.project-controller,
runai-operator.config.project-controller, or spec.project-controller of a saved runaiconfig. Off wins: one key that says
false is enough. A key that is unknown there is refused by its name. */}}
{{- define "reeve.switch" -}}
{{- $off := false -}}
{{- $known := list KNOWN -}}
{{- range $place := list "clusterConfig" "runai-operator.config" "spec" -}}
{{- $section := $.values -}}
{{- range $name := append (splitList "." $place) "project-controller" -}}
{{- $section = get $section $name | default dict -}}
{{- end -}}
{{- range $key, $value := $section -}}
{{- if not (has $key $known) -}}
{{- fail (printf "%s.project-controller.%s is unknown: use one of %s" $place $key (join ", " $known)) -}}
{{- end -}}
{{- if not (or (kindIs "invalid" $value) (has (toString $value) (list "true" "false"))) -}}
{{- fail (printf "%s.project-controller.%s is true or false, not %v" $place $key $value) -}}
{{- end -}}
{{- if and (has $key $.keys) (eq (toString $value) "false") -}}
{{- $off = true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $off -}}true{{- end -}}
{{- end }}
"#;
