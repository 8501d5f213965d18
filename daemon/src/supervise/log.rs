//! Where the log goes: to the journal with fields where systemd started us, else to standard error. Never personal data, never names
//! of items: codes, digests, counts.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging once; `RUST_LOG` narrows or widens it.
pub(super) fn start() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,russh=warn,russh_sftp=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    let journal = std::env::var_os("JOURNAL_STREAM").and_then(|_| tracing_journald::layer().ok());
    let outcome = match journal {
        Some(layer) => registry
            .with(layer.with_field_prefix(Some("AMANAH".to_owned())))
            .try_init(),
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
