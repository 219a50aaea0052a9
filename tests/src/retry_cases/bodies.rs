//! Reads whose body does not come as it should: told case by case, since what must come of them depends on
//! how far the body came.

use serde_json::{Value, json};

use super::calls::{self, DIGITS};
use super::groups::SILENCE_MS;
use super::rules::{Given, Kind, Outcome};
use super::{Case, error_json};

pub(super) fn cases() -> Vec<Case> {
    let groups = [broken, unpinned, again_and_again, changed, resumed_through_faults, wrong, lists];
    groups.into_iter().flat_map(|group| group()).collect()
}

/// A read of the ten digits, and what becomes of it.
struct Read {
    name: String,
    why: &'static str,
    row: &'static str,
    given: Given,
    range: Option<(&'static str, &'static str)>,
    instructions: Vec<Value>,
    requests: Vec<&'static str>,
    error: Option<(Kind, Outcome)>,
    waits: Vec<(u64, u64)>,
}

impl Read {
    fn new(name: impl Into<String>, row: &'static str, why: &'static str) -> Self {
        let (name, given) = (name.into(), Given::default());
        let (instructions, requests, waits) = (Vec::new(), vec!["call"], Vec::new());
        Self { name, why, row, given, range: None, instructions, requests, error: None, waits }
    }

    /// The server does this.
    fn meets(mut self, instructions: impl IntoIterator<Item = Value>) -> Self {
        self.instructions.extend(instructions);
        self
    }

    /// Then the client goes on with the rest, after the first wait.
    fn rest(mut self) -> Self {
        self.requests.push("rest");
        self.waits.push((0, 2));
        self
    }

    /// Then the client does this, after the nth wait.
    fn then(mut self, request: &'static str, nth: u32) -> Self {
        self.requests.push(request);
        self.waits.push((0, (1 << nth).min(5)));
        self
    }

    fn given(mut self, change: impl FnOnce(&mut Given)) -> Self {
        change(&mut self.given);
        self
    }

    fn range(mut self, range: &'static str, body: &'static str) -> Self {
        self.range = Some((range, body));
        self
    }

    fn fails(mut self, kind: Kind, outcome: Outcome) -> Self {
        self.error = Some((kind, outcome));
        self
    }

    fn case(self) -> Case {
        let call = calls::reads().remove(0);
        let mut case = Case::new("body", &self.name, &call, &self.given, &[]).row(self.row).why(self.why);
        case.instructions = self.instructions;
        let mut body = DIGITS;
        if let Some((range, part)) = self.range {
            case.call["headers"] = json!({"range": range});
            body = part;
        }
        case.expect["requests"] = self.requests.into();
        let waits: Vec<_> = self.waits.iter().map(|(least, most)| json!([least, most])).collect();
        case.expect["waits_ms"] = waits.into();
        case.expect["body"] = body.into();
        if let Some((kind, outcome)) = self.error {
            case.expect["error"] = error_json(&kind, outcome);
            case.expect.as_object_mut().and_then(|expect| expect.remove("result"));
        }
        case
    }
}

fn cut(after: u64) -> Value {
    json!({"do": "serve", "cut_after": after})
}

fn set(name: &str, value: Value) -> Value {
    json!({"do": "serve", "set": {name: value}})
}

fn cut_and_set(after: u64, name: &str, value: Value) -> Value {
    json!({"do": "serve", "cut_after": after, "set": {name: value}})
}

/// F36, F39: the rest is asked for, from the very byte.
fn broken() -> Vec<Case> {
    let mut all = Vec::new();
    for after in 0..10 {
        let why = "The body breaks, and the client asks for what is missing, of the same object.";
        all.push(Read::new(format!("cut-after-{after}"), "F36", why).meets([cut(after)]).rest().case());
    }
    let whole = "The connection breaks when all is there: nothing is missing.";
    all.push(Read::new("cut-after-10", "F36", whole).meets([cut(10)]).case());
    for after in [0, 5] {
        let why = "The body stops and nothing more comes, so the client asks for the rest elsewhere.";
        let stall = json!({"do": "serve", "stall_after": after});
        let read = Read::new(format!("stalls-after-{after}"), "F39", why).meets([stall]).rest();
        all.push(read.given(|given| given.silence_ms = Some(SILENCE_MS)).case());
    }
    for after in [0, 1, 2] {
        let why = "The body of a range breaks: what is missing is of that range.";
        let read = Read::new(format!("range-cut-after-{after}"), "F36", why).range("bytes=2-4", "234");
        all.push(read.meets([cut(after)]).rest().case());
        let why = "The body of a range ends too early and as if it were whole.";
        let ends = json!({"do": "serve", "ends_after": after});
        let read = Read::new(format!("range-ends-after-{after}"), "F37", why).range("bytes=2-4", "234");
        all.push(read.meets([ends]).rest().case());
    }
    for after in [0, 1, 9] {
        let why = "The body ends too early as if it were whole, and only its checksum shows it.";
        let ends = json!({"do": "serve", "ends_after": after});
        let read = Read::new(format!("ends-after-{after}"), "F37", why).meets([ends]);
        all.push(read.fails(Kind::Corrupt, Outcome::Unknown).case());
    }
    all
}

