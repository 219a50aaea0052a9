//! V4 in the `authorization` header, and what it shares with the presigned form: [`SigningKey`], [`Signed`].

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    AccessKey, Request, Scope, Scratch,
    canonical::text,
    scratch::{Added, DIGEST_BYTES, Name, Room, Span, hex},
};

/// The V4 key derived from a secret for one UTC day, region and product.
///
/// Deriving costs four HMACs and signing one, so keep it for as long as [`is_for`](Self::is_for) holds. It is
/// as good as the secret within its scope: `Debug` hides it and dropping it wipes it. The secret itself is
/// not kept.
#[derive(Clone)]
pub struct SigningKey {
    /// Keyed and ready: both inner states of the HMAC are computed once.
    mac: Hmac<Sha256>,
    fingerprint: Zeroizing<[u8; DIGEST_BYTES]>,
}

impl SigningKey {
    /// Derives the key of `key.secret` for the scope's UTC day, region and product.
    #[must_use]
    pub fn derive(key: &AccessKey<'_>, scope: &Scope<'_>) -> Self {
        let mut room = Zeroizing::new([0; 64]);
        let length = SECRET_PREFIX.len() + key.secret.len();
        let day = scope.time.day();
        let day = if let Some(first) = room.get_mut(..length) {
            first[..SECRET_PREFIX.len()].copy_from_slice(SECRET_PREFIX);
            first[SECRET_PREFIX.len()..].copy_from_slice(key.secret.as_bytes());
            hmac(first, day.as_bytes())
        } else {
            let first = Zeroizing::new([SECRET_PREFIX, key.secret.as_bytes()].concat());
            hmac(&first, day.as_bytes())
        };
        let region = hmac(&*day, scope.region);
        let product = hmac(&*region, scope.product);
        let signing = hmac(&*product, TERMINATOR);
        Self { mac: keyed(&*signing), fingerprint: fingerprint(key, scope) }
    }

    /// Whether this is the key that [`derive`](Self::derive) would give for them now; it costs one short
    /// SHA-256.
    ///
    /// The id and the token of the key do not matter, nor does the time within its UTC day.
    #[must_use]
    pub fn is_for(&self, key: &AccessKey<'_>, scope: &Scope<'_>) -> bool {
        self.fingerprint == fingerprint(key, scope)
    }

    pub(crate) fn sign(&self, text: &[u8]) -> [u8; DIGEST_BYTES] {
        self.mac.clone().chain_update(text).finalize().into_bytes().into()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// Signs a request for the `authorization` header (V4).
///
/// To add, in this order: `x-oss-date`, `x-oss-content-sha256` (always `UNSIGNED-PAYLOAD`, the only value
/// that OSS documents), `x-oss-security-token` when the key has a token, and `authorization`. Headers of the
/// request with one of these names are not signed: replace them.
///
/// `signing` must be [for](SigningKey::is_for) `key` and `scope`, or OSS answers `SignatureDoesNotMatch`.
pub fn sign_headers<'s>(
    request: &Request<'_>,
    key: &AccessKey<'_>,
    signing: &SigningKey,
    scope: &Scope<'_>,
    scratch: &'s mut Scratch,
) -> Signed<'s> {
    let date = scope.time.iso_basic_halves();
    scratch.prepare(request, key, scope);
    scratch.add_date(date);
    scratch.add(const { &Name::new(CONTENT_SHA256) }, UNSIGNED_PAYLOAD.as_bytes());
    if let Some(token) = key.token() {
        scratch.add(const { &Name::new("x-oss-security-token") }, token.as_bytes());
    }
    let additional = scratch.collect_headers(request);
    for (index, (name, _)) in request.query.iter().enumerate() {
        scratch.add_pair(index, name);
    }
    scratch.write_canonical(request, additional, UNSIGNED_PAYLOAD);

    // Before the hash, which takes long enough for what is written to arrive before it is read again.
    let (in_scope, start) = write_scope(&mut scratch.values, CREDENTIAL, key, scope, date);
    let digest = sign_digest(scratch, &scratch.canonical_digest(), signing, in_scope, date);
    let signature = scratch.values.write(|pen| {
        if !additional.is_empty() {
            pen.push(b",AdditionalHeaders=");
            pen.again(additional);
        }
        pen.array(*b",Signature=");
        pen.array(hex(&digest));
    });
    let value = Span { start, end: signature.end };
    let signature = Span { start: signature.end - 2 * DIGEST_BYTES, ..signature };
    scratch.added.push(Added { name: const { &Name::new("authorization") }, value });
    Signed { scratch, signature }
}

