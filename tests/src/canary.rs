//! Looks for secrets in what a person or a log gets to see: as they are, in Base64, in hexadecimal digits,
//! percent-encoded, as lists of numbers, and any eight bytes of them.

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt::{self, Write as _};
use core::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_proto::UnixTime;
use sha2::Sha256;

use crate::peer::{REGION, SECRET, STS_SECRET, TOKEN};

/// Secrets that must not be seen.
#[derive(Clone, Default)]
pub struct Canaries {
    /// What is looked for, by its first bytes, with the name of the secret.
    needles: BTreeMap<[u8; WINDOW], BTreeSet<(Vec<u8>, String)>>,
    /// Which first bytes occur at all: most text is passed over with one look.
    filter: Vec<bool>,
}

impl Canaries {
    /// The secrets of the peer's keys, and what is derived from them on these days and the ones beside them.
    pub fn of_the_peer(now: Duration) -> Self {
        let mut canaries = Self::default();
        for (name, secret) in [("the secret", SECRET), ("the secret of a temporary key", STS_SECRET)] {
            canaries.add(name, secret.as_bytes());
            let now = i64::try_from(now.as_secs()).unwrap_or_default();
            // Some clocks of the scenarios are a day off.
            for day in [1_702_743_657, now, now.saturating_add(DAY), now.saturating_sub(DAY)] {
                canaries.add_derived(secret, UnixTime::from_secs(day).day().as_str(), REGION);
            }
        }
        canaries.add("the token", TOKEN.as_bytes());
        canaries
    }

    /// A secret of at least eight bytes, and each eight bytes of it in a row.
    ///
    /// # Panics
    /// When it is shorter: what is so short occurs by chance.
    pub fn add(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= WINDOW, "{name} is too short to be looked for");
        for window in secret.windows(WINDOW) {
            for form in forms(window) {
                self.needle(name, form);
            }
        }
    }

    /// A signature. It is looked for in longer pieces, because digits in a row occur by chance.
    pub fn add_signature(&mut self, signature: &str) {
        for window in signature.as_bytes().windows(SIGNATURE_WINDOW) {
            self.needle("a signature", window.to_vec());
        }
    }

    /// The keys that V4 derives from an access key secret on a day such as `20231216`.
    pub fn add_derived(&mut self, secret: &str, day: &str, region: &str) {
        let mut key = format!("aliyun_v4{secret}").into_bytes();
        for message in [day, region, "oss", "aliyun_v4_request"] {
            let mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
            key = mac.chain_update(message).finalize().into_bytes().to_vec();
            self.add("a derived key", &key);
        }
    }

    /// The first place where one is seen, with the name of the secret.
    pub fn find(&self, text: &str) -> Option<String> {
        if self.filter.is_empty() {
            return None;
        }
        let bytes = text.as_bytes();
        let mut last = 0;
        for (end, byte) in bytes.iter().enumerate() {
            last = (last >> 8) | (u64::from(*byte) << 56);
            if self.filter[slot(last)] && end + 1 >= WINDOW {
                let found = self.starts(bytes, end + 1 - WINDOW);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    fn starts(&self, text: &[u8], at: usize) -> Option<String> {
        let rest = text.get(at..)?;
        let first = rest.first_chunk::<WINDOW>()?;
        let (_, name) = self.needles.get(first)?.iter().find(|(needle, _)| rest.starts_with(needle))?;
        let around = text.get(at.saturating_sub(SHOWN)..(at + SHOWN).min(text.len()))?;
        Some(format!("{name} in …{}…", String::from_utf8_lossy(around)))
    }

    fn needle(&mut self, name: &str, needle: Vec<u8>) {
        let Some(Ok(first)) = needle.get(..WINDOW).map(<[u8; WINDOW]>::try_from) else { return };
        self.filter.resize(SLOTS, false);
        if let Some(is_there) = self.filter.get_mut(slot(u64::from_le_bytes(first))) {
            *is_there = true;
        }
        self.needles.entry(first).or_default().insert((needle, name.to_owned()));
    }
}

impl fmt::Debug for Canaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canaries({})", self.needles.len())
    }
}

