//! A handler and the method that it answers.

use std::sync::Arc;

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use reeve_api::Operation;
use reeve_api::operation::Method;

use crate::app::App;

/// A handler behind the method of its operation.
pub(crate) fn to<T: 'static, H: Handler<T, Arc<App>>>(
    operation: &Operation,
    handler: H,
) -> MethodRouter<Arc<App>> {
    let method = match operation.method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    };
    on(method, handler)
}
