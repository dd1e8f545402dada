//! `GET /api/v1/me` (ours): who the caller is to the control plane.

use reeve_authz::Entity;
use reeve_types::{AccessRuleId, ClusterId, PosixIdentity, Secret, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access_rule::{ScopeType, SubjectType};
use crate::body::TypedBody;
use crate::error::Count;
use crate::operation::Access::Authenticated;
use crate::operation::{QueryParameter, Recorded, delete, get, operations, post};
use crate::passkey::{CreatePasskey, CreatedPasskey, PasskeyCreation, Passkeys};
use crate::revealed_secret::RevealedSecret;

operations! {
    /// Operations of everybody who has signed in.
    OPERATIONS: MeOperation as Me, "Me";
    /// Who the caller is.
    GetMe = get("get_me", "/api/v1/me", Authenticated).answers::<Me>(200).with_temporary_password();
    /// Sign out: end the session of the token that is shown.
    LogoutMe = post("logout_me", "/api/v1/me/logout", Authenticated)
        .answers_nothing(200).signs_out_of(Entity::Users).with_temporary_password();
    /// Change the caller's own password, for local users; the caller's other sessions end.
    ChangePassword = post("change_user_password", "/api/v1/me/password", Authenticated)
        .takes::<ChangePassword>().answers_nothing(200).also(&[403, 429]).does_own(Recorded::Update, Entity::Users)
        .with_temporary_password();
    /// The access rules that reach the caller, those of the session's groups too.
    GetMyAccessRules = get("get_me_access_rules", "/api/v1/authorization/me/access-rules", Authenticated)
        .asks(&[
            QueryParameter { name: "limit", values: &[], about: "The most on a page, from 1 to 500; 50 by default." },
            QueryParameter { name: "offset", values: &[], about: "How many to leave out at the front." },
            QueryParameter { name: "search", values: &[], about: "Text that subject, role or scope holds." },
        ]).answers::<MyAccessRules>(200);
    /// Count the access rules that reach the caller.
    CountMyAccessRules = get("count_me_access_rules", "/api/v1/authorization/me/access-rules/count", Authenticated)
        .asks(&[QueryParameter { name: "search", values: &[], about: "Text that subject, role or scope holds." }])
        .answers::<Count>(200);
    /// Whether the caller has an authenticator, whose codes are asked for beside the password.
    GetAuthenticator = get("get_authenticator", "/api/v1/me/authenticator", Authenticated)
        .answers::<Authenticator>(200);
    /// Begin to set up an authenticator (RFC 6238), for local users; its codes are asked for after the first was confirmed.
    CreateAuthenticator = post("create_authenticator", "/api/v1/me/authenticator", Authenticated)
        .answers::<NewAuthenticator>(201).also(&[409]).does_own(Recorded::Update, Entity::Users);
    /// Confirm an authenticator by its first code.
    ConfirmAuthenticator = post("confirm_authenticator", "/api/v1/me/authenticator/confirm", Authenticated)
        .takes::<OneTimeCode>().answers::<RecoveryCodes>(200).also(&[404, 409]).does_own(Recorded::Update, Entity::Users);
    /// Take away the caller's authenticator, by a code of it or a recovery code.
    RemoveAuthenticator = post("remove_authenticator", "/api/v1/me/authenticator/remove", Authenticated)
        .takes::<OneTimeCode>().answers_nothing(200).also(&[404, 409, 429]).does_own(Recorded::Update, Entity::Users);
    /// List the caller's passkeys.
    GetMyPasskeys = get("get_my_passkeys", "/api/v1/me/passkeys", Authenticated)
        .answers::<Passkeys>(200);
    /// Begin to make a passkey (WebAuthn), for local users, within ten minutes of their sign-in: what a browser is asked.
    BeginPasskey = post("begin_passkey", "/api/v1/me/passkeys/begin", Authenticated)
        .answers::<PasskeyCreation>(200).does_own(Recorded::Update, Entity::Users);
    /// Make a passkey of what a browser answered: from then on it signs the caller in, and the password alone does not.
    CreatePasskey = post("create_passkey", "/api/v1/me/passkeys", Authenticated)
        .takes::<CreatePasskey>().answers::<CreatedPasskey>(201).also(&[404, 409]).does_own(Recorded::Update, Entity::Users);
    /// Take away a passkey of the caller's, within ten minutes of the sign-in.
    DeletePasskey = delete("delete_passkey", "/api/v1/me/passkeys/{passkeyId}", Authenticated)
        .answers_nothing(204).does_own(Recorded::Update, Entity::Users);
}

/// `POST /api/v1/me/password`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"currentPassword": "Given-Pass-1!", "newPassword": "Chosen-Pass-1!"}))]
pub struct ChangePassword {
    /// The password until now.
    pub current_password: Secret,
    /// The password from now on: 8 to 500 bytes with at least one digit, lower-case letter, upper-case letter and special character.
    pub new_password: Secret,
}

impl TypedBody for ChangePassword {}

/// The access rules that reach the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyAccessRules {
    /// A page of them: the reference nests it.
    pub access_rules: MyAccessRulesPage,
}

