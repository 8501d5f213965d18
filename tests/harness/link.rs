//! A bad line between two programs of a test: a TCP proxy that delays, narrows, blocks one or both directions, falls silent,
//! accepts without ever answering, and cuts after an exact number of bytes. What was carried is counted byte by byte, which is
//! how a test proves what a resumed upload cost. The machine's own network is left alone, so tests run side by side.

mod pump;

use std::fs;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use amanah::demo::ministry::Ministry;
use amanah::demo::pair::free_address;
use amanah_format::home;
use anyhow::{Context, Result, ensure};

use self::pump::{Lane, pump};

/// The two directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the side that dials.
    Up,
    /// From the side that listens.
    Down,
}

/// What one direction does to bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Way {
    /// How long a byte is under way.
    pub delay: Duration,
    /// Up to so much longer, differently for each piece: pieces of the two directions and of several connections overtake each
    /// other, those of one stream never do, as in TCP.
    pub jitter: Duration,
    /// How fast, over all connections; none: as fast as it goes.
    pub bytes_per_sec: Option<u64>,
    /// Nothing passes, not even that the other end has gone, until this is false again.
    pub blocked: bool,
}

/// A line. Dropped, it is gone, and so are its connections.
pub struct Link {
    /// Where to dial instead of the other side.
    pub address: SocketAddr,
    line: Arc<Line>,
    accepting: Option<JoinHandle<()>>,
}

/// What its threads share.
struct Line {
    target: SocketAddr,
    up: Lane,
    down: Lane,
    /// New connections are taken and never answered.
    mute: AtomicBool,
    over: AtomicBool,
    taken: AtomicU64,
    connections: Mutex<Vec<Connection>>,
}

/// The two sockets of a connection, and whether it has fallen silent.
struct Connection {
    sockets: Vec<TcpStream>,
    silent: Arc<AtomicBool>,
}

impl Connection {
    fn cut(&self) {
        for socket in &self.sockets {
            // It may have ended already.
            let _ended = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Link {
    /// A perfect line to an address.
    ///
    /// # Errors
    /// No port is free.
    pub fn to(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(free_address()?)?;
        let address = listener.local_addr()?;
        let line = Arc::new(Line {
            target,
            up: Lane::default(),
            down: Lane::default(),
            mute: AtomicBool::new(false),
            over: AtomicBool::new(false),
            taken: AtomicU64::new(0),
            connections: Mutex::default(),
        });
        let own = Arc::clone(&line);
        let accepting = std::thread::spawn(move || own.accept(&listener));
        Ok(Self {
            address,
            line,
            accepting: Some(accepting),
        })
    }

    /// A line to `listening`, over which `dialling` goes from its next start on.
    ///
    /// # Errors
    /// No port is free, or the configuration does not dial that address.
    pub fn between(dialling: &Ministry, listening: SocketAddr) -> Result<Self> {
        let link = Self::to(listening)?;
        let path = dialling.folder().join(home::CONFIG);
        let text = fs::read_to_string(&path)?;
        let (direct, bent) = (format!("\"{listening}\""), format!("\"{}\"", link.address));
        ensure!(text.contains(&direct), "{} dials another", path.display());
        fs::write(&path, text.replace(&direct, &bent))?;
        Ok(link)
    }

    /// From now on a direction is like this.
    pub fn set(&self, direction: Direction, way: Way) {
        self.line.lane(direction).set(way);
    }

    /// From now on both are.
    pub fn set_both(&self, way: Way) {
        self.set(Direction::Up, way);
        self.set(Direction::Down, way);
    }

    /// From now on connections are taken and never answered, or (`false`) carried on again.
    pub fn mute(&self, mute: bool) {
        self.line.mute.store(mute, Ordering::SeqCst);
    }

    /// The connections of this moment carry nothing any more, yet nobody is told: half open for both ends. Later ones are good.
    pub fn fall_silent(&self) {
        for connection in self.line.connections().iter() {
            connection.silent.store(true, Ordering::SeqCst);
        }
        self.line.wake();
    }

    /// After `bytes` more bytes of this direction, its connection is cut for both ends.
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        self.line.lane(direction).cut_after(bytes);
    }

    /// Whether a cut that was asked for has not happened yet.
    #[must_use]
    pub fn cut_is_pending(&self, direction: Direction) -> bool {
        self.line.lane(direction).cut_is_pending()
    }

    /// Every connection is cut now.
    pub fn cut(&self) {
        for connection in self.line.connections().drain(..) {
            connection.cut();
        }
        self.line.wake();
    }

    /// Bytes taken from the sender of this direction so far, over all connections.
    #[must_use]
    pub fn carried(&self, direction: Direction) -> u64 {
        self.line.lane(direction).carried()
    }

    /// Connections taken so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.line.taken.load(Ordering::SeqCst)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.line.over.store(true, Ordering::SeqCst);
        self.set_both(Way::default());
        self.cut();
        // Wakes the thread that accepts; when that fails there is nobody to wake.
        let _woken = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            // A panic in it has been printed.
            let _ended = accepting.join();
        }
    }
}

impl Line {
    fn lane(&self, direction: Direction) -> &Lane {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.up.wake();
        self.down.wake();
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        while let Ok((near, _)) = listener.accept() {
            if self.is_over() {
                break;
            }
            self.taken.fetch_add(1, Ordering::SeqCst);
            // A target that is not there is a connection that ends at once.
            if let Ok(started) = self.carry(near) {
                threads.extend(started);
            }
            threads.retain(|thread| !thread.is_finished());
        }
        self.connections().drain(..).for_each(|left| left.cut());
        self.wake();
        for thread in threads {
            let _ended = thread.join();
        }
    }

    /// Starts the two directions of a connection.
    fn carry(self: &Arc<Self>, near: TcpStream) -> Result<Vec<JoinHandle<()>>> {
        let silent = Arc::new(AtomicBool::new(false));
        let mut connection = Connection {
            sockets: vec![near.try_clone()?],
            silent: Arc::clone(&silent),
        };
        if self.mute.load(Ordering::SeqCst) {
            self.connections().push(connection);
            return Ok(Vec::new());
        }
        let far = TcpStream::connect(self.target).context("the other side")?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        connection.sockets.push(far.try_clone()?);
        let ways = [
            (Direction::Up, near.try_clone()?, far.try_clone()?),
            (Direction::Down, far, near),
        ];
        self.connections().push(connection);
        let started = ways.map(|(direction, from, to)| {
            let (line, silent) = (Arc::clone(self), Arc::clone(&silent));
            std::thread::spawn(move || {
                let stopped = || line.is_over() || silent.load(Ordering::SeqCst);
                pump(line.lane(direction), (from, to), &stopped);
            })
        });
        Ok(started.into())
    }
}

#[cfg(test)]
mod tests;
