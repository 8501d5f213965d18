//! Requests in flight: sent in order, many at a time, their answers taken in order.
//! Bounded in number and bytes, whatever the window: memory must not depend on the line. It knows nothing of SFTP.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Requests in flight on one channel: a round trip of 100 ms at 255 KiB each is more than any window …
const REQUESTS_MAX: usize = 64;
/// … so their bytes are bounded too: what a window does not take would only wait in memory.
const BYTES_MAX: u64 = 8 << 20;

/// The requests whose answers were not taken yet.
pub(super) struct Flight<'a, T> {
    queue: VecDeque<Request<'a, T>>,
    bytes: u64,
}

struct Request<'a, T> {
    answer: Answer<'a, T>,
    bytes: u64,
}

enum Answer<'a, T> {
    Awaited(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
    /// It came at once: the session has ended.
    Here(T),
}

impl<'a, T> Flight<'a, T> {
    pub(super) fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
        }
    }

    /// How many requests are in flight.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether another request of `bytes` should wait.
    pub(super) fn is_full(&self, bytes: u64) -> bool {
        let over = self.bytes.saturating_add(bytes) > BYTES_MAX;
        self.queue.len() >= REQUESTS_MAX || (over && !self.queue.is_empty())
    }

    /// Sends a request: its future does that when it is polled for the first time.
    pub(super) async fn launch(
        &mut self,
        request: impl Future<Output = T> + Send + 'a,
        bytes: u64,
    ) {
        let mut request: Pin<Box<dyn Future<Output = T> + Send + 'a>> = Box::pin(request);
        let polled = poll_fn(|cx| Poll::Ready(request.as_mut().poll(cx))).await;
        let answer = match polled {
            Poll::Ready(answer) => Answer::Here(answer),
            Poll::Pending => Answer::Awaited(request),
        };
        self.bytes = self.bytes.saturating_add(bytes);
        self.queue.push_back(Request { answer, bytes });
    }

    /// The answer to the oldest request; `None` when none is in flight.
    pub(super) async fn landed(&mut self) -> Option<T> {
        let Request { answer, bytes } = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(bytes);
        match answer {
            Answer::Awaited(request) => Some(request.await),
            Answer::Here(answer) => Some(answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn answers_are_taken_in_the_order_of_the_requests() {
        let mut flight = Flight::new();
        let (first, answer) = oneshot::channel();
        flight.launch(async { answer.await.unwrap() }, 1).await;
        flight.launch(async { 2 }, 1).await;
        first.send(1).unwrap();
        assert_eq!(flight.landed().await, Some(1));
        assert_eq!(flight.landed().await, Some(2));
        assert_eq!(flight.landed().await, None);
    }

    #[tokio::test]
    async fn count_and_bytes_are_bounded_but_one_always_goes() {
        let mut flight = Flight::new();
        assert!(!flight.is_full(u64::MAX));
        flight.launch(async {}, BYTES_MAX).await;
        assert!(flight.is_full(1));
        flight.landed().await;
        for _ in 0..REQUESTS_MAX {
            assert!(!flight.is_full(0));
            flight.launch(async {}, 0).await;
        }
        assert!(flight.is_full(0));
    }
}
