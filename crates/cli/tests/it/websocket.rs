//! The other end of a WebSocket, as far as the tests need it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::cluster::Inner;

/// What the other end does.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Sends messages, and ends.
    Says(Vec<(u8, String)>),
    /// Sends standard input back as output until it ends.
    Echoes,
    /// Sends a message and stays, whatever comes.
    Stays,
    /// Sends so many small messages before it reads on, whatever comes meanwhile.
    SpeaksFirst(usize),
    /// As a port of a pod: the port on both channels, then everything back.
    EchoesPort(u16),
}

pub(crate) const SUCCESS: &str = r#"{"metadata":{},"status":"Success"}"#;

/// The status of a command that ended with this code.
pub(crate) fn ended_with(code: u8) -> String {
    serde_json::json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated",
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
    .to_string()
}

/// Answers the handshake (RFC 6455, section 4.2.2) for version 5 of the protocol.
pub(crate) async fn accept(write: &mut (impl AsyncWriteExt + Unpin), key: &str) {
    let accept = STANDARD.encode(sha1(&format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {accept}\r\nsec-websocket-protocol: v5.channel.k8s.io\r\n\r\n"
    );
    write.write_all(head.as_bytes()).await.unwrap();
}

/// By the system's own program: no library of ours has this digest, and none should.
fn sha1(text: &str) -> Vec<u8> {
    let mut child = Command::new("sha1sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let hex = std::str::from_utf8(&output).unwrap().get(..40).unwrap();
    (0..40)
        .step_by(2)
        .map(|at| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap())
        .collect()
}

pub(crate) async fn behave(
    behaviour: Behaviour,
    read: &mut (impl AsyncReadExt + Unpin),
    write: &mut (impl AsyncWriteExt + Unpin),
    inner: &Mutex<Inner>,
) {
    match &behaviour {
        Behaviour::Says(messages) => {
            for (channel, text) in messages {
                send(write, *channel, text.as_bytes()).await;
            }
            let _ = write.write_all(&[0x88, 0]).await;
            return;
        }
        Behaviour::EchoesPort(port) => {
            for channel in [0, 1] {
                send(write, channel, &port.to_le_bytes()).await;
            }
        }
        Behaviour::Stays => send(write, 1, b"here\n").await,
        Behaviour::Echoes | Behaviour::SpeaksFirst(_) => {}
    }
    let mut spoke = false;
    while let Some((opcode, message)) = receive(read).await {
        if opcode == 8 {
            break;
        }
        let Some((channel, bytes)) = message.split_first() else {
            continue;
        };
        inner.lock().unwrap().frames.push((*channel, bytes.to_vec()));
        match (&behaviour, channel) {
            (Behaviour::Echoes, 0) => send(write, 1, bytes).await,
            (Behaviour::SpeaksFirst(count), 0) if !std::mem::replace(&mut spoke, true) => {
                for _ in 0..*count {
                    send(write, 1, &[b'x'; 1023]).await;
                }
            }
            (Behaviour::EchoesPort(_), 0) => send(write, 0, bytes).await,
            (Behaviour::Echoes | Behaviour::SpeaksFirst(_), 255) => {
                send(write, 3, SUCCESS.as_bytes()).await;
                break;
            }
            _ => {}
        }
    }
    let _ = write.write_all(&[0x88, 0]).await;
}

/// One binary message on a channel (RFC 6455, section 5.2), without a mask as servers send it.
async fn send(write: &mut (impl AsyncWriteExt + Unpin), channel: u8, bytes: &[u8]) {
    let length = bytes.len() as u64 + 1;
    let mut frame = vec![0x82, 127];
    frame.extend(length.to_be_bytes());
    frame.push(channel);
    frame.extend(bytes);
    let _ = write.write_all(&frame).await;
    let _ = write.flush().await;
}

/// One message: what kind it is, and its bytes without the mask. Our client sends none in pieces.
async fn receive(read: &mut (impl AsyncReadExt + Unpin)) -> Option<(u8, Vec<u8>)> {
    let (kind, length) = (read.read_u8().await.ok()?, read.read_u8().await.ok()?);
    let length = match length & 127 {
        126 => u64::from(read.read_u16().await.ok()?),
        127 => read.read_u64().await.ok()?,
        short => u64::from(short),
    };
    let mut mask = [0; 4];
    read.read_exact(&mut mask).await.ok()?;
    let mut bytes = vec![0; usize::try_from(length).unwrap()];
    read.read_exact(&mut bytes).await.ok()?;
    for (byte, mask) in bytes.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Some((kind & 15, bytes))
}
