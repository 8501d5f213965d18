//! Waiting for something that another process does: asked again and again until it is there, never beyond a deadline, and
//! given up at once when the user wants to stop. There is no other waiting in the demo and in the tests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often is asked.
const EVERY: Duration = Duration::from_millis(20);

/// Set by the signal that asks this process to stop: one per process, as signals are.
static STOP: AtomicBool = AtomicBool::new(false);

/// The user asked to stop.
#[derive(Debug, thiserror::Error)]
#[error("stopped by a signal")]
pub struct Interrupted;

/// Every wait ends now.
pub fn interrupt() {
    STOP.store(true, Ordering::SeqCst);
}

/// An error once the user asked to stop: asked between steps.
///
/// # Errors
/// [`Interrupted`].
pub fn not_interrupted() -> Result<(), Interrupted> {
    if STOP.load(Ordering::SeqCst) {
        Err(Interrupted)
    } else {
        Ok(())
    }
}

/// Asks `found` until it has an answer.
///
/// # Errors
/// None came within `within`, the user asked to stop, or the question itself failed.
pub fn until<T>(
    what: &str,
    within: Duration,
    mut found: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = found()? {
            return Ok(answer);
        }
        not_interrupted()?;
        if start.elapsed() >= within {
            bail!("waited {} s for {what}", within.as_secs_f32());
        }
        std::thread::sleep(EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_the_wait() {
        let mut asked = 0;
        let answer = until("three", Duration::from_secs(20), || {
            asked += 1;
            Ok((asked == 3).then_some(asked))
        });
        assert_eq!(answer.unwrap(), 3);
    }

    #[test]
    fn a_deadline_and_a_failed_question_end_it_too() {
        let never = until("nothing", Duration::ZERO, || Ok(None::<()>)).unwrap_err();
        assert!(never.to_string().contains("nothing"), "{never}");
        assert!(
            until("x", Duration::from_secs(20), || -> Result<Option<()>> {
                bail!("broken")
            })
            .is_err()
        );
    }
}
