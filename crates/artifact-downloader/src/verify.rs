//! Whether a file is what its place says it is.

use std::io;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use md5::{Digest as _, Md5};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::listing::{Digest, Origin, Remote};

/// What a file is hashed with.
enum Hash {
    Lc(Context),
    Md5(Md5),
}

impl Hash {
    fn add(&mut self, bytes: &[u8]) {
        match self {
            Self::Lc(context) => context.update(bytes),
            Self::Md5(hash) => hash.update(bytes),
        }
    }

    fn end(self) -> String {
        match self {
            Self::Lc(context) => hex(context.finish().as_ref()),
            Self::Md5(hash) => hex(&hash.finalize()),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the file fits.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn fits(path: &Path, remote: &Remote) -> io::Result<bool> {
    let length = tokio::fs::metadata(path).await?.len();
    if length != remote.size {
        return Ok(false);
    }
    let (hash, wanted) = match (&remote.digest, &remote.origin) {
        (Digest::Sha256(wanted), _) => (Hash::Lc(Context::new(&SHA256)), wanted.clone()),
        (Digest::GitBlob(wanted), _) => {
            let mut hash = Hash::Lc(Context::new(&SHA1_FOR_LEGACY_USE_ONLY));
            hash.add(format!("blob {length}\0").as_bytes());
            (hash, wanted.clone())
        }
        (Digest::Md5(wanted), _) => (Hash::Md5(Md5::new()), wanted.clone()),
        (Digest::None, Origin::File(from)) => {
            let wanted = of(from, Hash::Lc(Context::new(&SHA256))).await?;
            (Hash::Lc(Context::new(&SHA256)), wanted)
        }
        (Digest::None, _) => return Ok(true),
    };
    Ok(of(path, hash).await? == wanted)
}

async fn of(path: &Path, mut hash: Hash) -> io::Result<String> {
    let mut file = File::open(path).await?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).await? {
            0 => return Ok(hash.end()),
            count => hash.add(buffer.get(..count).unwrap_or_default()),
        }
    }
}
