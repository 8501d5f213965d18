//! The one HTTP listener that there can be: on loopback, only where the configuration asks for it, and it knows `GET /metrics`
//! alone. One request per connection; connections, bytes and time are bounded. It reads no body, keeps nothing, and calls
//! nobody back (RFC 9112 §2 to §3, as much of it as a scrape needs).

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::Metrics;

/// A collector needs one; a second for a person who looks.
const CONNECTIONS_MAX: usize = 4;
/// A scrape's head has a few hundred bytes.
const HEAD_BYTES_MAX: usize = 4_096;
/// For the whole request and its answer.
const WITHIN: Duration = Duration::from_secs(5);
/// After a failed accept (no descriptors left): others need them more.
const PAUSE: Duration = Duration::from_secs(1);

const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The end of a request's head.
const END: &[u8] = b"\r\n\r\n";

/// Answers until the task is ended.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Who comes when all places are taken is turned away: nobody waits here.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let metrics = Arc::clone(&metrics);
        tokio::spawn(async move {
            // Too late or broken: it is only closed.
            let _ended = tokio::time::timeout(WITHIN, attend(stream, &metrics)).await;
            drop(place);
        });
    }
}

async fn attend(mut stream: TcpStream, metrics: &Metrics) -> std::io::Result<()> {
    let head = head(&mut stream).await?;
    let (status, body) = match judge(&head) {
        Ok(()) => ("200 OK", metrics.text()),
        Err(status) => (status, Arc::from("")),
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {TYPE}\r\nContent-Length: {length}\r\nConnection: close\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Reads up to the end of the head, or as much as is allowed.
async fn head(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES_MAX);
    loop {
        let mut some = [0; 512];
        let room = HEAD_BYTES_MAX.saturating_sub(head.len()).min(some.len());
        let into = some.get_mut(..room).unwrap_or_default();
        let read = if room == 0 {
            0
        } else {
            stream.read(into).await?
        };
        head.extend_from_slice(into.get(..read).unwrap_or_default());
        if read == 0 || head.windows(END.len()).any(|window| window == END) {
            return Ok(head);
        }
    }
}

/// Why not, where not. A page in a browser may be led here under a name of its own (DNS rebinding): only a loopback name
/// is answered.
pub(super) fn judge(head: &[u8]) -> Result<(), &'static str> {
    let bad = "400 Bad Request";
    let text = std::str::from_utf8(head).map_err(|_| bad)?;
    let (text, _) = text.split_once("\r\n\r\n").ok_or(bad)?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(path), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad);
    };
    if !matches!(version, "HTTP/1.0" | "HTTP/1.1") {
        return Err(bad);
    }
    let hosts = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then_some(value.trim())
    });
    if !hosts.into_iter().all(is_loopback) {
        return Err("403 Forbidden");
    }
    match (method, path) {
        ("GET", "/metrics") => Ok(()),
        (_, "/metrics") => Err("405 Method Not Allowed"),
        _ => Err("404 Not Found"),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.parse::<std::net::SocketAddr>().map(|at| at.ip());
    let alone = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    match address.or(alone) {
        Ok(address) => address.is_loopback(),
        Err(_) => host.split(':').next() == Some("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn one_request_is_answered_and_every_other_is_refused() {
        let judged = |line: &str, host: &str| {
            let head = format!("{line}\r\nHost: {host}\r\nAccept: */*\r\n\r\n");
            judge(head.as_bytes()).map_or_else(|status| &status[..3], |()| "200")
        };
        let get = "GET /metrics HTTP/1.1";
        for (line, host, status) in [
            (get, "127.0.0.1:9464", "200"),
            (get, "localhost:9464", "200"),
            (get, "[::1]:9464", "200"),
            (get, "localhost", "200"),
            (get, "evil.example", "403"),
            (get, "127.0.0.1.evil.example", "403"),
            (get, "10.20.0.1:9464", "403"),
            (get, "", "403"),
            ("POST /metrics HTTP/1.1", "localhost", "405"),
            ("GET / HTTP/1.1", "localhost", "404"),
            ("GET /metrics/../etc HTTP/1.1", "localhost", "404"),
            ("GET http://x/metrics HTTP/1.1", "localhost", "404"),
            ("GET /metrics HTTP/2", "localhost", "400"),
            ("GET  /metrics HTTP/1.1", "localhost", "400"),
            ("GET /metrics", "localhost", "400"),
        ] {
            assert_eq!(judged(line, host), status, "{line}, {host}");
        }
        assert!(judge(b"GET /metrics HTTP/1.1\r\n\xff\r\n\r\n").is_err());
        assert!(judge(b"GET /metrics HTTP/1.1\r\n").is_err());
    }

    /// What a listener answers to these bytes.
    fn answered(request: &[u8]) -> String {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(serve(listener, Arc::new(Metrics::new(None))));
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let _refused_in_the_middle = stream.write_all(request);
        let mut answer = Vec::new();
        let _closed = stream.read_to_end(&mut answer);
        runtime.shutdown_background();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn a_head_without_an_end_is_cut_off_by_length_and_by_time() {
        let long = [
            b"GET /metrics HTTP/1.1\r\nX: ".to_vec(),
            vec![b'a'; 100_000],
        ]
        .concat();
        let answer = answered(&long);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
        assert_eq!(answered(b"GET /metrics"), "", "closed, and nothing said");
        let good = answered(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(good.starts_with("HTTP/1.1 200 OK\r\n"), "{good}");
    }
}
