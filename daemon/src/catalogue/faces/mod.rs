//! The sentences of the command line, by what they speak of; here those that several commands say.
//! A test holds both languages to the same values.

pub mod agreement;
pub mod help;
pub mod proof;
pub mod setup;
pub mod status;
pub mod traffic;

use super::texts;

texts! {
    FAILED = "amanah: {0}" / "amanah: {0}";
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
            help::ALL,
            proof::ALL,
            setup::ALL,
            status::ALL,
            traffic::ALL,
            crate::catalogue::faults::ALL,
            crate::catalogue::note::ALL,
            crate::catalogue::page::ALL,
        ];
        for (name, text) in all.concat() {
            assert_eq!(places(text.id), places(text.en), "{name}");
            assert!(!text.id.is_empty() && !text.en.is_empty(), "{name}");
        }
    }
}
