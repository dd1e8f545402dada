//! Bounds on HTTP itself, for every port of the server.

use std::time::Duration;

use axum_server::{Address, Server};
use hyper_util::rt::TokioTimer;

/// How long the head of a request may take to arrive, and a kept connection may be idle.
const HEAD: Duration = Duration::from_secs(30);
/// How often a peer of HTTP/2 is asked whether it is still there, and how long it has to answer.
const PING: Duration = Duration::from_secs(10);
/// How many requests one connection of HTTP/2 may have at a time.
const STREAMS: u32 = 64;
/// How much of a request's body a peer may send before somebody reads it, in bytes.
const STREAM_WINDOW: u32 = 64 * 1024;
/// How much it may of all of a connection's.
const CONNECTION_WINDOW: u32 = 128 * 1024;
/// How much is read and written ahead for a connection, or a stream of HTTP/2, in bytes.
const BUFFER: usize = 64 * 1024;
/// How large the headers of a request of HTTP/2 may be before it is not even read; less is refused with a sentence.
const HEADER_LIST: u32 = 64 * 1024;

/// Sets them.
pub(crate) fn set_bounds<A: Address, Acc>(server: &mut Server<A, Acc>) {
    set_bounds_with(server, HEAD);
}

/// Without a timer hyper waits for the rest of a request's head as long as its sender likes, and its own bounds on what it
/// keeps for a connection are wide.
fn set_bounds_with<A: Address, Acc>(server: &mut Server<A, Acc>, patience: Duration) {
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(BUFFER);
    server
        .http_builder()
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(BUFFER)
        .max_header_list_size(HEADER_LIST);
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use axum::Router;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_head_that_does_not_come_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = axum_server::from_tcp(listener).unwrap();
        set_bounds_with(&mut server, Duration::from_millis(50));
        let serving = tokio::spawn(server.serve(Router::<()>::new().into_make_service()));
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the connection is still open");
        serving.abort();
    }
}
