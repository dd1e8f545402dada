//! `xmlsec1` as the other side: it verifies what we sign, we verify what it signs and decrypt what it encrypts, over documents
//! made at random.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reeve_saml::canonical::canonicalize;
use reeve_saml::{AuthnRequest, Binding};
use roxmltree::Document;
use tempfile::TempDir;

use crate::attacks::ours;
use crate::provider::{
    ALICE, DS, EXCLUSIVE, IDP_EC, IDP_KEY, Key, RESPONSE_ID, SAML, SAMLP, SHA256_URI, SHAPES, SP_KEY, Signer,
    assertion, honest, response, signed,
};

/// Whether a program that Debian has is here. If not, the test says that it is skipped, or fails under `TESTBED=require`.
pub(crate) fn have(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    found || skipped(program)
}

/// Says so past the test runner's capture, and answers `false`.
pub(crate) fn skipped(what: &str) -> bool {
    if std::env::var_os("TESTBED") == Some(OsString::from("require")) {
        panic!("TESTBED=require, but no {what}: testbed/install-packages.sh installs it");
    }
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED: no {what}: {test}");
    false
}

pub(crate) fn pem(kind: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
        lines.join("\n")
    )
}

struct Xmlsec {
    folder: TempDir,
}

impl Xmlsec {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn certificate(&self, key: &Key) -> PathBuf {
        self.file("certificate.pem", &pem("CERTIFICATE", &key.certificate))
    }

    fn run(&self, arguments: &[&str], files: &[&Path]) -> Output {
        Command::new("xmlsec1")
            .args(arguments)
            .args(files)
            .output()
            .unwrap()
    }

    fn verifies(&self, xml: &str, key: &Key, element: &str) -> bool {
        let (certificate, message) = (self.certificate(key), self.file("message.xml", xml));
        let certificate = certificate.to_str().unwrap();
        let arguments = [
            "--verify",
            "--pubkey-cert-pem",
            certificate,
            "--enabled-reference-uris",
            "same-doc",
            "--id-attr:ID",
            element,
        ];
        self.run(&arguments, &[&message]).status.success()
    }

    fn sign(&self, xml: &str, key: &Key) -> String {
        let (private, message) = (
            self.file("key.pem", &pem("PRIVATE KEY", &key.pkcs8)),
            self.file("template.xml", xml),
        );
        let output = self.run(
            &[
                "--sign",
                "--privkey-pem",
                private.to_str().unwrap(),
                "--id-attr:ID",
                "apex",
            ],
            &[&message],
        );
        assert!(
            output.status.success(),
            "{xml}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn xmlsec1_verifies_what_our_test_provider_signs_and_refuses_it_changed() {
    if !have("xmlsec1") {
        return;
    }
    let xmlsec = Xmlsec::new();
    let response_element = format!("{SAMLP}:Response");
    let assertion_element = format!("{SAML}:Assertion");
    let element = |shape| {
        if shape == crate::provider::Shape::Assertion {
            &assertion_element
        } else {
            &response_element
        }
    };
    for shape in SHAPES {
        // With two signatures it verifies the first, the response's.
        assert!(
            xmlsec.verifies(&honest(shape), &IDP_KEY, element(shape)),
            "{shape:?}"
        );
        assert!(
            !xmlsec.verifies(&honest(shape).replace("/a/b", "/a/c"), &IDP_KEY, element(shape)),
            "{shape:?}"
        );
    }
    let mut signer = Signer::new(&IDP_KEY);
    signer.prefixes = &["xs", "saml", "#default"];
    let listed = signed(
        &response(&assertion()),
        crate::provider::Shape::Assertion,
        &signer,
    );
    assert!(xmlsec.verifies(&listed, &IDP_KEY, &assertion_element));
    let mut signer = Signer::new(&IDP_EC);
    signer.algorithm = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
    let ec = signed(
        &response(&assertion()),
        crate::provider::Shape::Assertion,
        &signer,
    );
    assert!(xmlsec.verifies(&ec, &IDP_EC, &assertion_element));
}

#[test]
fn xmlsec1_verifies_our_requests() {
    if !have("xmlsec1") {
        return;
    }
    let AuthnRequest::Post(form) = crate::request::request(Binding::Post) else {
        panic!("another binding")
    };
    let xml = String::from_utf8(STANDARD.decode(form.saml_request).unwrap()).unwrap();
    let xmlsec = Xmlsec::new();
    let element = format!("{SAMLP}:AuthnRequest");
    assert!(xmlsec.verifies(&xml, &SP_KEY, &element));
    assert!(!xmlsec.verifies(
        &xml.replace("ForceAuthn=\"false\"", "ForceAuthn=\"true\""),
        &SP_KEY,
        &element
    ));
}

/// Documents at random, of prefixes declared, declared again and undeclared, of attributes and text that need escaping.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn text(&mut self) -> String {
        const PIECES: [&str; 12] = [
            "a",
            " ",
            "\n",
            "&lt;",
            "&gt;",
            "&amp;",
            "&#13;",
            "&#9;",
            "\"",
            "ü",
            "\u{1F600}",
            "]]",
        ];
        (0..self.below(6))
            .map(|_| PIECES[self.below(PIECES.len())])
            .collect()
    }

