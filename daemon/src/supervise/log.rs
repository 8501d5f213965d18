//! Where the log goes: to the journal with fields where systemd started us, else to standard error. Never personal data, never names
//! of items: codes, digests, counts.

mod journald;

use std::io::IsTerminal;
use std::path::Path;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use self::journald::Journald;

/// Starts logging once; `RUST_LOG` narrows or widens it.
pub(super) fn start() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,russh=warn,russh_sftp=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    let by_systemd = std::env::var_os("JOURNAL_STREAM");
    let journal = by_systemd.and_then(|_| Journald::at(Path::new(journald::SOCKET)).ok());
    let outcome = match journal {
        Some(layer) => registry.with(layer).try_init(),
        None => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_ansi(std::io::stderr().is_terminal())
                    .with_target(false),
            )
            .try_init(),
    };
    if let Err(error) = outcome {
        eprintln!("amanahd: logging was started already: {error}");
    }
}
