//! The configuration as meant: parsed ids, absolute paths, verified cards and agreements. What is wrong is said with file,
//! line and remedy (exit 78); nothing unknown or doubtful is passed over.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use amanah_format::{id::PartyId, time::UtcTime};

pub use self::drop_at::DropAt;
pub use self::tables::{Database, Tables};
pub use self::watching::Metrics;
pub use super::papers::{Judged, Loaded, OwnRevocation};
use super::{papers, raw, where_in};
use crate::{
    catalogue::Language,
    engine::policy::Policy,
    keys::KeyFolder,
    transport::{client::PostQuantum, server::Network},
};
mod drop_at;
mod post_quantum;
mod tables;
mod watching;

/// zstd's own levels; beyond 19 its window outgrows what a recipient accepts.
const LEVELS: std::ops::RangeInclusive<i32> = 1..=19;
/// More threads than any machine of a ministry has cores for this.
const WORKERS_MAX: u32 = 64;
/// A bundle that travels longer than a year is a lost one.
const EXPIRES_DAYS: std::ops::RangeInclusive<u32> = 1..=365;

/// What `supervise` hands out.
#[derive(Debug)]
pub struct Config {
    /// The file that was read.
    pub file: PathBuf,
    /// The folder that it lies in: cards and agreements lie there too.
    pub folder: PathBuf,
    /// Our party id.
    pub party: PartyId,
    /// The home.
    pub home: PathBuf,
    /// Where the private keys are.
    pub keys: KeyFolder,
    /// For texts left in the home.
    pub language: Language,
    /// Whether the keys of `keys-example/` are taken; then every address is loopback.
    pub example_keys: bool,
    /// Where peers may dial us.
    pub listen: Option<Listen>,
    /// In the order of their ids.
    pub peers: Vec<Peer>,
    /// How drops are taken.
    pub outbox: raw::Outbox,
    /// How bundles are sealed.
    pub seal: raw::Seal,
    /// Where rows of table flows land; none: as files.
    pub tables: Option<Tables>,
    /// Bounds.
    pub limits: raw::Limits,
    /// Where metrics go.
    pub metrics: Metrics,
    /// What an alarm starts: a program and its arguments.
    pub alarm_command: Option<Vec<String>>,
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// A literal address and port.
    pub address: SocketAddr,
    /// Who may connect.
    pub networks: Vec<Network>,
    /// Whether those that dial us may do so without ML-KEM.
    pub post_quantum: PostQuantum,
}

/// A peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its id.
    pub party: PartyId,
    /// `host:port` when this side dials.
    pub dial: Option<String>,
    /// The blind drop between the two, when neither dials the other.
    pub drop: Option<DropAt>,
    /// Whether a session without ML-KEM is acceptable.
    pub post_quantum: PostQuantum,
}

impl Peer {
    /// Whether no wire leads to it: bundles are carried by hand.
    #[must_use]
    pub const fn by_hand(&self, listen: Option<&Listen>) -> bool {
        self.dial.is_none() && self.drop.is_none() && listen.is_none()
    }
}

/// What is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// Line where there is one, what was expected, what was found, what to do.
    pub reason: String,
}

