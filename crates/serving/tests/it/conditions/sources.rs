use std::collections::BTreeSet;

use reeve_serving::fault::{Category, Fault};
use reeve_serving::labels::Controller;
use reeve_serving::plan::source;
use reeve_serving::source::Image;
use reeve_serving_specs::conditions::Case;
use serde_json::json;

use super::{NOW, case};
use crate::things::{of, parent, time};

type Found = Result<BTreeSet<Image>, Fault>;

fn listed(tags: &[&str]) -> Found {
    let image = |tag: &&str| Image {
        registry: "docker.io".to_owned(),
        repository: "o/m".to_owned(),
        tag: (*tag).to_owned(),
    };
    Ok(tags.iter().map(image).collect())
}

fn away() -> Found {
    Err(Fault::new(Category::Infrastructure, "NetworkError", "no answer"))
}

pub(super) fn cases() -> Vec<Case> {
    let source = |name: &str, found: &[Found]| {
        let plan = source::plan(&source::Seen {
            parent: &parent("AIMClusterModelSource", "s", Controller::ClusterModelSource),
            generation: Some(1),
            spec: &of(json!({"filters": [], "maxModels": 1})),
            status: &of(json!({})),
            existing: &BTreeSet::new(),
            found,
            now: &time(NOW),
        });
        case("AIMClusterModelSource", name, &plan)
    };
    vec![
        source("a source without filters", &[]),
        source("a source whose filters all succeed", &[listed(&["1.0.0"])]),
        source("a source with a filter that fails", &[listed(&["1.0.0"]), away()]),
        source("a source whose filters all fail", &[away()]),
        source(
            "a source with more images than models",
            &[listed(&["1.0.0", "2.0.0"])],
        ),
    ]
}
