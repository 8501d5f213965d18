//! Where the database is: a URL as PostgreSQL's own programs take it. Over a network it is spoken to by TLS, with a certificate that
//! was verified; without TLS only where nobody listens in between: a Unix socket, or loopback. A password is never printed.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Longest wait for one address of a server.
const CONNECT: Duration = Duration::from_secs(5);
/// A peer whose machine is gone is noticed after about a minute.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// What it was sent and does not confirm.
const UNCONFIRMED: Duration = Duration::from_secs(30);
/// Where it listens unless the URL says otherwise.
const PORT: u16 = 5432;
/// What it is called in `pg_stat_activity`.
const NAME: &str = "amanahd";

/// A database of PostgreSQL.
#[derive(Clone)]
pub struct Address {
    config: tokio_postgres::Config,
    tls: bool,
    ca: Option<PathBuf>,
}

/// Why a URL is none. It never holds a part of it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(String);

fn wrong(reason: &str) -> AddressError {
    AddressError(reason.to_owned())
}

impl Address {
    /// Whether it holds a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// Ports that are dialled.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        let hosts = self.config.get_hosts().iter().enumerate();
        let over_tcp = hosts.filter(|(_, host)| matches!(host, Host::Tcp(_)));
        over_tcp.map(|(place, _)| self.port(place)).collect()
    }

    /// The authority that its certificate is held against; none: those of this machine.
    #[must_use]
    pub fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    /// Whether it is spoken to by TLS.
    #[must_use]
    pub const fn has_tls(&self) -> bool {
        self.tls
    }

    /// One port is that of all.
    fn port(&self, place: usize) -> u16 {
        let ports = self.config.get_ports();
        let port = ports.get(place).or_else(|| ports.first());
        port.copied().unwrap_or(PORT)
    }

    pub(super) const fn config(&self) -> &tokio_postgres::Config {
        &self.config
    }

    /// What verifies the server; none where it is spoken to without TLS.
    pub(super) fn verifying(&self) -> Result<Option<MakeRustlsConnect>, AddressError> {
        if !self.tls {
            return Ok(None);
        }
        let mut roots = RootCertStore::empty();
        match &self.ca {
            Some(file) => {
                let unreadable = |error: &dyn fmt::Display| {
                    AddressError(format!("sslrootcert {}: {error}", file.display()))
                };
                let found = CertificateDer::pem_file_iter(file).map_err(|e| unreadable(&e))?;
                for certificate in found {
                    let certificate = certificate.map_err(|error| unreadable(&error))?;
                    roots.add(certificate).map_err(|error| unreadable(&error))?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            let reason = "no authority to verify the server by; name one by sslrootcert=FILE";
            return Err(wrong(reason));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| AddressError(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Some(MakeRustlsConnect::new(config)))
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if !(text.starts_with("postgresql://") || text.starts_with("postgres://")) {
            return Err(wrong(
                "expected a URL, as postgresql://amanah@db.example.go.id/jemaah",
            ));
        }
        let (plain, ours) = Ours::split(text)?;
        let mut config = tokio_postgres::Config::from_str(&plain).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            AddressError(cause.unwrap_or_else(|| error.to_string()))
        })?;
        let hosts = config.get_hosts();
        if hosts.is_empty() {
            return Err(wrong(
                "names no host; a Unix socket's folder is ?host=/run/postgresql",
            ));
        }
        let sockets = hosts.iter().filter(|host| is_socket(host)).count();
        if sockets > 0 && sockets < hosts.len() {
            return Err(wrong("a Unix socket and another machine in one URL"));
        }
        let is_here = sockets > 0 || hosts.iter().all(is_loopback);
        let tls = match ours.mode.as_deref() {
            None => sockets == 0,
            Some("disable") if is_here => false,
            Some("disable") => {
                return Err(wrong(
                    "sslmode=disable is for a Unix socket or loopback alone: others could read the rows",
                ));
            }
            Some("verify-full") if sockets == 0 => true,
            Some("verify-full") => return Err(wrong("a Unix socket has no TLS")),
            Some(_) => {
                return Err(wrong(
                    "sslmode is verify-full (where nothing is said), or disable; the others do not check whom they speak to",
                ));
            }
        };
        let several = hosts.len() > 1;
        config
            .ssl_mode(if tls {
                SslMode::Require
            } else {
                SslMode::Disable
            })
            .application_name(NAME)
            .connect_timeout(CONNECT)
            .tcp_user_timeout(UNCONFIRMED)
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(KEEPALIVE)
            .keepalives_retries(3);
        if several {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        Ok(Self {
            config,
            tls,
            ca: ours.ca,
        })
    }
}

/// What a URL says that is ours to obey.
#[derive(Default)]
struct Ours {
    mode: Option<String>,
    ca: Option<PathBuf>,
}

impl Ours {
    /// Takes it out.
    fn split(text: &str) -> Result<(String, Self), AddressError> {
        let Some((head, query)) = text.split_once('?') else {
            return Ok((text.to_owned(), Self::default()));
        };
        let (mut rest, mut ours) = (Vec::new(), Self::default());
        for part in query.split('&') {
            match part.split_once('=') {
                Some(("sslmode", mode)) => ours.mode = Some(mode.to_owned()),
                Some(("sslrootcert", "system")) => ours.ca = None,
                Some(("sslrootcert", file)) if file.starts_with('/') && !file.contains('%') => {
                    ours.ca = Some(file.into());
                }
                Some(("sslrootcert", _)) => {
                    return Err(wrong("sslrootcert: expected an absolute path, or system"));
                }
                Some(("sslcert" | "sslkey", _)) => {
                    return Err(wrong(
                        "certificates of clients are not supported; the role has a password",
                    ));
                }
                Some(_) | None => rest.push(part),
            }
        }
        let plain = if rest.is_empty() {
            head.to_owned()
        } else {
            format!("{head}?{}", rest.join("&"))
        };
        Ok((plain, ours))
    }
}

const fn is_socket(host: &Host) -> bool {
    matches!(host, Host::Unix(_))
}

/// By its address; a name may lead elsewhere, but for the one that may not.
fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

/// `jemaah at db.example.go.id:5432`: what people know it by.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.config.get_dbname().or(self.config.get_user());
        write!(f, "{}", name.unwrap_or("database"))?;
        for (place, host) in self.config.get_hosts().iter().enumerate() {
            let before = if place == 0 { " at " } else { ", " };
            match host {
                Host::Tcp(name) => write!(f, "{before}{name}:{}", self.port(place))?,
                Host::Unix(folder) => write!(f, "{before}{}", folder.display())?,
            }
        }
        Ok(())
    }
}

/// As it is printed: no password.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