/// F33: without a strong entity tag the rest may be that of another object.
fn unpinned() -> Vec<Case> {
    let mut all = Vec::new();
    for (name, etag) in [("no-etag", Value::Null), ("weak-etag", json!("W/\"5D41402ABC4B2A76\""))] {
        let why = "Nothing was delivered, so the read begins anew although nothing pins the object.";
        let again = set("etag", etag.clone());
        let first = cut_and_set(0, "etag", etag.clone());
        all.push(
            Read::new(format!("{name}-cut-after-0"), "F33", why).meets([first, again]).then("call", 1).case(),
        );
        let why = "Bytes were delivered and nothing pins the object: its rest may be another's.";
        let read = Read::new(format!("{name}-cut-after-5"), "F33", why).meets([cut_and_set(5, "etag", etag)]);
        all.push(read.fails(Kind::Transport, Outcome::Unknown).case());
    }
    all
}

/// F36: progress counts as a new start, and without it there is an end.
fn again_and_again() -> Vec<Case> {
    let progress =
        "Each rest breaks after a byte: a byte is progress, and the count of attempts begins anew.";
    let mut steady = Read::new("cut-nine-times-after-1", "F36", progress).given(|given| given.attempts = 2);
    for _ in 0..9 {
        steady = steady.meets([cut(1)]).rest();
    }
    let barren = "No byte comes of it: it ends with the attempts.";
    let barren = Read::new("cut-for-ever-after-0-3-attempts", "F36", barren).meets([cut(0), cut(0), cut(0)]);
    let barren = barren.then("rest", 1).then("rest", 2).fails(Kind::Transport, Outcome::Unknown);
    let many = "No byte comes of it: it ends after three resumptions, however many attempts there are.";
    let many = Read::new("cut-for-ever-after-0-8-attempts", "F36", many).given(|given| given.attempts = 8);
    let many = many.meets([cut(0), cut(0), cut(0), cut(0)]);
    let many = many.then("rest", 1).then("rest", 2).then("rest", 3).fails(Kind::Transport, Outcome::Unknown);
    let once = "With one attempt nothing is resumed.";
    let once = Read::new("cut-after-5-1-attempt", "F69", once).given(|given| given.attempts = 1);
    let once = once.meets([cut(5)]).fails(Kind::Transport, Outcome::Unknown);
    [steady, barren, many, once].map(Read::case).into()
}

/// F34, F35: the rest is that of the same object, or none.
fn changed() -> Vec<Case> {
    let replaced = "The object is another when the rest is asked for.";
    let mut all = Vec::new();
    for (name, value) in [
        ("etag", json!("\"0000\"")),
        ("etag", Value::Null),
        ("content-range", json!("bytes 5-9/11")),
        ("x-oss-hash-crc64ecma", json!("12345")),
    ] {
        let read = Read::new(format!("another-{name}-{}", value.is_null()), "F34", replaced);
        let read = read.meets([cut(5), set(name, value)]).rest();
        all.push(read.fails(Kind::Changed, Outcome::Unknown).case());
    }
    let answer = |status: u16, code: &str| json!({"do": "answer", "status": status, "code": code});
    for (status, code, row) in
        [(412, "PreconditionFailed", "F34"), (404, "NoSuchKey", "F35"), (416, "InvalidRange", "F34")]
    {
        let read = Read::new(format!("rest-gets-{status}"), row, replaced);
        let read = read.meets([cut(5), answer(status, code)]).rest();
        all.push(read.fails(Kind::Changed, Outcome::Unknown).case());
    }
    let shifted = "The rest that comes is not the one that was asked for.";
    for range in ["bytes 4-9/10", "bytes 5-8/10", "bytes 6-9/10"] {
        let name = format!("rest-is-{}", range.replace([' ', '/'], "-"));
        let read = Read::new(name, "F31", shifted).meets([cut(5), set("content-range", json!(range))]);
        all.push(read.rest().fails(Kind::Corrupt, Outcome::Unknown).case());
    }
    all
}

