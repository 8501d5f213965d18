//! The examples beneath the help of each command: lines that can be typed as they stand, names and digests apart.
//! A test holds that every command has one, and that the command line understands each.

/// Under the help of `amanah` itself.
pub(crate) const AMANAH: &str = "\
Examples:
  amanah init --party kemenhaj --name 'Kementerian Haji dan Umrah' \\
    --contact 'Piket, +62 21 …'
  amanah send imigrasi manifes-umrah manifes-2026-11-22.csv --wait
  amanah status
  amanah verify bundle.amanah receipt.amanah

Exit codes:
   0 ok        1 does not verify, or negative outcome
  64 usage    65 bad document       66 no such file   69 daemon not running
  74 I/O      77 not permitted      78 configuration";

/// Of those commands whose own file has none: by path.
pub(super) const COMMANDS: &[(&str, &str)] = &[
    (
        "card show",
        "  amanah card show\n  amanah card show imigrasi",
    ),
    ("card export", "  amanah card export /media/usb/"),
    (
        "card allowed-signers",
        "  amanah card allowed-signers > allowed_signers",
    ),
    (
        "card renew",
        "  amanah card renew\n  amanah card renew --only transport --revoke",
    ),
    ("card retire", "  amanah card retire"),
    (
        "peer add",
        "  amanah peer add imigrasi.card.amanah --fingerprint SHA256:… --dial 10.20.0.2:2222\n  \
         amanah peer add kemenhaj.card.amanah --fingerprint SHA256:…",
    ),
    (
        "peer renew",
        "  amanah peer renew imigrasi\n  amanah peer renew /media/usb/imigrasi.2.card.amanah",
    ),
    ("peer list", "  amanah peer list"),
    ("peer remove", "  amanah peer remove imigrasi"),
    (
        "retention due",
        "  amanah retention due\n  amanah retention due --within 30 --json",
    ),
    (
        "retention run",
        "  amanah retention run --dry-run\n  amanah retention run",
    ),
    (
        "retention hold",
        "  amanah retention hold imigrasi perlintasan --reason 'Perkara 12/2026'\n  \
         amanah retention hold imigrasi perlintasan --bundle sha256:… --reason 'Diminta Itjen'\n  \
         amanah retention hold imigrasi perlintasan --release --reason 'Perkara selesai'",
    ),
    (
        "agreement draft",
        "  amanah agreement draft --id pks-manifes --peer imigrasi --title 'Pertukaran manifes' \\
    --flow manifes-umrah:out:10GB --flow hasil-periksa:in:1GB:urgent:90 \\
    --from 2026-11-01 --until 2028-10-31 \\
    --purpose 'pengawasan:Pengawasan keberangkatan jemaah' \\
    --legal-basis 'UU 14/2025' --dpia DPIA-2026-01 \\
    --officer 'PPDP, +62 21 …' --peer-officer 'PPDP, +62 21 …'
  amanah agreement draft --file pks-manifes.toml",
    ),
    ("agreement sign", "  amanah agreement sign pks-manifes"),
    (
        "agreement export",
        "  amanah agreement export pks-manifes /media/usb/",
    ),
    (
        "agreement import",
        "  amanah agreement import pks-manifes-v1.agreement.amanah",
    ),
    (
        "agreement show",
        "  amanah agreement show pks-manifes\n  amanah agreement show ./pks-manifes-v1.agreement.amanah",
    ),
    ("agreement list", "  amanah agreement list"),
    (
        "agreement revoke",
        "  amanah agreement revoke pks-manifes --reason 'kunci bocor'",
    ),
    (
        "stream reopen",
        "  amanah stream reopen imigrasi manifes-umrah",
    ),
    ("stream vouch", "  amanah stream vouch imigrasi"),
    (
        "stream void",
        "  amanah stream void imigrasi manifes-umrah 7",
    ),
    ("returned", "  amanah returned"),
    ("quarantine list", "  amanah quarantine list"),
    ("quarantine show", "  amanah quarantine show 3f2a"),
    (
        "quarantine release",
        "  amanah quarantine release sha256:3f2a…",
    ),
    (
        "ledger verify",
        "  amanah ledger verify\n  amanah ledger verify /media/audit/ledger --card imigrasi.card.amanah",
    ),
    (
        "drill data",
        "  amanah drill data --dataset all --rows 6300 --out latihan
  amanah drill data --dataset D1 --rows 1000000 --seed 7 --out latihan
  amanah drill data --dataset manifes-umrah,registri-penyelenggara,perlintasan --rows 1800000 \\
    --from 2030-01-01 --out latihan --json > kunci.json
  amanah drill data --dataset all --rows 6300 --out ralat \\
    --corrects sha256:89e0f2b52fc68b0e4fb06bf0a1a1b4c3b8a6c0f3b1a5c3d6f1d4d31f4a3e9c77
  amanah drill data --dataset D4 --rows 12600 --out latihan --errors 0.5%
  amanah drill data --dataset D1 --rows 500 --out latihan --spoil excel-exponent",
    ),
    ("ledger show", "  amanah ledger show --last 50"),
    ("ledger accept", "  amanah ledger accept imigrasi"),
];
