//! Which faults there are, and how often. No fault is a lie that nobody could see through: bytes are changed
//! only where a checksum stands beside them, and what is refused was not done.

use alloc::sync::Arc;

use http::Method;

use super::chance::Chance;
use super::tally::Tally;
use crate::peer::{Answer, Deed, End, Framing, Peer};
use crate::sim::fault::shift;

/// Draws the deeds of a peer.
pub(super) struct Faults {
    chance: Chance,
    percent: u64,
    tally: Arc<Tally>,
}

impl Faults {
    pub(super) fn new(seed: u64, percent: u64, tally: Arc<Tally>) -> Self {
        Self { chance: Chance::new(seed), percent, tally }
    }

    /// One deed for each request, by its method.
    pub(super) fn deeds(mut self) -> impl FnMut(&Method, &mut Peer) -> Deed + Send {
        move |method, _| {
            if !self.chance.percent(self.percent) {
                return Deed::Serve;
            }
            let (name, deed) = self.draw(method);
            self.tally.fault(name);
            deed
        }
    }

    fn draw(&mut self, method: &Method) -> (&'static str, Deed) {
        let at = self.chance.length(300_000);
        match self.chance.below(20) {
            0 | 1 => ("done, no answer", Deed::Lose),
            2 | 3 => ("refused", Deed::Answer(self.refusal())),
            4 => ("refused early", Deed::Early(at, self.refusal())),
            5 => ("closed in the request", Deed::Close(at)),
            6 => ("silence", Deed::Hang),
            7 => ("stops reading", Deed::StopReading),
            8 => ("done, and 500", Deed::spoil(|answer| *answer = Answer::error(500, "InternalError"))),
            9 => ("closed after the answer", Deed::spoil(|answer| answer.end = End::ThenClose)),
            10 => ("in pieces", self.pieces()),
            11 => ("1xx before it", Deed::spoil(|answer| answer.interim = vec![102; 3])),
            _ if method == Method::GET => self.spoiled_read(at),
            _ if method == Method::HEAD => ("refused", Deed::Answer(self.refusal())),
            _ => self.spoiled_write(),
        }
    }

    fn refusal(&mut self) -> Answer {
        let (status, code) = self.chance.pick(&[
            (500, "NotAnErrorThatOssKnows"),
            (503, "SlowDown"),
            (503, "ServiceUnavailable"),
            (429, "QpsLimitExceeded"),
            (403, "AccessDenied"),
            (400, "RequestTimeout"),
            (502, ""),
        ]);
        let answer = match code {
            "" => Answer::new(status).body("<html>Bad gateway</html>"),
            code => Answer::error(status, code),
        };
        match self.chance.below(6) {
            0 => answer.header("retry-after", "1"),
            1 => answer.header("retry-after", "-99999999999999999999"),
            2 => answer.framed(Framing::Chunked),
            3 => answer.ending(End::Cut(9)),
            4 => answer.ending(End::ThenClose),
            _ => answer,
        }
    }

    fn pieces(&mut self) -> Deed {
        let piece = 1 + self.chance.length(4096) as usize;
        Deed::spoil(move |answer| {
            // Not so small that a long body takes minutes.
            answer.piece = piece.max(answer.body.len() / 200);
        })
    }

    fn spoiled_read(&mut self, at: u64) -> (&'static str, Deed) {
        let word = self.chance.next();
        match self.chance.below(10) {
            0 | 1 => ("cut", Deed::spoil(move |answer| answer.end = End::Cut(at))),
            2 => ("stall", Deed::spoil(move |answer| answer.end = End::Stall(at))),
            3 => (
                "cut in chunks",
                Deed::spoil(move |answer| {
                    answer.reframe(Framing::Chunked);
                    answer.end = End::Cut(at);
                }),
            ),
            4 => ("an early end in order", Deed::spoil(move |answer| early_end(answer, at))),
            5 => ("too long", Deed::spoil(lengthen)),
            6 => ("a byte changed", Deed::spoil(move |answer| flip(answer, word))),
            7 => ("another range", Deed::spoil(move |answer| shift(answer, word & 1 == 0))),
            8 => (
                "no or a weak tag",
                Deed::spoil(move |answer| {
                    answer.set("etag", (word & 1 == 0).then_some("W/\"1\""));
                    answer.end = End::Cut(at);
                }),
            ),
            _ => (
                "another checksum",
                Deed::spoil(|answer| {
                    if has_checksum(answer) {
                        answer.set("x-oss-hash-crc64ecma", Some("1"));
                    }
                }),
            ),
        }
    }

    fn spoiled_write(&mut self) -> (&'static str, Deed) {
        match self.chance.below(3) {
            0 => (
                "another checksum",
                Deed::spoil(|answer| {
                    if has_checksum(answer) {
                        answer.set("x-oss-hash-crc64ecma", Some("1"));
                    }
                }),
            ),
            1 => ("done, no answer", Deed::Lose),
            _ => ("no checksum", Deed::spoil(|answer| answer.set("x-oss-hash-crc64ecma", None))),
        }
    }
}

/// Whether the answer is a whole object with its checksum.
fn has_checksum(answer: &Answer) -> bool {
    answer.status == 200 && answer.headers.iter().any(|(name, _)| name == "x-oss-hash-crc64ecma")
}

/// Fewer bytes, told as if they were all; only where a checksum or a range tells how many there should be.
fn early_end(answer: &mut Answer, at: u64) {
    if has_checksum(answer) || answer.status == 206 {
        answer.reframe(Framing::Chunked);
        answer.body = answer.body.slice(..answer.body.len().min(at as usize));
    }
}

fn lengthen(answer: &mut Answer) {
    if has_checksum(answer) || answer.status == 206 {
        answer.reframe(Framing::Chunked);
        answer.body = [&answer.body[..], b"and more"].concat().into();
    }
}

fn flip(answer: &mut Answer, word: u64) {
    if has_checksum(answer) && !answer.body.is_empty() {
        let mut body = answer.body.to_vec();
        let at = (word >> 8) as usize % body.len();
        body[at] ^= (word as u8).max(1);
        answer.body = body.into();
    }
}
