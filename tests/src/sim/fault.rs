//! What goes wrong, as data: what the network does to a request, and what the peer does to it. What the peer
//! does is a [`Deed`], which the peer behind a real listener plays as well.

use oss_proto::{ContentRange, Text as _};

use crate::peer::{Answer, Deed, End, Framing};
use crate::sim::chance::Chance;
use crate::sim::rare::Move;

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Calm,
    /// The name gives no address.
    NoName,
    /// Nobody listens.
    Refused,
    /// The handshake of TCP never ends.
    NoConnection,
    /// The certificate is not the right one.
    BadCertificate,
    /// The peer has closed the connection that was kept; on a new one it is nothing.
    Stale,
    /// The connection breaks once the request has left, and the peer gets it so many milliseconds later.
    Late(u32),
    /// A bit of the request's body arrives changed.
    Garble(u16),
    /// The work is done, and there is no answer.
    Lose,
    /// The connection closes after so many bytes of the body.
    Close(u16),
    /// Everything is read, nothing is done, and there is no answer.
    Hang,
    /// Nothing of the body is read.
    StopReading,
    /// Everything is read, nothing is done, and this is the answer.
    Refuse(Refusal),
    /// This is the answer after so many bytes of the body.
    Early(u16, Refusal),
    /// Everything is read, nothing is done, and the answer names another place.
    Move(Move),
    /// The peer does what it should, and its answer suffers.
    Harm(Harm),
    /// The same twice over.
    Harms(Harm, Harm),
}

/// An answer that has nothing to do with what the peer holds: a row of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Refusal(u8);

/// What happens to an answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// The connection closes after so many bytes of the body.
    Cut(u16),
    /// Nothing comes after so many bytes of the body.
    Stall(u16),
    /// The body is so long, and said to be.
    Shorten(u16),
    /// So many bytes follow that are not the object's.
    Lengthen(u8),
    /// A bit of the body is another.
    Flip(u16),
    /// The answer is about these bytes, it says.
    Range(u16, u16, u16),
    /// The answer is of another range, and says so: without the first byte, or without the last one.
    Shift(bool),
    /// A header is missing.
    Drop(&'static str),
    /// The entity tag is a weak one.
    WeakTag,
    /// The checksum is another.
    Checksum(u64),
    /// The body comes in chunks.
    Chunked,
    /// The body ends with the connection.
    UntilClose,
    /// The body comes in such pieces.
    Pieces(u8),
    /// The body is repeated for as long as somebody reads.
    Endless,
}

impl Fault {
    /// What the peer does; `None` when the network is to blame.
    pub fn deed(self) -> Deed {
        match self {
            Self::Lose => Deed::Lose,
            Self::Close(at) => Deed::Close(u64::from(at)),
            Self::Hang => Deed::Hang,
            Self::StopReading => Deed::StopReading,
            Self::Refuse(refusal) => Deed::Answer(refusal.answer()),
            Self::Early(at, refusal) => Deed::Early(u64::from(at), refusal.answer()),
            Self::Move(to) => Deed::Answer(to.answer()),
            Self::Harm(harm) => Deed::spoil(move |answer| harm.apply(answer)),
            Self::Harms(first, second) => Deed::spoil(move |answer| {
                first.apply(answer);
                second.apply(answer);
            }),
            _ => Deed::Serve,
        }
    }

    /// Whether a request that is made again, or a look at what it did, has nothing to do with it any more.
    pub fn passes(self) -> bool {
        match self {
            Self::Refuse(refusal) | Self::Early(_, refusal) => refusal.row().0 >= 500,
            Self::Harm(harm) => matches!(harm, Harm::Cut(_) | Harm::Stall(_) | Harm::Pieces(_)),
            Self::BadCertificate | Self::Garble(_) | Self::Harms(..) | Self::Move(_) => false,
            _ => true,
        }
    }

