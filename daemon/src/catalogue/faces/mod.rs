//! The sentences of the command line, by what they speak of; here those that several commands say.
//! A test holds both languages to the same values.

pub mod agreement;
pub mod doctor;
pub mod drill;
pub mod help;
pub mod proof;
pub mod reconcile;
pub mod retention;
pub mod setup;
pub mod status;
pub mod stick;
pub mod traffic;

use super::texts;

texts! {
    FAILED = "amanah: {0}" / "amanah: {0}";
    MISSING = "{0} tidak ada." / "{0} does not exist.";
    NO_CONFIG = "Konfigurasi {0} tidak ada. Buat dengan `amanah init`, atau sebutkan yang lain dengan --config atau --home." /
        "There is no configuration {0}. Make it with `amanah init`, or name another with --config or --home.";
    DENIED = "{0}: akses ditolak. Operator: minta menjadi anggota grup amanah-operators; admin sistem: jalankan sebagai root." /
        "{0}: permission denied. Operators: ask to be in the group amanah-operators; system administrators: run it as root.";
    IS_A_FOLDER = "{0} adalah folder; sebutkan berkasnya." / "{0} is a folder; name a file.";
    NO_FOLDER = "{0} bukan folder." / "{0} is no folder.";
    EXISTS = "{0} sudah ada; tidak ada yang ditimpa. Sebutkan nama lain." / "{0} exists already; nothing is overwritten. Give another name.";
    DISK_FULL = "{0}: diska penuh." / "{0}: the disk is full.";
    READ_ONLY = "{0}: hanya dapat dibaca. Geser kunci tulis pada stik, atau pakai stik lain." / "{0}: read-only. Slide the stick's write lock, or use another one.";
    RELOAD = "Muat ulang layanan agar berlaku: systemctl reload amanahd" / "Reload the daemon to apply it: systemctl reload amanahd";
    RESTART = "Jalankan ulang layanan agar berlaku: systemctl restart amanahd" / "Restart the daemon to apply it: systemctl restart amanahd";
    YES = "ya" / "yes";
    NO = "tidak" / "no";
    NOTHING = "Tidak ada." / "None.";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<char> {
        let mut places: Vec<char> = text
            .split('{')
            .skip(1)
            .filter_map(|after| after.chars().next())
            .collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    #[test]
    fn both_languages_say_the_same_values() {
        let all = [
            ALL,
            agreement::ALL,
            doctor::ALL,
            drill::ALL,
            help::ALL,
            proof::ALL,
            reconcile::ALL,
            retention::ALL,
            setup::ALL,
            status::ALL,
            stick::ALL,
            traffic::ALL,
            crate::catalogue::faults::ALL,
            crate::catalogue::note::ALL,
            crate::catalogue::page::ALL,
            crate::catalogue::table::ALL,
        ];
        let findings = doctor::FINDINGS.iter();
        let findings =
            findings.flat_map(|advice| [(advice.code, advice.what), (advice.code, advice.remedy)]);
        for (name, text) in all.concat().into_iter().chain(findings) {
            assert_eq!(places(text.id), places(text.en), "{name}");
            assert!(!text.id.is_empty() && !text.en.is_empty(), "{name}");
        }
    }
}
