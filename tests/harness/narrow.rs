//! A narrow line: a TCP proxy on a loopback port of its own that lets so many bytes pass in a second, in each direction, until
//! it is told to be wide, and none while it stands. Bytes are not changed and none is lost; it ends with its value.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use amanah::demo::pair::free_address;
use anyhow::Result;

/// A narrow line passes so many bytes at a time: small against any buffer on the way.
const STEP_BYTES: usize = 16 * 1024;

/// How often a line that stands looks whether it may go on.
const GLANCE: Duration = Duration::from_millis(5);

/// The proxy.
pub struct Narrow {
    address: SocketAddr,
    line: Arc<Line>,
    listening: Option<JoinHandle<()>>,
}

/// What its threads share.
struct Line {
    to: SocketAddr,
    /// None pass where it is 0.
    bytes_per_sec: AtomicU64,
    passed: AtomicU64,
    ended: AtomicBool,
}

impl Narrow {
    /// A line to `to`, as wide as can be.
    ///
    /// # Errors
    /// No port is free.
    pub fn to(to: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(free_address()?)?;
        let address = listener.local_addr()?;
        let line = Arc::new(Line {
            to,
            bytes_per_sec: AtomicU64::new(u64::MAX),
            passed: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let shared = Arc::clone(&line);
        let listening = std::thread::spawn(move || serve(&listener, &shared));
        Ok(Self {
            address,
            line,
            listening: Some(listening),
        })
    }

    /// Where to dial.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on so many bytes pass in a second; with 0 what is on its way stays there.
    pub fn pass(&self, bytes_per_sec: u64) {
        self.line
            .bytes_per_sec
            .store(bytes_per_sec, Ordering::Relaxed);
    }

    /// From now on it is as wide as can be.
    pub fn widen(&self) {
        self.pass(u64::MAX);
    }

    /// How many bytes have passed so far, both ways.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.line.passed.load(Ordering::Relaxed)
    }
}

impl Drop for Narrow {
    fn drop(&mut self) {
        self.line.ended.store(true, Ordering::Relaxed);
        self.widen();
        // It waits for a call: this is the last.
        let _last = TcpStream::connect(self.address);
        if let Some(thread) = self.listening.take() {
            let _ended = thread.join();
        }
    }
}

fn serve(listener: &TcpListener, line: &Arc<Line>) {
    for stream in listener.incoming().flatten() {
        if line.ended.load(Ordering::Relaxed) {
            return;
        }
        let Ok(far) = TcpStream::connect(line.to) else {
            continue;
        };
        for (from, to) in [(&stream, &far), (&far, &stream)] {
            if let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) {
                let line = Arc::clone(line);
                std::thread::spawn(move || carry(&from, &to, &line));
            }
        }
    }
}

/// Carries one direction until either end is gone.
fn carry(mut from: &TcpStream, mut to: &TcpStream, line: &Line) {
    let mut bytes = vec![0; STEP_BYTES];
    let _nodelay = to.set_nodelay(true);
    while let Ok(read) = from.read(&mut bytes) {
        while line.bytes_per_sec.load(Ordering::Relaxed) == 0 {
            std::thread::sleep(GLANCE);
        }
        let some = bytes.get(..read).unwrap_or_default();
        if some.is_empty() || to.write_all(some).is_err() {
            break;
        }
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        line.passed.fetch_add(read, Ordering::Relaxed);
        let rate = line.bytes_per_sec.load(Ordering::Relaxed);
        let nanos = read.saturating_mul(1_000_000_000).checked_div(rate);
        std::thread::sleep(Duration::from_nanos(nanos.unwrap_or(0)));
    }
    let _ends = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
