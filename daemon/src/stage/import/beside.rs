//! Rows are written beside their check: opening and checking on a thread of its own, writing where the database's transaction is. The
//! writer gets every row that the check lets through, in its order, whatever the threads do; what it says of one ends both.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use amanah_format::table::{Batch, RowForm, RowSink, Value};

/// Batches that wait to be written. With the two that are being filled and written: 2 MiB in all, and as much as six of the longest
/// rows.
const BATCHES_WAITING: usize = 4;

/// Runs `work` on another thread, and gives each row that it hands over to `rows` on this one.
///
/// # Errors
/// Of `rows`, for the first row that it did not take; else this machine has no thread left.
pub(super) fn writing<T: Send>(
    rows: &mut dyn RowSink,
    work: impl FnOnce(&mut dyn RowSink) -> T + Send,
) -> io::Result<T> {
    let (filled, waiting) = sync_channel(BATCHES_WAITING);
    let (written, empty) = sync_channel(BATCHES_WAITING + 2);
    let form = rows.form();
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("check-rows".to_owned());
        let checking = thread.spawn_scoped(scope, move || {
            let mut handing = Handing {
                form,
                batch: Batch::of(form),
                filled,
                empty,
            };
            let done = work(&mut handing);
            // Also after a failure: which rows are written never depends on how the threads ran.
            let _ = handing.hand_over();
            done
        })?;
        let ended = write(rows, waiting, &written);
        let done = checking.join();
        let done = done.map_err(|_| io::Error::other("a check ended early"))?;
        ended.map(|()| done)
    })
}

/// Until the other side has no more, or a row is not taken: then it ends at its next hand-over.
fn write(
    rows: &mut dyn RowSink,
    waiting: Receiver<Batch>,
    written: &SyncSender<Batch>,
) -> io::Result<()> {
    for mut batch in waiting {
        batch.each(rows)?;
        batch.clear();
        // Nobody may want it back any more.
        let _ = written.try_send(batch);
    }
    Ok(())
}

/// The check's side.
struct Handing {
    /// The writer's.
    form: Option<RowForm>,
    batch: Batch,
    filled: SyncSender<Batch>,
    /// Batches come back to be filled again.
    empty: Receiver<Batch>,
}

impl Handing {
    fn hand_over(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let next = self.empty.try_recv();
        let next = next.unwrap_or_else(|_| Batch::of(self.form));
        let full = std::mem::replace(&mut self.batch, next);
        self.filled
            .send(full)
            .map_err(|_| io::Error::other("a row was not taken"))
    }
}

impl RowSink for Handing {
    fn row(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()> {
        self.batch.push(number, values)?;
        if self.batch.is_full() {
            self.hand_over()?;
        }
        Ok(())
    }

    fn form(&self) -> Option<RowForm> {
        self.form
    }

    /// Handed on as it is.
    fn batch(&mut self, rows: &mut Batch) -> io::Result<()> {
        self.hand_over()?;
        std::mem::swap(&mut self.batch, rows);
        self.hand_over()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes rows up to a number, in order.
    struct Counting {
        last: u64,
        most: u64,
    }

    impl RowSink for Counting {
        fn row(&mut self, number: u64, values: &[Value<'_>]) -> io::Result<()> {
            assert_eq!((number, values.len()), (self.last + 1, 1));
            if number > self.most {
                return Err(io::Error::other(format!("row {number}")));
            }
            self.last = number;
            Ok(())
        }
    }

    const LONG: &str = "0123456789012345678901234567890123456789";

    /// Hands over so many rows; how many were taken of it.
    fn hand(count: u64) -> impl FnOnce(&mut dyn RowSink) -> io::Result<u64> + Send {
        move |rows| {
            for number in 1..=count {
                rows.row(number, &[Value::Text(LONG)])?;
            }
            Ok(count)
        }
    }

    #[test]
    fn every_row_comes_once_in_order_also_before_a_failure() {
        for count in [0, 1, 1_000, 100_000] {
            let mut rows = Counting {
                last: 0,
                most: u64::MAX,
            };
            assert_eq!(writing(&mut rows, hand(count)).unwrap().unwrap(), count);
            assert_eq!(rows.last, count);
        }
        let mut rows = Counting {
            last: 0,
            most: u64::MAX,
        };
        let broken = writing(&mut rows, |rows| {
            hand(54_321)(rows).unwrap();
            Err::<(), _>("broken off")
        });
        assert_eq!(broken.unwrap(), Err("broken off"));
        assert_eq!(rows.last, 54_321, "what was handed over before is written");
    }

    #[test]
    fn a_row_that_is_not_taken_ends_both_sides_and_is_what_is_said() {
        for most in [0, 77, 50_000] {
            let mut rows = Counting { last: 0, most };
            let said = writing(&mut rows, hand(u64::MAX)).unwrap_err();
            assert_eq!(said.to_string(), format!("row {}", most + 1));
            assert_eq!(rows.last, most);
        }
    }
}