    /// What happens to the answer.
    pub fn harms(self) -> impl Iterator<Item = Harm> {
        let (first, second) = match self {
            Self::Harm(harm) => (Some(harm), None),
            Self::Harms(first, second) => (Some(first), Some(second)),
            _ => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// Any of them.
    pub fn any(chance: &mut Chance) -> Self {
        let at = chance.uneven(4, 8, 280);
        match chance.below(40) {
            0 => Self::NoName,
            1 | 2 => Self::Refused,
            3 => Self::NoConnection,
            4 if chance.one_in(4) => Self::BadCertificate,
            4 | 5 => Self::Stale,
            6..=8 => Self::Late(u32::from(chance.uneven(3, 60_000, 900))),
            9 | 10 => Self::Garble(at),
            11..=14 => Self::Lose,
            15..=17 => Self::Close(at),
            18 | 19 => Self::Hang,
            20 => Self::StopReading,
            21..=26 => Self::Refuse(Refusal::any(chance)),
            27 => Self::Early(at, Refusal::any(chance)),
            28..=35 => Self::Harm(Harm::any(chance)),
            _ => Self::Harms(Harm::any(chance), Harm::any(chance)),
        }
    }
}

impl Refusal {
    /// The throttle answer of OSS.
    pub const SLOW_DOWN: Self = Self(2);
    /// The plain failure of OSS.
    pub const INTERNAL: Self = Self(0);

    fn any(chance: &mut Chance) -> Self {
        Self(u8::try_from(chance.below(REFUSALS.len() as u64)).unwrap_or(0))
    }

    fn row(self) -> (u16, &'static str, Option<&'static str>) {
        REFUSALS[usize::from(self.0) % REFUSALS.len()]
    }

    /// The answer itself.
    pub fn answer(self) -> Answer {
        let (status, code, retry_after) = self.row();
        let answer = if code.is_empty() { Answer::new(status) } else { Answer::error(status, code) };
        match retry_after {
            Some(time) => answer.header("retry-after", time),
            None => answer,
        }
    }

    /// Whether the answer says that it is done.
    pub fn is_forged(self) -> bool {
        self.row().0 < 300
    }

    /// Whether the answer says that there is no object.
    pub fn denies(self) -> bool {
        self.row().0 == 404
    }

    /// Whether the answer leaves open what became of the request.
    pub fn is_doubtful(self) -> bool {
        let (status, code, _) = self.row();
        !(300..500).contains(&status) || status == 408 || code == "RequestTimeout"
    }
}

impl core::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (status, code, retry_after) = self.row();
        write!(f, "{status} {code}{}", retry_after.map(|time| format!(" after {time}")).unwrap_or_default())
    }
}

impl Harm {
    fn any(chance: &mut Chance) -> Self {
        let at = chance.uneven(4, 8, 260);
        match chance.below(20) {
            0..=4 => Self::Cut(at),
            5 => Self::Stall(at),
            6 | 7 => Self::Shorten(at),
            8 => Self::Lengthen(1 + chance.small(40).to_le_bytes()[0]),
            9 | 10 => Self::Flip(at),
            11 if chance.one_in(2) => Self::Range(at, chance.small(260), chance.small(260)),
            11 => Self::Shift(chance.one_in(2)),
            12 | 13 => Self::Drop(chance.one_of(["content-length", "content-range", CRC64, "etag", "date"])),
            14 => Self::WeakTag,
            15 => Self::Checksum(chance.bits()),
            16 => Self::Chunked,
            17 => Self::UntilClose,
            18 if chance.one_in(40) => Self::Endless,
            _ => Self::Pieces(1 + chance.small(60).to_le_bytes()[0]),
        }
    }

    /// Whether bytes come that the object does not have, or in another place.
    pub fn changes_bytes(self) -> bool {
        matches!(self, Self::Flip(_) | Self::Lengthen(_) | Self::Range(..) | Self::Endless)
    }

    /// Whether less comes than there is, and nobody may be able to tell.
    pub fn shortens(self) -> bool {
        matches!(self, Self::Shorten(_) | Self::Cut(_))
    }

