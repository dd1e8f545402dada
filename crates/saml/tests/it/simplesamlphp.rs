//! A real identity provider: Debian's SimpleSAMLphp on PHP's own web server, for as long as the test runs.
//!
//! A browser is a few lines here: it follows redirects, keeps cookies and fills in a form. What the provider sends is attacked
//! like what our own test provider sends.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reeve_saml::{
    AuthnRequest, Binding, IdentityProvider, Mappers, Pending, RelayState, RequestId, SamlError,
    ServiceProvider, SignIn,
};
use reeve_types::Timestamp;
use tempfile::TempDir;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::attacks::{Sent, run};
use crate::outside::{have, pem, skipped};
use crate::provider::{ACS, ALICE, ATTACKER, IDP_KEY, SP, SP_KEY};
use crate::receive::{Memory, key, now};

const PRODUCT: &str = "/usr/share/simplesamlphp/www";

/// Ends with the test.
struct Php {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Drop for Php {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write(folder: &Path, name: &str, content: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Which entry of the provider's metadata answers, each under an entity id of its own.
const SHAPES: [(&str, &str, bool, bool, bool); 4] = [
    ("response", "/r", true, false, false),
    ("assertion", "/a", false, true, false),
    ("both", "/b", true, true, false),
    ("encrypted", "/e", true, true, true),
];

fn configure(folder: &Path, url: &str) {
    let at = folder.display();
    write(folder, "cert/idp.pem", &pem("PRIVATE KEY", &IDP_KEY.pkcs8));
    write(folder, "cert/idp.crt", &pem("CERTIFICATE", &IDP_KEY.certificate));
    for name in ["log", "data", "tmp"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    write(
        folder,
        "config/config.php",
        &format!(
            "<?php $config = ['baseurlpath' => '{url}/simplesamlphp/', 'certdir' => '{at}/cert/', 'loggingdir' => '{at}/log/', \
             'datadir' => '{at}/data/', 'tempdir' => '{at}/tmp', 'metadatadir' => '{at}/metadata', 'secretsalt' => 'of a test', \
             'auth.adminpassword' => 'of a test', 'enable.saml20-idp' => true, 'timezone' => 'UTC', \
             'logging.handler' => 'file', 'logging.level' => 3, 'session.cookie.secure' => false, \
             'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true], 'store.type' => 'phpsession', \
             'session.phpsession.savepath' => '{at}/tmp', 'metadata.sources' => [['type' => 'flatfile']], \
             'language.default' => 'en', 'theme.use' => 'default', 'assertion.allowed_clock_skew' => 60];"
        ),
    );
    write(
        folder,
        "config/authsources.php",
        "<?php $config = ['users' => ['exampleauth:UserPass', 'alice:alicepw' => ['uid' => ['alice'], \
         'email' => ['alice@example.test'], 'GROUPS' => ['ml', '/a/b'], 'UID' => ['70001'], 'GID' => ['70000']]]];",
    );
    write(
        folder,
        "metadata/saml20-idp-hosted.php",
        &format!(
            "<?php $metadata['{url}/idp'] = ['host' => '__DEFAULT__', 'privatekey' => 'idp.pem', 'certificate' => 'idp.crt', \
             'auth' => 'users', 'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'];"
        ),
    );
    let entries: String = SHAPES
        .iter()
        .map(|(_, suffix, response, assertion, encrypted)| {
            let certificate = SP_KEY.certificate_base64();
            format!(
                "$metadata['{SP}{suffix}'] = ['AssertionConsumerService' => '{ACS}', 'saml20.sign.response' => {response}, \
                 'saml20.sign.assertion' => {assertion}, 'assertion.encryption' => {encrypted}, \
                 'simplesaml.nameidattribute' => 'email', 'NameIDFormat' => \
                 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', 'validate.authnrequest' => true, 'certData' => '{certificate}'];\n"
            )
        })
        .collect();
    write(
        folder,
        "metadata/saml20-sp-remote.php",
        &format!("<?php\n{entries}"),
    );
    write(
        folder,
        "router.php",
        &format!(
            "<?php $path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);\n\
             if (!preg_match('#^/simplesamlphp(/.+?\\.php)(/.*)?$#', $path, $found)) {{ http_response_code(404); return; }}\n\
             $file = '{PRODUCT}' . $found[1]; if (!is_file($file)) {{ http_response_code(404); return; }}\n\
             $_SERVER['SCRIPT_NAME'] = '/simplesamlphp' . $found[1]; $_SERVER['SCRIPT_FILENAME'] = $file;\n\
             $_SERVER['PATH_INFO'] = $found[2] ?? ''; $_SERVER['PHP_SELF'] = $path; chdir(dirname($file)); require $file;"
        ),
    );
}

fn start() -> Option<Php> {
    if !have("php") {
        return None;
    }
    if !Path::new(PRODUCT).is_dir() {
        skipped("simplesamlphp");
        return None;
    }
    let folder = TempDir::new().unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    configure(folder.path(), &format!("http://127.0.0.1:{port}"));
    let child = Command::new("php")
        .args([
            "-d",
            "error_reporting=0",
            "-d",
            "display_errors=0",
            "-S",
            &format!("127.0.0.1:{port}"),
        ])
        .arg(folder.path().join("router.php"))
        .env("SIMPLESAMLPHP_CONFIG_DIR", folder.path().join("config"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let php = Php { child, folder, port };
    for _ in 0..300 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(php);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("PHP does not listen after 30 s");
}

/// A page: status, where it sends one, text.
struct Page {
    location: Option<String>,
    body: String,
}

/// Redirects, cookies and forms; HTTP/1.0, so that an answer ends where the connection does.
struct Browser<'a> {
    php: &'a Php,
    cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    fn send(&mut self, path: &str, form: Option<&str>) -> Page {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = format!(
            "{} {path} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nCookie: {}\r\n",
            if form.is_some() { "POST" } else { "GET" },
            self.php.port,
            cookies.join("; ")
        );
        if let Some(form) = form {
            request.push_str(&format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                form.len()
            ));
        }
        request.push_str("\r\n");
        request.push_str(form.unwrap_or_default());
        let mut stream = TcpStream::connect(("127.0.0.1", self.php.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let mut page = Page {
            location: None,
            body: body.to_owned(),
        };
        for line in head.lines() {
            let Some((name, value)) = line.split_once(": ") else {
                continue;
            };
            if name.eq_ignore_ascii_case("location") {
                page.location = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case("set-cookie") {
                let pair = value.split(';').next().unwrap_or_default();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        page
    }

    fn follow(&mut self, mut page: Page) -> (String, Page) {
        let mut path = String::new();
        while let Some(location) = page.location.take() {
            path = location.replace(&format!("http://127.0.0.1:{}", self.php.port), "");
            page = self.send(&path, None);
        }
        (path, page)
    }

    /// Signs alice in, beginning at that address, and answers the form field with the response.
    fn sign_in(&mut self, address: &str) -> String {
        let first = Page {
            location: Some(address.to_owned()),
            body: String::new(),
        };
        let (path, login) = self.follow(first);
        let state =
            field(&login.body, "AuthState").unwrap_or_else(|| panic!("no login form: {}", login.body));
        let form = Serializer::new(String::new())
            .extend_pairs([
                ("username", "alice"),
                ("password", "alicepw"),
                ("AuthState", &state),
            ])
            .finish();
        let page = self.send(path.split('?').next().unwrap(), Some(&form));
        let (_, page) = self.follow(page);
        field(&page.body, "SAMLResponse").unwrap_or_else(|| panic!("no response: {}", page.body))
    }
}

/// The value of a hidden field.
fn field(html: &str, name: &str) -> Option<String> {
    let (_, rest) = html.split_once(&format!("name=\"{name}\""))?;
    let (_, rest) = rest.split_once("value=\"")?;
    let (value, _) = rest.split_once('"')?;
    Some(
        value
            .replace("&#x2B;", "+")
            .replace("&amp;", "&")
            .replace("&#x3D;", "="),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "the provider has a clock of its own, which is the real one"
)]
fn clock() -> Timestamp {
    Timestamp::from_millis(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis()
            .try_into()
            .unwrap(),
    )
}

/// One sign-in: how we received it, and the message.
struct Visit {
    us: ServiceProvider,
    provider: IdentityProvider,
    request: RequestId,
    sent: Timestamp,
    response: String,
}

impl Visit {
    fn new(php: &Php, suffix: &str, number: u8) -> Self {
        let us = ServiceProvider::new(&format!("{SP}{suffix}"), ACS, vec![key(&SP_KEY)]).unwrap();
        let mut browser = Browser {
            php,
            cookies: BTreeMap::new(),
        };
        let metadata = browser.send("/simplesamlphp/saml2/idp/metadata.php", None).body;
        let sent = clock();
        let provider = IdentityProvider::from_metadata(metadata.as_bytes(), None, sent)
            .unwrap_or_else(|error| panic!("{error}: {metadata} {}", php.folder.path().display()));
        let request = RequestId::from_random([number; 20]);
        let state = RelayState::new("s").unwrap();
        let address = match us
            .authn_request(&provider, Binding::Redirect, &request, &state, sent)
            .unwrap()
        {
            AuthnRequest::Redirect(address) => address,
            AuthnRequest::Post(_) => panic!("another binding"),
        };
        let response = browser.sign_in(&address);
        Self {
            us,
            provider,
            request,
            sent,
            response,
        }
    }

    fn receive(&self, base64: &str) -> Result<SignIn, SamlError> {
        let pending = Pending {
            id: self.request.as_str(),
            sent: self.sent,
        };
        now(self
            .us
            .verify_response(&self.provider, base64, pending, clock())?
            .redeem(&Memory::default()))
    }
}

#[test]
fn a_person_signs_in_through_simplesamlphp_whatever_it_signs_and_no_forgery_of_it_passes() {
    let Some(php) = start() else { return };
    let mut forged = 0;
    for (number, (shape, suffix, _, _, encrypted)) in (1..).zip(SHAPES) {
        let visit = Visit::new(&php, suffix, number);
        if encrypted {
            // This product encrypts with CBC whatever one sets.
            let error = visit.receive(&visit.response).unwrap_err();
            assert!(
                matches!(error, SamlError::Algorithm { .. }) && error.to_string().contains("GCM"),
                "{error}"
            );
            continue;
        }
        let sign_in = visit
            .receive(&visit.response)
            .unwrap_or_else(|error| panic!("{shape}: {error}"));
        let person = sign_in.person(&Mappers::default()).unwrap();
        assert_eq!(
            (person.email.as_str(), person.groups.as_slice()),
            (ALICE, ["ml".to_owned(), "/a/b".to_owned()].as_slice())
        );
        assert_eq!(
            person.uid.map(|uid| uid.to_string()).as_deref(),
            Some("70001"),
            "{shape}"
        );
        assert_eq!(sign_in.name_id.value, ALICE);

        let xml = String::from_utf8(STANDARD.decode(&visit.response).unwrap()).unwrap();
        let receive = |xml: &str| {
            let received = visit.receive(&STANDARD.encode(xml));
            received
                .map(|sign_in| sign_in.name_id.value)
                .map_err(|error| error.to_string())
        };
        forged += run(
            &Sent::new(xml, ALICE),
            std::slice::from_ref(&IDP_KEY.certificate),
            receive,
        )
        .len();
    }
    assert!(forged >= 80, "{forged} forgeries");
}

/// The provider verifies our signature, too: it refuses a request that somebody else signed.
#[test]
fn simplesamlphp_refuses_a_request_of_another_key() {
    let Some(php) = start() else { return };
    let mut browser = Browser {
        php: &php,
        cookies: BTreeMap::new(),
    };
    let metadata = browser.send("/simplesamlphp/saml2/idp/metadata.php", None).body;
    let provider = IdentityProvider::from_metadata(metadata.as_bytes(), None, clock()).unwrap();
    let us = ServiceProvider::new(&format!("{SP}/a"), ACS, vec![key(&ATTACKER)]).unwrap();
    let state = RelayState::new("s").unwrap();
    let request = us.authn_request(
        &provider,
        Binding::Redirect,
        &RequestId::from_random([9; 20]),
        &state,
        clock(),
    );
    let AuthnRequest::Redirect(address) = request.unwrap() else {
        panic!("another binding")
    };
    let (_, page) = browser.follow(Page {
        location: Some(address),
        body: String::new(),
    });
    assert_eq!(
        field(&page.body, "AuthState"),
        None,
        "{}",
        byte_serialize(page.body.as_bytes()).collect::<String>()
    );
}