impl Config {
    /// Reads and checks the file alone (no keys, no cards).
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let wrong = |reason: String| ConfigError {
            path: file.to_owned(),
            reason,
        };
        let text = std::fs::read_to_string(file).map_err(|error| {
            let advice = if error.kind() == std::io::ErrorKind::NotFound {
                "; make it with `amanah init`, or name another with --config"
            } else {
                ""
            };
            wrong(format!("cannot be read ({error}){advice}"))
        })?;
        let file = std::path::absolute(file).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text, &file).map_err(wrong)
    }

    /// Gives the text its meaning; `file` is absolute and need not exist.
    ///
    /// # Errors
    /// Line, expectation, finding and remedy; the caller names the file.
    pub fn parse(text: &str, file: &Path) -> Result<Self, String> {
        let raw: raw::Raw = toml::from_str(text).map_err(|error| in_line(text, &error))?;
        let check = Check { text };
        let party: PartyId = check.read("", "party", &raw.party)?;
        let listen = raw.listen.as_ref().map(|listen| check.listen(listen));
        let listen = listen.transpose()?;
        let peers = check.peers(&raw, &party)?;
        check.amounts(&raw)?;
        if raw.example_keys {
            check.loopback(listen.as_ref(), &peers)?;
        }
        let metrics = check.metrics(raw.metrics.as_ref())?;
        let alarm_command = check.alarm_command(raw.alarm)?;
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        let home = normal(folder.join(&raw.home));
        Ok(Self {
            tables: check.tables(raw.store.tables.as_ref(), &home)?,
            home,
            keys: KeyFolder {
                folder: folder.join(raw.keys.unwrap_or_else(|| amanah_format::home::KEYS.into())),
                credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            },
            file: file.to_owned(),
            folder,
            party,
            language: raw.language,
            example_keys: raw.example_keys,
            listen,
            peers,
            outbox: raw.outbox,
            seal: raw.seal,
            limits: raw.limits,
            metrics,
            alarm_command,
        })
    }

    /// Reads own card, peers' cards, agreements and revocations from the configuration's folder; verifies each at `now`;
    /// builds the policy. Returns with it each document loaded, for the ledger.
    ///
    /// # Errors
    /// A card that is missing, ill-formed or another party's. An agreement that does not count is only a warning: it
    /// permits nothing.
    pub fn policy(&self, now: UtcTime) -> Result<(Policy, Vec<Loaded>), ConfigError> {
        papers::policy(self, (now, &|_| false))
    }

    /// The same, where signatures of agreements that were loaded before are not judged by the dates of keys any more.
    ///
    /// # Errors
    /// As [`Config::policy`].
    pub fn policy_again(
        &self,
        now: UtcTime,
        judged: papers::Judged<'_>,
    ) -> Result<(Policy, Vec<Loaded>), ConfigError> {
        papers::policy(self, (now, judged))
    }

    /// Our own revocations in `agreements/`, verified under the policy's cards: those that a peer must be told of.
    #[must_use]
    pub fn own_revocations(&self, policy: &Policy, now: UtcTime) -> Vec<OwnRevocation> {
        papers::own_revocations(self, policy.keyring(), now)
    }
}

/// `.` at the end of a path says nothing.
fn normal(path: PathBuf) -> PathBuf {
    path.components().collect()
}

/// The library's complaint with its line in front.
fn in_line(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim();
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1);
    match line {
        Some(line) => format!("line {line}: {message}"),
        None => message.to_owned(),
    }
}

/// The checks that know the text, to name lines.
struct Check<'a> {
    text: &'a str,
}

