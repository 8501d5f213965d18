//! Our client against our server.
//! The real journey of bytes, both ways, over a real socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::transport::client::SshLink;
use crate::transport::link::{Denied, LaneChannel, Link, LinkError, Offer, Upload};

pub(super) async fn connected() -> (Ministry, SshLink) {
    let ministry = ministry().await;
    let link = SshLink::connect(dial(&ministry)).await.unwrap();
    (ministry, link)
}

async fn put(link: &SshLink, name: WireName, bytes: &[u8], offset: u64) -> Result<u64, LinkError> {
    let sent = Arc::new(AtomicU64::new(0));
    let upload = Upload {
        source: file(bytes),
        offset,
        sent: Arc::clone(&sent),
    };
    link.put(LaneChannel::Bulk, name, upload).await?;
    Ok(sent.load(Ordering::Relaxed))
}

async fn get(link: &SshLink, name: WireName, offset: u64) -> Result<Vec<u8>, LinkError> {
    let mut fetched = Vec::new();
    let mut next = offset;
    let mut into = |at: u64, bytes: &[u8]| {
        assert_eq!(at, next, "a chunk out of order");
        next += u64::try_from(bytes.len()).unwrap();
        fetched.extend_from_slice(bytes);
        Ok(())
    };
    link.get(name, offset, &mut into).await?;
    Ok(fetched)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_pushed_synced_and_handed_over() {
    let (ministry, link) = connected().await;
    let (name, bytes) = (bundle("a"), pattern(9_000_001));
    assert_eq!(link.prefix(LaneChannel::Bulk, name).await.unwrap(), 0);
    assert_eq!(put(&link, name, &bytes, 0).await.unwrap(), 9_000_001);
    assert_eq!(
        link.prefix(LaneChannel::Urgent, name).await.unwrap(),
        9_000_001
    );
    link.hand_over(LaneChannel::Bulk, name).await.unwrap();
    assert_eq!(ministry.memory.state().received[&name], bytes);
    // Handed over once more, as after a lost answer.
    link.hand_over(LaneChannel::Bulk, name).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_goes_on_from_the_synced_prefix() {
    let (ministry, link) = connected().await;
    let (name, bytes) = (bundle("a"), pattern(1_000_000));
    ministry
        .memory
        .state()
        .parts
        .insert(name, (bytes[..700_000].to_vec(), 600_000));
    let prefix = link.prefix(LaneChannel::Normal, name).await.unwrap();
    assert_eq!(prefix, 600_000);
    assert_eq!(put(&link, name, &bytes, prefix).await.unwrap(), 1_000_000);
    link.hand_over(LaneChannel::Normal, name).await.unwrap();
    assert_eq!(ministry.memory.state().received[&name], bytes);
}

#[tokio::test]
async fn an_empty_file_is_pushed_and_a_prefix_beyond_the_file_is_not() {
    let (ministry, link) = connected().await;
    put(&link, bundle("empty"), b"", 0).await.unwrap();
    link.hand_over(LaneChannel::Bulk, bundle("empty"))
        .await
        .unwrap();
    assert_eq!(ministry.memory.state().received[&bundle("empty")], b"");
    assert!(matches!(
        put(&link, bundle("b"), b"short", 6).await,
        Err(LinkError::Local(_))
    ));
}

#[tokio::test]
async fn a_denied_hand_over_brings_its_code() {
    let (ministry, link) = connected().await;
    put(&link, bundle("a"), b"bytes", 0).await.unwrap();
    let denial = Denied {
        code: "damaged".to_owned(),
        message: "send it again".to_owned(),
    };
    ministry.memory.state().denial = Some(denial);
    let error = link
        .hand_over(LaneChannel::Bulk, bundle("a"))
        .await
        .unwrap_err();
    let LinkError::Denied { code, message } = error else {
        panic!("{error}")
    };
    assert_eq!(code.as_deref(), Some("damaged"));
    assert_eq!(message, "damaged: send it again");
    let error = link
        .hand_over(LaneChannel::Bulk, bundle("unknown"))
        .await
        .unwrap_err();
    assert!(matches!(error, LinkError::Denied { code: Some(code), .. } if code == "no-such-file"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_listed_fetched_and_taken() {
    let (ministry, link) = connected().await;
    let (large, small) = (pattern(5_000_003), b"receipt".to_vec());
    ministry
        .memory
        .state()
        .offers
        .insert(bundle("a"), Arc::new(large.clone()));
    ministry
        .memory
        .state()
        .offers
        .insert(receipt("b"), Arc::new(small.clone()));
    let mut offers = link.offers().await.unwrap();
    offers.sort_by_key(|offer| offer.bytes);
    assert_eq!(
        offers,
        [
            Offer {
                name: receipt("b"),
                bytes: 7
            },
            Offer {
                name: bundle("a"),
                bytes: 5_000_003
            }
        ]
    );
    assert_eq!(get(&link, bundle("a"), 0).await.unwrap(), large);
    assert_eq!(
        get(&link, bundle("a"), 4_999_999).await.unwrap(),
        large[4_999_999..]
    );
    assert_eq!(get(&link, bundle("a"), 5_000_003).await.unwrap(), b"");
    assert_eq!(get(&link, receipt("b"), 0).await.unwrap(), small);
    link.taken(receipt("b")).await.unwrap();
    assert!(matches!(
        link.taken(receipt("b")).await,
        Err(LinkError::Denied { .. })
    ));
    assert!(matches!(
        link.taken(bundle("a")).await,
        Err(LinkError::Denied { .. })
    ));
    assert!(matches!(
        get(&link, receipt("b"), 0).await,
        Err(LinkError::Denied { .. })
    ));
    assert_eq!(link.offers().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_long_listing_comes_whole() {
    let (ministry, link) = connected().await;
    for number in 0..1_000 {
        let name = receipt(&number.to_string());
        ministry.memory.state().offers.insert(name, Arc::default());
    }
    assert_eq!(link.offers().await.unwrap().len(), 1_000);
}

#[tokio::test]
async fn a_wait_ends_when_the_bell_rings_also_before_it() {
    let (ministry, link) = connected().await;
    link.offers().await.unwrap();
    ministry.memory.bell.ring();
    // Rung between the listing and the wait: nothing is lost.
    link.wait(Duration::from_secs(30)).await.unwrap();
    link.offers().await.unwrap();
    let waiting = link.wait(Duration::from_secs(30));
    let ringing = async { ministry.memory.bell.ring() };
    tokio::join!(waiting, ringing).0.unwrap();
    link.offers().await.unwrap();
    link.wait(Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_wait_ends_when_the_server_stops() {
    let (ministry, link) = connected().await;
    link.offers().await.unwrap();
    let (waited, ()) = tokio::join!(link.wait(Duration::from_secs(30)), ministry.server.stop());
    drop(waited);
    assert!(matches!(link.offers().await, Err(LinkError::Broken(_))));
}

#[tokio::test]
async fn lanes_work_side_by_side() {
    let (ministry, link) = connected().await;
    let bytes = pattern(2_000_000);
    let upload = || Upload {
        source: file(&bytes),
        offset: 0,
        sent: Arc::default(),
    };
    let lanes = [LaneChannel::Urgent, LaneChannel::Normal, LaneChannel::Bulk];
    let [a, b, c] = lanes.map(|lane| link.put(lane, bundle(&format!("{lane:?}")), upload()));
    ministry
        .memory
        .state()
        .offers
        .insert(bundle("d"), Arc::new(bytes.clone()));
    let (a, b, c, d) = tokio::join!(a, b, c, get(&link, bundle("d"), 0));
    a.and(b).and(c).unwrap();
    assert_eq!(d.unwrap(), bytes);
    assert_eq!(ministry.memory.state().parts[&bundle("Urgent")].0, bytes);
}

#[tokio::test]
async fn transfers_end_when_the_server_goes() {
    let (ministry, link) = connected().await;
    let bytes = pattern(64 << 20);
    ministry
        .memory
        .state()
        .offers
        .insert(bundle("b"), Arc::new(bytes.clone()));
    let (pushed, fetched, ()) = tokio::join!(
        put(&link, bundle("a"), &bytes, 0),
        get(&link, bundle("b"), 0),
        ministry.server.stop(),
    );
    assert!(matches!(pushed, Err(LinkError::Broken(_))));
    assert!(matches!(fetched, Err(LinkError::Broken(_))));
    assert!(matches!(link.ended().await, LinkError::Broken(_)));
}

#[tokio::test]
async fn a_transfer_that_is_given_up_leaves_its_channel_usable() {
    let (ministry, link) = connected().await;
    let bytes = pattern(8 << 20);
    // More often than a channel has handles.
    for round in 0..20 {
        let name = bundle(&(round / 2).to_string());
        let given_up = put(&link, name, &bytes, 0);
        let written = async {
            while ministry
                .memory
                .state()
                .parts
                .get(&name)
                .is_none_or(|(part, _)| part.is_empty())
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            done = given_up => panic!("too fast to be given up: {done:?}"),
            () = written => {}
        }
        ministry.memory.state().parts.clear();
    }
    put(&link, bundle("b"), b"bytes", 0).await.unwrap();
    link.hand_over(LaneChannel::Bulk, bundle("b"))
        .await
        .unwrap();
}
