//! What `amanah doctor` finds: what is wrong, and what to do, with the command where there is one. Values stand in braces; they
//! are places, numbers and codes, never names of items.

use crate::catalogue::{Text, texts};

/// One kind of finding: a stable code, what is wrong, what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// Stable, for scripts.
    pub code: &'static str,
    /// What is wrong.
    pub what: Text,
    /// What to do.
    pub remedy: Text,
}

/// (Indonesian, English).
type Pair = (&'static str, &'static str);

const fn text(pair: Pair) -> Text {
    Text {
        id: pair.0,
        en: pair.1,
    }
}

/// Declares findings: `NAME "code" what; remedy.`
macro_rules! advice {
    ($($name:ident $code:literal $what:tt $remedy:tt)+) => {
        $(
            #[doc = concat!("`", $code, "`")]
            pub const $name: Advice = Advice { code: $code, what: text($what), remedy: text($remedy) };
        )+
        /// All findings that there are.
        pub const FINDINGS: &[Advice] = &[$($name),+];
    };
}

texts! {
    ERROR = "SALAH" / "WRONG";
    WARNING = "AWAS" / "WARNING";
    NOTE = "catatan" / "note";
    LINE = "{0} ({1}): {2}" / "{0} ({1}): {2}";
    REMEDY = "    → {0}" / "    → {0}";
    GOOD = "Diperiksa: {0}. Tidak ada yang perlu diperbaiki." / "Checked: {0}. Nothing needs mending.";
    TOTAL = "Diperiksa: {0}. Salah: {1}, awas: {2}, catatan: {3}." / "Checked: {0}. Wrong: {1}, warnings: {2}, notes: {3}.";
}

/// What is looked at, by its code in the report.
const AREAS: &[(&str, Pair)] = &[
    ("configuration", ("konfigurasi", "configuration")),
    ("home", ("folder data", "home")),
    ("store", ("penyimpanan", "store")),
    ("tables", ("basis data tabel", "database for tables")),
    ("cards", ("kartu", "cards")),
    ("keys", ("kunci", "keys")),
    ("agreements", ("perjanjian", "agreements")),
    ("clock", ("jam", "clock")),
    ("disk", ("diska", "disk")),
    ("daemon", ("layanan", "daemon")),
    ("flows", ("alur data", "flows")),
    ("peers", ("mitra", "peers")),
];

/// The name of an area; none of an unknown code.
#[must_use]
pub fn area(code: &str) -> Option<Text> {
    let mut areas = AREAS.iter();
    areas
        .find(|(known, _)| *known == code)
        .map(|(_, pair)| text(*pair))
}