impl Check<'_> {
    fn at(&self, table: &str, key: &str, reason: &str) -> String {
        match where_in::line_of(self.text, table, key) {
            Some(line) => format!("line {line}: `{key}`: {reason}"),
            None if table.is_empty() => format!("`{key}`: {reason}"),
            None => format!("[{table}] `{key}`: {reason}"),
        }
    }

    fn read<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        table: &str,
        key: &str,
        value: &str,
    ) -> Result<T, String> {
        value
            .parse()
            .map_err(|error: T::Err| self.at(table, key, &error.to_string()))
    }

    fn listen(&self, listen: &raw::Listen) -> Result<Listen, String> {
        let address: SocketAddr = listen.address.parse().map_err(|_| {
            let found = &listen.address;
            self.at(
                "listen",
                "address",
                &format!("expected an IP address and a port, as 10.20.0.1:2222, found {found:?}"),
            )
        })?;
        if address.ip().is_unspecified() && !listen.any_address {
            let reason = "this is every address of the machine; write the VPN's own address (or any_address = true)";
            return Err(self.at("listen", "address", reason));
        }
        if listen.networks.is_empty() {
            let reason =
                "empty: nobody could connect; write the peers' networks, as [\"10.20.0.0/16\"]";
            return Err(self.at("listen", "networks", reason));
        }
        let networks = listen
            .networks
            .iter()
            .map(|network| self.read("listen", "networks", network));
        Ok(Listen {
            address,
            networks: networks.collect::<Result<_, _>>()?,
            post_quantum: listen.post_quantum.unwrap_or(PostQuantum::Preferred),
        })
    }

    fn peers(&self, raw: &raw::Raw, own: &PartyId) -> Result<Vec<Peer>, String> {
        let mut peers = Vec::new();
        for (name, peer) in &raw.peer {
            let table = format!("peer.{name}");
            let party: PartyId = self.read(&table, name, name)?;
            if &party == own {
                return Err(self.at(&table, name, "this is our own party; a peer is another"));
            }
            let dial = peer.dial.as_ref();
            if let Some(dial) = dial.filter(|dial| !is_host_and_port(dial)) {
                let reason = format!("expected host:port, as 10.20.0.2:2222, found {dial:?}");
                return Err(self.at(&table, "dial", &reason));
            }
            self.required_where_it_is_decided(&table, raw, peer)?;
            let drop = peer.drop.as_ref();
            let drop = drop.map(|drop| self.drop_at(&table, peer, drop, &peers));
            peers.push(Peer {
                party,
                dial: peer.dial.clone(),
                drop: drop.transpose()?,
                post_quantum: peer.post_quantum.unwrap_or(PostQuantum::Preferred),
            });
        }
        Ok(peers)
    }

    /// Keys that everybody has may meet nobody else: every address is a literal one of loopback (a name may lead elsewhere).
    fn loopback(&self, listen: Option<&Listen>, peers: &[Peer]) -> Result<(), String> {
        let reason = "example_keys = true is for loopback only, as 127.0.0.1:2222; make keys of your own with `amanah init`";
        if listen.is_some_and(|listen| !listen.address.ip().is_loopback()) {
            return Err(self.at("listen", "address", reason));
        }
        let away = peers.iter().find(|peer| {
            let dial = peer.dial.as_deref();
            dial.is_some_and(|dial| {
                let address = dial.parse::<SocketAddr>();
                !address.is_ok_and(|address| address.ip().is_loopback())
            })
        });
        away.map_or(Ok(()), |peer| {
            Err(self.at(&format!("peer.{}", peer.party), "dial", reason))
        })
    }

    fn amounts(&self, raw: &raw::Raw) -> Result<(), String> {
        let rules = [
            (
                raw.store.kind == "files",
                "store",
                "kind",
                "expected \"files\"; a database for table flows is named in [store.tables]",
            ),
            (
                LEVELS.contains(&raw.seal.level),
                "seal",
                "level",
                "expected 1 to 19",
            ),
            (
                raw.seal.workers <= WORKERS_MAX,
                "seal",
                "workers",
                "expected 0 to 64",
            ),
            (
                EXPIRES_DAYS.contains(&raw.seal.expires_days),
                "seal",
                "expires_days",
                "expected 1 to 365",
            ),
            (
                raw.outbox.scan_secs >= 1,
                "outbox",
                "scan_secs",
                "expected 1 or more",
            ),
            (
                raw.outbox.batch_items_max >= 1,
                "outbox",
                "batch_items_max",
                "expected 1 or more",
            ),
            (
                raw.limits.peer_bytes_max >= 1,
                "limits",
                "peer_bytes_max",
                "expected 1 or more",
            ),
            (
                raw.limits.connections_max >= 1,
                "limits",
                "connections_max",
                "expected 1 or more",
            ),
        ];
        let broken = rules.iter().find(|(holds, ..)| !holds);
        broken.map_or(Ok(()), |(_, table, key, reason)| {
            Err(self.at(table, key, reason))
        })
    }
}

/// `host:port`, `10.20.0.2:2222` or `[fd00::2]:2222`, with a port that can be dialled.
#[must_use]
pub fn is_host_and_port(text: &str) -> bool {
    let plain = |host: &str| {
        !host.is_empty()
            && host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let bracketed = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    port.parse::<u16>().is_ok_and(|port| port > 0)
        && bracketed.map_or_else(
            || plain(host),
            |v6| v6.parse::<std::net::Ipv6Addr>().is_ok(),
        )
}

#[cfg(test)]
mod tests;
