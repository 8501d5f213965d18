//! The server's log on its way to disk while rows are copied. Whoever fills a file of the log waits until that is on disk, and takes
//! no row meanwhile: an eighth of the time of a long import. The asynchronous commit of an empty transaction, over another connection,
//! has the server's log writer do it before (PostgreSQL's manual, "Asynchronous Commit").
//!
//! Nothing depends on it: where it fails, or there is no connection left for it, the import takes that much longer.

use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use tokio_postgres::Client;

use super::link::{Courier, Reach};

/// From so much on: a file of the log holds four times as much, and what is less seldom fills one.
const FIRST_BYTES: usize = 4 * 1024 * 1024;
/// Between two times. The log writer leaves less than 1 MiB for later.
const STEP_BYTES: usize = 2 * 1024 * 1024;
/// For all that is asked here. What takes longer helps nobody.
const ANSWER: Duration = Duration::from_secs(15);
/// A transaction that has a number, and nothing else; nobody waits for it to be on disk.
const EMPTY: &str = "SET synchronous_commit TO off; SELECT txid_current()";

/// Of one import. Dropped, its connection ends.
pub(super) struct LogAhead<'s> {
    courier: &'s Courier,
    reach: &'s Reach,
    /// Until the next time.
    left: usize,
    asked: Option<Sender<()>>,
}

impl<'s> LogAhead<'s> {
    pub(super) const fn new(courier: &'s Courier, reach: &'s Reach) -> Self {
        Self {
            courier,
            reach,
            left: FIRST_BYTES,
            asked: None,
        }
    }

    /// So many bytes of rows were sent.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
        if self.left > 0 {
            return;
        }
        self.left = STEP_BYTES;
        let (courier, reach) = (self.courier, self.reach);
        let asked = self.asked.get_or_insert_with(|| {
            let (asked, waiting) = channel(1);
            courier.spawn(ask(reach.clone(), waiting));
            asked
        });
        // Where the last time is not over it will do for this one.
        let _ = asked.try_send(());
    }
}

/// Until nobody asks any more, or it fails.
async fn ask(reach: Reach, mut waiting: Receiver<()>) {
    let mut kept: Option<Client> = None;
    while waiting.recv().await.is_some() {
        let asking = async {
            let client = match kept.take() {
                Some(client) => client,
                None => reach.connected().await?,
            };
            client.batch_execute(EMPTY).await?;
            Ok::<_, tokio_postgres::Error>(client)
        };
        match timeout(ANSWER, asking).await {
            Ok(Ok(client)) => kept = Some(client),
            failed => {
                let why = failed.map(|answer| answer.err());
                tracing::debug!(?why, "the server's log is not hurried along");
                return;
            }
        }
    }
}
