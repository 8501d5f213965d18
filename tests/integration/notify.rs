//! What the service manager hears (`Type=notify`, `WatchdogSec=`): that the daemon is ready once it listens, that it is
//! alive while it runs, that it stops when it was told to; and nothing at all of one that cannot start.

use std::fs;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::Instant;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::ministry::Ministry;
use rustix::process::Signal;

use crate::program;

/// The exit code of a configuration that is wrong (EX_CONFIG).
const EX_CONFIG: i32 = 78;

/// The manager's end of `NOTIFY_SOCKET`.
pub(crate) struct Manager {
    socket: UnixDatagram,
    address: String,
}

impl Manager {
    pub(crate) fn at(folder: &std::path::Path) -> Self {
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let address = path.to_str().unwrap().to_owned();
        Self { socket, address }
    }

    /// Starts a daemon that knows of this manager.
    pub(crate) fn start(&self, ministry: &mut Ministry) {
        let launch = ministry.launch().clone();
        let launch = launch.with("NOTIFY_SOCKET", &self.address);
        ministry.launch_daemon(&launch).unwrap();
    }

    /// The next message, as sd_notify(3) has it: lines of `NAME=VALUE`.
    fn hears(&self) -> String {
        let mut bytes = [0; 1024];
        let length = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// Reads on until somebody says `line`.
    pub(crate) fn waits_for(&self, line: &str) {
        let start = Instant::now();
        while !self.hears().lines().any(|said| said == line) {
            assert!(start.elapsed() < PATIENCE, "{line} did not come");
        }
    }

    fn has_heard_nothing(&self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        self.socket.recv(&mut [0; 1024]).is_err()
    }
}

/// Where a ministry listens, by its own configuration.
fn address(of: &Ministry) -> String {
    let text = fs::read_to_string(of.folder().join(home::CONFIG)).unwrap();
    let config: toml::Value = toml::from_str(&text).unwrap();
    config["listen"]["address"].as_str().unwrap().to_owned()
}

#[test]
fn the_service_manager_hears_that_the_daemon_is_ready_alive_and_stopping() {
    let mut exchange = Exchange::found(program()).unwrap();
    let manager = Manager::at(exchange.folder());
    manager.start(&mut exchange.pair.imigrasi);
    let first = manager.hears();
    assert!(first.lines().any(|line| line == "READY=1"), "{first}");
    let listens = TcpStream::connect(address(&exchange.pair.imigrasi));
    assert!(listens.is_ok(), "ready means that it listens: {listens:?}");
    manager.waits_for("WATCHDOG=1");
    manager.waits_for("WATCHDOG=1");
    exchange.pair.imigrasi.signal(Signal::TERM).unwrap();
    manager.waits_for("STOPPING=1");
    let status = exchange.pair.imigrasi.until_ended().unwrap();
    assert!(status.success(), "{status}");
}

#[test]
fn a_daemon_that_cannot_start_does_not_say_that_it_is_ready() {
    let mut exchange = Exchange::found(program()).unwrap();
    let manager = Manager::at(exchange.folder());
    let config = exchange.pair.phu.folder().join(home::CONFIG);
    let good = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("unknown_word = 1\n{good}")).unwrap();
    manager.start(&mut exchange.pair.phu);
    let status = exchange.pair.phu.until_ended().unwrap();
    assert_eq!(status.code(), Some(EX_CONFIG));
    assert!(manager.has_heard_nothing());
}
