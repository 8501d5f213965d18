//! Sentences of `init`, `card`, `peer`; the comments of a new configuration.
//! Whoever reads them installs a node for the first time.

use crate::catalogue::texts;

texts! {
    EXISTS = "{0} sudah ada; tidak ada yang ditimpa. Pindahkan dulu bila memang ingin membuat baru." /
        "{0} exists already; nothing is overwritten. Move it away first if you really want a new one.";
    INIT_DONE = "Kunci, kartu, dan konfigurasi dibuat di {0}." / "Keys, card and configuration are in {0}.";
    FINGERPRINT = "Sidik jari kartu: {0}" / "Card's fingerprint: {0}";
    INIT_NEXT = "Serahkan {0} kepada mitra, lalu bacakan sidik jari kartu lewat telepon. Simpan cadangan folder keys/ di tempat aman." /
        "Hand {0} to the peer, then read the fingerprint over the telephone. Keep a backup of keys/ in a safe place.";
    CARD_EXPORTED = "Kartu disalin ke {0}." / "The card was copied to {0}.";
    CARD_PARTY = "Pihak:         {0}, {1}" / "Party:         {0}, {1}";
    CARD_NUMBER = "Kartu nomor:   {0}, dibuat {1}" / "Card number:   {0}, made {1}";
    CARD_CONTACT = "Narahubung:    {0}" / "Contact:       {0}";
    CARD_ADDRESS = "Alamat:        {0}" / "Address:       {0}";
    KEY_SIGNING = "Kunci tanda tangan: {0}, berlaku sampai {1}" / "Signing key:        {0}, valid until {1}";
    KEY_TRANSPORT = "Kunci sambungan:    {0}, berlaku sampai {1}" / "Transport key:      {0}, valid until {1}";
    KEY_LEDGER = "Kunci jejak audit:  {0}, berlaku sampai {1}" / "Ledger key:         {0}, valid until {1}";
    KEY_DECRYPTION = "Kunci penyandian:   {0}, berlaku sampai {1}" / "Encryption key:     {0}, valid until {1}";
    CARD_BEFORE = "Kartu sebelumnya: nomor {0}, {1}" / "Card before:   number {0}, {1}";
    RENEWED = "Kartu nomor {0} dan kunci barunya dibuat: {1}." / "Card number {0} and its new keys were made: {1}.";
    RENEWED_UNTIL = "Kunci lama tetap berlaku sampai {0}." / "The old keys stay valid until {0}.";
    RENEWED_REVOKED = "Kunci lama DICABUT mulai sekarang. Telepon setiap mitra: bacakan sidik jari kartu baru, dan minta mereka memeriksa tanda card-fork." /
        "The old keys are REVOKED from now on. Call every peer: read the new card's fingerprint, and ask them to look for the alarm card-fork.";
    RENEWED_UNVOUCHED = "Tidak ada kunci lama yang berlaku: kartu ini tidak dijamin kartu lama. Setiap mitra memasangnya dengan sidik jari yang dibacakan lewat telepon." /
        "No old key is valid: the old card does not vouch for this one. Every peer installs it by the fingerprint, read over the telephone.";
    RENEWED_NEXT = "Sesudah itu mitra menerima kartu ini lewat sambungan; untuk yang tidak tersambung: amanah card export FOLDER. Perbarui cadangan folder keys/." /
        "Peers then get this card by the connection; for those without one: amanah card export FOLDER. Renew the backup of keys/.";
    RETIRED = "Kunci rahasia dihapus: {0}" / "Secret key removed: {0}";
    RETIRED_NONE = "Tidak ada kunci yang sudah berakhir." / "No key has ended.";
    RETIRED_NEXT = "Hapus juga dari cadangan. Kunci penyandian lama tetap disimpan: kiriman lama masih memerlukannya." /
        "Remove it from backups as well. Old decryption keys stay: older bundles still need them.";
    PEER_RENEWED = "Kartu {0} nomor {1} dipasang; kartu sebelumnya menjaminnya." / "Card number {1} of {0} was installed; the card before it vouches for it.";
    PEER_UP_TO_DATE = "Kartu {0} yang terpasang sudah yang terbaru." / "The newest card of {0} is installed already.";
    PEER_NOTHING_OFFERED = "Tidak ada kartu baru {0} yang menunggu." / "No new card of {0} waits.";
    PEER_NOT_FOLLOWING = "Kartu ini tidak dapat dipasang tanpa telepon: {0}. Cocokkan sidik jarinya lewat nomor resmi, lalu: amanah peer add BERKAS --fingerprint SHA256:…" /
        "This card cannot be installed without a telephone call: {0}. Compare its fingerprint at the official number, then: amanah peer add FILE --fingerprint SHA256:…";
    PEER_FORKED = "Dua kartu {0} mengaku sebagai pengganti kartu yang sama; salah satunya tidak asli." / "Two cards of {0} claim to follow the same card; one of them is not genuine.";
    PEER_CHAIN_BROKEN = "{0} bukan kartu sebelum yang lain: sidik jari yang dibacakan tidak mencakupnya." / "{0} is not the card before another one: the fingerprint that was read does not cover it.";
    FINGERPRINT_DIFFERS = "Sidik jari kartu TIDAK cocok.\n  dibacakan:  {0}\n  pada kartu: {1}\nJangan dipasang; hubungi mitra lewat nomor resmi." /
        "The fingerprint does NOT match.\n  read to you: {0}\n  on the card: {1}\nDo not install it; call the peer at its official number.";
    NO_CARD = "Kartu {0} belum ada di sini. Minta kartunya, lalu pasang dengan `amanah peer add`." /
        "There is no card of {0} here. Ask for it, then install it with `amanah peer add`.";
    PEER_IS_US = "{0} adalah pihak kita sendiri; mitra harus pihak lain." / "{0} is our own party; a peer is another.";
    PEER_OTHER_CARD = "Kartu lain milik {0} sudah terpasang di {1}. Kartu bernomor sama tidak ditimpa; bila memang salah, jalankan `amanah peer remove {0}` dahulu." /
        "Another card of {0} is installed at {1}. A card of the same number is not overwritten; if it is wrong, run `amanah peer remove {0}` first.";
    PEER_ADDED = "Mitra {0} ({1}) terdaftar." / "Peer {0} ({1}) was added.";
    PEER_REMOVED = "Mitra {0} dihapus dari konfigurasi, beserta kartunya." / "Peer {0} was removed from the configuration, and its card with it.";
    PEER_LINE = "{0} · {1} · {2} · kunci berlaku sampai {3}" / "{0} · {1} · {2} · keys valid until {3}";
    PEER_NO_CARD = "{0} · {1} · KARTU BELUM ADA" / "{0} · {1} · NO CARD";
    PEER_DIALLED = "kita menghubungi {0}" / "we dial {0}";
    PEER_DROP = "melalui server titipan {0}" / "through the drop at {0}";
    PEER_DIALS = "mitra menghubungi kita" / "the peer dials us";
    PEER_BY_HAND = "dibawa dengan tangan (`amanah export`, `amanah import`)" / "carried by hand (`amanah export`, `amanah import`)";
    PEER_ADDED_BY_HAND = "Tidak ada jalan lewat jaringan ke {0}: konfigurasi tidak memuat `dial` untuknya maupun [listen]. Kiriman dibawa dengan stik: `amanah export`, `amanah import`. Bila seharusnya tersambung, tambahkan salah satunya." /
        "No wire leads to {0}: the configuration has neither a `dial` for it nor [listen]. Bundles are carried on a stick: `amanah export`, `amanah import`. If it should connect, add one of the two.";
    NO_PEERS = "Belum ada mitra. Pasang kartu mitra dengan `amanah peer add`." / "No peer yet. Install a peer's card with `amanah peer add`.";
    CONFIG = "# Konfigurasi Amanah. Setelah diubah: `amanahd check`, lalu `systemctl reload amanahd`.\n\n# Nama pihak kita; sama dengan yang tertera pada kartu.\nparty = \"{0}\"\n\n# Folder data: kotak keluar, kotak masuk, tanda terima.\nhome = \"{1}\"\n\n# Bahasa: id atau en.\nlanguage = \"{2}\"\n\n{3}\n# Hanya bila baris tabel masuk ke basis data; tanpa ini tabel tiba sebagai berkas.\n# [store.tables]\n# kind = \"sqlite\"\n\n# Mitra ditambahkan oleh `amanah peer add`.\n" /
        "# The configuration of Amanah. After a change: `amanahd check`, then `systemctl reload amanahd`.\n\n# Our party id, as the card has it.\nparty = \"{0}\"\n\n# Folder of outbox, inbox and receipts.\nhome = \"{1}\"\n\n# Language: id or en.\nlanguage = \"{2}\"\n\n{3}\n# Only where rows of tables land in a database; without it a table arrives as a file.\n# [store.tables]\n# kind = \"sqlite\"\n\n# Peers are added by `amanah peer add`.\n";
    CONFIG_LISTEN = "# Alamat (VPN) tempat mitra boleh menghubungi kita, dan jaringan yang boleh masuk.\n[listen]\naddress = {0}\nnetworks = {1}\n" /
        "# The (VPN) address where peers may dial us, and the networks that may connect.\n[listen]\naddress = {0}\nnetworks = {1}\n";
    CONFIG_LISTEN_OFF = "# Hanya bila mitra yang menghubungi kita: alamat VPN dan jaringan yang boleh masuk.\n# [listen]\n# address = \"10.20.0.1:2222\"\n# networks = [\"10.20.0.0/16\"]\n" /
        "# Only where peers dial us: the VPN's address, and the networks that may connect.\n# [listen]\n# address = \"10.20.0.1:2222\"\n# networks = [\"10.20.0.0/16\"]\n";
}
