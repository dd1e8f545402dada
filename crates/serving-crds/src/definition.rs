//! How a kind becomes a Rust type and a definition.
//!
//! Not kube's derive: it makes `spec` a required field of the object and of its schema, and optional fields nullable. Here
//! neither is so ([crate documentation](crate)).

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::schema::{OptionalEnum, StructuralSchemaRewriter};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::schema;

/// The API group of every kind here.
pub const GROUP: &str = "aim.eai.amd.com";
/// The version of every kind here.
pub const VERSION: &str = "v1alpha1";

/// A definition could not be made: a fault of this crate.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// A schema is none that Kubernetes knows.
    #[error("the definition of `{kind}` is no CustomResourceDefinition")]
    Shape {
        /// The kind.
        kind: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// It cannot be written as YAML.
    #[error("the definition of `{kind}` cannot be written as YAML")]
    Yaml {
        /// Its name.
        kind: String,
        /// Why.
        source: serde_saphyr::ser::Error,
    },
}

/// A column that `kubectl get` prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) type_: &'static str,
    pub(crate) path: &'static str,
    /// 0: always; 1: with `-o wide` only.
    pub(crate) priority: i32,
}

impl Column {
    pub(crate) const fn text(name: &'static str, path: &'static str) -> Self {
        Self::of("string", name, path)
    }

    pub(crate) const fn of(type_: &'static str, name: &'static str, path: &'static str) -> Self {
        Self {
            name,
            type_,
            path,
            priority: 0,
        }
    }

    pub(crate) const fn wide(mut self) -> Self {
        self.priority = 1;
        self
    }

    pub(crate) const fn age() -> Self {
        Self::of("date", "Age", ".metadata.creationTimestamp")
    }
}

/// What a definition says beside the two schemas.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) short: &'static str,
    pub(crate) namespaced: bool,
    pub(crate) about: &'static str,
    /// Properties of the spec's Rust type that this kind does not have.
    pub(crate) without: &'static [&'static str],
    pub(crate) columns: &'static [Column],
}

/// The definition of a kind with this spec and status.
pub(crate) fn define<S: JsonSchema, T: JsonSchema>(
    names: Names,
) -> Result<CustomResourceDefinition, DefinitionError> {
    let mut spec = schema_of::<S>();
    for absent in names.without {
        if let Some(properties) = spec.get_mut("properties").and_then(Value::as_object_mut) {
            properties.remove(*absent);
        }
    }
    let columns = names.columns.iter().map(|column| {
        let mut value = json!({"name": column.name, "type": column.type_, "jsonPath": column.path});
        if let (true, Some(object)) = (column.priority > 0, value.as_object_mut()) {
            object.insert("priority".to_owned(), json!(column.priority));
        }
        value
    });
    let columns: Vec<Value> = columns.collect();
    let mut version = json!({
        "name": VERSION,
        "served": true,
        "storage": true,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {
            "type": "object",
            "description": names.about,
            "properties": {"spec": spec, "status": schema_of::<T>()},
        }},
    });
    if let (false, Some(object)) = (columns.is_empty(), version.as_object_mut()) {
        object.insert("additionalPrinterColumns".to_owned(), Value::Array(columns));
    }
    let definition = json!({
        "metadata": {"name": format!("{}.{GROUP}", names.plural)},
        "spec": {
            "group": GROUP,
            "names": {
                "categories": ["aim", "all"],
                "kind": names.kind,
                "listKind": format!("{}List", names.kind),
                "plural": names.plural,
                "shortNames": [names.short],
                "singular": names.kind.to_lowercase(),
            },
            "scope": if names.namespaced { "Namespaced" } else { "Cluster" },
            "versions": [version],
        },
    });
    serde_json::from_value(definition).map_err(|source| DefinitionError::Shape {
        kind: names.kind,
        source,
    })
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let generator = settings
        .with_transform(StructuralSchemaRewriter)
        .with_transform(OptionalEnum)
        .into_generator();
    let mut value = generator.into_root_schema_for::<T>().to_value();
    schema::clean(&mut value);
    value
}

