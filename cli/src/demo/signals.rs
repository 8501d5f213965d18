//! Ctrl-C and its kin end the demo in order: every wait ends, the daemons are stopped, the temporary homes removed. Without
//! this they would outlive it. `status --watch` gives the terminal back in the same way.

use tokio::signal::unix::{SignalKind, signal};

use super::waiting;

/// What ends it: Ctrl-C, a polite kill, a terminal that closes.
const KINDS: [fn() -> SignalKind; 3] = [
    SignalKind::interrupt,
    SignalKind::terminate,
    SignalKind::hangup,
];

/// Listens on a thread of its own until the process ends.
///
/// # Errors
/// The signals cannot be listened for.
pub(crate) fn listen() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let signals = {
        let _entered = runtime.enter();
        KINDS.map(|kind| signal(kind()))
    };
    for wished in signals {
        let mut wished = wished?;
        runtime.spawn(async move {
            while wished.recv().await.is_some() {
                waiting::interrupt();
            }
        });
    }
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    Ok(())
}
