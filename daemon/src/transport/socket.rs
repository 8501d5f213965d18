//! A second handle to a connection's socket. The SSH library's own task owns the first, and listens to no one while a
//! key exchange is under way or its peer does not read: shutting the socket down ends it in every state.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;

/// Ends the connection when dropped.
pub(super) struct Cutter(TcpStream);

impl Cutter {
    /// For this connection.
    pub(super) fn of(stream: &tokio::net::TcpStream) -> io::Result<Self> {
        Ok(Self(stream.as_fd().try_clone_to_owned()?.into()))
    }

    /// Ends the connection now: both directions, also for the other handle.
    pub(super) fn cut(&self) {
        // It may be closed already: that is what was wanted.
        let _closed = self.0.shutdown(Shutdown::Both);
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.cut();
    }
}