/// Makes the type of a kind: its object, what kube needs to know of it, and its definition.
macro_rules! kind {
    (
        $(#[$doc:meta])*
        $object:ident is $kind:literal, $plural:literal, $short:literal, $scope:ident,
        $spec:ty, $status:ty, $about:literal, without $without:expr, columns $columns:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        pub struct $object {
            /// Name, namespace, labels and so on.
            #[serde(default)]
            pub metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
            /// What is wanted.
            #[serde(default)]
            pub spec: $spec,
            /// How it stands; absent until the operator has looked.
            #[serde(default)]
            pub status: Option<$status>,
        }

        impl $object {
            /// The kind, as manifests spell it.
            pub const KIND: &'static str = $kind;

            /// The definition to install.
            ///
            /// # Errors
            /// A fault of this crate.
            pub fn definition() -> Result<
                k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
                crate::DefinitionError,
            > {
                const PRINTED: &[crate::definition::Column] = $columns;
                crate::definition::define::<$spec, $status>(crate::definition::Names {
                    kind: $kind,
                    plural: $plural,
                    short: $short,
                    namespaced: crate::definition::namespaced::$scope,
                    about: $about,
                    without: $without,
                    columns: PRINTED,
                })
            }
        }

        impl serde::Serialize for $object {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct;
                let fields = 4 + usize::from(self.status.is_some());
                let mut object = serializer.serialize_struct($kind, fields)?;
                object.serialize_field("apiVersion", &<Self as kube::Resource>::api_version(&()))?;
                object.serialize_field("kind", $kind)?;
                object.serialize_field("metadata", &self.metadata)?;
                object.serialize_field("spec", &self.spec)?;
                if let Some(status) = &self.status {
                    object.serialize_field("status", status)?;
                }
                object.end()
            }
        }

        impl kube::Resource for $object {
            type DynamicType = ();
            type Scope = kube::core::$scope;

            fn kind((): &()) -> std::borrow::Cow<'_, str> {
                $kind.into()
            }

            fn group((): &()) -> std::borrow::Cow<'_, str> {
                crate::GROUP.into()
            }

            fn version((): &()) -> std::borrow::Cow<'_, str> {
                crate::VERSION.into()
            }

            fn plural((): &()) -> std::borrow::Cow<'_, str> {
                $plural.into()
            }

            fn meta(&self) -> &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &mut self.metadata
            }
        }

        impl kube::core::object::HasStatus for $object {
            type Status = $status;

            fn status(&self) -> Option<&$status> {
                self.status.as_ref()
            }

            fn status_mut(&mut self) -> &mut Option<$status> {
                &mut self.status
            }
        }
    };
}
pub(crate) use kind;

/// What `kind!` asks of a scope.
#[expect(non_upper_case_globals, reason = "named as kube names the scopes")]
pub(crate) mod namespaced {
    pub(crate) const NamespaceResourceScope: bool = true;
    pub(crate) const ClusterResourceScope: bool = false;
}

/// Every definition, in the order in which they are installed.
///
/// # Errors
/// A fault of this crate.
pub fn all() -> Result<Vec<CustomResourceDefinition>, DefinitionError> {
    Ok(vec![
        crate::AimArtifact::definition()?,
        crate::AimClusterModel::definition()?,
        crate::AimClusterModelSource::definition()?,
        crate::AimClusterRuntimeConfig::definition()?,
        crate::AimClusterServiceTemplate::definition()?,
        crate::AimModel::definition()?,
        crate::AimRuntimeConfig::definition()?,
        crate::AimService::definition()?,
        crate::AimServiceTemplate::definition()?,
        crate::AimTemplateCache::definition()?,
    ])
}

/// Every definition as YAML: file name and text, for the chart's `crds` folder.
///
/// # Errors
/// A fault of this crate.
pub fn all_yaml() -> Result<Vec<(String, String)>, DefinitionError> {
    let text = |definition: &CustomResourceDefinition| {
        let name = definition.metadata.name.clone().unwrap_or_default();
        match serde_saphyr::to_string(definition) {
            Ok(text) => Ok((format!("{name}.yaml"), text)),
            Err(source) => Err(DefinitionError::Yaml { kind: name, source }),
        }
    };
    all()?.iter().map(text).collect()
}
