//! Judging a destruction record: who signed that what of which flow is gone, by which rule.
//! That a party signed it proves that it said so; what its machine really holds, no signature proves.

use amanah_format::destruction::{Destruction, Side, VerifiedDestruction};
use amanahd::catalogue::{Text, faces::proof as face, moment, shown};

use super::{
    kind::Kind,
    trust::{Bench, Finding, proof_of},
};

pub(super) fn judge(bytes: &[u8], bench: &Bench<'_>) -> Result<Finding, String> {
    let verified =
        VerifiedDestruction::verify(bytes, bench.keyring, bench.now).map_err(|e| e.to_string())?;
    let destruction = verified.destruction();
    let (from, signer) = (&destruction.from, verified.signer());
    Ok(Finding {
        kind: Kind::Destruction,
        proof: Ok(proof_of(bench.keyring, from, &signer, bench.now)),
        signers: vec![from.to_string()],
        digest: Some(verified.digest()),
        sentences: sentences(destruction, bench),
        not_proven: vec![face::DESTRUCTION_NOT_PROVEN],
        facts: serde_json::to_value(destruction).unwrap_or_default(),
        unread: None,
    })
}

fn sentences(destruction: &Destruction, bench: &Bench<'_>) -> Vec<(Text, Vec<String>)> {
    let count = |number| moment::count(number, bench.language);
    let totals = destruction.totals;
    let what = match destruction.side {
        Side::Sent => face::DESTROYED_SENT,
        Side::Received => face::DESTROYED_RECEIVED,
    };
    let first = destruction.bundles.first().map_or(0, |one| one.record);
    let last = destruction.bundles.last().map_or(0, |one| one.record);
    let said = vec![
        destruction.from.to_string(),
        destruction.number.to_string(),
        bench.wib(destruction.begun),
        bench.wib(destruction.finished),
    ];
    let destroyed = vec![
        destruction.peer.to_string(),
        destruction.flow.to_string(),
        count(totals.bundles),
        count(totals.sealed),
        count(totals.files),
        count(totals.rows),
    ];
    let by = vec![
        destruction.agreement.id.to_string(),
        destruction.agreement.version.to_string(),
        destruction.rule.days.to_string(),
        shown(&destruction.program),
    ];
    let records = vec![
        shown(&destruction.ledger),
        first.to_string(),
        last.to_string(),
    ];
    vec![
        (face::SAYS_DESTROYED, said),
        (what, destroyed),
        (face::DESTROYED_BY, by),
        (face::DESTROYED_RECORDS, records),
    ]
}