advice! {
    CONFIG_WRONG "config-wrong"
        ("konfigurasi tidak dapat dipakai: {0}", "the configuration cannot be used: {0}")
        ("perbaiki berkas itu, lalu: amanahd check", "correct that file, then: amanahd check")
    HOME_MISSING "home-missing"
        ("folder data {0} tidak ada", "the home {0} is not there")
        ("buat folder itu atau pasang diskanya: systemd-tmpfiles --create", "make the folder or mount its disk: systemd-tmpfiles --create")
    HOME_OPEN "home-open"
        ("folder data {0} terbuka untuk semua orang (mode {1})", "the home {0} is open to everybody (mode {1})")
        ("chmod o-rwx {0}", "chmod o-rwx {0}")
    FOLDER_MISSING "folder-missing"
        ("folder {0} tidak ada", "the folder {0} is not there")
        ("layanan membuatnya saat mulai: systemctl restart amanahd", "the daemon makes it when it starts: systemctl restart amanahd")
    FOLDER_MODE "folder-mode"
        ("folder {0} bermode {1}, seharusnya {2}", "the folder {0} has mode {1}; it should have {2}")
        ("chmod {2} {0}", "chmod {2} {0}")
    FOLDER_OWNER "folder-owner"
        ("folder {0} milik pengguna {1}, tetapi folder data milik pengguna {2}", "the folder {0} is owned by user {1}, the home by user {2}")
        ("chown {2} {0}", "chown {2} {0}")
    OUTBOX_CLOSED "outbox-closed"
        ("grup operator tidak boleh menulis di {0} (mode {1})", "the operators' group may not write in {0} (mode {1})")
        ("chmod 2770 {0}, lalu: systemd-tmpfiles --create", "chmod 2770 {0}, then: systemd-tmpfiles --create")
    OUTBOX_WITHOUT_ACL "outbox-without-acl"
        ("{0} tidak punya ACL bawaan: berkas operator dengan umask ketat tidak dapat diambil", "{0} has no default ACL: what operators with a strict umask drop cannot be taken")
        ("systemd-tmpfiles --create", "systemd-tmpfiles --create")
    OUTBOX_ELSEWHERE "outbox-elsewhere"
        ("{0} ada di sistem berkas lain daripada folder data; itu boleh", "{0} is on another file system than the home; that is allowed")
        ("pastikan unit mengizinkannya: ReadWritePaths= (systemd/README.md)", "make sure that the unit allows it: ReadWritePaths= (systemd/README.md)")
    STORE_MISSING "store-missing"
        ("penyimpanan {0} tidak ada isinya: diskanya mungkin tidak terpasang", "the store {0} is empty: its disk may not be mounted")
        ("pasang diskanya, lalu: amanah retry", "mount the disk, then: amanah retry")
    TABLES_UNUSABLE "tables-unusable"
        ("basis data untuk tabel tidak dapat dipakai: {0}", "the database for tables cannot be used: {0}")
        ("perbaiki yang disebut di sana; kiriman menunggu dan diimpor sendiri sesudahnya", "mend what is named there; bundles wait, and are imported by themselves afterwards")
    TABLES_MIGHTY "tables-mighty"
        ("peran di basis data boleh lebih dari yang diperlukan", "the role in the database may more than it needs")
        ("pakai peran dari docs/postgresql-grants.sql", "take the role of docs/postgresql-grants.sql")
    KEYS_UNSEEN "keys-unseen"
        ("kunci rahasia tidak dapat diperiksa oleh pengguna ini", "this user may not look at the private keys")
        ("sudo amanah doctor", "sudo amanah doctor")
    KEYS_WRONG "keys-wrong"
        ("kunci tidak dapat dipakai: {0}", "the keys cannot be used: {0}")
        ("bandingkan dengan kartu: amanah card show", "compare with the card: amanah card show")
    KEYS_FOLDER_OPEN "keys-folder-open"
        ("folder kunci {0} dapat dibuka orang lain (mode {1})", "the folder of keys {0} is open to others (mode {1})")
        ("chmod 700 {0}", "chmod 700 {0}")
    OWN_KEYS_END "own-keys-end"
        ("kunci pada kartu kita berakhir {0} ({1} hari lagi)", "the keys of our card end on {0} ({1} days left)")
        ("buat kunci dan kartu baru: amanah card renew, lalu systemctl restart amanahd", "make new keys and a new card: amanah card renew, then systemctl restart amanahd")
    PEER_KEYS_END "peer-keys-end"
        ("kunci pada kartu {0} berakhir {1} ({2} hari lagi)", "the keys of {0}'s card end on {1} ({2} days left)")
        ("minta {0} menjalankan amanah card renew; kartunya datang lewat sambungan, atau pasang berkasnya: amanah peer renew BERKAS", "ask {0} to run amanah card renew; its card comes by the connection, or install its file: amanah peer renew FILE")
    CARD_FORK "card-fork"
        ("dua kartu mengaku sebagai pengganti kartu {0} yang sama: mungkin kunci lamanya dicuri", "two cards claim to follow the same card of {0}: an old key of it may be stolen")
        ("cocokkan sidik jari kartu yang benar lewat telepon: amanah peer add KARTU --fingerprint SHA256:…", "compare the fingerprint of the right card by telephone: amanah peer add CARD --fingerprint SHA256:…")
    CARD_OFFERED "card-offered"
        ("kartu baru {0}, ditandatangani kartu lamanya, menunggu dipasang", "a new card of {0}, signed by its old one, waits to be installed")
        ("amanah peer renew {0}, lalu systemctl reload amanahd", "amanah peer renew {0}, then systemctl reload amanahd")
    CARD_UNPROVEN "card-unproven"
        ("kartu baru {0} tidak dijamin kartu lamanya", "a new card of {0} is not vouched for by its old one")
        ("cocokkan sidik jarinya lewat telepon: amanah peer add KARTU --fingerprint SHA256:…", "compare its fingerprint by telephone: amanah peer add CARD --fingerprint SHA256:…")
    DOCUMENT_IGNORED "document-ignored"
        ("dokumen {0} tidak berlaku: {1}", "the document {0} does not count: {1}")
        ("amanah agreement list", "amanah agreement list")
    PAPERS_CONFLICT "papers-conflict"
        ("perjanjian bertentangan: {0}", "agreements contradict each other: {0}")
        ("amanah agreement list", "amanah agreement list")
    AGREEMENT_NONE "agreement-none"
        ("tidak ada perjanjian yang berlaku dengan {0}: tidak ada yang dikirim atau diterima", "no agreement with {0} is in force: nothing is sent or taken")
        ("amanah agreement list", "amanah agreement list")
    AGREEMENT_ENDS "agreement-ends"
        ("perjanjian {0} dengan {1} berakhir {2} ({3} hari lagi)", "the agreement {0} with {1} ends on {2} ({3} days left)")
        ("sepakati versi berikutnya: amanah agreement draft --version …", "agree on the next version: amanah agreement draft --version …")
    AGREEMENT_DRAINS "agreement-drains"
        ("perjanjian {0} versi {1} sudah digantikan; kiriman yang masih di jalan diterima sampai {2}", "the agreement {0}, version {1}, is superseded; what is under way is taken until {2}")
        ("pastikan mitra sudah memasang versi baru", "see that the peer has installed the new version")
    CLOCK_UNSYNCED "clock-unsynced"
        ("jam komputer ini tidak disinkronkan", "the clock of this machine is not synchronised")
        ("timedatectl set-ntp true, lalu: timedatectl status", "timedatectl set-ntp true, then: timedatectl status")
    CLOCK_UNKNOWN "clock-unknown"
        ("tidak dapat diketahui apakah jam komputer ini disinkronkan", "whether the clock of this machine is synchronised cannot be told")
        ("timedatectl status", "timedatectl status")
    CLOCK_PEER_AHEAD "clock-peer-ahead"
        ("tanda terima {0} ditandatangani {1} detik setelah tiba: satu dari kedua jam salah", "a receipt of {0} was signed {1} s after it came: one of the two clocks is wrong")
        ("timedatectl status, di kedua sisi", "timedatectl status, on both sides")
    CLOCK_HOLDS "clock-holds"
        ("{0} kiriman ditahan karena jam kedua pihak berbeda", "{0} bundles are held because the two clocks differ")
        ("timedatectl status, di kedua sisi", "timedatectl status, on both sides")
    CLOCK_WENT_BACK "clock-went-back"
        ("status layanan ditulis {0} detik di masa depan: jam mundur", "the daemon's status was written {0} s in the future: the clock went back")
        ("timedatectl status", "timedatectl status")
    DISK_FULL "disk-full"
        ("sisa ruang di {0} {1}, di bawah batas {2}: kiriman mitra tidak diterima", "{1} are left on {0}, below the bound of {2}: bundles of peers are not taken")
        ("kosongkan ruang: df -h {0}", "make room: df -h {0}")
    DISK_LOW "disk-low"
        ("sisa ruang di {0} tinggal {1}; batasnya {2}", "only {1} are left on {0}; the bound is {2}")
        ("kosongkan ruang: df -h {0}", "make room: df -h {0}")
    INODES_LOW "inodes-low"
        ("sisa inode di {0} tinggal {1} dari {2}", "only {1} of {2} inodes are left on {0}")
        ("hapus berkas kecil yang tidak perlu: df -i {0}", "remove small files that are not needed: df -i {0}")
    DAEMON_NEVER "daemon-never"
        ("layanan belum pernah berjalan di {0}", "the daemon has never run in {0}")
        ("systemctl enable --now amanahd", "systemctl enable --now amanahd")
    DAEMON_STOPPED "daemon-stopped"
        ("layanan berhenti; statusnya berumur {0} detik", "the daemon has stopped; its status is {0} s old")
        ("systemctl start amanahd", "systemctl start amanahd")
    DAEMON_SILENT "daemon-silent"
        ("layanan tidak memberi kabar selama {0} detik", "the daemon has said nothing for {0} s")
        ("systemctl status amanahd; journalctl -u amanahd -n 50", "systemctl status amanahd; journalctl -u amanahd -n 50")
    DAEMON_OTHER_VERSION "daemon-other-version"
        ("layanan berversi {0}, perintah ini {1}", "the daemon is of version {0}, this command of {1}")
        ("systemctl restart amanahd", "systemctl restart amanahd")
    ALARM "alarm"
        ("alarm {0} ({1}, sejak {2})", "alarm {0} ({1}, since {2})")
        ("amanah status; arti kodenya: docs/refusals.md", "amanah status; what the code means: docs/refusals.md")
    UNSETTLED "unsettled"
        ("{0}: yang terlama belum selesai sudah {1} jam", "{0}: the oldest that is not settled has waited {1} hours")
        ("amanah status", "amanah status")
    NUMBERS_MISSING "numbers-missing"
        ("{0}: {1} nomor belum datang, yang pertama sesudah {2}", "{0}: {1} numbers have not come, the first of them after {2}")
        ("tanyakan kepada mitra; kirimannya mungkin masih antre di sana", "ask the peer; they may still be queued there")
    PEER_PAUSED "peer-paused"
        ("pertukaran dengan {0} dijeda", "the exchange with {0} is paused")
        ("amanah resume {0}", "amanah resume {0}")
    PEER_SILENT "peer-silent"
        ("{0}, yang seharusnya menyambung ke sini, sudah {1} jam tidak tersambung", "{0}, which dials us, has not been connected for {1} hours")
        ("tanyakan kepada admin sistem mitra; periksa VPN (docs/jaringan-vpn.md)", "ask the peer's system administrator; check the VPN (docs/jaringan-vpn.md)")
    PEER_UNRESOLVED "peer-unresolved"
        ("alamat {0} ({1}) tidak dapat diterjemahkan: {2}", "the address of {0} ({1}) does not resolve: {2}")
        ("getent hosts, lalu perbaiki `dial` di amanah.toml", "getent hosts, then correct `dial` in amanah.toml")
    PEER_UNREACHABLE "peer-unreachable"
        ("{0} tidak terjangkau di {1}: {2}", "{0} cannot be reached at {1}: {2}")
        ("periksa VPN dan tembok api (docs/jaringan-vpn.md), lalu tanyakan apakah layanan mitra berjalan", "check the VPN and the firewall (docs/jaringan-vpn.md), then ask whether the peer's daemon runs")
    PEER_OTHER_KEY "peer-other-key"
        ("di alamat {0} ({1}) menjawab kunci lain: {2}, pada kartu {3}", "another key answers at {0}'s address ({1}): {2}; the card has {3}")
        ("jangan ubah apa pun; telepon mitra dan cocokkan kartunya", "change nothing; telephone the peer and compare its card")
    LISTEN_CLOSED "listen-closed"
        ("tidak ada yang mendengarkan di {0}: {1}", "nothing listens at {0}: {1}")
        ("systemctl status amanahd; ss -ltn", "systemctl status amanahd; ss -ltn")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_has_a_code_of_its_own_and_says_what_to_do() {
        let mut codes: Vec<_> = FINDINGS.iter().map(|advice| advice.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), FINDINGS.len());
        for Advice { what, remedy, .. } in FINDINGS {
            for text in [what.id, what.en, remedy.id, remedy.en] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
            }
        }
    }
}
