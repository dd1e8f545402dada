//! Where the bounds meet the sockets: an acceptor around that of TLS, a stream that looks at its connection's deadline, and a
//! service that says when requests begin and end.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum_server::accept::Accept;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};
use tower::Service;

use super::{Connection, Connections, Entered, Lasting};

/// An acceptor with bounds around another.
#[derive(Debug, Clone)]
pub struct Bounded<A> {
    inner: A,
    connections: Arc<Connections>,
}

impl<A> Bounded<A> {
    /// Around this one.
    pub const fn new(inner: A, connections: Arc<Connections>) -> Self {
        Self { inner, connections }
    }
}

impl<A, S> Accept<TcpStream, S> for Bounded<A>
where
    A: Accept<TcpStream, S>,
    A::Stream: Send + 'static,
    A::Service: Send + 'static,
    A::Future: Send + 'static,
{
    type Stream = Watched<A::Stream>;
    type Service = Counted<A::Service>;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let address = stream.peer_addr().ok().map(|address: SocketAddr| address.ip());
        // Before the handshake, which is what costs.
        let Some(entered) = self.connections.enter(address) else {
            return Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) });
        };
        // What is written is sent at once: the second part of an answer would wait some 40 ms for the peer to acknowledge the
        // first. A connection that refuses this is slower, and not wrong.
        let _ = stream.set_nodelay(true);
        let accepting = self.inner.accept(stream, service);
        Box::pin(async move {
            let connection = Arc::clone(&entered.connection);
            let (stream, service) = accepting.await?;
            let every = connection.bounds.idle / 4;
            let stream = Watched {
                inner: stream,
                ending: ending(Arc::clone(&connection)),
                look: Box::pin(tokio::time::sleep(every)),
                every,
                entered,
            };
            Ok((
                stream,
                Counted {
                    inner: service,
                    connection,
                },
            ))
        })
    }
}

fn ending(connection: Arc<Connection>) -> BoxFuture<'static, ()> {
    Box::pin(async move { connection.ending.notified().await })
}

/// A stream that ends with its connection's deadline.
pub struct Watched<T> {
    inner: T,
    ending: BoxFuture<'static, ()>,
    look: Pin<Box<Sleep>>,
    every: Duration,
    entered: Entered,
}

/// How a connection is ended from here.
enum End {
    /// Its place is taken.
    Replaced,
    /// It has been idle, or at one request, for too long.
    Late,
}

impl<T> Watched<T> {
    fn end(&mut self, context: &mut Context<'_>) -> Option<End> {
        let connection = &self.entered.connection;
        if connection.ended.load(Ordering::SeqCst) || self.ending.as_mut().poll(context).is_ready() {
            return Some(End::Replaced);
        }
        while self.look.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            if connection.deadline().is_some_and(|deadline| deadline <= now) {
                return Some(End::Late);
            }
            self.look.as_mut().reset(now + self.every);
        }
        None
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.end(context) {
            Some(End::Replaced) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            // As if the peer had ended it: what is under way is given up, and the rest is closed in order.
            Some(End::Late) => Poll::Ready(Ok(())),
            None => Pin::new(&mut self.inner).poll_read(context, buffer),
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = Pin::new(&mut self.inner).poll_write(context, bytes) {
            return Poll::Ready(written);
        }
        match self.end(context) {
            Some(_) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            None => Poll::Pending,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(flushed) = Pin::new(&mut self.inner).poll_flush(context) {
            return Poll::Ready(flushed);
        }
        match self.end(context) {
            Some(_) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            None => Poll::Pending,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// A service that says when requests begin and end.
#[derive(Debug, Clone)]
pub struct Counted<S> {
    inner: S,
    connection: Arc<Connection>,
}

impl<S, B> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let under_way = self.connection.begin();
        request.extensions_mut().insert(Arc::clone(&self.connection));
        let mut inner = self.inner.clone();
        Box::pin(async move {
            poll_fn(|context| inner.poll_ready(context)).await?;
            let response = inner.call(request).await?;
            if response.extensions().get::<Lasting>().is_some() {
                under_way.lasts();
            }
            Ok(hold(response, under_way))
        })
    }
}

/// Keeps something until the last byte of an answer is on its way, or the answer is given up.
pub fn hold(response: Response<Body>, held: impl Send + Unpin + 'static) -> Response<Body> {
    response.map(|body| {
        Body::new(Holding {
            body,
            held: Some(held),
        })
    })
}

struct Holding<H> {
    body: Body,
    held: Option<H>,
}

impl<H: Unpin> HttpBody for Holding<H> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<H> Drop for Holding<H> {
    fn drop(&mut self) {
        drop(self.held.take());
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use axum::Router;
    use axum::routing::get;
    use axum_server::accept::DefaultAcceptor;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::Bounds;
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

    /// What is served, with bounds or, as the planted fault, without.
    fn served(bounds: Option<Bounds>) -> SocketAddr {
        async fn endless() -> Response<Body> {
            Response::new(Body::from_stream(futures::stream::pending::<
                Result<Bytes, io::Error>,
            >()))
        }
        let lasting = async || {
            let mut response = endless().await;
            response.extensions_mut().insert(Lasting);
            response
        };
        let router = Router::<()>::new()
            .route("/endless", get(endless))
            .route("/lasting", get(lasting));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let server = axum_server::from_tcp(listener).unwrap();
        let service = router.into_make_service();
        match bounds {
            Some(bounds) => {
                let connections = Connections::new(bounds);
                let server = server.map(|acceptor: DefaultAcceptor| Bounded::new(acceptor, connections));
                tokio::spawn(server.serve(service));
            }
            None => drop(tokio::spawn(server.serve(service))),
        }
        address
    }

    /// Whether a connection on which this is sent is ended by the other side within two seconds.
    async fn is_ended(address: SocketAddr, sent: &[u8]) -> bool {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut rest = Vec::new();
        tokio::time::timeout(Duration::from_secs(2), stream.read_to_end(&mut rest))
            .await
            .is_ok()
    }

    fn short() -> Bounds {
        Bounds {
            idle: Duration::from_millis(200),
            request: Duration::from_millis(400),
            ..Bounds::default()
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_asks_for_nothing_ends_and_without_bounds_stays() {
        let (bounded, naive) = (served(Some(short())), served(None));
        let idle: [(&str, &[u8]); 3] = [
            ("silence", b""),
            ("part of the preface", PREFACE.get(..9).unwrap()),
            ("an idle HTTP/2 connection", PREFACE),
        ];
        for (what, sent) in idle {
            let (with, without) = tokio::join!(is_ended(bounded, sent), is_ended(naive, sent));
            assert!(with, "{what} is still open");
            assert!(!without, "{what} would have ended anyway");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_answer_takes_only_so_long_unless_it_lasts() {
        let (bounded, naive) = (served(Some(short())), served(None));
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        let (endless, lasting) = (get("/endless"), get("/lasting"));
        let (with, lasts, without) = tokio::join!(
            is_ended(bounded, endless.as_bytes()),
            is_ended(bounded, lasting.as_bytes()),
            is_ended(naive, endless.as_bytes()),
        );
        assert!(with && !lasts && !without, "{with} {lasts} {without}");
    }
}