/// What a signature adds to a request, and what it was computed over; it borrows the [`Scratch`].
///
/// `Debug` shows the names of what is added and the string to sign of V4, which holds no secret, and no
/// value.
pub struct Signed<'s> {
    pub(crate) scratch: &'s Scratch,
    pub(crate) signature: Span,
}

impl<'s> Signed<'s> {
    /// The names and values to add, not encoded: headers from [`sign_headers`], query parameters, to be
    /// encoded once, from [`presign_query`](crate::presign_query).
    ///
    /// The values of `authorization`, `x-oss-security-token` and `x-oss-signature` are secrets.
    pub fn iter(&self) -> impl Iterator<Item = (&'s str, &'s str)> + use<'s> {
        let scratch = self.scratch;
        scratch.added.iter().map(|added| (added.name.text, text(scratch.values.at(added.value))))
    }

    /// The lower-case names of all headers that the signature covers, sorted, each once.
    ///
    /// The user of a presigned URL must send them with the values that were signed.
    pub fn signed_headers(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        self.scratch.header_names()
    }

    /// The canonical request, empty for V1, which has none; it shows the security token when there is one,
    /// and every signed value.
    #[must_use]
    pub fn canonical_request(&self) -> &'s str {
        text(self.scratch.canonical.written())
    }

    /// The resource and the query of the canonical request, which are encoded as in a URL; `None` for V1.
    ///
    /// A request is sent as it was signed when its URL is made of them: of the resource, without the bucket
    /// where that stands in the host, and behind a `?` the query, if it is not empty.
    #[must_use]
    pub fn target(&self) -> Option<(&'s str, &'s str)> {
        let at = |span| text(self.scratch.canonical.at(span));
        self.scratch.target.map(|(resource, query)| (at(resource), at(query)))
    }

    /// The string to sign: for V4 the algorithm, the date, the scope, and the digest of the canonical
    /// request; for V1 the signed parts themselves, the security token among them.
    #[must_use]
    pub fn string_to_sign(&self) -> &'s str {
        text(self.scratch.to_sign.written())
    }

    /// The signature, 64 lower-case hexadecimal digits or, for V1, 28 characters of base64; a secret for as
    /// long as it is valid.
    #[must_use]
    pub fn signature(&self) -> &'s str {
        text(self.scratch.values.at(self.signature))
    }
}

impl fmt::Debug for Signed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let adds = self.iter().map(|(name, _)| name).collect::<Vec<_>>();
        let mut shown = f.debug_struct("Signed");
        shown.field("adds", &adds);
        // That of V1 holds the headers themselves, a token among them.
        if !self.canonical_request().is_empty() {
            shown.field("string_to_sign", &self.string_to_sign());
        }
        shown.finish_non_exhaustive()
    }
}

impl Scratch {
    /// The SHA-256 of the canonical request.
    pub(crate) fn canonical_digest(&self) -> [u8; DIGEST_BYTES] {
        Sha256::digest(self.canonical.written()).into()
    }
}

/// Writes the string to sign over the digest of the canonical request and signs it.
///
/// `in_scope` is the scope among the values, `date` its time in the basic format, in halves.
pub(crate) fn sign_digest(
    scratch: &mut Scratch,
    digest: &[u8; DIGEST_BYTES],
    signing: &SigningKey,
    in_scope: Span,
    date: [[u8; 8]; 2],
) -> [u8; DIGEST_BYTES] {
    scratch.to_sign.write(|pen| {
        pen.array(ALGORITHM_LINE);
        date.into_iter().for_each(|half| pen.array(half));
        pen.byte(b'\n');
        pen.push(scratch.values.at(in_scope));
        pen.byte(b'\n');
        pen.array(hex(digest));
    });
    signing.sign(scratch.to_sign.written())
}

