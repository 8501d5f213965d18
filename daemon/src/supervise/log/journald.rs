//! Writes the log to systemd's journal by its native protocol, so that each event has its `MESSAGE_ID` and every field of ours
//! the prefix `AMANAH_`. One datagram for each line; what the journal does not take is lost, as it is with any sender
//! (systemd, JOURNAL_NATIVE_PROTOCOL). Values are cut, never refused.

use std::fmt::{Debug, Write as _};
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use tracing::field::{Field, Visit};
use tracing::{Event as Line, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::event::Event;

/// Where the journal listens.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";
/// The field of a line that names its event.
const EVENT: &str = "event";
const PREFIX: &str = "AMANAH_";
const IDENTIFIER: &str = "amanahd";
/// Longest value: a datagram has room for all fields of a line.
const VALUE_BYTES_MAX: usize = 4_096;

/// Sends each line to the journal.
pub(super) struct Journald {
    socket: UnixDatagram,
}

impl Journald {
    /// Connects to the journal's socket.
    ///
    /// # Errors
    /// There is none, or it does not take us.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        // A journal that does not keep up loses lines; a daemon that waits for its log would lose more.
        socket.set_nonblocking(true)?;
        Ok(Self { socket })
    }
}

impl<S: Subscriber> Layer<S> for Journald {
    fn on_event(&self, line: &Line<'_>, _: Context<'_, S>) {
        let mut entry = Entry::default();
        entry.put("SYSLOG_IDENTIFIER", IDENTIFIER);
        entry.put("PRIORITY", priority(*line.metadata().level()));
        entry.put("AMANAH_TARGET", line.metadata().target());
        line.record(&mut entry);
        // Nobody is left to tell.
        let _lost = self.socket.send(&entry.bytes);
    }
}

/// syslog(3): 3 err, 4 warning, 6 info, 7 debug.
fn priority(level: Level) -> &'static str {
    if level == Level::ERROR {
        "3"
    } else if level == Level::WARN {
        "4"
    } else if level == Level::INFO {
        "6"
    } else {
        "7"
    }
}

/// A line in the journal's own form.
#[derive(Default)]
struct Entry {
    bytes: Vec<u8>,
}

impl Entry {
    fn put(&mut self, name: &str, value: &str) {
        let mut end = value.len().min(VALUE_BYTES_MAX);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        let value = value.get(..end).unwrap_or_default().as_bytes();
        self.bytes.extend_from_slice(name.as_bytes());
        if value.contains(&b'\n') {
            let length = u64::try_from(value.len()).unwrap_or_default();
            self.bytes.push(b'\n');
            self.bytes.extend_from_slice(&length.to_le_bytes());
        } else {
            self.bytes.push(b'=');
        }
        self.bytes.extend_from_slice(value);
        self.bytes.push(b'\n');
    }

    fn field(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            return self.put("MESSAGE", value);
        }
        if field.name() == EVENT
            && let Some(event) = Event::named(value)
        {
            self.put("MESSAGE_ID", event.id());
        }
        let mut name = PREFIX.to_owned();
        let letters = field.name().chars();
        name.extend(letters.map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        }));
        self.put(&name, value);
    }
}

impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // INVARIANT: writing to a String cannot fail.
        let _ = write!(text, "{value:?}");
        self.field(field, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt;

    fn logged(line: impl FnOnce()) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let journal = UnixDatagram::bind(&path).unwrap();
        let registry = tracing_subscriber::registry().with(Journald::at(&path).unwrap());
        tracing::subscriber::with_default(registry, line);
        let mut bytes = vec![0; 100_000];
        journal.set_nonblocking(true).unwrap();
        let length = journal.recv(&mut bytes).unwrap();
        bytes.truncate(length);
        bytes
    }

    #[test]
    fn an_event_has_its_id_and_its_fields_have_the_prefix() {
        let bytes = logged(|| {
            let peer = "imigrasi";
            tracing::warn!(event = Event::Refused.name(), %peer, bytes = 5_u64, "refused {}", 1);
        });
        let text = String::from_utf8(bytes).unwrap();
        let id = format!("MESSAGE_ID={}", Event::Refused.id());
        for line in [
            "PRIORITY=4",
            "SYSLOG_IDENTIFIER=amanahd",
            "MESSAGE=refused 1",
            "AMANAH_EVENT=refused",
            "AMANAH_PEER=imigrasi",
            "AMANAH_BYTES=5",
            &id,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }

    #[test]
    fn a_value_can_neither_forge_a_field_nor_grow_without_bound() {
        let forged = "x\nMESSAGE_ID=00000000000000000000000000000000";
        let bytes = logged(|| tracing::info!(user = forged, "m"));
        let place = bytes
            .windows(13)
            .position(|window| window == b"\nAMANAH_USER\n")
            .unwrap();
        let (length, rest) = bytes[place + 13..].split_at(8);
        let length = u64::from_le_bytes(length.try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap(), forged.len());
        assert!(rest.starts_with(forged.as_bytes()));
        let long = "\u{e9}".repeat(VALUE_BYTES_MAX);
        assert!(logged(|| tracing::info!(long, "m")).len() < 2 * VALUE_BYTES_MAX);
    }
}
