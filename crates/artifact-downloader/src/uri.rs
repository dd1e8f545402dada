//! Where files come from.

use crate::failure::{Failure, Kind};

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A repository of the Hub, at a revision.
    Hub {
        /// `org/name`.
        repository: String,
        /// Branch, tag or commit.
        revision: String,
    },
    /// What is in a bucket under a prefix.
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix, without slashes around it.
        prefix: String,
    },
    /// What is in a mounted claim under a path.
    Claim {
        /// The path, without slashes around it.
        path: String,
    },
}

impl Place {
    pub(crate) fn parse(uri: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::new(
                Kind::Usage,
                format!(
                    "`{uri}` is no place of files: say hf://org/name, s3://bucket/prefix or pvc://claim/path"
                ),
            )
        };
        let (scheme, rest) = uri.split_once("://").ok_or_else(wrong)?;
        let (first, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_matches('/');
        if first.is_empty() || path.split('/').any(|part| part == ".." || part == ".") {
            return Err(wrong());
        }
        match scheme {
            "hf" => {
                let (name, revision) = path.split_once(['@', ':']).unwrap_or((path, "main"));
                if name.is_empty() || name.contains('/') || revision.is_empty() {
                    return Err(wrong());
                }
                Ok(Self::Hub {
                    repository: format!("{first}/{name}"),
                    revision: revision.to_owned(),
                })
            }
            "s3" => Ok(Self::S3 {
                bucket: first.to_owned(),
                prefix: path.to_owned(),
            }),
            "pvc" => Ok(Self::Claim {
                path: path.to_owned(),
            }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_others_are_refused() {
        let hub = |revision: &str| Place::Hub {
            repository: "org/name".to_owned(),
            revision: revision.to_owned(),
        };
        assert_eq!(Place::parse("hf://org/name"), Ok(hub("main")));
        assert_eq!(Place::parse("hf://org/name@refs"), Ok(hub("refs")));
        assert_eq!(Place::parse("hf://org/name:v1"), Ok(hub("v1")));
        let s3 = Place::S3 {
            bucket: "b".to_owned(),
            prefix: "x/y".to_owned(),
        };
        assert_eq!(Place::parse("s3://b/x/y/"), Ok(s3));
        assert_eq!(Place::parse("pvc://c"), Ok(Place::Claim { path: String::new() }));
        for wrong in [
            "org/name",
            "hf://org",
            "hf://org/a/b",
            "hf://org/..",
            "pvc://c/../x",
            "ftp://a/b",
            "s3:///x",
        ] {
            assert_eq!(Place::parse(wrong).unwrap_err().kind, Kind::Usage, "{wrong}");
        }
    }
}
