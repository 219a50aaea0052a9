//! [`Scratch`]: the buffers of a signature.

use alloc::{vec, vec::Vec};
use core::fmt;

use zeroize::Zeroizing;

use crate::{
    AccessKey, Request, Resource, Scope,
    canonical::Taken,
    encode::{Pen, first_bytes, key_lower},
};

/// The buffers of a signature, kept by the caller so that signing allocates only when a request is larger
/// than all before it.
///
/// They hold the last signature and token; dropping the scratch wipes them, and so does a signature that
/// needs larger ones. `Debug` shows none of the contents.
#[derive(Default)]
pub struct Scratch {
    /// Raw values of what is added: date, token, authorization and so on.
    pub(crate) values: Room,
    /// What is added, in order.
    pub(crate) added: Vec<Added>,
    pub(crate) canonical: Room,
    pub(crate) to_sign: Room,
    pub(crate) headers: Vec<Taken>,
    pub(crate) pairs: Vec<Taken>,
    /// The names of the signed headers, in `canonical`.
    pub(crate) names: Vec<Span>,
    /// The resource and the query, in `canonical`; V1 has none.
    pub(crate) target: Option<(Span, Span)>,
}

impl Scratch {
    /// Empty buffers; the first signature allocates them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Empties the buffers and makes them large enough for the whole signature: one that grew while being
    /// written would leave a copy of a token behind in freed memory.
    pub(crate) fn prepare(&mut self, request: &Request<'_>, key: &AccessKey<'_>, scope: &Scope<'_>) {
        let resource = match request.resource {
            Resource::Service => 0,
            Resource::Bucket(bucket) => bucket.len(),
            Resource::Object { bucket, key } => bucket.len().saturating_add(key.len()),
            other => other.pieces().iter().map(|piece| piece.len()).fold(0, usize::saturating_add),
        };
        let token = key.token.map_or(0, str::len);
        let others = [request.method.len(), key.id.len(), token, scope.region.len(), scope.product.len()];
        let mut input = others.into_iter().fold(resource, usize::saturating_add);
        for pairs in [request.query, request.headers] {
            input = input.saturating_add(SEPARATORS * pairs.len());
            for (name, value) in pairs {
                // No text is longer than half of what a number holds.
                input = input.saturating_add(name.len() + value.len());
            }
        }
        // The factors: an encoded byte takes three, and a header name stands in up to three places, one of
        // them encoded. `FIXED` covers every name and constant of ours in one buffer.
        self.values.clear(input.saturating_mul(3).saturating_add(FIXED));
        self.canonical.clear(input.saturating_mul(5).saturating_add(FIXED));
        self.to_sign.clear(input.saturating_add(FIXED));
        self.added.clear();
        self.headers.clear();
        self.names.clear();
        self.pairs.clear();
        self.target = None;
    }

    /// Notes that a parameter of this value is to be added.
    pub(crate) fn add_number(&mut self, name: &'static Name, number: u64) -> Span {
        // From the right; 20 digits hold any number.
        let (mut digits, mut start, mut rest) = ([0; 20], 20, number);
        while start == 20 || rest > 0 {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.add(name, &digits[start..])
    }

    /// Notes that the date is to be added, given as its halves.
    #[inline]
    pub(crate) fn add_date(&mut self, halves: [[u8; 8]; 2]) {
        let value = self.values.write(|pen| halves.into_iter().for_each(|half| pen.array(half)));
        self.added.push(Added { name: const { &Name::new("x-oss-date") }, value });
    }

    /// Notes that a header or parameter of this value is to be added.
    #[inline]
    pub(crate) fn add(&mut self, name: &'static Name, value: &[u8]) -> Span {
        let value = self.values.write(|pen| pen.push(value));
        self.added.push(Added { name, value });
        value
    }
}

/// Bytes of texts, written a piece at a time, in a buffer that keeps its size.
#[derive(Default)]
pub(crate) struct Room {
    bytes: Zeroizing<Vec<u8>>,
    end: usize,
}

impl Room {
    /// Forgets what is written and makes sure that so many bytes can be.
    fn clear(&mut self, bytes: usize) {
        self.end = 0;
        let bytes = bytes.saturating_add(Pen::SLACK);
        if self.bytes.len() < bytes {
            self.bytes = Zeroizing::new(vec![0; bytes]);
        }
    }

