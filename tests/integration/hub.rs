//! Many peers of one hub: one of them brings far more than all others together, and none of the others waits for it. Measured
//! against the same run without it, and against how long its own bundles wait.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use amanah_tests::exchange::PATIENCE;
use amanah_tests::hub::{Bundle, Hub, Peer};
use amanahd::transport::client::SshLink;
use amanahd::transport::link::LaneChannel;
use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::program;

/// Bundles that the others deliver at a time: a steady trickle, not a crowd that waits for itself.
const AT_A_TIME: usize = 4;
/// Files in each bundle of the heavy one: unpacking costs far more than handing over, so that they pile up.
const HEAVY_FILES: u64 = 100;
/// Between two looks at the hub's status.
const GLANCE: Duration = Duration::from_millis(20);
/// How many times as long the others may take beside the heavy one, on two cores that it keeps busy too.
const TIMES_MAX: u32 = 8;

/// How large a run is.
struct Size {
    peers: usize,
    /// Bundles that each of the others delivers in either half.
    each: usize,
    heavy: usize,
    /// Bytes of bundles that are large, which the heavy one brings among its others.
    large: &'static [u64],
}

/// Sorted, with the middle and the slowest of a hundred.
struct Times(Vec<Duration>);

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    fn median(&self) -> Duration {
        self.0[self.0.len() / 2]
    }

    fn p99(&self) -> Duration {
        self.0[self.0.len() - 1 - self.0.len() / 100]
    }
}

/// Every one of `others` delivers `each` bundles, a few of them at a time; how long each took until its receipt was verified.
async fn deliveries(others: &mut Vec<(Peer, SshLink)>, each: usize) -> Result<Times> {
    let mut times = Vec::new();
    for _ in 0..each {
        let mut waiting = std::mem::take(others);
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < AT_A_TIME
                && let Some((mut peer, link)) = waiting.pop()
            {
                let bundle = peer.seal(1, 10_000)?;
                under_way.spawn(async move {
                    let took = delivered(&peer, &link, &bundle).await;
                    (peer, link, took)
                });
            }
            let Some(done) = under_way.join_next().await else {
                break;
            };
            let (peer, link, took) = done?;
            times.push(took?);
            others.push((peer, link));
        }
    }
    Ok(Times::of(times))
}

async fn delivered(peer: &Peer, link: &SshLink, bundle: &Bundle) -> Result<Duration> {
    let begun = Instant::now();
    bundle.push(link, LaneChannel::Normal).await?;
    peer.receipts(link, vec![bundle.digest]).await?;
    Ok(begun.elapsed())
}

/// What is left to be brought.
type Rest = Mutex<std::vec::IntoIter<Bundle>>;

/// Brings all of it as fast as it goes, over two connections and every lane's channel.
async fn bring(links: [SshLink; 2], bundles: Vec<Bundle>) -> Result<[SshLink; 2]> {
    let rest = Mutex::new(bundles.into_iter());
    {
        let [first, second] = &links;
        tokio::try_join!(
            bring_over(first, LaneChannel::Urgent, &rest),
            bring_over(first, LaneChannel::Normal, &rest),
            bring_over(first, LaneChannel::Bulk, &rest),
            bring_over(second, LaneChannel::Urgent, &rest),
            bring_over(second, LaneChannel::Normal, &rest),
            bring_over(second, LaneChannel::Bulk, &rest),
        )?;
    }
    Ok(links)
}

async fn bring_over(link: &SshLink, lane: LaneChannel, rest: &Rest) -> Result<()> {
    let next = || rest.lock().unwrap().next();
    while let Some(bundle) = next() {
        bundle.push(link, lane).await?;
    }
    Ok(())
}

fn admitted(hub: &Hub) -> Result<u64> {
    let status = hub.ministry.status()?.context("a status")?;
    let mut counts = status.counts.iter();
    Ok(counts
        .find(|(state, _)| state.as_str() == "inbound.admitted")
        .map_or(0, |(_, rows)| *rows))
}

async fn run(size: Size) -> Result<()> {
    let (hub, mut peers) = Hub::of(program(), size.peers)?;
    let mut heavy = peers.pop().context("a peer")?;
    let mut others = Vec::new();
    for peer in peers {
        let link = peer.connect().await?;
        others.push((peer, link));
    }
    let mut bundles = Vec::new();
    for _ in 0..size.heavy {
        bundles.push(heavy.seal(HEAVY_FILES, 100)?);
    }
    for bytes in size.large {
        bundles.push(heavy.seal(1, *bytes)?);
    }
    let digests: Vec<_> = bundles.iter().map(|bundle| bundle.digest).collect();
    let alone = deliveries(&mut others, size.each).await?;

    let links = [heavy.connect().await?, heavy.connect().await?];
    let begun = Instant::now();
    let bringing = tokio::spawn(bring(links, bundles));
    let piled_up = async {
        while admitted(&hub)? < u64::try_from(size.heavy / 10)? {
            tokio::time::sleep(GLANCE).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, piled_up)
        .await
        .context("a backlog")??;
    let beside = deliveries(&mut others, size.each).await?;
    let left = admitted(&hub)?;
    let [link, _second] = bringing.await??;
    heavy.receipts(&link, digests).await?;
    let backlog = begun.elapsed();
    println!(
        "{} peers, {} deliveries each half: alone median {:.0?}, p99 {:.0?}; beside one that brings {} bundles of {HEAVY_FILES} files and {} large ones: median {:.0?}, p99 {:.0?}; of its own {left} still waited then, the last until {backlog:.1?}",
        size.peers - 1,
        alone.0.len(),
        alone.median(),
        alone.p99(),
        size.heavy,
        size.large.len(),
        beside.median(),
        beside.p99(),
    );
    anyhow::ensure!(left > 0, "the heavy one had done before the others");
    // Whoever waited in the order of arrival would wait for half of the backlog.
    anyhow::ensure!(
        beside.median() <= (alone.median() * TIMES_MAX).max(backlog / 40),
        "the others wait for it: {:?}",
        beside.median()
    );
    anyhow::ensure!(
        beside.p99() <= (alone.p99() * TIMES_MAX).max(backlog / 8),
        "some of the others wait for it: {:?}",
        beside.p99()
    );
    Ok(())
}

fn fairly(size: Size) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(size)).unwrap();
}

#[test]
fn a_peer_with_a_great_backlog_does_not_make_the_other_peers_of_its_hub_wait() {
    fairly(Size {
        peers: 30,
        each: 2,
        heavy: 200,
        large: &[],
    });
}

#[test]
#[ignore = "campaign: two hundred peers, some minutes"]
fn one_of_two_hundred_peers_with_thousands_of_bundles_makes_none_of_the_others_wait() {
    fairly(Size {
        peers: 200,
        each: 2,
        heavy: 3_000,
        large: &[200 << 20, 200 << 20, 200 << 20],
    });
}