/// Eight bytes as they may be written.
fn forms(window: &[u8]) -> Vec<Vec<u8>> {
    let each = |write: &dyn Fn(&mut String, u8)| {
        let mut text = String::new();
        window.iter().for_each(|byte| write(&mut text, *byte));
        text
    };
    let written = |text: &mut String, arguments: fmt::Arguments<'_>| {
        text.write_fmt(arguments).expect("a string takes everything");
    };
    let lower = each(&|text, byte| written(text, format_args!("{byte:02x}")));
    let encoded = |is_plain: &dyn Fn(u8) -> bool| {
        each(&|text, byte| match is_plain(byte) {
            true => text.push(char::from(byte)),
            false => written(text, format_args!("%{byte:02X}")),
        })
    };
    let percent = encoded(&|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    let percent_all = encoded(&|_| false);
    let mut forms = vec![
        lower.to_uppercase(),
        lower,
        percent.to_lowercase(),
        percent,
        percent_all.to_lowercase(),
        percent_all,
        each(&|text, byte| written(text, format_args!("{byte}, "))),
        each(&|text, byte| written(text, format_args!("{byte},"))),
        window.escape_ascii().to_string(),
    ];
    // Where Base64 begins to count depends on what is before it: its first and last digits are shared.
    for before in 0..3 {
        let text = Base64UrlUnpadded::encode_string(&[&[0; 3][..before], window].concat());
        let inner = text.get(if before == 0 { 0 } else { before + 1 }..text.len() - 1).unwrap_or_default();
        forms.push(inner.to_owned());
        forms.push(inner.replace('-', "+").replace('_', "/"));
    }
    let mut forms: Vec<_> = forms.into_iter().map(String::into_bytes).collect();
    forms.push(window.to_vec());
    forms
}

/// A number below [`SLOTS`] for eight bytes.
fn slot(window: u64) -> usize {
    usize::try_from(window.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48).unwrap_or_default()
}

const WINDOW: usize = 8;
const DAY: i64 = 86_400;
const SLOTS: usize = 1 << 16;
const SIGNATURE_WINDOW: usize = 16;
const SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "Kq7vT2mZx9+Rb4/WcY8nL";

    fn sees(text: &str) -> bool {
        let mut canaries = Canaries::default();
        canaries.add("it", SECRET.as_bytes());
        canaries.find(text).is_some()
    }

    #[test]
    fn i05_every_form_of_a_secret_is_seen() {
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
        for text in [
            SECRET.to_owned(),
            format!("secret={SECRET}."),
            format!("{:?}", SECRET.as_bytes()),
            hex.to_uppercase(),
            format!("{hex:?}"),
            SECRET.replace('+', "%2B").replace('/', "%2F"),
            SECRET.replace('+', "%2b").replace('/', "%2f"),
            SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        ] {
            assert!(sees(&text), "{text}");
        }
        for before in ["", "a", "ab"] {
            for text in [
                base64ct::Base64::encode_string(format!("{before}{SECRET}").as_bytes()),
                base64ct::Base64Url::encode_string(format!("{before}{SECRET}:").as_bytes()),
            ] {
                assert!(sees(&text), "{text}");
            }
        }
    }

    #[test]
    fn i05_eight_bytes_are_seen_and_seven_are_not() {
        for at in 0..=SECRET.len() - 8 {
            assert!(sees(&format!("…{}…", &SECRET[at..at + 8])), "{at}");
        }
        for at in 0..=SECRET.len() - 7 {
            assert!(!sees(&format!("…{}…", &SECRET[at..at + 7])), "{at}");
        }
    }

    #[test]
    fn i05_a_derived_key_and_a_signature_are_seen() {
        let mut canaries = Canaries::default();
        canaries.add_derived(SECRET, "20231216", "cn-hangzhou");
        canaries.add_signature("0123456789abcdef0123456789abcdef");
        let key = oss_sign_key();
        assert!(canaries.find(&format!("{key:?}")).is_some());
        assert!(canaries.find("signature=3456789abcdef0123456789abcdef").is_some());
        assert!(canaries.find("request 3456789abcdef01").is_none());
    }

    /// By hand, as the document on V4 has it.
    fn oss_sign_key() -> Vec<u8> {
        let mut key = [b"aliyun_v4", SECRET.as_bytes()].concat();
        for message in ["20231216", "cn-hangzhou", "oss", "aliyun_v4_request"] {
            key = Hmac::<Sha256>::new_from_slice(&key)
                .unwrap()
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec();
        }
        key
    }
}
