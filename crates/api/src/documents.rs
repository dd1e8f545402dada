//! The documentation of this API, from itself. It says what every installation of this version answers and nothing of
//! this one, so everybody may read it, as they may read the source.

use crate::operation::Access::Public;
use crate::operation::{get, operations};

operations! {
    /// Operations for who writes a client.
    OPERATIONS: DocumentOperation as Document, "Documentation";
    /// This API as an OpenAPI 3.1 document.
    GetOpenApi = get("get_openapi", "/api/openapi.json", Public).answers_other("application/json");
    /// This API as a page to read.
    GetDocs = get("get_docs", "/docs", Public).answers_other("text/html; charset=utf-8");
}
