//! Requests in flight: sent in order, many at a time, their answers taken in order.
//! Bounded in number and bytes, by the pace of their line and never beyond what memory is for. It knows nothing of SFTP.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Instant;

use super::pace::{Moving, Pace, Sent};

/// Requests in flight on one channel: more than any pace asks for.
const REQUESTS_MAX: usize = 64;

/// The requests whose answers were not taken yet.
pub(super) struct Flight<'a, T> {
    moving: Moving<'a>,
    queue: VecDeque<Request<'a, T>>,
    bytes: u64,
    /// Whether the next request is sent only now because as many bytes were under way as may be.
    was_full: bool,
}

struct Request<'a, T> {
    answer: Answer<'a, T>,
    bytes: u64,
    sent: Sent,
}

enum Answer<'a, T> {
    Awaited(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
    /// It came at once: the session has ended.
    Here(T),
}

impl<'a, T> Flight<'a, T> {
    pub(super) fn new(pace: &'a Pace) -> Self {
        Self {
            moving: pace.begin(),
            queue: VecDeque::new(),
            bytes: 0,
            was_full: false,
        }
    }

    /// How many requests are in flight.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// How long the next request should be, where the server takes `most`.
    pub(super) fn request_bytes(&self, most: u32) -> u32 {
        u32::try_from(self.moving.request_bytes(Instant::now()))
            .map_or(most, |bytes| bytes.min(most))
    }

    /// Whether another request of `bytes` should wait. One always goes.
    pub(super) fn is_full(&mut self, bytes: u64) -> bool {
        if self.queue.is_empty() {
            return false;
        }
        let over = self.bytes.saturating_add(bytes) > self.moving.bytes_max();
        self.was_full |= over;
        over || self.queue.len() >= REQUESTS_MAX || self.moving.is_to_be_measured(Instant::now())
    }

    /// Sends a request: its future does that when it is polled for the first time.
    pub(super) async fn launch(
        &mut self,
        request: impl Future<Output = T> + Send + 'a,
        bytes: u64,
    ) {
        let mut request: Pin<Box<dyn Future<Output = T> + Send + 'a>> = Box::pin(request);
        let under_way = self.bytes.saturating_add(bytes);
        let sent = Sent {
            at: Instant::now(),
            full: self.was_full.then_some(under_way),
            alone: self.queue.is_empty(),
        };
        self.was_full = false;
        let polled = poll_fn(|cx| Poll::Ready(request.as_mut().poll(cx))).await;
        let answer = match polled {
            Poll::Ready(answer) => Answer::Here(answer),
            Poll::Pending => Answer::Awaited(request),
        };
        self.bytes = under_way;
        self.queue.push_back(Request {
            answer,
            bytes,
            sent,
        });
    }

    /// The answer to the oldest request; `None` when none is in flight.
    pub(super) async fn landed(&mut self) -> Option<T> {
        let request = self.queue.pop_front()?;
        let answer = match request.answer {
            Answer::Awaited(awaited) => awaited.await,
            Answer::Here(answer) => answer,
        };
        self.bytes = self.bytes.saturating_sub(request.bytes);
        self.moving.answered(request.sent, Instant::now());
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pace::{BYTES_MAX, Direction};
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn answers_are_taken_in_the_order_of_the_requests() {
        let [pace] = Direction::paces();
        let mut flight = Flight::new(&pace);
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
        let [pace] = Direction::paces();
        let mut flight = Flight::new(&pace);
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
