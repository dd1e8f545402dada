//! Registered and shown.

use reeve_testkit::software_authenticator::{
    BACKED_UP, BACKUP_ELIGIBLE, Ceremony, KeyKind, PRESENT, Passkey, VERIFIED,
};
use reeve_webauthn::{
    Algorithm, Assertion, Challenge, Credential, Kept, Refused, Registration, RelyingParty, Used,
};

const USER: &[u8] = &[7; 16];

fn party() -> RelyingParty {
    RelyingParty::at(&"https://reeve.test".parse().unwrap()).unwrap()
}

fn challenge(number: u8) -> Challenge {
    Challenge::of([number; 32])
}

fn honest(challenge: &Challenge) -> Ceremony<'_> {
    Ceremony::honest("https://reeve.test", "reeve.test", challenge.as_str())
}

fn registered(passkey: &Passkey, ceremony: &Ceremony<'_>) -> Result<Credential, Refused> {
    let made = passkey.register(ceremony);
    let read = Registration::read(&made.id, &made.client_data, &made.attestation_object)?;
    party().registered(&challenge(1), &read)
}

/// What a passkey shows, judged by what is kept of `kept`.
fn asserted(
    passkey: &mut Passkey,
    ceremony: &Ceremony<'_>,
    kept: &Credential,
    counter: u32,
) -> Result<Used, Refused> {
    let shown = passkey.assert(ceremony);
    let read = Assertion::read(
        &shown.id,
        &shown.client_data,
        &shown.authenticator_data,
        &shown.signature,
        &shown.user_handle,
    )?;
    let kept = Kept {
        id: &kept.id,
        user_handle: USER,
        key: &kept.key,
        counter,
        backup_eligible: Some(kept.backup_eligible),
    };
    party().asserted(&challenge(2), &read, &kept)
}

#[test]
fn a_passkey_of_each_algorithm_is_registered_and_shown() {
    for (kind, algorithm) in [
        (KeyKind::Es256, Algorithm::Es256),
        (KeyKind::EdDsa, Algorithm::EdDsa),
        (KeyKind::Rs256, Algorithm::Rs256),
    ] {
        let mut passkey = Passkey::new(kind, USER);
        let kept = registered(&passkey, &honest(&challenge(1))).unwrap();
        assert_eq!(kept.key.algorithm(), algorithm);
        let used = asserted(&mut passkey, &honest(&challenge(2)), &kept, kept.counter).unwrap();
        assert!(used.counter > kept.counter);
        let again = reeve_webauthn::PublicKey::read(kept.key.cose()).unwrap();
        assert_eq!(again, kept.key, "it is read back as it is kept");
    }
}

/// Of both ceremonies: what is of another site, another moment, or of nobody who was there.
#[test]
fn what_is_of_something_else_is_refused() {
    let ceremonies = |challenge: &'static str| -> Vec<(Refused, Ceremony<'static>)> {
        let honest = Ceremony::honest("https://reeve.test", "reeve.test", challenge);
        vec![
            (
                Refused::Challenge,
                Ceremony {
                    challenge: "AAAA",
                    ..honest
                },
            ),
            (
                Refused::Origin,
                Ceremony {
                    origin: "https://reeve.test.evil.test",
                    ..honest
                },
            ),
            (
                Refused::Origin,
                Ceremony {
                    origin: "https://sub.reeve.test",
                    ..honest
                },
            ),
            (
                Refused::CrossOrigin,
                Ceremony {
                    cross_origin: true,
                    ..honest
                },
            ),
            (
                Refused::Ceremony,
                Ceremony {
                    kind: Some("webauthn.other"),
                    ..honest
                },
            ),
            (
                Refused::RelyingParty,
                Ceremony {
                    relying_party: "evil.test",
                    ..honest
                },
            ),
            (
                Refused::NotPresent,
                Ceremony {
                    flags: VERIFIED,
                    ..honest
                },
            ),
            (
                Refused::NotVerified,
                Ceremony {
                    flags: PRESENT,
                    ..honest
                },
            ),
            (
                Refused::Backup,
                Ceremony {
                    flags: PRESENT | VERIFIED | BACKED_UP,
                    ..honest
                },
            ),
        ]
    };
    let text = |number| -> &'static str { challenge(number).as_str().to_owned().leak() };
    let mut passkey = Passkey::new(KeyKind::Es256, USER);
    for (why, forged) in ceremonies(text(1)) {
        assert_eq!(registered(&passkey, &forged), Err(why), "{forged:?}");
    }
    let kept = registered(&passkey, &honest(&challenge(1))).unwrap();
    for (why, forged) in ceremonies(text(2)) {
        assert_eq!(asserted(&mut passkey, &forged, &kept, 0), Err(why), "{forged:?}");
    }
    // One ceremony's answer as the other's.
    let second = challenge(2);
    let as_create = Ceremony {
        kind: Some("webauthn.create"),
        ..honest(&second)
    };
    assert_eq!(
        asserted(&mut passkey, &as_create, &kept, 0),
        Err(Refused::Ceremony)
    );
}

