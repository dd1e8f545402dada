//! The kinds of KServe and Gateway API, as far as they concern us: metadata, and the rest as JSON.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::NamespaceResourceScope;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

macro_rules! foreign {
    ($(#[$doc:meta])* $object:ident, $kind:literal, $group:literal, $version:literal, $plural:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub(crate) struct $object {
            pub(crate) metadata: ObjectMeta,
            #[serde(flatten)]
            pub(crate) rest: Map<String, Value>,
        }

        impl Resource for $object {
            type DynamicType = ();
            type Scope = NamespaceResourceScope;

            fn kind((): &()) -> Cow<'_, str> {
                $kind.into()
            }

            fn group((): &()) -> Cow<'_, str> {
                $group.into()
            }

            fn version((): &()) -> Cow<'_, str> {
                $version.into()
            }

            fn plural((): &()) -> Cow<'_, str> {
                $plural.into()
            }

            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

foreign! {
    /// KServe's.
    InferenceService, "InferenceService", "serving.kserve.io", "v1beta1", "inferenceservices"
}

foreign! {
    /// Gateway API's.
    HttpRoute, "HTTPRoute", "gateway.networking.k8s.io", "v1", "httproutes"
}
