//! Signatures by keys that no party of ours has (FORMAT.md section 5.1 takes plain Ed25519 alone): right in their mathematics, so
//! that only the rule refuses them. OpenSSH's certificates and security keys are put together field by field
//! (PROTOCOL.certkeys, PROTOCOL.u2f); ECDSA and RSA signatures were made once by `ssh-keygen -Y sign`.

use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

use super::{
    parties::{KEMENHAJ, STRANGER},
    signatures::{armoured, signed_text, string},
};

const CERTIFICATE: &[u8] = b"ssh-ed25519-cert-v01@openssh.com";
const SECURITY_KEY: &[u8] = b"sk-ssh-ed25519@openssh.com";
/// What a security key signs for.
const APPLICATION: &[u8] = b"ssh:";
/// Somebody touched it.
const PRESENT: u8 = 1;

/// An SSHSIG blob of these two.
fn armour(key: &[u8], signature: &[u8]) -> String {
    let blob = [
        b"SSHSIG\0\0\0\x01".to_vec(),
        string(key),
        string(b"bundle@amanah"),
        string(b""),
        string(b"sha512"),
        string(signature),
    ];
    armoured(&blob.concat())
}

fn plain(kind: &[u8], bytes: &[u8]) -> Vec<u8> {
    [string(kind), string(bytes)].concat()
}

/// By the key of kemenhaj itself, which a stranger has certified: what counts is the card, not who vouches for a key.
pub(super) fn certificate() -> String {
    let (secret, authority) = (
        SigningKey::from_bytes(&[KEMENHAJ; 32]),
        SigningKey::from_bytes(&[STRANGER; 32]),
    );
    let fields = [
        string(CERTIFICATE),
        string(&[7; 32]),
        string(secret.verifying_key().as_bytes()),
        // Serial, and the kind: a user's.
        0_u64.to_be_bytes().to_vec(),
        1_u32.to_be_bytes().to_vec(),
        string(b"kemenhaj"),
        string(&string(b"kemenhaj")),
        // Valid for ever, without options.
        0_u64.to_be_bytes().to_vec(),
        u64::MAX.to_be_bytes().to_vec(),
        string(b""),
        string(b""),
        string(b""),
        string(&plain(b"ssh-ed25519", authority.verifying_key().as_bytes())),
    ];
    let certified = fields.concat();
    let by_authority = authority.sign(&certified).to_bytes();
    let key = [certified, string(&plain(b"ssh-ed25519", &by_authority))].concat();
    let signature = secret.sign(&signed_text("", "sha512")).to_bytes();
    armour(&key, &plain(b"ssh-ed25519", &signature))
}

/// By a security key that holds the secret of kemenhaj.
pub(super) fn security_key() -> String {
    let secret = SigningKey::from_bytes(&[KEMENHAJ; 32]);
    let counter = 1_u32.to_be_bytes();
    let signed = [
        Sha256::digest(APPLICATION).to_vec(),
        vec![PRESENT],
        counter.to_vec(),
        Sha256::digest(signed_text("", "sha512")).to_vec(),
    ];
    let public = secret.verifying_key();
    let key = [plain(SECURITY_KEY, public.as_bytes()), string(APPLICATION)].concat();
    let signature = secret.sign(&signed.concat()).to_bytes();
    let signature = [
        plain(SECURITY_KEY, &signature),
        vec![PRESENT],
        counter.to_vec(),
    ];
    armour(&key, &signature.concat())
}

/// Over the message of these vectors, by a P-256 key that is kept nowhere.
pub(super) const ECDSA: &str = "\
-----BEGIN SSH SIGNATURE-----\n\
U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE\n\
EEOCaBCsZ+IKqk76JA5PInxQCY9RcKyh2PtXNyCGEBdGo1jg7OPdqBflfiySNQma0F/9aJ\n\
rOXTu2Mky2MdehQNqAAAAA1idW5kbGVAYW1hbmFoAAAAAAAAAAZzaGE1MTIAAABjAAAAE2\n\
VjZHNhLXNoYTItbmlzdHAyNTYAAABIAAAAIFuqdhmOBh4aCYJ887NgMyBDQWnvOAxIWlW7\n\
Ab6lJ5eGAAAAIA8yC8S/VJDDMRzi1dH16rrw0bYDq+GtjMmEWlDcOm6R\n\
-----END SSH SIGNATURE-----\n\
";

/// The same by an RSA key of 3072 bits.
pub(super) const RSA: &str = "\
-----BEGIN SSH SIGNATURE-----\n\
U1NIU0lHAAAAAQAAAZcAAAAHc3NoLXJzYQAAAAMBAAEAAAGBALKOYdG3EMy0qlETaFKDjl\n\
rEMUzeRUhGiR16/Pswovgj2nS/D2/LQX8oEB56qOJ2N55mXNwFw0+acWu1aAttj+a/xdy8\n\
egtFcDiqWnX99/l76EWCJULzyklZuRlDs/lxuIeUyQmoZdDzUap2gpAcROKZiu734pan1W\n\
bYDg4wrzxL6+XvrZGH/4ZPglqYUTGEbC5M7PmpJcjHuw1pNeJMLYS+j2lDbv5mE2jRmvsK\n\
vVuvu8qZLwf7kyG2iuoy0sRjPKX3j81sgGdPsGpdK+UJC/s7es7b8n/jgs++HI5SQ8UIVo\n\
elqvDUVrcVvVLAkTLOFwFCWuQTUe7xXhElRT82qqDsSWNzKX16leKR8r7a2unIUmnRnvE2\n\
ovxxzGUlwcY4aBTFk8ILze+j2/UIlETpD46CMFVJGB44xyXcw8V480+peH4C8ILBq5Y3qu\n\
guIC9TBYIHFcqn5c3tiaxENVYGXACSTDCG1Zw4VDX18Ee2jnycaXeKvBtj9kPdGs/+vzXe\n\
qwAAAA1idW5kbGVAYW1hbmFoAAAAAAAAAAZzaGE1MTIAAAGUAAAADHJzYS1zaGEyLTUxMg\n\
AAAYAtqgBw1ettKQjNCPN7cvOdS2ovOtvFPkrzdgUV/GOomnjJDTkMOl2/j9XtatN6ZdfC\n\
R7+jCBrZsvAp7395SGEX0ixK03yJ13fOTAJJXC/CjpgZw7767zzh4O1QCDl6vgkNlJbsKC\n\
XxAZronXH9DoQXJntZuILHkqhcYOZ9qVoIMpVx28eNA/0xpkuOvWmNqZF1QGDm2+GbU0xt\n\
WJossOtJF2Kklcp2idmoTOiGveW+/ljNVCONuwxN54IaIiH7EoWURyC9EHnmHVAEUkgZxT\n\
5so6+EPmB0M+h25uaSqqPSEpGsKi2RekODov37hv/rp/X8kbGZDvhp2OMs199RGW5470s6\n\
LDkEu45MFmSLiv11rNYrWhQ1W4Cg9KDeXLPscwQ1ehXNvJBT2GJJIKMLozuw7SOWH9/mSh\n\
dh9fR4/jf7TC9B/MWG/6JCDLU80g2JeDI/hoIbZffMXO9AZ/TmaeoFlzLi+1R04V+elyoG\n\
ar2m5W0LwOKYwO04GqhtjAyHP1w=\n\
-----END SSH SIGNATURE-----\n\
";