/// Writes `{before}{id}/{day}/{region}/{product}/aliyun_v4_request`, and says where the scope is and where it
/// all starts; `date` is the scope's time in the basic format, in halves.
pub(crate) fn write_scope(
    values: &mut Room,
    before: &str,
    key: &AccessKey<'_>,
    scope: &Scope<'_>,
    date: [[u8; 8]; 2],
) -> (Span, usize) {
    let mut scope_start = 0;
    let all = values.write(|pen| {
        pen.push(before.as_bytes());
        pen.push(key.id.as_bytes());
        pen.byte(b'/');
        scope_start = pen.at();
        pen.array(date[0]);
        for piece in [scope.region, scope.product] {
            pen.byte(b'/');
            pen.push(piece.as_bytes());
        }
        pen.byte(b'/');
        pen.array(TERMINATOR);
    });
    (Span { start: scope_start, ..all }, all.start)
}

fn hmac(key: &[u8], text: impl AsRef<[u8]>) -> Zeroizing<[u8; DIGEST_BYTES]> {
    Zeroizing::new(keyed(key).chain_update(text).finalize().into_bytes().into())
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// Identifies the input of a derivation without keeping it. The day has a fixed length and no text holds the
/// byte between them, so that no two inputs are alike; and they are short enough for one block of the hash.
fn fingerprint(key: &AccessKey<'_>, scope: &Scope<'_>) -> Zeroizing<[u8; DIGEST_BYTES]> {
    let mut hash = Sha256::new();
    hash.update(scope.time.days().to_le_bytes());
    for piece in [scope.region, scope.product] {
        hash.update(piece);
        hash.update([0xff]);
    }
    hash.update(key.secret);
    Zeroizing::new(hash.finalize().into())
}

pub(crate) const ALGORITHM: &str = "OSS4-HMAC-SHA256";
const ALGORITHM_LINE: [u8; 17] = *b"OSS4-HMAC-SHA256\n";
const CREDENTIAL: &str = "OSS4-HMAC-SHA256 Credential=";
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
pub(crate) const CONTENT_SHA256: &str = "x-oss-content-sha256";
const TERMINATOR: [u8; 17] = *b"aliyun_v4_request";
pub(crate) const TERMINATOR_TEXT: &str = "aliyun_v4_request";
const SECRET_PREFIX: &[u8] = b"aliyun_v4";

#[cfg(test)]
mod tests {
    use alloc::{
        format,
        string::{String, ToString},
        vec::Vec,
    };

    use super::*;
    use crate::{Resource, UnixTime};

    const KEY: AccessKey<'static> = AccessKey { id: "ak", secret: "sk", token: None };
    const SCOPE: Scope<'static> =
        Scope { region: "cn-hangzhou", product: "oss", time: UnixTime::from_secs(1_702_743_657) };
    const REQUEST: Request<'static> = Request {
        method: "PUT",
        resource: Resource::Object { bucket: "examplebucket", key: "exampleobject" },
        query: &[],
        headers: &[],
        additional: &[],
    };

    fn hex(bytes: &[u8; DIGEST_BYTES]) -> String {
        super::hex(bytes).map(char::from).iter().collect()
    }

    #[test]
    fn the_chain_of_keys_is_that_of_the_specification() {
        let table = [
            ("20231216", "fde9c360ae5165f5a84690330c8bc545e6bde502ba8ba4972db81e5a2ea80bec"),
            ("20231203", "6c0f1428657efe1a1b658128408fbb72fbe24918883a882f4d2f26a2da9c753f"),
        ];
        for (day, product_key) in table {
            let day = hmac(b"aliyun_v4sk", day);
            let product = hmac(&*hmac(&*day, "cn-hangzhou"), "oss");
            assert_eq!(hex(&product), product_key);
        }
        assert_eq!(
            hex(&hmac(&*hmac(&*hmac(&*hmac(b"aliyun_v4sk", "20231216"), "cn-hangzhou"), "oss"), TERMINATOR)),
            "b412a03b134ebddd720f5167b5de6db66620ebb3b01cff4d49e3ccb09f8de97f"
        );
        // The derived key must sign as that last one does.
        let signing = keyed(&*hmac(
            &*hmac(&*hmac(&*hmac(b"aliyun_v4sk", "20231216"), "cn-hangzhou"), "oss"),
            TERMINATOR,
        ));
        let tag: [u8; DIGEST_BYTES] = signing.chain_update(b"text").finalize().into_bytes().into();
        assert_eq!(SigningKey::derive(&KEY, &SCOPE).sign(b"text"), tag);
    }

    /// The example of the OSS document on V4 signatures in the header: it prints the derived key, as the
    /// secret that it prints is masked.
    #[test]
    fn the_documents_example_is_reproduced_from_its_printed_key() {
        let key = [
            0x35, 0x43, 0xb7, 0x68, 0x6e, 0x65, 0xed, 0xa7, 0x1e, 0x5e, 0x5c, 0xa1, 0x9d, 0x54, 0x8d, 0x78,
            0x42, 0x3c, 0x37, 0xe8, 0xdd, 0xba, 0x4d, 0xc9, 0xd8, 0x3f, 0x90, 0x22, 0x8b, 0x45, 0x7c, 0x76,
        ];
        let time = UnixTime::parse_iso_basic("20250411T064124Z").expect("a date");
        let scope = Scope { time, ..SCOPE };
        let headers = [
            ("content-disposition", "attachment"),
            ("content-length", "3"),
            ("content-md5", "ICy5YqxZB1uWSwcVLSNLcA=="),
            ("content-type", "text/plain"),
        ];
        let additional = ["content-disposition", "content-length"];
        let request = Request { headers: &headers, additional: &additional, ..REQUEST };
        let signing = SigningKey { mac: keyed(&key), fingerprint: fingerprint(&KEY, &scope) };
        let mut scratch = Scratch::new();
        let signed = sign_headers(&request, &KEY, &signing, &scope, &mut scratch);
        assert_eq!(signed.signature(), "053edbf550ebd239b32a9cdfd93b0b2b3f2d223083aa61f75e9ac16856d61f23");
    }

    #[test]
    fn the_target_is_that_of_the_last_canonical_request() {
        let signing = SigningKey::derive(&KEY, &SCOPE);
        let mut scratch = Scratch::new();
        let resource = Resource::Object { bucket: "examplebucket", key: "a b" };
        let request = Request { resource, query: &[("b", "/"), ("a", "")], ..REQUEST };
        let signed = sign_headers(&request, &KEY, &signing, &SCOPE, &mut scratch);
        assert_eq!(signed.target(), Some(("/examplebucket/a%20b", "a&b=%2F")));
        assert_eq!(signed.canonical_request().lines().nth(2), Some("a&b=%2F"));
        let signed = sign_headers(&REQUEST, &KEY, &signing, &SCOPE, &mut scratch);
        assert_eq!(signed.target(), Some(("/examplebucket/exampleobject", "")));
        #[cfg(feature = "v1")]
        assert_eq!(crate::sign_headers_v1(&REQUEST, &KEY, SCOPE.time, &[], &mut scratch).target(), None);
    }

    #[test]
    fn what_is_added_replaces_the_callers_headers() {
        let key = AccessKey { token: Some("token"), ..KEY };
        let signing = SigningKey::derive(&key, &SCOPE);
        let mut scratch = Scratch::new();
        let plain = sign_headers(&REQUEST, &key, &signing, &SCOPE, &mut scratch);
        let expected = plain.iter().map(|(name, value)| (name, value.to_string())).collect::<Vec<_>>();
        let names = expected.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        assert_eq!(names, ["x-oss-date", "x-oss-content-sha256", "x-oss-security-token", "authorization"]);
        let stale = [
            ("X-Oss-Date", "20200101T000000Z"),
            ("x-oss-content-sha256", "0123"),
            ("X-OSS-Security-Token", "old"),
            ("Authorization", "OSS4-HMAC-SHA256 …"),
        ];
        let additional = ["authorization", "x-oss-date"];
        let request = Request { headers: &stale, additional: &additional, ..REQUEST };
        let mut scratch = Scratch::new();
        let replaced = sign_headers(&request, &key, &signing, &SCOPE, &mut scratch);
        assert!(replaced.iter().eq(expected.iter().map(|(name, value)| (*name, value.as_str()))));
        let signed = replaced.signed_headers().collect::<Vec<_>>();
        assert_eq!(signed, ["x-oss-content-sha256", "x-oss-date", "x-oss-security-token"]);
    }

    #[test]
    fn a_token_header_of_the_caller_is_signed_when_the_key_has_none() {
        let headers = [("x-oss-security-token", "own")];
        let request = Request { headers: &headers, ..REQUEST };
        for token in [None, Some("")] {
            let key = AccessKey { token, ..KEY };
            let signing = SigningKey::derive(&key, &SCOPE);
            let mut scratch = Scratch::new();
            let signed = sign_headers(&request, &key, &signing, &SCOPE, &mut scratch);
            assert!(signed.canonical_request().contains("\nx-oss-security-token:own\n"));
            assert_eq!(signed.iter().count(), 3);
        }
    }

    #[test]
    fn white_space_around_a_token_is_not_signed_as_it_is_not_received() {
        let key = AccessKey { token: Some(" to ken\t"), ..KEY };
        let signing = SigningKey::derive(&key, &SCOPE);
        let mut scratch = Scratch::new();
        let signed = sign_headers(&REQUEST, &key, &signing, &SCOPE, &mut scratch);
        assert!(signed.canonical_request().contains("\nx-oss-security-token:to ken\n"));
        assert_eq!(signed.iter().nth(2), Some(("x-oss-security-token", " to ken\t")));
    }

    #[test]
    fn a_key_is_for_its_day_region_product_and_secret_only() {
        let signing = SigningKey::derive(&KEY, &SCOPE);
        let day_start = 1_702_684_800;
        let at = |secs| Scope { time: UnixTime::from_secs(secs), ..SCOPE };
        assert!(signing.is_for(&KEY, &SCOPE) && signing.clone().is_for(&KEY, &SCOPE));
        assert!(signing.is_for(&AccessKey { id: "other", token: Some("token"), ..KEY }, &SCOPE));
        assert!(signing.is_for(&KEY, &at(day_start)) && signing.is_for(&KEY, &at(day_start + 86_399)));
        assert!(!signing.is_for(&KEY, &at(day_start - 1)) && !signing.is_for(&KEY, &at(day_start + 86_400)));
        assert!(!signing.is_for(&AccessKey { secret: "sK", ..KEY }, &SCOPE));
        assert!(!signing.is_for(&KEY, &Scope { region: "cn-hangzhou-1", ..SCOPE }));
        assert!(!signing.is_for(&KEY, &Scope { product: "oss-cloudbox", ..SCOPE }));
        // The pieces may not run into each other.
        assert!(!signing.is_for(&KEY, &Scope { region: "cn-hangzhouo", product: "ss", ..SCOPE }));
        let shifted = AccessKey { secret: "k", ..KEY };
        assert!(!signing.is_for(&shifted, &Scope { product: "osss", ..SCOPE }));
    }

    #[test]
    fn no_debug_shows_a_secret() {
        let key = AccessKey { id: "id-mark", secret: "secret-mark", token: Some("token-mark") };
        let headers = [("x-oss-meta-a", "header-mark")];
        let request = Request { headers: &headers, query: &[("q", "query-mark")], ..REQUEST };
        let signing = SigningKey::derive(&key, &SCOPE);
        let mut scratch = Scratch::new();
        let signed = sign_headers(&request, &key, &signing, &SCOPE, &mut scratch);
        let text = format!("{key:?} {signing:?} {signed:#?} {SCOPE:?} {request:?}");
        assert!(!text.contains("mark") && !text.contains(signed.signature()), "{text}");
        assert!(text.contains("x-oss-meta-a") && text.contains("20231216/cn-hangzhou/oss"), "{text}");
        assert_eq!(format!("{signing:?}"), "SigningKey(***)");
        assert_eq!(
            format!("{:?}", AccessKey { token: None, ..key }),
            r#"AccessKey { id: "***", secret: "***", token: None }"#
        );
        assert!(!format!("{scratch:?}").contains("mark"));
    }

    /// `Hmac` itself carries no marker: it is two of these states and nothing else.
    #[test]
    fn the_keyed_state_is_wiped_on_drop() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        wiped::<Sha256>();
        wiped::<Zeroizing<[u8; DIGEST_BYTES]>>();
    }
}
