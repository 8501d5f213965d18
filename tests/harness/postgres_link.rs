//! A wire to PostgreSQL that breaks at a chosen message of the client: before the server has it, or after, when no answer comes back.
//! Between the two something else may be done, such as killing the server. Only sessions without TLS can be read like that.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

/// Longest message that a client sends here.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// When the wire breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The server never gets the message.
    Before,
    /// The server gets it, and its answer is lost.
    After,
}

/// At which message of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The n-th that a server acts on, from now, counted from 0.
    Nth(usize),
    /// The next one with this text alone.
    Text(&'static str),
}

/// What is done at the message.
type Act = Box<dyn FnMut() + Send>;

struct Plan {
    at: At,
    when: When,
    act: Act,
}

struct Shared {
    plan: Mutex<Option<Plan>>,
    /// Messages since it was armed that a server acts on.
    seen: AtomicUsize,
    fired: AtomicBool,
    /// The text of the message, for whoever wants to know what was broken.
    last: Mutex<String>,
}

/// The wire.
pub struct PostgresLink {
    port: u16,
    shared: Arc<Shared>,
}

impl PostgresLink {
    /// A wire to the server at this port of loopback.
    ///
    /// # Errors
    /// No port is free.
    pub fn to(server: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            plan: Mutex::default(),
            seen: AtomicUsize::new(0),
            fired: AtomicBool::new(false),
            last: Mutex::default(),
        });
        let all = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&all);
                std::thread::spawn(move || {
                    // Either side may hang up at any moment: then this connection is over.
                    let _ = carry(&client, server, &shared);
                    let _ = client.shutdown(Shutdown::Both);
                });
            }
        });
        Ok(Self { port, shared })
    }

    /// Where the client dials.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Breaks it at this message, and does this there.
    pub fn arm(&self, at: At, when: When, act: impl FnMut() + Send + 'static) {
        let mut plan = self
            .shared
            .plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.shared.seen.store(0, Ordering::SeqCst);
        self.shared.fired.store(false, Ordering::SeqCst);
        *plan = Some(Plan {
            at,
            when,
            act: Box::new(act),
        });
    }

    /// Whether it broke since it was armed.
    #[must_use]
    pub fn has_broken(&self) -> bool {
        self.shared.fired.load(Ordering::SeqCst)
    }

    /// The message at which it broke.
    #[must_use]
    pub fn at(&self) -> String {
        self.shared
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A message's kind; the first of a connection has none.
fn message(client: &mut impl Read, is_first: bool) -> io::Result<(u8, Vec<u8>)> {
    let mut kind = [0_u8; 1];
    if !is_first {
        client.read_exact(&mut kind)?;
    }
    let mut length = [0_u8; 4];
    client.read_exact(&mut length)?;
    let bytes = usize::try_from(u32::from_be_bytes(length)).unwrap_or(0);
    if !(4..MESSAGE_BYTES_MAX).contains(&bytes) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut whole = Vec::with_capacity(bytes + 1);
    if !is_first {
        whole.extend(kind);
    }
    whole.extend(length);
    whole.resize(whole.len() + bytes - 4, 0);
    let from = whole.len() + 4 - bytes;
    client.read_exact(whole.get_mut(from..).unwrap_or_default())?;
    Ok((kind[0], whole))
}

/// A server that has not answered within so long does not answer this message.
const ANSWER: Duration = Duration::from_secs(2);

fn carry(client: &TcpStream, server: u16, shared: &Arc<Shared>) -> io::Result<()> {
    let mut to = TcpStream::connect((Ipv4Addr::LOCALHOST, server))?;
    client.set_nodelay(true)?;
    to.set_nodelay(true)?;
    let silent = Arc::new(AtomicBool::new(false));
    let (mut from, mut back) = (to.try_clone()?, client.try_clone()?);
    let is_silent = Arc::clone(&silent);
    let (answers, answered) = std::sync::mpsc::channel::<()>();
    let answering = std::thread::spawn(move || {
        // Dropped when there is an answer, or nobody to give one.
        let _answers = answers;
        let mut piece = [0_u8; 16 * 1024];
        while let Ok(bytes @ 1..) = from.read(&mut piece) {
            if is_silent.load(Ordering::SeqCst) {
                // The server has answered: it has done what it was asked.
                break;
            }
            if back
                .write_all(piece.get(..bytes).unwrap_or_default())
                .is_err()
            {
                break;
            }
        }
        let _ = back.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
    let mut reading = io::BufReader::new(client);
    let mut is_first = true;
    loop {
        let (kind, whole) = message(&mut reading, is_first)?;
        is_first = false;
        match due(shared, kind, &whole) {
            None => to.write_all(&whole)?,
            Some(When::Before) => {
                act(fired(shared));
                let _ = to.shutdown(Shutdown::Both);
                break;
            }
            Some(When::After) => {
                silent.store(true, Ordering::SeqCst);
                // Before the server has it: its answer ends the wire, and whoever asks then must hear that it broke.
                let plan = fired(shared);
                to.write_all(&whole)?;
                act(plan);
                // Rows are not answered, nor is what a server passes over while it takes them.
                if kind != b'd' {
                    let _ = answered.recv_timeout(ANSWER);
                }
                let _ = to.shutdown(Shutdown::Both);
                break;
            }
        }
    }
    let _ = answering.join();
    Ok(())
}

/// Whether this message is the one: those that a server acts on are counted, simple queries, the ends of others, rows.
fn due(shared: &Shared, kind: u8, whole: &[u8]) -> Option<When> {
    if !matches!(kind, b'Q' | b'S' | b'c' | b'd') {
        return None;
    }
    let seen = shared.seen.fetch_add(1, Ordering::SeqCst);
    let text = match kind {
        b'Q' => {
            let text = String::from_utf8_lossy(whole.get(5..).unwrap_or_default());
            text.trim_end_matches('\0').to_owned()
        }
        kind => char::from(kind).to_string(),
    };
    let plan = shared.plan.lock().unwrap_or_else(PoisonError::into_inner);
    let when = plan
        .as_ref()
        .filter(|plan| match plan.at {
            At::Nth(at) => at == seen,
            At::Text(wanted) => wanted == text,
        })?
        .when;
    *shared.last.lock().unwrap_or_else(PoisonError::into_inner) = text;
    Some(when)
}

/// From now on it is broken, by this plan.
fn fired(shared: &Shared) -> Option<Plan> {
    let mut plan = shared.plan.lock().unwrap_or_else(PoisonError::into_inner);
    shared.fired.store(true, Ordering::SeqCst);
    plan.take()
}

fn act(plan: Option<Plan>) {
    if let Some(mut plan) = plan {
        (plan.act)();
    }
}
