//! Exclusive canonicalization by the examples that implementations get wrong; `outside.rs` compares it with `xmlsec1`.

use reeve_saml::canonical::canonicalize;
use roxmltree::Document;

fn canonical(xml: &str, prefixes: &[&str]) -> String {
    let document = Document::parse(xml).unwrap();
    let apex = document
        .descendants()
        .find(|n| n.attribute("ID").is_some())
        .unwrap_or_else(|| document.root_element());
    canonicalize(apex, prefixes, None).unwrap()
}

#[test]
fn the_form_is_the_one_of_the_specification() {
    for (xml, wanted) in [
        ("<a/>", "<a></a>"),
        ("<a  b = 'x'\n c=\"y\" />", "<a b=\"x\" c=\"y\"></a>"),
        ("<a z='1' a='2'/>", "<a a=\"2\" z=\"1\"></a>"),
        (
            "<a>&lt;&gt;&amp;&quot;'&#13;\r\n</a>",
            "<a>&lt;&gt;&amp;\"'&#xD;\n</a>",
        ),
        (
            "<a b='&lt;>&amp;&quot;&#9;&#10;&#13;'/>",
            "<a b=\"&lt;>&amp;&quot;&#x9;&#xA;&#xD;\"></a>",
        ),
        ("<a b='x\ty'/>", "<a b=\"x y\"></a>"),
        ("<a><![CDATA[<x>&]]></a>", "<a>&lt;x&gt;&amp;</a>"),
        ("<a>x<!-- c -->y</a>", "<a>xy</a>"),
        // Only what is used is declared, where it is used first, again where it was left.
        (
            "<r xmlns:u='urn:u' xmlns:n='urn:n'><n:a ID='1'/></r>",
            "<n:a xmlns:n=\"urn:n\" ID=\"1\"></n:a>",
        ),
        (
            "<a xmlns='urn:d'><b xmlns=''><c xmlns='urn:d'/></b></a>",
            "<a xmlns=\"urn:d\"><b xmlns=\"\"><c xmlns=\"urn:d\"></c></b></a>",
        ),
        (
            "<x:a xmlns:x='urn:1'><x:b xmlns:x='urn:2'/><x:c/></x:a>",
            "<x:a xmlns:x=\"urn:1\"><x:b xmlns:x=\"urn:2\"></x:b><x:c></x:c></x:a>",
        ),
        (
            "<a xmlns:y='urn:y' xmlns:x='urn:x'><b y:k='1' x:k='2' k='3'/><b x:k='4'/></a>",
            "<a><b xmlns:x=\"urn:x\" xmlns:y=\"urn:y\" k=\"3\" x:k=\"2\" y:k=\"1\"></b><b xmlns:x=\"urn:x\" x:k=\"4\"></b></a>",
        ),
        ("<a xml:lang='de'/>", "<a xml:lang=\"de\"></a>"),
        // Attributes are sorted by namespace, not by prefix.
        (
            "<a xmlns:a='urn:z' xmlns:z='urn:a' a:k='1' z:k='2'/>",
            "<a xmlns:a=\"urn:z\" xmlns:z=\"urn:a\" z:k=\"2\" a:k=\"1\"></a>",
        ),
    ] {
        assert_eq!(canonical(xml, &[]), wanted, "{xml}");
    }
}

#[test]
fn listed_prefixes_are_declared_though_unused() {
    let xml = "<r xmlns='urn:d' xmlns:u='urn:u' xmlns:n='urn:n'><n:a ID='1'><u:b/></n:a></r>";
    assert_eq!(
        canonical(xml, &["u"]),
        "<n:a xmlns:n=\"urn:n\" xmlns:u=\"urn:u\" ID=\"1\"><u:b></u:b></n:a>"
    );
    let default = canonical(xml, &["#default"]);
    assert!(
        default.starts_with("<n:a xmlns=\"urn:d\" xmlns:n=\"urn:n\" ID=\"1\"><u:b xmlns:u=\"urn:u\">"),
        "{default}"
    );
    assert_eq!(canonical(xml, &["nobody"]), canonical(xml, &[]));
}

#[test]
fn relative_namespaces_have_no_form() {
    for namespace in ["x", "../x", "/x", "1:x", "#x"] {
        let xml = format!("<a xmlns='{namespace}'/>");
        let document = Document::parse(&xml).unwrap();
        assert!(
            canonicalize(document.root_element(), &[], None).is_err(),
            "{namespace}"
        );
    }
}
