//! The document as a page: no script, nothing from elsewhere, readable without a network.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The page's style sheet, of which a server's content security policy may name the digest.
pub const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1e21;\
background:#fff}h1,h2,h3{line-height:1.2}h2{margin-top:3rem;border-bottom:1px solid #ccc}h3{margin-top:2rem}\
code{font:14px ui-monospace,monospace;background:#f2f3f5;padding:.1em .3em;border-radius:3px;overflow-wrap:anywhere}\
table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;\
border-bottom:1px solid #ddd}nav li{display:inline-block;margin-right:1rem}nav ul{padding:0}a{color:#0b57d0}\
@media(prefers-color-scheme:dark){body{background:#16181c;color:#e4e6eb}code{background:#26292f}a{color:#8ab4f8}\
th,td{border-color:#333}h2{border-color:#444}}";

/// The page of a document that [`document`](super::document) made.
pub fn page(document: &Value) -> String {
    let mut html = String::new();
    let text = |pointer: &str| {
        document
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let title = format!("{} {}", text("/info/title"), text("/info/version"));
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}: REST API</title><style>{STYLE}</style></head><body>\n\
         <h1>{title}: REST API</h1>\n<p>{}</p>\n<p>For programs: <a href=\"/api/openapi.json\">the same as OpenAPI \
         3.1</a>.</p>\n",
        prose(text("/info/description")),
        title = escaped(&title),
    );
    let tags: Vec<&str> = items(&document["tags"])
        .iter()
        .filter_map(|tag| tag["name"].as_str())
        .collect();
    html.push_str("<nav><ul>");
    for tag in tags.iter().copied().chain(["Types"]) {
        let _ = write!(html, "<li><a href=\"#{}\">{}</a></li>", anchor(tag), escaped(tag));
    }
    html.push_str("</ul></nav>\n");
    for tag in tags {
        let _ = writeln!(html, "<h2 id=\"{}\">{}</h2>", anchor(tag), escaped(tag));
        for (path, methods) in members(&document["paths"]) {
            for (method, operation) in members(methods) {
                if operation.pointer("/tags/0").and_then(Value::as_str) == Some(tag) {
                    html.push_str(&operation_text(&method.to_uppercase(), path, operation));
                }
            }
        }
    }
    html.push_str("<h2 id=\"types\">Types</h2>\n");
    for (name, schema) in members(document.pointer("/components/schemas").unwrap_or(&Value::Null)) {
        html.push_str(&type_text(name, schema));
    }
    html.push_str("</body></html>\n");
    html
}

fn operation_text(method: &str, path: &str, operation: &Value) -> String {
    let text = |name: &str| operation[name].as_str().unwrap_or_default();
    let mut html = format!(
        "<h3 id=\"{}\"><code>{method} {}</code></h3>\n<p>{} {}</p>\n",
        escaped(text("operationId")),
        escaped(path),
        prose(text("summary")),
        prose(text("description")),
    );
    let parameters = items(&operation["parameters"]);
    if !parameters.is_empty() {
        html.push_str("<table><tr><th>parameter</th><th>value</th><th>meaning</th></tr>\n");
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            row(&mut html, name, &parameter["schema"], &parameter["description"]);
        }
        html.push_str("</table>\n");
    }
    for (format, body) in members(operation.pointer("/requestBody/content").unwrap_or(&Value::Null)) {
        let format = match format.as_str() {
            "application/json" => "",
            _ => " as a form",
        };
        let _ = writeln!(html, "<p>Body: {}{format}</p>", kind(&body["schema"]));
    }
    html.push_str("<table><tr><th>status</th><th>body</th><th>meaning</th></tr>\n");
    for (status, response) in members(&operation["responses"]) {
        let body = members(&response["content"])
            .next()
            .map(|(kind_of, content)| match &content["schema"] {
                Value::Null => escaped(kind_of),
                schema => kind(schema),
            });
        let _ = writeln!(
            html,
            "<tr><td>{status}</td><td>{}</td><td>{}</td></tr>",
            body.unwrap_or_default(),
            prose(response["description"].as_str().unwrap_or_default()),
        );
    }
    html.push_str("</table>\n");
    html
}

fn type_text(name: &str, schema: &Value) -> String {
    let mut html = format!(
        "<h3 id=\"type-{name}\">{name}</h3>\n<p>{}</p>\n",
        prose(schema["description"].as_str().unwrap_or_default()),
        name = escaped(name),
    );
    let required = items(&schema["required"]);
    let mut properties = members(&schema["properties"]).peekable();
    if properties.peek().is_some() {
        html.push_str("<table><tr><th>field</th><th>value</th><th>meaning</th></tr>\n");
        for (field, schema) in properties {
            let always = required.iter().any(|it| it == field);
            let field = if always {
                format!("{field} *")
            } else {
                field.clone()
            };
            row(&mut html, &field, schema, &schema["description"]);
        }
        html.push_str("</table>\n<p>* always there</p>\n");
    } else {
        let _ = writeln!(html, "<p>{}</p>", kind(schema));
    }
    html
}

fn row(html: &mut String, name: &str, schema: &Value, description: &Value) {
    let _ = writeln!(
        html,
        "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
        escaped(name),
        kind(schema),
        prose(description.as_str().unwrap_or_default()),
    );
}

/// What a value looks like, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(target) = schema["$ref"].as_str() {
        let name = escaped(target.rsplit('/').next().unwrap_or(target));
        return format!("<a href=\"#type-{name}\">{name}</a>");
    }
    let choices = ["anyOf", "oneOf"]
        .into_iter()
        .flat_map(|name| items(&schema[name]));
    let choices: Vec<_> = choices.map(kind).collect();
    if !choices.is_empty() {
        return choices.join(" or ");
    }
    let words = |values: &[Value]| {
        let words = values
            .iter()
            .map(|it| format!("<code>{}</code>", escaped(&it.to_string())));
        words.collect::<Vec<_>>().join(", ")
    };
    if let Some(value) = schema.get("const") {
        return words(std::slice::from_ref(value));
    }
    let values = items(&schema["enum"]);
    if !values.is_empty() {
        return words(values);
    }
    let name = match &schema["type"] {
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or "),
        other => other.as_str().unwrap_or("any").to_owned(),
    };
    match (schema["format"].as_str(), schema.get("items")) {
        (_, Some(item)) => format!("{} of {}", escaped(&name), kind(item)),
        (Some(format), None) => format!("{} ({})", escaped(&name), escaped(format)),
        (None, None) => escaped(&name),
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE).iter()
}

