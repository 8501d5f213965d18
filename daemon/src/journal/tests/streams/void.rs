//! Numbers given up, as the journal keeps them: at the recipient a bundle or its void, whichever came first; at the sender while it
//! waits for the receipt. Held against SPOOL.md §2 and §3.

use super::*;

#[test]
fn a_bundle_and_its_void_have_one_row_and_the_first_of_the_two_decides() {
    let node = open();
    let take = |sequence: u64, verdict| {
        let name = format!("bundle {sequence}").into_bytes();
        let new = arrived(&name, manifest(sequence), verdict);
        let row = node.journal.take_over(&new, noon(), &mut print).unwrap();
        (row.state, row.refusal)
    };
    let voided = Verdict::Refuse(Refusal::Voided);
    node.comes(1);
    node.comes(3);
    let came = node.journal.last_came(&key().peer, &key().flow).unwrap();
    assert_eq!(take(1, voided), (Inbound::Admitted, None));
    assert_eq!(node.missing(), [(2, 2)]);
    assert_eq!(take(2, voided), (Inbound::Refused, Some(Refusal::Voided)));
    assert!(node.missing().is_empty());
    let records = node.records().len();
    for verdict in [Verdict::Admit, voided] {
        assert_eq!(take(2, verdict), (Inbound::Refused, Some(Refusal::Voided)));
    }
    assert_eq!(node.records().len(), records);
    // It is no sign of life of its flow.
    assert_eq!(
        node.journal.last_came(&key().peer, &key().flow).unwrap(),
        came
    );
}

#[test]
fn a_number_is_given_up_once_and_only_while_it_waits_for_its_receipt() {
    let node = open();
    let digest = node.goes(1).unwrap();
    let (peer, flow) = (party("imigrasi"), claim(1).flow);
    let wish = |number: u64| {
        let number = number.try_into().unwrap();
        node.journal
            .wish_void((&peer, &flow), number, 1_000)
            .unwrap()
    };
    assert_eq!((wish(1), wish(2)), (Some(digest), None));
    let asked = node.journal.voids().unwrap();
    assert_eq!((asked.len(), asked[0].asked_by), (1, Some(1_000)));
    let slip = Digest::of(b"slip");
    let mut make = |_| (slip, b"slip".to_vec());
    let mut give_up = |digest: &Digest| {
        let wanted = (digest, VoidReason::PayloadLost, 1_000);
        node.journal.give_up(wanted, noon(), &mut make).unwrap()
    };
    assert!(!give_up(&Digest::of(b"of nobody")));
    assert!(give_up(&digest));
    // Wished again, it is not asked again.
    assert_eq!(wish(1), Some(digest));
    let said = node.journal.voids().unwrap();
    assert_eq!(said[0].reason, Some(VoidReason::PayloadLost));
    assert_eq!(said[0].asked_by, None);
    assert_eq!(node.journal.slips_for(&peer).unwrap().len(), 1);
    let record = node.records().pop().unwrap();
    assert_eq!((record.kind, record.by), (Kind::Voided, Some(1_000)));
    assert_eq!(
        (record.manifest, record.digests),
        (Some(digest), vec![slip])
    );
    let node = node.reopened();
    assert_eq!(node.journal.voids().unwrap(), said);
    node.journal.forget_void(&digest).unwrap();
    assert!(node.journal.voids().unwrap().is_empty());
}