/// The request of a rest is a request like any other.
fn resumed_through_faults() -> Vec<Case> {
    let why = "The request of the rest meets a fault of its own, and is repeated.";
    let slow = json!({"do": "answer", "status": 503, "code": "SlowDown"});
    let mut all = Vec::new();
    for (name, fault, most) in [
        ("500", json!({"do": "answer", "status": 500}), 4),
        ("SlowDown", slow, 5),
        ("lost", json!({"do": "serve", "answer": "lost"}), 4),
        ("closed", json!({"do": "close", "after_body_bytes": 0}), 4),
    ] {
        let mut read = Read::new(format!("rest-{name}"), "F36", why).meets([cut(5), fault]).rest().rest();
        read.waits = vec![(0, 2), (0, most)];
        all.push(read.case());
    }
    let denied = json!({"do": "answer", "status": 403, "code": "AccessDenied"});
    let read =
        Read::new("rest-denied", "F25", "The rest is refused for good.").meets([cut(5), denied]).rest();
    all.push(read.fails(Kind::Service(403, "AccessDenied"), Outcome::Unknown).case());
    all
}

/// F31, F32, F41, F43: answers that are whole and wrong.
fn wrong() -> Vec<Case> {
    let flipped = "A byte changed on its way, after bytes were delivered: an error, not a repetition.";
    let flip = json!({"do": "serve", "flip": 4});
    let garbled = "The checksum of the answer is no number.";
    let garbled = Read::new("checksum-garbled", "F43", garbled);
    let garbled = garbled.meets([set("x-oss-hash-crc64ecma", json!("yes"))]);
    let untold = Read::new("checksum-untold", "F43", "Without a checksum the length is what counts.");
    let untold = untold.meets([set("x-oss-hash-crc64ecma", Value::Null)]);
    let mut all = vec![
        Read::new("flipped", "F41", flipped).meets([flip]).fails(Kind::Corrupt, Outcome::Unknown).case(),
        garbled.fails(Kind::Unreadable, Outcome::Unknown).case(),
        untold.case(),
    ];
    let other = "The answer says that it is another range than was asked for.";
    for range in ["bytes 1-4/10", "bytes 2-5/10", "bytes 3-5/10"] {
        let name = format!("range-is-{}", range.replace([' ', '/'], "-"));
        let read = Read::new(name, "F31", other).range("bytes=2-4", "234");
        let read = read.meets([set("content-range", json!(range))]);
        all.push(read.fails(Kind::Corrupt, Outcome::Unknown).case());
    }
    let unreadable = "The answer does not say which bytes it has.";
    for (name, range) in
        [("missing", Value::Null), ("star", json!("bytes */10")), ("backwards", json!("bytes 4-2/10"))]
    {
        let read = Read::new(format!("range-{name}"), "F32", unreadable).range("bytes=2-4", "234");
        let read = read.meets([set("content-range", range)]);
        all.push(read.fails(Kind::Unreadable, Outcome::Unknown).case());
    }
    all
}

/// F37: answers that are documents are read again from their start.
fn lists() -> Vec<Case> {
    let mut all = Vec::new();
    let list =
        calls::reads().into_iter().find(|call| call.name == "list").expect("a list is among the reads");
    let copy = calls::overwrites().into_iter().find(|call| call.name == "copy");
    let copy = copy.expect("a copy is among the writes");
    for (call, row) in [(list, "F37"), (copy, "F54")] {
        for (name, times) in [("cut", 1), ("cut-twice", 2), ("cut-for-ever", 3)] {
            let why = format!("The document that answers {} breaks off: the call is repeated.", call.words);
            let lost = vec![super::instructions::Does::Lose.into(); times];
            // For its sender the same as no answer at all.
            let mut case = Case::new("body", name, &call, &Given::default(), &lost).row(row).why(why);
            case.instructions = vec![cut(10); times];
            all.push(case);
        }
    }
    all
}
