//! A crowd that means ill: connections from many loopback addresses, each of which counts as a host of its own. Some are idle,
//! some greet and say no more, some begin a key exchange; whoever is put out comes back at once. Threads, no SSH library.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

/// Between two attempts of one attacker: fifty a second from each address.
const PAUSE: Duration = Duration::from_millis(20);
/// Connections that one attacker has at a time: more than it may.
const HELD_MAX: usize = 12;

/// The crowd. Dropped, it goes home.
pub struct Crowd {
    /// Whether it is to go home, and what it did.
    shared: Arc<(AtomicBool, Counts)>,
    attackers: Vec<JoinHandle<()>>,
    idle: Vec<TcpStream>,
}

/// What the crowd has done so far.
#[derive(Default)]
pub struct Counts {
    /// Connections that were made.
    pub made: AtomicU64,
    /// Of them, those closed before a byte came: shut out.
    pub shut_out: AtomicU64,
}

impl Crowd {
    /// Opens `idle` connections and starts `attackers`, each from an address of its own.
    ///
    /// # Errors
    /// No sockets are left.
    pub fn gather(target: SocketAddr, idle: usize, attackers: usize) -> Result<Self> {
        let mut crowd = Self {
            shared: Arc::default(),
            attackers: Vec::new(),
            idle: Vec::new(),
        };
        for number in 0..idle {
            // Eight for each address: as many as one may have.
            crowd.idle.push(dial(address(200, number / 8), target)?);
        }
        for number in 0..attackers {
            let shared = Arc::clone(&crowd.shared);
            crowd.attackers.push(std::thread::spawn(move || {
                attack(address(201, number), number, target, &shared);
            }));
        }
        Ok(crowd)
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.shared.1
    }

    /// Waits until the last idle connection was closed by the other side; how long that took.
    ///
    /// # Errors
    /// One is still open after `within`.
    pub fn until_idle_are_closed(&mut self, within: Duration) -> Result<Duration> {
        let begun = Instant::now();
        for mut stream in self.idle.drain(..) {
            let left = within.saturating_sub(begun.elapsed());
            stream.set_read_timeout(Some(left.max(PAUSE)))?;
            let mut seen = [0; 64];
            loop {
                match stream.read(&mut seen) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(begun.elapsed())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.shared.0.store(true, Ordering::Relaxed);
        for attacker in self.attackers.drain(..) {
            attacker.thread().unpark();
            // A panic in it has been printed.
            let _ended = attacker.join();
        }
    }
}

/// Host number so many of a loopback network.
fn address(network: u8, number: usize) -> Ipv4Addr {
    let [.., high, low] = u32::try_from(number + 1).unwrap_or(1).to_be_bytes();
    Ipv4Addr::new(127, network, high, low)
}

/// A connection from an address of our choice.
fn dial(from: Ipv4Addr, to: SocketAddr) -> Result<TcpStream> {
    let socket: OwnedFd = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddrV4::new(from, 0))?;
    connect(&socket, &to)?;
    Ok(TcpStream::from(socket))
}

/// One attacker: connection after connection, the oldest given up when it has more than one address may have.
fn attack(from: Ipv4Addr, number: usize, target: SocketAddr, crowd: &(AtomicBool, Counts)) {
    let (over, counts) = crowd;
    let words: &[u8] = match number % 3 {
        0 => b"",
        1 => b"SSH-2.0-attacker\r\n",
        // And the length of a packet that never comes.
        _ => b"SSH-2.0-attacker\r\n\0\0\x05\xdc\x0a\x14",
    };
    let mut held = VecDeque::new();
    while !over.load(Ordering::Relaxed) {
        if let Ok(mut stream) = dial(from, target) {
            counts.made.fetch_add(1, Ordering::Relaxed);
            // It may be closed already.
            let _said = stream.write_all(words);
            held.push_back(stream);
        }
        if held.len() > HELD_MAX
            && let Some(oldest) = held.pop_front()
            && is_shut_out(oldest)
        {
            counts.shut_out.fetch_add(1, Ordering::Relaxed);
        }
        std::thread::park_timeout(PAUSE);
    }
}

/// Whether it was closed before a byte came.
fn is_shut_out(mut stream: TcpStream) -> bool {
    let looked = stream.set_nonblocking(true);
    match looked.and_then(|()| stream.read(&mut [0; 16])) {
        Ok(read) => read == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}