/// A page of the access rules that reach the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyAccessRulesPage {
    /// How many all pages hold.
    pub total_records: usize,
    /// How many are on this page.
    pub display_records: usize,
    /// The rules, the oldest first.
    pub access_rules: Vec<MyAccessRule>,
}

/// An access rule that reaches the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MyAccessRule {
    /// Its number: an integer, not a string.
    pub id: AccessRuleId,
    /// The caller, or the group through which the rule reaches the caller.
    pub subject_id: String,
    /// What `subjectId` names.
    pub subject_type: SubjectType,
    /// The role it gives, by id.
    pub role_id: i64,
    /// The role's name.
    pub role_name: String,
    /// Where it holds: `1` for the account, or the id of a cluster, department or project.
    pub scope_id: String,
    /// What `scopeId` names.
    pub scope_type: ScopeType,
    /// The scope's name.
    pub scope_name: String,
    /// The scope's cluster; absent for the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
    /// Always 1: an installation is one account.
    pub tenant_id: i32,
}

/// The caller's authenticator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Authenticator {
    /// Whether a code is asked for at a sign-in with the password.
    pub enabled: bool,
    /// When it was set up; null where there is none.
    pub created_at: Option<Timestamp>,
    /// How many recovery codes were not used yet.
    pub recovery_codes_left: i64,
}

/// The 201 of an authenticator that is begun.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewAuthenticator {
    /// What to type into the authenticator, in base 32; never shown again.
    pub secret: RevealedSecret,
    /// The same as an address that authenticators read, often from a QR code: `otpauth://totp/…`.
    pub address: RevealedSecret,
}

/// What an authenticator shows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"code": "123456"}))]
pub struct OneTimeCode {
    /// The six digits that it shows now; to take it away also a recovery code.
    pub code: Secret,
}

impl TypedBody for OneTimeCode {}

/// The 200 of an authenticator that is confirmed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryCodes {
    /// Each signs in once in place of a code, for whoever has lost the authenticator; never shown again.
    pub recovery_codes: Vec<RevealedSecret>,
}

/// Whoever the token of the request stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// The UUID of the user or service account.
    pub id: String,
    /// A user's email or a service account's name.
    pub username: String,
    /// `user` or `service-account`.
    #[serde(rename = "type")]
    pub kind: SubjectType,
    /// The groups that count for the caller's rights: those that the sign-in of this session showed.
    pub groups: Vec<String>,
    /// The POSIX identity that the caller's containers run with: the one that an administrator set, or else the identity
    /// provider's; null when there is none.
    pub posix: Option<PosixIdentity>,
    /// Who gave it: `administrator` or `identity-provider`; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posix_source: Option<PosixGiver>,
    /// Whether the session began with a temporary password: until the caller has chosen another one it is good for that, for this and for
    /// signing out alone. Absent otherwise.
    #[serde(default, skip_serializing_if = "crate::is_false")]
    pub must_change_password: bool,
    /// Which roles the caller holds, and where.
    pub roles: Vec<HeldRole>,
}

/// Who gave a POSIX identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PosixGiver {
    /// An administrator of the account, on the user.
    Administrator,
    /// The identity provider, at the sign-in or since.
    IdentityProvider,
}

/// One rule that reaches the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldRole {
    /// The role, by id.
    pub role_id: i64,
    /// The role's name.
    pub role_name: String,
    /// What `scopeId` names.
    pub scope_type: ScopeType,
    /// Where it holds, by id.
    pub scope_id: String,
    /// Where it holds, by name.
    pub scope_name: String,
    /// The group through which the caller has it; absent when the rule names the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through_group: Option<String>,
}
