//! Device codes: a program without a browser is signed in by a person who types its user code in a browser elsewhere (RFC 8628).
//!
//! Of both codes hashes are kept, and all of it is here: whichever process of the server is asked, a code is decided once, redeemed once,
//! asked for no sooner than its pause allows, and guessed at no more often than the bounds below say.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::{SessionId, Timestamp, UserId};

use crate::{AuditEntry, Committed, CredentialHash, StoreError};

/// How many device codes are good at a time.
pub const DEVICE_CODES: i64 = 1000;
/// How many of them one network may have asked for.
pub const DEVICE_CODES_OF_A_NETWORK: i64 = 100;
/// For how long a device waits between two questions at first, in seconds; each question that comes too early makes it that much longer
/// (RFC 8628, section 3.5), up to [`LONGEST_PAUSE_SECONDS`].
pub const PAUSE_SECONDS: i64 = 5;
/// See [`PAUSE_SECONDS`].
pub const LONGEST_PAUSE_SECONDS: i64 = 60;
/// How long a device code that is over is still known to be one, in seconds.
pub const OVER_SECONDS: i64 = 600;
/// After how many wrong user codes none that the same user types is looked at any more, for [`WRONG_USER_CODES_SECONDS`] from the first.
pub const WRONG_USER_CODES: i64 = 5;
/// The same of one network, which many may share.
pub const WRONG_USER_CODES_OF_A_NETWORK: i64 = 50;
/// See [`WRONG_USER_CODES`].
pub const WRONG_USER_CODES_SECONDS: i64 = 15 * 60;

/// A device that asks to be signed in.
#[derive(Debug, Clone)]
pub struct NewDeviceCode {
    /// What is kept of the code that the device keeps.
    pub device_code: CredentialHash,
    /// What is kept of the code that a person types.
    pub user_code: CredentialHash,
    /// What the program calls itself.
    pub client: String,
    /// From where it asks; none where that is not known.
    pub address: Option<String>,
    /// The network of that address, for the bound of one.
    pub network: String,
    /// When.
    pub at: Timestamp,
    /// Until when both codes are good.
    pub until: Timestamp,
}

/// What became of a [`NewDeviceCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceCodeBegun {
    /// It waits for a person.
    Begun,
    /// Another one has the same user code: draw again.
    Taken,
    /// As many as there may be wait already, in all or of this network.
    TooMany,
}

/// A user code that somebody who is signed in typed.
#[derive(Debug, Clone)]
pub struct TypedUserCode {
    /// What is kept of such a code.
    pub user_code: CredentialHash,
    /// Who typed it.
    pub by: UserId,
    /// From which network.
    pub network: String,
    /// When.
    pub at: Timestamp,
}

/// A device that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingDevice {
    /// What its program calls itself.
    pub client: String,
    /// From where it asked.
    pub address: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// What a user code is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserCodeFound {
    /// Of a device that waits.
    Device(WaitingDevice),
    /// Of none: counted as a guess.
    None,
    /// Nobody looked: too many were wrong.
    Rests,
}

/// What a person decided about a device.
#[derive(Debug, Clone)]
pub struct DeviceDecision {
    /// Which one.
    pub user_code: CredentialHash,
    /// The session that it is to have; none to refuse it.
    pub session: Option<SessionId>,
}

/// What a device that asks is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceAnswer {
    /// No device code of this client.
    Unknown,
    /// It asks sooner than it may; from now on it waits longer.
    TooEarly,
    /// Nobody decided yet.
    Waits,
    /// Nobody decided in time.
    Over,
    /// A person refused it.
    Refused,
    /// This session is its own. Nobody is told so again.
    SignedIn(SessionId),
}

/// Repository of device codes. Every `granted` is the bootstrap exception for session records.
#[async_trait]
pub trait DeviceCodes {
    /// Lets a device wait, if there is room; those that were over for [`OVER_SECONDS`] are forgotten.
    async fn begin_device_code(
        &self,
        granted: &Granted,
        new: NewDeviceCode,
    ) -> Result<DeviceCodeBegun, StoreError>;

    /// Which device waits with a user code. One that is of none counts, for whoever typed it and for the network, before anybody knows; so
    /// of many at a time no more are looked at.
    async fn find_user_code(
        &self,
        granted: &Granted,
        typed: TypedUserCode,
    ) -> Result<UserCodeFound, StoreError>;

    /// Writes down what a person decided, at the moment of `entry`, which is written when that is done; false, and nothing is, when the
    /// device does not wait any more.
    async fn decide_device_code(
        &self,
        granted: &Granted,
        decision: DeviceDecision,
        entry: AuditEntry,
    ) -> Result<Committed<bool>, StoreError>;

    /// What a device is told that asks with its device code, as this client.
    async fn ask_device_code(
        &self,
        granted: &Granted,
        device_code: &CredentialHash,
        client: &str,
        at: Timestamp,
    ) -> Result<DeviceAnswer, StoreError>;
}
