//! What nobody read of a request's body, because the request was refused before or had no use for one.
//!
//! Its sender may hear nothing but a broken stream when it is thrown away while it still sends (RFC 9112, section 9.6; of an
//! HTTP/2 stream the reset would overtake the answer). So it is read and thrown away while the answer goes out: so many bytes,
//! so long, and no more.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::http::{Request, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::oneshot;

/// How much is thrown away.
const MOST: usize = 12 * 1024 * 1024;
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The layer around everything: lends a request's body to who answers it and throws away what comes back.
pub async fn discard(request: Request<Body>, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Who waits for `100 Continue` sends nothing unless it is read from.
    let waits = request.version() <= Version::HTTP_11 && request.headers().contains_key(header::EXPECT);
    let (back, mut returned) = oneshot::channel();
    let request = request.map(|body| {
        Body::from_stream(Lent {
            rest: Some(Rest {
                body: body.into_data_stream(),
                begun: false,
            }),
            back: Some(back),
        })
    });
    let response = next.run(request).await;
    if let Ok(rest) = returned.try_recv()
        && (rest.begun || !waits)
    {
        tokio::spawn(tokio::time::timeout(PATIENCE, throw_away(rest.body)));
    }
    response
}

async fn throw_away(mut body: BodyDataStream) {
    let mut thrown = 0_usize;
    while let Some(Ok(chunk)) = body.next().await {
        thrown = thrown.saturating_add(chunk.len());
        if thrown > MOST {
            break;
        }
    }
}

/// A body that has not ended.
struct Rest {
    body: BodyDataStream,
    /// Whether somebody asked for some of it.
    begun: bool,
}

/// A body that goes back when it is dropped before its end.
struct Lent {
    rest: Option<Rest>,
    back: Option<oneshot::Sender<Rest>>,
}

impl Stream for Lent {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        rest.begun = true;
        let next = ready!(rest.body.poll_next_unpin(context));
        if !matches!(next, Some(Ok(_))) {
            self.rest = None;
        }
        Poll::Ready(next)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(rest), Some(back)) = (self.rest.take(), self.back.take()) {
            // Nobody waits for it when the request was given up.
            let _ = back.send(rest);
        }
    }
}