    fn element(&mut self, depth: usize, scope: &[&'static str]) -> String {
        const PREFIXES: [&str; 4] = ["p", "q", "r", "xs"];
        let mut scope = scope.to_vec();
        let mut tag = String::new();
        for prefix in PREFIXES {
            if self.below(4) == 0 {
                tag.push_str(&format!(" xmlns:{prefix}=\"urn:{}\"", self.below(3)));
                scope.push(prefix);
            }
        }
        if self.below(4) == 0 {
            tag.push_str([" xmlns=\"urn:d\"", " xmlns=\"urn:e\"", " xmlns=\"\""][self.below(3)]);
        }
        for name in ["k", "a", "z"] {
            if self.below(3) == 0 {
                tag.push_str(&format!(" {name}=\"{}\"", self.text().replace('"', "&quot;")));
            }
        }
        let named = |random: &mut Self| match random.below(2) {
            0 if !scope.is_empty() => format!("{}:", scope[random.below(scope.len())]),
            _ => String::new(),
        };
        let prefix = named(self);
        if self.below(3) == 0 && !prefix.is_empty() {
            tag.push_str(&format!(" {prefix}b='{}'", self.text()));
        }
        let children: String = match depth {
            0 => self.text(),
            _ => (0..self.below(4))
                .map(|_| format!("{}{}", self.text(), self.element(depth - 1, &scope)))
                .collect(),
        };
        format!("<{prefix}e{tag}>{children}</{prefix}e>")
    }
}

fn template(content: &str, prefixes: &str) -> String {
    let inclusive = match prefixes {
        "" => String::new(),
        list => format!("<ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE}\" PrefixList=\"{list}\"/>"),
    };
    format!(
        "<outer xmlns:p=\"urn:outer\" xmlns:q=\"urn:q\"><apex xmlns:r=\"urn:r\" ID=\"_1\">{content}\
         <ds:Signature xmlns:ds=\"{DS}\"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\">{inclusive}\
         </ds:CanonicalizationMethod><ds:SignatureMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/><ds:Reference URI=\"#_1\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{DS}enveloped-signature\"/><ds:Transform Algorithm=\"{EXCLUSIVE}\">{inclusive}\
         </ds:Transform></ds:Transforms><ds:DigestMethod Algorithm=\"{SHA256_URI}\"/><ds:DigestValue/></ds:Reference>\
         </ds:SignedInfo><ds:SignatureValue/></ds:Signature></apex></outer>"
    )
}

#[test]
fn our_canonical_form_is_that_of_xmlsec1() {
    if !have("xmlsec1") {
        return;
    }
    let xmlsec = Xmlsec::new();
    let mut random = Random(1);
    for round in 0..60 {
        let prefixes = ["", "p", "p q #default", "xs r"][round % 4];
        let content = random.element(3, &["p", "q", "r"]);
        let xml = xmlsec.sign(&template(&content, prefixes), &IDP_KEY);
        let listed: Vec<&str> = prefixes.split_whitespace().collect();
        let document = Document::parse(&xml).unwrap();
        let named = |name: &'static str| {
            document
                .descendants()
                .find(|n| n.has_tag_name((DS, name)))
                .unwrap()
        };
        let apex = document.root_element().first_element_child().unwrap();
        let octets = canonicalize(apex, &listed, Some(named("Signature").id())).unwrap();
        let ours = STANDARD.encode(digest(&SHA256, octets.as_bytes()));
        assert_eq!(
            named("DigestValue").text().unwrap().trim(),
            ours,
            "{prefixes}: {xml}\n{octets}"
        );
        let info = canonicalize(named("SignedInfo"), &listed, None).unwrap();
        let theirs: String = named("SignatureValue")
            .text()
            .unwrap()
            .split_whitespace()
            .collect();
        // PKCS#1 v1.5 is deterministic: the same octets, the same signature.
        assert_eq!(
            theirs,
            STANDARD.encode(Signer::new(&IDP_KEY).sign_octets(info.as_bytes())),
            "{xml}"
        );
    }
}

#[test]
fn we_decrypt_what_xmlsec1_encrypts() {
    if !have("xmlsec1") {
        return;
    }
    let xmlsec = Xmlsec::new();
    let xenc = "http://www.w3.org/2001/04/xmlenc#";
    let session = [("aes128-gcm", "aes-128"), ("aes256-gcm", "aes-256")];
    for (cipher, session) in session {
        let template = format!(
            "<xenc:EncryptedData xmlns:xenc=\"{xenc}\" Type=\"{xenc}Element\"><xenc:EncryptionMethod \
             Algorithm=\"http://www.w3.org/2009/xmlenc11#{cipher}\"/><ds:KeyInfo xmlns:ds=\"{DS}\"><xenc:EncryptedKey>\
             <xenc:EncryptionMethod Algorithm=\"{xenc}rsa-oaep-mgf1p\"/><xenc:CipherData><xenc:CipherValue/>\
             </xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData>\
             </xenc:EncryptedData>"
        );
        let plain = Signer::new(&IDP_KEY).sign(&assertion(), crate::provider::ASSERTION_ID);
        let (certificate, template) = (
            xmlsec.certificate(&SP_KEY),
            xmlsec.file("template.xml", &template),
        );
        let plain = xmlsec.file("plain.xml", &plain);
        let arguments = [
            "--encrypt",
            "--pubkey-cert-pem",
            certificate.to_str().unwrap(),
            "--session-key",
            session,
            "--xml-data",
        ];
        let output = xmlsec.run(&arguments, &[&plain, &template]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let data = String::from_utf8(output.stdout).unwrap();
        let data = data.split_once("?>").map_or(data.as_str(), |(_, data)| data);
        let encrypted = format!(
            "<saml:EncryptedAssertion xmlns:saml=\"{SAML}\">{}</saml:EncryptedAssertion>",
            data.trim()
        );
        assert_eq!(ours(&response(&encrypted)).as_deref(), Ok(ALICE));
        let outer = Signer::new(&IDP_KEY).sign(&response(&encrypted), RESPONSE_ID);
        assert_eq!(ours(&outer).as_deref(), Ok(ALICE));
    }
}
