//! What the labels of an image say.

use std::collections::BTreeMap;

use reeve_serving_crds::{ImageMetadata, ModelMetadata, OciMetadata, RecommendedDeployment};

/// Prefixes of labels, the first that says something counts.
const PREFIXES: &[&str] = &["com.amd.aim.", "org.amd.silogen."];
const OCI: &str = "org.opencontainers.image.";

/// The label of recommended deployments is no list of deployments.
#[derive(Debug, thiserror::Error)]
#[error("the image's label `model.recommendedDeployments` is no JSON list of deployments")]
pub struct InvalidDeployments(#[from] serde_json::Error);

/// Reads the labels of an image.
///
/// # Errors
/// [`InvalidDeployments`].
pub fn read(labels: BTreeMap<String, String>) -> Result<ImageMetadata, InvalidDeployments> {
    let text = |key: &str| {
        let mut said = PREFIXES
            .iter()
            .filter_map(|prefix| labels.get(&format!("{prefix}{key}")));
        said.find(|text| !text.is_empty()).cloned()
    };
    let list = |key: &str| {
        let all = text(key).unwrap_or_default();
        all.split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let oci = |key: &str| {
        labels
            .get(&format!("{OCI}{key}"))
            .filter(|text| !text.is_empty())
            .cloned()
    };
    let model = ModelMetadata {
        canonical_name: text("model.canonicalName"),
        source: text("model.source"),
        tags: list("model.tags"),
        versions: list("model.versions"),
        variants: list("model.variants"),
        hf_token_required: text("hfToken.required").as_deref().and_then(go_bool),
        title: text("title"),
        description_full: text("description.full"),
        release_notes: text("release.notes"),
        recommended_deployments: text("model.recommendedDeployments")
            .as_deref()
            .map_or(Ok(Vec::new()), deployments)?,
    };
    let oci = OciMetadata {
        title: oci("title"),
        description: oci("description"),
        licenses: oci("licenses"),
        vendor: oci("vendor"),
        authors: oci("authors"),
        source: oci("source"),
        documentation: oci("documentation"),
        created: oci("created"),
        revision: oci("revision"),
        version: oci("version"),
    };
    Ok(ImageMetadata {
        model: (model != ModelMetadata::default()).then_some(model),
        oci: (oci != OciMetadata::default()).then_some(oci),
        original_labels: labels,
    })
}

/// JSON in which single quotes stand for double ones, with or without the brackets of the list.
fn deployments(text: &str) -> Result<Vec<RecommendedDeployment>, InvalidDeployments> {
    let text = text.trim().replace('\'', "\"");
    let text = if text.starts_with('[') {
        text
    } else {
        format!("[{text}]")
    };
    Ok(serde_json::from_str(&text)?)
}

/// As Go reads it; other words say nothing.
fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
