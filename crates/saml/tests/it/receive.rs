//! The receiver under test, as the server will use it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reeve_saml::{
    IdentityProvider, OneUse, Pending, ReplayCache, SamlError, Seen, ServiceProvider, ServiceProviderKey,
    SignIn, SignedParts,
};
use reeve_types::Timestamp;

use crate::provider::{ACS, IDP_EC, IDP_KEY, IDP_NEXT, Key, NOW, REQUEST, SP, SP_KEY, SP_OLD, at, metadata};

/// A cache in memory.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) Mutex<BTreeMap<String, Timestamp>>);

impl ReplayCache for Memory {
    type Error = std::convert::Infallible;

    async fn remember(&self, one: &OneUse) -> Result<Seen, Self::Error> {
        let before = self.0.lock().unwrap().insert(one.key(), one.until());
        Ok(if before.is_none() {
            Seen::First
        } else {
            Seen::Before
        })
    }
}

/// Nothing here waits for anything.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a future of these tests waits"),
    }
}

pub(crate) fn key(key: &Key) -> ServiceProviderKey {
    ServiceProviderKey::new(&key.pkcs8, key.certificate.clone()).unwrap()
}

pub(crate) fn service_provider() -> ServiceProvider {
    ServiceProvider::new(SP, ACS, vec![key(&SP_KEY), key(&SP_OLD)]).unwrap()
}

pub(crate) fn identity_provider() -> IdentityProvider {
    let xml = metadata(&[&IDP_KEY, &IDP_NEXT, &IDP_EC]);
    IdentityProvider::from_metadata(xml.as_bytes(), None, NOW).unwrap()
}

/// A receiver with a cache of its own.
pub(crate) struct Receiver {
    pub(crate) us: ServiceProvider,
    pub(crate) provider: IdentityProvider,
    pub(crate) cache: Memory,
    pub(crate) now: Timestamp,
    pub(crate) sent: Timestamp,
}

impl Receiver {
    pub(crate) fn new() -> Self {
        Self {
            us: service_provider(),
            provider: identity_provider(),
            cache: Memory::default(),
            now: NOW,
            sent: at(-30),
        }
    }

    pub(crate) fn requiring(mut self, parts: SignedParts) -> Self {
        self.us = self.us.requiring(parts);
        self
    }

    pub(crate) fn receive(&self, xml: &str) -> Result<SignIn, SamlError> {
        self.receive_base64(&STANDARD.encode(xml))
    }

    pub(crate) fn receive_base64(&self, text: &str) -> Result<SignIn, SamlError> {
        let pending = Pending {
            id: REQUEST,
            sent: self.sent,
        };
        let unspent = self.us.verify_response(&self.provider, text, pending, self.now)?;
        now(unspent.redeem(&self.cache))
    }
}
