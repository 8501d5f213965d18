//! Judging a destruction record: who signed that what of which flow is gone, by which rule.
//! That a party signed it proves that it said so; what its machine really holds, no signature proves.

use amanah_format::destruction::{Side, VerifiedDestruction};
use amanahd::catalogue::{faces::proof as face, moment, shown};

use super::{
    kind::Kind,
    trust::{Bench, Finding, proof_of},
};

pub(super) fn judge(bytes: &[u8], bench: &Bench<'_>) -> Result<Finding, String> {
    let verified =
        VerifiedDestruction::verify(bytes, bench.keyring, bench.now).map_err(|e| e.to_string())?;
    let destruction = verified.destruction();
    let count = |number| moment::count(number, bench.language);
    let totals = destruction.totals;
    let what = match destruction.side {
        Side::Sent => face::DESTROYED_SENT,
        Side::Received => face::DESTROYED_RECEIVED,
    };
    let (from, peer) = (destruction.from.to_string(), destruction.peer.to_string());
    let first = destruction.bundles.first().map_or(0, |one| one.record);
    let last = destruction.bundles.last().map_or(0, |one| one.record);
    Ok(Finding {
        kind: Kind::Destruction,
        proof: Ok(proof_of(
            bench.keyring,
            &destruction.from,
            &verified.signer(),
            bench.now,
        )),
        signers: vec![from.clone()],
        digest: Some(verified.digest()),
        sentences: vec![
            (
                face::SAYS_DESTROYED,
                vec![
                    from,
                    destruction.number.to_string(),
                    bench.wib(destruction.begun),
                    bench.wib(destruction.finished),
                ],
            ),
            (
                what,
                vec![
                    peer,
                    destruction.flow.to_string(),
                    count(totals.bundles),
                    count(totals.sealed),
                    count(totals.files),
                    count(totals.rows),
                ],
            ),
            (
                face::DESTROYED_BY,
                vec![
                    destruction.agreement.id.to_string(),
                    destruction.agreement.version.to_string(),
                    destruction.rule.days.to_string(),
                    shown(&destruction.program),
                ],
            ),
            (
                face::DESTROYED_RECORDS,
                vec![
                    shown(&destruction.ledger),
                    first.to_string(),
                    last.to_string(),
                ],
            ),
        ],
        not_proven: vec![face::DESTRUCTION_NOT_PROVEN],
        facts: serde_json::to_value(destruction).unwrap_or_default(),
        unread: None,
    })
}
