//! The permissions of the named exceptions, each in one place. `cargo xtask tidy` reads these functions' names here and counts
//! their uses: the names must be found nowhere else.

use reeve_authz::{BootstrapException, Granted};

/// Signing in, and recording refusals: nobody was authorized for anything yet.
pub const fn session_record() -> Granted {
    Granted::bootstrap(BootstrapException::SessionRecord)
}

/// Access keys of one's own, which never have more rights than oneself.
pub const fn own_access_key() -> Granted {
    Granted::bootstrap(BootstrapException::OwnAccessKey)
}

/// A cluster speaks of itself.
pub const fn link_status() -> Granted {
    Granted::bootstrap(BootstrapException::LinkStatus)
}

/// The first start makes the account.
pub const fn founding() -> Granted {
    Granted::bootstrap(BootstrapException::FirstStart)
}

/// The next signing key takes over, or a former one is no more, because it is time.
pub const fn key_rotation() -> Granted {
    Granted::bootstrap(BootstrapException::KeyRotation)
}

/// A restored database, and what whoever is at the server's machine does about it.
pub const fn recovery() -> Granted {
    Granted::bootstrap(BootstrapException::Recovery)
}
