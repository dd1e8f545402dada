//! When a training's container is ready.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::body::fields::{text, within};

/// The longest path, in bytes.
const LONGEST_PATH: usize = 1024;

/// How a container is asked how it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probes {
    /// Whether it is ready.
    pub readiness: Probe,
}

/// How a container is asked, and how often. What is absent is as Kubernetes has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    /// Seconds from its start to the first request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_delay_seconds: Option<u32>,
    /// Seconds between requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<u32>,
    /// Seconds that an answer may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// How many good answers in a row it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_threshold: Option<u32>,
    /// How many bad answers in a row it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u32>,
    /// What is asked.
    pub handler: ProbeHandler,
}

/// What a container is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProbeHandler {
    /// A request over HTTP to the container itself.
    pub http_get: HttpGet,
}

/// A request over HTTP to the container itself; an answer from 200 to 399 is a good one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpGet {
    /// The path; absent: `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The container's port.
    pub port: u16,
    /// Absent: `HTTP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<ProbeScheme>,
}

/// How a container is asked over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProbeScheme {
    /// In the clear.
    #[serde(rename = "HTTP")]
    Http,
    /// By TLS; the certificate is not checked.
    #[serde(rename = "HTTPS")]
    Https,
}

/// How a container is asked how it does.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SubmittedProbes {
    /// Whether it is ready. Absent: while it runs.
    #[serde(default)]
    readiness: Option<SubmittedProbe>,
}

/// How a container is asked, and how often.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SubmittedProbe {
    /// Seconds from its start to the first request, at most a day. Absent: 0.
    #[serde(default, deserialize_with = "within::<_, 0, 86400>")]
    #[schemars(range(max = 86400))]
    initial_delay_seconds: Option<u32>,
    /// Seconds between requests, at most a day. Absent: 10.
    #[serde(default, deserialize_with = "within::<_, 1, 86400>")]
    #[schemars(range(min = 1, max = 86400))]
    period_seconds: Option<u32>,
    /// Seconds that an answer may take, at most a day. Absent: 1.
    #[serde(default, deserialize_with = "within::<_, 1, 86400>")]
    #[schemars(range(min = 1, max = 86400))]
    timeout_seconds: Option<u32>,
    /// How many good answers in a row make it ready. Absent: 1.
    #[serde(default, deserialize_with = "within::<_, 1, 1000>")]
    #[schemars(range(min = 1, max = 1000))]
    success_threshold: Option<u32>,
    /// How many bad answers in a row make it not. Absent: 3.
    #[serde(default, deserialize_with = "within::<_, 1, 1000>")]
    #[schemars(range(min = 1, max = 1000))]
    failure_threshold: Option<u32>,
    /// What is asked.
    handler: SubmittedHandler,
}

/// What a container is asked.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SubmittedHandler {
    /// A request over HTTP to the container itself; an answer from 200 to 399 is a good one.
    http_get: SubmittedHttpGet,
}

/// A request over HTTP.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "fields that are not honoured refuse by being there")]
struct SubmittedHttpGet {
    /// The path: letters, digits, `-`, `_`, `.` and `/`, beginning with `/`; at most 1,024 bytes. Absent: `/`.
    #[serde(default, deserialize_with = "path")]
    #[schemars(length(max = 1024), regex(pattern = r"^(/[A-Za-z0-9\-_./]*)?$"))]
    path: Option<String>,
    /// The container's port.
    #[serde(deserialize_with = "port")]
    #[schemars(range(min = 1, max = 65535))]
    port: u16,
    /// Absent: `HTTP`.
    #[serde(default)]
    scheme: Option<ProbeScheme>,
    /// It cannot be asked for: the node asks the container itself and no other host (R6).
    #[serde(default, deserialize_with = "host")]
    #[schemars(extend("maxLength" = 0))]
    host: Option<String>,
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let path = text::<D, LONGEST_PATH>(deserializer)?;
    let plain = |path: &String| {
        let mut bytes = path.bytes();
        path.starts_with('/') && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
    };
    match path {
        Some(path) if !plain(&path) => Err(D::Error::custom(
            "a path of letters, digits, `-`, `_`, `.` and `/` is needed that begins with `/`",
        )),
        path => Ok(path),
    }
}

fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let port = within::<D, 1, 65535>(deserializer)?;
    let port = port.and_then(|port| u16::try_from(port).ok());
    port.ok_or_else(|| D::Error::missing_field(""))
}

fn host<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    if String::deserialize(deserializer)?.is_empty() {
        return Ok(None);
    }
    Err(D::Error::custom(
        "the node asks the container itself and no other host: leave it out",
    ))
}

impl SubmittedProbes {
    /// What is kept of it; `None` where nothing is asked.
    pub(super) fn kept(self) -> Option<Probes> {
        let asked = self.readiness?;
        let http_get = asked.handler.http_get;
        Some(Probes {
            readiness: Probe {
                initial_delay_seconds: asked.initial_delay_seconds,
                period_seconds: asked.period_seconds,
                timeout_seconds: asked.timeout_seconds,
                success_threshold: asked.success_threshold,
                failure_threshold: asked.failure_threshold,
                handler: ProbeHandler {
                    http_get: HttpGet {
                        path: http_get.path,
                        port: http_get.port,
                        scheme: http_get.scheme,
                    },
                },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::training::TrainingSpec;
    use crate::training::parsed_spec;

    fn parse(readiness: Value) -> Result<TrainingSpec, String> {
        parsed_spec(json!({"probes": {"readiness": readiness}}))
    }

    /// Planted fault: a host is taken, which the node would ask.
    #[test]
    fn a_container_is_asked_itself_and_within_bounds() {
        let asked = json!({"initialDelaySeconds": 0, "periodSeconds": 86400, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 1000,
            "handler": {"httpGet": {"path": "/ready", "port": 65535, "scheme": "HTTPS"}}});
        let spec = parse(asked.clone()).unwrap();
        let kept = serde_json::to_value(&spec).unwrap();
        assert_eq!(kept["probes"]["readiness"], asked);
        assert_eq!(serde_json::from_value::<TrainingSpec>(kept).unwrap(), spec);
        assert_eq!(parse(json!(null)).unwrap().probes, None);
        let with = |pointer: &str, value: Value| {
            let mut asked = asked.clone();
            let (above, last) = pointer.rsplit_once('/').unwrap();
            asked.pointer_mut(above).unwrap()[last] = value;
            parse(asked)
        };
        assert!(
            with("/handler/httpGet/host", json!("")).is_ok()
                && with("/handler/httpGet/path", json!("")).is_ok()
        );
        for (pointer, value, said) in [
            (
                "/initialDelaySeconds",
                json!(86401),
                "a whole number from 0 to 86400",
            ),
            ("/periodSeconds", json!(0), "a whole number from 1 to 86400"),
            ("/timeoutSeconds", json!(0), "a whole number from 1"),
            ("/successThreshold", json!(1001), "a whole number from 1 to 1000"),
            ("/failureThreshold", json!(0), "a whole number from 1"),
            (
                "/handler/httpGet/port",
                json!(0),
                "a whole number from 1 to 65535",
            ),
            (
                "/handler/httpGet/port",
                json!(65536),
                "a whole number from 1 to 65535",
            ),
            ("/handler/httpGet/path", json!("ready"), "a path of letters"),
            ("/handler/httpGet/path", json!("/a?b"), "a path of letters"),
            (
                "/handler/httpGet/path",
                json!(format!("/{}", "a".repeat(1024))),
                "at most 1024 bytes",
            ),
            ("/handler/httpGet/scheme", json!("FTP"), "`HTTP` or `HTTPS`"),
            (
                "/handler/httpGet/host",
                json!("metadata.internal"),
                "the node asks the container itself",
            ),
        ] {
            let place = format!("`spec.probes.readiness{}`: ", pointer.replace('/', "."));
            let found = with(pointer, value).unwrap_err();
            assert!(found.starts_with(&place) && found.contains(said), "{found}");
            assert!(!found.contains("metadata.internal"), "{found}");
        }
        let found = parse(json!({"handler": {}})).unwrap_err();
        assert_eq!(found, "`spec.probes.readiness.handler.httpGet` is missing");
    }
}
