//! What is wrong with a spec although its schema takes it, and which condition has to say so. Not from the operator's code: from the words
//! that were put in ([`crate::words`]) and from what is there ([`crate::around`]).
//!
//! Not here, since only a node or KServe itself finds it out: images that nobody has, variables of a container that KServe makes.

use serde_json::Value;

use crate::around::CONFIG;
use crate::words::is_wrong;

/// Something that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What.
    pub what: String,
    /// The condition that has to be `False`, with a reason and a message.
    pub condition: &'static str,
}

/// A spec as stored, read by pointers.
struct Reader<'a> {
    spec: &'a Value,
    found: Vec<Wrong>,
}

impl Reader<'_> {
    fn text(&self, pointer: &str) -> &str {
        self.spec
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn number(&self, pointer: &str) -> Option<i64> {
        self.spec.pointer(pointer).and_then(Value::as_i64)
    }

    fn is(&self, pointer: &str, value: bool) -> bool {
        self.spec.pointer(pointer).and_then(Value::as_bool) == Some(value)
    }

    fn is_some(&self, pointer: &str) -> bool {
        match self.spec.pointer(pointer) {
            Some(Value::Array(list)) => !list.is_empty(),
            found => found.is_some(),
        }
    }

    fn tell(&mut self, condition: &'static str, what: impl Into<String>) {
        self.found.push(Wrong {
            what: what.into(),
            condition,
        });
    }

    /// A text that is wrong in its place.
    fn check(&mut self, pointer: &str, condition: &'static str) {
        let text = self.text(pointer);
        if self.spec.pointer(pointer).is_some() && is_wrong(&pointer.replace('/', "."), text) {
            let what = format!("{pointer} is `{text}`");
            self.tell(condition, what);
        }
    }

    fn routing(&mut self) {
        if !self.is("/routing/enabled", true) {
            return;
        }
        let of_config = self.text("/runtimeConfigName") == CONFIG;
        if !self.is_some("/routing/gatewayRef") && !of_config {
            return self.tell("HTTPRouteReady", "routing without a Gateway");
        }
        self.check("/routing/pathTemplate", "HTTPRouteReady");
        self.check("/routing/requestTimeout", "HTTPRouteReady");
    }

    fn service(&mut self) {
        self.check("/model/name", "ModelReady");
        self.check("/model/image", "ModelReady");
        self.check("/template/name", "TemplateReady");
        self.routing();
        let (least, most) = (self.number("/minReplicas"), self.number("/maxReplicas"));
        if least.zip(most).is_some_and(|(least, most)| least > most) {
            self.tell("InferenceServiceReady", "minReplicas above maxReplicas");
        }
        if self.number("/replicas").is_some_and(|fixed| fixed < 0) {
            self.tell("InferenceServiceReady", "replicas below 0");
        }
    }

    fn template(&mut self, model: &'static str) {
        self.check("/modelName", model);
        let needs = self
            .number("/hardware/gpu/requests")
            .is_some_and(|count| count > 0);
        if needs || !self.text("/hardware/gpu/model").is_empty() {
            self.tell("GPUReady", "a GPU in a cluster that has none");
        }
    }

    fn source(&mut self) {
        self.check("/syncInterval", "ConfigValid");
        let count = |list: Option<&Value>| list.and_then(Value::as_array).map_or(0, Vec::len);
        for at in 0..count(self.spec.pointer("/versions")) {
            self.constraint(&format!("/versions/{at}"));
        }
        for filter in 0..count(self.spec.pointer("/filters")) {
            let image = self.text(&format!("/filters/{filter}/image")).to_owned();
            if is_wrong(".filters.image", &image) {
                self.tell("FiltersReady", format!("the filter `{image}`"));
            }
            for at in 0..count(self.spec.pointer(&format!("/filters/{filter}/versions"))) {
                self.constraint(&format!("/filters/{filter}/versions/{at}"));
            }
        }
    }

    fn constraint(&mut self, pointer: &str) {
        let text = self.text(pointer).to_owned();
        if is_wrong(".versions", &text) {
            self.tell("ConfigValid", format!("the constraint `{text}`"));
        }
    }
}

/// What is wrong with a spec of a kind, as the API server stored it. Of a runtime configuration the conditions are those of a service
/// that uses it.
pub fn wrong(kind: &str, spec: &Value) -> Vec<Wrong> {
    let mut reader = Reader {
        spec,
        found: Vec::new(),
    };
    if kind != "AIMClusterModelSource" {
        reader.check("/runtimeConfigName", "RuntimeConfigReady");
    }
    match kind {
        "AIMService" => reader.service(),
        "AIMModel" | "AIMClusterModel" => reader.check("/image", "ImageMetadataReady"),
        "AIMServiceTemplate" => reader.template("ModelReady"),
        "AIMClusterServiceTemplate" => reader.template("ClusterModelReady"),
        "AIMTemplateCache" => reader.check("/templateName", "ServiceTemplateReady"),
        "AIMArtifact" => {
            let size = spec
                .get("size")
                .map(|size| size.as_str().map_or_else(|| size.to_string(), str::to_owned));
            if size
                .as_ref()
                .is_some_and(|size| crate::words::WRONG_QUANTITIES.contains(&size.as_str()))
            {
                reader.tell("ConfigValid", "a size that is none");
            }
        }
        "AIMClusterModelSource" => reader.source(),
        _ => reader.routing(),
    }
    reader.found
}

/// What of it no condition of a status says: the condition is missing, holds, or says nothing.
pub fn untold(wrong: &[Wrong], status: &Value) -> Vec<Wrong> {
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let is_told = |wrong: &&Wrong| {
        let of_type = conditions
            .iter()
            .find(|condition| condition["type"] == wrong.condition);
        of_type.is_some_and(|condition| condition["status"] == "False" && condition["message"] != "")
    };
    wrong.iter().filter(|wrong| !is_told(wrong)).cloned().collect()
}