    /// Writes after what is written, and says where.
    #[inline]
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Pen<'_>)) -> Span {
        let start = self.end;
        let mut pen = Pen::new(&mut self.bytes, start);
        write(&mut pen);
        self.end = pen.at();
        Span { start, end: self.end }
    }

    /// Counts what is written as not written; it can still be looked up.
    #[cfg(feature = "v1")]
    pub(crate) fn forget(&mut self) {
        self.end = 0;
    }

    /// All that is written.
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// What stands there.
    pub(crate) fn at(&self, span: Span) -> &[u8] {
        &self.bytes[span.start..span.end]
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// A header or parameter that the signer adds; the value stands in [`Scratch::values`].
#[derive(Clone, Copy)]
pub(crate) struct Added {
    pub(crate) name: &'static Name,
    pub(crate) value: Span,
}

/// The name of what is added.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    pub(crate) text: &'static str,
    /// Its [`key_lower`].
    pub(crate) key: u64,
    /// Its [`key_encoded`](crate::encode::key_encoded); none of our names has anything to encode.
    pub(crate) key_encoded: u64,
}

impl Name {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, key: key_lower(text), key_encoded: first_bytes(text.as_bytes()) }
    }
}

/// A piece of one of the buffers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// Of no byte.
    pub(crate) const EMPTY: Self = Self { start: 0, end: 0 };

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A digest as lower-case hexadecimal digits.
pub(crate) fn hex(digest: &[u8; DIGEST_BYTES]) -> [u8; 2 * DIGEST_BYTES] {
    let mut digits = [0; 2 * DIGEST_BYTES];
    // Computed and not looked up, so that many are done at once.
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(digest) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    digits
}

const fn digit(nibble: u8) -> u8 {
    nibble + if nibble > 9 { b'a' - 10 } else { b'0' }
}

pub(crate) const DIGEST_BYTES: usize = 32;
/// Bytes of punctuation that one header or parameter may need in one buffer.
const SEPARATORS: usize = 3;
/// Bytes that everything of ours may need in one buffer: names, dates, digests, punctuation.
const FIXED: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SigningKey, UnixTime, sign_headers};

    #[test]
    fn the_room_is_kept_until_more_is_needed() {
        let mut room = Room::default();
        room.clear(8);
        let first = room.bytes.as_ptr();
        for (bytes, is_kept) in [(8, true), (0, true), (9, false)] {
            room.clear(bytes);
            assert_eq!(room.bytes.as_ptr() == first, is_kept, "{bytes}");
        }
    }

    #[test]
    fn there_is_room_for_many_empty_pairs_and_for_a_long_value_without_a_name() {
        let long = "v".repeat(9_000);
        let key = AccessKey { id: "ak", secret: "sk", token: None };
        let scope = Scope { region: "cn-hangzhou", product: "oss", time: UnixTime::MIN };
        let signing = SigningKey::derive(&key, &scope);
        let get = |query| Request {
            method: "GET",
            resource: Resource::Service,
            query,
            headers: &[],
            additional: &[],
        };
        let mut scratch = Scratch::new();
        let signed = sign_headers(&get(&[("", ""); 1_000]), &key, &signing, &scope, &mut scratch);
        assert_eq!(signed.canonical_request().matches('&').count(), 999);
        let mut scratch = Scratch::new();
        let signed = sign_headers(&get(&[("", &long)]), &key, &signing, &scope, &mut scratch);
        assert!(signed.canonical_request().contains(&long));
    }

    #[cfg(feature = "v1")]
    #[test]
    fn there_is_room_for_what_stands_around_sub_resources() {
        let request = Request {
            method: "GET",
            resource: Resource::Service,
            query: &[("acl", "x"); 1_000],
            headers: &[],
            additional: &[],
        };
        let key = AccessKey { id: "ak", secret: "sk", token: None };
        let mut scratch = Scratch::new();
        let signed = crate::sign_headers_v1(&request, &key, UnixTime::MIN, &[], &mut scratch);
        assert_eq!(signed.string_to_sign().matches("acl=x").count(), 1_000);
    }
}