#[test]
fn a_passkey_of_another_user_or_another_passkey_is_refused() {
    let mut passkey = Passkey::new(KeyKind::Es256, USER);
    let kept = registered(&passkey, &honest(&challenge(1))).unwrap();
    let mut other = Passkey::new(KeyKind::Es256, USER);
    let others = registered(&other, &honest(&challenge(1))).unwrap();
    let second = challenge(2);
    let shown = honest(&second);
    assert_eq!(asserted(&mut other, &shown, &kept, 0), Err(Refused::CredentialId));
    // The id of the one with the signature of the other.
    other.id.clone_from(&passkey.id);
    assert_eq!(asserted(&mut other, &shown, &kept, 0), Err(Refused::Signature));
    assert!(others.id != kept.id && others.key != kept.key);
    for handle in [&[8; 16][..], &[], &[7; 15]] {
        passkey.user_handle = handle.to_vec();
        assert_eq!(asserted(&mut passkey, &shown, &kept, 0), Err(Refused::UserHandle));
    }
}

#[test]
fn a_counter_rises_or_there_is_none() {
    let mut passkey = Passkey::new(KeyKind::Es256, USER);
    let kept = registered(&passkey, &honest(&challenge(1))).unwrap();
    let second = challenge(2);
    let shown = honest(&second);
    for (before, now, good) in [
        (0, 0, true),
        (0, 1, true),
        (5, 6, true),
        (5, u32::MAX, true),
        (5, 5, false),
        (5, 4, false),
        (5, 0, false),
        (u32::MAX, 0, false),
    ] {
        passkey.counter = Some(now);
        let used = asserted(&mut passkey, &shown, &kept, before);
        assert_eq!(
            used.map(|used| used.counter),
            if good { Ok(now) } else { Err(Refused::Counter) }
        );
    }
}

#[test]
fn that_a_passkey_is_backed_up_is_known() {
    let mut passkey = Passkey::new(KeyKind::Es256, USER);
    let flags = PRESENT | VERIFIED | BACKUP_ELIGIBLE;
    let one_place = challenge(1);
    let kept = registered(
        &passkey,
        &Ceremony {
            flags,
            ..honest(&one_place)
        },
    )
    .unwrap();
    assert!(!kept.backed_up);
    let shown = challenge(2);
    let shown = Ceremony {
        flags: flags | BACKED_UP,
        ..honest(&shown)
    };
    assert!(asserted(&mut passkey, &shown, &kept, 0).unwrap().backed_up);
    // Whether it may be is said when it is made, and never again another way.
    let second = challenge(2);
    let other = honest(&second);
    assert_eq!(asserted(&mut passkey, &other, &kept, 0), Err(Refused::Backup));
    let first = challenge(1);
    let in_one_place = registered(&Passkey::new(KeyKind::Es256, USER), &honest(&first)).unwrap();
    assert!(!in_one_place.backup_eligible);
    let said = Credential {
        backup_eligible: false,
        ..kept
    };
    assert_eq!(asserted(&mut passkey, &shown, &said, 0), Err(Refused::Backup));
}

/// Its key may be known to anybody: it is nobody's.
#[test]
fn a_passkey_that_nobody_has_is_always_refused() {
    let mut stranger = Passkey::nobodys(USER);
    let challenge = challenge(2);
    let shown = stranger.assert(&honest(&challenge));
    let read = Assertion::read(
        &shown.id,
        &shown.client_data,
        &shown.authenticator_data,
        &shown.signature,
        &shown.user_handle,
    )
    .unwrap();
    assert_eq!(party().asserted_by_nobody(&challenge, &read), Refused::Unknown);
}