    /// Whether what the answer says of the object is not so, or is not said.
    pub fn misleads(self) -> bool {
        matches!(self, Self::Drop(_) | Self::Checksum(_) | Self::Shorten(_)) || self.changes_bytes()
    }

    fn apply(self, answer: &mut Answer) {
        match self {
            Self::Cut(at) => answer.end = End::Cut(u64::from(at)),
            Self::Stall(at) => answer.end = End::Stall(u64::from(at)),
            Self::Shorten(to) => {
                answer.body.truncate(usize::from(to));
                answer.set("content-length", None);
            }
            Self::Lengthen(more) => {
                let surplus = vec![b'#'; usize::from(more)];
                answer.body = [&answer.body[..], &surplus].concat().into();
                answer.set("content-length", None);
            }
            Self::Flip(at) => answer.body = flipped(&answer.body, at),
            Self::Range(first, last, size) => {
                answer.set("content-range", Some(&format!("bytes {first}-{last}/{size}")));
            }
            Self::Shift(is_first) => shift(answer, is_first),
            Self::Drop(name) => answer.set(name, None),
            Self::WeakTag => {
                let tag = answer.headers.iter_mut().find(|(name, _)| name == "etag");
                tag.into_iter().for_each(|(_, tag)| tag.insert_str(0, "W/"));
            }
            Self::Checksum(value) => answer.set(CRC64, Some(&value.to_string())),
            Self::Chunked => answer.reframe(Framing::Chunked),
            Self::UntilClose => answer.reframe(Framing::Close),
            Self::Pieces(len) => answer.piece = usize::from(len),
            Self::Endless => answer.end = End::Never,
        }
    }
}

/// A range that is told as it is, and is not the one asked for: without its first byte, or its last.
pub(crate) fn shift(answer: &mut Answer, is_first: bool) {
    let range = answer.headers.iter().find(|(name, _)| name == "content-range");
    let range = range.and_then(|(_, value)| ContentRange::parse(value));
    let Some(ContentRange { first, last, size, .. }) = range.filter(|_| answer.body.len() > 1) else {
        return;
    };
    let (first, last) =
        if is_first { (first.saturating_add(1), last) } else { (first, last.saturating_sub(1)) };
    answer.body = if is_first { answer.body.slice(1..) } else { answer.body.slice(..answer.body.len() - 1) };
    answer.set("content-range", Some(&format!("bytes {first}-{last}/{size}")));
    answer.set("content-length", None);
}

/// The same bytes but for a bit.
pub fn flipped(bytes: &bytes::Bytes, at: u16) -> bytes::Bytes {
    let mut changed = bytes.to_vec();
    let at = usize::from(at) % changed.len().max(1);
    changed.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 4);
    changed.into()
}

const CRC64: &str = "x-oss-hash-crc64ecma";
/// Status, code and `Retry-After`. The first and the third have names above.
const REFUSALS: [(u16, &str, Option<&str>); 24] = [
    (500, "InternalError", None),
    (503, "ServiceUnavailable", None),
    (503, "SlowDown", None),
    (503, "SlowDown", Some("2")),
    (503, "QpsLimitExceeded", Some("100000000000000000000")),
    (429, "", Some("Fri, 16 Dec 9999 16:20:50 GMT")),
    (502, "", None),
    (504, "", Some("-1")),
    (500, "", None),
    (403, "AccessDenied", None),
    (403, "SignatureDoesNotMatch", None),
    (403, "InvalidAccessKeyId", None),
    (403, "SecurityTokenExpired", None),
    (403, "RequestTimeTooSkewed", None),
    (400, "InvalidArgument", None),
    (400, "RequestTimeout", None),
    (408, "", None),
    (404, "NoSuchKey", None),
    (404, "NoSuchUpload", None),
    (409, "FileAlreadyExists", None),
    (409, "PositionNotEqualToLength", None),
    (412, "PreconditionFailed", None),
    (307, "", None),
    (200, "InternalError", None),
];