fn anchor(tag: &str) -> String {
    escaped(&tag.to_lowercase().replace(' ', "-"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Text with words between backticks as code, and a blank line as a new paragraph.
fn prose(text: &str) -> String {
    let escaped = escaped(text);
    let mut html = String::new();
    for (at, part) in escaped.split('`').enumerate() {
        if at % 2 == 1 {
            let _ = write!(html, "<code>{part}</code>");
        } else {
            html.push_str(&part.replace("\n\n", "<br><br>"));
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_document_says_is_text_and_not_markup() {
        let evil = "<script>alert(\"1\")</script>&";
        let page = page(&json!({
            "info": {"title": evil, "version": "1", "description": evil},
            "tags": [{"name": evil}],
            "paths": {evil: {"get": {"tags": [evil], "summary": evil, "operationId": evil, "description": evil}}},
            "components": {"schemas": {evil: {"description": evil, "properties": {evil: {"type": evil}}}}},
        }));
        assert!(!page.contains("<script"), "{page}");
    }

    #[test]
    fn it_loads_nothing_and_every_link_leads_somewhere() {
        let page = page(&super::super::document());
        for outside in ["src=", "@import", "url(", "http://", "<script", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        for link in page
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            let target = link.strip_prefix('#').map(|id| format!("id=\"{id}\""));
            assert!(
                link == "/api/openapi.json" || target.is_some_and(|id| page.contains(&id)),
                "{link}"
            );
        }
    }
}
